"""Keeping the two search indexes in step with the event log: the public one and the staff's."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cms import events, finding
from cms.database import Database
from cms.delivery import publications
from search_index import Document, Engine

# Of one step of following: as many events as make a commit of the index worth its fsync, and no more memory.
_EVENTS = 3_000
_CHUNK = 200
# How the site hangs together is nothing to search for.
_NOT_SEARCHED = frozenset({"structure", "settings"})
# A menu has no page of its own to lead a visitor to.
_STAFF_ONLY = frozenset({"menu"})


@dataclass(frozen=True)
class Audience:
    """Whose index it is: `some` gives the documents of entries that belong in it, `ids` a page of all entries."""

    name: str
    some: Callable[[Session, Sequence[str]], Iterable[Document]]
    ids: Callable[[Session, str, int], Sequence[str]]


def _public(session: Session, ids: Sequence[str]) -> Iterator[Document]:
    for row in publications.texts(session, ids):
        if row.type not in _NOT_SEARCHED and row.type not in _STAFF_ONLY:
            yield _document(row, id=row.entry_id)


def _staff(session: Session, ids: Sequence[str]) -> Iterator[Document]:
    for row in finding.texts(session, ids):
        if row.type not in _NOT_SEARCHED:
            yield _document(row, id=row.id, state=row.state, owner=row.owner_id)


def _document(row: Any, **others: Any) -> Document:
    return Document(
        type=row.type,
        locale=row.locale,
        title=row.title,
        summary=row.searched["summary"],
        body=row.searched["text"],
        section=row.section,
        topics=tuple(row.searched["topics"]),
        published_at=row.published_at,
        **others,
    )


PUBLIC = Audience("public", _public, publications.ids_after)
STAFF = Audience("staff", _staff, finding.ids_after)


class Follower:
    """One index and how it keeps in step. Following and rebuilding take turns; searches wait for neither."""

    def __init__(self, database: Database, engine: Engine, audience: Audience) -> None:
        self.name = audience.name
        self._database = database
        self._engine = engine
        self._audience = audience
        self._turn = threading.Lock()

    def follow(self) -> bool:
        """One step towards the newest event; an index that is missing or broken is made anew. True: there is more."""
        with self._turn:
            position = self._engine.position()
            if position is None:
                self._rebuild(lambda _count: None)
                return True
            return self._step(position)

    def rebuild(self, told: Callable[[int], None]) -> None:
        """Make the index anew while searches go on with the old one. What changes meanwhile is followed afterwards."""
        with self._turn:
            self._rebuild(told)

    def lag(self) -> int:
        """How many events the index is behind."""
        with self._database.reading() as session:
            return events.newest(session) - (self._engine.position() or 0)

    def _step(self, position: int) -> bool:
        with self._database.reading() as session:
            changed, last = events.changed_entries(session, after=position, limit=_EVENTS)
            if last == position:
                return False
            documents = list(self._audience.some(session, changed))
        kept = {document.id for document in documents}
        self._engine.apply(documents, [id for id in changed if id not in kept], position=last)
        return last - position >= _EVENTS

    def _rebuild(self, told: Callable[[int], None]) -> None:
        with self._database.reading() as session:
            position = events.newest(session)
        self._engine.rebuild(self._all(told), position=position)

    def _all(self, told: Callable[[int], None]) -> Iterator[Document]:
        last = ""
        while True:
            # A session for each chunk: a long read would hold back SQLite's checkpoints.
            with self._database.reading() as session:
                ids = self._audience.ids(session, last, _CHUNK)
                documents = list(self._audience.some(session, ids))
            if not ids:
                return
            yield from documents
            told(len(ids))
            last = ids[-1]
