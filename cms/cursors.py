"""Where a page ended, as text that only the list that made it understands."""

import base64
import binascii
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, ColumnElement, Float, literal

from cms.errors import BadQuery
from cms.field_kinds import LARGEST_WHOLE


def encoded(key: Sequence[Any], fingerprint: str) -> str:
    """The cursor of what comes after a row, known by what it is ordered by."""
    values = [value.isoformat() if isinstance(value, datetime) else value for value in key]
    return base64.urlsafe_b64encode(orjson.dumps([fingerprint, values])).rstrip(b"=").decode()


def decoded(cursor: str, fingerprint: str, kinds: Sequence[tuple[str, bool]]) -> list[Any]:
    """What a cursor says, one value for each kind (given with whether it may be null). Raises `BadQuery`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        said, values = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        read = [_key(kind, nullable, value) for (kind, nullable), value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, OverflowError, UnicodeEncodeError, binascii.Error):
        raise BadQuery("page[after]", "malformed_cursor", "This cursor was not made by this list.") from None
    if said != fingerprint:
        told = "This cursor belongs to another query. Start again without page[after]."
        raise BadQuery("page[after]", "foreign_cursor", told)
    return read


def _key(kind: str, nullable: bool, value: Any) -> Any:
    if nullable and value is None:
        return None
    # Of a field it may be any number, of a column of ours it is whole.
    return _key_float(value) if nullable and kind == "number" else _KEYS[kind](value)


def _key_text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("not text")
    return value


def _key_number(value: object) -> ColumnElement[Any]:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_WHOLE:
        raise ValueError("not a number")
    return literal(value, BigInteger())


def _key_float(value: object) -> ColumnElement[Any]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise ValueError("not a number")
    return literal(float(value), Float())


def _key_boolean(value: object) -> ColumnElement[Any]:
    if not isinstance(value, bool):
        raise ValueError("not true or false")
    return literal(value, Boolean())


def _key_instant(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "text": _key_text,
    "name": _key_text,
    "moment": _key_text,
    "boolean": _key_boolean,
    "number": _key_number,
    "instant": _key_instant,
}
