"""Import jobs: what is sent is analysed, tried, brought in, and taken back as a unit; a result for every row."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api import query
from api.access import Desk, changing, expected_revision, parts_of, reading, refuse_strangers, writing
from api.answers import PRIVATE, private
from api.editor import import_uploads
from api.editor.bodies import DecisionBody, DecisionsBody, ImportPatch
from api.editor.import_uploads import is_stream, options_of, received
from api.editor.replies import page_reply
from api.idempotency import once
from api.importing import bringer, folder_id, read_again, spool_file
from api.problems import Problem
from api.refusals import TABLE, problem_of
from api.upload_form import Form
from cms.custom_types import site_types
from cms.errors import Fault, Forbidden, InvalidContent
from cms.identity import new_id
from cms.import_formats import FORMATS
from cms.imports import conflicts, refused_rows, rolling_back
from cms.imports import jobs as import_jobs
from cms.imports import reports as import_reports
from cms.imports.conflicts import Decision
from cms.imports.jobs import Step
from cms.imports.reading import Prepared
from cms.tables.entries import Entry
from cms.tables.jobs import ImportJob, ImportRow

router = APIRouter(tags=["imports"])

# How often a job is looked at for who follows it, and how long nothing is said. Seconds.
_LOOK = 0.4
_SILENCE = 15.0
# Each is a transaction of its own.
_MOST_DECISIONS = 500
_PARAMETERS = ("run", *(one for one in import_uploads.OPTIONS if one != "format"), "format of source")
_CSV = {
    "responses": {
        "200": {"description": "Done", "content": {"application/json": {}, "text/csv": {"schema": {"type": "string"}}}}
    }
}


@router.get("/imports/formats")
def list_import_formats(request: Request) -> Response:
    """What can be imported, and what each format lets you choose. Which one a source has is found out."""
    query.only(request)
    with reading(request) as desk:
        _refuse_who_may_not_import(desk)
    return private(
        [
            {
                "name": name,
                "label": one.label,
                "mappable": one.mappable,
                "choices": {choice: list(offered) for choice, offered in one.choices.items()},
            }
            for name, one in FORMATS.items()
        ]
    )


@router.get("/imports", openapi_extra=query.takes(listing=True))
def list_imports(request: Request) -> Response:
    """Find import jobs, the newest first."""
    asked = query.read(request)
    with reading(request) as desk:
        _refuse_who_may_not_import(desk)
        page = import_reports.jobs(desk.session, asked.asked)
        return page_reply(request, page, import_reports.show(desk.session, (row[0] for row in page.rows)))


@router.post(
    "/imports",
    status_code=202,
    openapi_extra={**import_uploads.body_schema(), **query.takes(*_PARAMETERS)},
)
async def create_import(request: Request) -> Response:
    """Import files: one, several, or an archive. They are analysed first; see the job for what was found, then order a
    dry run and a run. Options are lines of the form, or parameters of the address.

    A body of `application/x-ndjson` is a stream of JSON lines, and is imported as soon as it is whole.
    With `Idempotency-Key` the same files, sent again, are the same job."""
    parameters = query.only(request, "run", *import_uploads.OPTIONS)
    await run_in_threadpool(_refuse_early, request)
    async with received(request) as form:
        usual = {"format": "jsonl", "run": "true"} if is_stream(request) else {}
        lines = [*form.lines, *(usual | parameters).items()]
        return await run_in_threadpool(_create, request, form, lines)


def _refuse_early(request: Request) -> None:
    """Before a byte of the body is taken in."""
    with reading(request) as desk:
        _refuse_who_may_not_import(desk)


def _create(request: Request, form: Form, lines: list[tuple[str, str]]) -> Response:
    if form.strange or not form.files:
        raise InvalidContent([Fault("/file", "missing", "Send files as parts named 'file', each with a file name.")])
    given, run = options_of(lines, files=form.files)
    parts, id = parts_of(request), new_id()
    with writing(request) as desk:
        said = repr(([(one.name, one.received.sha256) for one in form.files], sorted(given.items()), run)).encode()

        def work() -> Response:
            asked = import_jobs.read_asked(desk.session, given)
            _permit_asked(desk, asked.type, publish=asked.publish, section=asked.section)
            import_uploads.lay_down(parts, id, form.files)
            job = import_jobs.create(
                desk.session, asked, id=id, folder=folder_id(parts), path=None, at_once=run, by=desk.by
            )
            return _reply(desk, job, status=202, headers={"Location": f"/editor/v1/imports/{id}"})

        try:
            return once(request, desk, said, work)
        except BaseException:
            # No job will ever ask for them.
            import_uploads.remove_folder(parts, id)
            raise


@router.get("/imports/{id}")
def read_import(request: Request, id: str) -> Response:
    """One import job: its state, what was found in the source, and what became of its rows, counted."""
    query.only(request)
    with reading(request) as desk:
        return _reply(desk, _job(desk, id))


@router.patch("/imports/{id}")
def change_import(request: Request, id: str, body: ImportPatch) -> Response:
    """Change the options of an import that has not run, such as its mapping (a JSON merge patch): it is analysed
    anew."""
    query.only(request)
    patch = {name: getattr(body, name) for name in body.model_fields_set if name != "note"}
    with writing(request, note=body.note) as desk:
        job = _job(desk, id)
        import_jobs.change(desk.session, job, patch, by=desk.by)
        asked = import_jobs.asked_of(job)
        _permit_asked(desk, asked.type, publish=asked.publish, section=asked.section)
        return _reply(desk, job, status=202)


@router.delete("/imports/{id}", status_code=204)
def remove_import(request: Request, id: str) -> Response:
    """Forget an import job, its files and the results of its rows. The entries that it brought stay."""
    query.only(request)
    parts = parts_of(request)
    with writing(request) as desk:
        job = _job(desk, id)
        import_jobs.remove(desk.session, job, by=desk.by)
        is_here = job.folder == folder_id(parts)
    # When the job is gone for certain: its files could not be brought back.
    if is_here:
        import_uploads.remove_folder(parts, id)
    return Response(None, 204, PRIVATE)


@router.put("/imports/{id}/dry-run", status_code=202)
def try_import(request: Request, id: str) -> Response:
    """Find out what a run would do: make, change, leave or refuse, row by row, with the diff of what would change."""
    return _order(request, id, "dry_run", status=202)


@router.put("/imports/{id}/run", status_code=202)
def run_import(request: Request, id: str) -> Response:
    """Bring everything in."""
    return _order(request, id, "run", status=202)


@router.put("/imports/{id}/pause")
def pause_import(request: Request, id: str) -> Response:
    """Stop for a while: what came in stays."""
    return _order(request, id, "pause")


@router.delete("/imports/{id}/pause")
def resume_import(request: Request, id: str) -> Response:
    """Go on with an import that was paused or has failed, from where it was."""
    return _order(request, id, "resume")


@router.put("/imports/{id}/cancellation")
def cancel_import(request: Request, id: str) -> Response:
    """Stop for good: what came in stays, and can be rolled back."""
    return _order(request, id, "cancel")


@router.put("/imports/{id}/rollback", status_code=202, openapi_extra=query.takes("confirm"))
def roll_back_import(request: Request, id: str) -> Response:
    """Undo an import as a unit: what it made goes to the trash, what it changed is as before.

    What people changed since is left, and listed with the rows: `filter[rolled_back][ne]=undone`. Confirm with
    `?confirm=` how many rows are undone; the refusal tells how many."""
    asked = query.only(request, "confirm").get("confirm", "0")
    confirmed = query.number(asked, "confirm", among=range(10**9), said="'confirm' is the number of rows.")
    with writing(request) as desk:
        job = _job(desk, id)
        import_jobs.order(desk.session, job, "rollback", by=desk.by)
        count = rolling_back.undoable(desk.session, job)
        if count != confirmed:
            said = f"{count} rows would be undone. If they shall, send ?confirm={count}."
            raise Problem(409, "confirm_needed", said, confirm=count)
        return _reply(desk, job, status=202)


# --- rows ---


@router.get("/imports/{id}/rows", openapi_extra={**_CSV, **query.takes("form of rows", listing=True)})
def list_import_rows(request: Request, id: str) -> Response:
    """What became of each row, in their order; with `filter[dry]=true`, what would.

    As CSV, all rows at once, with `Accept: text/csv` or `format=csv`."""
    asked = query.read(request, others=frozenset({"format"}))
    form = query.one_of(asked.others.get("format"), ("json", "csv"), name="format")
    takes_csv = "text/csv" in request.headers.get("accept", "") and "format" not in asked.others
    with reading(request) as desk:
        job = _job(desk, id)
        if form != "csv" and not takes_csv:
            page = import_reports.rows(desk.session, job, asked.asked)
            return page_reply(request, page, [import_reports.show_row(row[0]) for row in page.rows])
    pieces = import_reports.csv_of(parts_of(request).database, id, asked.asked)
    return _file(_begun(pieces), name=f"import-{id}.csv", media_type="text/csv; charset=utf-8")


def _begun(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """What is refused must be so before the answer begins."""
    rest = iter(pieces)
    first = next(rest, b"")

    def all_of() -> Iterable[bytes]:
        yield first
        yield from rest

    return all_of()


@router.get("/imports/{id}/refused")
def download_refused_rows(request: Request, id: str) -> Response:
    """The refused rows as a file to mend and send again alone: the same lines as were sent, where the source has lines
    (of a table with its header); else a line of JSON for each, with what was read of it."""
    query.only(request)
    parts = parts_of(request)
    with reading(request) as desk:
        job = _job(desk, id)
    spool = spool_file(parts, id) if job.folder == folder_id(parts) else None
    pieces = refused_rows.lines(parts.database, job, spool)
    kind = ("csv", "text/csv; charset=utf-8") if job.format == "csv" else ("jsonl", LINES_TYPE)
    return _file(_begun(pieces), name=f"refused-{id}.{kind[0]}", media_type=kind[1])


LINES_TYPE = "application/x-ndjson"


def _file(pieces: Iterable[bytes], *, name: str, media_type: str) -> Response:
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, 200, headers, media_type=media_type)


# --- conflicts ---


@router.put("/imports/{id}/rows/{number}/decision")
def decide_row(request: Request, id: str, number: str, body: DecisionBody) -> Response:
    """Decide of a conflict: `keep` what the person made, `overwrite` it, or make the row a new `draft` over it.

    `If-Match` names the revision of the entry that was seen: the row's `before`, unless it was changed since."""
    query.only(request)
    refuse_strangers(request)
    expected_revision(request)
    row_number = _number(number)
    again = _again(request, id, row_number)
    with changing(request, note=body.note) as desk:
        job = _job(desk, id)
        _permit_decision(desk, job, body.decision)
        row = conflicts.row_of(desk.session, job, row_number)
        warnings = _decide(request, desk, job, row, body.decision, again=again, expected=desk.expected)
        told = [{"pointer": one.pointer, "code": one.code, "message": one.message} for one in warnings]
        return private(import_reports.show_row(row), meta={"warnings": told})


