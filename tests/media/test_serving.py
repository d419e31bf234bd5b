"""What a browser may show from the site's own address."""

import pytest

from media.serving import Serving, serving


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp", "avif"])
def test_pictures_show_in_place(kind: str) -> None:
    assert serving(f"image/{kind}") == Serving(f"image/{kind}", "inline")


@pytest.mark.parametrize("media_type", ["image/svg+xml", "application/pdf", "application/zip"])
def test_documents_and_svg_are_downloaded_as_what_they_are(media_type: str) -> None:
    assert serving(media_type) == Serving(media_type, "attachment")


def test_text_is_downloaded_with_its_charset() -> None:
    assert serving("text/plain") == Serving("text/plain; charset=utf-8", "attachment")


@pytest.mark.parametrize(
    "media_type", ["text/html", "application/xml", "text/javascript", "image/tiff", "x/y\r\nz: 1", ""]
)
def test_anything_else_is_unknown_bytes(media_type: str) -> None:
    assert serving(media_type) == Serving("application/octet-stream", "attachment")
