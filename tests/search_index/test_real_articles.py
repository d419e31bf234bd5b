"""Real articles: what each engine finds is what the texts say."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from search_index import Document, Engine, Query
from search_index.analysis import WORD, clean, fold, stem, tokens
from search_index.highlight import probe

ARTICLES = Path(__file__).parents[2] / ".." / "shared" / "data" / "articles.jsonl.xz"

pytestmark = pytest.mark.skipif(not ARTICLES.exists(), reason=f"no {ARTICLES.name} beside the checkout")


@cache
def articles() -> tuple[Document, ...]:
    """The first 200, Russian and English."""
    return tuple(islice(_read(), 200))


def _read() -> Iterator[Document]:
    with lzma.open(ARTICLES, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            yield Document(
                id=row["external_id"],
                type="article",
                locale=row["lang"],
                title=row["title"],
                summary=row["intro"] or "",
                body=LexborHTMLParser(row["body_html"]).text(),
                published_at=datetime.fromisoformat(row["published_at"]),
            )


@pytest.fixture
def library(empty: Engine) -> Engine:
    empty.rebuild(iter(articles()), position=200)
    return empty


def holders(*wanted: str) -> set[str]:
    """Articles with all these stems, counted without any engine."""
    return {d.id for d in articles() if set(wanted) <= set(tokens(clean(_text(d)), locale=d.locale))}


def _text(document: Document) -> str:
    return f"{document.title}\n{document.summary}\n{document.body}"


@pytest.mark.parametrize("text", ["данные", "сервер документа", "project files", "Visual Studio настройки", "the"])
def test_found_is_every_article_with_the_words_and_no_other(library: Engine, text: str) -> None:
    expected = holders(*(stem(word) for word in text.split()))
    results = library.search(Query(text=text, limit=100))
    assert results.total == len(expected) > 0
    assert {hit.id for hit in results.hits} <= expected
    assert all(hit.title.ranges or any(s.ranges for s in hit.snippets) for hit in results.hits)


def test_every_real_word_begins_with_what_its_highlight_looks_for() -> None:
    words = {word for document in articles() for word in WORD.findall(_text(document))}
    assert [word for word in words if not fold(word).startswith(probe(stem(word)))] == []
