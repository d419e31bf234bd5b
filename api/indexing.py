"""Keeping the two search indexes in step with the event log: the public one and the staff's."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cms import content, content_types, events, finding
from cms.database import Database
from cms.delivery import publications
from cms.states import state
from cms.tables.entries import Entry, Revision
from cms.tables.publications import Schedule
from search_index import Document, Engine

# Of one step of following: as many events as make a commit of the index worth its fsync, and no more memory.
_EVENTS = 500
_CHUNK = 200
# How the site hangs together is nothing to search for.
_NOT_SEARCHED = frozenset({"structure", "settings"})


@dataclass(frozen=True)
class Audience:
    """Whose index it is: `some` gives the documents of entries that belong in it, `ids` a page of all entries."""

    name: str
    some: Callable[[Session, Sequence[str]], Iterable[Document]]
    ids: Callable[[Session, str, int], Sequence[str]]


def _public(session: Session, ids: Sequence[str]) -> Iterator[Document]:
    for one in publications.texts(session, ids):
        if one.type not in _NOT_SEARCHED:
            yield _of_publication(one)


def _of_publication(one: Any) -> Document:
    return Document(
        id=one.entry_id,
        type=one.type,
        locale=one.locale,
        title=one.title,
        summary=one.fields.get("summary") or "",
        body=content.words(content_types.find(one.type), one.fields, public=True),
        section=one.section,
        topics=tuple(one.fields.get("topics") or ()),
        published_at=one.published_at,
    )


def _staff(session: Session, ids: Sequence[str]) -> Iterator[Document]:
    for entry, revision, schedule in finding.newest(session, ids):
        if entry.type not in _NOT_SEARCHED:
            yield _of_entry(entry, revision, schedule)


def _of_entry(entry: Entry, revision: Revision, schedule: Schedule | None) -> Document:
    return Document(
        id=entry.id,
        type=entry.type,
        locale=entry.locale,
        title=entry.title,
        summary=revision.fields.get("summary") or revision.fields.get("alt") or "",
        body=content.words(content_types.find(entry.type), revision.fields, public=False),
        section=entry.section,
        topics=tuple(revision.fields.get("topics") or ()),
        published_at=entry.published_at,
        state=state(entry, schedule),
        owner=entry.owner_id,
    )


PUBLIC = Audience("public", _public, publications.ids_after)
STAFF = Audience("staff", _staff, finding.ids_after)


def follow(database: Database, engine: Engine, audience: Audience) -> bool:
    """One step towards the newest event. True: there may be more to do."""
    position = engine.position()
    if position is None:
        rebuild(database, engine, audience)
        return True
    with database.reading() as session:
        changed, last = events.changed_entries(session, after=position, limit=_EVENTS)
        if last == position:
            return False
        documents = list(audience.some(session, changed))
    kept = {document.id for document in documents}
    engine.apply(documents, [id for id in changed if id not in kept], position=last)
    return True


def rebuild(
    database: Database, engine: Engine, audience: Audience, *, told: Callable[[int], None] = lambda _count: None
) -> None:
    """Make an index anew while reads go on with the old one. What changes meanwhile is followed afterwards."""
    with database.reading() as session:
        position = events.newest(session)
    engine.rebuild(_all(database, audience, told), position=position)


def _all(database: Database, audience: Audience, told: Callable[[int], None]) -> Iterator[Document]:
    last = ""
    while True:
        # A session for each chunk: a long read would hold back SQLite's checkpoints.
        with database.reading() as session:
            ids = audience.ids(session, last, _CHUNK)
            documents = list(audience.some(session, ids))
        if not ids:
            return
        yield from documents
        told(len(ids))
        last = ids[-1]


def lag(database: Database, engine: Engine) -> int:
    """How many events the index is behind."""
    with database.reading() as session:
        return events.newest(session) - (engine.position() or 0)


AUDIENCES: Mapping[str, Audience] = {audience.name: audience for audience in (PUBLIC, STAFF)}
