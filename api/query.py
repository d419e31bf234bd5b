"""The query grammar of every list, read from an address. What it does not know is refused."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from cms.errors import BadQuery
from cms.listing import LARGEST_PAGE, Asked, Condition
from cms.section_tree import MAX_LEVELS
from cms.site import Locales

OPERATORS = ("eq", "ne", "in", "nin", "lt", "lte", "gt", "gte", "contains", "starts", "exists", "below")
_FILTER = re.compile(r"filter\[([A-Za-z_][A-Za-z0-9_.]*)\](?:\[([a-z]+)\])?")
_LONGEST_NAME = 100
_MOST_CONDITIONS = 20
_MANY = frozenset({"in", "nin"})


@dataclass(frozen=True)
class Parameters:
    """A list's parameters: what the grammar knows, and the values of those that the route names besides."""

    asked: Asked
    others: Mapping[str, str]


def read(
    request: Request, *, others: frozenset[str] = frozenset(), shorthands: frozenset[str] = frozenset()
) -> Parameters:
    """Read `filter[…]`, `sort`, `page[…]` and `total`. `shorthands` are fields that may be named without `filter`.

    Raises `BadQuery`."""
    given = _once(request)
    conditions = []
    rest = {}
    for name, value in given.items():
        if name in shorthands:
            conditions.append(Condition(name, "in" if "," in value else "eq", tuple(value.split(","))))
        elif name.startswith("filter["):
            conditions.append(_condition(name, value))
        elif name in others or name in _READ:
            rest[name] = value
        else:
            raise unknown(name, sorted({*_READ, *others, *shorthands, "filter[field]"}))
    if len(conditions) > _MOST_CONDITIONS:
        raise BadQuery("filter", "too_many", f"A list takes {_MOST_CONDITIONS} filters at most.")
    read = {target: reader(rest[name]) for name, (target, reader) in _READ.items() if name in rest}
    return Parameters(Asked(conditions=tuple(conditions), **read), rest)


def unknown(name: str, offered: list[str]) -> BadQuery:
    """The refusal of a parameter that is not offered."""
    said = f"There is no parameter '{name[:_LONGEST_NAME]}'. There are: {', '.join(offered)}."
    return BadQuery(name[:_LONGEST_NAME], "unknown_parameter", said)


def only(request: Request, *names: str) -> dict[str, str]:
    """The parameters of a call that is no list. Raises `BadQuery` for any other."""
    given = _once(request)
    for name in given:
        if name not in names:
            raise unknown(name, sorted(names))
    return given


def _once(request: Request) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise BadQuery(name[:_LONGEST_NAME], "given_twice", f"'{name[:_LONGEST_NAME]}' is given twice.")
        given[name] = value
    return given


def _condition(name: str, value: str) -> Condition:
    match = _FILTER.fullmatch(name)
    if match is None or len(name) > _LONGEST_NAME:
        raise BadQuery(
            name[:_LONGEST_NAME], "malformed_filter", "Write filter[field]=value or filter[field][op]=value."
        )
    operator = match[2] or "eq"
    if operator not in OPERATORS:
        said = f"There is no operator '{operator}'. There are: {', '.join(OPERATORS)}."
        raise BadQuery(name, "unknown_operator", said)
    return Condition(match[1], operator, tuple(value.split(",")) if operator in _MANY else (value,))


def _sort(value: str) -> tuple[tuple[str, bool], ...]:
    names = [name for name in value.split(",") if name]
    if len(names) > 3:
        raise BadQuery("sort", "too_many", "A list is sorted by three fields at most.")
    # The id always comes last, so that the order is total.
    return tuple((name.removeprefix("-"), name.startswith("-")) for name in names if name.removeprefix("-") != "id")


def _size(value: str) -> int:
    return number(
        value, "page[size]", among=range(1, LARGEST_PAGE + 1), said=f"A page has 1 to {LARGEST_PAGE} entries."
    )


