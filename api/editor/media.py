"""Uploads: bytes in, `image` and `file` entries out; from the caller, or from another host."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api import query
from api.access import Desk, parts_of, reading, writing
from api.answers import private
from api.editor.bodies import FromUrlBody
from api.editor.file_entries import Settled, check, refuse_who_may_not_upload, settle
from api.editor.upload_lines import NO_FILE, Lines, form_schema, lines_of
from api.fetching import Fetched
from api.idempotency import once
from api.problems import Problem
from api.refusals import problem_of
from api.upload_form import Form, SentFile, read_form
from api.uploads import LARGEST_UPLOAD, keep_received
from cms import showing, snapshots
from cms.errors import Fault, InvalidContent
from cms.files import Received
from media.receiving import Incoming
from media.refusals import RefusedMedia

router = APIRouter(tags=["media"])


@router.post("/media", status_code=201, openapi_extra=form_schema())
async def upload_file(request: Request) -> Response:
    """Upload files. The same bytes again give the entry that holds them: with status 200 when it is the only file.

    What is said beside them goes for each of several files. Then `data` is a list, and those that were refused are
    told in `meta.refused`; 422 when all were."""
    query.only(request)
    await run_in_threadpool(refuse_who_may_not_upload, request)
    async with read_form(request, folder=parts_of(request).store.incoming, limit=LARGEST_UPLOAD) as form:
        return await run_in_threadpool(_keep_form, request, form)


def _keep_form(request: Request, form: Form) -> Response:
    lines = lines_of(form.lines, strange=form.strange)
    if not form.files:
        raise InvalidContent([Fault("/file", "missing", NO_FILE)])
    if len(form.files) == 1:
        [file] = form.files
        return keep_one(request, keep_received(parts_of(request), file.received, filename=file.name), lines)
    return _keep_many(request, form.files, lines)


def keep_one(request: Request, received: Received, lines: Lines, *, note: str | None = None) -> Response:
    """The answer that gives the entry of a file."""
    with writing(request, note=note) as desk:
        said = repr((received.sha256, received.name, lines)).encode()
        return once(request, desk, said, lambda: settle(desk, received, lines).reply(desk))


def _keep_many(request: Request, sent: list[SentFile], lines: Lines) -> Response:
    kept: list[tuple[int, Received]] = []
    refused: list[dict[str, str]] = []
    faults: list[Fault] = []
    for number, file in enumerate(sent):
        try:
            kept.append((number, keep_received(parts_of(request), file.received, filename=file.name)))
        except RefusedMedia as refusal:
            refused.append({"name": file.name, "code": refusal.code, "message": refusal.message})
            faults.append(Fault(f"/file/{number}", refusal.code, refusal.message))
    if not kept:
        raise InvalidContent(faults)
    with writing(request) as desk:
        said = repr(([(one.sha256, one.name) for _, one in kept], refused, lines)).encode()

        def work() -> Response:
            settled = [settle(desk, received, lines, at=f"/file/{number}") for number, received in kept]
            return _all_of(desk, settled, refused)

        return once(request, desk, said, work)


def _all_of(desk: Desk, settled: list[Settled], refused: list[dict[str, str]]) -> Response:
    desk.session.flush()
    rows = [(one.entry, snapshots.revision_of(desk.session, one.entry), None) for one in settled]
    shown = showing.entries(desk.session, rows, rich_text="doc", sign=desk.sign, pictures=desk.pictures)
    warnings = [asdict(warning) for one in settled for warning in one.warnings]
    return private(shown, status=201, meta={"refused": refused, "warnings": warnings})


@router.post("/media/from-url", status_code=201)
async def fetch_file(request: Request, body: FromUrlBody) -> Response:
    """Take a file from another host. Only hosts that the whole world can reach are asked; otherwise as an upload."""
    query.only(request)
    await run_in_threadpool(refuse_who_may_not_upload, request)
    given: dict[str, Any] = body.model_dump(exclude={"url", "title", "alt", "locale", "note"}, exclude_none=True)
    lines = Lines(body.title, body.alt, body.locale, given)
    await run_in_threadpool(_check, request, lines)
    parts = parts_of(request)
    with Incoming(parts.store.incoming, limit=LARGEST_UPLOAD) as incoming:
        fetched = await parts.fetcher.fetch(body.url, into=incoming)
        return await run_in_threadpool(_keep_fetched, request, fetched, lines, body.note)


def _check(request: Request, lines: Lines) -> None:
    with reading(request) as desk:
        check(desk, lines)


def _keep_fetched(request: Request, fetched: Fetched, lines: Lines, note: str | None) -> Response:
    try:
        received = keep_received(parts_of(request), fetched.received, filename=fetched.name)
    except RefusedMedia as refusal:
        told: Problem = problem_of(refusal)
        told.errors = [Fault("/url", refusal.code, refusal.message)]
        raise told from refusal
    return keep_one(request, received, lines, note=note)
