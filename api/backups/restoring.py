"""Restoring: everything is fetched and checked beside the place where it will stand, and moved there at the end."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api import data_folder
from api.backups import manifest, postgresql_copies, sqlite_copies
from api.backups.kinds import KINDS, kind_of
from api.backups.manifest import Manifest, media_place
from api.backups.postgresql_copies import VERSION_TABLE
from api.backups.refusal import BackupRefused
from api.backups.settling import Settled, settle
from api.backups.taking import SECRET
from api.backups.targets import Target, open_target
from api.backups.transfer import fault, fetch
from api.data_folder import sync
from cms import events, migrating
from cms.attribution import COMMAND_LINE, By
from cms.clock import Clock, written
from cms.database import Database, open_database
from media.stores import FolderStore, Store, open_store

DATABASE, MEDIA = "sitedesk.db", "media"
_LOCK = "lock"
# What is in every new file system.
_NOTHING = frozenset({"lost+found", _LOCK})


@dataclass(frozen=True)
class Wanted:
    """What to restore, and where: `name` None is the newest; `database` the URL of an empty PostgreSQL database;
    `media` the URL of a media store, None for the data folder `into`."""

    source: str
    into: Path
    name: str | None = None
    database: str | None = None
    media: str | None = None


def restore(wanted: Wanted, *, clock: Clock) -> Iterator[dict[str, Any]]:
    """Bring a backup back. Tells its name as output when everything stands.

    Raises `BackupRefused` before anything is touched for a damaged backup, and for a place that is in use or not empty;
    `Unreachable`, OSError."""
    source = open_target(wanted.source, make=False)
    made = _chosen(source, wanted.name)
    _refuse_kind(made, wanted.database)
    _refuse_used(wanted.into)
    if wanted.database is not None:
        postgresql_copies.refuse_used(wanted.database)
    _refuse_incomplete(source, made)
    store = None if wanted.media is None else _media_store(wanted.media)
    yield {"line": f"Restoring {made.name}: the site as it was at {written(made.instant)}."}
    with _beside(wanted.into) as staging:
        _refuse_if_full(staging, made, elsewhere=store is not None)
        yield from _fetch_media(source, made, staging, store)
        database = _fetch_database(source, made, staging)
        if SECRET in made.files:
            fetch(source, made.place(SECRET), made.files[SECRET], staging / SECRET)
            (staging / SECRET).chmod(0o600)
        if store is not None:
            yield from _send_media(source, made, staging, store)
        if wanted.database is None:
            settled = _finish(_address(database), made, now=clock())
            sync(database)
            _arrive(staging, wanted.into)
        else:
            yield {"line": "Filling the database…"}
            postgresql_copies.load(wanted.database, database, made)
            shutil.rmtree(database.parent)
            # No server starts on a database without a version: it gets that at the very last.
            _arrive(staging, wanted.into)
            settled = _finish(wanted.database, made, now=clock())
    yield from _told(made, settled, wanted)


def _told(made: Manifest, settled: Settled, wanted: Wanted) -> Iterator[dict[str, Any]]:
    entries = made.tables["entries"].rows
    yield {"line": f"Restored {entries} entries, events up to {made.event}, {len(made.media)} files of media."}
    if settled.held:
        yield {"line": f"{settled.held} scheduled changes are held: their instant has passed. Confirm or cancel them."}
    if settled.ended:
        yield {"line": f"{settled.ended} imports and exports have ended: their files are not in a backup."}
    if any(one.held for one in made.lost):
        yield {"line": f"{sum(one.held for one in made.lost)} files were lost before the backup was made."}
    yield {"line": "Keys, roles and passwords are those of that moment: revoke again what was revoked since."}
    place = f"SITEDESK_DATA={wanted.into}" + (" and SITEDESK_DATABASE_URL" if wanted.database else "")
    yield {"line": f"Start the server with {place}. The search indexes are made anew then."}
    yield {"output": made.name}


# --- what is refused before anything is touched ---


def _chosen(source: Target, name: str | None) -> Manifest:
    whole, unfinished = manifest.names(source.sizes(manifest.FOLDER))
    if name is None and not whole:
        left = f"; {unfinished[-1]} was cut off and is none" if unfinished else ""
        raise BackupRefused(f"there is no backup{left}")
    try:
        made = manifest.read(source, name or whole[-1])
    except BackupRefused as refusal:
        others = [one for one in whole if one != (name or whole[-1])]
        said = f". Others there, newest first: {', '.join(reversed(others[-5:]))}" if others else ""
        raise BackupRefused(f"{refusal}{said}") from None
    if not migrating.is_known(made.migration):
        raise BackupRefused(f"the backup {made.name} is of a newer Sitedesk ({made.sitedesk}): install that version")
    return made


def _refuse_kind(made: Manifest, database: str | None) -> None:
    if made.kind == "postgresql" and database is None:
        raise BackupRefused(
            "the backup is of PostgreSQL: name an empty database with --database postgresql+psycopg://…"
        )
    if database is not None and kind_of(database) != made.kind:
        said = "from one kind of database to another a site goes by `sitedesk export` and `sitedesk import`"
        raise BackupRefused(f"the backup is of {made.kind}, the database of {kind_of(database)}: {said}")
    if database is not None and made.kind == "sqlite":
        raise BackupRefused(f"a SQLite database is restored into the folder, as {DATABASE}: leave --database out")


def _refuse_used(into: Path) -> None:
    if not into.exists():
        return
    if not into.is_dir():
        raise BackupRefused(f"{into} is no folder")
    if (into / _LOCK).exists():
        try:
            with data_folder.hold(into):
                pass
        except data_folder.FolderRefused as refusal:
            raise BackupRefused(f"{refusal}: stop it, or restore into another folder") from None
    there = sorted(path.name for path in into.iterdir() if path.name not in _NOTHING and path != _staging(into))
    if there:
        raise BackupRefused(f"{into} is not empty (it has {there[0]}): restore into a new folder")


def _refuse_incomplete(source: Target, made: Manifest) -> None:
    """What sizes alone tell, before hours are spent on copying."""
    there = source.sizes(manifest.FOLDER) | source.sizes("media")
    for place, content in made.contents().items():
        if place not in there:
            raise BackupRefused(f"the backup {made.name} is damaged: {place} is missing")
        if there[place] != content.size:
            said = f"{place} has {there[place]} bytes in place of {content.size}"
            raise BackupRefused(f"the backup {made.name} is damaged: {said}")


def _refuse_if_full(staging: Path, made: Manifest, *, elsewhere: bool) -> None:
    own = sum(content.size for content in made.files.values()) + made.database.size
    needed = own if elsewhere else own + sum({one.sha256: one.size for one in made.media}.values())
    free = shutil.disk_usage(staging).free
    if free < needed:
        raise BackupRefused(f"{needed} bytes are needed at {staging.parent} and {free} are free: make room")


def _media_store(url: str) -> Store:
    try:
        return open_store(url)
    except ValueError as error:
        raise BackupRefused(str(error)) from None


# --- beside the place ---


def _staging(into: Path) -> Path:
    # The root of a file system cannot be renamed: within it then.
    return into / ".restoring" if into.is_mount() else into.with_name(f".{into.name}.restoring")


@contextlib.contextmanager
def _beside(into: Path) -> Iterator[Path]:
    """A folder of this process alone that will be the data folder; removed unless it has become that."""
    staging = _staging(into)
    try:
        with data_folder.hold(staging):
            # Whoever was killed has left theirs.
            for path in staging.iterdir():
                if path.name != _LOCK:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            try:
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except data_folder.FolderInUse:
        raise BackupRefused(f"another restore into {into} is under way") from None
    except data_folder.FolderRefused as refusal:
        raise BackupRefused(str(refusal)) from None


def _arrive(staging: Path, into: Path) -> None:
    sync(staging)
    if into.is_mount():
        # The database last: without it nothing there looks like a site.
        for path in sorted(staging.iterdir(), key=lambda path: path.name == DATABASE):
            path.replace(into / path.name)
    else:
        (into / _LOCK).unlink(missing_ok=True)
        staging.replace(into)
    sync(into)
    sync(into.parent)


def _fetch_media(source: Target, made: Manifest, staging: Path, elsewhere: Store | None) -> Iterator[dict[str, Any]]:
    """Into the staging folder; what goes elsewhere is only read and compared."""
    store = None if elsewhere is not None else FolderStore(staging / MEDIA)
    for number, one in enumerate(made.media, 1):
        place = media_place(one.sha256)
        if store is None:
            said = fault(source, place, one)
            if said is not None:
                raise BackupRefused(f"the backup {made.name} is damaged: {said}")
        else:
            part = store.incoming / "restored.part"
            fetch(source, place, one, part)
            store.put(one.key, part)
        yield {"progress": number, "of": len(made.media), "doing": "media"}


def _send_media(source: Target, made: Manifest, staging: Path, store: Store) -> Iterator[dict[str, Any]]:
    part = staging / "restored.part"
    for number, one in enumerate(made.media, 1):
        if not store.exists(one.key):
            fetch(source, media_place(one.sha256), one, part)
            store.put(one.key, part)
            part.unlink(missing_ok=True)
        yield {"progress": number, "of": len(made.media), "doing": "sending media"}


def _fetch_database(source: Target, made: Manifest, staging: Path) -> Path:
    """The database of a SQLite site, as it was; or the dump of a PostgreSQL one."""
    file = KINDS[made.kind].file
    if file not in made.files:
        raise BackupRefused(f"the backup {made.name} makes no sense: it has no {file}")
    folder = staging / "unpacking"
    folder.mkdir()
    fetch(source, made.place(file), made.files[file], folder / file)
    if made.kind == "postgresql":
        return folder / file
    sqlite_copies.unpack(folder / file, made, staging / DATABASE)
    shutil.rmtree(folder)
    return staging / DATABASE


# --- the database, as if time had passed ---


def _finish(url: str, made: Manifest, *, now: datetime) -> Settled:
    """What must not go on by itself is held; then the database comes up to this version, with the restore in its log.
    Raises `BackupRefused`."""
    database = open_database(url)
    try:
        settled = _settle(database, made, now=now)
        migrating.migrate(database)
        with database.writing() as session:
            by = By(COMMAND_LINE, now)
            events.record(session, "site.restored", by=by, backup=made.name, held=settled.held, ended=settled.ended)
        return settled
    except sa.exc.SQLAlchemyError as error:
        raise BackupRefused(f"the restored database cannot be used: {str(error).splitlines()[0]}") from error
    finally:
        database.close()


def _address(database: Path) -> str:
    return sa.URL.create("sqlite", database=str(database)).render_as_string()


def _settle(database: Database, made: Manifest, *, now: datetime) -> Settled:
    with database.writer.begin() as connection:
        settled = settle(connection, now=now)
        if made.kind == "postgresql":
            connection.execute(sa.text(f"INSERT INTO {VERSION_TABLE} VALUES (:at)"), {"at": made.migration})  # noqa: S608
        return settled