@router.put("/imports/{id}/decisions")
def decide_rows(request: Request, id: str, body: DecisionsBody) -> Response:
    """Decide of all conflicts that nobody has decided of, or of those `rows`, 500 at a time: `remaining` tells how many
    are left. Entries that were changed since the import found them are left, and told in `refused`."""
    query.only(request)
    waiting = _waiting(request, id, body)
    others = sorted({*(body.rows or ())}.difference(waiting))
    refused = [
        _undecided(number, Fault("", "no_conflict", "It is no conflict, or none any more.")) for number in others
    ]
    decided = 0
    for number in waiting:
        try:
            _decide_one(request, id, number, body.decision, note=body.note)
            decided += 1
        except tuple(TABLE) as refusal:
            told = problem_of(refusal)
            refused.append(_undecided(number, next(iter(told.errors), Fault("", told.code, told.detail))))
    with reading(request) as desk:
        remaining = conflicts.count_undecided(desk.session, _job(desk, id))
    return private({"decided": decided, "refused": refused, "remaining": remaining})


def _undecided(number: int, fault: Fault) -> dict[str, Any]:
    return {"number": number, "code": fault.code, "message": fault.message}


def _waiting(request: Request, id: str, body: DecisionsBody) -> list[int]:
    with reading(request) as desk:
        job = _job(desk, id)
        conflicts.refuse_undecidable(job)
        _permit_decision(desk, job, body.decision)
        if body.rows is None:
            found = conflicts.undecided(desk.session, job, limit=_MOST_DECISIONS)
        else:
            found = conflicts.named(desk.session, job, body.rows)
        return [row.number for row in found]


