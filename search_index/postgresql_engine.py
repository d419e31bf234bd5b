"""For many machines: PostgreSQL full-text search in tables of its own, fed with our tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from psycopg import errors
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from search_index import analysis
from search_index.answering import answer, complete
from search_index.engine import Document, IndexUnavailable, Query, Results
from search_index.plans import Clause, Found, Plan, Row
from search_index.postgresql_tables import (
    VERSION,
    Tables,
    add_indexes,
    count_words,
    load,
    recount,
    remember,
    tables,
)
from search_index.preparation import label, prepare

_MAX_VALUES = 200
_NOT_BUILT = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName)
_WEIGHTS = [0.02, 0.1, 0.3, 1.0]  # body, unused, summary, title


class PostgresqlEngine:
    """The index in tables `search_<name>_…`; any number of processes may search, apply and rebuild."""

    def __init__(self, url: str, *, name: str) -> None:
        self._engine = sa.create_engine(url, pool_size=5, pool_pre_ping=True)
        # Not one snapshot for all the questions of a search: taken before a swap it would see the new tables empty.
        self._reads = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._prefix = f"search_{name}"
        self._tables = tables(self._prefix)
        self._fresh = tables(f"{self._prefix}_new")

    def position(self) -> int | None:
        try:
            with self._connect() as connection:
                return _Reader(connection, self._tables).position()
        except IndexUnavailable:
            return None

    def apply(self, put: Iterable[Document], remove: Iterable[str], *, position: int) -> None:
        prepared = {document.id: document for document in map(prepare, put)}
        gone = {analysis.clean(document_id) for document_id in remove}
        with self._begin() as connection:
            self._lock(connection, "writing")
            changes = Counter(word for document in prepared.values() for word in document.words)
            changes.subtract(_remove(connection, self._tables.documents, {*gone, *prepared}))
            load(connection, self._tables.documents, prepared.values())
            recount(connection, self._tables.words, changes)
            remember(connection, self._tables.state, position)

    def rebuild(self, documents: Iterable[Document], *, position: int) -> None:
        with self._begin() as building:
            # One transaction: a crash leaves nothing behind, and nobody sees the new tables before the swap.
            self._lock(building, "rebuilding")
            self._fresh.metadata.drop_all(building)
            self._fresh.metadata.create_all(building)
            load(building, self._fresh.documents, map(prepare, documents))
            count_words(building, self._fresh)
            add_indexes(building, self._fresh.documents)
            remember(building, self._fresh.state, position)
            for table in self._fresh.metadata.sorted_tables:
                building.execute(sa.text(f"ANALYZE {table.name}"))
            self._lock(building, "writing")
            self._swap(building)

    def search(self, query: Query) -> Results:
        with self._connect() as connection:
            return answer(query, _Reader(connection, self._tables))

    def suggest(self, typed: str, *, locale: str | None = None, limit: int = 8) -> list[str]:
        with self._connect() as connection:
            return complete(typed, _Reader(connection, self._tables), locale=locale, limit=limit)

    def close(self) -> None:
        self._engine.dispose()

    def _swap(self, connection: sa.Connection) -> None:
        self._tables.metadata.drop_all(connection)
        for fresh, final in zip(self._fresh.metadata.sorted_tables, self._tables.metadata.sorted_tables, strict=True):
            connection.execute(sa.text(f"ALTER TABLE {fresh.name} RENAME TO {final.name}"))

    def _lock(self, connection: sa.Connection, purpose: str) -> None:
        """Until the transaction ends, one at a time."""
        key = sa.func.hashtextextended(f"{self._prefix} {purpose}", 0)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        with _mapped_errors(), self._reads.connect() as connection:
            yield connection

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with _mapped_errors(), self._engine.begin() as connection:
            yield connection


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise IndexUnavailable(str(error.orig)) from error
    except ProgrammingError as error:
        if isinstance(error.orig, _NOT_BUILT):
            raise IndexUnavailable(str(error.orig)) from error
        raise


def _remove(connection: sa.Connection, documents: sa.Table, ids: set[str]) -> Counter[str]:
    """Remove the documents and return the words that they had."""
    if not ids:
        return Counter()
    removed = documents.delete().where(documents.c.id.in_(sorted(ids))).returning(documents.c.words)
    return Counter(word for words in connection.execute(removed).scalars() for word in words)


class _Reader:
    """The questions of one search."""

    def __init__(self, connection: sa.Connection, made: Tables) -> None:
        self._connection = connection
        self._documents = made.documents.c
        self._words = made.words.c
        self._state = made.state.c

    def position(self) -> int | None:
        found = self._connection.execute(sa.select(self._state.version, self._state.position)).one_or_none()
        return int(found.position) if found and found.version == VERSION else None

    def has(self, token: str) -> bool:
        found = sa.select(sa.literal(1)).where(self._documents.tokens.bool_op("@@")(_tsquery(f"'{token}'"))).limit(1)
        return self._connection.execute(found).first() is not None

    def words(self, prefix: str) -> Iterator[tuple[str, int]]:
        # A range, not LIKE: a prepared plan uses the index for it whatever the prefix will be.
        beginning = (self._words.word >= prefix, self._words.word < prefix + chr(0x10FFFF))
        found = self._connection.execute(sa.select(self._words.word, self._words.documents).where(*beginning))
        return ((word, count) for word, count in found)

    def find(self, plan: Plan, query: Query) -> Found:
        matched = [*self._matched(plan), *self._filters(query)]
        newest = query.sort == "newest" or not plan.required
        score = sa.literal(0.0) if newest else self._rank(plan)
        order = self._documents.moment if newest else score
        shown = (self._documents.title, self._documents.summary, self._documents.body)
        page = sa.select(self._documents.id, score, *shown).where(*matched).order_by(order.desc(), self._documents.id)
        rows = [Row(*row) for row in self._connection.execute(page.limit(query.limit).offset(query.offset))]
        total = self._connection.execute(sa.select(sa.func.count(self._documents.id)).where(*matched)).scalar_one()
        return Found(rows, total, self._facets(matched, query.facets))

    def titles(self, prefixes: tuple[str, ...], *, locale: str | None, limit: int) -> list[str]:
        words = _tsquery(" & ".join(f"'{prefix}':*" for prefix in prefixes))
        found = sa.select(self._documents.title).where(
            self._documents.title_words.bool_op("@@")(words), *self._filters(Query(locale=locale))
        )
        return list(self._connection.execute(found.order_by(self._documents.moment.desc()).limit(limit)).scalars())

    def _rank(self, plan: Plan) -> sa.ColumnElement[float]:
        weights = sa.cast(_WEIGHTS, ARRAY(sa.REAL))
        return sa.func.ts_rank(weights, self._documents.tokens, _tsquery(_required(plan)))

    def _matched(self, plan: Plan) -> Iterator[sa.ColumnElement[bool]]:
        if plan.required:
            yield self._documents.tokens.bool_op("@@")(_tsquery(_required(plan)))
        excluded = " | ".join(_clause(clause) for clause in plan.excluded if clause.sequences)
        if excluded:
            yield sa.not_(self._documents.tokens.bool_op("@@")(_tsquery(excluded)))

    def _filters(self, query: Query) -> list[sa.ColumnElement[bool]]:
        return [
            self._documents.labels.overlap(sa.cast([f"{name}={label(v)}" for v in values], ARRAY(sa.Text)))
            for name, values in query.wanted_labels.items()
        ]

    def _facets(
        self, matched: list[sa.ColumnElement[bool]], names: tuple[str, ...]
    ) -> dict[str, tuple[tuple[str, int], ...]]:
        if not names:
            return {}
        each = sa.func.unnest(self._documents.labels).table_valued("pair").render_derived(name="each")
        pair, count = each.c.pair, sa.func.count()
        labelled = self._documents.id.table.join(each, sa.true())
        counted = sa.select(pair, count).select_from(labelled).where(*matched).group_by(pair)
        facets: dict[str, list[tuple[str, int]]] = {name: [] for name in names}
        for found, number in self._connection.execute(counted.order_by(count.desc(), pair)):
            name, _, value = found.partition("=")
            if name in facets:
                facets[name].append((value, number))
        return {name: tuple(values[:_MAX_VALUES]) for name, values in facets.items()}


def _required(plan: Plan) -> str:
    return (" | " if plan.match_any else " & ").join(map(_clause, plan.required))


def _clause(clause: Clause) -> str:
    """Tokens are letters and digits, so quotes around them need no escaping."""
    return "(" + " | ".join(" <-> ".join(f"'{token}'" for token in s) for s in clause.sequences) + ")"


def _tsquery(expression: str) -> sa.ColumnElement[str]:
    return sa.cast(expression, TSQUERY)
