"""Publishing: one revision becomes what visitors read; everything that belongs to it changes with it, or nothing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import people, publishing, saving, scheduling, trash
from cms.errors import AddressTaken, NotFound, WrongState
from cms.redirects import NOT_FOUND
from cms.scheduling import Plan
from cms.states import state
from cms.tables.entries import Entry
from cms.tables.events import Event
from cms.tables.people import Person
from cms.tables.publications import Publication, Schedule
from tests.cast import (
    PRESS_ID,
    Colleague,
    HeldClock,
    a_live_news,
    a_news,
    an_entry,
    change,
    restructure,
    sections,
    what_is_at,
    words,
)


def publication(session: Session, entry: Entry) -> Publication:
    session.expire_all()
    return session.get_one(Publication, entry.id)


def newest_event(session: Session) -> Event:
    return session.scalars(select(Event).order_by(Event.number.desc()).limit(1)).one()


def test_the_newest_revision_is_published_when_none_is_named(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    publishing.publish(session, entry, by=olga.by())
    assert (publication(session, entry).title, entry.published_revision) == ("Second", 2)


def test_an_older_revision_can_be_published(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="First")
    change(session, entry, by=olga.by(), title="Second")
    publishing.publish(session, entry, by=olga.by(), revision=1)
    assert (publication(session, entry).title, state(entry, None)) == ("First", "changed")


def test_a_revision_that_never_was_is_not_published(session: Session, olga: Colleague) -> None:
    with pytest.raises(NotFound):
        publishing.publish(session, a_news(session, by=olga.by()), by=olga.by(), revision=2)


def test_what_is_live_stays_while_a_draft_grows(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), title="First", body=words("Live"))
    change(session, entry, by=olga.by(), title="Second", body=words("Draft"))
    assert (publication(session, entry).title, state(entry, None)) == ("First", "changed")


def test_the_first_date_stays_and_the_last_moves(session: Session, olga: Colleague, clock: HeldClock) -> None:
    first = clock()
    entry = a_live_news(session, by=olga.by())
    clock.pass_by(days=1)
    publishing.publish(session, entry, by=olga.by())
    assert (entry.first_published_at, entry.published_at) == (first, clock())


def test_the_first_date_outlives_unpublishing(session: Session, olga: Colleague, clock: HeldClock) -> None:
    first = clock()
    entry = a_live_news(session, by=olga.by())
    publishing.unpublish(session, entry, by=olga.by())
    clock.pass_by(days=1)
    publishing.publish(session, entry, by=olga.by())
    assert publication(session, entry).first_published_at == first


def test_an_imported_article_keeps_its_own_date(session: Session, olga: Colleague) -> None:
    entry, then = a_news(session, by=olga.by()), datetime(2019, 5, 1, tzinfo=UTC)
    publishing.publish(session, entry, by=olga.by(), published_at=then)
    assert (publication(session, entry).published_at, publication(session, entry).first_published_at) == (then, then)


def test_private_fields_are_not_in_the_publication(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), source_fields={"secret": "x"})
    live = publication(session, entry)
    assert ("source_fields" in live.fields, "source_fields" in live.rendered) == (False, False)


def test_the_byline_shows_name_and_address_only(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), byline=(PRESS_ID, olga.actor.id))
    assert publication(session, entry).byline == [
        {"id": PRESS_ID, "name": "Press service", "url": "https://example.org/press"},
        {"id": olga.actor.id, "name": "Olga", "url": None},
    ]


def test_a_new_name_shows_in_live_bylines_at_once(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), byline=(PRESS_ID,))
    people.change(session, session.get_one(Person, PRESS_ID), {"name": "Newsroom"}, by=olga.by())
    session.flush()
    assert publication(session, entry).byline[0]["name"] == "Newsroom"


def test_targets_that_are_not_live_are_reported(session: Session, olga: Colleague) -> None:
    image = an_entry(session, "image", by=olga.by())
    entry = a_news(session, by=olga.by(), cover=image.id, body=words(f"![x](entry:{image.id})"))
    warnings = publishing.publish(session, entry, by=olga.by()).warnings
    assert sorted((fault.pointer, fault.code) for fault in warnings) == [
        ("/fields/body", "target_not_published"), ("/fields/cover", "target_not_published")
    ]  # fmt: skip


def test_the_event_tells_the_path_before_and_after(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    saving.save(session, entry, {"slug": "days"}, expected=1, by=olga.by())
    publishing.publish(session, entry, by=olga.by(request=7))
    event = newest_event(session)
    assert (event.kind, event.revision, event.request) == ("entry.published", 2, 7)
    assert (event.details["old_path"], event.details["path"]) == ("/hours", "/days")


def test_publishing_the_same_revision_twice_changes_nothing_visitors_see(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), body=words("*One*"))
    before = dict(publication(session, entry).rendered)
    publishing.publish(session, entry, by=olga.by())
    assert publication(session, entry).rendered == before


def test_what_lies_in_the_trash_is_not_published(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    with pytest.raises(WrongState):
        publishing.publish(session, entry, by=olga.by())


# --- addresses (rule 2) ---


def test_an_address_that_is_live_is_refused(session: Session, olga: Colleague) -> None:
    live = a_live_news(session, by=olga.by(), slug="hours")
    saving.save(session, live, {"slug": "days"}, expected=1, by=olga.by())
    entry = a_news(session, by=olga.by(), slug="hours")
    with pytest.raises(AddressTaken) as refused:
        publishing.publish(session, entry, by=olga.by())
    assert refused.value.entry_id == live.id


def test_two_entries_swap_addresses_through_a_third(session: Session, olga: Colleague) -> None:
    one, two = a_live_news(session, by=olga.by(), slug="one"), a_live_news(session, by=olga.by(), slug="two")
    for entry, slug in ((one, "spare"), (two, "one"), (one, "two")):
        saving.save(session, entry, {"slug": slug}, expected=entry.revision, by=olga.by())
        publishing.publish(session, entry, by=olga.by())
    assert (what_is_at(session, "/one"), what_is_at(session, "/two")) == (("entry", two.id), ("entry", one.id))


# --- taking down ---


def test_unpublishing_takes_the_publication_away(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    publishing.unpublish(session, entry, by=olga.by())
    assert session.get(Publication, entry.id) is None
    assert (state(entry, None), entry.published_at, entry.published_revision) == ("unpublished", None, None)
    assert what_is_at(session, "/hours") is None


def test_what_is_not_live_cannot_be_unpublished(session: Session, olga: Colleague) -> None:
    with pytest.raises(WrongState):
        publishing.unpublish(session, a_news(session, by=olga.by()), by=olga.by())


@pytest.mark.parametrize("type", ["structure", "settings"])
def test_the_site_keeps_what_it_cannot_be_without(session: Session, olga: Colleague, type: str) -> None:
    entry = session.scalars(select(Entry).filter_by(type=type)).one()
    with pytest.raises(WrongState):
        publishing.unpublish(session, entry, by=olga.by())


def test_the_unpublished_event_tells_what_was_there(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    publishing.unpublish(session, entry, by=olga.by())
    event = newest_event(session)
    assert (event.kind, event.revision) == ("entry.unpublished", 1)
    assert (event.details["old_path"], event.details["answer"]) == ("/hours", "not_found")


# --- the schedule goes along (rule 6) ---


def test_publishing_by_hand_settles_a_planned_beginning(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_news(session, by=olga.by())
    begin, end = HeldClock(clock()).pass_by(days=1), HeldClock(clock()).pass_by(days=2)
    scheduling.schedule(session, entry, Plan(begin, end, "UTC", NOT_FOUND), expected=1, by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    session.flush()
    planned = session.get_one(Schedule, entry.id)
    assert (planned.publish_at, planned.unpublish_at) == (None, end)


def test_publishing_an_older_revision_leaves_the_plan(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    begin = HeldClock(clock()).pass_by(days=1)
    scheduling.schedule(session, entry, Plan(begin, None, "UTC", NOT_FOUND), expected=2, by=olga.by())
    publishing.publish(session, entry, by=olga.by(), revision=1)
    assert session.get_one(Schedule, entry.id).publish_at == begin


def test_unpublishing_by_hand_settles_a_planned_end(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_live_news(session, by=olga.by())
    end = HeldClock(clock()).pass_by(days=1)
    scheduling.schedule(session, entry, Plan(None, end, "UTC", NOT_FOUND), expected=1, by=olga.by())
    publishing.unpublish(session, entry, by=olga.by())
    session.flush()
    assert session.get(Schedule, entry.id) is None


# --- sections ---


def test_an_entry_in_a_live_section_has_its_path(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    entry = a_news(session, by=olga.by(), section=company, slug="hours")
    assert publishing.publish(session, entry, by=olga.by()).path == "/company/hours"


def test_an_entry_gets_its_path_when_its_section_does(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=company, slug="hours")
    restructure(session, {"op": "rename", "section": company, "slug": "firm"}, by=olga.by())
    assert what_is_at(session, "/firm/hours") == ("entry", entry.id)
