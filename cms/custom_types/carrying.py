"""Values carried over to another definition of their type: kept where the new kind can hold them, else dropped."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import Any

from cms import content, rich_text
from cms.content_types import ContentType, Field
from cms.errors import InvalidContent
from cms.field_kinds import NO_LIMITS

_FIELDS = 256
_NOTHING: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Carried:
    """Fields as the new definition has them, and what found no place: (name, inside groups with dots; value)."""

    fields: dict[str, Any]
    dropped: tuple[tuple[str, Any], ...]


def carry(old: ContentType, new: ContentType, fields: Mapping[str, Any]) -> Carried:
    """The values of one revision. What was not given before is not given after."""
    if old is new:
        return Carried(dict(fields), ())
    dropped: list[tuple[str, Any]] = []
    return Carried(_carry(old.fields, new.fields, fields, dropped, at=""), tuple(dropped))


def _carry(
    old: Iterable[Field],
    new: Iterable[Field],
    values: Mapping[str, Any],
    dropped: list[tuple[str, Any]],
    *,
    at: str,
) -> dict[str, Any]:
    before, after = ({field.name: field for field in fields} for fields in (old, new))
    carried: dict[str, Any] = {}
    for name, value in values.items():
        field = after.get(name)
        if field is None:
            kept = None
        elif value in _NOTHING and not isinstance(value, bool):
            kept = value if _same_kind(before.get(name), field) else None
        elif field.kind in ("group", "groups"):
            kept = _carry_group(before.get(name), field, value, dropped, at=f"{at}{name}.")
        else:
            kept = value if _same_kind(before.get(name), field) else _converted(field, value)
        if kept is None and value not in _NOTHING:
            dropped.append((f"{at}{name}", value))
        if field is not None:
            carried[name] = kept
    return carried


def _same_kind(before: Field | None, after: Field) -> bool:
    return before is not None and before.kind == after.kind


def _carry_group(before: Field | None, after: Field, value: Any, dropped: list[tuple[str, Any]], *, at: str) -> Any:
    if before is None or before.kind not in ("group", "groups"):
        return None
    items = value if isinstance(value, list) else [value]
    if after.kind == "group" and len(items) > 1:
        return None
    carried = [_carry(before.fields, after.fields, item, dropped, at=at) for item in items]
    return carried[0] if after.kind == "group" else carried


def _converted(field: Field, value: Any) -> Any:
    """The value as the field's kind has it, its limits left aside; None when it cannot hold it."""
    try:
        return content.read(_loosely(field), {field.name: cast(field, value)}).fields[field.name]
    except InvalidContent:
        return None


@lru_cache(_FIELDS)
def _loosely(field: Field) -> ContentType:
    # Made once for all entries: a type's first value compiles it.
    return ContentType("one", (replace(field, limits=NO_LIMITS, required=False),))


def cast(field: Field, value: Any) -> Any:
    """A value in the form that a field's kind takes, where there is an obvious one; otherwise as it is."""
    return _CASTS.get(field.kind, lambda value: value)(value)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if _is_document(value):
        return rich_text.to_text(value)
    if isinstance(value, dict) and isinstance(value.get("value"), str):
        return value["value"]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value


def _line(value: Any) -> Any:
    text = _text(value)
    return " ".join(text.split()) if isinstance(text, str) else text


def _is_document(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "doc"


def _rich_text(value: Any) -> Any:
    text = value if isinstance(value, dict) else _text(value)
    if not isinstance(text, str):
        return value
    paragraphs = (f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())
    return {"format": "html", "value": "".join(paragraphs)}


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    written = value.strip().replace(",", ".")
    try:
        return int(written) if written.lstrip("-").isdigit() else float(written)
    except ValueError:
        return value


def _boolean(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.strip().lower(), value) if isinstance(value, str) else value


def _date(value: Any) -> Any:
    return value[:10] if isinstance(value, str) and value[10:11] in ("T", " ") else value


def _instant(value: Any) -> Any:
    return f"{value}T00:00:00Z" if isinstance(value, str) and len(value) == len("2026-11-30") else value


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [_line(value)]


def _references(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _reference(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


_CASTS: Mapping[str, Callable[[Any], Any]] = {
    "text": _line,
    "long_text": _text,
    "rich_text": _rich_text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "instant": _instant,
    "choice": _line,
    "topics": _list,
    "url": _line,
    "email": _line,
    "reference": _reference,
    "references": _references,
}
