"""Keeping the two search indexes in step with the event log: the public one and the staff's."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cms import events, files, finding
from cms.database import Database
from cms.delivery import publications
from search_index import Document, Engine

# Of one step of following: as many events as make a commit of the index worth its fsync, and no more memory.
_EVENTS = 3_000
_CHARACTERS = 20_000_000
_CHUNK = 200
# How the site hangs together is nothing to search for.
_NOT_SEARCHED = frozenset({"structure", "settings"})
# These have no page of their own to lead a visitor to.
_STAFF_ONLY = frozenset({"menu", "banner", "counter"})


@dataclass(frozen=True)
class Audience:
    """Whose index it is: `some` gives the documents of entries that belong in it, `ids` a page of all entries."""

    name: str
    some: Callable[[Session, Sequence[str]], Iterable[Document]]
    ids: Callable[[Session, str, int], Sequence[str]]


def _public(session: Session, ids: Sequence[str]) -> Iterator[Document]:
    for some in _sliced(ids):
        texts = files.live_texts(session, some)
        for row in publications.texts(session, some):
            if row.type not in _NOT_SEARCHED and row.type not in _STAFF_ONLY:
                yield _document(row, texts.get(row.entry_id), id=row.entry_id)


def _staff(session: Session, ids: Sequence[str]) -> Iterator[Document]:
    for some in _sliced(ids):
        texts = files.newest_texts(session, some)
        for row in finding.texts(session, some):
            if row.type not in _NOT_SEARCHED:
                yield _document(row, texts.get(row.id), id=row.id, state=row.state, owner=row.owner_id)


def _sliced(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    # A document may have half a million characters: not all are to be in memory together.
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))


def _document(row: Any, text: str | None, **others: Any) -> Document:
    """`text`: the words of the file that the entry holds, after those of the entry itself."""
    own = row.searched["text"]
    return Document(
        type=row.type,
        locale=row.locale,
        title=row.title,
        summary=row.searched["summary"],
        body=own if text is None else f"{own}\n{text}".lstrip(),
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
            if position is None or self._is_of_another_log(position):
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

    def _is_of_another_log(self, position: int) -> bool:
        # An older database was restored beneath an index that lies elsewhere.
        with self._database.reading() as session:
            return events.newest(session) < position

    def _step(self, position: int) -> bool:
        with self._database.reading() as session:
            changed, last = events.changed_entries(session, after=position, limit=_EVENTS)
            if last == position:
                return False
            gone = dict.fromkeys(changed)
            documents: list[Document] = []
            size = 0
            for document in self._audience.some(session, changed):
                gone.pop(document.id)
                documents.append(document)
                size += len(document.body)
                if size > _CHARACTERS:
                    # The position stays: after a crash these are put again.
                    self._engine.apply(documents, (), position=position)
                    documents, size = [], 0
        self._engine.apply(documents, list(gone), position=last)
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
                yield from self._audience.some(session, ids)
            if not ids:
                return
            told(len(ids))
            last = ids[-1]
