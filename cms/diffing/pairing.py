"""Which removed members were edited into which added ones."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from rapidfuzz.distance import Indel

from cms.diffing.alignment import Match, gaps, longest_rising

WORD = re.compile(r"\w+")
ALIKE = 0.4
ALIKE_BY_LETTER = 0.55
# A word in more places than this tells nothing about which place is which.
MOST_PLACES = 12
LETTERS_COMPARED = 1_000
# Up to so many possible pairs, every one is looked at.
FEW = 144

Related = Callable[[int, int], bool]


def edits(old: Sequence[str], new: Sequence[str], *, related: Related) -> Iterator[tuple[int | None, int | None]]:
    """All members in reading order: (at, to) where one was edited, (at, None) where removed, (None, to) where added."""
    pairs = paired(old, new, related=related) if old and new else []
    matches = [Match(at, to, 1) for at, to in pairs]
    for removed, added, match in gaps(matches, len(old), len(new)):
        yield from ((at, None) for at in removed)
        yield from ((None, to) for to in added)
        if match.size:
            yield match.at, match.to


def paired(old: Sequence[str], new: Sequence[str], *, related: Related) -> list[tuple[int, int]]:
    """Pairs in order, by words in common, then by position where letters are alike or `related` says so."""
    pairs = longest_rising(_by_words(old, new))
    matches = [Match(at, to, 1) for at, to in pairs]

    def akin(at: int, to: int) -> bool:
        return related(at, to) or _alike_by_letter(old[at], new[to])

    for removed, added, _ in gaps(matches, len(old), len(new)):
        pairs += (
            _in_order(removed, added, akin) if len(removed) * len(added) <= FEW else _in_place(removed, added, akin)
        )
    return sorted(pairs)


def _in_order(removed: range, added: range, akin: Related) -> Iterator[tuple[int, int]]:
    left = added.start
    for at in removed:
        to = next((to for to in range(left, added.stop) if akin(at, to)), None)
        if to is not None:
            yield at, to
            left = to + 1


def _in_place(removed: range, added: range, akin: Related) -> Iterator[tuple[int, int]]:
    if len(removed) == len(added):
        yield from (pair for pair in zip(removed, added, strict=True) if akin(*pair))


def _alike_by_letter(one: str, other: str) -> bool:
    one, other = one[:LETTERS_COMPARED], other[:LETTERS_COMPARED]
    if not one or not other or len(one) * 3 < len(other) or len(other) * 3 < len(one):
        return False
    return Indel.normalized_similarity(one, other, score_cutoff=ALIKE_BY_LETTER) > 0


def _by_words(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    old_words, new_words = [set(WORD.findall(text)) for text in old], [set(WORD.findall(text)) for text in new]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for to, words in enumerate(new_words):
        for word in words:
            places[word].append(to)
    pairs = []
    for at, words in enumerate(old_words):
        likeliest = _likeliest(words, places)
        if likeliest is not None and _likeness(words, new_words[likeliest]) >= ALIKE:
            pairs.append((at, likeliest))
    return pairs


def _likeliest(words: set[str], places: dict[str, list[int]]) -> int | None:
    votes: dict[int, int] = {}
    for among in [places[word] for word in words if word in places]:
        if len(among) <= MOST_PLACES:
            for to in among:
                votes[to] = votes.get(to, 0) + 1
    # Ties go to the earlier place: what a set of words yields first is not the same in every process.
    return min(votes, key=lambda to: (-votes[to], to), default=None)


def _likeness(one: set[str], other: set[str]) -> float:
    """From 0 to 1, by words in common; long words weigh more."""
    return 2 * _weight(one & other) / (_weight(one) + _weight(other))


def _weight(words: set[str]) -> int:
    return sum(map(len, words))
