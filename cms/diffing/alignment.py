"""Which stretches of two sequences are the same, in order, in nearly linear time."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from itertools import chain, count
from typing import NamedTuple

from rapidfuzz.distance import LCSseq

# One exact comparison costs a bit a cell: 2 MB and about 2 ms at this size. Larger stretches are cut up first.
LARGEST_EXACT = 16_000_000
PASSAGE = 5
STEP = 6
# Hostile text can hold its anchors such that each level cuts off a crumb: after this many levels, halve.
DEEPEST_ANCHORS = 8


class Match(NamedTuple):
    """`size` equal members, from `old[at]` and from `new[to]`."""

    at: int
    to: int
    size: int


class _Span(NamedTuple):
    at: int
    at_end: int
    to: int
    to_end: int
    depth: int = 0

    @property
    def cells(self) -> int:
        return (self.at_end - self.at) * (self.to_end - self.to)


def align(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Match]:
    """A common subsequence as matches in order: the longest one, unless the two are too large to compare exactly."""
    found: list[Match] = []
    middle = _strip(old, new, span=_Span(0, len(old), 0, len(new)), found=found)
    if middle.cells > 1:
        inner = _align_numbers(*_numbered(old[middle.at : middle.at_end], new[middle.to : middle.to_end]))
        found += [Match(middle.at + match.at, middle.to + match.to, match.size) for match in inner]
    return _merged(sorted(found))


# rapidfuzz compares hashes, not values: numbers of our own make that exact.
def _numbered(old: Sequence[Hashable], new: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    numbers = dict(zip(dict.fromkeys(chain(old, new)), count(), strict=False))
    return [numbers[member] for member in old], [numbers[member] for member in new]


def _align_numbers(old: list[int], new: list[int]) -> list[Match]:
    found: list[Match] = []
    spans = [_Span(0, len(old), 0, len(new))]
    while spans:
        span = _strip(old, new, span=spans.pop(), found=found)
        if 1 < span.cells <= LARGEST_EXACT:
            found += _exact(old, new, span)
        elif span.cells > 1:
            spans += _cut(old, new, span=span, found=found)
    return found


def gaps(matches: Iterable[Match], old_size: int, new_size: int) -> Iterable[tuple[range, range, Match]]:
    """What differs before each match, with the match; the last one is empty and stands at the end."""
    at = to = 0
    for match in [*matches, Match(old_size, new_size, 0)]:
        yield range(at, match.at), range(to, match.to), match
        at, to = match.at + match.size, match.to + match.size


def longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest chain that rises in both members, of pairs sorted by the first."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, to) in enumerate(pairs):
        place = bisect_left(tails, to)
        before.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [to]
        ends[place : place + 1] = [index]
    return _followed_back(pairs, before, ends[-1] if ends else -1)


def _followed_back(pairs: Sequence[tuple[int, int]], before: list[int], index: int) -> list[tuple[int, int]]:
    chain = []
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _strip(old: Sequence[Hashable], new: Sequence[Hashable], *, span: _Span, found: list[Match]) -> _Span:
    at, at_end, to, to_end, depth = span
    while at < at_end and to < to_end and old[at] == new[to]:
        at, to = at + 1, to + 1
    while at < at_end and to < to_end and old[at_end - 1] == new[to_end - 1]:
        at_end, to_end = at_end - 1, to_end - 1
    found.append(Match(span.at, span.to, at - span.at))
    found.append(Match(at_end, to_end, span.at_end - at_end))
    return _Span(at, at_end, to, to_end, depth)


def _exact(old: list[int], new: list[int], span: _Span) -> list[Match]:
    codes = LCSseq.opcodes(old[span.at : span.at_end], new[span.to : span.to_end])
    return [
        Match(span.at + code.src_start, span.to + code.dest_start, code.src_end - code.src_start)
        for code in codes
        if code.tag == "equal"
    ]


def _cut(old: list[int], new: list[int], *, span: _Span, found: list[Match]) -> list[_Span]:
    """Smaller spans between passages that both have once; without such passages, the two halves."""
    depth = span.depth + 1
    anchors = _anchors(old[span.at : span.at_end], new[span.to : span.to_end]) if depth <= DEEPEST_ANCHORS else []
    if not anchors:
        depth = DEEPEST_ANCHORS
        middle, new_middle = (span.at + span.at_end) // 2, (span.to + span.to_end) // 2
        return [
            _Span(span.at, middle, span.to, new_middle, depth),
            _Span(middle, span.at_end, new_middle, span.to_end, depth),
        ]
    found += [Match(span.at + match.at, span.to + match.to, match.size) for match in anchors]
    between = gaps(anchors, span.at_end - span.at, span.to_end - span.to)
    return [
        _Span(span.at + removed.start, span.at + removed.stop, span.to + added.start, span.to + added.stop, depth)
        for removed, added, _ in between
        if removed and added
    ]


def _anchors(old: list[int], new: list[int]) -> list[Match]:
    """Passages that stand once in `new`, looked for at every few places of `old`."""
    passages = list(zip(*(new[start:] for start in range(PASSAGE)), strict=False))
    last = dict(zip(passages, count(), strict=False))
    first = dict(zip(reversed(passages), range(len(passages) - 1, -1, -1), strict=True))
    pairs = []
    for at in range(0, len(old) - PASSAGE, STEP):
        passage = tuple(old[at : at + PASSAGE])
        to = last.get(passage)
        if to is not None and first[passage] == to:
            pairs.append((at, to))
    return _passages_joined(old, new, longest_rising(pairs))


def _passages_joined(old: list[int], new: list[int], chosen: list[tuple[int, int]]) -> list[Match]:
    joined: list[Match] = []
    at_end = to_end = 0
    for at, to in chosen:
        overlap = max(at_end - at, to_end - to, 0)
        if joined and at - at_end == to - to_end and old[at_end:at] == new[to_end:to]:
            last = joined[-1]
            joined[-1] = Match(last.at, last.to, at + PASSAGE - last.at)
        elif overlap < PASSAGE:
            joined.append(Match(at + overlap, to + overlap, PASSAGE - overlap))
        else:
            continue
        at_end, to_end = at + PASSAGE, to + PASSAGE
    return joined


def _merged(matches: Iterable[Match]) -> list[Match]:
    merged: list[Match] = []
    for match in matches:
        last = merged[-1] if merged else None
        if last and match.size and (last.at + last.size, last.to + last.size) == (match.at, match.to):
            merged[-1] = Match(last.at, last.to, last.size + match.size)
        elif match.size:
            merged.append(match)
    return merged
