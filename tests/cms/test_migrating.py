"""The database is built by the migrations, which agree with the tables and know nothing of the application."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from cms import founding, migrating, migrations
from cms.attribution import COMMAND_LINE, By
from cms.database import Database, open_database
from tests.cast import MORNING
from tests.conftest import empty_postgresql

VERSIONS = Path(migrations.__file__).parent / "versions"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        made = open_database(f"sqlite:///{tmp_path / '100% empty.db'}")
        yield made
        made.close()
    else:
        with empty_postgresql(request.getfixturevalue("postgresql_server")) as made:
            yield made


def stamp(database: Database, revision: str) -> None:
    with database.writer.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": revision})


def test_a_database_is_empty_until_it_is_migrated(empty: Database) -> None:
    assert migrating.state(empty) == "empty"
    migrating.migrate(empty)
    assert migrating.state(empty) == "current"


def test_migrating_twice_does_nothing_more(empty: Database) -> None:
    for _ in "12":
        migrating.migrate(empty)
    assert migrating.drift(empty) == []


def test_founding_twice_does_nothing_more(empty: Database) -> None:
    migrating.migrate(empty)
    for _ in "12":
        with empty.writing() as session:
            founding.found(session, by=By(COMMAND_LINE, MORNING))
            assert founding.is_empty(session)
    with empty.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM entries")) == 2


def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    assert migrating.drift(database) == []


def test_a_column_that_no_migration_made_is_drift(empty: Database) -> None:
    migrating.migrate(empty)
    with empty.writer.begin() as connection:
        connection.execute(sa.text("ALTER TABLE events ADD COLUMN colour VARCHAR"))
    assert len(migrating.drift(empty)) == 1


def test_a_database_of_a_newer_version_is_ahead(empty: Database) -> None:
    migrating.migrate(empty)
    stamp(empty, "9999")
    assert migrating.state(empty) == "ahead"


def test_a_migration_that_fails_leaves_nothing_behind(empty: Database) -> None:
    with empty.writer.begin() as connection:
        connection.execute(sa.text("CREATE TABLE usages (in_the_way INTEGER)"))
    with pytest.raises(sa.exc.DBAPIError):
        migrating.migrate(empty)
    assert migrating.state(empty) == "empty"
    assert sa.inspect(empty.reader).get_table_names() == ["usages"]


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_a_migration_imports_nothing_of_the_application(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or ".").split(".")[0])
    assert imported <= {"sqlalchemy", "alembic", "typing"}


def test_every_migration_follows_one_other() -> None:
    said = [(path.stem[:4], path.read_text()) for path in sorted(VERSIONS.glob("[0-9]*.py"))]
    for (before, _), (number, text) in zip([("", ""), *said], said, strict=False):
        assert f'revision = "{number}"' in text
        assert f"down_revision = {repr(before).replace(chr(39), chr(34)) if before else None}" in text
