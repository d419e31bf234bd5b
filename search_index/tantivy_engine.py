"""The embedded default: tantivy, an index in a folder."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tantivy
from tantivy import Occur

from search_index import analysis
from search_index.answering import answer, complete
from search_index.engine import FILTERS, Document, IndexUnavailable, Query, Results
from search_index.generations import Generations
from search_index.plans import Clause, Found, Plan, Row, TokenSequence
from search_index.preparation import Prepared, label, prepare

_VERSION = f"tantivy-1.{analysis.VERSION}"
_HEAP = 50_000_000
_BOOSTS = {"title_tokens": 10.0, "summary_tokens": 4.0, "body_tokens": 1.0}
_POSITION = "\x00position"  # no document has it: identifiers are clean of NUL
_MAX_VALUES = 200
_MAX_KEPT = 20_000

_Vocabulary = dict[str, list[tuple[str, int]]]  # of one commit: words by first letter, as typos ask for them


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in _BOOSTS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in ("words", "title_words"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in FILTERS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("moment", fast=True)
    builder.add_unsigned_field("position", stored=True)
    for name in ("title", "summary", "body"):
        # Stored only: what is not indexed needs no tokenizer, but the builder has no stored-only text.
        builder.add_bytes_field(name, stored=True)
    return builder.build()


_SCHEMA = _schema()


class TantivyEngine:
    """One index in one folder. One engine at a time may apply; rebuilding is open to other processes too."""

    def __init__(self, folder: Path) -> None:
        self._generations = Generations(folder, version=_VERSION)
        self._opening = threading.Lock()
        self._writing = threading.Lock()
        self._index: tantivy.Index | None = None
        self._stamp: tuple[int, int] | None = None
        self._writer: tuple[tantivy.Index, tantivy.IndexWriter] | None = None
        self._vocabulary: _Vocabulary = {}

    def position(self) -> int | None:
        try:
            with _mapped_errors():
                return self._reader().position()
        except IndexUnavailable:
            return None

    def apply(self, put: Iterable[Document], remove: Iterable[str], *, position: int) -> None:
        with self._writing, _mapped_errors():
            index = self._open()
            writer = self._writer_of(index)
            try:
                for document_id in remove:
                    writer.delete_documents_by_term("id", analysis.clean(document_id))
                for document in put:
                    _put(writer, prepare(document))
                _commit(writer, position)
            except BaseException:
                self._writer = None  # its pending changes go with it; the next one starts from the last commit
                raise
            index.reload()
            self._vocabulary = {}

    def rebuild(self, documents: Iterable[Document], *, position: int) -> None:
        with _mapped_errors():
            folder = self._generations.begin()
            writer = tantivy.Index(_SCHEMA, path=str(folder)).writer(_HEAP, 1)
            for document in documents:
                writer.add_document(_stored(prepare(document)))
            _commit(writer, position)
            writer.wait_merging_threads()
            with self._writing:
                self._writer = None
                self._generations.adopt(folder)

    def search(self, query: Query) -> Results:
        with _mapped_errors():
            return answer(query, self._reader())

    def suggest(self, typed: str, *, locale: str | None = None, limit: int = 8) -> list[str]:
        with _mapped_errors():
            return complete(typed, self._reader(), locale=locale, limit=limit)

    def close(self) -> None:
        with self._writing, self._opening:
            self._writer = self._index = self._stamp = None

    def _reader(self) -> _Reader:
        index = self._open()
        # Before the searcher: words of an older commit must not get into the vocabulary of a newer one.
        vocabulary = self._vocabulary
        return _Reader(index.searcher(), vocabulary)

    def _open(self) -> tantivy.Index:
        stamp = self._generations.stamp()
        with self._opening:
            if self._index is None or stamp != self._stamp:
                self._index, self._stamp = self._open_anew(), stamp
                self._vocabulary = {}
            return self._index

    def _open_anew(self) -> tantivy.Index:
        folder = self._generations.current()
        if folder is None:
            raise IndexUnavailable("there is no index yet, or one of another version")
        index = tantivy.Index.open(str(folder))
        index.config_reader("manual")
        index.reload()
        return index

    def _writer_of(self, index: tantivy.Index) -> tantivy.IndexWriter:
        """Kept between commits, because its threads merge segments meanwhile."""
        if self._writer is None or self._writer[0] is not index:
            self._writer = None  # the lock of the folder goes before it is taken again
            self._writer = (index, index.writer(_HEAP, 1))
        return self._writer[1]


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise IndexUnavailable(str(error)) from error
    except BaseException as error:
        # Bits turned on disk make Rust panic; the binding raises a class that it does not export.
        if type(error).__name__ == "PanicException":
            raise IndexUnavailable(str(error)) from error
        raise


def _put(writer: tantivy.IndexWriter, prepared: Prepared) -> None:
    writer.delete_documents_by_term("id", prepared.id)
    writer.add_document(_stored(prepared))


def _commit(writer: tantivy.IndexWriter, position: int) -> None:
    """The position is a document among the others, so that one commit holds both."""
    writer.delete_documents_by_term("id", _POSITION)
    writer.add_document(tantivy.Document.from_dict({"id": _POSITION, "position": position}, _SCHEMA))
    writer.commit()


def _stored(prepared: Prepared) -> tantivy.Document:
    document = tantivy.Document(id=prepared.id)
    for name in (*_BOOSTS, "words", "title_words"):
        document.add_text(name, " ".join(getattr(prepared, name)))
    for name, values in prepared.labels.items():
        for value in values:
            document.add_text(name, value)
    document.add_integer("moment", prepared.moment)
    for name in ("title", "summary", "body"):
        document.add_bytes(name, getattr(prepared, name).encode())
    return document


class _Reader:
    """One commit of the index, as long as it lives."""

    def __init__(self, searcher: tantivy.Searcher, vocabulary: _Vocabulary) -> None:
        self._searcher = searcher
        self._vocabulary = vocabulary

    def position(self) -> int | None:
        found = self._searcher.search(_term("id", _POSITION), limit=1, count=False).hits
        return self._searcher.doc(found[0][1]).get_first("position") if found else None

    def has(self, token: str) -> bool:
        found = self._searcher.search(_any([_term(field, token) for field in _BOOSTS]), limit=1, count=False)
        return bool(found.hits)

    def words(self, prefix: str) -> Iterable[tuple[str, int]]:
        known = self._vocabulary.get(prefix)
        if known is None:
            known = self._searcher.terms_with_prefix("words", prefix)
            if len(prefix) == 1 and len(known) <= _MAX_KEPT:
                self._vocabulary[prefix] = known
        return known

    def find(self, plan: Plan, query: Query) -> Found:
        wanted = _query(plan, query)
        newest = query.sort == "newest" or not plan.required
        result = self._searcher.search(
            wanted, limit=query.limit, offset=query.offset, order_by_field="moment" if newest else None
        )
        rows = [self._row(address, 0.0 if newest else score) for score, address in result.hits]
        total: int = result.count  # type: ignore[attr-defined]  # the stub lacks it
        return Found(rows, total, self._facets(wanted, query.facets))

    def titles(self, prefixes: tuple[str, ...], *, locale: str | None, limit: int) -> list[str]:
        must = [tantivy.Query.regex_query(_SCHEMA, "title_words", f"{prefix}.*") for prefix in prefixes]
        if locale is not None:
            must.append(_term("locale", label(locale)))
        result = self._searcher.search(_all(must), limit=limit, count=False, order_by_field="moment")
        return [_text(self._searcher.doc(address), "title") for _, address in result.hits]

    def _row(self, address: tantivy.DocAddress, score: float) -> Row:
        document = self._searcher.doc(address)
        title, summary, body = (_text(document, name) for name in ("title", "summary", "body"))
        return Row(str(document.get_first("id")), score, title, summary, body)

    def _facets(self, wanted: tantivy.Query, names: tuple[str, ...]) -> dict[str, tuple[tuple[str, int], ...]]:
        if not names:
            return {}
        counted = self._searcher.aggregate(
            wanted, {name: {"terms": {"field": name, "size": _MAX_VALUES}} for name in names}
        )
        return {name: _counts(counted[name]["buckets"]) for name in names}


def _counts(buckets: list[dict[str, object]]) -> tuple[tuple[str, int], ...]:
    counts = [(str(bucket["key"]), int(str(bucket["doc_count"]))) for bucket in buckets]
    return tuple(sorted(counts, key=lambda item: (-item[1], item[0])))


def _text(document: tantivy.Document, name: str) -> str:
    return bytes(document.get_first(name) or b"").decode()


def _query(plan: Plan, query: Query) -> tantivy.Query:
    clauses = [_clause(clause) for clause in plan.required]
    must = [_any(clauses)] if plan.match_any else clauses
    must += [_filter(name, values) for name, values in query.wanted_labels.items()]
    exclude = [_clause(clause) for clause in plan.excluded if clause.sequences]
    if not plan.required:
        must.append(tantivy.Query.all_query())
        exclude.append(_term("id", _POSITION))
    return tantivy.Query.boolean_query([(Occur.Must, q) for q in must] + [(Occur.MustNot, q) for q in exclude])


def _clause(clause: Clause) -> tantivy.Query:
    return _any(
        [
            tantivy.Query.boost_query(_sequence(field, sequence), boost)
            for sequence in clause.sequences
            for field, boost in _BOOSTS.items()
        ]
    )


def _sequence(field: str, sequence: TokenSequence) -> tantivy.Query:
    if len(sequence) == 1:
        return tantivy.Query.term_query(_SCHEMA, field, sequence[0], "freq")
    return tantivy.Query.phrase_query(_SCHEMA, field, list(sequence))


def _filter(name: str, values: tuple[str, ...]) -> tantivy.Query:
    either = tantivy.Query.term_set_query(_SCHEMA, name, [label(value) for value in values])
    return tantivy.Query.const_score_query(either, 0.0)


def _term(field: str, value: str) -> tantivy.Query:
    return tantivy.Query.term_query(_SCHEMA, field, value, "basic")


def _any(queries: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(Occur.Should, query) for query in queries])


def _all(queries: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(Occur.Must, query) for query in queries])
