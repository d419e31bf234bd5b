"""An import is undone as a unit: what it made is in the trash, what it changed is as before, people's work stays."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import history, publishing, redirect_rules, structure, trash
from cms.database import Database
from cms.identity import new_id
from cms.imports import jobs as import_jobs
from cms.imports import rolling_back
from cms.imports.rolling_back import CHANGED_SINCE, GONE, IN_USE, UNDONE
from cms.tables.entries import Entry
from cms.tables.jobs import ImportRow
from cms.tables.publications import Redirect
from tests.cast import Colleague, HeldClock, a_live_news, a_news, change, newest_fields, restructure, what_is_at
from tests.cms.jobs_at_hand import SOURCE, Job, a_job

# Olga as well imports as edits by hand: her edits are told apart from her import.


@pytest.fixture
def ira(olga: Colleague) -> Colleague:
    """The one who imports."""
    return olga


def roll_back(job: Job, *, batch: int = 100) -> Counter[str]:
    told: Counter[str] = Counter()
    held = rolling_back.held(job.session, job.job)
    while rows := rolling_back.pending(job.session, job.job, limit=batch):
        told += rolling_back.undo(job.session, job.job, rows, by=job.who.by(note="rollback"), held=held)
    return told


def test_what_it_made_goes_to_the_trash_and_off_the_site(session: Session, ira: Colleague) -> None:
    job = a_job(session, ira, publish=True)
    entry = job.bring("one", publish=True, slug="one")
    assert roll_back(job) == {UNDONE: 1}
    assert entry.trashed_at is not None
    assert what_is_at(session, "/one") is None


def test_a_later_import_makes_it_anew(session: Session, ira: Colleague) -> None:
    job = a_job(session, ira)
    entry = job.bring("one", slug="one")
    roll_back(job)
    again = a_job(session, ira).bring("one", slug="one")
    assert again.id != entry.id
    assert (again.source_name, again.source_id, again.slug) == (SOURCE, "one", "one")


def test_what_it_changed_is_a_new_revision_as_before_and_as_live_as_before(session: Session, ira: Colleague) -> None:
    entry = a_job(session, ira, publish=True).bring("one", publish=True, summary="Old")
    published_at = entry.published_at
    job = a_job(session, ira, publish=True)
    job.bring("one", publish=True, summary="New")
    ira.clock.pass_by(hours=1)
    assert roll_back(job) == {UNDONE: 1}
    assert newest_fields(session, entry)["summary"] == "Old"
    assert (entry.revision, entry.published_revision) == (3, 3)
    assert entry.published_at == published_at


def test_what_it_published_first_is_a_draft_again(session: Session, ira: Colleague) -> None:
    entry = a_job(session, ira).bring("one", summary="Old")
    job = a_job(session, ira, publish=True)
    job.bring("one", publish=True, summary="Old")
    job.rows[0].outcome = "changed"
    assert roll_back(job) == {UNDONE: 1}
    assert (entry.revision, entry.published_revision, entry.first_published_at) == (1, None, None)


def test_an_older_revision_that_was_live_is_live_again(session: Session, ira: Colleague) -> None:
    entry = a_job(session, ira, publish=True).bring("one", publish=True, summary="Live")
    a_job(session, ira).bring("one", summary="Drafted")
    job = a_job(session, ira, publish=True)
    job.bring("one", publish=True, summary="New")
    roll_back(job)
    assert newest_fields(session, entry)["summary"] == "Drafted"
    assert (entry.revision, entry.published_revision) == (4, 1)


def test_a_row_that_comes_again_after_a_rollback_is_no_conflict(session: Session, ira: Colleague) -> None:
    entry = a_job(session, ira).bring("one", summary="Old")
    job = a_job(session, ira)
    job.bring("one", summary="New")
    roll_back(job)
    a_job(session, ira).bring("one", summary="New")
    assert newest_fields(session, entry)["summary"] == "New"


def test_what_was_a_person_s_before_it_was_overwritten_is_a_person_s_again(session: Session, ira: Colleague) -> None:
    entry = a_job(session, ira).bring("one", summary="Old")
    job = a_job(session, ira)
    job.bring("one", summary="New")
    job.rows[0].decision = "overwrite"
    roll_back(job)
    assert (entry.source_revision, entry.source_digest) == (None, None)


def test_what_a_person_changed_since_is_left(session: Session, ira: Colleague, clock: HeldClock) -> None:
    job = a_job(session, ira)
    made, changed = job.bring("one"), a_job(session, ira).bring("two")
    job.bring("two", summary="New")
    for entry in (made, changed):
        change(session, entry, by=ira.by(), summary="By hand")
    assert roll_back(job) == {CHANGED_SINCE: 2}
    assert [newest_fields(session, one)["summary"] for one in (made, changed)] == ["By hand"] * 2
    assert made.source_name == SOURCE


def test_what_a_person_published_or_took_down_since_is_left(session: Session, ira: Colleague) -> None:
    job = a_job(session, ira, publish=True)
    draft, live = job.bring("draft"), job.bring("live", publish=True)
    publishing.publish(session, draft, by=ira.by())
    publishing.unpublish(session, live, by=ira.by())
    assert roll_back(job) == {CHANGED_SINCE: 2}
    assert draft.published_revision == 1
    assert live.trashed_at is None


def test_what_a_person_trashed_or_brought_back_since_is_left(session: Session, ira: Colleague) -> None:
    job = a_job(session, ira)
    gone, back = job.bring("gone"), job.bring("back")
    for entry in (gone, back):
        trash.trash(session, entry, expected=1, by=ira.by())
    trash.restore(session, back, expected=1, by=ira.by())
    session.flush()
    assert roll_back(job) == {CHANGED_SINCE: 2}
    assert (gone.trashed_at is None, back.trashed_at) == (False, None)


def test_its_own_entries_do_not_hold_each_other(session: Session, ira: Colleague) -> None:
    job, first, second = a_job(session, ira), new_id(), new_id()
    coming = frozenset({first, second})
    job.bring("one", id=first, related=[second], coming=coming)
    job.bring("two", id=second, related=[first], coming=coming)
    assert roll_back(job, batch=1) == {UNDONE: 2}


def test_what_others_refer_to_is_left_and_what_that_refers_to(session: Session, ira: Colleague) -> None:
    job = a_job(session, ira)
    far = job.bring("far")
    near = job.bring("near", related=[far.id])
    alone = job.bring("alone")
    a_news(session, by=ira.by(), related=[near.id])
    assert roll_back(job, batch=1) == {IN_USE: 2, UNDONE: 1}
    assert [one.trashed_at is None for one in (far, near, alone)] == [True, True, False]


@pytest.mark.parametrize("outcome", ["conflict", "same"])
def test_what_an_entry_refers_to_that_the_job_left_alone_is_left(
    session: Session, ira: Colleague, outcome: str
) -> None:
    job = a_job(session, ira)
    made = job.bring("made")
    other = a_news(session, by=ira.by(), related=[made.id])
    job.row("entry", outcome, other.id, "other", before=1)
    assert roll_back(job) == {IN_USE: 1}


def test_what_an_edited_entry_refers_to_is_left_whichever_comes_first(session: Session, ira: Colleague) -> None:
    job, later = a_job(session, ira), new_id()
    edited = job.bring("edited", related=[later], coming=frozenset({later}))
    job.bring("later", id=later)
    change(session, edited, by=ira.by(), summary="By hand")
    assert roll_back(job, batch=1) == {CHANGED_SINCE: 1, IN_USE: 1}


def test_a_reference_that_comes_while_it_is_undone_holds(session: Session, ira: Colleague) -> None:
    job = a_job(session, ira)
    entry = job.bring("one")
    held = rolling_back.held(session, job.job)
    a_news(session, by=ira.by(), related=[entry.id])
    assert rolling_back.undo(session, job.job, job.rows, by=ira.by(), held=held) == {IN_USE: 1}


def test_a_former_address_that_is_taken_leaves_the_entry(session: Session, ira: Colleague) -> None:
    entry = a_job(session, ira).bring("one", slug="one")
    job = a_job(session, ira)
    job.bring("one", slug="other")
    a_news(session, by=ira.by(), slug="one")
    assert roll_back(job) == {"slug_taken": 1}
    assert (entry.revision, entry.slug) == (2, "other")


# --- sections and redirects ---


def test_sections_it_made_are_gone_without_a_trace(session: Session, ira: Colleague) -> None:
    tree = structure.entry(session)
    before = newest_fields(session, tree)["sections"]
    job = a_job(session, ira, publish=True)
    [section] = job.bring_sections("press")
    job.bring("one", publish=True, section=section, slug="one")
    assert what_is_at(session, "/press/one") is not None
    assert roll_back(job) == {UNDONE: 2}
    assert newest_fields(session, tree)["sections"] == before
    assert tree.published_revision == tree.revision
    assert what_is_at(session, "/press/one") is what_is_at(session, "/press") is None
    assert job.bring_sections("press")


def test_sections_stay_while_something_stands_in_them(session: Session, ira: Colleague) -> None:
    job = a_job(session, ira)
    full, empty = job.bring_sections("full", "empty")
    a_news(session, by=ira.by(), section=full)
    assert roll_back(job) == {IN_USE: 1}
    assert full in structure.newest_tree(session)
    assert [one["pointer"] for one in job.rows[0].warnings or []] == [f"/fields/sections/{empty}"]


def test_a_structure_that_was_changed_since_stays(session: Session, ira: Colleague) -> None:
    job = a_job(session, ira)
    [section] = job.bring_sections("press")
    restructure(session, {"op": "add", "parent": None, "slug": "mine", "name": "Mine"}, by=ira.by())
    assert roll_back(job) == {CHANGED_SINCE: 1}
    assert len(structure.newest_tree(session).roots) == 2
    assert [one["code"] for one in job.rows[0].warnings or []] == ["section_left"]
    assert section in structure.newest_tree(session)


def test_redirects_it_made_are_removed_unless_changed(session: Session, ira: Colleague, clock: HeldClock) -> None:
    job = a_job(session, ira)
    target = a_live_news(session, by=ira.by(), slug="target")
    kept, _, lost = (job.bring_redirect(f"/{name}", target.id) for name in ("kept", "undone", "lost"))
    clock.pass_by(minutes=1)
    redirect_rules.change(session, redirect_rules.find(session, kept), {"to": "/elsewhere"}, by=ira.by())
    redirect_rules.remove(session, redirect_rules.find(session, lost), by=ira.by())
    assert roll_back(job) == {GONE: 1, UNDONE: 1, CHANGED_SINCE: 1}
    assert session.scalars(select(Redirect.id)).all() == [kept]


# --- again and again ---


def test_undoing_again_does_nothing(session: Session, ira: Colleague) -> None:
    job = a_job(session, ira)
    entry = job.bring("one")
    roll_back(job)
    assert rolling_back.undoable(session, job.job) == 0
    assert rolling_back.undo(session, job.job, job.rows, by=ira.by()) == {}
    assert job.rows[0].rolled_back == UNDONE
    assert entry.trashed_at is not None


def test_a_rollback_that_is_killed_goes_on_where_it_was(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        job = a_job(session, olga, publish=True)
        for number in range(6):
            job.bring(f"row {number}", publish=number % 2 == 0)
        id = job.job.id

    def step(*, killed: bool) -> Counter[str]:
        with database.reading() as session:
            held = rolling_back.held(session, import_jobs.find(session, id))
        with database.writing() as session:
            found = import_jobs.find(session, id)
            rows = rolling_back.pending(session, found, limit=2)
            told = rolling_back.undo(session, found, rows, by=olga.by(), held=held)
            if killed:
                session.rollback()
                return Counter()
            found.done += len(rows)
        return told

    told = [step(killed=number % 2 == 0) for number in range(6)]
    assert sum(told, Counter()) == {UNDONE: 6}
    with database.reading() as session:
        assert all(one.trashed_at is not None for one in session.scalars(select(Entry).where(Entry.type == "news")))
        assert set(session.scalars(select(ImportRow.rolled_back))) == {UNDONE}
        assert import_jobs.find(session, id).done == 6


EDITS = ("none", "save", "publish", "unpublish", "refer", "trash")


@example(edits=["none", "trash"], known=set(), links={(1, 0)}, batch=1)
@example(edits=["none", "save", "refer"], known={1}, links={(1, 0)}, batch=1)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(st.sampled_from(EDITS), min_size=1, max_size=6),
    known=st.sets(st.integers(0, 5)),
    links=st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6),
    batch=st.integers(1, 7),
)
def test_every_edit_of_a_person_stays_and_everything_else_is_undone(
    session: Session, ira: Colleague, edits: list[str], known: set[int], links: set[tuple[int, int]], batch: int
) -> None:
    with session.begin_nested() as trial:
        _check_everything(session, ira, edits, {one for one in known if one < len(edits)}, links, batch)
        trial.rollback()
    structure._kept.clear()


def _check_everything(
    session: Session, ira: Colleague, edits: list[str], known: set[int], links: set[tuple[int, int]], batch: int
) -> None:
    first = a_job(session, ira, publish=True)
    for number in sorted(known):
        first.bring(f"row {number}", publish=True, summary="Old")
    job = a_job(session, ira, publish=True)
    ids = {number: new_id() for number in range(len(edits)) if number not in known}
    entries: dict[int, Entry] = {}
    for number in range(len(edits)):
        related = sorted({ids[to] for one, to in links if one == number and to in ids and to != number})
        made_as = {"id": ids[number]} if number in ids else {}
        entries[number] = job.bring(
            f"row {number}", publish=True, summary="New", related=related, coming=frozenset(ids.values()), **made_as
        )
    for number, edit in enumerate(edits):
        _edit(session, ira, entries[number], edit)
    left = {number: _state(entries[number]) for number, edit in enumerate(edits) if edit not in ("none", "refer")}
    roll_back(job, batch=batch)
    outcomes = {row.number - 1: row.rolled_back for row in job.rows}
    stay = _stays(edits, known, links)
    for number, entry in entries.items():
        if number in left:
            assert (outcomes[number], _state(entry)) == (CHANGED_SINCE, left[number])
        elif number in stay:
            assert (outcomes[number], entry.trashed_at, entry.revision) == (IN_USE, None, 1)
        elif number in known:
            assert newest_fields(session, entry)["summary"] == "Old"
            assert entry.published_revision == entry.revision == 3
        else:
            assert (outcomes[number], entry.published_revision) == (UNDONE, None)
            assert entry.trashed_at is not None


def _edit(session: Session, ira: Colleague, entry: Entry, edit: str) -> None:
    if edit == "save":
        change(session, entry, by=ira.by(), summary="By hand")
    elif edit == "publish":
        publishing.publish(session, entry, by=ira.by())
    elif edit == "unpublish":
        publishing.unpublish(session, entry, by=ira.by())
    elif edit == "refer":
        a_news(session, by=ira.by(), title="Refers", related=[entry.id])
    elif edit == "trash":
        trash.trash(session, entry, expected=entry.revision, by=ira.by(), though_used=True)
    session.flush()


def _state(entry: Entry) -> tuple[object, ...]:
    return entry.revision, entry.published_revision, entry.trashed_at


def _stays(edits: list[str], known: set[int], links: set[tuple[int, int]]) -> set[int]:
    """What was made and is referred to by what stays. What lies in the trash holds nothing."""
    made = {number for number in range(len(edits)) if number not in known}
    holding = {number for number, edit in enumerate(edits) if edit in ("save", "publish", "unpublish")}
    stay = {number for number in made if edits[number] == "refer"}
    while True:
        more = {to for one, to in links if one != to and one in holding | stay and to in made} - stay
        if not more:
            return stay
        stay |= more


def test_history_shows_what_was_undone(session: Session, ira: Colleague) -> None:
    entry = a_job(session, ira).bring("one", summary="Old")
    job = a_job(session, ira)
    job.bring("one", summary="New")
    roll_back(job)
    newest = history.revisions(session, entry, before=None, limit=1)[0]
    assert (newest.restored_from, newest.note) == (1, "rollback")
