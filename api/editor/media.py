"""Uploads: bytes in, an `image` or `file` entry out."""

from pathlib import PurePath
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from api import query
from api.access import Desk, parts_of, reading, writing
from api.editor.replies import entry_reply
from api.idempotency import once
from api.problems import Problem
from api.uploads import take_in
from cms import files, site
from cms.errors import Fault, InvalidContent
from cms.files import Received

router = APIRouter(tags=["media"])

_LINES = {"title": 500, "alt": 1_000, "locale": 35}

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "the bytes"},
                        **{name: {"type": "string", "maxLength": longest} for name, longest in _LINES.items()},
                    },
                    "required": ["file"],
                    "additionalProperties": False,
                }
            }
        },
    }
}


@router.post("/media", status_code=201, openapi_extra=_FORM)
async def upload_file(request: Request) -> Response:
    """Upload a file. The same bytes again give the entry that holds them, with status 200."""
    query.only(request)
    # Before a byte of the body is taken in: strangers cannot fill the disk.
    await run_in_threadpool(_refuse_who_may_not, request)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Problem(415, "unsupported_media_type", "An upload is multipart/form-data with a part named 'file'.")
    async with request.form(max_files=1, max_fields=len(_LINES)) as form:
        return await run_in_threadpool(_keep, request, form)


def _refuse_who_may_not(request: Request) -> None:
    with reading(request) as desk:
        desk.permit("create", type="file")
        desk.permit("create", type="image")


def _keep(request: Request, form: FormData) -> Response:
    file, lines = _read(form)
    received = take_in(parts_of(request), file.file, filename=file.filename or "file")
    with writing(request) as desk:
        desk.permit("create", type=received.kind)
        said = repr((received.sha256, received.name, sorted(lines.items()))).encode()
        return once(request, desk, said, lambda: _entry(desk, received, lines))


def _read(form: FormData) -> tuple[UploadFile, dict[str, str]]:
    """The file and the lines beside it. Raises `InvalidContent`."""
    unknown = sorted({*form} - {*_LINES, "file"})
    faults = [Fault(f"/{name[:100]}", "unknown_field", "There is no such part.") for name in unknown]
    lines = {name: value for name, value in form.multi_items() if isinstance(value, str) and name in _LINES}
    for name, value in lines.items():
        if len(value) > _LINES[name]:
            faults.append(Fault(f"/{name}", "too_long", f"At most {_LINES[name]} characters."))
        elif not value.isprintable():
            faults.append(Fault(f"/{name}", "not_printable", "One line of text, without control characters."))
    file = form.get("file")
    if not isinstance(file, UploadFile):
        faults.append(Fault("/file", "missing", "Send the bytes as a part named 'file', with a file name."))
    if faults or not isinstance(file, UploadFile):
        raise InvalidContent(faults)
    return file, lines


def _entry(desk: Desk, received: Received, lines: dict[str, str]) -> Response:
    known = files.entry_of(desk.session, received.sha256)
    if known is not None:
        desk.permit("read", entry=known)
        told = Fault("/file", "known_file", "These bytes were uploaded before: this is their entry.")
        return entry_reply(desk, known, warnings=[told])
    made = files.make_entry(
        desk.session,
        files.keep(desk.session, received, by=desk.by),
        title=lines.get("title") or PurePath(received.name).stem,
        alt=lines.get("alt"),
        locale=lines.get("locale") or site.locales(desk.session).default,
        by=desk.by,
    )
    return entry_reply(desk, made.entry, warnings=made.warnings, status=201)
