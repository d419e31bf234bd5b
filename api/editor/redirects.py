"""Redirects: rules that staff and imports keep, and those that follow what was moved; as CSV, too."""

import hashlib
from dataclasses import asdict

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api import query
from api.access import Desk, parts_of, reading, writing
from api.answers import PRIVATE, private
from api.editor.bodies import RedirectBody, RedirectPatch
from api.editor.replies import page_reply
from api.idempotency import once
from api.problems import Problem
from api.upload_form import described
from cms import redirect_files, redirect_rules
from cms.errors import Fault, InvalidContent
from cms.redirect_rules import Kept, Rule
from cms.tables.publications import Redirect

router = APIRouter(tags=["redirects"])

_CSV = described({}, file="the CSV file")


@router.get("/redirects", openapi_extra=query.takes(listing=True))
def list_redirects(request: Request) -> Response:
    """Find redirects, the last changed first. `to.path` is where each leads by now."""
    asked = query.read(request)
    with reading(request) as desk:
        desk.permit("read")
        page = redirect_rules.listing(desk.session, asked.asked)
        return page_reply(request, page, redirect_rules.show(desk.session, (row[0] for row in page.rows)))


@router.post("/redirects", status_code=201)
def create_redirect(request: Request, body: RedirectBody) -> Response:
    """Make a redirect. What is live at its path goes before it: `meta.warnings` then has `shadowed`."""
    query.only(request)
    with writing(request, note=body.note) as desk:
        desk.permit("redirects")

        def work() -> Response:
            return kept_reply(desk, redirect_rules.create(desk.session, _rule_of(body), by=desk.by), status=201)

        return once(request, desk, body.model_dump_json().encode(), work)


@router.get("/redirects.csv")
def export_redirects(request: Request) -> Response:
    """All redirects as CSV, in the form that can be imported again."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("read")
    headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="redirects.csv"'}
    return StreamingResponse(redirect_files.all_of(parts_of(request).database), 200, headers, media_type="text/csv")


@router.post("/redirects/import", openapi_extra={**_CSV, **query.takes("dry_run", "strict")})
async def import_redirects(request: Request) -> Response:
    """Make and change redirects from a CSV file: its first line names the columns, `path` and `to` at least.

    Rows that are refused are told with their lines; the others are done, or with `strict` none. A body of `text/csv`
    is taken, too."""
    asked = query.only(request, "dry_run", "strict")
    dry_run, strict = (query.flag(asked.get(name, "false"), name) for name in ("dry_run", "strict"))
    # Before a byte of the body is taken in.
    await run_in_threadpool(_refuse_who_may_not, request)
    content = await _file_of(request)
    return await run_in_threadpool(_import, request, content, dry_run=dry_run, strict=strict)


def _refuse_who_may_not(request: Request) -> None:
    with reading(request) as desk:
        desk.permit("redirects")


async def _file_of(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    if media_type == "text/csv":
        return await request.body()
    if media_type != "multipart/form-data":
        raise Problem(415, "unsupported_media_type", "Send text/csv, or multipart/form-data with a part named 'file'.")
    async with request.form(max_files=1, max_fields=0) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidContent([Fault("/file", "missing", "Send the CSV as a part named 'file', with a file name.")])
        return await file.read()


def _import(request: Request, content: bytes, *, dry_run: bool, strict: bool) -> Response:
    text = redirect_files.text_of(content)
    opened = reading if dry_run else writing
    with opened(request) as desk:
        desk.permit("redirects")

        def work() -> Response:
            outcome = redirect_files.bring(desk.session, text, by=desk.by, strict=strict, dry_run=dry_run)
            return private(asdict(outcome))

        return work() if dry_run else once(request, desk, content, work)


@router.get("/redirects/{id}")
def read_redirect(request: Request, id: str) -> Response:
    """One redirect."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("read")
        stored = redirect_rules.find(desk.session, id)
        [shown] = redirect_rules.show(desk.session, [stored])
        return private(shown, headers={"ETag": _tag(stored)})


@router.patch("/redirects/{id}")
def change_redirect(request: Request, id: str, body: RedirectPatch) -> Response:
    """Change a redirect (a JSON merge patch). Of one that follows a move, only the explanation."""
    query.only(request)
    with writing(request, note=body.note) as desk:
        desk.permit("redirects")
        stored = redirect_rules.find(desk.session, id)
        _refuse_changed(request, stored)
        values = {name: getattr(body, name) for name in body.model_fields_set if name != "note"}
        return kept_reply(desk, redirect_rules.change(desk.session, stored, values, by=desk.by))


@router.delete("/redirects/{id}", status_code=204)
def remove_redirect(request: Request, id: str) -> Response:
    """Remove a redirect."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("redirects")
        stored = redirect_rules.find(desk.session, id)
        _refuse_changed(request, stored)
        redirect_rules.remove(desk.session, stored, by=desk.by)
    return Response(None, 204, PRIVATE)


def kept_reply(desk: Desk, kept: Kept, *, status: int = 200) -> Response:
    """A redirect as it is now, with what staff should know of it."""
    [shown] = redirect_rules.show(desk.session, [kept.redirect])
    headers = {"ETag": _tag(kept.redirect)}
    if status == 201:
        headers["Location"] = f"/editor/v1/redirects/{kept.redirect.id}"
    meta = {"warnings": [asdict(one) for one in kept.warnings]}
    return private(shown, status=status, meta=meta, headers=headers)


def _rule_of(body: RedirectBody) -> Rule:
    return Rule(**body.model_dump(exclude={"note"}))


def _tag(stored: Redirect) -> str:
    """What it says, and when that was changed; not how often it was hit."""
    said = repr((stored.id, stored.changed_at, redirect_rules.rule_of(stored))).encode()
    return f'"{hashlib.blake2b(said, digest_size=12).hexdigest()}"'


def _refuse_changed(request: Request, stored: Redirect) -> None:
    said = request.headers.get("if-match", "*").strip()
    if said not in ("", "*") and _tag(stored) not in (one.strip() for one in said.split(",")):
        told = "Somebody has changed this redirect since. Read it and decide again."
        raise Problem(412, "stale", told, headers={"ETag": _tag(stored)})
