"""Markdown in and out; that it reads back the same is proved in test_round_trips."""

from typing import Any

import pytest

from cms.rich_text import from_markdown, to_markdown
from tests.cms.rich_text.documents import ENTRY, OTHER, cell, doc, entry_link, link, node, p, text

HEAD = node("tableRow", cell(p("h"), kind="tableHeader"), cell(p("i"), kind="tableHeader"))

PAIRS = [
    ("", node("paragraph")),
    (
        "a **b** *c* ~~d~~ `e`",
        p("a ", text("b", "bold"), " ", text("c", "italic"), " ", text("d", "strike"), " ", text("e", "code")),
    ),
    ("**`a`**\\\nb**c**d", p(text("a", "bold", "code"), node("hardBreak"), "b", text("c", "bold"), "d")),
    ("b<strong>?</strong>d", p("b", text("?", "bold"), "d")),
    ("a<sub>2</sub> <u>b</u>", p("a", text("2", "subscript"), " ", text("b", "underline"))),
    ("a\\\nb", p("a", node("hardBreak"), "b")),
    ("### T", node("heading", text("T"), level=3)),
    ("> a\n> \n> b", node("blockquote", p("a"), p("b"))),
    ("- a\n- b", node("bulletList", node("listItem", p("a")), node("listItem", p("b")))),
    ("- a\n  - b", node("bulletList", node("listItem", p("a"), node("bulletList", node("listItem", p("b")))))),
    ("3. a\n4. b", node("orderedList", node("listItem", p("a")), node("listItem", p("b")), start=3)),
    ("```python\na\n```", node("codeBlock", text("a"), language="python")),
    ("````\n```\n````", node("codeBlock", text("```"), language=None)),
    ("___", node("horizontalRule")),
    ("[a](/b?c=1&d=2)", p(text("a", link("/b?c=1&d=2")))),
    (f"[a](entry:{ENTRY}#b)", p(text("a", entry_link(ENTRY, "b")))),
    (f'![a](entry:{ENTRY} "b")', node("image", entry=ENTRY, alt="a", caption="b")),
    (f'<a data-file="{OTHER}">Form</a>', node("file", entry=OTHER, title="Form")),
    ('<iframe src="https://rutube.ru/play/embed/1"></iframe>', node("embed", url="https://rutube.ru/play/embed/1")),
    ("| h | i |\n| --- | --- |\n| a\\|b | c |", node("table", HEAD, node("tableRow", cell(p("a|b")), cell(p("c"))))),
    (
        '<table><tbody><tr><td colspan="2">a</td></tr></tbody></table>',
        node("table", node("tableRow", cell(p("a"), colspan=2))),
    ),
    ("1\\. \\*a\\* \\[b\\] \\<c> d_e", p("1. *a* [b] <c> d_e")),
]


@pytest.mark.parametrize(("markdown", "content"), PAIRS)
def test_markdown_is_read(markdown: str, content: dict[str, Any]) -> None:
    parsed = from_markdown(markdown)
    assert (parsed.document, parsed.misfits) == (doc(content), ())


@pytest.mark.parametrize(("markdown", "content"), PAIRS)
def test_markdown_is_written(markdown: str, content: dict[str, Any]) -> None:
    assert to_markdown(doc(content)) == (markdown + "\n" if markdown else "")


def test_html_that_opens_in_one_block_and_closes_in_another_holds_the_markdown_between() -> None:
    quoted = node("blockquote", p(text("a", "bold")))
    assert from_markdown("<blockquote>\n\n**a**\n\n</blockquote>").document == doc(quoted)


def test_an_unsafe_link_is_reported_as_in_html() -> None:
    parsed = from_markdown("[a](javascript:alert(1))")
    assert (parsed.document, parsed.misfits[0].code) == (doc(p("a")), "unsafe_link")


def test_links_and_images_are_looked_for_in_the_library() -> None:
    parsed = from_markdown("[a](b.md#c)\n\n![d](e.png)", lambda kind, url: {"b.md": OTHER, "e.png": ENTRY}[url])
    image = node("image", entry=ENTRY, alt="d", caption=None)
    assert parsed.document == doc(p(text("a", entry_link(OTHER, "c"))), image)


def test_two_lists_in_a_row_stay_two() -> None:
    lists = doc(*[node("bulletList", node("listItem", p(name))) for name in "abc"])
    assert to_markdown(lists) == "- a\n\n* b\n\n- c\n"
    assert from_markdown(to_markdown(lists)).document == lists
