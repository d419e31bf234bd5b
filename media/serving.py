"""How a stored file may leave: what a browser may show in place, and what it must download."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Serving:
    """Headers for one media type, to be sent along with `X-Content-Type-Options: nosniff`."""

    content_type: str
    disposition: Literal["inline", "attachment"]


def serving(media_type: str) -> Serving:
    """An allow-list: what is not in it is served as unknown bytes to download."""
    if media_type in INLINE:
        return Serving(media_type, "inline")
    if media_type in DOWNLOADS:
        return Serving(DOWNLOADS[media_type], "attachment")
    return Serving("application/octet-stream", "attachment")


INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})

_OFFICE = "application/vnd.openxmlformats-officedocument"
_PLAIN_DOWNLOADS = (
    # Browsers heed `attachment` when they open the address, and not in <img>: an SVG still shows in a page, where its
    # scripts do not run. Audio and video likewise play in a page.
    "image/svg+xml",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "video/mp4",
    "video/webm",
    "application/pdf",
    "application/rtf",
    "application/zip",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    f"{_OFFICE}.wordprocessingml.document",
    f"{_OFFICE}.spreadsheetml.sheet",
    f"{_OFFICE}.presentationml.presentation",
)
DOWNLOADS = {each: each for each in _PLAIN_DOWNLOADS} | {"text/plain": "text/plain; charset=utf-8"}
