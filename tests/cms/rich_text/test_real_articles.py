"""Real articles survive every way in and out. Reads ../shared/data in place."""

import json
import lzma
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from cms.rich_text import from_document, from_html, from_markdown, to_editable_html, to_markdown, to_text

DATA = Path(__file__).parents[4] / "shared" / "data"
SAMPLE = 150

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def articles() -> Iterator[str]:
    path = DATA / "articles.jsonl.xz"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in islice(lines, 0, None, 20):
            yield json.loads(line)["body_html"]


def encyclopaedia() -> Iterator[str]:
    paths = sorted((DATA / "doka").glob("**/*.md"))
    if not paths:
        pytest.skip(f"{DATA / 'doka'} is absent")
    for path in paths[::10]:
        yield _FRONT_MATTER.sub("", path.read_text("utf-8"))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_articles_in_html_read_back_the_same_from_every_format() -> None:
    for html in islice(articles(), SAMPLE):
        document = from_html(html).document
        assert from_document(document).document == document
        assert from_html(to_editable_html(document)).document == document
        assert from_markdown(to_markdown(document)).document == document


def test_articles_in_markdown_read_back_the_same_from_every_format() -> None:
    for markdown in islice(encyclopaedia(), SAMPLE):
        document = from_markdown(markdown).document
        assert from_document(document).document == document
        assert from_html(to_editable_html(document)).document == document
        assert from_markdown(to_markdown(document)).document == document


def test_no_word_of_an_article_is_lost() -> None:
    for html in islice(articles(), SAMPLE):
        without_tags = re.sub(r"<[^>]*>|&\w+;", " ", html)
        assert set(words(without_tags)) - {"nbsp"} <= set(words(to_text(from_html(html).document))) | _split_by_tags(
            html
        )


def _split_by_tags(html: str) -> set[str]:
    # <b>w</b>ord is one word in the text and two to the naive count above.
    return {word for pair in re.findall(r"(\w+)(?:<[^>]*>|&\w+;)+(\w+)", html) for word in pair}
