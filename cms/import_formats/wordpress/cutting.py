"""Cuts an export into its elements as it is read, so that memory stays flat and one bad element spoils no other.

An XML parser ends at the first fault. A file of many thousand posts has some: a byte that is no UTF-8, a control
character, an element left open. Each element is parsed alone, without a document type: entities have no meaning.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cms.import_formats.item import SourceUnreadable

LARGEST_ELEMENT = 16 * 1024 * 1024
LARGEST_PREAMBLE = 256 * 1024
CHUNK = 1024 * 1024

_START = re.compile(r"<!\[CDATA\[|<!--|<(?P<kind>item|wp:author|wp:category|wp:tag|wp:term)[\s>]")
_INSIDE = {
    kind: re.compile(rf"<!\[CDATA\[|<!--|</{kind}\s*>")
    for kind in ("item", "wp:author", "wp:category", "wp:tag", "wp:term")
}
_CLOSING = {"<![CDATA[": "]]>", "<!--": "-->"}
# Longer than any mark that may be cut in two by the end of a chunk.
_TAIL = 32
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the channel as text. `line` counts from 1; `text` is None where it is too large to be held;
    `number` is its place among all elements of the file."""

    kind: str
    line: int
    number: int
    text: str | None


def opened(path: Path) -> TextIO:
    """The file as text. Bytes that are none become halves of surrogate pairs. Raises `SourceUnreadable`."""
    try:
        with path.open("rb") as file:
            encoding = _encoding(file.read(1024))
        errors = "surrogateescape" if encoding in ("utf-8", "utf-8-sig") else "replace"
        return path.open(encoding=encoding, errors=errors)
    except OSError as error:
        raise SourceUnreadable(str(path), error.strerror or "cannot be read") from error


def preamble(path: Path) -> str:
    """What stands before the first post, author or term: the root, and what the channel tells of the site."""
    with opened(path) as file:
        start = _read(file, LARGEST_PREAMBLE)
    at = 0
    while mark := _START.search(start, at):
        if mark["kind"]:
            return start[: mark.start()]
        end = start.find(_CLOSING[mark[0]], mark.end())
        if end < 0:
            break
        at = end
    return start


def elements(path: Path) -> Iterator[Element]:
    """Posts, authors and terms, one by one; the last may be cut off where the file ends too early."""
    with opened(path) as file:
        yield from _Cutter(file).elements()


class _Cutter:
    """`_from` is where in the buffer the element begins, or what has not been looked through yet; `_at` is where to
    look on from."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._buffer = ""
        self._from = 0
        self._at = 0
        self._line = 1

    def elements(self) -> Iterator[Element]:
        number = 0
        while (kind := self._next_start()) is not None:
            text = self._rest_of(kind)
            yield Element(kind, self._line, number, text)
            number += 1
            self._begin_at(self._at)

    def _next_start(self) -> str | None:
        """Goes to where the next element starts, and tells its kind; None at the end of the file."""
        while True:
            mark = _START.search(self._buffer, self._at)
            if mark is None:
                self._begin_at(max(self._at, len(self._buffer) - _TAIL))
                if not self._more():
                    return None
            elif kind := mark["kind"]:
                self._begin_at(mark.start())
                self._at = mark.end()
                return kind
            elif not self._pass_over(mark, inside=False):
                return None

    def _rest_of(self, kind: str) -> str | None:
        """The text of the element, to where the file ends if it has no end; None when it is too large."""
        while not self._is_too_large():
            mark = _INSIDE[kind].search(self._buffer, self._at)
            if mark is None:
                self._at = max(self._at, len(self._buffer) - _TAIL)
                if self._more():
                    continue
                self._at = len(self._buffer)
                return self._buffer[self._from :]
            self._at = mark.end()
            if mark[0].startswith("</"):
                return self._buffer[self._from : self._at]
            self._pass_over(mark, inside=True)
        return None

    def _pass_over(self, mark: re.Match[str], *, inside: bool) -> bool:
        """Goes behind a CDATA section or a comment; False, and near the end of what was read, when it has none."""
        closing = _CLOSING[mark[0]]
        self._at = mark.end()
        while (end := self._buffer.find(closing, self._at)) < 0:
            self._at = max(self._at, len(self._buffer) - _TAIL)
            if not inside:
                self._begin_at(self._at)
            if self._is_too_large() or not self._more():
                return False
        self._at = end + len(closing)
        return True

    def _is_too_large(self) -> bool:
        return len(self._buffer) - self._from > LARGEST_ELEMENT

    def _more(self) -> bool:
        chunk = _read(self._file, CHUNK)
        self._buffer = self._buffer[self._from :] + chunk
        self._at -= self._from
        self._from = 0
        return bool(chunk)

    def _begin_at(self, place: int) -> None:
        self._line += self._buffer.count("\n", self._from, place)
        self._from = place
        self._at = max(self._at, place)


# A decoder of two-byte characters may find the end of the file amid one.
def _read(file: TextIO, size: int) -> str:
    try:
        return file.read(size)
    except UnicodeError:
        return ""


def _encoding(start: bytes) -> str:
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    declared = _DECLARED.search(start)
    name = marked or (declared[1].decode().lower() if declared else "utf-8")
    try:
        found = codecs.lookup(name)
    except LookupError:
        return "utf-8"
    is_text = getattr(found, "_is_text_encoding", True)
    return found.name if is_text and found.name not in ("idna", "punycode", "undefined") else "utf-8"
