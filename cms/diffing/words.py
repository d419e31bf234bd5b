"""Text compared word by word, so that a reader can follow it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise

from cms.diffing.alignment import Match, align, gaps
from cms.diffing.shapes import Op, Run

WORD = re.compile(r"\w+|\s+|[^\w\s]")
SENTENCE = re.compile(r".{40,400}?(?:[.!?]\s+|\n)|.{1,400}", re.DOTALL)
# Characters of both texts; what is longer is compared by sentence first. By word, this takes about a second at worst.
LONGEST_BY_WORD = 800_000


def word_runs(old: str, new: str) -> list[Run]:
    """Runs whose kept and removed texts make up `old`, and whose kept and added texts make up `new`."""
    return runs_between(old, new, matching_text(old, new))


def runs_between(old: str, new: str, matches: list[Match]) -> list[Run]:
    """The runs that `matches` leave."""
    return [{"op": op, "text": text} for op, text in _pieces(old, new, matches)]


def matching_text(old: str, new: str) -> list[Match]:
    """The stretches of characters, whole words each, that stayed."""
    if old == new:
        return [Match(0, 0, len(old))] if old else []
    matches = _by_sentence(old, new) if len(old) + len(new) > LONGEST_BY_WORD else _matching_units(old, new, WORD)
    return _readable(matches, old=old, new=new)


def runs_of(text: str, op: Op) -> list[Run]:
    """One run, or none for an empty text."""
    return [{"op": op, "text": text}] if text else []


def whole_runs(old: str, new: str) -> list[Run]:
    """The whole text as removed and added."""
    return runs_of(old, "kept") if old == new else runs_of(old, "removed") + runs_of(new, "added")


def joined(parts: Iterable[tuple[Op, Sequence[Run]]], separator: str) -> list[Run]:
    """The runs of all parts, with separators so that each side reads as its own parts joined by `separator`."""
    pieces: list[tuple[Op, str]] = []
    old_began = new_began = False
    for op, runs in parts:
        in_old, in_new = old_began and op != "added", new_began and op != "removed"
        if in_old or in_new:
            pieces.append(("kept" if in_old and in_new else "removed" if in_old else "added", separator))
        old_began, new_began = old_began or op != "added", new_began or op != "removed"
        pieces += [(run["op"], run["text"]) for run in runs]
    return [{"op": op, "text": text} for op, text in _merged(pieces)]


def _by_sentence(old: str, new: str) -> list[Match]:
    """By sentence, and by word within the first changes, as far as that is not too long either."""
    matches: list[Match] = []
    left = LONGEST_BY_WORD
    for removed, added, kept in gaps(_matching_units(old, new, SENTENCE), len(old), len(new)):
        if len(removed) + len(added) <= left:
            left -= len(removed) + len(added)
            inner = _matching_units(old[removed.start : removed.stop], new[added.start : added.stop], WORD)
            matches += [Match(removed.start + match.at, added.start + match.to, match.size) for match in inner]
        matches += [kept] if kept.size else []
    return matches


def _matching_units(old: str, new: str, unit: re.Pattern[str]) -> list[Match]:
    old_units, new_units = unit.findall(old), unit.findall(new)
    starts, new_starts = _starts(old_units), _starts(new_units)
    return [
        Match(starts[match.at], new_starts[match.to], starts[match.at + match.size] - starts[match.at])
        for match in align(old_units, new_units)
    ]


def _starts(tokens: Sequence[str]) -> list[int]:
    return list(accumulate(map(len, tokens), initial=0))


def _readable(matches: list[Match], *, old: str, new: str) -> list[Match]:
    """Without the matches so small among the changes around them that they would only make confetti of the sentence."""
    sizes = [max(len(removed), len(added)) for removed, added, _ in gaps(matches, len(old), len(new))]
    readable: list[Match] = []
    before = sizes[0] if sizes else 0
    for match, after in zip(matches, sizes[1:], strict=True):
        if before and after and _is_confetti(old[match.at : match.at + match.size], min(before, after)):
            before += match.size + after
        else:
            readable.append(match)
            before = after
    return readable


def _is_confetti(text: str, smaller_change: int) -> bool:
    if "\n" in text:
        return False
    return len(text) * 2 <= smaller_change or not any(map(str.isalnum, text))


def _pieces(old: str, new: str, matches: list[Match]) -> Iterator[tuple[Op, str]]:
    for removed, added, match in gaps(matches, len(old), len(new)):
        if removed:
            yield "removed", old[removed.start : removed.stop]
        if added:
            yield "added", new[added.start : added.stop]
        if match.size:
            yield "kept", old[match.at : match.at + match.size]


def _merged(pieces: Sequence[tuple[Op, str]]) -> Iterator[tuple[Op, str]]:
    starts = [0] + [index + 1 for index, (one, two) in enumerate(pairwise(pieces)) if one[0] != two[0]]
    for start, end in zip(starts, [*starts[1:], len(pieces)], strict=True):
        if text := "".join(text for _, text in pieces[start:end]):
            yield pieces[start][0], text
