"""`/assets/sitedesk.js`: what front ends show banners and load counters with. How to use it: docs/front-end.md."""

import gzip
import hashlib
import re
from pathlib import Path

from fastapi import APIRouter, Request, Response

from api.answers import has_it

router = APIRouter()

SOURCE = Path(__file__).parent / "assets" / "sitedesk.js"
# Whole lines of comment, and indentation: those who read it read the source.
_FOR_READERS = re.compile(r"^[ \t]*//.*\n|^[ \t]+|^\n", re.MULTILINE)

_PLAIN = _FOR_READERS.sub("", SOURCE.read_text(encoding="utf-8")).encode()
_SHORT = gzip.compress(_PLAIN, 9, mtime=0)
_DIGEST = hashlib.blake2b(_PLAIN, digest_size=16).hexdigest()


@router.get("/assets/sitedesk.js", include_in_schema=False)
async def read_script(request: Request) -> Response:
    """The script, compressed for those who take it so. Five minutes old at most: its address stays when it changes."""
    short = "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{_DIGEST}-gzip"' if short else f'"{_DIGEST}"'
    headers = {"Cache-Control": "public, max-age=300", "ETag": etag, "Vary": "Accept-Encoding"}
    # It is read from other origins, also with `integrity` and `crossorigin`.
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if has_it(request, etag):
        return Response(None, 304, headers)
    if short:
        headers["Content-Encoding"] = "gzip"
    return Response(_SHORT if short else _PLAIN, 200, headers, media_type="text/javascript")
