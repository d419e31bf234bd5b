"""What the public sees can run nothing: known ways to smuggle a script in, by every door."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from selectolax.lexbor import LexborHTMLParser

from cms.rich_text import Target, from_document, from_html, from_markdown, join_html, to_editable_html, to_html
from tests.cms.rich_text.documents import ENTRY, doc, documents, link, node, p, text
from tests.cms.rich_text.test_hostile_input import soup

_ALLOWED = {
    "a": {"href", "data-file"},
    "code": {"class"},
    "img": {"src", "alt", "loading", "width", "height", "decoding", "srcset", "sizes"},
    "iframe": {"src", "title", "loading", "sandbox", "referrerpolicy", "allowfullscreen"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_PLAIN = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "li", "blockquote", "pre", "hr", "br", "figure", "figcaption"}
    | {"strong", "em", "s", "u", "sub", "sup", "table", "thead", "tbody", "tr"}
)
_SAFE_ADDRESS = re.compile(r"(?:https?:|mailto:|tel:|entry:)|[^:]*$|[^:]*[/?#]", re.IGNORECASE)

VECTORS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><a href='javascript:alert(1)'>x</a></math>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' &#1; javascript:alert(1)'>x</a>",
    "<a href='java&#10;script:alert(1)'>x</a>",
    "<a href='java&Tab;script:alert(1)'>x</a>",
    "<a href='jav\u200bascript:alert(1)'>x</a>",
    "<a href='\u2028javascript:alert(1)'>x</a>",
    "<a href='javascript&colon;alert(1)'>x</a>",
    "<a href='&#x6A;avascript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='x' onclick='alert(1)' style='position:fixed'>x</a>",
    "<a href='&quot; onclick=&quot;alert(1)'>x</a>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src='https://www.youtube.com.evil.example/embed/abcdefghij'></iframe>",
    "<iframe src='https://www.youtube.com/embed/a\"onload=alert(1)'></iframe>",
    "<object data='javascript:alert(1)'></object><embed src='javascript:alert(1)'>",
    "<form action='javascript:alert(1)'><button formaction='javascript:alert(1)'>x</button></form>",
    "<style>@import 'javascript:alert(1)';</style><link rel=stylesheet href='javascript:alert(1)'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'><base href='javascript:alert(1)//'>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<textarea></textarea><script>alert(1)</script>",
    "<title></title><img src=x onerror=alert(1)>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<pre><code class='language-x\" onclick=\"alert(1)'>a</code></pre>",
    "<pre><code>&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;</code></pre>",
    "<td colspan='1\" onclick=\"alert(1)'>x",
    "<table><td colspan='2 onclick=alert(1)'>x",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    f"<img src='entry:{ENTRY}' alt='\"><script>alert(1)</script>' title='</figcaption><script>'>",
    f"<a data-file='{ENTRY}\"><script>alert(1)</script>'>x</a>",
    f"<a data-entry='{ENTRY}' href='#\"><script>alert(1)</script>'>x</a>",
    "[x](javascript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '[x](/a "\\" onclick=alert(1)")',
    '```"><script>alert(1)</script>\nx\n```',
]


def assert_harmless(html: str) -> None:
    root = LexborHTMLParser(html, is_fragment=True).root
    for element in root.traverse() if root is not None else ():
        tag = element.tag or ""
        assert tag in _PLAIN or tag in _ALLOWED or tag == "-text", html
        for name, value in element.attributes.items() if element.is_element_node else ():
            assert name in _ALLOWED.get(tag, ()), html
            assert name not in ("href", "src") or _SAFE_ADDRESS.match(value or ""), html


@pytest.mark.parametrize("vector", VECTORS)
def test_html_that_attacks_is_rendered_harmless(vector: str) -> None:
    assert_harmless(to_editable_html(from_html(vector).document))


@pytest.mark.parametrize("vector", VECTORS)
def test_markdown_that_attacks_is_rendered_harmless(vector: str) -> None:
    assert_harmless(to_editable_html(from_markdown(vector).document))


@pytest.mark.parametrize("vector", VECTORS)
def test_a_document_that_attacks_in_every_attribute_is_rendered_harmless(vector: str) -> None:
    attacking = doc(
        p(text(vector, link(vector))),
        node("heading", text(vector), level=vector),
        node("image", entry=vector, src=vector, alt=vector, caption=vector),
        node("image", entry=ENTRY, alt=vector, caption=vector),
        node("file", entry=ENTRY, title=vector),
        node("embed", url=vector),
        node("codeBlock", text(vector), language=vector),
        node("orderedList", node("listItem", p(vector)), start=vector),
        node("table", node("tableRow", node("tableCell", p(vector), colspan=vector, rowspan=vector))),
    )
    assert_harmless(to_editable_html(from_document(attacking).document))


@settings(deadline=None)
@given(documents)
def test_every_document_is_rendered_harmless(document: dict[str, Any]) -> None:
    assert_harmless(to_editable_html(document))


@settings(deadline=None)
@given(soup)
def test_every_soup_is_rendered_harmless(html: str) -> None:
    assert_harmless(to_editable_html(from_html(html).document))


@pytest.mark.parametrize("href", ["javascript:alert(1)", "data:text/html,x", "java\nscript:x"])
def test_a_stored_document_with_an_unsafe_link_renders_its_text_only(href: str) -> None:
    assert to_html(doc(p(text("x", link(href))))) == ("<p>x</p>",)


def test_what_opens_a_file_to_staff_is_left_out_of_addresses() -> None:
    address = f"/media/{'0a' * 32}/plan.jpg"
    pasted = (
        f'<p><img src="{address}?signature=98781aea" alt="План"> <a href="https://x.example{address}?signature=1">b</a>'
    )
    for document in (from_html(pasted).document, doc(p(text("План", link(f"{address}?signature=98781aea"))))):
        written = to_html(document)
        assert "signature" not in str(written)
        assert f'href="{address}"' in str(written)
    assert "signature" not in str(from_html(pasted).document)
    assert "signature=1" in str(from_html('<a href="https://x.example/page?signature=1">x</a>').document)


def test_a_stored_embed_of_a_strange_site_is_not_rendered() -> None:
    assert to_html(doc(node("embed", url="https://evil.example/"))) == ("",)


@pytest.mark.parametrize("url", ["javascript:alert(1)", '"><script>'])
def test_an_unsafe_target_is_never_linked_or_broken_out_of(url: str) -> None:
    pieces: list[list[str | None]] = [["link", ENTRY, '"><script>', "x"], ["image", ENTRY, '"><script>', None]]
    joined = join_html(pieces, {ENTRY: Target(url)})
    assert "<script>" not in joined
    assert '<a href="javascript:' not in joined
