"""Values within values, by names with dots between."""

from collections.abc import Mapping
from typing import Any

EMPTY: tuple[Any, ...] = (None, "", [], {})

_ABSENT = object()


def has(values: Mapping[str, Any], name: str) -> bool:
    """Whether there is such a name, of nested values with dots between."""
    return _found(values, name) is not _ABSENT


def value_at(values: Mapping[str, Any], name: str) -> Any:
    """The value of a name: `author.name` is the name of the author or, where authors are a list, a list of names;
    `authors.0` the first of them. A name that has dots itself goes first. None when there is none."""
    found = _found(values, name)
    return None if found is _ABSENT else found


def _found(values: Mapping[str, Any], name: str) -> Any:
    if name in values or "." not in name:
        return values.get(name, _ABSENT)
    found: Any = values
    for step in name.split("."):
        found = _step(found, step)
    return found


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(step, _ABSENT)
    if not isinstance(value, list):
        return _ABSENT
    if step.isdecimal() and step.isascii():
        return value[int(step)] if len(step) < 6 and int(step) < len(value) else _ABSENT
    found = [member[step] for member in value if isinstance(member, Mapping) and member.get(step) not in EMPTY]
    return found or _ABSENT


def without(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A copy without that name; what stands in a list stays."""
    if name in values:
        return {other: value for other, value in values.items() if other != name}
    first, _, further = name.partition(".")
    inner = values.get(first)
    if not further or not isinstance(inner, Mapping):
        return values
    left = without(inner, further)
    kept = {other: left if other == first else value for other, value in values.items()}
    return kept if left else without(kept, first)


def put(fields: dict[str, Any], name: str, value: Any) -> bool:
    """Lay a value down, inside groups with dots; False where there is one already."""
    *groups, last = name.split(".")
    for group in groups:
        inner = fields.setdefault(group, {})
        if not isinstance(inner, dict):
            return False
        fields = inner
    return last not in fields and fields.setdefault(last, value) is value
