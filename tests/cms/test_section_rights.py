"""Roles by section: the nearest section up that names somebody says what they may do there."""

from typing import Any

from sqlalchemy.orm import Session

from cms import restructuring, rights, saving, structure
from cms.section_tree import SectionTree
from tests.cast import PAVEL_ID, Colleague, a_live_news, a_news, restructure, sections


def tree(*access: dict[str, str]) -> SectionTree:
    """Sections below each other, named 0, 1, 2…"""
    nodes: list[dict[str, Any]] = []
    for level, said in reversed(list(enumerate(access))):
        nodes = [{"id": str(level), "slug": "s", "name": {"ru": "S"}, "children": nodes, "access": said}]
    return SectionTree(nodes)


def test_the_nearest_section_up_names_the_role(olga: Colleague) -> None:
    me = olga.actor.id
    found = tree({me: "reader"}, {}, {me: "administrator"}, {"other": "reader"})
    assert [rights.within(olga.actor, found, one).role for one in "0123"] == [
        "reader",
        "reader",
        "administrator",
        "administrator",
    ]


def test_where_nothing_is_said_the_own_role_holds(olga: Colleague) -> None:
    found = tree({"other": "reader"})
    assert [rights.within(olga.actor, found, one).role for one in ("0", None, "nowhere")] == ["publisher"] * 3


def test_a_keys_scopes_hold_in_every_section(olga: Colleague) -> None:
    found = rights.within(olga.actor, tree({olga.actor.id: "administrator"}), "0")
    assert (found.scopes, found.id, found.kind) == (olga.actor.scopes, olga.actor.id, "person")


def test_access_is_in_force_when_it_is_published(session: Session, olga: Colleague) -> None:
    [section] = sections(session, "hr", by=olga.by())
    entry = structure.entry(session)
    operation = {"op": "set", "section": section, "access": {PAVEL_ID: "editor"}}
    restructuring.change(session, entry, [operation], expected=entry.revision, by=olga.by())
    assert structure.tree_in_force(session).setting(section, "access") == {}
    restructure(session, {"op": "rename", "section": section, "name": "HR"}, by=olga.by())
    assert structure.tree_in_force(session).setting(section, "access") == {PAVEL_ID: "editor"}


def test_a_section_that_is_a_draft_is_governed_by_the_one_above(session: Session, olga: Colleague) -> None:
    [section] = sections(session, "hr", by=olga.by())
    entry = structure.entry(session)
    add = {"op": "add", "parent": section, "slug": "below", "name": "Below"}
    [below] = restructuring.change(session, entry, [add], expected=entry.revision, by=olga.by())[1]
    assert [structure.governing(session, one) for one in (section, below, "nowhere")] == [section, section, None]


def test_an_entry_stands_where_it_was_saved_and_where_it_is_live(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=one)
    assert structure.places(session, entry) == (one,)
    saving.save(session, entry, {"section": two}, expected=1, by=olga.by())
    assert structure.places(session, entry) == (two, one)
    assert structure.places(session, a_news(session, by=olga.by(), slug="other")) == (None,)
