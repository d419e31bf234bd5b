"""`sitedesk check`: what is wrong with a deployment, looked at without changing anything."""

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from api import data_folder
from api.settings import Settings
from cms import migrating
from cms.database import open_database
from media.stores import open_store

# Before it, two connections that write or checkpoint at once can corrupt a WAL.
_SAFE_SQLITE = (3, 51, 3)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Finding:
    """One line. A serious one makes the check fail."""

    serious: bool
    text: str


def check(settings: Settings) -> Iterator[Finding]:
    """Everything that an operator should know or mend."""
    yield from _folder(settings)
    yield from _database(settings)
    yield from _media(settings)
    yield from _addresses(settings)


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.folder
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        yield Finding(serious=True, text=f"folder: {nearest} is not writable for this user")
    elif folder.exists() and folder.stat().st_mode & 0o002:
        yield Finding(serious=True, text=f"folder: {folder} can be written by everybody: chmod o-w {folder}")
    fault = data_folder.secret_fault(folder)
    if fault is not None:
        yield Finding(serious=True, text=f"secret: {fault}")


def _database(settings: Settings) -> Iterator[Finding]:
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        if sqlite3.sqlite_version_info < _SAFE_SQLITE:
            said = f"sqlite: version {sqlite3.sqlite_version} is older than 3.51.3, which mends a fault of the WAL"
            yield Finding(serious=False, text=f"{said}; never open the database from a second process")
        if not url.database or not os.path.exists(url.database):  # noqa: PTH110 - a URL's part, not a path of ours
            yield Finding(serious=False, text="database: there is none yet; `sitedesk serve` makes it")
            return
    try:
        database = open_database(settings.database)
        state = migrating.state(database)
        database.close()
    except SQLAlchemyError as error:
        yield Finding(serious=True, text=f"database: {str(error).splitlines()[0]}")
        return
    if state in _STATES:
        yield _STATES[state]


_STATES = {
    "ahead": Finding(serious=True, text="database: written by a newer Sitedesk; install that version"),
    "behind": Finding(serious=True, text="database: migrations are pending; run `sitedesk migrate`"),
    "empty": Finding(serious=True, text="database: not migrated; run `sitedesk migrate`"),
}


def _media(settings: Settings) -> Iterator[Finding]:
    if urlsplit(settings.media).scheme == "file":
        # Opening a folder makes it.
        return
    try:
        fault = open_store(settings.media).fault()
    except ValueError as error:
        fault = str(error)
    if fault is not None:
        yield Finding(serious=True, text=f"media: {fault}")


def _addresses(settings: Settings) -> Iterator[Finding]:
    base = urlsplit(settings.base)
    if base.scheme == "http" and base.hostname not in _LOOPBACK:
        said = f"base URL: {settings.base} is not https: passwords and cookies travel in the clear"
        yield Finding(serious=True, text=f"{said}. Set SITEDESK_BASE_URL.")
    if settings.host not in _LOOPBACK and settings.base_url is None:
        said = "base URL: not set, while the server listens beyond this machine"
        yield Finding(serious=True, text=f"{said}. Set SITEDESK_BASE_URL.")
