"""The kinds of field. A kind is one row of `KINDS`: what values it takes, how they are filtered and searched."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    EmailStr,
    Field,
    PlainSerializer,
    StrictBool,
    StringConstraints,
)
from pydantic import WithJsonSchema as Schema

from cms.identity import is_id
from cms.section_tree import SectionNode


class FieldLike(Protocol):
    """What a kind needs to know of the field that has it."""

    @property
    def choices(self) -> tuple[str, ...]: ...

    @property
    def required(self) -> bool: ...


@dataclass(frozen=True)
class Kind:
    """`annotation` gives the Pydantic type; `operators` what a list may be filtered by; `searched`: has words."""

    annotation: Callable[[FieldLike], Any]
    operators: frozenset[str] = frozenset()
    compares_as: Literal["text", "number", "boolean", "list", "moment"] = "text"
    searched: bool = False


def _identifier(value: str) -> str:
    if not is_id(value):
        raise ValueError("is not an entry's id")
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not a web address: give one that starts with https:// or http://")
    return value


def _without_zero_bytes(value: str) -> str:
    # SQLite stores them; PostgreSQL does not.
    if "\0" in value:
        raise ValueError("has a zero byte")
    return value


def _finite(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is not a number")
    if not (math.isfinite(value) if isinstance(value, float) else abs(value) <= LARGEST_WHOLE):
        raise ValueError("is out of range")
    return value


def _unique(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _day(value: object) -> object:
    if not isinstance(value, str | date):
        raise ValueError("is not a date: write it as 2026-11-30")
    return value


def _moment(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError("is not an instant: write it as 2026-11-30T10:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


def moment_text(value: datetime) -> str:
    """An instant as it is kept in fields: in UTC and of one width, so that the text sorts as the instant does."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


# Beyond it a double does not hold every whole number, and databases and clients would disagree.
LARGEST_WHOLE = 2**53

_ZeroFree = AfterValidator(_without_zero_bytes)
_Line = Annotated[str, StringConstraints(max_length=1_000, strip_whitespace=True), _ZeroFree]
_FilledLine = Annotated[str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True), _ZeroFree]
_LongText = Annotated[str, StringConstraints(max_length=50_000), _ZeroFree]
_Topic = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), _ZeroFree]
_Moment = Annotated[
    AwareDatetime, BeforeValidator(_moment), AfterValidator(_in_utc), PlainSerializer(moment_text, when_used="json")
]
_Reference = Annotated[str, AfterValidator(_identifier)]
_DOCUMENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "a ProseMirror document",
    "properties": {"type": {"const": "doc"}, "content": {"type": "array", "items": {"type": "object"}}},
    "required": ["type"],
}
_RICH_TEXT_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"format": {"enum": ["html", "markdown"]}, "value": {"type": "string"}},
            "required": ["format", "value"],
        },
        {
            "type": "object",
            "properties": {"format": {"const": "doc"}, "value": _DOCUMENT_SCHEMA},
            "required": ["format", "value"],
        },
        _DOCUMENT_SCHEMA,
    ]
}
_UPLOAD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
    "required": ["sha256"],
}

_EQUALITY = frozenset({"eq", "ne", "in", "nin", "exists"})
_ORDER = _EQUALITY | {"lt", "lte", "gt", "gte"}
_WORDS = _ORDER | {"contains", "starts"}

KINDS: Mapping[str, Kind] = {
    "text": Kind(lambda field: _FilledLine if field.required else _Line, _WORDS, searched=True),
    "long_text": Kind(lambda _: _LongText, frozenset({"contains", "exists"}), searched=True),
    "rich_text": Kind(lambda _: Annotated[dict[str, Any], Schema(_RICH_TEXT_SCHEMA)], searched=True),
    "number": Kind(lambda _: Annotated[int | float, BeforeValidator(_finite)], _ORDER, "number"),
    "boolean": Kind(lambda _: StrictBool, frozenset({"eq", "ne", "exists"}), "boolean"),
    "date": Kind(lambda _: Annotated[date, BeforeValidator(_day)], _ORDER),
    "instant": Kind(lambda _: _Moment, _ORDER, "moment"),
    "choice": Kind(lambda field: Literal[field.choices], _EQUALITY),
    "topics": Kind(
        lambda _: Annotated[list[_Topic], Field(max_length=200), AfterValidator(_unique)],
        frozenset({"eq", "in", "contains", "exists"}),
        "list",
        searched=True,
    ),
    "url": Kind(lambda _: Annotated[_Line, AfterValidator(_web_address)], _WORDS),
    "email": Kind(lambda _: EmailStr, _WORDS),
    "reference": Kind(lambda _: _Reference, _EQUALITY),
    "references": Kind(
        lambda _: Annotated[list[_Reference], Field(max_length=1_000)],
        frozenset({"eq", "in", "contains", "exists"}),
        "list",
    ),
    # A group's own type is compiled from its fields; see content_types.
    "group": Kind(lambda _: dict[str, Any]),
    "groups": Kind(lambda _: dict[str, Any]),
    # The bytes of an image or file, known by their SHA-256; the rest is filled in from what was received.
    "upload": Kind(lambda _: Annotated[dict[str, Any], Schema(_UPLOAD_SCHEMA)]),
    # What a source brought that has no field here, kept as it was.
    "object": Kind(lambda _: dict[str, Any]),
    "sections": Kind(lambda _: list[SectionNode]),
}
