"""A small site to back up: two texts, a picture with its public form, and a document, over either database."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api import data_folder
from api.backups import survey
from api.backups.keeping import Rules
from api.backups.restoring import Wanted, restore
from api.backups.taking import take
from api.settings import Settings
from cms import files
from cms.attribution import By
from cms.clock import Clock
from cms.database import Database, open_database
from cms.files import Received
from media import public_forms
from media.stores import Store, open_store
from tests.cast import a_live_news, a_news

PICTURE, CLEAN, DOCUMENT = b"a picture with its place", b"a picture", b"a document of many words"


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def address_of(database: Database) -> str:
    return database.writer.url.render_as_string(hide_password=False)


def site_over(database: Database, folder: Path, *, by: By) -> Settings:
    """A data folder over a database, with something of everything in it."""
    folder.mkdir()
    data_folder.secret(folder)
    settings = Settings(data=folder, database_url=address_of(database))
    store = open_store(settings.media)
    clean = store.incoming / "clean.part"
    clean.write_bytes(CLEAN)
    put(store, PICTURE)
    public_forms.keep(store, sha(PICTURE), clean)
    put(store, DOCUMENT)
    with database.writing() as session:
        a_news(session, by=by, title="A draft")
        a_live_news(session, by=by, title="Live", slug="live")
        note(session, PICTURE, by=by, kind="image", media_type="image/jpeg")
        note(session, DOCUMENT, by=by, kind="file", media_type="application/pdf")
    return settings


def put(store: Store, content: bytes) -> None:
    part = store.incoming / "content.part"
    part.write_bytes(content)
    store.put(sha(content), part)


def note(session: Any, content: bytes, *, by: By, kind: str, media_type: str) -> None:
    """An entry that holds these bytes."""
    received = Received(sha(content), kind, "name", media_type, len(content), None, None)
    stored = files.keep(session, received, by=by)
    files.make_entry(session, stored, title="A file", alt="A hill", locale="ru", by=by)


def told(steps: Iterator[dict[str, Any]]) -> tuple[str, list[str]]:
    """What goes to stdout, and the lines for people."""
    found = list(steps)
    output = [step["output"] for step in found if "output" in step]
    assert len(output) == 1
    return str(output[0]), [step["line"] for step in found if "line" in step]


def backed_up(settings: Settings, target: Path | str, *, clock: Clock, verified: bool = False) -> str:
    """Take a backup; its name."""
    name, _ = told(take(settings, str(target), verified=verified, rules=Rules(), clock=clock))
    return name


def restored(source: Path | str, into: Path, *, clock: Clock, **others: Any) -> list[str]:
    """Restore; what it told."""
    return told(restore(Wanted(str(source), into, **others), clock=clock))[1]


def tables_at(url: str) -> dict[str, Any]:
    """The digest of each table of a database, but for the log, to which a restore adds a line."""
    database = open_database(url)
    try:
        with database.reader.connect() as connection:
            found = survey.look(connection).tables
    finally:
        database.close()
    return {name: table for name, table in found.items() if name != "events"}


def rows_at(url: str, asked: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    database = open_database(url)
    try:
        with database.reader.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(asked))]
    finally:
        database.close()


def below(folder: Path) -> set[str]:
    """Every file in there."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
