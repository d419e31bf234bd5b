"""Plans are carried out once, in order, also after a stop; what fails is told and not tried again."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import publishing, saving, scheduling, states, trash
from cms.database import Database
from cms.delivery.live_structure import live_site
from cms.errors import InvalidContent, NotFound, Refusal, StaleRevision, WrongState
from cms.redirects import NOT_FOUND, Answer
from cms.scheduling import Plan
from cms.tables.entries import Entry
from cms.tables.events import Event
from cms.tables.publications import Publication, Schedule
from tests.cast import MORNING, NOBODY_ID, Colleague, a_live_news, a_news, change, what_is_at

HOUR = timedelta(hours=1)


def plan(
    session: Session, entry: Entry, olga: Colleague, *, begin: Any = None, end: Any = None, **given: Any
) -> Schedule:
    wanted = Plan(begin, end, given.pop("zone", "UTC"), given.pop("answer", NOT_FOUND), given.pop("revision", None))
    return scheduling.schedule(session, entry, wanted, expected=entry.revision, by=olga.by(**given))


def carry_out_all(session: Session, now: datetime) -> list[tuple[str, str]]:
    """What the scheduler does at an instant: (kind of event, entry's title), in order."""
    before = session.scalar(select(func.max(Event.number))) or 0
    while (entry_id := scheduling.next_due(session, now=now)) is not None:
        try:
            scheduling.carry_out(session, entry_id, now=now)
        except Refusal as refusal:
            scheduling.note_failure(session, entry_id, refusal, now=now)
    rows = session.execute(
        select(Event.kind, Entry.title).join(Entry, Entry.id == Event.entry_id).where(Event.number > before)
        .order_by(Event.number)
    )  # fmt: skip
    return [(row.kind, row.title) for row in rows]


def test_nothing_happens_before_its_time(session: Session, olga: Colleague) -> None:
    plan(session, a_news(session, by=olga.by()), olga, begin=MORNING + HOUR)
    assert scheduling.next_due(session, now=MORNING + HOUR - timedelta(seconds=1)) is None


def test_a_plan_is_due_at_its_very_instant(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), slug="hours")
    plan(session, entry, olga, begin=MORNING + HOUR)
    carry_out_all(session, MORNING + HOUR)
    assert what_is_at(session, "/hours") == ("entry", entry.id)


def test_a_plan_with_an_end_comes_and_goes(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), slug="hours")
    plan(session, entry, olga, begin=MORNING + HOUR, end=MORNING + 2 * HOUR, answer=Answer("gone", explanation="Over"))
    carry_out_all(session, MORNING + HOUR)
    assert what_is_at(session, "/hours") == ("entry", entry.id)
    carry_out_all(session, MORNING + 2 * HOUR)
    assert (what_is_at(session, "/hours"), session.get(Schedule, entry.id)) == (("gone", "Over"), None)


def test_the_revision_that_was_chosen_is_published_and_no_later_draft(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="Planned")
    plan(session, entry, olga, begin=MORNING + HOUR)
    change(session, entry, by=olga.by(), title="Unseen")
    carry_out_all(session, MORNING + HOUR)
    assert session.get_one(Publication, entry.id).title == "Planned"


def test_after_a_stop_everything_is_caught_up_in_order(session: Session, olga: Colleague) -> None:
    late, early = (a_news(session, by=olga.by(), title=title) for title in ("Late", "Early"))
    plan(session, late, olga, begin=MORNING + 3 * HOUR)
    plan(session, early, olga, begin=MORNING + HOUR, end=MORNING + 2 * HOUR)
    assert carry_out_all(session, MORNING + timedelta(days=1)) == [
        ("entry.published", "Early"), ("entry.unpublished", "Early"), ("entry.published", "Late")
    ]  # fmt: skip


def test_what_was_caught_up_is_not_done_again(session: Session, olga: Colleague) -> None:
    plan(session, a_news(session, by=olga.by()), olga, begin=MORNING + HOUR)
    carry_out_all(session, MORNING + HOUR)
    assert carry_out_all(session, MORNING + 2 * HOUR) == []


