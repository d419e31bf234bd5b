"""Our own shape, as `sitedesk export` writes it: lines of all that a site has, the bytes of its files beside them."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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

MAIN = "site.jsonl"
# An item of this type is brought whole, by `transferring.bring`.
WHOLE = "*"
LONGEST_LINE = 64 * 1024 * 1024
_SHOWN_KEY = 200


def read(source: Path, _options: Options) -> "SiteReading":
    """Opens the unpacked export, or its lines alone. Raises `SourceUnreadable`."""
    lines = source / MAIN if source.is_dir() else source
    try:
        with lines.open("rb"):
            return SiteReading(lines, source / "media" if source.is_dir() else None)
    except OSError as error:
        raise SourceUnreadable(str(lines), error.strerror or "cannot be read") from error


class SiteReading:
    """A file of lines; each is an item of type `*`, whose `raw` is the line."""

    links_inside = False

    def __init__(self, lines: Path, media: Path | None) -> None:
        self._lines = lines
        self._media = media

    def items(self) -> Iterator[Item | Problem]:
        """One for each line. An export that breaks off is told at its end."""
        kind = ""
        number = 0
        with self._lines.open("rb") as file:
            for number, line in _lines(file):
                item = self._item(number, line)
                kind = item.external_id.partition(":")[0] if isinstance(item, Item) else ""
                yield item
        if kind != "end":
            said = "The export breaks off here: its last line is missing. What is there comes in."
            yield Problem(self._lines.name, number, None, "truncated", said)

    def _item(self, number: int, line: bytes | None) -> Item | Problem:
        if line is None:
            return self._problem(number, "too_long", f"A line has at most {LONGEST_LINE} bytes.")
        try:
            raw = line.decode().rstrip("\r\n")
            told = orjson.loads(raw)
        except (UnicodeDecodeError, orjson.JSONDecodeError) as error:
            return self._problem(number, "not_json", f"The line is not JSON: {str(error)[:200]}.")
        if not isinstance(told, dict) or not isinstance(told.get("line"), str):
            return self._problem(number, "unknown_kind", "A line is an object whose `line` tells what it is.")
        key = _key(told)
        if len(key) > LONGEST_EXTERNAL_ID or not key.isprintable():
            return self._problem(number, "bad_key", "What this line is known by is too long, or no readable text.")
        return Item(Origin(self._lines.name, number), key, {}, type=WHOLE, raw=raw)

    def _problem(self, number: int, code: str, reason: str) -> Problem:
        return Problem(self._lines.name, number, None, code, reason)

    def count(self) -> int:
        """The lines."""
        with self._lines.open("rb") as file:
            return sum(1 for _ in _lines(file))

    def people(self) -> Iterator[Author]:
        """None: persons have lines of their own."""
        return iter(())

    def assets(self) -> Iterator[Asset]:
        """None: files have lines of their own; `asset` gives their bytes."""
        return iter(())

    def asset(self, external_id: str) -> Asset | None:
        """The bytes with this SHA-256, where they lie beside the lines."""
        if self._media is None or not external_id.isalnum():
            return None
        path = self._media / external_id
        return Asset(external_id, path) if path.is_file() else None

    def target(self, origin_file: str, url: str) -> None:
        """None: references are ids already."""


def _key(told: dict[str, object]) -> str:
    names = (
        "id",
        "name",
        "type",
        "number",
        "entry_id",
        "sha256",
        "section",
        "counter",
        "banner_id",
        "placement",
        "day",
    )
    of = {"person": ("id",), "entry": ("id",), "redirect": ("id",), "type": ("name",), "file": ("sha256",)}
    chosen = of.get(str(told["line"]), names if told["line"] not in ("site", "end") else ())
    return ":".join((str(told["line"]), *(str(told[name])[:_SHOWN_KEY] for name in chosen if name in told)))


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbers and lines that are not blank; None for one that is too long, passed over without being held."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        too_long = len(line) > LONGEST_LINE
        while too_long and line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        if too_long or line.strip():
            yield number, None if too_long else line


def _recognise(source: Path) -> int:
    """What begins with the line that says so."""
    lines = source / MAIN if source.is_dir() else source
    if not lines.is_file():
        return 0
    with lines.open("rb") as file:
        first = file.readline(64 * 1024)
    try:
        told = orjson.loads(first)
    except orjson.JSONDecodeError:
        return 0
    says_so = isinstance(told, dict) and told.get("line") == "site" and "version" in told and "everything" in told
    return 100 if says_so else 0


FORMAT = Format("What a Sitedesk has exported, whole", read, _recognise)
