"""Values from a stranger's file, made safe to store: JSON-ready, shallow, in range, without NUL or broken text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

DEEPEST = 64
LARGEST = 2**63


@dataclass(eq=False)
class Refused(Exception):
    """This row or file cannot be taken: which field, a stable code, why, and the line where it is known."""

    code: str
    reason: str
    field: str | None = None
    line: int | None = None


def safe(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON can hold them, dates as ISO text. Raises `Refused` with the field's name."""
    return {_safe_text(name): _safe_field(name, value) for name, value in values.items()}


def _safe_field(name: str, value: Any) -> Any:
    try:
        return _safe(value, 2)
    except Refused as refused:
        raise Refused(refused.code, refused.reason, field=name) from None


def _safe(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _safe_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _safe_number(value)
    if depth > DEEPEST:
        raise Refused("too_deep", f"Values are nested more than {DEEPEST} deep.")
    if isinstance(value, list):
        return [_safe(member, depth + 1) for member in value]
    if isinstance(value, Mapping):
        return {_safe_text(name): _safe(member, depth + 1) for name, member in value.items()}
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise Refused("bad_value", f"A {type(value).__name__} cannot be stored.")


def _safe_text(text: str) -> str:
    if "\0" in text:
        raise Refused("nul", "The text has a NUL character.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused("lone_surrogate", "The text has half of a surrogate pair.") from None
    return text


def _safe_number(number: float) -> float:
    # orjson reads an integer past 64 bits as a float, so a float as large as that is refused too.
    if not -LARGEST <= number < LARGEST:
        raise Refused("number_out_of_range", "The number does not fit in 64 bits.")
    return number
