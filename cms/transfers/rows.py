"""Rows of our tables as lines of an export tell them, read back and checked column by column."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Integer, LargeBinary
from sqlalchemy.sql.elements import NamedColumn

from cms.database import Base, Instant
from cms.errors import Fault, InvalidContent

# The columns of JSON that are no objects.
_LISTS = frozenset({"byline"})
_LARGEST = 2**63 - 1
# PostgreSQL's INTEGER.
_LARGEST_SMALL = 2**31 - 1


def row_of(table: type[Base], given: Mapping[str, Any], *, but: frozenset[str] = frozenset(), **more: Any) -> Any:
    """A new row of a table with the values that a line gives, and those of `more`. `but`: members that are none of the
    table's. Raises `InvalidContent`."""
    return table(**values_of(table, given, but=but | more.keys()), **more)


def values_of(table: type[Base], given: Mapping[str, Any], *, but: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The values of a table's columns, each of its column's kind. Raises `InvalidContent`."""
    columns = {one.key: one.columns[0] for one in table.__mapper__.column_attrs if one.key not in but}
    faults = [
        Fault(f"/{name}", "unknown_member", "A line of this kind has no such member.")
        for name in given
        if name not in columns and name not in but and name != "line"
    ]
    values: dict[str, Any] = {}
    for name, column in columns.items():
        try:
            values[name] = _value(column, given.get(name))
        except ValueError as error:
            faults.append(Fault(f"/{name}", "bad_value", str(error)))
    if faults:
        raise InvalidContent(faults)
    return {name: value for name, value in values.items() if value is not None or name in given}


def key_of(table: type[Base], given: Mapping[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    """The primary key that a line tells. Raises `InvalidContent`."""
    columns = {one.key: one.columns[0] for one in table.__mapper__.column_attrs}
    try:
        return tuple(_value(columns[name], given.get(name)) for name in names)
    except ValueError as error:
        raise InvalidContent([Fault("", "bad_value", f"{', '.join(names)}: {error}")]) from None


def _value(column: NamedColumn[Any], value: Any) -> Any:
    if value is None:
        if isinstance(column, Column) and not column.nullable and column.server_default is None:
            raise ValueError("This member is needed.")
        return None
    return _reader(column)(value)


def _reader(column: NamedColumn[Any]) -> Any:
    if isinstance(column.type, Instant):
        return instant
    if column.key in _LISTS:
        return _list
    for kind, read in _READERS:
        if isinstance(column.type, kind):
            return read
    return text


def instant(value: Any) -> datetime:
    """An instant as an export writes it. Raises `ValueError`."""
    try:
        read = datetime.fromisoformat(value)
        if read.tzinfo is not None:
            return read.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError("Write the instant with its zone: 2027-01-01T00:00:00Z.")


def text(value: Any) -> str:
    """A text that a database can hold. Raises `ValueError`."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("This member is a text, without a zero byte.")
    return value


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("Write the day as 2027-01-31.") from None


def _whole(largest: int) -> Any:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not -largest <= value <= largest:
            raise ValueError("This member is a whole number.")
        return value

    return read


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("This member is true or false.")
    return value


def _object(value: Any) -> Any:
    if not isinstance(value, dict) or _has_zero(value):
        raise ValueError("This member is an object, without zero bytes.")
    return value


def _list(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(one, str) and "\0" not in one for one in value):
        raise ValueError("This member is a list of texts, without zero bytes.")
    return value


def _has_zero(value: Any) -> bool:
    """Whether any text in it has a zero byte, which PostgreSQL does not take. Reads without recursion."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if "\0" in one:
                return True
        elif isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return False


def _none(_value: Any) -> Any:
    raise ValueError("This member cannot be told in a line.")


_READERS: tuple[tuple[Any, Any], ...] = (
    (JSON, _object),
    (Boolean, _boolean),
    (BigInteger, _whole(_LARGEST)),
    (Integer, _whole(_LARGEST_SMALL)),
    (Date, _date),
    (LargeBinary, _none),
)
