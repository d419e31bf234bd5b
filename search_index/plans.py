"""From the visitor's words to what an engine looks for, with the index's own vocabulary to mend them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from rapidfuzz import process
from rapidfuzz.distance import OSA

from search_index.analysis import fold, stem, variants
from search_index.engine import Query
from search_index.words import Piece, Word, Words

MAX_COMPLETIONS = 64
MAX_CORRECTIONS = 5

TokenSequence = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """Any one of these sequences: single tokens, or several that follow one another."""

    sequences: tuple[TokenSequence, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All required clauses, or any for `match_any`, and none of the excluded; without required, everything."""

    required: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()
    match_any: bool = False


class Row(NamedTuple):
    id: str
    score: float
    title: str
    summary: str
    body: str


class Found(NamedTuple):
    rows: list[Row]
    total: int
    facets: Mapping[str, tuple[tuple[str, int], ...]]


class Reader(Protocol):
    """One consistent view of an index: the little that each engine does in its own way."""

    def has(self, token: str) -> bool:
        """Whether a live document holds the token."""

    def words(self, prefix: str) -> Iterable[tuple[str, int]]:
        """The unstemmed words that begin so, each with about how many documents have it."""

    def find(self, plan: Plan, query: Query) -> Found:
        """The page of rows that the query asks for, best or newest first."""

    def titles(self, prefixes: tuple[str, ...], *, locale: str | None, limit: int) -> list[str]:
        """The newest titles in which every prefix begins some word."""


@dataclass(slots=True)
class Understanding:
    """A plan and what was done to the words for it."""

    plan: Plan
    corrections: dict[Word, str] = field(default_factory=dict)
    is_exact: bool = True
    unknown: int = 0

    def loosened(self) -> Plan:
        return replace(self.plan, match_any=True)


def understand(words: Words, reader: Reader, *, locale: str | None) -> Understanding:
    """Words the index lacks are completed (the last one, as if unfinished) or corrected to their nearest."""
    return _Interpreter(words, reader, locale).understand()


class _Interpreter:
    def __init__(self, words: Words, reader: Reader, locale: str | None) -> None:
        self._words = words
        self._reader = reader
        self._locale = locale
        self._result = Understanding(Plan())

    def understand(self) -> Understanding:
        required, excluded = [], []
        for piece in self._words.pieces:
            clause = Clause(tuple(dict.fromkeys(self._sequences(piece))))
            if piece.excluded:
                excluded.append(clause)
            elif clause.sequences:
                required.append(clause)
            else:
                self._result.unknown += 1
        self._result.plan = Plan(tuple(required), tuple(excluded))
        return self._result

    def _sequences(self, piece: Piece) -> Iterable[TokenSequence]:
        if piece.kind == "phrase":
            return self._phrase(piece)
        if piece.kind == "prefix":
            return self._singles(self._completions(piece.words[0]))
        return self._term(piece)

    def _term(self, piece: Piece) -> Iterable[TokenSequence]:
        word = piece.words[0]
        known = [(token,) for token in self._variants(word.text) if self._reader.has(token)]
        if piece.excluded:
            return known
        completions = self._endings(word) if self._words.is_unfinished(piece) else []
        if known or completions:
            return [*known, *self._singles(completions)]
        return self._singles(self._corrections(word))

    def _endings(self, word: Word) -> list[str]:
        """What an unfinished word may become; none when it is a word as it stands."""
        begun = fold(word.text)
        if len(begun) < 2 or any(text == begun for text, _ in self._reader.words(begun)):
            return []
        return self._completions(word)

    def _phrase(self, piece: Piece) -> Iterator[TokenSequence]:
        """One sequence per way of indexing: all stemmed or all as written."""
        texts = [self._known_form(word, piece) for word in piece.words]
        ways = [self._variants(text) for text in texts if text]
        if len(ways) == len(piece.words):
            yield tuple(way[0] for way in ways)
            yield tuple(way[-1] for way in ways)

    def _known_form(self, word: Word, piece: Piece) -> str | None:
        if piece.excluded or any(map(self._reader.has, self._variants(word.text))):
            return word.text
        return next(iter(self._corrections(word)), None)

    def _completions(self, word: Word) -> list[str]:
        found = sorted(self._reader.words(fold(word.text)), key=_most_frequent)
        self._result.is_exact &= len(found) <= MAX_COMPLETIONS
        return [text for text, _ in found[:MAX_COMPLETIONS]]

    def _corrections(self, word: Word) -> list[str]:
        nearest = [text for text in _nearest(word.text, self._reader) if self._is_live(text)]
        if nearest:
            self._result.corrections[word] = nearest[0]
        return nearest

    def _is_live(self, text: str) -> bool:
        # Engines keep the words of removed documents in their dictionaries for a while.
        return any(map(self._reader.has, self._variants(text)))

    def _singles(self, texts: Iterable[str]) -> Iterator[TokenSequence]:
        return ((token,) for text in texts for token in self._variants(text))

    def _variants(self, text: str) -> tuple[str, ...]:
        return variants(text, locale=self._locale)


def _nearest(word: str, reader: Reader) -> list[str]:
    """The closest words that share the first letter: by spelling or, failing that, by stem."""
    folded = fold(word)
    if _tolerance(folded) == 0:
        return []
    vocabulary = list(reader.words(folded[0]))
    closest = _closest(folded, [text for text, _ in vocabulary])
    if not closest:
        closest = _closest(stem(word), [stem(text) for text, _ in vocabulary])
    best = sorted((vocabulary[index] for index in closest), key=_most_frequent)
    return [text for text, _ in best[:MAX_CORRECTIONS]]


def _closest(wanted: str, choices: Sequence[str]) -> list[int]:
    """Which of the choices are equally the nearest."""
    if _tolerance(wanted) == 0:
        return []
    found = process.extract(wanted, choices, scorer=OSA.distance, score_cutoff=_tolerance(wanted), limit=None)
    least = min((distance for _, distance, _ in found), default=0)
    return [index for _, distance, index in found if distance == least]


def _tolerance(word: str) -> int:
    """How many letters may differ; short words and numbers have too many neighbours to guess."""
    if len(word) < 4 or not word.isalpha():
        return 0
    return 1 if len(word) < 8 else 2


def _most_frequent(word: tuple[str, int]) -> tuple[int, str]:
    return (-word[1], word[0])
