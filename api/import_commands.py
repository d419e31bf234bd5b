"""Imports from the command line: the same jobs as over HTTP, worked on where the data folder is held."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import or_, select

from api import background
from api.importing import drive, folder_id, job_folder
from api.parts import Parts
from cms import people
from cms.attribution import COMMAND_LINE, By
from cms.errors import Fault, InvalidContent, WrongState
from cms.identity import new_id
from cms.imports import jobs as import_jobs
from cms.imports.jobs import AT_WORK
from cms.showing import instant
from cms.tables.jobs import ImportJob, ImportRow

Told = Iterator[dict[str, Any]]

_PAGE = 500
_LISTED = 100


def import_source(
    parts: Parts,
    *,
    path: str,
    source: str,
    id: str | None = None,
    analyse: bool = False,
    dry_run: bool = False,
    on_behalf_of: str | None = None,
    for_request: int | None = None,
    **given: Any,
) -> Told:
    """Import a file or folder, or only look at it: `analyse` reads it, `dry_run` tells what a run would do. `given` are
    the options of `import_jobs.Asked`. Tells progress, and at last `{"report": …}`."""
    started = time.monotonic()
    job_id = id or new_id()
    by = _by(parts, on_behalf_of, for_request)
    with parts.database.writing() as session:
        if on_behalf_of is not None:
            people.find(session, on_behalf_of)
        asked = _read_asked(session, {"source": source, **given})
        where = folder_id(parts)
        at_once = not analyse and not dry_run
        import_jobs.create(session, asked, id=job_id, folder=where, path=path, at_once=at_once, by=by)
    job_folder(parts, job_id)
    yield from drive(parts, job_id)
    if dry_run:
        _order(parts, job_id, "dry_run")
        yield from drive(parts, job_id)
    report = _ended(parts, job_id, started, dry=dry_run)
    if analyse:
        yield {"output": orjson.dumps(report["analysis"], option=orjson.OPT_INDENT_2).decode()}
    yield {"report": report}


def go_on(parts: Parts, *, id: str, step: str) -> Told:
    """Order a step of a job and see it through. Tells progress, and at last `{"report": …}`. A job that was at work
    when its process was killed is resumed as one that was paused."""
    started = time.monotonic()
    if step != "resume" or not _is_at_work(parts, id):
        _order(parts, id, step)
    yield {"line": f"Import {id}: {step.replace('_', ' ')}"}
    if step not in ("pause", "cancel"):
        yield from drive(parts, id)
    yield {"report": _ended(parts, id, started, dry=step == "dry_run")}


def tell_job(parts: Parts, *, id: str) -> Told:
    """Tell what became of a job so far."""
    with parts.database.reading() as session:
        dry = import_jobs.find(session, id).phase == "dry_run"
    yield {"report": _report(parts, id, 0.0, dry=dry)}


def list_jobs(parts: Parts) -> Told:
    """Tell the newest jobs, a line each."""
    with parts.database.reading() as session:
        newest = select(ImportJob).order_by(ImportJob.created_at.desc(), ImportJob.id.desc()).limit(_LISTED)
        for job in session.scalars(newest):
            far = f"{job.done}/{job.total if job.total is not None else '?'}"
            yield {"output": f"{job.id} {instant(job.created_at)} {job.state} {job.phase} {far} {job.source}"}


def _read_asked(session: Any, given: Mapping[str, Any]) -> import_jobs.Asked:
    try:
        return import_jobs.read_asked(session, given)
    except InvalidContent as refusal:
        faults = [Fault(f"--{one.pointer[1:].replace('_', '-')}", one.code, one.message) for one in refusal.faults]
        raise InvalidContent(faults) from refusal


def _by(parts: Parts, on_behalf_of: str | None, for_request: int | None) -> By:
    if for_request is not None and not 0 < for_request < 2**31:
        raise InvalidContent([Fault("--for-request", "bad_request", "A request has a number from 1.")])
    return By(COMMAND_LINE, parts.clock(), on_behalf_of, for_request)


def _is_at_work(parts: Parts, id: str) -> bool:
    with parts.database.reading() as session:
        return import_jobs.find(session, id).state in AT_WORK


def _order(parts: Parts, id: str, step: Any) -> None:
    with parts.database.writing() as session:
        job = import_jobs.find(session, id)
        import_jobs.order(session, job, step, by=_by(parts, None, None))


def _ended(parts: Parts, id: str, started: float, *, dry: bool) -> dict[str, Any]:
    """The report of a job that is not worked on any more. Raises `WrongState` for one that failed."""
    with parts.database.reading() as session:
        job = import_jobs.find(session, id)
    if job.state == "failed" or (job.failure and job.state not in AT_WORK):
        raise WrongState("import_failed", f"Import {id}: {job.failure}")
    if not dry and job.phase in ("import", "rollback"):
        background.catch_up(parts)
    return _report(parts, id, time.monotonic() - started, dry=dry)


def _report(parts: Parts, id: str, seconds: float, *, dry: bool) -> dict[str, Any]:
    with parts.database.reading() as session:
        job = import_jobs.find(session, id)
    counts = (job.dry_run if dry and job.dry_run else job.counts) or {}
    outcomes = {name.replace("_", " "): count for name, count in counts.items() if isinstance(count, int) and count}
    return {
        "job": id,
        "state": job.state,
        "dry_run": dry,
        "outcomes": outcomes,
        "warnings": counts.get("warnings") or {},
        "rolled_back": counts.get("rolled_back"),
        "analysis": job.analysis,
        "problems": list(_problems(parts, id, dry=dry)),
        "seconds": round(seconds, 2),
    }


def _problems(parts: Parts, id: str, *, dry: bool) -> Iterator[dict[str, Any]]:
    last = -1
    r = ImportRow
    told = or_(r.outcome.in_(("refused", "conflict")), r.warnings.is_not(None))
    wanted = select(r).where(r.job_id == id, r.dry.is_(dry), told).order_by(r.number).limit(_PAGE)
    while True:
        with parts.database.reading() as session:
            rows = session.scalars(wanted.where(r.number > last)).all()
        if not rows:
            return
        for row in rows:
            yield from _problems_of(row)
        last = rows[-1].number


def _problems_of(row: ImportRow) -> Iterator[dict[str, Any]]:
    place = {"file": row.file, "line": row.line, "external_id": row.external_id}
    if row.outcome in ("refused", "conflict"):
        yield {**place, "field": row.pointer, "code": row.code, "reason": row.reason, "warning": False}
    for one in row.warnings or ():
        yield {**place, "field": one["pointer"], "code": one["code"], "reason": one["message"], "warning": True}
