"""Autosaves fold into one revision while one person writes on, and into nothing that anybody relies on."""

import pytest
from sqlalchemy.orm import Session

from cms import publishing, saving, scheduling, snapshots
from cms.attribution import By
from cms.errors import StaleRevision
from cms.redirects import NOT_FOUND
from cms.scheduling import Plan
from cms.tables.entries import Entry
from tests.cast import Colleague, HeldClock, a_news, change


def autosave(session: Session, entry: Entry, title: str, *, by: By) -> int:
    patch = {"fields": {"title": title}}
    saved = saving.save(session, entry, patch, expected=entry.revision, by=by, autosave=True)
    return saved.revision.number


def test_autosaves_of_one_person_fold_into_one_revision(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_news(session, by=olga.by())
    for number in range(5):
        clock.pass_by(minutes=1)
        assert autosave(session, entry, f"Title {number}", by=olga.by()) == 2
    session.expire_all()
    newest = snapshots.revision_of(session, entry)
    assert (newest.fields["title"], newest.saved_at, newest.autosave) == ("Title 4", clock(), True)


def test_autosaves_fold_for_ten_minutes(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_news(session, by=olga.by())
    autosave(session, entry, "One", by=olga.by())
    clock.pass_by(minutes=9, seconds=59)
    assert autosave(session, entry, "Two", by=olga.by()) == 2
    clock.pass_by(seconds=1)
    assert autosave(session, entry, "Three", by=olga.by()) == 3


def test_an_autosave_never_folds_into_a_save(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Two")
    assert autosave(session, entry, "Three", by=olga.by()) == 3


def test_an_autosave_never_folds_into_another_persons(session: Session, olga: Colleague, stranger: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    autosave(session, entry, "Two", by=stranger.by())
    assert autosave(session, entry, "Three", by=olga.by()) == 3


def test_autosaves_for_different_requests_stay_apart(session: Session, olga: Colleague, pavel: str) -> None:
    entry = a_news(session, by=olga.by())
    autosave(session, entry, "Two", by=olga.by(request=412))
    assert autosave(session, entry, "Three", by=olga.by(request=413)) == 3
    assert autosave(session, entry, "Four", by=olga.by(request=413, on_behalf_of=pavel)) == 4


def test_an_autosave_that_was_published_is_history(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    autosave(session, entry, "Two", by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    publishing.unpublish(session, entry, by=olga.by())
    assert autosave(session, entry, "Three", by=olga.by()) == 3


def test_an_autosave_that_is_scheduled_stays_as_it_is(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_news(session, by=olga.by())
    autosave(session, entry, "Two", by=olga.by())
    tomorrow = HeldClock(clock.now).pass_by(days=1)
    scheduling.schedule(session, entry, Plan(tomorrow, None, "UTC", NOT_FOUND), expected=2, by=olga.by())
    assert autosave(session, entry, "Three", by=olga.by()) == 3


def test_a_save_ends_an_autosave_even_when_it_changes_nothing(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    autosave(session, entry, "Two", by=olga.by())
    saved = change(session, entry, by=olga.by(), title="Two")
    assert (saved.revision.number, saved.revision.autosave) == (3, False)


def test_an_autosave_that_changes_nothing_makes_no_revision(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="One")
    assert autosave(session, entry, "One", by=olga.by()) == 1


def test_what_another_saw_of_an_autosave_is_stale_once_it_has_grown(
    session: Session, olga: Colleague, stranger: Colleague
) -> None:
    entry = a_news(session, by=olga.by())
    seen = autosave(session, entry, "Two", by=olga.by())
    autosave(session, entry, "Two, and more", by=olga.by())
    with pytest.raises(StaleRevision):
        saving.save(session, entry, {"fields": {"title": "Mine"}}, expected=seen, by=stranger.by())
