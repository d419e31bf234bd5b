"""SQLite: a copy that is one moment, and back."""

import gzip
import hashlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from api.backups import survey
from api.backups.manifest import Content, Manifest
from api.backups.refusal import BackupRefused
from api.backups.survey import EMPTIED, Survey
from api.backups.transfer import content_of

FILE = "database.sqlite.gz"
# Four megabytes, then a breath: whoever saves meanwhile shares the disk with us.
_PAGES, _BREATH = 1_000, 0.005
_CHUNK = 1 << 20
# Faster by half than the default, and hardly larger.
_COMPRESSION = 4


def size(url: str) -> int:
    """The bytes that a copy will have. Raises `BackupRefused` where there is no database."""
    path = _path(url)
    if not path.is_file():
        raise BackupRefused(f"there is no database at {path}: nothing to back up")
    # What is in the log is not in the file yet.
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.is_file() else 0)


def copy(url: str, scratch: Path) -> tuple[Path, Content, Survey]:
    """Copy the database as it is at one moment: the packed copy in the scratch folder, what it was before it was
    packed, and what it holds. Nobody who writes waits for it. Raises `BackupRefused`."""
    made = scratch / "copy.db"
    try:
        _copy(_path(url), made)
        _empty(made)
        with reading(made) as connection:
            found = survey.look(connection)
    except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
        raise BackupRefused(f"the database cannot be copied: {str(error).splitlines()[0]}") from error
    packed = scratch / FILE
    with made.open("rb") as source, gzip.open(packed, "wb", compresslevel=_COMPRESSION) as target:
        shutil.copyfileobj(source, target, _CHUNK)
    content = content_of(made)
    made.unlink()
    return packed, content, found


def _copy(source: Path, target: Path) -> None:
    # Opened for reading alone it takes no lock that a writer waits for, and never copies the log into the database.
    address = f"file:{quote(str(source))}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=30)) as reading,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        # A transaction that has read something stays at its moment: without it every write would begin the copy anew.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(copy, pages=_PAGES, progress=lambda *_: time.sleep(_BREATH))
        reading.execute("COMMIT")


def _empty(copy: Path) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA secure_delete=ON")
        for name in EMPTIED:
            connection.execute(f"DELETE FROM {name}")  # noqa: S608 - names of ours
        if (fault := _fault(connection, "quick_check")) is not None:
            raise BackupRefused(f"the database is damaged, and so would be its copy: {fault}. Restore an older backup")


def _fault(connection: sqlite3.Connection, check: str) -> str | None:
    found = connection.execute(f"PRAGMA {check}(1)").fetchone()
    return None if found == ("ok",) else str(found[0])


@contextmanager
def reading(path: Path) -> Iterator[sa.Connection]:
    """A connection to a copy that nobody else uses."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def unpack(packed: Path, manifest: Manifest, into: Path) -> None:
    """Unpack a copy and compare it with what the manifest says of it, table by table. Raises `BackupRefused`."""
    digest, length = hashlib.sha256(), 0
    try:
        with gzip.open(packed) as source, into.open("xb") as target:
            while chunk := source.read(_CHUNK):
                length += len(chunk)
                if length > manifest.database.size:
                    break
                digest.update(chunk)
                target.write(chunk)
    except (OSError, EOFError) as error:
        raise BackupRefused(f"the backup {manifest.name} is damaged: its database cannot be unpacked") from error
    if (length, digest.hexdigest()) != (manifest.database.size, manifest.database.sha256):
        raise BackupRefused(f"the backup {manifest.name} is damaged: its database is another than the manifest says")
    _compare(into, manifest)


def _compare(copy: Path, manifest: Manifest) -> None:
    try:
        with closing(sqlite3.connect(copy)) as connection:
            fault = _fault(connection, "integrity_check")
        with reading(copy) as opened:
            survey.compare(opened, manifest)
    except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
        raise BackupRefused(f"the backup {manifest.name} is damaged: {str(error).splitlines()[0]}") from error
    if fault is not None:
        raise BackupRefused(f"the backup {manifest.name} is damaged: {fault}")


def _path(url: str) -> Path:
    return Path(sa.make_url(url).database or "")
