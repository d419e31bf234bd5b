"""The kinds of field. A kind is one row of `KINDS`: what values it takes, how they are filtered and searched."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
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
from pydantic_core import PydanticCustomError

from cms.identity import is_id
from cms.menu_items import MenuItem, is_address, within_limits
from cms.pictures import unsigned
from cms.section_tree import RemovedSection, SectionNode


class FieldLike(Protocol):
    """What a kind needs to know of the field that has it."""

    @property
    def choices(self) -> tuple[str, ...]: ...

    @property
    def required(self) -> bool: ...

    @property
    def kind(self) -> str: ...

    @property
    def limits(self) -> "Limits": ...


@dataclass(frozen=True)
class Limits:
    """What a value must keep to: of numbers, dates and instants, of a text's characters, of a list's items."""

    min: float | str | None = None
    max: float | str | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Kind:
    """`annotation` gives the Pydantic type; `operators` what a list may be filtered by; `searched`: has words.

    `limits` are those that a field may have; `defaults`: a field may have a value from the start."""

    annotation: Callable[[FieldLike], Any]
    operators: frozenset[str] = frozenset()
    compares_as: Literal["text", "number", "boolean", "list", "moment"] = "text"
    searched: bool = False
    sortable: bool = False
    limits: tuple[str, ...] = ()
    defaults: bool = False


def _identifier(value: str) -> str:
    if not is_id(value):
        raise ValueError("is not an entry's id")
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not a web address: give one that starts with https:// or http://")
    return unsigned(value)


def _address(value: str) -> str:
    if value and not is_address(value):
        raise ValueError("is no address: give a path that starts with '/', or one with https:// or http://")
    return unsigned(value)


def _folder(value: str) -> str | None:
    steps = [step.strip() for step in value.split("/") if step.strip()]
    if not value.isprintable() or any(step in (".", "..") for step in steps):
        raise ValueError("is not a folder: write it as press/2026")
    if len(steps) > DEEPEST_FOLDER:
        raise ValueError(f"goes deeper than {DEEPEST_FOLDER} folders")
    folder = "/".join(steps)
    if len(folder) > LONGEST_FOLDER:
        raise ValueError(f"is longer than {LONGEST_FOLDER} characters")
    return folder or None


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


DEEPEST_FOLDER = 10
LONGEST_FOLDER = 200
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
_SectionId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Locale = Annotated[str, StringConstraints(min_length=1, max_length=35, pattern=r"^[A-Za-z0-9-]+$")]
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

_SPAN = ("min", "max")
_LENGTH = ("min_length", "max_length")
_ITEMS = ("min_items", "max_items")

KINDS: Mapping[str, Kind] = {
    "text": Kind(
        lambda field: _FilledLine if field.required else _Line,
        _WORDS,
        searched=True,
        sortable=True,
        limits=_LENGTH,
        defaults=True,
    ),
    "long_text": Kind(
        lambda _: _LongText, frozenset({"contains", "exists"}), searched=True, limits=_LENGTH, defaults=True
    ),
    "rich_text": Kind(lambda _: Annotated[dict[str, Any], Schema(_RICH_TEXT_SCHEMA)], searched=True),
    "number": Kind(
        lambda _: Annotated[int | float, BeforeValidator(_finite)],
        _ORDER,
        "number",
        sortable=True,
        limits=_SPAN,
        defaults=True,
    ),
    "boolean": Kind(lambda _: StrictBool, frozenset({"eq", "ne", "exists"}), "boolean", sortable=True, defaults=True),
    "date": Kind(lambda _: Annotated[date, BeforeValidator(_day)], _ORDER, sortable=True, limits=_SPAN, defaults=True),
    "instant": Kind(lambda _: _Moment, _ORDER, "moment", sortable=True, limits=_SPAN, defaults=True),
    "choice": Kind(lambda field: Literal[field.choices], _EQUALITY, sortable=True, defaults=True),
    "topics": Kind(
        lambda _: Annotated[list[_Topic], Field(max_length=200), AfterValidator(_unique)],
        frozenset({"eq", "in", "contains", "exists"}),
        "list",
        searched=True,
        limits=_ITEMS,
        defaults=True,
    ),
    "url": Kind(
        lambda _: Annotated[_Line, AfterValidator(_web_address)], _WORDS, sortable=True, limits=_LENGTH, defaults=True
    ),
    "email": Kind(lambda _: EmailStr, _WORDS, sortable=True, limits=_LENGTH, defaults=True),
    "reference": Kind(lambda _: _Reference, _EQUALITY),
    "references": Kind(
        lambda _: Annotated[list[_Reference], Field(max_length=1_000)],
        frozenset({"eq", "in", "contains", "exists"}),
        "list",
        limits=_ITEMS,
    ),
    # A group's own type is compiled from its fields; see content_types.
    "group": Kind(lambda _: dict[str, Any]),
    "groups": Kind(lambda _: dict[str, Any], limits=_ITEMS),
    # The bytes of an image or file, known by their SHA-256; the rest is filled in from what was received.
    "upload": Kind(lambda _: Annotated[dict[str, Any], Schema(_UPLOAD_SCHEMA)]),
    # What a source brought that has no field here, kept as it was.
    "object": Kind(lambda _: dict[str, Any]),
    "sections": Kind(lambda _: list[SectionNode]),
    # What is left of sections that are in the tree no longer.
    "removals": Kind(lambda _: list[RemovedSection]),
    "menu_items": Kind(lambda _: Annotated[list[MenuItem], AfterValidator(within_limits)], searched=True),
    # A section of the site, by its id; and several.
    "section": Kind(lambda _: _SectionId),
    "section_list": Kind(lambda _: Annotated[list[_SectionId], Field(max_length=1_000), AfterValidator(_unique)]),
    # A line that differs by locale.
    "localized": Kind(lambda _: Annotated[dict[_Locale, _Line], Field(max_length=50)], searched=True),
    # A web address, or a path on this site.
    "address": Kind(lambda _: Annotated[_Line, AfterValidator(_address)]),
    # Where staff keep an image or a file, such as press/2026.
    "folder": Kind(lambda _: Annotated[_Line, AfterValidator(_folder)], _WORDS, sortable=True),
}


def limit(annotation: Any, field: FieldLike) -> Any:
    """A field's type narrowed by its limits."""
    of = field.limits
    if of == NO_LIMITS:
        return annotation
    schema = {word: value for name, word in _SCHEMA_WORDS.items() if (value := getattr(of, name)) is not None}
    if not field.required:
        schema.pop("minLength", None)  # an empty text stands for none
    # JSON Schema has no words for the earliest and the latest date.
    told = schema if field.kind not in ("date", "instant") else {}
    return Annotated[annotation, AfterValidator(partial(_within, field)), Field(json_schema_extra=told)]


_SCHEMA_WORDS = {
    "min": "minimum",
    "max": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
}


def _within(field: FieldLike, value: Any) -> Any:
    of = field.limits
    if isinstance(value, str):
        _refuse_outside(len(value), of.min_length if value or field.required else None, of.max_length, "characters")
    elif isinstance(value, list):
        _refuse_outside(len(value), of.min_items, of.max_items, "items")
    else:
        read = _LIMIT_READERS.get(field.kind, lambda limit: limit)
        low, high = (None if one is None else read(one) for one in (of.min, of.max))
        if low is not None and value < low:
            raise PydanticCustomError("too_small", f"is less than {of.min}")
        if high is not None and value > high:
            raise PydanticCustomError("too_great", f"is more than {of.max}")
    return value


_LIMIT_READERS: Mapping[str, Callable[[Any], Any]] = {"date": date.fromisoformat, "instant": datetime.fromisoformat}


def _refuse_outside(size: int, least: int | None, most: int | None, unit: str) -> None:
    if least is not None and size < least:
        raise PydanticCustomError("too_short", f"has fewer than {least} {unit}")
    if most is not None and size > most:
        raise PydanticCustomError("too_long", f"has more than {most} {unit}")
