"""`/media/…`: the bytes of files, and pictures in other forms. Published ones to everybody, others to who was given a
signed address."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from api import picture_addresses, query
from api.access import parts_of
from api.answers import has_it
from api.parts import Parts
from api.problems import Problem
from api.uploads import is_signed
from cms import files
from cms.delivery import publications
from media import public_forms
from media.refusals import RefusedMedia
from media.rendering import Rendition
from media.renditions import MEDIA_TYPES, RENDERED, BadSpec, Format, Spec, format_for
from media.serving import serving
from media.stores import NotStored

router = APIRouter(tags=["media"])

Made = TypeVar("Made")

_FOREVER = "public, max-age=31536000, immutable"
_STAFF = "private, max-age=3600, immutable"


@dataclass(frozen=True)
class _Asked:
    """A file that may be sent to who asks for it. `staff`: because they were given its signed address."""

    sha256: str
    name: str
    media_type: str
    width: int | None
    height: int | None
    frames: int | None
    staff: bool


@router.get("/media/{sha256}/{name}", openapi_extra=query.takes("signature"))
async def read_file(request: Request, sha256: str, name: str) -> Response:
    """A file's bytes; of a picture without what the camera wrote into it. Its address names its content, so the answer
    never changes."""
    given = query.only(request, "signature").get("signature")
    parts = parts_of(request)
    asked, key = await run_in_threadpool(_original, parts, sha256, given)
    if key is None:
        key = await _in_turn(parts, partial(public_forms.make, parts.store, sha256, name=asked.name))
    served = serving(asked.media_type)
    headers = _headers(asked, f'"{key}"', kind=served.disposition, name=asked.name)
    if has_it(request, f'"{key}"'):
        return Response(None, 304, headers)
    return _answer(request, await run_in_threadpool(_stored, parts, key), headers, served.content_type)


@router.get("/media/{sha256}/{spec}/{signature}/{name}", openapi_extra=query.takes("signature"))
async def read_rendition(request: Request, sha256: str, spec: str, signature: str, name: str) -> Response:
    """A picture in another size and format. Only addresses that answers of this API have given are good; without a
    format in the address, `Accept` chooses one."""
    given = query.only(request, "signature").get("signature")
    parts = parts_of(request)
    form = _form(parts.secret, sha256, spec, signature)
    accept = request.headers.get("accept")
    asked, format, made = await run_in_threadpool(_rendition, parts, sha256, given, form, accept)
    etag = f'"{sha256[:32]}-{form.shape}-{format}"'
    shown_as = f"{Path(asked.name).stem}.{format.replace('jpeg', 'jpg')}"
    headers = _headers(asked, etag, kind="inline", name=shown_as)
    if form.format == "auto":
        headers["Vary"] = "Accept"
    if has_it(request, etag):
        return Response(None, 304, headers)
    if made is None:
        made = await _in_turn(parts, partial(parts.renderer.rendition, sha256, form, format=format))
    return _answer(request, made, headers, MEDIA_TYPES[format])


def _asked(parts: Parts, sha256: str, given: str | None) -> _Asked:
    """The file, if who asks may have it. Raises a 404 problem, the same whether it is missing or closed."""
    with parts.database.reading() as session:
        stored = files.find(session, sha256)
        public = publications.public_file(session, sha256) if stored is not None else None
    staff = given is not None and is_signed(parts.secret, sha256, given)
    if stored is None or (public is None and not staff):
        raise _not_found()
    # To the public the name that was published: another may be a draft's.
    name = str((public or {}).get("name") or stored.name)
    return _Asked(sha256, name, stored.media_type, stored.width, stored.height, stored.frames, staff)


def _not_found() -> Problem:
    return Problem(404, "not_found", "There is no such file.")


def _headers(asked: _Asked, etag: str, *, kind: str, name: str) -> dict[str, str]:
    return {
        "Cache-Control": _STAFF if asked.staff else _FOREVER,
        "ETag": etag,
        "Content-Disposition": _disposition(kind, name),
        # Whatever a browser makes of the bytes, it does so without our origin's rights.
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }


def _original(parts: Parts, sha256: str, given: str | None) -> tuple[_Asked, str | None]:
    """The file, and the key of the bytes to send: None while those for the public are not made, as of a picture that
    came before they were made at once."""
    asked = _asked(parts, sha256, given)
    if asked.staff:
        return asked, sha256
    return asked, public_forms.known_key(parts.store, sha256, media_type=asked.media_type)


def _stored(parts: Parts, key: str) -> Rendition:
    try:
        return Rendition("", parts.store.size(key), parts.store.path(key), partial(parts.store.open, key))
    except NotStored:
        raise _not_found() from None


def _form(secret: bytes, sha256: str, spec: str, signature: str) -> Spec:
    if not picture_addresses.is_signed(secret, sha256, spec, signature):
        raise _not_found()
    try:
        return Spec.parse(spec)
    except BadSpec:
        raise _not_found() from None


def _rendition(
    parts: Parts, sha256: str, given: str | None, form: Spec, accept: str | None
) -> tuple[_Asked, Format, Rendition | None]:
    """The file, the format that is meant, and the rendition if it was made before."""
    asked = _asked(parts, sha256, given)
    if asked.media_type not in RENDERED:
        raise _not_found()
    width, height = form.size(asked.width, asked.height) if asked.width and asked.height else (0, 0)
    format = format_for(form, accept, media_type=asked.media_type, frames=asked.frames, pixels=width * height)
    return asked, format, parts.renderer.kept(sha256, form, format=format)


async def _in_turn(parts: Parts, work: Callable[[], Made]) -> Made:
    """Work on a picture. Raises a 404 problem when it cannot be done: there is nothing at such an address."""
    try:
        return await parts.turns.take(work)
    except NotStored:
        raise _not_found() from None
    except RefusedMedia as refusal:
        said = f"No such picture can be made of this file: {refusal.message}"
        raise Problem(404, "not_renderable", said) from None


# --- answers ---


def _answer(request: Request, found: Rendition, headers: Mapping[str, str], media_type: str) -> Response:
    part = _part(request.headers.get("range"), size=found.size)
    if found.path is not None:
        return FileResponse(found.path, headers=headers, media_type=media_type)
    # A part of other bytes than the client has would not fit to them.
    if part is None or request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        sized = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(found.size)}
        return StreamingResponse(_pieces(found, range(found.size)), 200, sized, media_type)
    told = f"bytes {part.start}-{part.stop - 1}/{found.size}"
    sized = {**headers, "Content-Range": told, "Content-Length": str(len(part))}
    return StreamingResponse(_pieces(found, part), 206, sized, media_type)


def _pieces(found: Rendition, part: range) -> Iterator[bytes]:
    with found.open() as source:
        source.seek(part.start)
        left = len(part)
        while left and (piece := source.read(min(_PIECE, left))):
            left -= len(piece)
            yield piece


_PIECE = 2**16
_RANGE = re.compile(r"bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))")


def _part(asked: str | None, *, size: int) -> range | None:
    """The bytes that are asked for, None: all. Raises a 416 problem for several parts, and for one that the file does
    not have."""
    if asked is None:
        return None
    match = _RANGE.fullmatch(asked.strip())
    if match is not None:
        first, last, tail = match.groups()
        start = max(0, size - int(tail)) if tail is not None else int(first)
        part = range(start, min(size, int(last) + 1) if last else size)
        if part:
            return part
    headers = {"Content-Range": f"bytes */{size}"}
    said = f"The file has {size} bytes; ask for one range of them."
    raise Problem(416, "range_not_satisfiable", said, headers=headers)


def _disposition(kind: str, name: str) -> str:
    """With the name as it was uploaded (RFC 6266), and one in ASCII for clients that know no other."""
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