def _decide_one(request: Request, id: str, number: int, decision: Decision, *, note: str | None) -> None:
    """In a transaction of its own: who waits to write goes between."""
    again = _again(request, id, number)
    with writing(request, note=note) as desk:
        job = _job(desk, id)
        row = conflicts.row_of(desk.session, job, number)
        # As the import found it, and as the list of its rows tells it.
        expected = -1 if row.before is None else row.before
        _decide(request, desk, job, row, decision, again=again, expected=expected)


def _again(request: Request, id: str, number: int) -> Prepared:
    """What the source has in a row. Reading it may take a while: nobody shall wait for that to write."""
    with reading(request) as desk:
        job = _job(desk, id)
        conflicts.refuse_undecidable(job)
        conflicts.refuse_decided(conflicts.row_of(desk.session, job, number))
        return read_again(parts_of(request), desk.session, job, number)


def _decide(
    request: Request,
    desk: Desk,
    job: ImportJob,
    row: ImportRow,
    decision: Decision,
    *,
    again: Prepared,
    expected: int,
) -> tuple[Fault, ...]:
    entry = desk.session.get(Entry, row.entry_id) if row.entry_id is not None else None
    if entry is not None:
        desk.permit("import", entry=entry)
        if decision == "overwrite" and import_jobs.asked_of(job).publish:
            desk.permit("publish", entry=entry)
    # By its note it is told apart from what the same person does by hand: a rollback leaves that.
    by = replace(desk.by, note=desk.by.note or f"import from {job.source}: {decision}")
    bring = bringer(parts_of(request), desk.session, job, again, by=by)
    return conflicts.decide(
        desk.session, job, row, decision, expected=expected, digest=again.digest, bring=bring, by=by
    )


