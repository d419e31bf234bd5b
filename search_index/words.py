"""The visitor's words: terms, "phrases", prefix* and -exclusions. Anything else typed only separates words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from search_index.analysis import WORD, clean
from search_index.engine import QueryTooLong

MAX_CHARACTERS = 512
MAX_WORDS = 32

_PIECE = re.compile(
    r"""(?P<minus>(?<!\S)-)?
        (?: "(?P<straight>[^"]*)" | «(?P<angle>[^«»]*)» | [“„](?P<curly>[^“”„]*)[”“]
          | (?P<word>[^\W_]+)(?P<star>\*)? )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it stands in the clean text of the query."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A term or prefix of one word, or a phrase of several."""

    kind: Literal["term", "prefix", "phrase"]
    words: tuple[Word, ...]
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A query as read; `text` is clean and the words' positions refer to it."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()

    def is_unfinished(self, piece: Piece) -> bool:
        """Whether the visitor may still be typing this term: nothing follows it."""
        return piece.kind == "term" and piece.words[0].end == len(self.text)


def read(text: str) -> Words:
    """Never fails on what is typed, only on too much of it (QueryTooLong)."""
    if len(text) > MAX_CHARACTERS:
        raise QueryTooLong(MAX_CHARACTERS, "characters")
    text = clean(text)
    pieces = tuple(_pieces(text))
    if sum(len(piece.words) for piece in pieces) > MAX_WORDS:
        raise QueryTooLong(MAX_WORDS, "words")
    return Words(text, pieces)


def _pieces(text: str) -> Iterator[Piece]:
    for match in _PIECE.finditer(text):
        excluded = match["minus"] is not None
        words = tuple(_words(text, match.start(), match.end()))
        if match["word"]:
            yield Piece("prefix" if match["star"] else "term", words, excluded)
        elif words:
            yield Piece("phrase" if len(words) > 1 else "term", words, excluded)


def _words(text: str, start: int, end: int) -> Iterator[Word]:
    for match in WORD.finditer(text, start, end):
        yield Word(match[0], match.start(), match.end())
