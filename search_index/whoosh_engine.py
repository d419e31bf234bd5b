"""Pure Python, for machines without tantivy: whoosh, an index in a folder."""

from __future__ import annotations

import os
import pickle
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from whoosh import columns, fields, sorting
from whoosh import query as q
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex, LockError
from whoosh.index import IndexError as WhooshIndexError
from whoosh.reading import TermNotFound
from whoosh.searching import Searcher
from whoosh.writing import SegmentWriter

from search_index import analysis
from search_index.answering import answer, complete
from search_index.engine import Document, IndexUnavailable, Query, Results
from search_index.generations import Generations
from search_index.plans import Clause, Found, Plan, Row, TokenSequence
from search_index.preparation import label, prepare

_VERSION = f"whoosh-1.{analysis.VERSION}"
_BOOSTS = {"title_tokens": 10.0, "summary_tokens": 4.0, "body_tokens": 1.0}
_POSITION = "\x00position"  # no document has it: identifiers are clean of NUL
_MAX_VALUES = 200
_SEPARATOR = "\x1f"
_ATTEMPTS = 5
# whoosh checks nothing that it reads: damage shows as whatever exception comes first.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    LockError,
    WhooshIndexError,
    pickle.UnpicklingError,
    struct.error,
    zlib.error,
)

# Tokens come as lists, which whoosh takes as analysed already: the pickled schema names no analyzer of ours.
_SCHEMA = fields.Schema(
    id=fields.ID(unique=True, stored=True),
    **{name: fields.TEXT(phrase=True) for name in _BOOSTS},
    words=fields.KEYWORD(),
    title_words=fields.KEYWORD(),
    labels=fields.KEYWORD(),
    counted=fields.COLUMN(columns.VarBytesColumn()),
    moment=fields.NUMERIC(int, bits=64, sortable=True),
    title=fields.STORED(),
    summary=fields.STORED(),
    body=fields.STORED(),
    position=fields.STORED(),
)


class WhooshEngine:
    """One index in one folder. One engine at a time may apply."""

    def __init__(self, folder: Path) -> None:
        self._generations = Generations(folder, version=_VERSION)
        self._writing = threading.Lock()
        self._pool = _Pool(self._generations)

    def position(self) -> int | None:
        try:
            with _mapped_errors(), self._pool.searcher() as searcher:
                return _Reader(searcher).position()
        except IndexUnavailable:
            return None

    def apply(self, put: Iterable[Document], remove: Iterable[str], *, position: int) -> None:
        with self._writing, _mapped_errors():
            writer = self._pool.open_index().writer()
            try:
                fresh = {stored["id"]: stored for stored in map(_stored, put)}
                gone = {analysis.clean(document_id) for document_id in remove}
                writer.delete_by_query(q.Or([q.Term("id", i) for i in {_POSITION, *gone, *fresh}]))
                for stored in fresh.values():
                    writer.add_document(**stored)
                writer.add_document(id=_POSITION, position=position)
                writer.commit()
            except BaseException:
                _abandon(writer)
                raise
            self._pool.renew()

    def rebuild(self, documents: Iterable[Document], *, position: int) -> None:
        with _mapped_errors():
            folder = self._generations.begin()
            writer = _Storage(folder).create_index(_SCHEMA).writer(limitmb=64)
            try:
                for document in documents:
                    writer.add_document(**_stored(document))
                writer.add_document(id=_POSITION, position=position)
                writer.commit()
            except BaseException:
                _abandon(writer)
                raise
            with self._writing:
                self._generations.adopt(folder)
                self._pool.renew()

    def search(self, query: Query) -> Results:
        with _mapped_errors(), self._pool.searcher() as searcher:
            return answer(query, _Reader(searcher))

    def suggest(self, typed: str, *, locale: str | None = None, limit: int = 8) -> list[str]:
        with _mapped_errors(), self._pool.searcher() as searcher:
            return complete(typed, _Reader(searcher), locale=locale, limit=limit)

    def close(self) -> None:
        self._pool.renew()


