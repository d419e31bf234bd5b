"""A conflict is decided once: the person's work stays, or the source's row takes its place."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from cms import publishing, saving, snapshots
from cms.attribution import By
from cms.errors import Fault, StaleRevision, WrongState
from cms.imports import conflicts, rolling_back
from cms.imports.conflicts import Decision
from cms.tables.entries import Entry
from cms.tables.events import Event
from cms.tables.jobs import ImportRow
from tests.cast import Colleague, change, newest_fields
from tests.cms.jobs_at_hand import SOURCE, Job, a_job


def in_conflict(session: Session, olga: Colleague, **options: bool) -> tuple[Job, Entry, ImportRow]:
    """A job that found what a person had changed since the import before."""
    entry = a_job(session, olga).bring("one", summary="Old")
    change(session, entry, by=olga.by(), summary="By hand")
    job = a_job(session, olga, **options)
    job.job.counts = {"conflict": 1}
    row = job.row("entry", "conflict", entry.id, "one", before=entry.revision, code="stale", reason="Olga changed it.")
    return job, entry, row


def bringing_summary(session: Session, by: By) -> Callable[[Entry, bool], tuple[Fault, ...]]:
    def bring(entry: Entry, publish: bool) -> tuple[Fault, ...]:
        patch = {"fields": {"summary": "New"}}
        saved = saving.save(session, entry, patch, expected=entry.revision, by=by)
        if publish:
            publishing.publish(session, entry, by=by)
        entry.source_digest, entry.source_revision = "digest", entry.revision
        return saved.warnings

    return bring


def decide(job: Job, row: ImportRow, decision: Decision, *, expected: int = 2) -> None:
    by = job.who.by(note="decided")
    bring = bringing_summary(job.session, by)
    conflicts.decide(job.session, job.job, row, decision, expected=expected, digest="digest", bring=bring, by=by)


def test_what_is_kept_is_as_the_person_left_it(session: Session, olga: Colleague) -> None:
    job, entry, row = in_conflict(session, olga)
    decide(job, row, "keep")
    assert newest_fields(session, entry)["summary"] == "By hand"
    # The source's row is known from now on; that it is a person's work is known, too.
    assert (entry.source_digest, entry.source_revision, entry.revision) == ("digest", 1, 2)
    assert (row.outcome, row.decision) == ("conflict", "keep")


def test_what_is_kept_may_be_overwritten_later(session: Session, olga: Colleague) -> None:
    job, entry, row = in_conflict(session, olga)
    decide(job, row, "keep")
    decide(job, row, "overwrite")
    assert (row.outcome, row.decision, newest_fields(session, entry)["summary"]) == ("changed", "overwrite", "New")


@pytest.mark.parametrize(
    ("decision", "publish", "live"), [("overwrite", True, 3), ("overwrite", False, None), ("draft", True, None)]
)
def test_what_is_overwritten_is_published_if_the_job_publishes(
    session: Session, olga: Colleague, decision: Decision, publish: bool, live: int | None
) -> None:
    job, entry, row = in_conflict(session, olga, publish=publish)
    decide(job, row, decision)
    assert (entry.revision, entry.published_revision) == (3, live)
    assert (row.before, row.after, row.live_before, row.code) == (2, 3, None, None)
    assert job.job.counts == {"conflict": 0, "changed": 1}


def test_a_decision_is_against_the_revision_that_was_seen(session: Session, olga: Colleague) -> None:
    job, entry, row = in_conflict(session, olga)
    change(session, entry, by=olga.by(), summary="Once more")
    with pytest.raises(StaleRevision):
        decide(job, row, "overwrite", expected=2)
    assert (row.outcome, row.decision) == ("conflict", None)


def test_what_is_overwritten_is_no_conflict_any_more(session: Session, olga: Colleague) -> None:
    job, _, row = in_conflict(session, olga)
    decide(job, row, "draft")
    with pytest.raises(WrongState, match="no conflict"):
        decide(job, row, "keep", expected=3)


@pytest.mark.parametrize(("state", "phase"), [("running", "import"), ("ready", "dry_run"), ("rolled_back", "rollback")])
def test_nothing_is_decided_of_a_job_in_another_state(
    session: Session, olga: Colleague, state: str, phase: str
) -> None:
    job, _, row = in_conflict(session, olga)
    job.job.state, job.job.phase = state, phase
    with pytest.raises(WrongState):
        decide(job, row, "keep")


def test_an_entry_in_the_trash_is_not_overwritten(session: Session, olga: Colleague) -> None:
    job, entry, row = in_conflict(session, olga)
    entry.trashed_at = olga.clock()
    with pytest.raises(WrongState, match="trash"):
        decide(job, row, "overwrite")
    decide(job, row, "keep")
    assert row.decision == "keep"


def test_an_entry_that_is_gone_is_told(session: Session, olga: Colleague) -> None:
    job, _, row = in_conflict(session, olga)
    row.entry_id = None
    with pytest.raises(WrongState, match="not there"):
        decide(job, row, "keep")


def test_undecided_rows_come_in_order(session: Session, olga: Colleague) -> None:
    job, entry, row = in_conflict(session, olga)
    others = [job.row("entry", "conflict", entry.id, "one") for _ in range(2)]
    job.row("entry", "same", entry.id, "one")
    decide(job, row, "keep")
    assert list(conflicts.undecided(session, job.job, limit=10)) == others
    assert list(conflicts.undecided(session, job.job, limit=1)) == others[:1]
    assert conflicts.count_undecided(session, job.job) == 2


def test_named_rows_are_those_that_are_conflicts(session: Session, olga: Colleague) -> None:
    job, entry, row = in_conflict(session, olga)
    same = job.row("entry", "same", entry.id, "one")
    decide(job, row, "keep")
    assert list(conflicts.named(session, job.job, [row.number, same.number, 99])) == [row]


def test_a_decision_is_in_the_log(session: Session, olga: Colleague) -> None:
    job, _, row = in_conflict(session, olga)
    decide(job, row, "keep")
    told = session.query(Event).filter_by(kind="import.decided").one()
    assert (told.details["decision"], told.details["row"], told.note) == ("keep", row.number, "decided")


def test_a_rollback_gives_back_what_was_overwritten_and_it_is_a_conflict_again(
    session: Session, olga: Colleague
) -> None:
    job, entry, row = in_conflict(session, olga, publish=True)
    decide(job, row, "overwrite")
    assert rolling_back.undo(session, job.job, [row], by=olga.by(note="rollback")) == {"undone": 1}
    assert newest_fields(session, entry)["summary"] == "By hand"
    assert entry.published_revision is None
    assert snapshots.revision_of(session, entry).restored_from == 2
    assert (entry.source_name, entry.source_revision) == (SOURCE, None)
