"""What tests of the domain share: one transaction in which a test does all it does."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from cms import migrating, structure
from cms.database import Database, open_database
from cms.delivery import live_structure
from tests.cast import HeldClock
from tests.conftest import empty_postgresql, founded


@pytest.fixture(scope="session")
def founded_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A founded site on SQLite to which nobody commits."""
    database = open_database(f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('founded'))}")
    yield founded(database, HeldClock())
    database.close()


@pytest.fixture(scope="session")
def founded_postgresql(postgresql_server: sa.Engine) -> Iterator[Database]:
    """A founded site on PostgreSQL to which nobody commits."""
    with empty_postgresql(postgresql_server) as database:
        migrating.migrate(database)
        yield founded(database, HeldClock())


@pytest.fixture(params=["sqlite", "postgresql"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A writing session on each database. What a test does in it is taken back at the end, commits too."""
    database: Database = request.getfixturevalue(f"founded_{request.param}")
    # Each test begins with the same site at the same instant, so what the last one knew of it looks fresh.
    structure._kept.clear()
    live_structure._kept.clear()
    with database.writer.connect() as connection, connection.begin() as transaction:
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
        transaction.rollback()