class _Storage(FileStorage):  # type: ignore[misc]
    """A folder whose renames are durable: whoosh commits by renaming its table of contents and never syncs."""

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        for entry in os.scandir(self.folder):
            if entry.is_file():
                _sync(entry.path)
        super().rename_file(oldname, newname, safe=safe)
        if os.name == "posix":
            _sync(self.folder)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Pool:
    """Idle searchers of the newest commit: a searcher reads through shared file positions, so one thread at a time."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._lock = threading.Lock()
        self._idle: list[Searcher] = []
        self._age = 0
        self._stamp: tuple[int, int] | None = None

    @contextmanager
    def searcher(self) -> Iterator[Searcher]:
        self._follow_swaps()
        with self._lock:
            age = self._age
            searcher = self._idle.pop() if self._idle else None
        searcher = searcher or self._open_searcher()
        try:
            yield searcher
        finally:
            self._give_back(searcher, age)

    def renew(self) -> None:
        """Leave the searchers that are idle now, and later those in use."""
        with self._lock:
            self._age += 1
            stale, self._idle = self._idle, []
        for searcher in stale:
            searcher.close()

    def open_index(self) -> FileIndex:
        folder = self._generations.current()
        if folder is None:
            raise IndexUnavailable("there is no index yet, or one of another version")
        return _Storage(str(folder)).open_index()

    def _open_searcher(self) -> Searcher:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self.open_index().searcher()
            except OSError:
                # A commit may remove merged segments between our reading their list and opening them.
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _give_back(self, searcher: Searcher, age: int) -> None:
        with self._lock:
            if age == self._age:
                self._idle.append(searcher)
                return
        searcher.close()

    def _follow_swaps(self) -> None:
        stamp = self._generations.stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self.renew()


def _abandon(writer: SegmentWriter) -> None:
    if not writer.is_closed:  # a commit that fails late has let go of the lock already
        writer.cancel()


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise IndexUnavailable(f"{type(error).__name__}: {error}") from error


def _stored(document: Document) -> dict[str, object]:
    prepared = prepare(document)
    labels = [f"{name}={value}" for name, values in prepared.labels.items() for value in values]
    return {
        "id": prepared.id,
        **{name: getattr(prepared, name) for name in _BOOSTS},
        "words": list(prepared.words),
        "title_words": list(prepared.title_words),
        "labels": labels,
        "counted": _SEPARATOR.join(labels).encode(),
        "moment": prepared.moment,
        "title": prepared.title,
        "summary": prepared.summary,
        "body": prepared.body,
    }


class _Reader:
    """One commit of the index, through one searcher."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._reader = searcher.reader()

    def position(self) -> int | None:
        stored = self._searcher.document(id=_POSITION)
        return int(stored["position"]) if stored else None

    def has(self, token: str) -> bool:
        return any(self._stands_in(field, token) for field in _BOOSTS)

    def words(self, prefix: str) -> Iterator[tuple[str, int]]:
        for text, info in self._reader.iter_prefix("words", prefix):
            yield text.decode(), int(info.doc_frequency())

    def find(self, plan: Plan, query: Query) -> Found:
        newest = query.sort == "newest" or not plan.required
        results = self._searcher.search(
            _wanted(plan),
            limit=query.offset + query.limit,
            filter=_filters(query),
            mask=_unwanted(plan),
            sortedby=sorting.FieldFacet("moment", reverse=True) if newest else None,
        )
        matched = results.docs()
        page = list(results)[query.offset :]
        rows = [_row(hit.fields(), 0.0 if newest else hit.score) for hit in page]
        return Found(rows, len(matched), self._facets(matched, query.facets))

    def titles(self, prefixes: tuple[str, ...], *, locale: str | None, limit: int) -> list[str]:
        wanted = q.And([q.Prefix("title_words", prefix) for prefix in prefixes])
        results = self._searcher.search(
            wanted,
            limit=limit,
            filter=_filters(Query(locale=locale)),
            sortedby=sorting.FieldFacet("moment", reverse=True),
        )
        return [str(hit["title"]) for hit in results]

    def _stands_in(self, field: str, token: str) -> bool:
        try:
            return bool(self._reader.postings(field, token).is_active())
        except TermNotFound:
            return False

    def _facets(self, matched: Iterable[int], names: tuple[str, ...]) -> dict[str, tuple[tuple[str, int], ...]]:
        if not names:
            return {}
        counted = self._reader.column_reader("counted")
        counts: dict[str, Counter[str]] = {name: Counter() for name in names}
        for number in matched:
            for name, _, value in (pair.partition("=") for pair in counted[number].decode().split(_SEPARATOR)):
                if name in counts:
                    counts[name][value] += 1
        return {name: _ordered(counter) for name, counter in counts.items()}


def _ordered(counter: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:_MAX_VALUES])


def _row(stored: dict[str, str], score: float) -> Row:
    return Row(stored["id"], score, stored["title"], stored["summary"], stored["body"])


def _wanted(plan: Plan) -> q.Query:
    clauses = [_clause(clause) for clause in plan.required]
    return (q.Or if plan.match_any else q.And)(clauses) if clauses else q.Every()


def _unwanted(plan: Plan) -> q.Query | None:
    """A mask, not a clause: whoosh's matcher for "and not" runs past its end when it skips blocks."""
    unwanted = [_clause(clause) for clause in plan.excluded if clause.sequences]
    if not plan.required:
        unwanted.append(q.Term("id", _POSITION))
    return q.Or(unwanted) if unwanted else None


def _clause(clause: Clause) -> q.Query:
    return q.Or([_sequence(field, s, boost) for s in clause.sequences for field, boost in _BOOSTS.items()])


def _sequence(field: str, sequence: TokenSequence, boost: float) -> q.Query:
    if len(sequence) == 1:
        return q.Term(field, sequence[0], boost=boost)
    return q.Phrase(field, list(sequence), boost=boost)


def _filters(query: Query) -> q.Query | None:
    names = query.wanted_labels.items()
    wanted = [q.Or([q.Term("labels", f"{name}={label(value)}") for value in values]) for name, values in names]
    return q.And(wanted) if wanted else None
