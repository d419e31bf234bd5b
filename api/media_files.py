"""`/media/…`: the bytes of files. Published ones to everybody, others to who was given a signed address."""

import re
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from api import query
from api.access import parts_of
from api.problems import Problem
from api.uploads import is_signed
from cms import files
from cms.delivery import publications
from media.serving import serving

router = APIRouter(tags=["media"])

_FOREVER = "public, max-age=31536000, immutable"
_STAFF = "private, max-age=3600, immutable"


@router.get("/media/{sha256}/{name}", openapi_extra=query.takes("signature"))
def read_file(request: Request, sha256: str, name: str) -> Response:
    """A file's bytes. Its address names its content, so the answer never changes."""
    given = query.only(request, "signature").get("signature")
    parts = parts_of(request)
    with parts.database.reading() as session:
        stored = files.find(session, sha256)
        public = publications.public_file(session, sha256) if stored is not None else None
    signed = given is not None and is_signed(parts.secret, sha256, given)
    if stored is None or (public is None and not signed) or not parts.store.exists(sha256):
        raise Problem(404, "not_found", "There is no such file.")
    served = serving(stored.media_type)
    headers = {
        "Cache-Control": _STAFF if public is None else _FOREVER,
        "ETag": f'"{sha256}"',
        # To the public the name that was published: another may be a draft's.
        "Content-Disposition": _disposition(served.disposition, str((public or {}).get("name") or stored.name)),
        # Whatever a browser makes of the bytes, it does so without our origin's rights.
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if request.headers.get("if-none-match") == f'"{sha256}"':
        return Response(None, 304, headers)
    _refuse_bad_range(request.headers.get("range"), size=stored.size)
    path = parts.store.path(sha256)
    if path is None:
        return StreamingResponse(parts.store.open(sha256), headers=headers, media_type=served.content_type)
    return FileResponse(path, headers=headers, media_type=served.content_type)


_RANGE = re.compile(r"bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))")


def _refuse_bad_range(asked: str | None, *, size: int) -> None:
    """One part, and one that the file has: what the response would make of others is no problem in our sense."""
    if asked is None:
        return
    match = _RANGE.fullmatch(asked.strip())
    if match is not None:
        first, last, tail = match.groups()
        if int(tail) > 0 if tail is not None else int(first) < size and (not last or int(last) >= int(first)):
            return
    headers = {"Content-Range": f"bytes */{size}"}
    said = f"The file has {size} bytes; ask for one range of them."
    raise Problem(416, "range_not_satisfiable", said, headers=headers)


def _disposition(kind: str, name: str) -> str:
    """With the name as it was uploaded (RFC 6266), and one in ASCII for clients that know no other."""
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
