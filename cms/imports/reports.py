"""What staff see of import jobs: the jobs, and what became of each row, as lists and as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from cms import showing
from cms.columns import EQUALITY, ORDER, WORDS
from cms.database import Database
from cms.errors import BadQuery
from cms.imports import rolling_back
from cms.listing import Asked, Column, Page, page
from cms.showing import instant
from cms.tables.jobs import ImportJob, ImportRow

# States in which a job stays until somebody orders something.
RESTING = frozenset({"ready", "paused", "completed", "completed_with_errors", "failed", "cancelled", "rolled_back"})
_AT_A_TIME = 500
_JOB = ImportJob.__table__.c
_ROW = ImportRow.__table__.c


# --- jobs ---


def jobs(session: Session, asked: Asked) -> Page:
    """Rows of (job,), the newest first. Raises `BadQuery`."""
    asked = asked if asked.sort else replace(asked, sort=(("created_at", True),))
    return page(session, select(ImportJob), asked, columns=_JOBS, id=_JOB.id)


_JOBS: Mapping[str, Column] = {
    "id": Column(_JOB.id, "text", EQUALITY),
    "source": Column(_JOB.source, "text", WORDS),
    "format": Column(_JOB.format, "text", EQUALITY),
    "state": Column(_JOB.state, "text", EQUALITY),
    "phase": Column(_JOB.phase, "text", EQUALITY),
    "standing": Column(_JOB.standing_id, "text", EQUALITY),
    "created_at": Column(_JOB.created_at, "instant", ORDER, sortable=True),
}


def show(session: Session, found: Iterable[ImportJob]) -> list[dict[str, Any]]:
    """Jobs as staff see them."""
    listed = list(found)
    people = showing.persons(session, {one.on_behalf_of for one in listed if one.on_behalf_of is not None})
    return [_shown(one, people) for one in listed]


def _shown(job: ImportJob, people: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": job.id,
        "source": job.source,
        "format": job.format,
        "path": None if job.path is None else PurePath(job.path).name,
        "standing": job.standing_id,
        "options": job.options,
        "at_once": job.at_once,
        **progress(job),
        "analysis": job.analysis,
        "dry_run": job.dry_run,
        "created": showing.attribution(job, job.created_at, people),
        "started_at": instant(job.started_at),
        "finished_at": instant(job.finished_at),
    }


def progress(job: ImportJob) -> dict[str, Any]:
    """How far a job has come: `done` of `total` rows in its phase (None: not known yet), and the counts so far."""
    return {
        "state": job.state,
        "phase": job.phase,
        "done": job.done,
        "total": job.total,
        "counts": job.counts,
        "failure": job.failure,
    }


# --- rows ---


def rows(session: Session, job: ImportJob, asked: Asked) -> Page:
    """Rows of (row,) in their order. Those of the run, once it has begun, and of the dry run before, unless
    `filter[dry]` says which. Raises `BadQuery`."""
    wanted, asked = _wanted(job, asked)
    return page(session, wanted, asked, columns=_ROWS, id=_ROW.number)


def _wanted(job: ImportJob, asked: Asked) -> tuple[Select[ImportRow], Asked]:
    dry = job.phase not in ("import", "rollback")
    for one in asked.conditions:
        if one.field == "dry":
            dry = _flag(one.values[0], one.parameter) == (one.operator == "eq")
    others = tuple(one for one in asked.conditions if one.field != "dry" or one.operator not in ("eq", "ne"))
    wanted = select(ImportRow).where(ImportRow.job_id == job.id, ImportRow.dry.is_(dry))
    return wanted, replace(asked, conditions=others)


def _flag(value: str, parameter: str) -> bool:
    if value not in ("true", "false"):
        raise BadQuery(parameter, "not_a_boolean", "It is true or false.")
    return value == "true"


_ROWS: Mapping[str, Column] = {
    # An id of this list is a number: it stands under its own name.
    "number": Column(_ROW.number, "number", ORDER),
    "kind": Column(_ROW.kind, "text", EQUALITY),
    "outcome": Column(_ROW.outcome, "text", EQUALITY),
    "code": Column(_ROW.code, "text", EQUALITY),
    "decision": Column(_ROW.decision, "text", EQUALITY),
    "rolled_back": Column(_ROW.rolled_back, "text", EQUALITY),
    "external_id": Column(_ROW.external_id, "text", WORDS),
    "entry": Column(_ROW.entry_id, "text", EQUALITY),
    "file": Column(_ROW.file, "text", WORDS),
    "line": Column(_ROW.line, "number", ORDER),
}


def show_row(row: ImportRow) -> dict[str, Any]:
    """One row as staff see it; `rolled_back` with the reason in words where it was left."""
    return {
        "number": row.number,
        "dry": row.dry,
        "kind": row.kind,
        "outcome": row.outcome,
        "external_id": row.external_id,
        "entry": row.entry_id,
        "before": row.before,
        "after": row.after,
        "live_before": row.live_before,
        "file": row.file,
        "line": row.line,
        "pointer": row.pointer,
        "code": row.code,
        "reason": row.reason,
        "warnings": row.warnings or [],
        "diff": row.diff,
        "decision": row.decision,
        "rolled_back": row.rolled_back,
        "left_because": rolling_back.why_left(row.rolled_back),
    }


# --- as CSV ---

_HEAD: Sequence[str] = (
    "number", "kind", "outcome", "external_id", "entry", "file", "line", "pointer", "code", "reason", "warnings",
    "decision", "rolled_back", "left_because",
)  # fmt: skip


def csv_of(database: Database, job_id: str, asked: Asked) -> Iterator[bytes]:
    """All rows that a list asks for, as CSV with a line that names the columns; a page of the database at a time, so
    that however many there are, no more are in memory. The first piece is there before the answer begins."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(_HEAD)
    # The row of the structure has the number 0.
    after = -1
    while True:
        found = _some(database, job_id, asked, after)
        writer.writerows([_cell(name, row) for name in _HEAD] for row in map(show_row, found))
        yield lines.getvalue().encode()
        lines.seek(0)
        lines.truncate()
        if len(found) < _AT_A_TIME:
            return
        after = found[-1].number


def _some(database: Database, job_id: str, asked: Asked, after: int) -> list[ImportRow]:
    with database.reading() as session:
        job = session.get(ImportJob, job_id)
        if job is None:
            return []
        wanted, rest = _wanted(job, replace(asked, sort=(), after=None, total=False, size=_AT_A_TIME))
        found = page(session, wanted.where(ImportRow.number > after), rest, columns=_ROWS, id=_ROW.number)
        return [row[0] for row in found.rows]


def _cell(name: str, row: Mapping[str, Any]) -> object:
    value = row[name]
    if name == "warnings":
        value = "; ".join(f"{one['code']} {one['pointer']}: {one['message']}" for one in value)
    # A spreadsheet would take a text that begins so for a formula, and carry it out.
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
