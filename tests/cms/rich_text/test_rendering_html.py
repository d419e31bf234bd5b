"""The HTML the public sees, with entries resolved when it is read."""

import json
from typing import Any

import pytest

from cms.rich_text import Target, from_document, join_html, to_html
from tests.cms.rich_text.documents import ENTRY, OTHER, cell, doc, entry_link, link, node, p, text

TARGETS = {
    ENTRY: Target("/cat.avif?v=1&w=2", 640, 480, alt="A cat"),
    OTHER: Target("/news/1"),
}


@pytest.mark.parametrize(
    ("content", "html"),
    [
        (node("paragraph"), ""),
        (p('a < b & c > "d"'), '<p>a &lt; b &amp; c &gt; "d"</p>'),
        (p("a", node("hardBreak"), text("b", "bold", "code")), "<p>a<br><strong><code>b</code></strong></p>"),
        (
            p(text("a", "bold"), text("b", "bold", "italic"), text("c", "italic")),
            "<p><strong>a<em>b</em></strong><em>c</em></p>",
        ),
        (
            p(text("a", link('/?x="&y')), text("b", link('/?x="&y'), "bold")),
            '<p><a href="/?x=%22&amp;y">a<strong>b</strong></a></p>',
        ),
        (node("heading", text("T"), level=3), "<h3>T</h3>"),
        (node("codeBlock", text("<a>"), language="c++"), '<pre><code class="language-c++">&lt;a&gt;</code></pre>'),
        (node("codeBlock", text("a\n"), language=None), "<pre><code>a\n\n</code></pre>"),
        (node("orderedList", node("listItem", p("a")), start=3), '<ol start="3"><li>a</li></ol>'),
        (node("bulletList", node("listItem", p("a"), p("b"))), "<ul><li><p>a</p><p>b</p></li></ul>"),
        (
            node("bulletList", node("listItem", p("a"), node("bulletList", node("listItem", p("b"))))),
            "<ul><li>a<ul><li>b</li></ul></li></ul>",
        ),
        (
            node(
                "table", node("tableRow", cell(p("h"), kind="tableHeader")), node("tableRow", cell(p("a"), colspan=2))
            ),
            '<table><thead><tr><th>h</th></tr></thead><tbody><tr><td colspan="2">a</td></tr></tbody></table>',
        ),
    ],
)
def test_a_document_without_references_is_one_string(content: dict[str, Any], html: str) -> None:
    assert to_html(from_document(doc(content)).document) == (html,)


def test_references_stay_open_between_finished_strings() -> None:
    line = p("See ", text("this ", entry_link(OTHER, "a")), text("page", entry_link(OTHER, "a"), "bold"), ".")
    pieces = to_html(
        doc(p("x"), line, node("image", entry=ENTRY, alt="", caption=None), node("file", entry=OTHER, title="F"))
    )
    assert pieces == (
        "<p>x</p><p>See ",
        ("link", OTHER, "a", "this <strong>page</strong>"),
        ".</p>",
        ("image", ENTRY, "", None),
        ("file", OTHER, "F"),
    )


def test_joined_pieces_link_to_their_targets_also_after_json() -> None:
    document = doc(
        p(text("x & y", entry_link(OTHER, "a"))),
        node("image", entry=ENTRY, alt="", caption="Sun & sea"),
        node("file", entry=OTHER, title="F"),
    )
    html = (
        '<p><a href="/news/1#a">x &amp; y</a></p>'
        '<figure><img src="/cat.avif?v=1&amp;w=2" width="640" height="480" alt="A cat" loading="lazy" decoding="async">'
        "<figcaption>Sun &amp; sea</figcaption></figure>"
        f'<p><a href="/news/1" data-file="{OTHER}">F</a></p>'
    )
    pieces = to_html(document)
    assert join_html(pieces, TARGETS) == html
    assert join_html(json.loads(json.dumps(pieces)), TARGETS) == html


def test_an_image_without_a_caption_is_plain_and_its_own_text_wins() -> None:
    pieces = to_html(doc(node("image", entry=ENTRY, alt="My cat", caption=None)))
    shown = join_html(pieces, {ENTRY: Target("/c.png", alt="A cat")})
    assert shown == '<img src="/c.png" alt="My cat" loading="lazy" decoding="async">'


def test_a_missing_target_leaves_the_text_of_its_link_and_nothing_of_its_image() -> None:
    line = p("a ", text("b", entry_link(OTHER), "bold"))
    document = doc(line, node("image", entry=ENTRY, alt="x", caption="y"), node("file", entry=OTHER, title="F"))
    assert join_html(to_html(document), {}) == "<p>a <strong>b</strong></p>"


def test_an_image_offers_the_sizes_that_it_has() -> None:
    pieces = to_html(doc(node("image", entry=ENTRY, alt="A cat", caption=None)))
    shown = join_html(pieces, TARGETS, srcset=lambda target: f"{target.url}&small 320w, {target.url} 640w")
    assert ' srcset="/cat.avif?v=1&amp;w=2&amp;small 320w, /cat.avif?v=1&amp;w=2 640w"' in shown
    assert ' sizes="auto, (max-width: 640px) 100vw, 640px" width="640" height="480"' in shown
    assert "srcset" not in join_html(pieces, TARGETS, srcset=lambda _: None)


@pytest.mark.parametrize(
    ("said_here", "locale", "shown"),
    [
        ("My cat", "en", "My cat"),
        ("", "en", "A cat"),
        ("", "de", ""),
        ("", "fr", "Кошка"),
        ("", None, "Кошка"),
    ],
)
def test_an_image_is_described_here_or_in_the_text_s_locale_or_in_its_own(
    said_here: str, locale: str | None, shown: str
) -> None:
    pieces = to_html(doc(node("image", entry=ENTRY, alt=said_here, caption=None)))
    image = {ENTRY: Target("/c.png", alt="Кошка", file={"alts": {"en": "A cat", "de": ""}})}
    assert f' alt="{shown}" ' in join_html(pieces, image, locale=locale)
