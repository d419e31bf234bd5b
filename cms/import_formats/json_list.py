"""One JSON document that is a list of objects, or holds one: its objects one by one, in flat memory."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

# What lists of entries are called in the documents of other systems and their interfaces.
LISTS = ("data", "items", "rows", "entries", "articles", "posts", "news", "pages", "results", "records")
LONGEST = 4 * 1024 * 1024

_BLOCK = 64 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the list: the line that it begins on, how it is written, and its value."""

    line: int
    raw: str
    value: Any


class NotAList(Exception):
    """The text cannot be read on from that line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def holds_list(beginning: str) -> bool:
    """Whether a document that begins so is a list of objects, or has one under a name that is usual."""
    scanner = _Scanner(_Text(beginning))
    try:
        scanner.find_list()
        return scanner.peek() in ("{", "]")
    except NotAList:
        return False


def members(text: IO[str]) -> Iterator[Member]:
    """The members of the list. Raises `NotAList` where the text is no JSON, after those that came before."""
    scanner = _Scanner(text)
    scanner.find_list()
    while scanner.peek() != "]":
        yield scanner.value()
        if scanner.peek() not in (",", "]"):
            raise NotAList(scanner.line, "The JSON cannot be read on: after a member there must be a comma.")
        if scanner.peek() == ",":
            scanner.skip(1)


class _Text:
    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, _size: int = -1) -> str:
        text, self._text = self._text, ""
        return text


class _Scanner:
    """A text, and how far it has been read."""

    def __init__(self, text: "IO[str] | _Text") -> None:
        self._text = text
        self._held = ""
        self._at = 0
        self.line = 1

    def find_list(self) -> None:
        """Goes to the first member."""
        if self.peek() == "{":
            self.skip(1)
            self._find_usual()
        if self.peek() != "[":
            raise NotAList(self.line, "This is no list of JSON objects.")
        self.skip(1)

    def _find_usual(self) -> None:
        while True:
            name = self.value().value
            if self.peek() != ":":
                raise NotAList(self.line, "The JSON cannot be read: after a name there must be a colon.")
            self.skip(1)
            if name in LISTS and self.peek() == "[":
                return
            self.value()
            if self.peek() != ",":
                raise NotAList(self.line, f"There is no list of JSON objects. It may be called: {', '.join(LISTS)}.")
            self.skip(1)

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            space = _SPACE.match(self._held, self._at)
            self._go(space.end() if space else self._at)
            if self._at < len(self._held) or not self._more(_BLOCK):
                return self._held[self._at : self._at + 1]

    def skip(self, length: int) -> None:
        """Goes on."""
        self._go(self._at + length)

    def value(self) -> Member:
        """The value that begins here."""
        self.peek()
        while True:
            held = len(self._held) - self._at
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except json.JSONDecodeError as error:
                if held <= LONGEST and self._more(max(held, _BLOCK)):
                    continue
                raise NotAList(self.line, f"The JSON cannot be read on: {error.msg}.") from None
            except (RecursionError, ValueError):
                raise NotAList(self.line, "The JSON is nested too deep, or has a number that is too long.") from None
            # A number may go on in what has not been read yet.
            if end < len(self._held) or not self._more(_BLOCK):
                member = Member(self.line, self._held[self._at : end], value)
                self._go(end)
                return member

    def _go(self, to: int) -> None:
        self.line += self._held.count("\n", self._at, to)
        self._at = to

    def _more(self, size: int) -> bool:
        more = self._text.read(size)
        self._held = self._held[self._at :] + more
        self._at = 0
        return bool(more)
