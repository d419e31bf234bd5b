"""Rows of JSON: one object a line, or a document that is a list of objects or holds one; also packed by gzip or xz."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from cms.import_formats.item import Asset, Author, Format, Item, Options, Origin, Problem, SourceUnreadable
from cms.import_formats.json_list import LONGEST, NotAList, holds_list, members
from cms.import_formats.known_fields import SYNONYMS
from cms.import_formats.known_values import plain_name
from cms.import_formats.packed import BROKEN, opened
from cms.import_formats.row_items import CHOICES, Rows, is_on_network
from cms.import_formats.safe_values import Refused, safe
from cms.import_formats.text_encoding import NO_TEXT_MARK

LONGEST_LINE = LONGEST
_BEGINNING = 64 * 1024
_OF_ITEMS = frozenset({*SYNONYMS["external_id"], *SYNONYMS["title"]})


@dataclass(frozen=True, slots=True)
class Line:
    """An object as it is written; `raw` None where it is too long to be kept, `value` where it has not been read."""

    number: int
    raw: bytes | None
    value: Any = None


def read(source: Path, options: Options) -> "JsonRows":
    """Opens a file. Raises `SourceUnreadable`."""
    try:
        return JsonRows(source, options, is_document=_is_document(source))
    except BROKEN as error:
        raise SourceUnreadable(str(source), getattr(error, "strerror", None) or str(error)) from error


class JsonRows:
    """A file of JSON objects; blank lines and a byte order mark do not matter."""

    links_inside = False

    def __init__(self, path: Path, options: Options, *, is_document: bool) -> None:
        self._path = path
        self._options = options
        self._is_document = is_document
        self._covers: bool | None = None
        Rows(options)

    def items(self) -> Iterator[Item | Problem]:
        """One for each object; an external id that was there before is refused."""
        rows = Rows(self._options)
        covers = False
        for line in self._lines():
            item = line if isinstance(line, Problem) else self._item(rows, line)
            covers = covers or (isinstance(item, Item) and "cover" in item.fields)
            yield item
        self._covers = covers

    def count(self) -> int:
        """The objects, and the lines that are not blank."""
        return sum(1 for _ in self._lines())

    def people(self) -> Iterator[Author]:
        """None: bylines say all that is known."""
        return iter(())

    def assets(self) -> Iterator[Asset]:
        """The pictures on the network that rows name as covers."""
        if self._covers is False:
            return
        rows = Rows(self._options)
        seen: set[str] = set()
        for line in self._lines():
            asset = None if isinstance(line, Problem) else _cover(rows, line)
            if asset is not None and asset.url is not None and asset.url not in seen:
                seen.add(asset.url)
                yield asset

    def asset(self, external_id: str) -> Asset | None:
        """A picture on the network, by its address."""
        return Asset(external_id, None, external_id) if is_on_network(external_id) else None

    def target(self, origin_file: str, url: str) -> None:
        """None: a row has no address that others could use."""

    def _lines(self) -> Iterator[Line | Problem]:
        number = 0
        try:
            with opened(self._path) as file:
                for line in _members(file) if self._is_document else _lines(file):
                    number = line.number
                    yield line
        except NotAList as error:
            yield Problem(self._path.name, error.line, None, "not_json", error.reason)
        except BROKEN as error:
            said = f"The file is broken or cut off, and what follows is lost: {error}."
            yield Problem(self._path.name, number + 1, None, "unreadable", said)

    def _item(self, rows: Rows, line: Line) -> Item | Problem:
        raw = None if line.raw is None else line.raw.decode("utf-8", "replace").strip()
        try:
            return rows.item(safe(_object(line)), Origin(self._path.name, line.number), raw=raw)
        except Refused as refused:
            return Problem(self._path.name, line.number, refused.field, refused.code, refused.reason, raw=raw)


def _cover(rows: Rows, line: Line) -> Asset | None:
    try:
        return rows.cover(safe(_object(line)))
    except Refused:
        return None


def _lines(file: IO[bytes]) -> Iterator[Line]:
    """The lines; one that is too long is passed over without being held."""
    number = 0
    while line := file.readline(LONGEST_LINE + 2):
        number += 1
        too_long = len(line.rstrip(b"\r\n")) > LONGEST_LINE
        while too_long and line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if too_long or line.strip():
            yield Line(number, None if too_long else line)


def _members(file: IO[bytes]) -> Iterator[Line]:
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors=NO_TEXT_MARK, newline="") as text:
        for member in members(text):
            # A row that is sent again alone is a line.
            raw = orjson.dumps(member.value) if _is_plain(member.value) else member.raw.encode("utf-8", "replace")
            yield Line(member.line, raw, member.value)


def _is_plain(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _object(line: Line) -> Mapping[str, Any]:
    if line.raw is None:
        raise Refused("too_long", f"A line has at most {LONGEST_LINE} bytes.")
    row = _parsed(line.raw) if line.value is None else line.value
    if not isinstance(row, dict):
        raise Refused("not_an_object", "A line must be a JSON object.")
    return row


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _not_json(line, error) from None


def _not_json(line: bytes, error: orjson.JSONDecodeError) -> Refused:
    try:
        line.decode()
    except UnicodeDecodeError as broken:
        return Refused("not_utf8", f"The line is not UTF-8 at byte {broken.start + 1}.")
    return Refused("not_json", f"The line is not JSON: {error.msg} at character {error.pos + 1}.")


def _is_document(source: Path) -> bool:
    """Whether it is one document, and not an object a line."""
    with opened(source) as file:
        beginning = file.read(_BEGINNING).decode("utf-8-sig", "replace")
    if not holds_list(beginning):
        return False
    if beginning.lstrip().startswith("["):
        return True
    with opened(source) as file:
        first = list(islice(_lines(file), 2))
    row = _row(first[0])
    if row is None:
        return True
    return len(first) == 1 and not any(plain_name(name) in _OF_ITEMS for name in row)


def _row(line: Line) -> dict[str, Any] | None:
    try:
        row = orjson.loads(line.raw or b"")
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


def _recognise(source: Path) -> int:
    """A file whose first line is a JSON object, or that begins as a list of objects does."""
    if not source.is_file():
        return 0
    try:
        if _is_document(source):
            return 25
        with opened(source) as file:
            first = next(_lines(file), None)
    except BROKEN:
        return 0
    return 60 if first is not None and _row(first) is not None else 0


FORMAT = Format("JSON, one object a line, or a list of objects", read, _recognise, mappable=True, choices=CHOICES)
