"""What a database holds: how far it is migrated, a digest of each table, and the files that it knows.

The same for SQLite and PostgreSQL, and for databases of older versions: it reads what is there."""

import hashlib
from collections.abc import Container, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from api.backups.manifest import Manifest, Table
from api.backups.refusal import BackupRefused

# Who is signed in, and what was answered, ends with the machine: a backup has the tables, empty.
EMPTIED = ("idempotent_answers", "sign_ins")
# Derived, and made anew at the next start.
SEARCH = ("search_public_", "search_staff_")
_AT_ONCE = 500
_ALL = 1 << 256
# Rows as text are the same on every server.
_PLAIN = ("SET LOCAL TIME ZONE 'UTC'", "SET LOCAL DateStyle TO ISO", "SET LOCAL bytea_output TO hex")


@dataclass(frozen=True)
class KnownFile:
    """A file by its SHA-256; the size of its bytes, and whether a revision holds it."""

    sha256: str
    size: int
    held: bool
    is_image: bool


@dataclass(frozen=True)
class Survey:
    """`migration`: the version of the schema; `event`: the newest one's number, 0 for none."""

    migration: str
    event: int
    tables: dict[str, Table]
    files: list[KnownFile]


def migration_of(connection: sa.Connection) -> str | None:
    """The version of the schema, None for a database that has none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def look(connection: sa.Connection) -> Survey:
    """Read everything in the connection's transaction, row after row."""
    _write_plainly(connection)
    event = connection.exec_driver_sql("SELECT coalesce(max(number), 0) FROM events").scalar_one()
    return Survey(migration_of(connection) or "", int(event), tables(connection), _files(connection))


def tables(connection: sa.Connection) -> dict[str, Table]:
    """The digest of each table."""
    found = sorted(sa.inspect(connection).get_table_names())
    kept = (name for name in found if name not in EMPTIED and not name.startswith(SEARCH))
    return {name: _table(connection, name) for name in kept}


def _table(connection: sa.Connection, name: str) -> Table:
    # A sum does not depend on the order in which a database tells its rows.
    rows, total = 0, 0
    for row in _rows(connection, name):
        rows += 1
        total = (total + int.from_bytes(hashlib.sha256(row).digest())) % _ALL
    return Table(rows=rows, digest=f"{total:064x}")


def _rows(connection: sa.Connection, name: str) -> Iterator[bytes]:
    quoted = connection.dialect.identifier_preparer.quote(name)
    whole = "*" if connection.dialect.name == "sqlite" else "CAST(each_row AS text)"
    asked = f"SELECT {whole} FROM {quoted} AS each_row"  # noqa: S608 - a table's own name
    for row in connection.exec_driver_sql(asked, execution_options={"yield_per": _AT_ONCE}):
        yield repr(tuple(row)).encode(errors="surrogatepass")


_FILES = """
    SELECT sha256, size, media_type LIKE 'image/%',
        EXISTS (SELECT 1 FROM file_uses WHERE file_uses.sha256 = files.sha256)
        OR EXISTS (SELECT 1 FROM files AS document JOIN file_uses ON file_uses.sha256 = document.sha256
            WHERE document.picture = files.sha256)
    FROM files ORDER BY sha256
"""
# Before it was noted which revisions hold a file, none was ever removed.
_OLD_FILES = "SELECT sha256, size, media_type LIKE 'image/%', 1 = 1 FROM files ORDER BY sha256"


def _files(connection: sa.Connection) -> list[KnownFile]:
    asked = _FILES if sa.inspect(connection).has_table("file_uses") else _OLD_FILES
    rows = connection.execute(sa.text(asked)).all()
    return [KnownFile(sha256, int(size), held=bool(held), is_image=bool(image)) for sha256, size, image, held in rows]


def compare(connection: sa.Connection, manifest: Manifest, *, without: Container[str] = ()) -> None:
    """Hold what is there against what the manifest says, but for some tables. Raises `BackupRefused`."""
    _write_plainly(connection)
    found = tables(connection)
    for name in sorted(found.keys() | manifest.tables.keys()):
        if name not in without and found.get(name) != manifest.tables.get(name):
            raise BackupRefused(f"the backup {manifest.name} is damaged: its table {name} is not as it was")
    if "alembic_version" not in without and migration_of(connection) != manifest.migration:
        raise BackupRefused(f"the backup {manifest.name} is damaged: it is not at migration {manifest.migration}")


def _write_plainly(connection: sa.Connection) -> None:
    for setting in _PLAIN if connection.dialect.name == "postgresql" else ():
        connection.exec_driver_sql(setting)
