"""Resumable uploads by tus 1.0 (https://tus.io/protocols/resumable-upload): core, creation, expiration, termination."""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api import query
from api.access import parts_of, reading, writing
from api.answers import PRIVATE, private
from api.editor.file_entries import check, refuse_who_may_not_upload, settle
from api.editor.upload_lines import lines_of
from api.idempotency import once
from api.problems import Problem
from api.resumable import Piecemeal
from api.uploads import LARGEST_UPLOAD, keep_received
from cms.clock import written
from cms.errors import Fault
from media.refusals import RefusedMedia, TooLarge

router = APIRouter(tags=["media"])

VERSION = "1.0.0"
# The names that clients give to the file's name, and to its type, which is told from the bytes.
_NAMES, _TYPES = ("filename", "name"), ("filetype", "type")
_PIECE = "application/offset+octet-stream"


def _takes(*names: str, body: bool = False) -> dict[str, Any]:
    schemas: dict[str, Any] = {
        "Tus-Resumable": {"type": "string", "enum": [VERSION]},
        "Upload-Length": {"type": "integer", "minimum": 1, "maximum": LARGEST_UPLOAD},
        "Upload-Metadata": {"type": "string", "maxLength": 8_000},
        "Upload-Offset": {"type": "integer", "minimum": 0, "maximum": LARGEST_UPLOAD},
    }
    told: dict[str, Any] = {
        "parameters": [
            {"name": name, "in": "header", "required": name in ("Upload-Length", "Upload-Offset"), "schema": schema}
            for name, schema in schemas.items()
            if name in ("Tus-Resumable", *names)
        ]
    }
    if body:
        told["requestBody"] = {
            "required": True,
            "content": {_PIECE: {"schema": {"type": "string", "format": "binary"}}},
        }
    return told


@router.options("/uploads", include_in_schema=False)
async def tell_protocol(request: Request) -> Response:
    """What of tus is spoken here."""
    query.only(request)
    extensions = {"Tus-Extension": "creation,expiration,termination", "Tus-Max-Size": str(LARGEST_UPLOAD)}
    return Response(None, 204, {"Tus-Version": VERSION, "Tus-Resumable": VERSION, **extensions})


@router.post("/uploads", status_code=201, openapi_extra=_takes("Upload-Length", "Upload-Metadata"))
def begin_upload(request: Request) -> Response:
    """Begin a resumable upload (tus 1.0): `Upload-Length` bytes, which are then sent to its `Location` piece by piece.

    `Upload-Metadata` has the file's name as `filename`, and the lines of an upload, such as `title` and `folder`."""
    query.only(request)
    _refuse_other_versions(request)
    refuse_who_may_not_upload(request)
    length, metadata = _number(request, "Upload-Length"), _metadata(request)
    if length > LARGEST_UPLOAD:
        raise TooLarge(LARGEST_UPLOAD)
    if length == 0:
        raise RefusedMedia("empty", "The file is empty.")
    with writing(request) as desk:
        check(desk, lines_of(_said(metadata)))

        def work() -> Response:
            upload = parts_of(request).pieces.begin(desk.actor.id, length, metadata)
            headers = {**_headers(upload, 0), "Location": f"/editor/v1/uploads/{upload.id}"}
            return private(_shown(upload, 0), status=201, headers=headers)

        return once(request, desk, repr((length, metadata)).encode(), work)


@router.get("/uploads/{id}", openapi_extra=_takes())
def read_upload(request: Request, id: str) -> Response:
    """How much of a resumable upload is here, and the entry that it has become."""
    query.only(request)
    _refuse_other_versions(request)
    upload = _own(request, id)
    offset = parts_of(request).pieces.offset(upload)
    return private(_shown(upload, offset), headers=_headers(upload, offset))


@router.patch("/uploads/{id}", status_code=204, openapi_extra=_takes("Upload-Offset", body=True))
async def take_piece(request: Request, id: str) -> Response:
    """Send a piece of a resumable upload, from `Upload-Offset` on. With the last one it becomes an entry, which
    `Sitedesk-Entry` names. A file that is refused then is gone."""
    query.only(request)
    _refuse_other_versions(request)
    if request.headers.get("content-type", "").strip().lower() != _PIECE:
        raise Problem(415, "unsupported_media_type", f"A piece is {_PIECE}.")
    start = _number(request, "Upload-Offset")
    upload = await run_in_threadpool(_own, request, id)
    if upload.entry is None:
        await _append(request, upload, start)
    elif start != upload.length:
        raise _at_odds(upload.length)
    return await run_in_threadpool(_taken, request, upload)


