"""One grammar for every list: conditions, order, and keyset pages that cost the same wherever they stand."""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Select,
    String,
    and_,
    bindparam,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from cms.cursors import decoded, encoded
from cms.errors import BadQuery
from cms.field_kinds import LARGEST_WHOLE, moment_text
from cms.json_columns import among, folded, holds, unindexed, without

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
    """What a list may be filtered or sorted by. `expression` gives text, number, boolean, instant or a JSON list;
    `within` what the operator `below` takes in, where it is offered. A `nullable` one sorts null as the smallest.
    `index`: one has the rows of a type in this order, an index of the list's own or of a field of that type."""

    expression: ColumnElement[Any]
    kind: str
    operators: frozenset[str]
    sortable: bool = False
    nullable: bool = False
    index: Literal["own", "field"] | None = None
    within: Callable[[str], Collection[str]] = lambda value: (value,)


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
    ids: Select[*tuple[Any, ...]] | None = None,
) -> Page:
    """The rows that `asked` describes. Raises `BadQuery`.

    `ids` selects the ids of the same rows and nothing else: where indexes of fields help, they are found first."""
    conditions = [_compiled(condition, columns) for condition in asked.conditions]
    order = _order(asked, columns, id)
    fingerprint = _fingerprint(asked)
    kinds = [(column.kind, column.nullable) for column, _ in order]
    after = None if asked.after is None else decoded(asked.after, fingerprint, kinds)
    by_ids = ids is not None and _has_an_index(asked, columns)
    source = ids if ids is not None and by_ids else wanted
    matching = source.where(*conditions)
    total = (
        session.scalar(select(func.count()).select_from(matching.order_by(None).subquery())) if asked.total else None
    )
    if by_ids:
        found = _found_by_index(session, source, asked, columns, order, after)
    else:
        found = _ordered(session, matching, order, after, size=asked.size)
    shown, more = found[: asked.size], len(found) > asked.size
    cursor = encoded(shown[-1][-len(order) :], fingerprint) if more else None
    return Page(_whole(session, wanted, shown, id) if by_ids else shown, cursor, total)


def _order(asked: Asked, columns: Mapping[str, Column], id: ColumnElement[Any]) -> list[tuple[Column, bool]]:
    order = [(_sortable(name, columns), descending) for name, descending in asked.sort]
    # Among equal values of a field the ids follow its direction: one index serves both.
    backwards = bool(order) and order[-1][0].nullable and order[-1][1]
    return [*order, (Column(id, "number" if id.type.python_type is int else "text", frozenset()), backwards)]


def _ordered(
    session: Session,
    matching: Select[*tuple[Any, ...]],
    order: list[tuple[Column, bool]],
    after: list[Any] | None,
    *,
    size: int,
) -> list[Any]:
    """One row more than a page, each with what it is ordered by at its end."""
    keys = [column.expression.label(f"_key{index}") for index, (column, _) in enumerate(order)]
    statement = matching.add_columns(*keys).order_by(*(_in_order(column, descending) for column, descending in order))
    rows: list[Any] = []
    for stretch in [true()] if after is None else _stretches(order, after):
        rows += session.execute(statement.where(stretch).limit(size + 1 - len(rows))).all()
        if len(rows) > size:
            break
    return rows


def _whole(
    session: Session, wanted: Select[*tuple[Any, ...]], shown: list[Any], id: ColumnElement[Any]
) -> Sequence[Any]:
    ids = [row[0] for row in shown]
    rows = {row[-1]: row for row in session.execute(wanted.add_columns(id.label("_id")).where(id.in_(ids)))}
    return [rows[one] for one in ids]


# --- the indexes of fields ---

# So many rows are sorted sooner than an index is walked along for them.
_FEW = 1_000


def _has_an_index(asked: Asked, columns: Mapping[str, Column]) -> bool:
    """Whether the list is of one type and there is an index to choose: a planner cannot know how much a page needs."""
    index = columns[asked.sort[0][0]].index if asked.sort else None
    helped = index == "field" or any(columns[one.field].index == "field" for one in asked.conditions)
    return index is not None and helped and any(_names_the_type(one, columns) for one in asked.conditions)


def _names_the_type(condition: Condition, columns: Mapping[str, Column]) -> bool:
    return columns[condition.field].kind == "name" and condition.operator == "eq"


