"""The HTML of banners: what it may have stays, what it may not have goes and is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from cms.banner_html import LONGEST_HTML, Cleaned, clean, cleaned
from cms.rich_text.document import MalformedRichText


def test_words_pictures_and_links_stay() -> None:
    given = '<div style="color:red"><b>Скидка</b> <img src="https://x.example/a.png" alt="А"></div>'
    assert cleaned(given).removed == ()
    assert cleaned(given).html == given


@pytest.mark.parametrize("style", ["text-align:center", "display:flex;align-items:center;justify-content:center"])
def test_what_lays_words_out_stays(style: str) -> None:
    given = f'<p style="{style}">Скидка</p>'
    assert cleaned(given) == Cleaned(given, ())


def test_what_opens_a_file_to_staff_is_left_out_of_addresses() -> None:
    address = f"/media/{'0a' * 32}/plan.jpg"
    assert clean(f'<img src="{address}?signature=98781aea" srcset="{address}?signature=98781aea 160w">') == (
        f'<img src="{address}" srcset="{address} 160w">'
    )


def test_links_open_in_a_tab_of_their_own() -> None:
    found = cleaned('<a href="https://x.example/?a=1&amp;b=2" target="_top" rel="opener">x</a>')
    assert (found.html, found.removed) == (
        '<a href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener">x</a>',
        (),
    )


@pytest.mark.parametrize(
    ("html", "removed"),
    [
        ("<script>alert(1)</script>", {"script"}),
        ('<iframe src="https://x.example"></iframe>', {"iframe", "iframe[src]"}),
        ('<form action="/x"><input></form>', {"form", "form[action]", "input"}),
        ('<p onclick="x()">a</p>', {"p[onclick]"}),
        ('<a href="javascript:x()">a</a>', {"a[href]"}),
        ('<img src="data:image/svg+xml,x">', {"img[src]"}),
        ('<p style="position:fixed;color:red">a</p>', {"p[style: position]"}),
        ('<p style="background:url(https://x.example)">a</p>', {"p[style: background]"}),
        ("<svg><script>1</script></svg>", {"svg", "script"}),
        ('<object data="x"></object><embed src="x"><base href="x"><meta http-equiv="refresh">', {"object", "embed"}),
    ],
)
def test_what_has_no_place_is_removed_and_told(html: str, removed: set[str]) -> None:
    found = cleaned(html)
    assert removed <= set(found.removed)
    assert not {"script", "javascript:", "onclick", "iframe", "<form", "data:", "position"} & set(_pieces(found.html))
    assert clean(found.html) == found.html


def _pieces(html: str) -> list[str]:
    return [one for one in ("script", "javascript:", "onclick", "iframe", "<form", "data:", "position") if one in html]


@pytest.mark.parametrize(
    "html", ["x" * (LONGEST_HTML + 1), '<a href="/">' * 1_500, "<b a=1><p>" * 2_000, "<div>" * 4_000]
)
def test_what_is_too_long_or_ruinous_is_refused(html: str) -> None:
    with pytest.raises(MalformedRichText):
        cleaned(html)


@given(st.text(alphabet="<>/\"'= abdimgscrptonxlk:;-!\0\n&#", max_size=200))
def test_nothing_that_acts_is_left_of_anything(html: str) -> None:
    kept = cleaned(html).html
    root = LexborHTMLParser(kept).root
    for node in root.traverse() if root is not None else ():
        assert node.tag not in ("script", "iframe", "object", "form", "svg", "math", "base", "meta")
        assert not any(name.startswith("on") for name in node.attributes)
    assert clean(kept) == kept
