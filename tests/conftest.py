"""A founded database of each kind for every test, the cast, and their clock."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from sqlalchemy.exc import OperationalError

from cms import founding, migrating
from cms.attribution import COMMAND_LINE, Actor, By
from cms.database import Base, Database, open_database
from tests.cast import OLGA_ID, PAVEL_ID, Colleague, HeldClock, add_the_cast

# Timings never decide a test.
settings.register_profile("gate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gate")

POSTGRESQL = os.environ.get("SITEDESK_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


@pytest.fixture
def clock() -> HeldClock:
    """Monday, 30 November 2026, ten in the morning UTC, until a test moves it."""
    return HeldClock()


@pytest.fixture
def olga(clock: HeldClock) -> Colleague:
    """Support; publishes for colleagues who cannot."""
    return Colleague(Actor("person", OLGA_ID, "Olga", "publisher"), clock)


@pytest.fixture
def pavel() -> str:
    """The id of a colleague of HR, who has no account and asks Olga."""
    return PAVEL_ID


@pytest.fixture
def stranger(clock: HeldClock) -> Colleague:
    """Somebody who may read and nothing else."""
    return Colleague(Actor("key", "stranger", "A stranger", "reader"), clock)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "site.db"
    database = open_database(f"sqlite:///{path}")
    migrating.migrate(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[sa.Engine]:
    """The server on which tests make databases of their own."""
    admin = sa.create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        admin.connect().close()
    except OperationalError:
        said = f"no PostgreSQL at {POSTGRESQL}"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    yield admin
    admin.dispose()


@contextmanager
def empty_postgresql(server: sa.Engine) -> Iterator[Database]:
    """An empty PostgreSQL database, dropped at the end."""
    name = f"sitedesk_test_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
        # Tests do not outlive the machine's power.
        connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    database = open_database(sa.make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False))
    yield database
    database.close()
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: sa.Engine) -> Iterator[Database]:
    """A migrated PostgreSQL database for all tests that commit, emptied by each."""
    with empty_postgresql(postgresql_server) as database:
        migrating.migrate(database)
        yield database


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path, clock: HeldClock) -> Iterator[Database]:
    """A founded site on SQLite."""
    copy = shutil.copy(sqlite_template, tmp_path / "site.db")
    database = open_database(f"sqlite:///{copy}")
    yield founded(database, clock)
    database.close()


@pytest.fixture
def postgresql(migrated_postgresql: Database, clock: HeldClock) -> Database:
    """A founded site on PostgreSQL."""
    migrated_postgresql.committed.clear()
    with migrated_postgresql.writer.begin() as connection:
        connection.exec_driver_sql(_EMPTY)
    return founded(migrated_postgresql, clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A founded site, once on each database."""
    site: Database = request.getfixturevalue(request.param)
    return site


_EMPTY = "; ".join(
    [f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)]
    + ["ALTER SEQUENCE events_number_seq RESTART"]
)


def founded(database: Database, clock: HeldClock) -> Database:
    """The database with what every site has, and the cast."""
    with database.writing() as session:
        founding.found(session, by=By(COMMAND_LINE, clock()))
        add_the_cast(session, at=clock())
    return database
