"""Where the words found stand in a text, and the piece of text that shows them best."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from search_index.analysis import WORD, fold, stem
from search_index.engine import Marked, Range, Snippet
from search_index.plans import Plan, TokenSequence

WINDOW = 200
MAX_RANGES = 200
_MAX_OF_ONE_WORD = 40  # a common word in a long text shows as well with the first of them
_SPACE = re.compile(r"\s")
# The three English stems that do not begin as the word does: dying, lying, tying.
_IRREGULAR = {"die", "lie", "tie"}


class _Match(NamedTuple):
    start: int
    end: int
    token: str


@dataclass(frozen=True, slots=True)
class Marker:
    """What to mark: sequences by their first token, and beginnings of words that are worth a look."""

    by_first: dict[str, tuple[TokenSequence, ...]]
    probes: tuple[str, ...]


def marker(plan: Plan) -> Marker:
    """A marker for the words that a plan looks for."""
    by_first: dict[str, tuple[TokenSequence, ...]] = {}
    for clause in plan.required:
        for sequence in clause.sequences:
            by_first[sequence[0]] = (*by_first.get(sequence[0], ()), sequence)
    return Marker(by_first, _shortest({probe(token) for token in by_first}))


def mark(text: str, marker: Marker) -> Marked:
    """The whole text with its ranges."""
    return Marked(text, _ranges(_matches(text, marker)))


def snippets(summary: str, body: str, *, marker: Marker) -> tuple[Snippet, ...]:
    """The best piece of each field that matched, or else how the entry begins."""
    found = [_snippet(field, text, marker) for field, text in (("summary", summary), ("body", body))]
    matched = tuple(snippet for snippet in found if snippet.ranges)
    if matched:
        return matched
    return tuple(snippet for snippet in found if snippet.text)[:1]


def probe(token: str) -> str:
    """A beginning that every word of this token has: stemming alters the last letter at most."""
    if token in _IRREGULAR:
        return token[0]
    return token[:-1] if len(token) > 2 else token


def _shortest(probes: set[str]) -> tuple[str, ...]:
    return tuple(p for p in sorted(probes) if not any(p[:n] in probes for n in range(1, len(p))))


def _snippet(field: str, text: str, marker: Marker) -> Snippet:
    matches = _matches(text, marker)
    start, end = _window(text, matches)
    inside = [(a, b) for a, b in _ranges(matches) if a >= start and b <= end]
    return Snippet(field, _SPACE.sub(" ", text[start:end]), tuple((a - start, b - start) for a, b in inside))


def _window(text: str, matches: list[_Match]) -> Range:
    first, last = _best_cluster(matches)
    spare = max(0, WINDOW - (last - first)) // 2
    start = max(0, min(first - spare, len(text) - WINDOW))
    end = min(len(text), max(start + WINDOW, last))
    return _trim(text, (start, end), keep=(first, last) if matches else (start, start))


def _trim(text: str, window: Range, *, keep: Range) -> Range:
    """Without halves of words and spaces at the ends, as long as the matches stay."""
    start, end = window
    if start > 0 and not text[start - 1].isspace():
        space = _SPACE.search(text, start, keep[0])
        start = space.end() if space else start
    if end < len(text) and not text[end].isspace():
        cut = max(text.rfind(" ", keep[1], end), text.rfind("\n", keep[1], end))
        end = cut if cut > start else end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _best_cluster(matches: list[_Match]) -> Range:
    """From the first to the last of the neighbours that show the most different words."""
    best, best_worth = (0, 0), (0, 0)
    for index, match in enumerate(matches):
        cluster = [m for m in matches[index : index + 16] if m.end - match.start <= WINDOW] or [match]
        worth = (len({m.token for m in cluster}), len(cluster))
        if worth > best_worth:
            best, best_worth = (match.start, cluster[-1].end), worth
    return best


def _ranges(matches: Iterable[_Match]) -> tuple[Range, ...]:
    return tuple((match.start, match.end) for match in matches)


def _matches(text: str, marker: Marker) -> list[_Match]:
    """In order and without overlaps."""
    kept: list[_Match] = []
    for match in sorted(_all_matches(text, marker), key=lambda m: (m.start, -m.end)):
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
    return kept[:MAX_RANGES]


def _all_matches(text: str, marker: Marker) -> Iterator[_Match]:
    lowered = _lower(text)
    for beginning in marker.probes:
        places = _places(lowered, beginning)
        yield from islice((match for at in places for match in _matches_at(text, at, marker)), _MAX_OF_ONE_WORD)


def _places(lowered: str, beginning: str) -> Iterator[int]:
    """Where words begin so."""
    at = lowered.find(beginning)
    while at >= 0:
        if at == 0 or not lowered[at - 1].isalnum():
            yield at
        at = lowered.find(beginning, at + 1)


def _matches_at(text: str, at: int, marker: Marker) -> Iterator[_Match]:
    word = WORD.match(text, at)
    if word is None:
        return
    for token in {stem(word[0]), fold(word[0])}:
        for sequence in marker.by_first.get(token, ()):
            end = _end_of(text, word.end(), sequence)
            if end is not None:
                yield _Match(at, end, token)


def _end_of(text: str, at: int, sequence: TokenSequence) -> int | None:
    """Where the rest of the sequence ends, if it follows."""
    for token in sequence[1:]:
        word = WORD.search(text, at)
        if word is None or token not in (stem(word[0]), fold(word[0])):
            return None
        at = word.end()
    return at


def _lower(text: str) -> str:
    """Lower-case with е for ё, code point for code point, so that places in it are places in the text."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
    return lowered.replace("ё", "е")
