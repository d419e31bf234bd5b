"""How fast each search engine indexes and answers over 5,000 real articles.

`python -m benchmarks.search [tantivy whoosh postgresql]` prints a Markdown table. PostgreSQL is taken from
`SITEDESK_BENCH_POSTGRESQL`, a URL of a database that may be written to, and left out without it.
"""

from __future__ import annotations

import json
import lzma
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from search_index import FACETS, Document, Engine, Query, open_engine
from search_index.analysis import WORD

ARTICLES = Path(__file__).parents[1] / ".." / "shared" / "data" / "articles.jsonl.xz"
APPLIED = 20

Ask = Callable[[Engine, str], object]


@dataclass(frozen=True)
class Timing:
    """Milliseconds of wall time over `count` different queries."""

    p50: float
    p95: float
    count: int


@dataclass(frozen=True)
class Report:
    """One engine: seconds to rebuild, megabytes on disk (embedded engines), and the timings by question."""

    engine: str
    rebuild_seconds: float
    megabytes: float | None
    timings: dict[str, Timing]


def read_articles(path: Path = ARTICLES) -> Iterator[Document]:
    """The articles as the index gets them, plain text."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            yield Document(
                id=row["external_id"],
                type="article",
                locale=row["lang"],
                title=row["title"],
                summary=row["intro"] or "",
                body=LexborHTMLParser(row["body_html"]).text(),
                section=row["section"],
                topics=tuple(row["tags"]),
                published_at=datetime.fromisoformat(row["published_at"]),
            )


def measure(url: str, documents: list[Document], *, count: int) -> Report:
    """Build an index at the URL and ask it `count` different queries of each kind; 20 hits each, highlighted."""
    engine = open_engine(url, name="public")
    started = time.perf_counter()
    engine.rebuild(iter(documents), position=1)
    rebuilt = time.perf_counter() - started
    timings = {kind: _time(engine, ask, texts) for kind, (ask, texts) in _questions(documents, count).items()}
    timings["one document applied"] = _time(engine, _apply(documents), [str(n) for n in range(APPLIED)])
    engine.close()
    return Report(url.partition(":")[0], rebuilt, _size(url), timings)


def table(reports: list[Report]) -> str:
    """Markdown, a row per question, p50 / p95 in milliseconds."""
    lines = [f"| p50 / p95, ms | {' | '.join(r.engine for r in reports)} |", "|---|" + "---|" * len(reports)]
    for kind in reports[0].timings:
        cells = [f"{r.timings[kind].p50:.2f} / {r.timings[kind].p95:.2f}" for r in reports]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    lines.append(f"| rebuild, s | {' | '.join(f'{r.rebuild_seconds:.1f}' for r in reports)} |")
    sizes = [f"{r.megabytes:.1f}" if r.megabytes is not None else "n/a" for r in reports]
    lines.append(f"| index on disk, MB | {' | '.join(sizes)} |")
    return "\n".join(lines)


def _questions(documents: list[Document], count: int) -> dict[str, tuple[Ask, list[str]]]:
    chance = random.Random(5)  # the same questions for every engine and run
    titles = [words for document in documents if len(words := WORD.findall(document.title)) >= 4]
    sample = [chance.choice(titles) for _ in range(count)]
    longest = [max(words, key=len) for words in sample]
    beginnings = [" ".join(words)[: chance.randint(2, 12)] for words in sample]
    return {
        "one word": (_search, longest),
        "three words": (_search, [" ".join(sorted(words, key=len)[-3:]) for words in sample]),
        "a phrase": (_search, [f'"{words[0]} {words[1]} {words[2]}"' for words in sample]),
        "a typo": (_search, [_misspelt(word, chance) for word in longest]),
        "a prefix": (_search, [f"{word[:4]}*" for word in longest]),
        "one word with facets": (_search_with_facets, longest),
        "everything with facets": (_search_with_facets, [""] * min(count, 20)),
        "suggest": (_suggest, beginnings),
    }


def _misspelt(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, max(2, len(word) - 2))
    return word[:at] + word[at + 1 :]


def _search(engine: Engine, text: str) -> object:
    return engine.search(Query(text=text))


def _search_with_facets(engine: Engine, text: str) -> object:
    return engine.search(Query(text=text, facets=FACETS))


def _suggest(engine: Engine, text: str) -> object:
    return engine.suggest(text)


def _apply(documents: list[Document]) -> Ask:
    def apply(engine: Engine, number: str) -> None:
        document = documents[int(number) * 37]
        engine.apply([replace(document, title=f"{document.title} {number}")], [], position=2 + int(number))

    return apply


def _time(engine: Engine, ask: Ask, texts: list[str]) -> Timing:
    taken = []
    for text in texts:
        started = time.perf_counter()
        ask(engine, text)
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return Timing(taken[len(taken) // 2], taken[int(len(taken) * 0.95)], len(taken))


def _size(url: str) -> float | None:
    scheme, _, path = url.partition("://")
    if scheme.startswith("postgresql"):
        return None
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file()) / 1e6


def report(engines: Sequence[str] = ("tantivy", "whoosh", "postgresql")) -> str:
    """Every engine's timings as a Markdown table."""
    documents = list(read_articles())
    reports = []
    with tempfile.TemporaryDirectory() as folder:
        for engine in engines:
            url = (
                os.environ.get("SITEDESK_BENCH_POSTGRESQL")
                if engine == "postgresql"
                else f"{engine}://{folder}/{engine}"
            )
            if url is None:
                print("PostgreSQL left out: SITEDESK_BENCH_POSTGRESQL is not set.", file=sys.stderr)
                continue
            reports.append(measure(url, documents, count=300 if engine == "tantivy" else 100))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"{table(reports)}\n\nMost memory: {memory} MB, the articles included."


if __name__ == "__main__":
    print(report(sys.argv[1:] or ("tantivy", "whoosh", "postgresql")))