def _number(text: str) -> int:
    return query.number(text, "number", among=range(10**9), said="A row has a number from 0.")


# --- following ---


@router.get("/imports/{id}/events")
async def follow_import(request: Request, id: str) -> Response:
    """Follow an import as server-sent events: `progress` whenever something has changed, `end` when it rests."""
    query.only(request)
    first = await run_in_threadpool(_progress, request, id)
    headers = {**PRIVATE, "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(request, id, first), 200, headers, media_type="text/event-stream")


async def _events(request: Request, id: str, told: dict[str, Any]) -> AsyncIterator[bytes]:
    yield _event("progress", told)
    silent = 0.0
    while told["state"] not in import_reports.RESTING:
        await asyncio.sleep(_LOOK)
        try:
            now = await run_in_threadpool(_progress, request, id)
        except _ENDED:
            # The job was removed, or who follows it has signed out: there is nobody left to tell it to.
            return
        silent = 0.0 if now != told else silent + _LOOK
        if now != told:
            yield _event("progress", now)
        elif silent >= _SILENCE:
            silent = 0.0
            yield b": still at it\n\n"
        told = now
    yield _event("end", told)


_ENDED: tuple[type[Exception], ...] = (Problem, *TABLE)


def _progress(request: Request, id: str) -> dict[str, Any]:
    with reading(request) as desk:
        return import_reports.progress(_job(desk, id))


def _event(name: str, told: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(told) + b"\n\n"


# --- what all have in common ---


def _order(request: Request, id: str, step: Step, *, status: int = 200) -> Response:
    query.only(request)
    with writing(request) as desk:
        job = _job(desk, id)
        if step == "run":
            asked = import_jobs.asked_of(job)
            _permit_asked(desk, asked.type, publish=asked.publish, section=asked.section)
        import_jobs.order(desk.session, job, step, by=desk.by)
        return _reply(desk, job, status=status)


def _job(desk: Desk, id: str) -> ImportJob:
    """The job, for who may import such. Raises `Forbidden` before it tells whether there is one."""
    _refuse_who_may_not_import(desk)
    job = import_jobs.find(desk.session, id)
    desk.permit("import", type=import_jobs.asked_of(job).type)
    return job


def _refuse_who_may_not_import(desk: Desk) -> None:
    """Raises `Forbidden` for who may import nothing; a key may be for one type alone."""
    if not desk.may("import") and not any(desk.may("import", type=one) for one in site_types.all_of(desk.session)):
        raise Forbidden("import", "")


def _permit_asked(desk: Desk, type: str, *, publish: bool, section: str | None) -> None:
    desk.permit("import", type=type, sections=[section])
    if publish:
        desk.permit("publish", type=type, sections=[section])


def _permit_decision(desk: Desk, job: ImportJob, decision: Decision) -> None:
    asked = import_jobs.asked_of(job)
    _permit_asked(desk, asked.type, publish=asked.publish and decision == "overwrite", section=asked.section)


def _reply(desk: Desk, job: ImportJob, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    desk.session.flush()
    [shown] = import_reports.show(desk.session, [job])
    return private(shown, status=status, headers=headers)
