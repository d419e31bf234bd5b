"""Looking into JSON columns, and comparing without case, so that both databases answer the same."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Float, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import literal_column
from sqlalchemy.sql.functions import GenericFunction


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
    return f"json_extract({column}, '$.' || {path})"


@compiles(_member, "postgresql")
def _member_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, path, kind = (compiler.process(clause, **options) for clause in element.clauses)
    return _POSTGRESQL[kind.strip("'")].format(column, path)


_POSTGRESQL = {
    "text": '(({0} ->> {1}) COLLATE "C")',
    "number": "(({0} ->> {1})::double precision)",
    "boolean": "(({0} ->> {1})::boolean)",
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
