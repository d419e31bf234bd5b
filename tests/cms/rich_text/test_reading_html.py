"""What HTML becomes, and what is said about the rest."""

from typing import Any, Literal

import pytest

from cms.rich_text import from_html
from tests.cms.rich_text.documents import ENTRY, OTHER, cell, doc, entry_link, link, node, p, text

IMAGE = {"type": "image", "attrs": {"entry": ENTRY, "alt": "A cat", "caption": None}}
EMPTY = {"type": "paragraph"}


def read_as(html: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = from_html(html).document["content"]
    return content


def codes(html: str) -> list[str]:
    return [misfit.code for misfit in from_html(html).misfits]


@pytest.mark.parametrize(
    ("html", "content"),
    [
        ("", [EMPTY]),
        ("<p></p><p>&nbsp;</p><p><br></p>", [EMPTY]),
        ("<p>One</p>\n\n<p>Two</p>", [p("One"), p("Two")]),
        ("bare <i>text</i>", [p("bare ", text("text", "italic"))]),
        ("<div>a<div>b</div>c</div>", [p("a"), p("b"), p("c")]),
        (
            "<h2>Title</h2><h6><p>Deep</p></h6>",
            [node("heading", text("Title"), level=2), node("heading", text("Deep"), level=6)],
        ),
        ("<blockquote>said</blockquote>", [node("blockquote", p("said"))]),
        ("<hr>", [node("horizontalRule")]),
        ("<p>a<br>b<br></p>", [p("a", node("hardBreak"), "b")]),
        ("<p> a \n\t <b> b</b>  c </p>", [p("a ", text("b", "bold"), " c")]),
        ("<p>a&nbsp; b</p>", [p("a\u00a0 b")]),
        ("<ul><li>a<li><p>b</p></ul>", [node("bulletList", node("listItem", p("a")), node("listItem", p("b")))]),
        ("<ol start=3><li>a</ol>", [node("orderedList", node("listItem", p("a")), start=3)]),
        ("<ol start=-1><li>a</ol>", [node("orderedList", node("listItem", p("a")), start=1)]),
        ("<li>stray</li>", [p("stray")]),
        ("<ul>stray</ul>", [node("bulletList", node("listItem", p("stray")))]),
        ("<pre>a\n  b\n</pre>", [node("codeBlock", text("a\n  b"), language=None)]),
        ('<pre><code class="x language-c++">a<br>b</code></pre>', [node("codeBlock", text("a\nb"), language="c++")]),
        ("<dl><dt>Term</dt><dd>Meaning</dd></dl>", [p(text("Term", "bold")), p("Meaning")]),
        ("<html><head><meta charset=x></head><body><p>page</body></html>", [p("page")]),
    ],
)
def test_html_is_read_as_blocks(html: str, content: list[dict[str, Any]]) -> None:
    assert (read_as(html), codes(html)) == (content, [])


@pytest.mark.parametrize(
    ("html", "mark"),
    [
        ("<b>x</b>", "bold"),
        ("<strong>x</strong>", "bold"),
        ("<em>x</em>", "italic"),
        ("<del>x</del>", "strike"),
        ("<ins>x</ins>", "underline"),
        ("<kbd>x</kbd>", "code"),
        ("<sub>x</sub>", "subscript"),
        ("<sup>x</sup>", "superscript"),
    ],
)
def test_formatting_becomes_a_mark(html: str, mark: str) -> None:
    assert read_as(html) == [p(text("x", mark))]


def test_marks_come_in_one_order_and_neighbours_merge() -> None:
    html = "<i><b>a</b></i><b><i>b</i></b><b><b><i>c</i></b></b><a href='/x'>d</a><a href='/x'>e</a>"
    assert read_as(html) == [p(text("abc", "bold", "italic"), text("de", link("/x")))]


def test_a_list_straight_inside_a_list_belongs_to_the_item_before() -> None:
    inner = node("bulletList", node("listItem", p("b")))
    assert read_as("<ul><li>a</li><ul><li>b</li></ul></ul>") == [node("bulletList", node("listItem", p("a"), inner))]


def test_a_list_item_starts_with_a_paragraph_even_if_it_has_none() -> None:
    inner = node("bulletList", node("listItem", p("b")))
    assert read_as("<ul><li><ul><li>b</ul></ul>") == [node("bulletList", node("listItem", EMPTY, inner))]


def test_a_table_keeps_headers_spans_and_its_caption() -> None:
    html = "<table><caption>Prices</caption><tr><th colspan=2>h</th></tr><tr><td>a</td><td rowspan=x></td></tr></table>"
    head = node("tableRow", cell(p("h"), kind="tableHeader", colspan=2))
    body = node("tableRow", cell(p("a")), cell(EMPTY))
    assert read_as(html) == [p("Prices"), node("table", head, body)]


@pytest.mark.parametrize(
    ("href", "kept"),
    [
        ("https://a.example/?q=1&amp;r=2#f", link("https://a.example/?q=1&r=2#f")),
        ("/about", link("/about")),
        ("../a b", link("../a%20b")),
        ("#part", link("#part")),
        ("mailto:a@example.org", link("mailto:a@example.org")),
        ("tel:+100", link("tel:+100")),
        (f"entry:{ENTRY}", entry_link(ENTRY)),
        (f"entry:{ENTRY.upper()}#part", entry_link(ENTRY, "part")),
    ],
)
def test_a_safe_address_makes_a_link(href: str, kept: dict[str, Any]) -> None:
    assert read_as(f'<a href="{href}">x</a>') == [p(text("x", kept))]


@pytest.mark.parametrize(
    "href", ["javascript:x", "java&#10;script:x", "&#1;javascript:x", "data:,x", "xref:A.B", "entry:7"]
)
def test_an_unsafe_link_loses_its_address_and_keeps_its_text(href: str) -> None:
    html = f'<a href="{href}">x</a> y'
    assert (read_as(html), codes(html)) == ([p("x y")], ["unsafe_link"])


def test_a_link_may_name_its_entry_in_an_attribute() -> None:
    assert read_as(f'<a data-entry="{ENTRY}" href="/old#part">x</a>') == [p(text("x", entry_link(ENTRY, "part")))]


def test_an_image_of_an_entry_stands_between_the_blocks() -> None:
    html = f'<p>before<img src="entry:{ENTRY}" alt="A  cat">after</p>'
    assert read_as(html) == [p("before"), IMAGE, p("after")]


@pytest.mark.parametrize(
    "html",
    [
        f'<figure><img data-entry="{ENTRY}" alt="A cat"><figcaption>In the <b>sun</b></figcaption></figure>',
        f'<figure><figcaption>In the sun</figcaption><img data-entry="{ENTRY}" alt="A cat"></figure>',
        f'<img data-entry="{ENTRY}" alt="A cat" title="In the sun">',
    ],
)
def test_a_figure_gives_its_image_a_caption(html: str) -> None:
    assert read_as(html) == [node("image", entry=ENTRY, alt="A cat", caption="In the sun")]


def test_the_caption_of_a_figure_without_an_image_is_a_paragraph() -> None:
    assert read_as("<figure><pre>x</pre><figcaption>Code</figcaption></figure>")[1] == p("Code")


def test_an_image_from_elsewhere_becomes_a_link_to_it() -> None:
    html = '<p>See <img src="https://a.example/cat.png" alt="A cat"> and <img src="/d%20g.png"></p>'
    linked = [text("A cat", link("https://a.example/cat.png")), text("d g.png", link("/d%20g.png"))]
    assert (read_as(html), codes(html)) == ([p("See ", linked[0], " and ", linked[1])], ["external_image"])


def test_an_image_in_the_address_itself_leaves_its_text() -> None:
    assert read_as('<p><img src="data:image/png;base64,AAAA" alt="A dot"></p>') == [p("A dot")]


def test_a_file_is_a_block_with_its_title() -> None:
    html = f'<p>Take <a data-file="{OTHER}" href="/f.pdf">the <b>form</b></a></p>'
    assert read_as(html) == [p("Take"), node("file", entry=OTHER, title="the form")]


def test_a_link_around_an_image_is_reported() -> None:
    assert codes(f'<a href="/big"><img data-entry="{ENTRY}"></a>') == ["image_link_dropped"]


@pytest.mark.parametrize("tag", ["script", "style", "template", "title"])
def test_code_and_style_are_dropped_and_reported(tag: str) -> None:
    parsed = from_html(f"<p>a</p><{tag}>x</{tag}>")
    assert parsed.document == doc(p("a"))
    assert parsed.misfits[0].message == f"1 × <{tag}>: removed with its content"


def test_unknown_elements_keep_their_text_and_are_counted_once_for_each_kind() -> None:
    parsed = from_html("<video>one</video><video>two</video><x-y>three</x-y>" + "<video></video>" * 1000)
    assert parsed.document == doc(p("one"), p("two"), p("three"))
    assert [misfit.message[:16] for misfit in parsed.misfits] == ["1002 × <video>: ", "1 × <x-y>: remov"]


def test_a_thousand_kinds_of_misfit_make_a_short_list() -> None:
    misfits = from_html("".join(f"<x{place}>a</x{place}>" for place in range(1000))).misfits
    assert len(misfits) == 51
    assert sum(misfit.count for misfit in misfits) == 1000


def test_comments_classes_and_styles_go_silently() -> None:
    assert from_html('<p class="a" style="color:red" id="x"><!-- note --><span lang="en">a</span></p>').misfits == ()


def test_a_link_found_in_the_library_becomes_an_entry_link_with_its_fragment() -> None:
    asked: list[tuple[str, str]] = []

    def resolve(kind: Literal["link", "image"], url: str) -> str | None:
        asked.append((kind, url))
        return ENTRY if url in ("/news/1", "cat.png") else None

    html = '<a href="/news/1#top">a</a> <a href="/news/1#top">b</a> <a href="/x">c</a><img src="cat.png" alt="A cat">'
    line = p(text("a", entry_link(ENTRY, "top")), " ", text("b", entry_link(ENTRY, "top")), " ", text("c", link("/x")))
    assert from_html(html, resolve).document == doc(line, IMAGE)
    assert asked == [("link", "/news/1"), ("link", "/x"), ("image", "cat.png")]


def test_what_the_library_answers_must_be_an_id() -> None:
    assert from_html('<a href="/x">a</a>', lambda kind, url: "no id").document == doc(p(text("a", link("/x"))))
