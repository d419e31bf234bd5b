"""Publishing and unpublishing at an instant: ordered by an editor, carried out by the scheduler, exactly once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from cms import events, publishing, redirects, second_person, showing_times
from cms.attribution import SCHEDULER, By
from cms.errors import Fault, InvalidContent, NotFound, Refusal
from cms.redirects import Answer
from cms.snapshots import refuse_stale, refuse_trashed, revision_of
from cms.tables.attributed import attribution
from cms.tables.entries import Entry
from cms.tables.publications import Publication, Schedule


@dataclass(frozen=True)
class Plan:
    """What shall happen when. `zone` is the one the editor chose the instants in; `answer` what the path says after."""

    publish_at: datetime | None
    unpublish_at: datetime | None
    zone: str
    answer: Answer
    revision: int | None = None


def schedule(session: Session, entry: Entry, plan: Plan, *, expected: int, by: By) -> Schedule:
    """Order a plan in place of any before. The revision is fixed now, so that a later draft is not published unseen.

    Raises `StaleRevision`, `InvalidContent`, `NotFound`, `WrongState`, `SecondPersonNeeded`."""
    refuse_stale(session, entry, expected, by=by)
    refuse_trashed(entry)
    faults = _faults(session, entry, plan, now=by.at)
    if faults:
        raise InvalidContent(faults)
    redirects.refuse_nowhere(session, entry, plan.answer)
    revision = revision_of(session, entry, plan.revision).number
    if plan.publish_at is not None:
        # Now: the scheduler that carries it out is nobody's second person.
        second_person.refuse_alone(session, entry, revision, by=by)
    session.merge(
        Schedule(
            entry_id=entry.id,
            revision=revision,
            publish_at=plan.publish_at,
            unpublish_at=plan.unpublish_at,
            answer={"kind": plan.answer.kind, "to": plan.answer.to, "explanation": plan.answer.explanation},
            zone=plan.zone,
            set_at=by.at,
            failure=None,
            **attribution(by),
        )
    )
    events.record(
        session,
        "entry.scheduled",
        by=by,
        entry=entry,
        revision=revision,
        publish_at=plan.publish_at and plan.publish_at.isoformat(),
        unpublish_at=plan.unpublish_at and plan.unpublish_at.isoformat(),
        zone=plan.zone,
    )
    session.flush()
    return session.get_one(Schedule, entry.id)


def cancel(session: Session, entry: Entry, *, expected: int, by: By) -> None:
    """Take a plan back. Raises `NotFound`, `StaleRevision`."""
    refuse_stale(session, entry, expected, by=by)
    planned = session.get(Schedule, entry.id)
    if planned is None:
        raise NotFound("schedule", entry.id)
    session.delete(planned)
    events.record(session, "entry.schedule_cancelled", by=by, entry=entry)


def _faults(session: Session, entry: Entry, plan: Plan, *, now: datetime) -> list[Fault]:
    faults = []
    if plan.publish_at is None and plan.unpublish_at is None:
        faults.append(Fault("/publish_at", "missing", "Give publish_at, unpublish_at or both."))
    for name, instant in (("publish_at", plan.publish_at), ("unpublish_at", plan.unpublish_at)):
        if instant is not None and instant <= now:
            faults.append(Fault(f"/{name}", "past", "This instant has passed. Publish or unpublish now instead."))
    if plan.publish_at and plan.unpublish_at and plan.unpublish_at <= plan.publish_at:
        faults.append(Fault("/unpublish_at", "order", "The end must come after the beginning."))
    if plan.publish_at is None and plan.unpublish_at and session.get(Publication, entry.id) is None:
        faults.append(Fault("/unpublish_at", "not_published", "The entry is not published: give publish_at too."))
    return [*faults, *showing_times.zone_faults(plan.zone, at="/zone")]


# --- the scheduler's side ---

_NEXT = case(
    (Schedule.publish_at.is_(None), Schedule.unpublish_at),
    else_=Schedule.publish_at,
)


def next_due(session: Session, *, now: datetime) -> str | None:
    """The entry whose plan is due first, if any is."""
    due = or_(Schedule.publish_at <= now, (Schedule.publish_at.is_(None)) & (Schedule.unpublish_at <= now))
    return session.scalar(
        select(Schedule.entry_id).where(due, Schedule.failure.is_(None)).order_by(_NEXT, Schedule.entry_id).limit(1)
    )


def next_instant(session: Session) -> datetime | None:
    """When the next plan is due."""
    instant: datetime | None = session.scalar(
        select(func.min(_NEXT)).select_from(Schedule).where(Schedule.failure.is_(None))
    )
    return instant


def carry_out(session: Session, entry_id: str, *, now: datetime) -> bool:
    """Do the one step that is due for an entry, in the caller's transaction. False: somebody did it before us.

    Raises what `publish` and `unpublish` raise; then call `note_failure` in a new transaction."""
    planned = session.get(Schedule, entry_id, populate_existing=True)
    entry = session.get(Entry, entry_id, populate_existing=True)
    if planned is None or entry is None or planned.failure is not None:
        return False
    instant = planned.publish_at or planned.unpublish_at
    if instant is None or instant > now:
        return False
    by = By(SCHEDULER, now, on_behalf_of=planned.on_behalf_of, request=planned.request, note=planned.note)
    if planned.publish_at is not None:
        publishing.publish(session, entry, by=by, revision=planned.revision, planned_at=instant)
    else:
        session.delete(planned)
        publishing.unpublish(session, entry, by=by, answer=Answer(**planned.answer), planned_at=instant)
    session.flush()
    _clear_step(session, entry_id, instant)
    return True


def _clear_step(session: Session, entry_id: str, instant: datetime) -> None:
    planned = session.get(Schedule, entry_id)
    if planned is None or planned.publish_at != instant:
        return
    planned.publish_at = None
    if planned.unpublish_at is None:
        session.delete(planned)


def note_failure(session: Session, entry_id: str, refusal: Refusal, *, now: datetime) -> None:
    """Keep a plan that could not be carried out, with the reason, and do not try it again by ourselves."""
    planned = session.get(Schedule, entry_id)
    if planned is None:
        return
    planned.failure = f"{type(refusal).__name__}: {refusal}"[:1_000]
    events.record(
        session, "schedule.failed", by=By(SCHEDULER, now), entry=session.get(Entry, entry_id), reason=planned.failure
    )
