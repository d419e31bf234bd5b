"""The files that were received, and the image and file entries that hold them."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import saving
from cms.attribution import By
from cms.checking import described
from cms.tables.entries import Entry, StoredFile
from cms.tables.publications import Publication


@dataclass(frozen=True)
class Received:
    """What is known of bytes that are in the media store. `kind`: "image" or "file"."""

    sha256: str
    kind: str
    name: str
    media_type: str
    size: int
    width: int | None
    height: int | None


def keep(session: Session, received: Received, *, by: By) -> StoredFile:
    """Note a file; the same bytes are one file, however often they come."""
    stored = session.get(StoredFile, received.sha256)
    if stored is None:
        stored = StoredFile(**received.__dict__, created_at=by.at)
        session.add(stored)
        session.flush()
    return stored


def entry_of(session: Session, sha256: str) -> Entry | None:
    """The entry that was made for these bytes, unless it is in the trash."""
    return session.scalar(
        select(Entry)
        .join(StoredFile, StoredFile.entry_id == Entry.id)
        .where(StoredFile.sha256 == sha256, Entry.trashed_at.is_(None))
    )


def make_entry(
    session: Session,
    stored: StoredFile,
    *,
    title: str,
    locale: str,
    by: By,
    alt: str | None = None,
    source: saving.Source | None = None,
    entry_id: str | None = None,
) -> saving.Saved:
    """An `image` or `file` entry for received bytes."""
    fields = {"title": title, "file": described(stored), **({"alt": alt} if stored.kind == "image" else {})}
    made = saving.create(
        session, stored.kind, saving.Draft(locale=locale, fields=fields), by=by, source=source, entry_id=entry_id
    )
    session.flush()
    stored.entry_id = made.entry.id
    return made


def find(session: Session, sha256: str) -> StoredFile | None:
    """What is known of these bytes."""
    return session.get(StoredFile, sha256)


def is_public(session: Session, sha256: str) -> bool:
    """Whether a published entry holds these bytes."""
    return session.scalar(select(Publication.entry_id).where(Publication.upload == sha256).limit(1)) is not None
