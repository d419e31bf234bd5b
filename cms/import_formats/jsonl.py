"""JSON Lines: one item a line."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from cms.import_formats.item import (
    LONGEST_EXTERNAL_ID,
    Asset,
    Author,
    Format,
    Item,
    Options,
    Origin,
    Problem,
    SourceUnreadable,
)
from cms.import_formats.known_fields import Given
from cms.import_formats.safe_values import Refused, safe

LONGEST_LINE = 4 * 1024 * 1024
MARKUP = re.compile(
    r"</?(?:p|h[1-6]|div|ul|ol|li|br|table|blockquote|pre|img|a|section|article)\b[^<>]*>", re.IGNORECASE
)
MEANINGS = (
    "external_id",
    "title",
    "slug",
    "summary",
    "body",
    "first_published_at",
    "section",
    "topics",
    "locale",
    "byline",
    "cover",
    "draft",
)


def read(source: Path, options: Options) -> "JsonLines":
    """Opens a file. Raises `SourceUnreadable`."""
    try:
        with source.open("rb"):
            return JsonLines(source, options)
    except OSError as error:
        raise SourceUnreadable(str(source), error.strerror or "cannot be read") from error


class JsonLines:
    """A file of JSON objects, one a line; blank lines and a byte order mark do not matter."""

    links_inside = False

    def __init__(self, path: Path, options: Options) -> None:
        self._path = path
        self._options = options

    def items(self) -> Iterator[Item | Problem]:
        """One for each line that is not blank; an external id that was there before is refused."""
        seen: set[str] = set()
        with self._path.open("rb") as file:
            for number, line in _lines(file):
                try:
                    item = _item(line, Origin(self._path.name, number), options=self._options, seen=seen)
                except Refused as refused:
                    yield Problem(self._path.name, number, refused.field, refused.code, refused.reason)
                else:
                    seen.add(item.external_id)
                    yield item

    def count(self) -> int:
        """The lines that are not blank."""
        with self._path.open("rb") as file:
            return sum(1 for _ in _lines(file))

    def people(self) -> Iterator[Author]:
        """None: bylines say all that is known."""
        return iter(())

    def assets(self) -> Iterator[Asset]:
        """None: a line has no files beside it."""
        return iter(())

    def asset(self, external_id: str) -> None:
        """None."""

    def target(self, origin_file: str, url: str) -> None:
        """None: a line has no address that others could use."""


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbers and lines; None for a line that is too long, which is passed over without being held."""
    number = 0
    while line := file.readline(LONGEST_LINE + 2):
        number += 1
        too_long = len(line.rstrip(b"\r\n")) > LONGEST_LINE
        while too_long and line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if too_long or line.strip():
            yield number, None if too_long else line


def _item(line: bytes | None, origin: Origin, *, options: Options, seen: set[str]) -> Item:
    given = Given(safe(_object(line)), meanings=MEANINGS, fields=options.fields)
    external_id = _external_id(given, seen)
    title = given.read("title")
    if not title:
        raise Refused("missing", "An item needs a title.", field="title")
    optional = {"summary": given.read("summary"), "body": _body(given), "topics": given.read("topics")}
    optional["cover"] = given.read("cover")
    return Item(
        origin=origin,
        external_id=external_id,
        fields={"title": title, **{name: value for name, value in optional.items() if value}},
        locale=given.read("locale") or options.locale,
        section=given.read("section") or (),
        slug=given.read("slug"),
        byline=given.read("byline") or (),
        first_published_at=given.read("first_published_at"),
        draft=bool(given.read("draft")),
        source_fields=given.rest,
    )


def _object(line: bytes | None) -> Mapping[str, Any]:
    if line is None:
        raise Refused("too_long", f"A line has at most {LONGEST_LINE} bytes.")
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _not_json(line, error) from None
    if not isinstance(row, dict):
        raise Refused("not_an_object", "A line must be a JSON object.")
    return row


def _not_json(line: bytes, error: orjson.JSONDecodeError) -> Refused:
    try:
        line.decode()
    except UnicodeDecodeError as broken:
        return Refused("not_utf8", f"The line is not UTF-8 at byte {broken.start + 1}.")
    return Refused("not_json", f"The line is not JSON: {error.msg} at character {error.pos + 1}.")


def _external_id(given: Given, seen: set[str]) -> str:
    external_id = given.read("external_id")
    name = given.names.get("external_id", "external_id")
    if not external_id:
        raise Refused("missing", "An item needs an id of its own, the same in every run.", field=name)
    if len(external_id) > LONGEST_EXTERNAL_ID:
        raise Refused("too_long", f"An external id has at most {LONGEST_EXTERNAL_ID} characters.", field=name)
    if external_id in seen:
        raise Refused("duplicate", f"An earlier line has the external id {external_id!r}.", field=name)
    return str(external_id)


def _body(given: Given) -> dict[str, str] | None:
    value, name = given.raw("body"), given.names.get("body")
    if value is None or name is None:
        return None
    if isinstance(value, Mapping):
        written, text = value.get("format"), value.get("value")
        if written in ("html", "markdown") and isinstance(text, str):
            return {"format": written, "value": text}
    if not isinstance(value, str):
        raise Refused(
            "not_text", "A body must be text, or an object with format (html or markdown) and value.", field=name
        )
    return {"format": _format(name.lower(), value), "value": value}


def _format(name: str, body: str) -> str:
    if name in ("body_html", "body_markdown"):
        return name.removeprefix("body_")
    return "html" if MARKUP.search(body) else "markdown"


def _recognise(source: Path) -> int:
    """A file whose first line is a JSON object."""
    if not source.is_file():
        return 0
    with source.open("rb") as file:
        _, first = next(_lines(file), (0, None))
    try:
        return 60 if isinstance(orjson.loads(first or b""), dict) else 0
    except orjson.JSONDecodeError:
        return 0


FORMAT = Format("JSON, one object a line", read, _recognise, mappable=True)
