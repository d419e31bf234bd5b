"""Values that PHP has written down: `a:1:{s:4:"size";i:3;}`. Objects are never made."""

import re
from collections.abc import Mapping
from typing import Any

import phpserialize

from cms.import_formats.safe_values import Refused, safe

LONGEST = 1024 * 1024
# The library reads nested values by calling itself.
DEEPEST = 60
MOST_VALUES = 50_000

_LOOKS_SERIALIZED = re.compile(r'(?:a:\d{1,9}:\{.*\}|[bid]:[-+0-9.eE]{1,40};|s:\d{1,9}:".*";|N;)', re.DOTALL)


def read(text: str) -> Any:
    """The value as JSON can hold it; the text itself when it is no such value, holds an object, or is too large."""
    stripped = text.strip()
    if len(text) > LONGEST or not _LOOKS_SERIALIZED.fullmatch(stripped) or _is_vast(stripped):
        return text
    try:
        value = _plain(phpserialize.loads(stripped.encode()), 0)
        return safe({"value": value})["value"]
    except (ValueError, TypeError, OverflowError, RecursionError, Refused):
        return text


def _is_vast(text: str) -> bool:
    return text.count("{") > MOST_VALUES or text.count(";") > MOST_VALUES


def _plain(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, Mapping):
        return _list_or_object({_key(key): _plain(member, depth + 1) for key, member in value.items()})
    return value


def _key(key: object) -> str:
    return key.decode() if isinstance(key, bytes) else str(key)


def _list_or_object(members: dict[str, Any]) -> Any:
    """PHP has one kind of array for both."""
    if members and list(members) == [str(number) for number in range(len(members))]:
        return list(members.values())
    return members
