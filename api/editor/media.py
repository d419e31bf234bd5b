"""Uploads: bytes in, an `image` or `file` entry out."""

from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile

from api import query
from api.access import parts_of, reading, writing
from api.editor.replies import entry_reply
from api.uploads import take_in
from cms import files, site
from cms.errors import Fault

router = APIRouter(tags=["media"])


@router.post("/media", status_code=201)
def upload_file(
    request: Request,
    file: Annotated[UploadFile, File(description="The bytes")],
    title: Annotated[str | None, Form(max_length=500)] = None,
    alt: Annotated[str | None, Form(max_length=1_000)] = None,
    locale: Annotated[str | None, Form(max_length=35)] = None,
) -> Response:
    """Upload a file. The same bytes again give the entry that holds them, with status 200."""
    query.only(request)
    with reading(request) as desk:
        # Asked before anything is stored; what kind it is, only the bytes will tell.
        desk.permit("create", type="file")
        desk.permit("create", type="image")
    received = take_in(parts_of(request), file.file, filename=file.filename or "file")
    with writing(request) as desk:
        known = files.entry_of(desk.session, received.sha256)
        if known is not None:
            told = Fault("/file", "known_file", "These bytes were uploaded before: this is their entry.")
            return entry_reply(desk, known, warnings=[told])
        stored = files.keep(desk.session, received, by=desk.by)
        made = files.make_entry(
            desk.session,
            stored,
            title=title or PurePath(received.name).stem,
            alt=alt,
            locale=locale or site.locales(desk.session).default,
            by=desk.by,
        )
        return entry_reply(desk, made.entry, warnings=made.warnings, status=201)
