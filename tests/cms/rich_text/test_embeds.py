"""Only players and maps on the list are framed."""

import pytest

from cms.rich_text import from_document, from_html, to_editable_html
from tests.cms.rich_text.documents import doc, link, node, p, text


@pytest.mark.parametrize(
    ("address", "framed"),
    [
        ("https://www.youtube.com/embed/dQw4w9WgXcQ?start=3", "https://www.youtube.com/embed/dQw4w9WgXcQ?start=3"),
        ("//www.youtube-nocookie.com/embed/dQw4w9WgXcQ", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"),
        ("https://youtu.be/dQw4w9WgXcQ?t=4", "https://www.youtube.com/embed/dQw4w9WgXcQ"),
        ("http://youtube.com/watch?v=dQw4w9WgXcQ&t=4", "https://www.youtube.com/embed/dQw4w9WgXcQ"),
        ("https://vimeo.com/76979871", "https://player.vimeo.com/video/76979871"),
        ("https://rutube.ru/video/0a1b2c/", "https://rutube.ru/play/embed/0a1b2c"),
        ("https://vk.com/video_ext.php?oid=-1&id=2", "https://vk.com/video_ext.php?oid=-1&id=2"),
        (
            "https://www.openstreetmap.org/export/embed.html?bbox=1",
            "https://www.openstreetmap.org/export/embed.html?bbox=1",
        ),
        ("https://www.google.com/maps/embed?pb=!1m1", "https://www.google.com/maps/embed?pb=!1m1"),
        ("https://yandex.ru/map-widget/v1/?um=x", "https://yandex.ru/map-widget/v1/?um=x"),
    ],
)
def test_a_listed_site_is_framed(address: str, framed: str) -> None:
    embed = doc(node("embed", url=framed))
    assert from_html(f'<iframe src="{address.replace("&", "&amp;")}"></iframe>').document == embed
    assert from_document(doc(node("embed", url=address))).document == embed
    assert from_document(embed).document == embed


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/embed/x",
        "https://www.youtube.com.evil.example/embed/x",
        "https://www.youtube.com@evil.example/embed/x",
        "https://user@www.youtube.com/embed/x",
        "https://www.youtube.com:8443/embed/x",
        "https://www.youtube.com/redirect?q=x",
        "https://www.youtube.com/embed/../redirect",
        "https://www.google.com/url?q=x",
        "https://www.google.com/maps/../url",
        "ftp://www.youtube.com/embed/x",
        "https://[::1",
    ],
)
def test_another_site_becomes_a_link(address: str) -> None:
    parsed = from_html(f'<iframe src="{address}" title="A film"></iframe>')
    assert [misfit.code for misfit in parsed.misfits] == ["embed_not_allowed"]
    assert parsed.document["content"][0]["content"][0]["text"] == "A film"


def test_the_link_that_replaces_an_embed_leads_to_it() -> None:
    url = "https://video.example/1"
    assert from_document(doc(node("embed", url=url))).document == doc(p(text(url, link(url))))


def test_a_frame_has_a_name_a_sandbox_and_loads_late() -> None:
    html = to_editable_html(doc(node("embed", url="https://player.vimeo.com/video/1?a=1&b=2")))
    assert html.startswith(
        '<iframe src="https://player.vimeo.com/video/1?a=1&amp;b=2" title="Vimeo" loading="lazy" sandbox="'
    )
