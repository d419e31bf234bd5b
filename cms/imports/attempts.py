"""One process's hold on an import job. What it finds out is written with its hold, in one transaction: whoever has
been overtaken, stopped or killed leaves nothing behind that the checkpoint does not tell of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from cms import events
from cms.attribution import Actor, By
from cms.imports.jobs import AT_WORK
from cms.tables.jobs import ImportJob, ImportRow


class LostJob(Exception):
    """The job was paused, cancelled, changed, or taken up by another process."""


@dataclass(frozen=True)
class Attempt:
    """The hold: it is good while the job has this number and state."""

    job: str
    number: int
    state: str


def next_waiting(session: Session, folder: str, *, besides: Sequence[str]) -> str | None:
    """The id of the first job of a data folder that nobody works on, those left out who are worked on here."""
    wanted = select(ImportJob.id).where(ImportJob.folder == folder, ImportJob.state.in_(AT_WORK))
    return session.scalar(wanted.where(ImportJob.id.not_in(besides)).order_by(ImportJob.created_at, ImportJob.id))


def take_up(session: Session, job_id: str) -> tuple[ImportJob, Attempt] | None:
    """Take hold of a job that is to be worked on; whoever held it before has lost it. None: it is not."""
    job = session.get(ImportJob, job_id)
    if job is None or job.state not in AT_WORK:
        return None
    job.attempt += 1
    session.flush()
    return job, Attempt(job.id, job.attempt, job.state)


def keep(session: Session, attempt: Attempt, *, rows: Sequence[Mapping[str, Any]] = (), **values: Any) -> None:
    """Write results of rows and members of the job, `checkpoint` among them. Raises `LostJob`."""
    kept = session.execute(
        update(ImportJob).where(*_held(attempt)).values(**values).execution_options(synchronize_session=False)
    )
    if kept.rowcount != 1:  # type: ignore[attr-defined]
        raise LostJob
    if rows:
        session.execute(insert(ImportRow), [{**_EMPTY, "job_id": attempt.job, **row} for row in rows])


def end(session: Session, attempt: Attempt, state: str, *, by: By, kind: str, **values: Any) -> None:
    """Bring a job into another state, with an event. Raises `LostJob`."""
    keep(session, attempt, state=state, **values)
    events.record(session, kind, by=by, job=attempt.job, state=state)


def by_of(job: ImportJob, at: datetime) -> By:
    """In whose name a job writes. Rights were asked for when it was ordered."""
    role = "administrator" if job.actor_kind == "system" else "publisher"
    actor = Actor(job.actor_kind, job.actor_id, job.actor_name, role)
    return By(actor, at, job.on_behalf_of, job.request, job.note or f"import from {job.source}")


def _held(attempt: Attempt) -> tuple[Any, ...]:
    job = ImportJob
    return job.id == attempt.job, job.attempt == attempt.number, job.state == attempt.state


_EMPTY: Mapping[str, Any] = {
    column.name: None for column in ImportRow.__table__.columns if column.nullable and not column.primary_key
}