def number(value: str, name: str, *, among: Container[int], said: str) -> int:
    """One of some whole numbers, of nine digits at most. Raises `BadQuery` with what is said of it."""
    if not (value.isascii() and value.isdigit()) or len(value) > 9 or int(value) not in among:
        raise BadQuery(name, "out_of_range", said)
    return int(value)


def size(value: str | None, *, usual: int) -> int:
    """How many a page has. Raises `BadQuery`."""
    return usual if value is None else _size(value)


def flag(value: str, name: str) -> bool:
    """`true` or `false`. Raises `BadQuery`."""
    if value not in ("true", "false"):
        raise BadQuery(name, "not_a_boolean", f"'{name}' is true or false.")
    return value == "true"


_READ: Mapping[str, tuple[str, Any]] = {
    "sort": ("sort", _sort),
    "page[size]": ("size", _size),
    "page[after]": ("after", str),
    "total": ("total", lambda value: flag(value, "total")),
}


def locale(value: str | None, known: Locales) -> str | None:
    """A locale of the site. Raises `BadQuery` for any other."""
    if value is not None and value not in known.all:
        raise BadQuery("locale", "unknown_locale", f"The site has no such locale. It has: {', '.join(known.all)}.")
    return value


def one_of(value: str | None, offered: tuple[str, ...], *, name: str) -> str:
    """A choice, the first when none is made. Raises `BadQuery`."""
    if value is None:
        return offered[0]
    if value not in offered:
        raise BadQuery(name, "unknown_value", f"'{name}' is one of: {', '.join(offered)}.")
    return value


def takes(*names: str, listing: bool = False) -> dict[str, Any]:
    """What the documentation says of a call's parameters; `listing`: those of every list, too."""
    told = [*(_LISTING if listing else ()), *names]
    return {"parameters": [{"name": name, "in": "query", "required": False, **PARAMETERS[name]} for name in told]}


_TEXT = {"type": "string"}
_LISTING = ("filter", "sort", "page[size]", "page[after]", "total")
_DAY = {"schema": {"type": "string", "format": "date"}}
_LOCALE = {"schema": _TEXT, "description": "a locale of the site, such as `ru`", "example": "ru"}