def test_the_log_tells_the_planned_and_the_real_time(session: Session, olga: Colleague, pavel: str) -> None:
    entry = a_news(session, by=olga.by())
    plan(session, entry, olga, begin=MORNING + HOUR, on_behalf_of=pavel, request=412, note="Embargo")
    carry_out_all(session, MORNING + 5 * HOUR)
    event = session.scalars(select(Event).filter_by(kind="entry.published", entry_id=entry.id)).one()
    assert (event.at, event.details["planned_at"]) == (MORNING + 5 * HOUR, "2026-11-30T11:00:00+00:00")
    assert (event.actor_id, event.on_behalf_of, event.request, event.note) == ("scheduler", pavel, 412, "Embargo")


def test_what_cannot_be_done_is_noted_and_not_tried_again(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), slug="hours")
    plan(session, entry, olga, begin=MORNING + HOUR)
    other = a_live_news(session, by=olga.by(), slug="days")
    saving.save(session, entry, {"slug": "weeks"}, expected=1, by=olga.by())
    saving.save(session, other, {"slug": "hours"}, expected=1, by=olga.by())
    publishing.publish(session, other, by=olga.by())
    assert carry_out_all(session, MORNING + HOUR)[-1] == ("schedule.failed", entry.title)
    assert (session.get_one(Schedule, entry.id).failure or "").startswith("AddressTaken")
    assert carry_out_all(session, MORNING + 2 * HOUR) == []


def test_one_failure_does_not_hold_up_the_others(session: Session, olga: Colleague) -> None:
    entry, other = a_news(session, by=olga.by(), title="Bad"), a_news(session, by=olga.by(), title="Good")
    plan(session, entry, olga, begin=MORNING + HOUR).failure = "AddressTaken"
    plan(session, other, olga, begin=MORNING + 2 * HOUR)
    assert carry_out_all(session, MORNING + 2 * HOUR) == [("entry.published", "Good")]


