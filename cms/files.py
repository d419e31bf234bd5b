"""The files that were received, and the image and file entries that hold them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Select, func, literal_column, or_, select
from sqlalchemy.orm import Session

from cms import saving
from cms.attribution import By
from cms.built_in_types import UPLOADED
from cms.checking import described
from cms.errors import BytesGone
from cms.json_columns import among
from cms.snapshots import revision_of
from cms.tables.entries import QUARTERS, Entry, FileUse, Revision, StoredFile
from cms.tables.publications import Publication

# Fingerprints have 64 bits. Pictures of which people say that they are the same differ in fewer than these.
NEAR = 6
# Beyond it pictures are so alike by their nature, such as scans of empty forms, that telling of one helps nobody.
_MOST_CANDIDATES = 1_000
_MOST_ALIKE = 5


@dataclass(frozen=True)
class Received:
    """What is known of bytes that are in the media store. `kind`: "image" or "file"; the rest as in `StoredFile`, but
    `picture`, which is a file itself."""

    sha256: str
    kind: str
    name: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    fingerprint: str | None = None
    placeholder: str | None = None
    color: str | None = None
    frames: int | None = None
    pages: int | None = None
    picture: "Received | None" = None
    text: str | None = None


# What files from before such things were looked at do not have.
_LATER = ("fingerprint", "placeholder", "color", "frames", "pages", "picture", "text")


def keep(
    session: Session, received: Received, *, by: By, is_there: Callable[[str], bool] = lambda _sha256: True
) -> StoredFile:
    """Note a file; the same bytes are one file, however often they come.

    `is_there` tells whether the store has the bytes. Sweeps remove bytes that nobody knows, in a write of their own:
    what is found in this one stays. Raises `BytesGone` for what was swept while it came in a second time."""
    picture = received.picture and keep(session, received.picture, by=by, is_there=is_there)
    values = {**received.__dict__, "picture": picture and picture.sha256}
    stored = session.get(StoredFile, received.sha256)
    if stored is None:
        if not is_there(received.sha256):
            raise BytesGone(received.sha256)
        stored = StoredFile(**values, created_at=by.at)
        session.add(stored)
        session.flush()
        return stored
    for name in _LATER:
        if getattr(stored, name) is None:
            setattr(stored, name, values[name])
    return stored


def entry_of(session: Session, sha256: str) -> Entry | None:
    """The entry that was made for these bytes, whatever it holds now, unless it is in the trash."""
    return session.scalar(
        select(Entry)
        .join(StoredFile, StoredFile.entry_id == Entry.id)
        .where(StoredFile.sha256 == sha256, Entry.trashed_at.is_(None))
    )


def holder_of(session: Session, sha256: str) -> Entry | None:
    """An entry whose newest revision holds these bytes, the first that was made; none of the trash."""
    made_for = entry_of(session, sha256)
    if made_for is not None and _holds(session, made_for, sha256):
        return made_for
    wanted = select(Entry).join(FileUse, FileUse.entry_id == Entry.id)
    wanted = wanted.where(FileUse.sha256 == sha256, Entry.type.in_(UPLOADED), Entry.trashed_at.is_(None))
    users = session.scalars(wanted.order_by(Entry.id)).all()
    return next((entry for entry in users if _holds(session, entry, sha256)), None)


def _holds(session: Session, entry: Entry, sha256: str) -> bool:
    file = revision_of(session, entry).fields.get("file")
    return isinstance(file, dict) and file.get("sha256") == sha256


def alike(session: Session, received: Received) -> Sequence[Entry]:
    """Entries with pictures that look nearly the same, the most alike first; none that holds these very bytes."""
    if received.fingerprint is None:
        return ()
    near = sorted(
        (distance, entry_id, sha256)
        for entry_id, sha256, fingerprint in session.execute(_candidates(received.sha256, received.fingerprint)).all()
        if (distance := _distance(fingerprint, received.fingerprint)) <= NEAR
    )
    entries = {entry.id: entry for entry in session.scalars(select(Entry).where(among(Entry.id, _ids(near))))}
    found = (entries[id] for _, id, sha256 in near if _holds(session, entries[id], sha256))
    return list(islice(found, _MOST_ALIKE))


def _ids(near: Iterable[tuple[int, str, str]]) -> list[str]:
    return [entry_id for _, entry_id, _ in near]


def _candidates(sha256: str, fingerprint: str) -> Select[*tuple[Any, ...]]:
    quarters = (
        # Written out, as the indexes are.
        func.substr(StoredFile.fingerprint, literal_column(str(start)), literal_column(str(length)))
        == fingerprint[start - 1 : start - 1 + length]
        for start, length in QUARTERS
    )
    return (
        select(StoredFile.entry_id, StoredFile.sha256, StoredFile.fingerprint)
        .join(Entry, Entry.id == StoredFile.entry_id)
        .where(or_(*quarters), StoredFile.sha256 != sha256, Entry.trashed_at.is_(None))
        .limit(_MOST_CANDIDATES)
    )


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def make_entry(
    session: Session,
    stored: StoredFile,
    *,
    title: str,
    locale: str,
    by: By,
    alt: str | None = None,
    others: Mapping[str, Any] | None = None,
    source: saving.Source | None = None,
    entry_id: str | None = None,
) -> saving.Saved:
    """An `image` or `file` entry for received bytes. `others`: values of further fields; `caption` is what a file
    calls its description, and what an image alone has is left out of a file."""
    said = dict(others or {})
    if stored.kind == "image":
        said["alt"] = alt
    else:
        said["description"] = said.pop("caption", None)
        said.pop("alts", None)
    fields = {"title": title, "file": described(stored), **said}
    made = saving.create(
        session, stored.kind, saving.Draft(locale=locale, fields=fields), by=by, source=source, entry_id=entry_id
    )
    session.flush()
    # Whoever asks for these bytes again is led to the entry that they were made for, as long as it holds them.
    if stored.entry_id is None or holder_of(session, stored.sha256) in (None, made.entry):
        stored.entry_id = made.entry.id
    return made


def find(session: Session, sha256: str) -> StoredFile | None:
    """What is known of these bytes."""
    return session.get(StoredFile, sha256)


# --- the words of documents, for search ---


def newest_texts(session: Session, ids: Iterable[str]) -> Mapping[str, str]:
    """The words of the documents that some entries hold in their newest revision, by entry."""
    wanted = select(Entry.id, Revision.fields).join(
        Revision, (Revision.entry_id == Entry.id) & (Revision.number == Entry.revision)
    )
    rows = session.execute(wanted.where(Entry.type == "file", among(Entry.id, ids))).all()
    return _texts(session, {id: (fields.get("file") or {}).get("sha256") for id, fields in rows})


def live_texts(session: Session, ids: Iterable[str]) -> Mapping[str, str]:
    """The words of the documents that some entries show to the public, by entry."""
    wanted = select(Publication.entry_id, Publication.upload)
    rows = session.execute(wanted.where(Publication.type == "file", among(Publication.entry_id, ids))).all()
    return _texts(session, {row.entry_id: row.upload for row in rows})


def _texts(session: Session, held: Mapping[str, str | None]) -> Mapping[str, str]:
    hashes = sorted({sha256 for sha256 in held.values() if sha256})
    if not hashes:
        return {}
    wanted = select(StoredFile.sha256, StoredFile.text).where(among(StoredFile.sha256, hashes))
    texts = {row.sha256: row.text for row in session.execute(wanted.where(StoredFile.text.is_not(None))).all()}
    return {id: texts[sha256] for id, sha256 in held.items() if sha256 in texts}
