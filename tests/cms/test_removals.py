"""What becomes of entries when their section goes for good, and how they come back with it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import history, publishing, restructuring, saving, scheduling, snapshots, structure, trash, usages
from cms.errors import AddressTaken, WrongState
from cms.redirects import NOT_FOUND, Answer
from cms.scheduling import Plan
from cms.tables.entries import Departure, Entry
from cms.tables.events import Event
from cms.tables.publications import Publication, Redirect, Schedule
from tests.cast import Colleague, a_live_news, a_news, change, restructure, sections, what_is_at

Operation = dict[str, Any]


@pytest.fixture
def two(session: Session, olga: Colleague) -> list[str]:
    """Two live sections, /old and /new."""
    return sections(session, "old", "new", by=olga.by())


def merge(two: list[str]) -> Operation:
    return {"op": "merge", "section": two[0], "into": two[1]}


def remove(section: str, entries: Any = None) -> Operation:
    return {"op": "remove", "section": section, "entries": entries}


def drafted(session: Session, *operations: Operation, by: Any) -> Entry:
    tree = structure.entry(session)
    restructuring.change(session, tree, list(operations), expected=tree.revision, by=by)
    return tree


def undo(session: Session, olga: Colleague, *, steps: int = 1) -> None:
    """The tree as it was some revisions ago, live."""
    tree = structure.entry(session)
    history.restore(session, tree, tree.revision - steps, expected=tree.revision, by=olga.by())
    publishing.publish(session, tree, by=olga.by())
    session.flush()


def state(session: Session, entry: Entry) -> tuple[str | None, int, int | None]:
    session.refresh(entry)
    return entry.section, entry.revision, entry.published_revision


def live(session: Session, entry: Entry) -> tuple[str | None, int] | None:
    row = session.execute(
        select(Publication.section, Publication.revision).where(Publication.entry_id == entry.id)
    ).first()
    return row and (row.section, row.revision)


def told(session: Session, entry: Entry) -> list[Event]:
    """The events of an entry that the tree brought about."""
    found = session.scalars(select(Event).where(Event.entry_id == entry.id).order_by(Event.number))
    return [one for one in found if {"section_removed", "section_restored"} & set(one.details)]


# --- moved ---


def test_entries_move_when_the_merge_is_published(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    tree = drafted(session, merge(two), by=olga.by())
    assert state(session, entry) == (two[0], 1, 1)
    publishing.publish(session, tree, by=olga.by())
    assert state(session, entry) == (two[1], 2, 2)
    assert live(session, entry) == (two[1], 2)
    assert what_is_at(session, "/new/hours") == ("entry", entry.id)
    assert what_is_at(session, "/old/hours") == ("redirect", "/new/hours")
    assert what_is_at(session, "/old") == ("redirect", "/new")


def test_a_moved_entry_tells_who_moved_it_and_why(
    session: Session, olga: Colleague, pavel: str, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours", summary="Kept")
    restructure(session, merge(two), by=olga.by(on_behalf_of=pavel, request=412, note="As agreed"))
    session.refresh(entry)
    newest = snapshots.revision_of(session, entry)
    assert newest.fields == snapshots.revision_of(session, entry, 1).fields
    assert (newest.section, newest.on_behalf_of, newest.request, newest.actor_id) == (two[1], pavel, 412, olga.actor.id)
    assert newest.note == "The section “Old” was removed; “New” took its place. As agreed"
    saved, published = told(session, entry)
    assert (saved.kind, saved.revision, saved.note) == ("entry.saved", 2, newest.note)
    assert (published.kind, published.revision) == ("entry.published", 2)
    assert published.details == {
        "old_path": "/old/hours",
        "path": "/new/hours",
        "planned_at": None,
        "section_removed": two[0],
    }


def test_a_draft_moves_as_a_draft(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_news(session, by=olga.by(), section=two[0])
    restructure(session, merge(two), by=olga.by())
    assert state(session, entry) == (two[1], 2, None)
    assert [one.kind for one in told(session, entry)] == ["entry.saved"]


def test_a_changed_entry_stays_changed(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    change(session, entry, by=olga.by(), summary="Not yet")
    restructure(session, merge(two), by=olga.by())
    assert state(session, entry) == (two[1], 3, 1)
    assert live(session, entry) == (two[1], 1)
    assert what_is_at(session, "/old/hours") == ("redirect", "/new/hours")


def test_only_the_live_copy_moves_when_the_draft_stands_elsewhere(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    saving.save(session, entry, {"section": None}, expected=1, by=olga.by())
    restructure(session, merge(two), by=olga.by())
    assert state(session, entry) == (None, 2, 1)
    assert live(session, entry) == (two[1], 1)
    undo(session, olga)
    assert (state(session, entry), live(session, entry)) == ((None, 2, 1), (two[0], 1))


def test_only_the_draft_moves_when_the_live_copy_stands_elsewhere(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    saving.save(session, entry, {"section": two[0]}, expected=1, by=olga.by())
    restructure(session, merge(two), by=olga.by())
    assert state(session, entry) == (two[1], 3, 1)
    assert live(session, entry) == (None, 1)


def test_entries_in_the_trash_stay_as_they_are(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_news(session, by=olga.by(), section=two[0])
    trash.trash(session, entry, expected=1, by=olga.by())
    restructure(session, merge(two), by=olga.by())
    assert state(session, entry) == (two[0], 1, None)


def test_a_planned_publication_follows_to_the_new_revision(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_news(session, by=olga.by(), section=two[0], slug="hours")
    plan = Plan(olga.clock() + timedelta(hours=1), None, "UTC", NOT_FOUND)
    scheduling.schedule(session, entry, plan, expected=1, by=olga.by())
    restructure(session, merge(two), by=olga.by())
    assert scheduling.carry_out(session, entry.id, now=olga.clock.pass_by(hours=2))
    assert live(session, entry) == (two[1], 2)


def test_sections_with_slugs_by_locale_tell_the_right_paths(session: Session, olga: Colleague) -> None:
    slugs = {"ru": "staroe", "en": "old"}
    operations = [{"op": "add", "parent": None, "slug": slug, "name": "x"} for slug in (slugs, "new")]
    two = restructure(session, *operations, by=olga.by())
    entries = [a_live_news(session, by=olga.by(), section=two[0], slug="hours", locale=one) for one in ("ru", "en")]
    restructure(session, merge(two), by=olga.by())
    assert [told(session, one)[1].details["old_path"] for one in entries] == ["/staroe/hours", "/old/hours"]


def test_a_whole_branch_moves_into_one_section(session: Session, olga: Colleague, two: list[str]) -> None:
    [below] = sections(session, "below", by=olga.by(), parent=two[0])
    entry = a_live_news(session, by=olga.by(), section=below, slug="hours")
    restructure(session, remove(two[0], {"move_to": two[1]}), by=olga.by())
    assert live(session, entry) == (two[1], 2)
    assert what_is_at(session, "/old/below/hours") == ("redirect", "/new/hours")
    assert what_is_at(session, "/old/below") == ("redirect", "/new")


def test_a_slug_that_was_taken_meanwhile_forbids_the_publication(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    first = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    tree = drafted(session, merge(two), by=olga.by())
    second = a_news(session, by=olga.by(), section=two[1], slug="hours")
    with pytest.raises(WrongState) as refused:
        publishing.publish(session, tree, by=olga.by())
    assert refused.value.code == "addresses_taken"
    assert first.id in refused.value.reason
    assert second.id in refused.value.reason


def test_a_section_that_was_never_live_hands_over_its_entries(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    tree = structure.entry(session)
    add = {"op": "add", "parent": None, "slug": "draft", "name": "Draft"}
    [third] = restructuring.change(session, tree, [add], expected=tree.revision, by=olga.by())[1]
    entry = a_news(session, by=olga.by(), section=third)
    restructure(session, {"op": "merge", "section": third, "into": two[1]}, by=olga.by())
    assert state(session, entry) == (two[1], 2, None)


# --- gone ---


def test_entries_are_gone_with_their_section(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, remove(two[0], "gone"), by=olga.by())
    assert state(session, entry) == (two[0], 1, None)
    assert entry.published_at is None
    assert entry.first_published_at is not None
    assert what_is_at(session, "/old/hours") == ("gone", "The section “Old” was removed.")
    assert what_is_at(session, "/old") == ("gone", "The section “Old” was removed.")
    [event] = told(session, entry)
    assert (event.kind, event.revision) == ("entry.unpublished", 1)
    assert event.details == {
        "old_path": "/old/hours",
        "answer": "gone",
        "planned_at": None,
        "section_removed": two[0],
    }


def test_what_an_entry_that_is_gone_referred_to_is_free(session: Session, olga: Colleague, two: list[str]) -> None:
    target = a_live_news(session, by=olga.by(), slug="target", title="Target")
    entry = a_live_news(session, by=olga.by(), section=two[0], related=[target.id])
    restructure(session, remove(two[0], "gone"), by=olga.by())
    assert [(one.source_id, one.live) for one in usages.of(session, target.id)] == [(entry.id, False)]


@pytest.mark.parametrize("fate", ["gone", "trash"])
def test_plans_of_entries_that_go_are_dropped(session: Session, olga: Colleague, two: list[str], fate: str) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0])
    plan = Plan(None, olga.clock() + timedelta(hours=1), "UTC", NOT_FOUND)
    scheduling.schedule(session, entry, plan, expected=1, by=olga.by())
    restructure(session, remove(two[0], fate), by=olga.by())
    assert session.scalar(select(Schedule)) is None


def test_an_entry_that_lost_its_section_is_saved_but_not_published(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, remove(two[0], "gone"), by=olga.by())
    saved = change(session, entry, by=olga.by(), summary="Still here")
    assert [(one.pointer, one.code) for one in saved.warnings] == [("/section", "section_removed")]
    with pytest.raises(WrongState) as refused:
        publishing.publish(session, entry, by=olga.by())
    assert refused.value.code == "section_removed"
    saving.save(session, entry, {"section": two[1]}, expected=2, by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    assert what_is_at(session, "/old/hours") == ("redirect", "/new/hours")


def test_a_rule_that_another_entry_left_gives_way(session: Session, olga: Colleague, two: list[str]) -> None:
    first = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    saving.save(session, first, {"slug": "other"}, expected=1, by=olga.by())
    publishing.publish(session, first, by=olga.by())
    a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, remove(two[0], "gone"), by=olga.by())
    assert what_is_at(session, "/old/hours") == ("gone", "The section “Old” was removed.")
    kept = session.scalars(select(Redirect).where(Redirect.section == two[0], Redirect.prefix.is_(False)))
    assert sorted(rule.slug or "" for rule in kept) == ["hours", "other"]


# --- trashed ---


def test_entries_go_to_the_trash_with_their_section(session: Session, olga: Colleague, two: list[str]) -> None:
    shown = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    hidden = a_news(session, by=olga.by(), section=two[0], slug="draft")
    restructure(session, remove(two[0], "trash"), by=olga.by())
    session.refresh(shown)
    session.refresh(hidden)
    assert shown.trashed_at == hidden.trashed_at == olga.clock()
    assert [one.kind for one in told(session, shown)] == ["entry.unpublished", "entry.trashed"]
    assert [one.kind for one in told(session, hidden)] == ["entry.trashed"]
    assert what_is_at(session, "/old/hours") == ("gone", "The section “Old” was removed.")


def test_a_trashed_draft_takes_its_live_copy_along(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[1], slug="hours")
    saving.save(session, entry, {"section": two[0]}, expected=1, by=olga.by())
    restructure(session, remove(two[0], "trash"), by=olga.by())
    assert live(session, entry) is None
    assert what_is_at(session, "/new/hours") == ("gone", "The section “Old” was removed.")
    undo(session, olga)
    assert live(session, entry) == (two[1], 1)


# --- and back ---


def test_undo_brings_a_merged_entry_back(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    resident = a_live_news(session, by=olga.by(), section=two[1], slug="resident")
    restructure(session, merge(two), by=olga.by())
    undo(session, olga)
    assert (state(session, entry), live(session, entry)) == ((two[0], 3, 3), (two[0], 3))
    assert state(session, resident) == (two[1], 1, 1)
    assert what_is_at(session, "/old/hours") == ("entry", entry.id)
    assert what_is_at(session, "/new/hours") == ("redirect", "/old/hours")
    assert what_is_at(session, "/old") == ("section", two[0])
    assert session.scalar(select(Departure)) is None
    assert [one.details.get("section_restored") for one in told(session, entry)[2:]] == [two[0]] * 2


def test_a_merge_can_be_done_and_undone_as_often_as_one_likes(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    for _ in range(2):
        restructure(session, merge(two), by=olga.by())
        assert what_is_at(session, "/old/hours") == ("redirect", "/new/hours")
        undo(session, olga)
        assert what_is_at(session, "/new/hours") == ("redirect", "/old/hours")
    assert live(session, entry) == (two[0], 5)


def test_an_entry_that_was_moved_on_stays_where_it_is(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, merge(two), by=olga.by())
    saving.save(session, entry, {"section": None}, expected=2, by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    undo(session, olga)
    assert (state(session, entry), live(session, entry)) == ((None, 3, 3), (None, 3))


def test_two_merges_are_undone_at_once(session: Session, olga: Colleague, two: list[str]) -> None:
    [third] = sections(session, "third", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    other = a_live_news(session, by=olga.by(), section=two[1], slug="other")
    restructure(session, merge(two), by=olga.by())
    restructure(session, {"op": "merge", "section": two[1], "into": third}, by=olga.by())
    assert [live(session, one) for one in (entry, other)] == [(third, 3), (third, 2)]
    undo(session, olga, steps=2)
    assert [(live(session, one) or ("", 0))[0] for one in (entry, other)] == two
    for path in ("/new/hours", "/third/hours"):
        assert what_is_at(session, path) == ("redirect", "/old/hours")


def test_the_first_of_two_merges_is_undone(session: Session, olga: Colleague, two: list[str]) -> None:
    [third] = sections(session, "third", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, merge(two), by=olga.by())
    tree = structure.entry(session)
    nodes = [node | {} for node in snapshots.revision_of(session, tree).fields["sections"]]
    restructure(session, {"op": "merge", "section": two[1], "into": third}, by=olga.by())
    back = [{"id": two[0], "slug": "old", "name": "Old"}, *(one for one in nodes if one["id"] == third)]
    saving.save(session, tree, {"fields": {"sections": back}}, expected=tree.revision, by=olga.by())
    publishing.publish(session, tree, by=olga.by())
    assert (live(session, entry) or ("", 0))[0] == two[0]
    assert what_is_at(session, "/third/hours") == ("redirect", "/old/hours")


def test_undo_publishes_again_what_was_gone(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    change(session, entry, by=olga.by(), summary="A draft that stays one")
    untouched = a_news(session, by=olga.by(), section=two[0], slug="draft")
    restructure(session, remove(two[0], "gone"), by=olga.by())
    undo(session, olga)
    assert (state(session, entry), live(session, entry)) == ((two[0], 2, 1), (two[0], 1))
    assert what_is_at(session, "/old/hours") == ("entry", entry.id)
    assert state(session, untouched) == (two[0], 1, None)


def test_what_was_published_elsewhere_meanwhile_is_left_alone(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, remove(two[0], "gone"), by=olga.by())
    saving.save(session, entry, {"section": two[1]}, expected=1, by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    undo(session, olga)
    assert live(session, entry) == (two[1], 2)


def test_undo_takes_entries_out_of_the_trash(session: Session, olga: Colleague, two: list[str]) -> None:
    shown = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    hidden = a_news(session, by=olga.by(), section=two[0], slug="draft")
    thrown = a_news(session, by=olga.by(), section=two[0], slug="thrown")
    trash.trash(session, thrown, expected=1, by=olga.by())
    restructure(session, remove(two[0], "trash"), by=olga.by())
    undo(session, olga)
    session.refresh(thrown)
    assert [state(session, one) for one in (shown, hidden)] == [(two[0], 1, 1), (two[0], 1, None)]
    assert shown.trashed_at is None
    assert thrown.trashed_at is not None
    assert [one.kind for one in told(session, hidden)] == ["entry.trashed", "entry.restored"]


def test_an_entry_whose_slug_is_taken_in_the_section_that_comes_back_forbids_it(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, merge(two), by=olga.by())
    tree = structure.entry(session)
    history.restore(session, tree, tree.revision - 1, expected=tree.revision, by=olga.by())
    a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    with pytest.raises(WrongState) as refused:
        publishing.publish(session, tree, by=olga.by())
    assert refused.value.code == "addresses_taken"


# --- editing meanwhile ---


def test_entries_are_worked_on_while_the_removal_is_a_draft(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    tree = drafted(session, merge(two), by=olga.by())
    saved = change(session, entry, by=olga.by(), summary="Urgent")
    publishing.publish(session, entry, by=olga.by())
    late = a_live_news(session, by=olga.by(), section=two[0], slug="late")
    assert (saved.warnings, live(session, entry)) == ((), (two[0], 2))
    publishing.publish(session, tree, by=olga.by())
    assert [live(session, one) for one in (entry, late)] == [(two[1], 3), (two[1], 2)]


def test_entries_that_came_into_an_empty_section_meanwhile_forbid_its_end(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    tree = drafted(session, remove(two[0]), by=olga.by())
    a_news(session, by=olga.by(), section=two[0])
    with pytest.raises(WrongState) as refused:
        publishing.publish(session, tree, by=olga.by())
    assert refused.value.code == "section_in_use"


def test_a_revision_from_before_is_restored_into_the_successor(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_news(session, by=olga.by(), section=two[0], slug="hours", summary="First")
    restructure(session, merge(two), by=olga.by())
    change(session, entry, by=olga.by(), summary="Second")
    saved = history.restore(session, entry, 1, expected=3, by=olga.by())
    assert (saved.revision.section, saved.revision.fields["summary"]) == (two[1], "First")
    assert [one.code for one in saved.warnings] == ["section_removed"]


def test_a_new_entry_that_names_a_removed_section_stands_in_the_successor(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    restructure(session, merge(two), by=olga.by())
    assert a_news(session, by=olga.by(), section=two[0]).section == two[1]
    with pytest.raises(AddressTaken):
        a_news(session, by=olga.by(), section=two[0], slug="office-hours")


def test_an_old_revision_in_a_section_that_is_gone_is_not_published(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0])
    restructure(session, merge(two), by=olga.by())
    with pytest.raises(WrongState) as refused:
        publishing.publish(session, entry, by=olga.by(), revision=1)
    assert refused.value.code == "section_removed"


def test_an_older_tree_is_not_published_over_entries_that_it_knows_nothing_of(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    a_live_news(session, by=olga.by(), section=two[0])
    with pytest.raises(WrongState) as refused:
        publishing.publish(session, structure.entry(session), by=olga.by(), revision=1)
    assert refused.value.code == "section_in_use"


def test_a_path_from_before_a_merge_is_gone_with_the_section_that_took_it_in(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, merge(two), by=olga.by())
    restructure(session, remove(two[1], "gone"), by=olga.by())
    for path in ("/old/hours", "/new/hours"):
        assert what_is_at(session, path) == ("gone", "The section “New” was removed.")


def test_a_changed_entry_that_went_along_comes_back_as_it_was_live(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours", summary="Live")
    change(session, entry, by=olga.by(), summary="Not yet")
    restructure(session, merge(two), by=olga.by())
    restructure(session, remove(two[1], "gone"), by=olga.by())
    undo(session, olga)
    assert (state(session, entry), live(session, entry)) == ((two[1], 3, 1), (two[1], 1))
    assert what_is_at(session, "/old/hours") == ("redirect", "/new/hours")


def test_what_was_taken_down_meanwhile_is_still_known_where_it_was_before(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, merge(two), by=olga.by())
    publishing.unpublish(session, entry, by=olga.by(), answer=Answer("gone", explanation="Closed."))
    undo(session, olga)
    assert what_is_at(session, "/old/hours") == ("gone", "Closed.")
    assert what_is_at(session, "/new/hours") == ("gone", "Closed.")


def test_what_was_moved_on_meanwhile_is_found_from_all_its_places(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="hours")
    restructure(session, merge(two), by=olga.by())
    saving.save(session, entry, {"section": None, "slug": "days"}, expected=entry.revision, by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    undo(session, olga)
    assert [what_is_at(session, path) for path in ("/old/hours", "/new/hours")] == [("redirect", "/days")] * 2