async def _append(request: Request, upload: Piecemeal, start: int) -> None:
    pieces = parts_of(request).pieces
    with pieces.taking(upload) as file:
        offset = pieces.offset(upload)
        if start != offset:
            raise _at_odds(offset)
        async for chunk in request.stream():
            offset += len(chunk)
            if offset > upload.length:
                raise TooLarge(upload.length)
            await run_in_threadpool(file.write, chunk)


def _taken(request: Request, upload: Piecemeal) -> Response:
    pieces = parts_of(request).pieces
    offset = pieces.offset(upload)
    headers = {**PRIVATE, **_headers(upload, offset)}
    if offset == upload.length:
        headers["Sitedesk-Entry"] = upload.entry or _ended(request, upload)
    return Response(None, 204, headers)


def _ended(request: Request, upload: Piecemeal) -> str:
    """The entry of a complete upload."""
    parts, said = parts_of(request), dict(upload.lines)
    name = next((said[one] for one in _NAMES if said.get(one)), "file")
    with parts.pieces.whole(upload, incoming=parts.store.incoming) as whole:
        try:
            received = keep_received(parts, whole, filename=name)
        except RefusedMedia:
            # It will not get better by being sent again.
            parts.pieces.remove(upload)
            raise
    with writing(request) as desk:
        entry = settle(desk, received, lines_of(_said(upload.lines))).entry.id
    parts.pieces.end(upload, entry=entry)
    return entry


@router.delete("/uploads/{id}", status_code=204, openapi_extra=_takes())
def remove_upload(request: Request, id: str) -> Response:
    """Give up a resumable upload. An entry that it has become stays."""
    query.only(request)
    _refuse_other_versions(request)
    parts_of(request).pieces.remove(_own(request, id))
    return Response(None, 204, {**PRIVATE, "Tus-Resumable": VERSION})


def _own(request: Request, id: str) -> Piecemeal:
    """One of the actor's own uploads. Raises `NotFound`."""
    with reading(request) as desk:
        return parts_of(request).pieces.find(id, owner=desk.actor.id)


def _said(metadata: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in metadata if name not in (*_NAMES, *_TYPES)]


def _shown(upload: Piecemeal, offset: int) -> dict[str, Any]:
    expires = written(datetime.fromisoformat(upload.expires_at))
    members = {"offset": offset, "length": upload.length, "expires_at": expires, "entry": upload.entry}
    return {"id": upload.id, **members}


def _headers(upload: Piecemeal, offset: int) -> dict[str, str]:
    return {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(offset),
        "Upload-Length": str(upload.length),
        "Upload-Expires": format_datetime(datetime.fromisoformat(upload.expires_at), usegmt=True),
    }


def _at_odds(offset: int) -> Problem:
    said = f"{offset} bytes are here: go on from there."
    return Problem(409, "upload_offset", said, headers={"Tus-Resumable": VERSION}, offset=offset)


def _refuse_other_versions(request: Request) -> None:
    if request.headers.get("tus-resumable", VERSION) != VERSION:
        raise Problem(412, "tus_version", f"Here tus {VERSION} is spoken.", headers={"Tus-Version": VERSION})


def _number(request: Request, name: str) -> int:
    digits = request.headers.get(name, "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        said = f"{name} is a number of bytes."
        raise Problem(400, "malformed_header", said, errors=[Fault(name, "malformed_header", said)])
    return int(digits)


def _metadata(request: Request) -> list[tuple[str, str]]:
    """Pairs of a name and a value in base64, set apart by commas."""
    pairs = []
    for pair in filter(None, (one.strip() for one in request.headers.get("upload-metadata", "").split(","))):
        name, _, encoded = pair.partition(" ")
        try:
            pairs.append((name, base64.b64decode(encoded.strip(), validate=True).decode()))
        except (binascii.Error, ValueError):
            said = "Upload-Metadata has pairs of a name and a value in base64, of UTF-8, set apart by commas."
            raise Problem(
                400, "malformed_header", said, errors=[Fault("Upload-Metadata", "malformed_header", said)]
            ) from None
    return pairs
