"""Deleting is to the trash and can be undone; what others use stays."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import publishing, saving, scheduling, trash
from cms.errors import AddressTaken, InUse, StaleRevision, WrongState
from cms.redirects import NOT_FOUND
from cms.scheduling import Plan
from cms.states import state
from cms.tables.entries import Entry
from cms.tables.events import Event
from cms.tables.publications import Publication, Schedule
from tests.cast import Colleague, HeldClock, a_live_news, a_news, change, what_is_at


def kinds(session: Session, entry: Entry) -> list[str]:
    return list(session.scalars(select(Event.kind).filter_by(entry_id=entry.id).order_by(Event.number)))


def test_what_is_trashed_is_off_the_site(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    trash.trash(session, entry, expected=1, by=olga.by())
    assert (state(entry, None), session.get(Publication, entry.id), what_is_at(session, "/hours")) == (
        "trashed", None, None
    )  # fmt: skip


def test_the_log_tells_both_things_in_order(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    trash.restore(session, entry, expected=1, by=olga.by())
    assert kinds(session, entry)[2:] == ["entry.unpublished", "entry.trashed", "entry.restored"]


def test_what_comes_back_is_a_draft(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    trash.restore(session, entry, expected=1, by=olga.by())
    assert (state(entry, None), entry.revision, session.get(Publication, entry.id)) == ("unpublished", 1, None)


def test_what_came_back_can_be_published_again(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    trash.trash(session, entry, expected=1, by=olga.by())
    trash.restore(session, entry, expected=1, by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    assert what_is_at(session, "/hours") == ("entry", entry.id)


def test_the_plan_goes_with_the_entry(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_news(session, by=olga.by())
    begin = HeldClock(clock()).pass_by(days=1)
    scheduling.schedule(session, entry, Plan(begin, None, "UTC", NOT_FOUND), expected=1, by=olga.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    assert session.scalar(select(Schedule)) is None


def test_what_is_used_says_where(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    user = a_news(session, by=olga.by(), related=[entry.id])
    with pytest.raises(InUse) as refused:
        trash.trash(session, entry, expected=1, by=olga.by())
    assert (refused.value.usages, refused.value.total) == ([(user.id, "/fields/related/0")], 1)


def test_what_is_used_by_the_live_copy_only_is_used(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by())
    user = a_live_news(session, by=olga.by(), related=[entry.id])
    change(session, user, by=olga.by(), related=None)
    with pytest.raises(InUse):
        trash.trash(session, entry, expected=1, by=olga.by())


def test_a_use_from_the_trash_does_not_count(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    user = a_news(session, by=olga.by(), related=[entry.id])
    trash.trash(session, user, expected=1, by=olga.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    assert entry.trashed_at is not None


def test_an_entry_that_points_at_itself_can_be_trashed(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), related=[entry.id])
    trash.trash(session, entry, expected=2, by=olga.by())
    assert entry.trashed_at is not None


def test_a_stale_revision_is_not_trashed(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    with pytest.raises(StaleRevision):
        trash.trash(session, entry, expected=1, by=olga.by())


def test_the_trash_takes_nothing_twice(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    with pytest.raises(WrongState):
        trash.trash(session, entry, expected=1, by=olga.by())


def test_what_is_not_in_the_trash_cannot_come_back(session: Session, olga: Colleague) -> None:
    with pytest.raises(WrongState):
        trash.restore(session, a_news(session, by=olga.by()), expected=1, by=olga.by())


@pytest.mark.parametrize("type", ["structure", "settings"])
def test_the_site_keeps_its_structure_and_settings(session: Session, olga: Colleague, type: str) -> None:
    entry = session.scalars(select(Entry).filter_by(type=type)).one()
    with pytest.raises(WrongState):
        trash.trash(session, entry, expected=1, by=olga.by())


def test_a_place_in_the_trash_is_free_for_others(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), slug="hours")
    trash.trash(session, entry, expected=1, by=olga.by())
    assert a_news(session, by=olga.by(), slug="hours").slug == "hours"


def test_nothing_comes_back_to_a_place_that_is_taken(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), slug="hours")
    trash.trash(session, entry, expected=1, by=olga.by())
    a_news(session, by=olga.by(), slug="hours")
    with pytest.raises(AddressTaken):
        trash.restore(session, entry, expected=1, by=olga.by())


def test_nothing_without_an_address_stands_in_its_own_way(session: Session, olga: Colleague) -> None:
    first, second = (
        saving.create(session, "image", saving.Draft("ru", {"title": "x"}), by=olga.by()).entry for _ in "12"
    )
    trash.trash(session, first, expected=1, by=olga.by())
    trash.restore(session, first, expected=1, by=olga.by())
    assert (first.trashed_at, second.trashed_at) == (None, None)
