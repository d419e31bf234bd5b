"""The databases that are backed up, each in its own way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from api.backups import postgresql_copies, sqlite_copies
from api.backups.manifest import Content
from api.backups.refusal import BackupRefused
from api.backups.survey import Survey


@dataclass(frozen=True)
class Kind:
    """`file`: what the copy is called in a backup. `size` gives the bytes that a copy of the database at a URL has at
    most. `copy` copies one moment of it into a scratch folder, while others write: the file as it is kept, what the
    copy was before it was packed, and what it holds. Both raise `BackupRefused`."""

    file: str
    size: Callable[[str], int]
    copy: Callable[[str, Path], tuple[Path, Content, Survey]]


KINDS: Mapping[str, Kind] = {
    "sqlite": Kind(sqlite_copies.FILE, sqlite_copies.size, sqlite_copies.copy),
    "postgresql": Kind(postgresql_copies.FILE, postgresql_copies.size, postgresql_copies.copy),
}


def kind_of(url: str) -> str:
    """The kind of the database at a URL. Raises `BackupRefused`."""
    try:
        return sa.make_url(url).get_backend_name()
    except sa.exc.ArgumentError:
        raise BackupRefused("that is no database's address: write it as postgresql+psycopg://user@host/name") from None
