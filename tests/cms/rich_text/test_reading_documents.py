"""Documents as JSON: other editors' names, strangers, and what is no document at all."""

from typing import Any

import pytest

from cms.rich_text import MalformedRichText, RichReference, from_document, read, references
from tests.cms.rich_text.documents import ENTRY, OTHER, cell, doc, entry_link, link, node, p, text


def test_the_names_of_prosemirror_basic_are_understood() -> None:
    item = node("list_item", p(text("a", "strong", "em"), node("hard_break"), "b"))
    basic = doc(
        node("bullet_list", item),
        node("ordered_list", item, order=4),
        node("code_block", text("x"), params="python"),
        node("horizontal_rule"),
        node("table", node("table_row", node("table_header", p("h")), node("table_cell", p("c")))),
    )
    item = node("listItem", p(text("a", "bold", "italic"), node("hardBreak"), "b"))
    parsed = from_document(basic)
    assert parsed.misfits == ()
    assert parsed.document == doc(
        node("bulletList", item),
        node("orderedList", item, start=4),
        node("codeBlock", text("x"), language="python"),
        node("horizontalRule"),
        node("table", node("tableRow", cell(p("h"), kind="tableHeader"), cell(p("c")))),
    )


@pytest.mark.parametrize(
    ("content", "canonical"),
    [
        ([text("bare")], [p("bare")]),
        ([node("blockquote", text("bare"))], [node("blockquote", p("bare"))]),
        ([node("bulletList", p("a"))], [node("bulletList", node("listItem", p("a")))]),
        ([node("listItem", p("a"))], [p("a")]),
        ([node("table", p("a"))], [node("table", node("tableRow", cell(p("a"))))]),
        ([node("table", cell(p("a")))], [node("table", node("tableRow", cell(p("a"))))]),
        ([node("tableRow", cell(p("a")))], [p("a")]),
        ([p("a", node("image", entry=ENTRY), "b")], [p("a"), node("image", entry=ENTRY, alt="", caption=None), p("b")]),
        ([p("a"), node("paragraph"), p(" b  ", "c ", node("hardBreak"))], [p("a"), p("b c")]),
        ([node("heading", text("T"), level=9)], [node("heading", text("T"), level=2)]),
        ([p(text("a", {"type": "link", "attrs": {"href": None, "entry": ENTRY}}))], [p(text("a", entry_link(ENTRY)))]),
        ([p(text("a", link(f"entry:{ENTRY}#x")))], [p(text("a", entry_link(ENTRY, "x")))]),
        ([p(text("a\u0000\u0085\ud800b"))], [p("ab")]),
        (
            [node("orderedList", node("listItem", p("a")), start=True)],
            [node("orderedList", node("listItem", p("a")), start=1)],
        ),
    ],
)
def test_a_document_comes_out_in_canonical_shape(content: list[Any], canonical: list[Any]) -> None:
    parsed = from_document(doc(*content))
    assert (parsed.document, parsed.misfits) == (doc(*canonical), ())


@pytest.mark.parametrize(
    ("content", "kept", "code"),
    [
        (node("callout", p("a")), p("a"), "unknown_node"),
        (p("a ", node("mention", label="@olga")), p("a @olga"), "unknown_node"),
        (p(text("a", "highlight")), p("a"), "unknown_mark"),
        (p(text("a", link("javascript:x"))), p("a"), "unsafe_link"),
        (p(text("a", entry_link("7"))), p("a"), "unknown_entry"),
        (node("image", src="/cat.png", alt="Cat"), p(text("Cat", link("/cat.png"))), "external_image"),
        (node("image", entry="7", alt="Cat"), p("Cat"), "unknown_entry"),
        (node("file", entry=None, title="Form"), p("Form"), "unknown_entry"),
    ],
)
def test_a_stranger_is_reported_and_its_text_kept(content: dict[str, Any], kept: dict[str, Any], code: str) -> None:
    parsed = from_document(doc(content))
    assert (parsed.document, [misfit.code for misfit in parsed.misfits]) == (doc(kept), [code])


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        {},
        {"format": "rtf", "value": ""},
        {"format": ["html"], "value": ""},
        {"format": "html", "value": 7},
        {"format": "markdown"},
        {"format": "doc", "value": "<p>"},
        {"format": "doc", "value": {"type": "paragraph"}},
        {"type": "doc", "content": "x"},
        {"type": "doc", "content": ["x"]},
        {"type": "doc", "content": [{"type": 7}]},
        {"type": "doc", "content": [{"type": "paragraph", "attrs": [], "content": [{"type": "image", "attrs": []}]}]},
        {"type": "doc", "content": [{"type": "text", "text": 7}]},
        {"type": "doc", "content": [{"type": "text", "text": "a", "marks": [7]}]},
        {"type": "doc", "content": [{"type": "text", "text": "a", "marks": {"type": "bold"}}]},
        {"type": "doc", "content": [{"type": "codeBlock", "content": [7]}]},
    ],
)
def test_what_is_no_rich_text_is_refused_with_a_reason(value: object) -> None:
    with pytest.raises(MalformedRichText, match=r".{15,}"):
        read(value)


@pytest.mark.parametrize(
    "value",
    [
        {"format": "html", "value": "<p>a</p>"},
        {"format": "markdown", "value": "a"},
        {"format": "doc", "value": doc(p("a"))},
        doc(p("a")),
    ],
)
def test_each_format_is_read(value: object) -> None:
    assert read(value).document == doc(p("a"))


def test_references_are_told_once_for_each_kind() -> None:
    line = p(text("a", entry_link(ENTRY)), text("b", entry_link(ENTRY, "x"), "bold"), text("c", link("/x")))
    picture = node("image", entry=ENTRY, alt="", caption=None)
    document = doc(line, node("blockquote", picture, picture), node("file", entry=OTHER, title=""))
    assert references(document) == (
        RichReference("link", ENTRY),
        RichReference("image", ENTRY),
        RichReference("file", OTHER),
    )
