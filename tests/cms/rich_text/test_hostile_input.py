"""Nothing that is sent in crashes, hangs or fills the memory."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms.rich_text import (
    MalformedRichText,
    from_document,
    from_html,
    from_markdown,
    read,
    to_editable_html,
    to_html,
    to_markdown,
    to_text,
)
from tests.cms.rich_text.documents import ENTRY, any_json, doc, node, p

_TAGS = (
    "a p div ul ol li table tr td th caption pre code b i em h1 h2 blockquote img br hr figure figcaption iframe svg"
    " math script style template span video details dl dt dd select option textarea title form input x-y sub sup u s"
)
_ATTRIBUTES = st.sampled_from(
    [
        "",
        ' href="/a"',
        ' href="javascript:x"',
        f' href="entry:{ENTRY}#x"',
        f' src="entry:{ENTRY}" alt="z" title=t',
        f' data-entry="{ENTRY}"',
        f' data-file="{ENTRY}"',
        " colspan=2 rowspan=x start=5",
        ' src="https://youtu.be/abcdefghij"',
        " src=x.png",
        " data-file data-entry href src alt title class",
    ]
)
_PIECES = st.one_of(
    st.builds("<{}{}>".format, st.sampled_from(_TAGS.split()), _ATTRIBUTES),
    st.sampled_from(_TAGS.split()).map("</{}>".format),
    st.sampled_from(
        ["text", "  x ", "\n", "&nbsp;", "<!-- c -->", "\x00", "&#1;", "&#133;", "\ud800", "<![CDATA[x]]>"]
    ),
    st.sampled_from(["\n\n", "* a", "> b", "```", "| a |", "|---|", "[x](y)", "![x](y)", "**", "`"]),
    st.text(max_size=5),
)
soup = st.lists(_PIECES, max_size=25).map("".join)


@settings(deadline=None)
@given(soup)
def test_any_html_becomes_a_canonical_document(html: str) -> None:
    document = from_html(html).document
    assert from_document(document).document == document
    assert from_document(document).misfits == ()
    assert from_html(to_editable_html(document)).document == document


@settings(deadline=None)
@given(soup)
def test_any_markdown_becomes_a_canonical_document(markdown: str) -> None:
    document = from_markdown(markdown).document
    assert from_document(document).document == document
    assert from_markdown(to_markdown(document)).document == document


@settings(deadline=None)
@given(st.one_of(any_json, st.lists(any_json).map(lambda content: {"type": "doc", "content": content})))
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        document = read(value).document
    except MalformedRichText:
        return
    assert from_document(document).document == document
    to_html(document)
    to_text(document)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 10_000 + "x",
        "<ul><li>" * 5_000 + "x",
        "<blockquote>" * 10_000 + "x" + "</blockquote>" * 10_000,
        "<table><tr><td>" * 3_000 + "x",
        "<" * 2_000_000,
        "<!--" * 500_000,
        "<br>" * 100_000,
        '<img src="data:image/png;base64,' + "A" * 1_900_000 + '">',
    ],
    ids=["div", "lists", "quotes", "tables", "less-than signs", "comments", "breaks", "data address"],
)
def test_deep_and_long_html_is_read(html: str) -> None:
    assert from_html(html).document["type"] == "doc"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 400_000,
        "<p>" + "".join(f"<b a={place}>" for place in range(900)) + "<p>x" * 900,
        "<p>" + "<b><i><u><s><em><tt>" * 3 + "<p>x" * 40_000,
        "<p " + " ".join(f"a{place}" for place in range(200_000)) + ">",
        "<span>" * 40_000 + "</div>" * 40_000,
        "x" * 2_000_001,
        "<p>x" * 60_000,
    ],
    ids=["depth", "reopened formatting", "reopened again", "attributes", "stray ends", "length", "nodes"],
)
def test_ruinous_html_is_refused(html: str) -> None:
    with pytest.raises(MalformedRichText):
        from_html(html)


@pytest.mark.parametrize(
    "markdown",
    [
        "[" * 100_000,
        "![[" * 50_000,
        "> " * 100 + "a",
        "> " * 25 + "a\n" + "a\n" * 40_000,
        "a\n" * 60_000,
        "x" * 500_001,
    ],
    ids=["brackets", "images", "quotes", "lazy lines", "lines", "length"],
)
def test_ruinous_markdown_is_refused(markdown: str) -> None:
    with pytest.raises(MalformedRichText):
        from_markdown(markdown)


@pytest.mark.parametrize("kind", ["blockquote", "bulletList", "table"])
def test_a_document_deeper_than_the_schema_is_flattened_and_says_so(kind: str) -> None:
    deep = p("x")
    for _ in range(60):
        deep = node(kind, deep)
    parsed = from_document(doc(deep))
    assert from_document(parsed.document).document == parsed.document
    assert [misfit.code for misfit in parsed.misfits] == ["nested_too_deeply"]
    assert to_text(parsed.document) == "x"


@pytest.mark.parametrize("levels", [200, 900])
def test_a_document_of_absurd_depth_is_refused(levels: int) -> None:
    deep = p("x")
    for _ in range(levels):
        deep = node("blockquote", deep)
    with pytest.raises(MalformedRichText, match="deeper"):
        from_document(doc(deep))


def test_a_document_of_too_many_nodes_is_refused() -> None:
    with pytest.raises(MalformedRichText, match="100,000"):
        from_document(doc(*[p("x")] * 50_001))


def test_a_document_of_too_much_text_is_refused() -> None:
    with pytest.raises(MalformedRichText, match="2,000,000"):
        from_document(doc(*[p("x" * 1_000_001)] * 2))
