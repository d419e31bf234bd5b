"""What stands above a Markdown page: YAML between ---, TOML between +++, or a JSON object."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from cms.import_formats.safe_values import DEEPEST, Refused, safe

LARGEST = 64 * 1024
YAML_LOADER: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
OPENING = re.compile(r"(---|\+\+\+)[ \t]*(?:\n|\Z)")
JSON_START = re.compile(r'\{\s*["}]')


@dataclass(frozen=True, slots=True)
class Page:
    """A page taken apart. `lines` tells on which line of the file a YAML key stands."""

    values: dict[str, Any]
    body: str
    lines: Mapping[str, int] = field(default_factory=dict)


def taken_apart(text: str) -> Page:
    """The values and the body under them; both may be empty. Raises `Refused`, with the line where it is known."""
    text = text.removeprefix("\ufeff")
    opening = OPENING.match(text)
    if opening:
        end, parse = FENCED[opening[1]]
        block, body = _cut(text, end)
        return parse(block, body)
    return _with_json(text) if JSON_START.match(text) else Page({}, text)


def _cut(text: str, end: re.Pattern[str]) -> tuple[str, str]:
    start = text.find("\n") + 1
    closing = end.search(text, start) if start else None
    if closing is None:
        raise Refused("front_matter_unclosed", "The front matter has no end: close it with a line of its own.", line=1)
    block = text[start : closing.start()]
    _refuse_large(block)
    return block, text[closing.end() :].removeprefix("\n")


def _refuse_large(block: str) -> None:
    if len(block.encode()) > LARGEST:
        raise Refused("front_matter_too_large", f"Front matter has at most {LARGEST // 1024} kB.", line=1)


def _with_yaml(block: str, body: str) -> Page:
    try:
        values, lines = YamlValues(block).read()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it has a character that YAML does not allow"
        raise Refused(
            "bad_front_matter", f"The YAML cannot be read: {problem}.", line=mark.line + 2 if mark else 1
        ) from None
    return Page(_safe_at(values, lines), body, lines)


def _safe_at(values: dict[str, Any], lines: Mapping[str, int]) -> dict[str, Any]:
    try:
        return safe(values)
    except Refused as refused:
        raise Refused(
            refused.code, refused.reason, field=refused.field, line=lines.get(refused.field or "", 1)
        ) from None


def _with_toml(block: str, body: str) -> Page:
    _refuse_long_keys(block)
    try:
        return Page(safe(tomllib.loads(block)), body)
    except (ValueError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        reason = f"The TOML cannot be read: {error}."
        raise Refused("bad_front_matter", reason, line=int(line[1]) + 1 if line else 1) from None


# tomllib takes 16 seconds for one key of 32,000 dotted parts.
def _refuse_long_keys(block: str) -> None:
    for number, line in enumerate(block.split("\n"), start=2):
        if any(part.count(".") > DEEPEST for part in re.split("[=,{]", line)):
            raise Refused("too_deep", f"Keys are nested more than {DEEPEST} deep.", line=number)


def _with_json(text: str) -> Page:
    try:
        values, end = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode(text[: LARGEST + 1])
    except (ValueError, RecursionError) as error:
        if len(text) > LARGEST:
            _refuse_large(text[: LARGEST + 1])
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        reason = f"The JSON cannot be read: {error}."
        raise Refused("bad_front_matter", reason, line=line) from None
    _refuse_large(text[:end])
    return Page(safe(values), text[end:].lstrip("\n"))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


FENCED: Mapping[str, tuple[re.Pattern[str], Callable[[str, str], Page]]] = {
    "---": (re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE), _with_yaml),
    "+++": (re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE), _with_toml),
}


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 2 if event.start_mark else 1


class YamlValues:
    """Reads YAML from its events, so that no constructor runs, no alias expands and nesting ends before it is slow.

    Every scalar stays the text it was: `no`, `012` and `1.10` are not a flag, an octal number and a float.
    """

    def __init__(self, block: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(block, Loader=YAML_LOADER)
        self._lines: dict[str, int] = {}

    def read(self) -> tuple[dict[str, Any], dict[str, int]]:
        """The first document's mapping, and the line of each of its keys. Raises `Refused` and `yaml.YAMLError`."""
        for event in self._events:
            if isinstance(event, yaml.MappingStartEvent):
                return self._mapping(1), self._lines
            if isinstance(event, yaml.NodeEvent) and not (isinstance(event, yaml.ScalarEvent) and not event.value):
                raise Refused("bad_front_matter", "Front matter must be a list of keys and values.", line=2)
        return {}, {}

    def _value(self, event: yaml.Event, depth: int) -> Any:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            raise Refused(
                "yaml_alias", "The front matter repeats itself with a YAML alias (*): write it out.", line=line
            )
        if isinstance(event, yaml.ScalarEvent):
            return event.value
        if depth >= DEEPEST:
            raise Refused("too_deep", f"Values are nested more than {DEEPEST} deep.", line=line)
        return self._mapping(depth + 1) if isinstance(event, yaml.MappingStartEvent) else self._sequence(depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._value(event, depth)
            if not isinstance(key, str):
                raise Refused("bad_front_matter", "A key must be text.", line=_line(event))
            if depth == 1:
                self._lines.setdefault(key, _line(event))
            mapping[key] = self._value(next(self._events), depth)
        return mapping

    def _sequence(self, depth: int) -> list[Any]:
        members = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            members.append(self._value(event, depth))
        return members