def test_a_new_plan_replaces_the_one_that_failed(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    plan(session, entry, olga, begin=MORNING + HOUR).failure = "AddressTaken"
    plan(session, entry, olga, begin=MORNING + 2 * HOUR)
    assert carry_out_all(session, MORNING + 2 * HOUR) == [("entry.published", entry.title)]


def test_only_an_end_may_be_planned_for_what_is_live(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by())
    plan(session, entry, olga, end=MORNING + HOUR)
    assert carry_out_all(session, MORNING + HOUR) == [("entry.unpublished", entry.title)]


def test_a_plan_that_is_taken_back_does_nothing(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    plan(session, entry, olga, begin=MORNING + HOUR)
    scheduling.cancel(session, entry, expected=1, by=olga.by())
    session.flush()
    assert carry_out_all(session, MORNING + HOUR) == []


def test_a_plan_that_never_was_cannot_be_taken_back(session: Session, olga: Colleague) -> None:
    with pytest.raises(NotFound):
        scheduling.cancel(session, a_news(session, by=olga.by()), expected=1, by=olga.by())


def test_a_stale_plan_is_refused(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    with pytest.raises(StaleRevision):
        scheduling.schedule(session, entry, Plan(MORNING + HOUR, None, "UTC", NOT_FOUND), expected=1, by=olga.by())


def test_what_lies_in_the_trash_is_not_planned(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    with pytest.raises(WrongState):
        plan(session, entry, olga, begin=MORNING + HOUR)


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({}, "/publish_at", "missing"),
        ({"begin": MORNING}, "/publish_at", "past"),
        ({"begin": MORNING + HOUR, "end": MORNING - HOUR}, "/unpublish_at", "past"),
        ({"begin": MORNING + HOUR, "end": MORNING + HOUR}, "/unpublish_at", "order"),
        ({"end": MORNING + HOUR}, "/unpublish_at", "not_published"),
        ({"begin": MORNING + HOUR, "zone": "Moscow"}, "/zone", "unknown_zone"),
        ({"begin": MORNING + HOUR, "zone": "../../etc/passwd"}, "/zone", "unknown_zone"),
        ({"begin": MORNING + HOUR, "zone": ""}, "/zone", "unknown_zone"),
        ({"begin": MORNING + HOUR, "zone": "Europe"}, "/zone", "unknown_zone"),
        ({"begin": MORNING + HOUR, "zone": "a\0b"}, "/zone", "unknown_zone"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    session: Session, olga: Colleague, given: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(InvalidContent) as refused:
        plan(session, a_news(session, by=olga.by()), olga, **given)
    assert (pointer, code) in [(fault.pointer, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize("to", [None, NOBODY_ID, "https://evil.example"])
def test_an_end_that_would_lead_nowhere_is_refused_when_it_is_planned(
    session: Session, olga: Colleague, to: str | None
) -> None:
    with pytest.raises(InvalidContent):
        plan(session, a_live_news(session, by=olga.by()), olga, end=MORNING + HOUR, answer=Answer("redirect", to=to))


def test_a_revision_that_never_was_is_not_planned(session: Session, olga: Colleague) -> None:
    with pytest.raises(NotFound):
        plan(session, a_news(session, by=olga.by()), olga, begin=MORNING + HOUR, revision=7)


def test_instants_in_any_zone_are_the_same_instants(session: Session, olga: Colleague) -> None:
    begin = datetime(2026, 12, 1, 9, 0, tzinfo=ZoneInfo("Europe/Moscow"))
    plan(session, a_news(session, by=olga.by()), olga, begin=begin, zone="Europe/Moscow")
    session.expire_all()
    planned = session.scalars(select(Schedule)).one()
    assert (planned.publish_at, planned.zone) == (datetime(2026, 12, 1, 6, 0, tzinfo=UTC), "Europe/Moscow")


def test_an_entry_with_a_plan_to_publish_is_scheduled(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    assert states.state(entry, plan(session, entry, olga, begin=MORNING + HOUR)) == "scheduled"


def test_the_next_instant_is_known(session: Session, olga: Colleague) -> None:
    assert scheduling.next_instant(session) is None
    plan(session, a_news(session, by=olga.by()), olga, begin=MORNING + 2 * HOUR)
    plan(session, a_live_news(session, by=olga.by()), olga, end=MORNING + HOUR)
    assert scheduling.next_instant(session) == MORNING + HOUR


def test_caches_are_told_when_something_will_change(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        plan(session, a_news(session, by=olga.by()), olga, begin=MORNING + 2 * HOUR)
        plan(session, a_live_news(session, by=olga.by()), olga, end=MORNING + HOUR)
    with database.reading() as session:
        assert live_site(session).next_change == MORNING + HOUR


# --- several at once ---


def carry_out_in_threads(database: Database, now: datetime, *, threads: int) -> list[bool]:
    with database.reading() as session:
        due = scheduling.next_due(session, now=now)
    assert due is not None
    done: list[bool] = []
    ready = threading.Barrier(threads)

    def work() -> None:
        ready.wait()
        with database.writing() as session:
            done.append(scheduling.carry_out(session, due, now=now))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return done


def test_of_several_that_carry_out_at_once_one_does(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        entry = a_news(session, by=olga.by())
        plan(session, entry, olga, begin=MORNING + HOUR)
    done = carry_out_in_threads(database, MORNING + HOUR, threads=4)
    assert sorted(done) == [False, False, False, True]
    with database.reading() as session:
        published = select(func.count()).select_from(Event).filter_by(kind="entry.published", entry_id=entry.id)
        assert session.scalar(published) == 1


def test_a_step_that_is_interrupted_is_done_the_next_time(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        entry = a_news(session, by=olga.by(), slug="hours")
        plan(session, entry, olga, begin=MORNING + HOUR)
    with suppress(KeyboardInterrupt), database.writing() as session:
        scheduling.carry_out(session, entry.id, now=MORNING + HOUR)
        raise KeyboardInterrupt
    with database.writing() as session:
        assert what_is_at(session, "/hours") is None
        assert scheduling.carry_out(session, entry.id, now=MORNING + HOUR)
        session.flush()
        assert what_is_at(session, "/hours") == ("entry", entry.id)


def test_a_plan_that_was_moved_while_it_came_due_is_left_alone(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    plan(session, entry, olga, begin=MORNING + HOUR)
    plan(session, entry, olga, begin=MORNING + 2 * HOUR)
    assert not scheduling.carry_out(session, entry.id, now=MORNING + HOUR)


def test_a_long_reason_is_cut(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    plan(session, entry, olga, begin=MORNING + HOUR)
    scheduling.note_failure(session, entry.id, WrongState("x", "y" * 2_000), now=MORNING + HOUR)
    session.flush()
    assert len(session.get_one(Schedule, entry.id).failure or "") <= 1_000
