"""Deciding of conflicts: what becomes of an entry that a person has changed, now that the source has it otherwise.

`keep`: the person's work stays, and it is no conflict any more until the source's row changes again. `overwrite`: the
row becomes the newest revision, published if the import publishes. `draft`: the newest revision, and not published.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from cms import events
from cms.attribution import By
from cms.errors import Fault, NotFound, WrongState
from cms.snapshots import refuse_stale, refuse_trashed
from cms.tables.entries import Entry
from cms.tables.jobs import ImportJob, ImportRow

Decision = Literal["keep", "overwrite", "draft"]
DECISIONS: tuple[Decision, ...] = ("keep", "overwrite", "draft")

# Brings a row again over its entry, and publishes it if asked to; gives what did not fit.
Bring = Callable[[Entry, bool], tuple[Fault, ...]]

_DECIDABLE = ("completed", "completed_with_errors", "cancelled", "paused", "failed")


def row_of(session: Session, job: ImportJob, number: int) -> ImportRow:
    """One row of what an import did. Raises `NotFound`."""
    row = session.get(ImportRow, (job.id, False, number))
    if row is None:
        raise NotFound("row of this import", str(number))
    return row


def undecided(session: Session, job: ImportJob, *, limit: int) -> Sequence[ImportRow]:
    """Conflicts of a job of which nothing was decided, in order."""
    wanted = select(ImportRow).where(*_conflicts(job), ImportRow.decision.is_(None))
    return session.scalars(wanted.order_by(ImportRow.number).limit(limit)).all()


def named(session: Session, job: ImportJob, numbers: Collection[int]) -> Sequence[ImportRow]:
    """Those of some rows that are conflicts, in order; what was kept may be decided otherwise."""
    wanted = select(ImportRow).where(*_conflicts(job), ImportRow.number.in_(numbers))
    return session.scalars(wanted.order_by(ImportRow.number)).all()


def count_undecided(session: Session, job: ImportJob) -> int:
    """How many conflicts of a job nobody has decided of."""
    wanted = select(func.count()).select_from(ImportRow).where(*_conflicts(job), ImportRow.decision.is_(None))
    return session.scalar(wanted) or 0


def _conflicts(job: ImportJob) -> tuple[ColumnElement[bool], ...]:
    r = ImportRow
    return (r.job_id == job.id, r.dry.is_(False), r.outcome == "conflict")


def refuse_decided(row: ImportRow) -> None:
    """Raises `WrongState` for a row that is no conflict, or none any more."""
    if row.outcome != "conflict":
        raise WrongState("no_conflict", f"Row {row.number} is no conflict: it is {row.decision or row.outcome}.")


def refuse_undecidable(job: ImportJob) -> None:
    """Raises `WrongState` while a job is worked on, before it has run, and when it was rolled back."""
    if job.phase != "import" or job.state not in _DECIDABLE:
        said = "Conflicts are decided when an import has run, or is paused, and was not rolled back."
        raise WrongState("not_decidable", f"The import is {job.state.replace('_', ' ')}. {said}")


def decide(
    session: Session,
    job: ImportJob,
    row: ImportRow,
    decision: Decision,
    *,
    expected: int,
    digest: str | None,
    bring: Bring,
    by: By,
) -> tuple[Fault, ...]:
    """Decide of one conflict, against revision `expected` of its entry. `digest` is the row's; `bring` brings it.

    Raises `WrongState` where there is nothing to decide, `StaleRevision`, and what saving and publishing raise."""
    refuse_undecidable(job)
    refuse_decided(row)
    entry = session.get(Entry, row.entry_id) if row.entry_id is not None else None
    if entry is None:
        raise WrongState("gone", "The entry of this row is not there any more.")
    refuse_stale(session, entry, expected, by=by)
    warnings: tuple[Fault, ...] = ()
    if decision == "keep":
        entry.source_digest = digest
    else:
        warnings = _take(session, job, row, entry, decision, bring=bring)
    row.decision = decision
    events.record(session, "import.decided", by=by, job=job.id, source=job.source, row=row.number, decision=decision)
    session.flush()
    return warnings


def _take(
    session: Session, job: ImportJob, row: ImportRow, entry: Entry, decision: Decision, *, bring: Bring
) -> tuple[Fault, ...]:
    refuse_trashed(entry)
    before, live_before = entry.revision, entry.published_revision
    warnings = bring(entry, decision == "overwrite" and bool(job.options.get("publish")))
    session.flush()
    # From now on it is a row like any other that the import has changed: a rollback undoes it, too.
    row.outcome, row.before, row.after, row.live_before = "changed", before, entry.revision, live_before
    row.code = row.reason = None
    counts = dict(job.counts)
    counts["conflict"] = max(0, int(counts.get("conflict", 1)) - 1)
    counts["changed"] = int(counts.get("changed", 0)) + 1
    job.counts = counts
    return warnings
