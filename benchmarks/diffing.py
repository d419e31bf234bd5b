"""How long a diff of a 200 kB body takes, for the edits that are hardest on it: `python -m benchmarks.diffing`."""

import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from cms.diffing import compare

SIZE = 200_000
LIMIT_MS = 300
REPEATS = 5
SEED = 20260101
COMMON = ["и", "в", "на", "что", "с", "не", "по", "это", "как", "the", "of", "to", "and", "a", "in", "for", "is", "on"]
STEMS = ("слово", "word")

Document = dict[str, Any]


class Row(NamedTuple):
    """One measured case; `milliseconds` is the median of several runs."""

    case: str
    milliseconds: float
    limit: int
    runs: int


def run() -> list[Row]:
    """Every case, measured."""
    return [measure(case, *build(random.Random(SEED))) for case, build in CASES.items()]


def measure(case: str, old: Document, new: Document) -> Row:
    """The median time of comparing the two bodies."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        diff = compare({"body": old}, {"body": new}, kinds={"body": "rich_text"})
        times.append((time.perf_counter() - started) * 1000)
    return Row(case, round(sorted(times)[REPEATS // 2], 1), LIMIT_MS, sum(len(field["runs"]) for field in diff))


def rewritten(source: random.Random) -> tuple[Document, Document]:
    """400 paragraphs, none of them as before."""
    return document(paragraphs(source, 400)), document(paragraphs(source, 400))


def one_paragraph_rewritten(source: random.Random) -> tuple[Document, Document]:
    """One paragraph of 200 kB, every word drawn anew."""
    return document([sentence(source, SIZE)]), document([sentence(source, SIZE)])


def scattered_edits(source: random.Random) -> tuple[Document, Document]:
    """One paragraph of 200 kB, every twentieth word changed, taken out or put in."""
    words = sentence(source, SIZE).split(" ")
    return document([" ".join(words)]), document([" ".join(edited(source, words))])


def monotonous(source: random.Random) -> tuple[Document, Document]:
    """One paragraph of one word repeated, with edits: nothing in it is found once."""
    words = ["day"] * (SIZE // 4)
    return document([" ".join(words)]), document([" ".join(edited(source, words))])


def shuffled(source: random.Random) -> tuple[Document, Document]:
    """5,000 short blocks in another order."""
    texts = paragraphs(source, 5000)
    return document(texts), document(source.sample(texts, len(texts)))


def every_block_edited(source: random.Random) -> tuple[Document, Document]:
    """5,000 short blocks, one word changed in each."""
    texts = paragraphs(source, 5000)
    return document(texts), document([text + " иначе" for text in texts])


def paragraphs(source: random.Random, count: int) -> list[str]:
    """So many paragraphs that weigh 200 kB together."""
    return [sentence(source, SIZE // count) for _ in range(count)]


def sentence(source: random.Random, size: int) -> str:
    """Words, half of them common ones, Russian and English, about `size` bytes of UTF-8 long."""
    words: list[str] = []
    length = 0
    while length < size:
        word = source.choice(COMMON) if source.random() < 0.5 else f"{source.choice(STEMS)}{source.randrange(3000)}"
        words.append(word + ("." if source.random() < 0.08 else ""))
        length += len(words[-1].encode()) + 1
    return " ".join(words)


def edited(source: random.Random, words: list[str]) -> list[str]:
    """The words with one in twenty changed, removed or followed by a new one."""
    choices: list[Callable[[str], list[str]]] = [lambda _: ["новое"], lambda _: [], lambda word: [word, "ещё"]]
    return [new for word in words for new in (source.choice(choices)(word) if source.random() < 0.05 else [word])]


def document(texts: list[str]) -> Document:
    """A ProseMirror document of plain paragraphs."""
    return {
        "type": "doc",
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]} for text in texts],
    }


CASES: dict[str, Callable[[random.Random], tuple[Document, Document]]] = {
    "400 paragraphs rewritten": rewritten,
    "one paragraph rewritten": one_paragraph_rewritten,
    "one paragraph, scattered edits": scattered_edits,
    "one paragraph of one word, scattered edits": monotonous,
    "5,000 blocks shuffled": shuffled,
    "5,000 blocks, each edited": every_block_edited,
}


if __name__ == "__main__":
    for row in run():
        print(f"{row.case:<45} {row.milliseconds:>8.1f} ms  (limit {row.limit})  {row.runs} runs")
