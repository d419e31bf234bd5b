"""Export jobs: what is asked for, how far it came, and what staff may order of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cms import events
from cms.attribution import Actor, By
from cms.clock import written
from cms.errors import Fault, InvalidContent, NotFound, WrongState
from cms.export_formats import ExportFormat
from cms.exports import exporting
from cms.listing import Asked as AskedList
from cms.listing import Column, Page, page
from cms.tables.attributed import attribution
from cms.tables.jobs import ExportJob

# The files of an export are kept so long.
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Asked:
    """What an export is told to do: a format by its name, `filter` as `exporting.read_wanted` takes it, and what the
    format lets staff choose."""

    format: str
    filter: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)


def read_asked(session: Session, asked: Asked, formats: Mapping[str, ExportFormat]) -> exporting.Wanted:
    """Which entries it means. Raises `InvalidContent` with a pointer for each fault."""
    of = formats.get(asked.format)
    if of is None:
        raise InvalidContent([Fault("/format", "unknown_format", f"The formats are: {', '.join(formats)}.")])
    faults = [
        Fault(f"/options/{name}", "unknown_option", f"'{asked.format}' has no such choice; it has: {_named(of)}.")
        if name not in of.choices
        else Fault(f"/options/{name}", "unknown_choice", f"Choose one of: {', '.join(of.choices[name])}.")
        for name, value in sorted(asked.choices.items())
        if value not in of.choices.get(name, ())
    ]
    if faults:
        raise InvalidContent(faults)
    return exporting.read_wanted(session, asked.filter, of=of)


def _named(of: ExportFormat) -> str:
    return ", ".join(sorted(of.choices)) or "none"


def create(session: Session, asked: Asked, *, id: str, folder: str, by: By) -> ExportJob:
    """A new job, to be worked on. `folder` names the data folder whose server does it."""
    job = ExportJob(
        id=id,
        folder=folder,
        format=asked.format,
        options={"filter": dict(asked.filter), "choices": dict(asked.choices)},
        state="running",
        attempt=0,
        done=0,
        checkpoint={},
        created_at=by.at,
        **attribution(by),
    )
    session.add(job)
    session.flush()
    events.record(session, "export.created", by=by, export=id, format=asked.format, filter=dict(asked.filter))
    return job


def asked_of(job: ExportJob) -> Asked:
    """What a job was told to do."""
    return Asked(job.format, job.options.get("filter") or {}, job.options.get("choices") or {})


def find(session: Session, id: str) -> ExportJob:
    """The job of that id. Raises `NotFound`."""
    job = session.get(ExportJob, id)
    if job is None:
        raise NotFound("export", id)
    return job


def cancel(session: Session, job: ExportJob, *, by: By) -> None:
    """Stop a job; what it has written goes. Raises `WrongState` when it has ended."""
    if job.state != "running":
        raise WrongState("not_running", f"The export is {job.state}: there is nothing to cancel. Remove it instead.")
    job.state = "cancelled"
    job.finished_at = by.at
    events.record(session, "export.cancelled", by=by, export=job.id)


def remove(session: Session, job: ExportJob, *, by: By) -> None:
    """Forget a job that has ended. Raises `WrongState` while it is running."""
    if job.state == "running":
        raise WrongState("running", "The export is running. Cancel it first.")
    session.delete(job)
    events.record(session, "export.removed", by=by, export=job.id)


# --- for whoever works on it ---


def next_running(session: Session, folder: str) -> str | None:
    """The oldest job of a data folder that is to be worked on."""
    wanted = select(ExportJob.id).where(ExportJob.state == "running", ExportJob.folder == folder)
    return session.scalar(wanted.order_by(ExportJob.created_at, ExportJob.id).limit(1))


def take_up(session: Session, job: ExportJob) -> int:
    """Begin, or go on; whoever worked on it before has lost it. The number of the attempt."""
    job.attempt += 1
    return job.attempt


def note(session: Session, id: str, attempt: int, **values: Any) -> bool:
    """Write how far a job came, if it is still running and nobody else has taken it up."""
    mine = (ExportJob.id == id, ExportJob.attempt == attempt, ExportJob.state == "running")
    changed = update(ExportJob).where(*mine).values(**values).returning(ExportJob.id)
    return bool(session.execute(changed.execution_options(synchronize_session=False)).all())


def attributed(job: ExportJob, at: datetime) -> By:
    """The attribution of what a job does: that of who asked for it."""
    actor = Actor(job.actor_kind, job.actor_id, job.actor_name, "")
    return By(actor, at, job.on_behalf_of, job.request, job.note)


def outdated(session: Session, *, folder: str, now: datetime) -> Sequence[str]:
    """Jobs whose files have been kept long enough."""
    wanted = select(ExportJob.id).where(
        ExportJob.folder == folder, ExportJob.finished_at < now - KEPT_FOR, ExportJob.state != "running"
    )
    return session.scalars(wanted.order_by(ExportJob.id)).all()


# --- for staff ---


def listing(session: Session, asked: AskedList) -> Page:
    """Jobs, the newest first unless it is asked otherwise."""
    asked = asked if asked.sort else _newest_first(asked)
    return page(session, select(ExportJob), asked, columns=_COLUMNS, id=ExportJob.id.expression)


def _newest_first(asked: AskedList) -> AskedList:
    return AskedList(asked.conditions, (("created_at", True),), asked.size, asked.after, asked.total)


_EQUAL = frozenset({"eq", "ne", "in", "nin"})
_COMPARED = frozenset({"eq", "lt", "lte", "gt", "gte"})
_COLUMNS: Mapping[str, Column] = {
    "format": Column(ExportJob.format.expression, "text", _EQUAL),
    "state": Column(ExportJob.state.expression, "text", _EQUAL),
    "created_at": Column(ExportJob.created_at.expression, "instant", _COMPARED, sortable=True),
}


def show(job: ExportJob) -> dict[str, Any]:
    """A job as staff see it."""
    asked = asked_of(job)
    completed = job.state == "completed"
    lists = {name: asked.filter.get(name) or [] for name in ("types", "sections", "locales", "states", "ids")}
    return {
        "id": job.id,
        "format": job.format,
        "filter": {
            **lists,
            "changed_since": asked.filter.get("changed_since"),
            "content": asked.filter.get("content") or "newest",
        },
        "options": dict(asked.choices),
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "file": f"/editor/v1/exports/{job.id}/file" if completed else None,
        "size": job.size,
        "sha256": job.sha256,
        "failure": job.failure,
        "by": {"kind": job.actor_kind, "id": job.actor_id, "name": job.actor_name},
        "created_at": written(job.created_at),
        "finished_at": job.finished_at and written(job.finished_at),
        "kept_until": written(job.finished_at + KEPT_FOR) if completed and job.finished_at else None,
    }