PARAMETERS: Mapping[str, dict[str, Any]] = {
    "filter": {
        "schema": {"type": "object", "additionalProperties": _TEXT},
        "style": "deepObject",
        "explode": True,
        "description": f"`filter[field]=value` or `filter[field][op]=value`; operators: {' '.join(OPERATORS)}",
        "example": {},
    },
    "sort": {"schema": _TEXT, "description": "such as `-published_at`; the id always follows"},
    "page[size]": {"schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 20}},
    "page[after]": {"schema": _TEXT, "description": "the cursor of `links.next`"},
    "total": {"schema": {"type": "boolean"}, "description": "count all, in `meta.total`"},
    "type": {"schema": _TEXT, "description": "short for `filter[type]`", "example": "news"},
    "section": {"schema": _TEXT, "description": "a section's id; of feeds its path, too"},
    "state": {"schema": _TEXT, "description": "short for `filter[state]`", "example": "draft"},
    "topic": {"schema": _TEXT, "description": "short for `filter[topic]`"},
    "year": {"schema": _TEXT, "description": "short for `filter[year]`: of publication", "example": "2026"},
    "locale": _LOCALE,
    "path": {"schema": _TEXT, "description": "of the page, from `/` on", "example": "/"},
    "environment": {
        "schema": _TEXT,
        "description": "where the page is shown; `production` unless said",
        "example": "production",
    },
    "depth": {"schema": {"type": "integer", "minimum": 1, "maximum": MAX_LEVELS}, "description": "levels of sections"},
    "stale": {"schema": {"type": "boolean"}, "description": "published longer ago than its section allows"},
    "dry_run": {"schema": {"type": "boolean"}, "description": "only tell what it would do"},
    "confirm": {
        "schema": {"type": "integer", "minimum": 0},
        "description": "how many entries may lose by it, or places change",
    },
    "strict": {"schema": {"type": "boolean"}, "description": "all rows or none"},
    "guesses": {"schema": {"type": "boolean"}, "description": "with guesses at what was meant, for 20 paths at most"},
    "updated_since": {
        "schema": {"type": "string", "format": "date-time"},
        "description": "an instant: only what was changed since",
        "example": "2026-11-30T10:00:00Z",
    },
    "q": {"schema": {"type": "string", "maxLength": 512}, "description": "the visitor's words", "example": "новости"},
    "fields": {"schema": _TEXT, "description": "which fields to send, such as `title,cover`", "example": "title"},
    "include": {"schema": _TEXT, "description": "what to send along, such as `cover,byline`", "example": "cover"},
    "rich_text": {"schema": {"type": "string"}, "description": "the form of rich text: doc, html, markdown or text"},
    "autosave": {"schema": {"type": "boolean"}, "description": "join the actor's running autosave"},
    "from": {"schema": {"type": "integer", "minimum": 1}, "description": "a revision; the one before `to` unless said"},
    "to": {"schema": {"type": "integer", "minimum": 1}, "description": "a revision; the newest unless said"},
    "first day": {"name": "from", **_DAY, "description": "the first day, in UTC", "example": "2026-11-01"},
    "last day": {"name": "to", **_DAY, "description": "the last day, in UTC", "example": "2026-11-30"},
    "by": {"schema": _TEXT, "description": "what has rows of its own: banner, placement, day", "example": "banner,day"},
    "banner": {"schema": _TEXT, "description": "the id of one banner"},
    "placement": {
        "schema": _TEXT,
        "description": "names of placements, with commas; all unless said",
        "example": "top",
    },
    "one placement": {"name": "placement", "schema": _TEXT, "description": "the name of one", "example": "top"},
    "view": {"schema": _TEXT, "description": "the id of the banner's showing, as beacons tell it"},
    "fit": {"schema": {"type": "string", "enum": ["fit", "fill"]}, "description": "whole, or cut to fill the frame"},
    "width": {"schema": {"type": "integer"}, "description": "in pixels, of those that are offered", "example": "640"},
    "height": {"schema": {"type": "integer"}, "description": "in pixels, of those that are offered"},
    "ratio": {"schema": {"type": "string", "enum": ["1", "1.5", "2", "3"]}, "description": "pixels to one of CSS"},
    "quality": {"schema": {"type": "integer"}, "description": "30 to 95, in fives"},
    "format": {
        "schema": {"type": "string", "enum": ["auto", "avif", "webp", "jpeg", "png"]},
        "description": "auto: the best that the browser takes",
    },
    "form of rows": {
        "name": "format",
        "schema": {"type": "string", "enum": ["json", "csv"]},
        "description": "the form of the answer",
    },
    "within_days": {"schema": {"type": "integer", "minimum": 0, "maximum": 3650, "default": 30}},
    "source": {"schema": _TEXT, "description": "what the source of lines is called", "example": "portal"},
    "publish": {"schema": {"type": "boolean"}, "description": "publish what is no draft"},
    "on_conflict": {"schema": {"type": "string", "enum": ["list", "overwrite", "draft"]}},
    "fetch": {"schema": {"type": "boolean"}, "description": "take files from the network"},
    "mapping": {"schema": _TEXT, "description": "a JSON object: names of the source, and what each is taken for"},
    "choices": {"schema": _TEXT, "description": "a JSON object: what the format lets one choose"},
    "run": {"schema": {"type": "boolean"}, "description": "import right after the analysis"},
    "format of source": {"name": "format", "schema": _TEXT, "description": "`jsonl` unless said"},
    "signature": {"schema": _TEXT, "description": "opens a file that is not published yet"},
}
