"""Looking into JSON columns, and comparing without case, so that both databases answer the same; hints to both."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import ARRAY, JSON, Boolean, ColumnElement, Float, String, TypeDecorator, literal, text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import literal_column
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeEngine


class holds(GenericFunction[bool]):  # noqa: N801 - reads as SQL
    """`holds(list, text)`: whether a JSON list has the text as an item."""

    type = Boolean()
    inherit_cache = True
    name = "sitedesk_holds"


@compiles(holds, "sqlite")
def _holds_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, value = (compiler.process(clause, **options) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({column}) AS item WHERE item.value = {value})"  # noqa: S608


@compiles(holds, "postgresql")
def _holds_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, value = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column})::jsonb @> to_jsonb({value}::text)"


class folded(GenericFunction[str]):  # noqa: N801 - reads as SQL
    """Lower case, in every alphabet."""

    type = String()
    inherit_cache = True
    name = "sitedesk_folded"


@compiles(folded, "sqlite")
def _folded_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(folded, "postgresql")
def _folded_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f'lower(({compiler.process(element.clauses, **options)}) COLLATE "und-x-icu")'


class _member(GenericFunction[Any]):  # noqa: N801 - reads as SQL
    """One member of a JSON object: as text, as a number, as true or false, or as JSON."""

    inherit_cache = True
    name = "sitedesk_member"


@compiles(_member, "sqlite")
def _member_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, path, _ = (compiler.process(clause, **options) for clause in element.clauses)
    # One constant, so that the planner knows an index's expression again.
    return f"json_extract({column}, '$.{path[1:-1]}')"


@compiles(_member, "postgresql")
def _member_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, path, kind = (compiler.process(clause, **options) for clause in element.clauses)
    return _POSTGRESQL[kind.strip("'")].format(column, path)


_POSTGRESQL = {
    "text": '(({0} ->> {1}) COLLATE "C")',
    # Making an index looks at rows that are no more, too, whatever they held.
    "number": "(CASE WHEN json_typeof({0} -> {1}) = 'number' THEN ({0} ->> {1})::double precision END)",
    "boolean": "(CASE WHEN json_typeof({0} -> {1}) = 'boolean' THEN ({0} ->> {1})::boolean END)",
    "list": "(CASE WHEN json_typeof({0} -> {1}) = 'array' THEN {0} -> {1} END)",
}
_POSTGRESQL["moment"] = _POSTGRESQL["text"]
_TYPES = {"text": String(), "moment": String(), "number": Float(), "boolean": Boolean(), "list": String()}


def member(column: Any, name: str, *, kind: str) -> ColumnElement[Any]:
    """A field inside a JSON column; `kind` as in `Column`. The name comes from a content type."""
    if not name.isidentifier():
        raise ValueError(f"no field's name: {name!r}")
    found: ColumnElement[Any] = _member(
        column, literal_column(f"'{name}'"), literal_column(f"'{kind}'"), type_=_TYPES[kind]
    )
    return found


class json_text(GenericFunction[Any]):  # noqa: N801 - reads as SQL
    """A text that is JSON, as a value for a JSON column."""

    type = JSON()
    inherit_cache = True
    name = "sitedesk_json_text"


@compiles(json_text, "sqlite")
def _json_text_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    # A cast would make a number of it: SQLite keeps JSON as text.
    return f"({compiler.process(element.clauses, **options)})"


@compiles(json_text, "postgresql")
def _json_text_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS JSON)"


class _unindexed(GenericFunction[Any]):  # noqa: N801 - reads as SQL
    inherit_cache = True
    name = "sitedesk_unindexed"


@compiles(_unindexed, "sqlite")
def _unindexed_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(_unindexed, "postgresql")
def _unindexed_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


def unindexed(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same value, by which SQLite looks into no index (https://www.sqlite.org/optoverview.html#uplus)."""
    found: ColumnElement[Any] = _unindexed(expression, type_=expression.type)
    return found


@contextmanager
def without(session: Session, *ways: str) -> Iterator[None]:
    """PostgreSQL does without `seqscan`, `sort`… while the block lasts, if it can. SQLite needs no telling."""
    if session.get_bind().dialect.name == "sqlite":
        yield
        return
    session.execute(text("; ".join(f"SET LOCAL enable_{way} = off" for way in ways)))
    yield
    session.execute(text("; ".join(f"SET LOCAL enable_{way} = on" for way in ways)))


class _Values(TypeDecorator[list[str]]):
    """Many texts as one parameter: an array, or a JSON list where there are no arrays."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(String()) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else orjson.dumps(value).decode()


class _listed(GenericFunction[bool]):  # noqa: N801 - reads as SQL
    """Whether a text is one of many."""

    type = Boolean()
    inherit_cache = True
    name = "sitedesk_listed"

    def self_group(self, against: Any = None) -> Any:
        """As it is: SQLite looks into no index for `(… IN …) = 1`, which it would become beside another condition."""
        return self


@compiles(_listed, "sqlite")
def _listed_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608


@compiles(_listed, "postgresql")
def _listed_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


# Beyond it one parameter for each value costs more than the statement, and far beyond databases take no more.
_FEW = 500


def among(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column has one of the values, however many they are."""
    listed = list(values)
    found: ColumnElement[bool] = column.in_(listed)
    return found if len(listed) <= _FEW else _listed(column, literal(listed, _Values()))
