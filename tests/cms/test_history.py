"""Looking back: revisions page by page, any of them restored, any two compared."""

import pytest
from sqlalchemy.orm import Session

from cms import history, publishing, saving, snapshots, trash
from cms.errors import AddressTaken, NotFound, StaleRevision, WrongState
from tests.cast import PRESS_ID, Colleague, HeldClock, a_news, change, newest_fields, words


def test_history_is_the_newest_first(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    for number in range(2, 5):
        change(session, entry, by=olga.by(), title=f"Title {number}")
    assert [one.number for one in history.revisions(session, entry, before=None, limit=3)] == [4, 3, 2]


def test_history_goes_on_below_a_number(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    assert [one.number for one in history.revisions(session, entry, before=2, limit=10)] == [1]


def test_history_is_the_entrys_own(session: Session, olga: Colleague) -> None:
    entry, other = a_news(session, by=olga.by()), a_news(session, by=olga.by())
    change(session, other, by=olga.by(), title="Second")
    assert len(history.revisions(session, entry, before=None, limit=10)) == 1


def test_history_says_when_a_revision_first_went_live(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_news(session, by=olga.by())
    first = clock.pass_by(hours=1)
    publishing.publish(session, entry, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    clock.pass_by(hours=1)
    publishing.publish(session, entry, by=olga.by(), revision=1)
    assert history.published(session, entry) == {1: first}


def test_a_restored_revision_is_a_new_one_equal_to_the_old(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="First", slug="hours", byline=(PRESS_ID,), body=words("*One*"))
    saving.save(session, entry, {"slug": "days", "byline": (), "fields": {"title": "Second"}}, expected=1, by=olga.by())
    restored = history.restore(session, entry, 1, expected=2, by=olga.by())
    assert (restored.revision.number, restored.revision.restored_from) == (3, 1)
    first = snapshots.revision_of(session, entry, 1)
    assert snapshots.snapshot_of(restored.revision) == snapshots.snapshot_of(first)
    assert (entry.title, entry.slug) == ("First", "hours")


def test_restoring_does_not_publish(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="First")
    change(session, entry, by=olga.by(), title="Second")
    publishing.publish(session, entry, by=olga.by())
    history.restore(session, entry, 1, expected=2, by=olga.by())
    assert (entry.published_revision, entry.revision) == (2, 3)


def test_restoring_the_newest_revision_makes_another_equal_to_it(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    assert history.restore(session, entry, 1, expected=1, by=olga.by()).revision.number == 2


def test_restoring_against_a_stale_revision_is_refused(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    with pytest.raises(StaleRevision):
        history.restore(session, entry, 1, expected=1, by=olga.by())


def test_a_revision_that_never_was_cannot_be_restored(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    with pytest.raises(NotFound):
        history.restore(session, entry, 2, expected=1, by=olga.by())


def test_a_place_that_was_taken_meanwhile_is_not_restored(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), slug="hours")
    saving.save(session, entry, {"slug": "days"}, expected=1, by=olga.by())
    a_news(session, by=olga.by(), slug="hours")
    with pytest.raises(AddressTaken):
        history.restore(session, entry, 1, expected=2, by=olga.by())


def test_revisions_of_what_lies_in_the_trash_are_not_restored(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    with pytest.raises(WrongState):
        history.restore(session, entry, 1, expected=1, by=olga.by())


def test_a_restored_revision_keeps_references(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    entry = a_news(session, by=olga.by(), related=[other.id])
    change(session, entry, by=olga.by(), related=None)
    history.restore(session, entry, 1, expected=2, by=olga.by())
    assert newest_fields(session, entry)["related"] == [other.id]


def test_a_diff_names_what_changed_and_nothing_else(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="Office hours", slug="hours")
    saving.save(session, entry, {"slug": "days", "fields": {"title": "Office days"}}, expected=1, by=olga.by())
    changed = history.diff(session, entry, from_=1, to=2)
    assert [one["pointer"] for one in changed] == ["/slug", "/fields/title"]


def test_a_diff_of_a_revision_with_itself_is_empty(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), body=words("*One*"))
    assert history.diff(session, entry, from_=1, to=1) == []


def test_a_diff_with_a_revision_that_never_was_is_refused(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    with pytest.raises(NotFound):
        history.diff(session, entry, from_=1, to=7)
