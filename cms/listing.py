"""One grammar for every list: conditions, order, and keyset pages that cost the same wherever they stand."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Select,
    and_,
    bindparam,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from cms.errors import BadQuery
from cms.field_kinds import LARGEST_WHOLE, moment_text
from cms.json_columns import folded, holds

LARGEST_PAGE = 100
LONGEST_VALUE = 1_000
MOST_VALUES = 200


@dataclass(frozen=True)
class Condition:
    """`filter[field][operator]=values`."""

    field: str
    operator: str
    values: tuple[str, ...]

    @property
    def parameter(self) -> str:
        """The condition as the caller wrote it."""
        return f"filter[{self.field}]" + ("" if self.operator == "eq" else f"[{self.operator}]")


@dataclass(frozen=True)
class Asked:
    """What a list is asked for. `sort` is pairs of name and whether descending."""

    conditions: tuple[Condition, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    size: int = 20
    after: str | None = None
    total: bool = False


@dataclass(frozen=True)
class Column:
    """What a list may be filtered or sorted by. `expression` gives text, number, boolean, instant or a JSON list."""

    expression: ColumnElement[Any]
    kind: str
    operators: frozenset[str]
    sortable: bool = False


@dataclass(frozen=True)
class Page:
    """One page, the cursor of the next if there is one, and the count of all if it was asked for."""

    rows: Sequence[Any]
    next: str | None
    total: int | None


def page(
    session: Session,
    wanted: Select[*tuple[Any, ...]],
    asked: Asked,
    *,
    columns: Mapping[str, Column],
    id: ColumnElement[Any],
) -> Page:
    """The rows that `asked` describes. Raises `BadQuery`."""
    for condition in asked.conditions:
        wanted = wanted.where(_compiled(condition, columns))
    total = session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) if asked.total else None
    order = [(_sortable(name, columns), descending) for name, descending in asked.sort]
    order.append((Column(id, "number" if id.type.python_type is int else "text", frozenset()), False))
    fingerprint = _fingerprint(asked)
    if asked.after is not None:
        wanted = wanted.where(_beyond(order, _decoded(asked.after, fingerprint, order)))
    ordered = [column.expression.desc() if descending else column.expression.asc() for column, descending in order]
    keys = [column.expression.label(f"_key{index}") for index, (column, _) in enumerate(order)]
    rows = session.execute(wanted.add_columns(*keys).order_by(*ordered).limit(asked.size + 1)).all()
    shown = rows[: asked.size]
    more = len(rows) > asked.size
    return Page(shown, _encoded(shown[-1][-len(keys) :], fingerprint) if more else None, total)


# --- conditions ---


def _compiled(condition: Condition, columns: Mapping[str, Column]) -> ColumnElement[bool]:
    column = columns.get(condition.field)
    if column is None:
        raise BadQuery(condition.parameter, "unknown_field", f"There is no field '{condition.field}' to filter by.")
    if condition.operator not in column.operators:
        offered = ", ".join(sorted(column.operators))
        raise BadQuery(condition.parameter, "unknown_operator", f"'{condition.field}' can be filtered by: {offered}.")
    if len(condition.values) > MOST_VALUES or any(len(value) > LONGEST_VALUE for value in condition.values):
        raise BadQuery(condition.parameter, "too_long", f"At most {MOST_VALUES} values of {LONGEST_VALUE} characters.")
    if condition.operator == "exists":
        return _exists(column, _boolean(condition, condition.values[0]))
    values = [_READ[column.kind](condition, value) for value in condition.values]
    return (_LIST_OPERATORS if column.kind == "list" else _OPERATORS)[condition.operator](column, values)


def _exists(column: Column, wanted: bool) -> ColumnElement[bool]:
    return column.expression.is_not(None) if wanted else column.expression.is_(None)


_OPERATORS: Mapping[str, Callable[[Column, list[Any]], ColumnElement[bool]]] = {
    "eq": lambda column, values: column.expression == values[0],
    "ne": lambda column, values: or_(column.expression != values[0], column.expression.is_(None)),
    "in": lambda column, values: column.expression.in_(values),
    "nin": lambda column, values: or_(column.expression.not_in(values), column.expression.is_(None)),
    "lt": lambda column, values: column.expression < values[0],
    "lte": lambda column, values: column.expression <= values[0],
    "gt": lambda column, values: column.expression > values[0],
    "gte": lambda column, values: column.expression >= values[0],
    "contains": lambda column, values: folded(column.expression).contains(values[0].lower(), autoescape=True),
    "starts": lambda column, values: folded(column.expression).startswith(values[0].lower(), autoescape=True),
}

_LIST_OPERATORS: Mapping[str, Callable[[Column, list[Any]], ColumnElement[bool]]] = {
    "eq": lambda column, values: _holds(column, values[0]),
    "contains": lambda column, values: _holds(column, values[0]),
    "in": lambda column, values: or_(false(), *(_holds(column, value) for value in values)),
}


def _holds(column: Column, value: str) -> ColumnElement[bool]:
    return holds(column.expression, bindparam(None, value, unique=True))


def _text(condition: Condition, value: str) -> str:
    if "\0" in value:
        raise BadQuery(condition.parameter, "zero_byte", "The value has a zero byte.")
    return value


def _number(condition: Condition, value: str) -> ColumnElement[Any]:
    try:
        number = float(value)
    except ValueError:
        raise BadQuery(condition.parameter, "not_a_number", "The value is not a number.") from None
    if not -(2.0**63) <= number < 2.0**63:
        raise BadQuery(condition.parameter, "out_of_range", "The number is outside 64 bits.")
    # With a type of its own: as an integer column's, 412.5 would be rounded and 3000000000 refused by PostgreSQL.
    if number.is_integer() and abs(number) <= LARGEST_WHOLE:
        return literal(int(number), BigInteger())
    return literal(number, Float())


def _boolean(condition: Condition, value: str) -> bool:
    if value not in ("true", "false"):
        raise BadQuery(condition.parameter, "not_a_boolean", "The value is neither true nor false.")
    return value == "true"


def _instant(condition: Condition, value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        said = "The value is not an instant. Write it as 2026-11-30T10:00:00Z."
        raise BadQuery(condition.parameter, "not_an_instant", said) from None


def _moment(condition: Condition, value: str) -> str:
    return moment_text(_instant(condition, value))


_READ: Mapping[str, Callable[[Condition, str], Any]] = {
    "text": _text,
    "moment": _moment,
    "list": _text,
    "number": _number,
    "boolean": _boolean,
    "instant": _instant,
}


# --- order and cursors ---


def _sortable(name: str, columns: Mapping[str, Column]) -> Column:
    column = columns.get(name)
    if column is None or not column.sortable:
        offered = ", ".join(sorted(name for name, column in columns.items() if column.sortable))
        raise BadQuery("sort", "unknown_sort", f"'{name}' is nothing to sort by. There are: {offered}.")
    return column


def _beyond(order: list[tuple[Column, bool]], values: list[Any]) -> ColumnElement[bool]:
    """Rows after these values. The bound on the first column is redundant, and lets an index find the place."""
    alternatives = []
    for index, (column, descending) in enumerate(order):
        same = [earlier.expression == value for (earlier, _), value in zip(order[:index], values, strict=False)]
        further = column.expression < values[index] if descending else column.expression > values[index]
        alternatives.append(and_(true(), *same, further))
    first, descending = order[0]
    bound = first.expression <= values[0] if descending else first.expression >= values[0]
    return and_(bound, or_(*alternatives))


def _fingerprint(asked: Asked) -> str:
    said = orjson.dumps([[[c.field, c.operator, c.values] for c in asked.conditions], asked.sort])
    return hashlib.blake2b(said, digest_size=6).hexdigest()


def _encoded(key: Sequence[Any], fingerprint: str) -> str:
    values = [value.isoformat() if isinstance(value, datetime) else value for value in key]
    return base64.urlsafe_b64encode(orjson.dumps([fingerprint, values])).rstrip(b"=").decode()


def _decoded(cursor: str, fingerprint: str, order: list[tuple[Column, bool]]) -> list[Any]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        said, values = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        read = [_KEYS[column.kind](value) for (column, _), value in zip(order, values, strict=True)]
    except (ValueError, TypeError, OverflowError, UnicodeEncodeError, binascii.Error):
        raise BadQuery("page[after]", "malformed_cursor", "This cursor was not made by this list.") from None
    if said != fingerprint:
        told = "This cursor belongs to another query. Start again without page[after]."
        raise BadQuery("page[after]", "foreign_cursor", told)
    return read


def _key_text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("not text")
    return value


def _key_number(value: object) -> ColumnElement[Any]:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_WHOLE:
        raise ValueError("not a number")
    return literal(value, BigInteger())


def _key_instant(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "text": _key_text,
    "number": _key_number,
    "instant": _key_instant,
}