def _found_by_index(
    session: Session,
    ids: Select[*tuple[Any, ...]],
    asked: Asked,
    columns: Mapping[str, Column],
    order: list[tuple[Column, bool]],
    after: list[Any] | None,
) -> list[Any]:
    """What matches is found first and then sorted, if it is little; else the order's index is walked along."""
    sorted_by = asked.sort[0][0]
    types = [one for one in asked.conditions if _names_the_type(one, columns)]
    others = [one for one in asked.conditions if one not in types and one.field != sorted_by]
    # SQLite's indexes of fields are for this condition, so that it can do without the type's own index.
    ids = ids.where(*(_compiled(one, columns, aside=True) for one in types))
    if others:
        by_field = any(columns[one.field].index == "field" for one in asked.conditions)
        matching = ids.where(*(_compiled(one, columns) for one in asked.conditions if not by_field or one not in types))
        count = select(func.count()).select_from(matching.limit(_FEW).subquery())
        # The first thousand rows of a table tell nothing of a type whose entries stand further on.
        with without(session, "seqscan"):
            few = (session.scalar(count) or 0) < _FEW
        if few:
            return _sorted(session, matching, order, after, size=asked.size)
    seeking = [one for one in asked.conditions if one.field == sorted_by]
    seeking += types if columns[sorted_by].index == "own" else []
    along = ids.where(
        *(_compiled(one, columns) for one in seeking), *(_compiled(one, columns, aside=True) for one in others)
    )
    with without(session, "seqscan", "sort"):
        return _ordered(session, along, order, after, size=asked.size)


def _sorted(
    session: Session,
    matching: Select[*tuple[Any, ...]],
    order: list[tuple[Column, bool]],
    after: list[Any] | None,
    *,
    size: int,
) -> list[Any]:
    keys = [column.expression.label(f"_key{index}") for index, (column, _) in enumerate(order)]
    found = matching.add_columns(*keys).cte("found").prefix_with("MATERIALIZED")
    inside = [
        (replace(column, expression=found.c[f"_key{index}"]), descending)
        for index, (column, descending) in enumerate(order)
    ]
    return _ordered(session, select(found), inside, after, size=size)


# --- conditions ---


def _compiled(condition: Condition, columns: Mapping[str, Column], *, aside: bool = False) -> ColumnElement[bool]:
    """`aside`: the rows are found by something else, so that no index is needed."""
    column = columns.get(condition.field)
    if column is None:
        raise BadQuery(condition.parameter, "unknown_field", f"There is no field '{condition.field}' to filter by.")
    if condition.operator not in column.operators:
        offered = ", ".join(sorted(column.operators))
        said = f"'{condition.field}' can be filtered by: {offered}." if offered else "This field is not filtered by."
        raise BadQuery(condition.parameter, "unknown_operator", said)
    if len(condition.values) > MOST_VALUES or any(len(value) > LONGEST_VALUE for value in condition.values):
        raise BadQuery(condition.parameter, "too_long", f"At most {MOST_VALUES} values of {LONGEST_VALUE} characters.")
    if aside:
        column = replace(column, expression=unindexed(column.expression))
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
    "below": lambda column, values: among(column.expression, column.within(values[0])),
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


def _name(condition: Condition, value: str) -> Any:
    # Written out: a partial index is chosen by what the statement says, not by its parameters.
    return literal_column(f"'{value}'", String()) if re.fullmatch("[a-z][a-z0-9_]*", value) else _text(condition, value)


_READ: Mapping[str, Callable[[Condition, str], Any]] = {
    "text": _text,
    "name": _name,
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


def _in_order(column: Column, descending: bool) -> ColumnElement[Any]:
    if descending:
        return column.expression.desc().nulls_last() if column.nullable else column.expression.desc()
    return column.expression.asc().nulls_first() if column.nullable else column.expression.asc()


def _stretches(order: list[tuple[Column, bool]], values: list[Any]) -> list[ColumnElement[bool]]:
    """Rows after these values, in one stretch of an index or, where nulls come or end, in two: one after the other."""
    (first, descending), value = order[0], values[0]
    beyond = _beyond(order, values)
    if value is None:
        stretches = [and_(first.expression.is_(None), beyond)]
        return stretches if descending else [*stretches, first.expression.is_not(None)]
    # The bound is redundant, and lets an index find the place.
    bound = first.expression <= value if descending else first.expression >= value
    stretches = [and_(bound, beyond)]
    return [*stretches, first.expression.is_(None)] if descending and first.nullable else stretches


def _beyond(order: list[tuple[Column, bool]], values: list[Any]) -> ColumnElement[bool]:
    alternatives = []
    for index, (column, descending) in enumerate(order):
        same = [_same(earlier, value) for (earlier, _), value in zip(order[:index], values, strict=False)]
        further = _further(column, values[index], descending=descending)
        alternatives.append(and_(true(), *same, further))
    return or_(*alternatives)


def _same(column: Column, value: Any) -> ColumnElement[bool]:
    return column.expression.is_(None) if value is None else column.expression == value


def _further(column: Column, value: Any, *, descending: bool) -> ColumnElement[bool]:
    if value is None:
        return false() if descending else column.expression.is_not(None)
    if not descending:
        more: ColumnElement[bool] = column.expression > value
        return more
    less: ColumnElement[bool] = column.expression < value
    return or_(less, column.expression.is_(None)) if column.nullable else less


def _fingerprint(asked: Asked) -> str:
    said = orjson.dumps([[[c.field, c.operator, c.values] for c in asked.conditions], asked.sort])
    return hashlib.blake2b(said, digest_size=6).hexdigest()
