"""Four eyes: who wrote a counter does not make it live, whatever way they go."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import history, publishing, saving, scheduling, second_person, sign_in, snapshots, structure, trash
from cms.attribution import COMMAND_LINE, SCHEDULER, Actor, By
from cms.errors import SecondPersonNeeded
from cms.redirects import NOT_FOUND
from cms.tables.entries import Entry
from tests.cast import PAVEL_ID, Colleague, HeldClock, a_live_news, change, restructure, sections
from tests.cms.counting import a_counter


@pytest.fixture
def ivan(clock: HeldClock) -> Colleague:
    """A second person."""
    return Colleague(Actor("person", PAVEL_ID, "Ivan", "analyst"), clock)


@pytest.fixture
def shell(clock: HeldClock) -> Colleague:
    """The command line, which needs no second person."""
    return Colleague(COMMAND_LINE, clock)


def alone(session: Session, entry: Entry, who: Colleague, number: int | None = None) -> bool:
    """Whether somebody is refused to publish for want of a second person."""
    try:
        second_person.refuse_alone(session, entry, number or entry.revision, by=who.by())
    except SecondPersonNeeded:
        return True
    return False


def test_who_wrote_a_counter_does_not_make_it_live(session: Session, olga: Colleague, ivan: Colleague) -> None:
    entry = a_counter(session, by=olga.by())
    with pytest.raises(SecondPersonNeeded) as refused:
        publishing.publish(session, entry, by=olga.by())
    assert refused.value.savers == ["Olga"]
    publishing.publish(session, entry, by=ivan.by())
    assert entry.published_revision == 1


def test_whoever_saved_since_the_live_revision_counts(session: Session, olga: Colleague, ivan: Colleague) -> None:
    entry = a_counter(session, by=olga.by())
    publishing.publish(session, entry, by=ivan.by())
    change(session, entry, by=ivan.by(), counter_id="2")
    assert (alone(session, entry, ivan), alone(session, entry, olga)) == (True, False)
    change(session, entry, by=olga.by(), counter_id="3")
    assert (alone(session, entry, ivan), alone(session, entry, olga)) == (True, True)


def test_on_behalf_of_another_is_not_another(session: Session, olga: Colleague, ivan: Colleague) -> None:
    entry = a_counter(session, by=olga.by())
    with pytest.raises(SecondPersonNeeded):
        publishing.publish(session, entry, by=olga.by(on_behalf_of=PAVEL_ID))
    other = a_counter(session, by=olga.by(on_behalf_of=PAVEL_ID), counter_id="2")
    assert not alone(session, other, ivan)


def test_a_scheduled_publication_is_ordered_by_a_second_person(
    session: Session, clock: HeldClock, olga: Colleague, ivan: Colleague
) -> None:
    entry = a_counter(session, by=olga.by())
    at = clock.now.replace(hour=20)
    plan = scheduling.Plan(at, None, "UTC", NOT_FOUND)
    with pytest.raises(SecondPersonNeeded):
        scheduling.schedule(session, entry, plan, expected=1, by=olga.by())
    scheduling.schedule(session, entry, plan, expected=1, by=ivan.by())
    # What its author saves meanwhile is not what was ordered.
    change(session, entry, by=olga.by(), counter_id="666")
    clock.now = at
    assert scheduling.carry_out(session, entry.id, now=at)
    assert entry.published_revision == 1


def test_an_end_is_planned_alone(session: Session, clock: HeldClock, olga: Colleague, shell: Colleague) -> None:
    entry = a_counter(session, by=olga.by())
    publishing.publish(session, entry, by=shell.by())
    plan = scheduling.Plan(None, clock.now.replace(hour=20), "UTC", NOT_FOUND)
    scheduling.schedule(session, entry, plan, expected=1, by=olga.by())


def test_taking_down_needs_nobody_and_coming_back_does(session: Session, olga: Colleague, ivan: Colleague) -> None:
    entry = a_counter(session, by=olga.by())
    publishing.publish(session, entry, by=ivan.by())
    publishing.unpublish(session, entry, by=olga.by())
    assert (alone(session, entry, olga), alone(session, entry, ivan)) == (True, False)


def test_out_of_the_trash_is_not_past_the_second_person(session: Session, olga: Colleague, ivan: Colleague) -> None:
    entry = a_counter(session, by=olga.by())
    publishing.publish(session, entry, by=ivan.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    trash.restore(session, entry, expected=1, by=olga.by())
    assert alone(session, entry, olga)


def test_a_restored_revision_is_the_restorers(session: Session, olga: Colleague, ivan: Colleague) -> None:
    entry = a_counter(session, by=olga.by())
    publishing.publish(session, entry, by=ivan.by())
    change(session, entry, by=olga.by(), counter_id="666")
    history.restore(session, entry, 1, expected=2, by=ivan.by())
    assert (alone(session, entry, ivan), alone(session, entry, olga)) == (True, True)


def test_back_to_what_was_live_needs_nobody(session: Session, olga: Colleague, ivan: Colleague) -> None:
    entry = a_counter(session, by=olga.by())
    publishing.publish(session, entry, by=ivan.by())
    change(session, entry, by=ivan.by(), counter_id="2")
    publishing.publish(session, entry, by=olga.by())
    assert not alone(session, entry, olga, 1)
    assert not alone(session, entry, olga, 2)


def test_back_to_what_was_never_live_is_not_a_way_round(session: Session, olga: Colleague, ivan: Colleague) -> None:
    entry = a_counter(session, by=olga.by(), counter_id="1")
    publishing.publish(session, entry, by=ivan.by())
    change(session, entry, by=olga.by(), counter_id="666")
    change(session, entry, by=ivan.by(), counter_id="3")
    publishing.publish(session, entry, by=By(Actor("person", "third", "Third", "analyst"), olga.clock()))
    assert (alone(session, entry, olga, 2), alone(session, entry, ivan, 2)) == (True, False)


def test_an_autosave_is_saved_by_who_saved_it(session: Session, olga: Colleague, ivan: Colleague) -> None:
    entry = a_counter(session, by=olga.by())
    publishing.publish(session, entry, by=ivan.by())
    for id in ("2", "3"):
        patch = {"fields": {"counter_id": id}}
        saving.save(session, entry, patch, expected=entry.revision, by=olga.by(), autosave=True)
    assert snapshots.revision_of(session, entry).folds == 1
    assert (alone(session, entry, olga), alone(session, entry, ivan)) == (True, False)


def test_a_key_counts_as_the_person_who_made_it(session: Session, olga: Colleague, ivan: Colleague) -> None:
    key, _ = sign_in.make_key(session, name="script", role="analyst", by=olga.by())
    session.flush()
    script = Colleague(Actor("key", key.id, "script", "analyst"), olga.clock)
    second, _ = sign_in.make_key(session, name="its own", role="analyst", by=script.by())
    session.flush()
    other = Colleague(Actor("key", second.id, "its own", "analyst"), olga.clock)
    entry = a_counter(session, by=olga.by())
    assert [alone(session, entry, one) for one in (script, other, ivan)] == [True, True, False]
    theirs = a_counter(session, by=other.by(), counter_id="2")
    assert [alone(session, theirs, one) for one in (olga, script, ivan)] == [True, True, False]


def test_the_command_line_and_the_scheduler_are_exempt(session: Session, olga: Colleague, shell: Colleague) -> None:
    entry = a_counter(session, by=shell.by())
    assert not alone(session, entry, shell)
    assert not alone(session, entry, Colleague(SCHEDULER, olga.clock))
    assert not alone(session, entry, olga)


def test_other_types_are_published_alone(session: Session, olga: Colleague) -> None:
    a_live_news(session, by=olga.by())


def test_the_published_settings_switch_it_off(session: Session, olga: Colleague, shell: Colleague) -> None:
    settings = session.scalars(select(Entry).where(Entry.type == "settings")).one()
    entry = a_counter(session, by=olga.by())
    change(session, settings, by=shell.by(), counters_four_eyes=False)
    assert alone(session, entry, olga)  # a draft of settings is none yet
    publishing.publish(session, settings, by=shell.by())
    session.flush()
    assert not alone(session, entry, olga)


def test_a_counter_comes_back_with_its_section(session: Session, olga: Colleague, ivan: Colleague) -> None:
    [section] = sections(session, "shop", by=olga.by())
    entry = a_counter(session, by=olga.by(), section=section)
    publishing.publish(session, entry, by=ivan.by())
    restructure(session, {"op": "remove", "section": section, "entries": "trash"}, by=olga.by())
    session.expire_all()
    assert entry.published_revision is None
    tree = structure.entry(session)
    history.restore(session, tree, tree.revision - 1, expected=tree.revision, by=olga.by())
    publishing.publish(session, tree, by=olga.by())
    session.expire_all()
    assert entry.published_revision == 1
