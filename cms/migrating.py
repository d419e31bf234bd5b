"""Bringing a database up to the code's version, and telling how far it is."""

import warnings
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cms.custom_types.field_indexes import PREFIX
from cms.database import Base, Database
from cms.tables import banner_views, entries, events, jobs, missing, people, publications, types

_TABLES = (banner_views, entries, events, jobs, missing, people, publications, types)

State = Literal["empty", "behind", "current", "ahead"]


def state(database: Database) -> State:
    """How the database stands to the code. "ahead": a newer Sitedesk has written it, so this one must not."""
    with database.reader.connect() as connection:
        at = MigrationContext.configure(connection).get_current_revision()
    if at is None:
        return "empty"
    if at == ScriptDirectory.from_config(_config()).get_current_head():
        return "current"
    return "behind" if is_known(at) else "ahead"


def is_known(migration: str) -> bool:
    """Whether the code can bring a database that is at this migration up to its own version."""
    return migration in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def migrate(database: Database) -> None:
    """Run what is missing, all in one transaction."""
    with database.writer.begin() as connection:
        command.upgrade(_config(connection), "head")


def drift(database: Database) -> list[Any]:
    """What the tables of the code and the migrated database differ in. Empty when they agree."""
    with database.reader.connect() as connection, warnings.catch_warnings():
        # SQLite cannot tell what an index on an expression is made of. A test tells whether it does its work.
        warnings.filterwarnings("ignore", message=".*expression-based index")
        options = {"compare_type": True, "include_name": _is_of_the_code}
        context = MigrationContext.configure(connection, opts=options)
        differences: list[Any] = compare_metadata(context, Base.metadata)
        return differences


def _is_of_the_code(name: str | None, kind: str, _parents: Any) -> bool:
    # Types that staff make have indexes that come and go with their fields.
    return not (kind == "index" and name is not None and name.startswith(PREFIX))


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # A percent sign in the path would be read as an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
