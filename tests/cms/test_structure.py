"""The tree of sections: changed by operations, checked as a whole, live when it is published."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from cms import history, publishing, restructuring, saving, snapshots, structure, trash
from cms.delivery.live_structure import live_tree
from cms.errors import InUse, InvalidContent, StaleRevision
from cms.section_tree import MAX_LEVELS, MAX_SECTIONS
from tests.cast import Colleague, a_live_news, a_news, restructure, sections


def save_tree(session: Session, nodes: list[Any], olga: Colleague) -> saving.Saved:
    tree = structure.entry(session)
    return saving.save(session, tree, {"fields": {"sections": nodes}}, expected=tree.revision, by=olga.by())


def refused(session: Session, nodes: list[Any], olga: Colleague) -> list[tuple[str, str]]:
    with pytest.raises(InvalidContent) as error:
        save_tree(session, nodes, olga)
    return [(fault.pointer, fault.code) for fault in error.value.faults]


def a_node(slug: Any, *children: Any, **given: Any) -> dict[str, Any]:
    return {"slug": slug, "name": "A name", "children": list(children), **given}


def slugs(session: Session) -> list[Any]:
    return [section.slug for section in structure.newest_tree(session)]


def test_a_new_site_has_an_empty_tree(session: Session) -> None:
    assert len(structure.newest_tree(session)) == len(live_tree(session)) == 0


def test_new_sections_get_ids_in_the_order_of_the_operations(session: Session, olga: Colleague) -> None:
    made = sections(session, "one", "two", by=olga.by())
    tree = structure.newest_tree(session)
    assert [tree.path(id, locale="ru") for id in made] == ["/one", "/two"]


def test_a_change_of_the_tree_is_a_draft_until_it_is_published(session: Session, olga: Colleague) -> None:
    save_tree(session, [a_node("company")], olga)
    assert (slugs(session), len(live_tree(session))) == (["company"], 0)
    publishing.publish(session, structure.entry(session), by=olga.by())
    assert len(live_tree(session)) == 1


def test_one_name_stands_for_every_locale(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    restructure(session, {"op": "rename", "section": company, "name": {"en": "The company"}}, by=olga.by())
    section = structure.newest_tree(session).section(company)
    assert section is not None
    assert section.name == {"ru": "Company", "en": "The company"}


def test_a_section_is_put_where_it_is_wanted(session: Session, olga: Colleague) -> None:
    sections(session, "one", "three", by=olga.by())
    restructure(session, {"op": "add", "parent": None, "slug": "two", "name": "x", "position": 1}, by=olga.by())
    assert slugs(session) == ["one", "two", "three"]


def test_a_position_beyond_the_end_is_the_end(session: Session, olga: Colleague) -> None:
    sections(session, "one", by=olga.by())
    restructure(session, {"op": "add", "parent": None, "slug": "two", "name": "x", "position": 99}, by=olga.by())
    assert slugs(session) == ["one", "two"]


def test_sections_are_reordered(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    restructure(session, {"op": "reorder", "parent": None, "sections": [two, one]}, by=olga.by())
    assert slugs(session) == ["two", "one"]


def test_a_slug_may_differ_by_locale(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    restructure(session, {"op": "rename", "section": company, "slug": {"ru": "o-nas", "en": "about"}}, by=olga.by())
    tree = live_tree(session)
    assert [tree.path(company, locale=one) for one in ("ru", "en")] == ["/o-nas", "/about"]


def test_all_operations_make_one_revision(session: Session, olga: Colleague) -> None:
    before = structure.entry(session).revision
    sections(session, "one", "two", "three", by=olga.by())
    assert structure.entry(session).revision == before + 1


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        ({"op": "explode"}, "/operations/0"),
        ({}, "/operations/0"),
        ({"op": "add", "parent": None, "name": "x"}, "/operations/0/slug"),
        ({"op": "add", "parent": None, "slug": "Bad Slug", "name": "x"}, "/operations/0/slug"),
        ({"op": "add", "parent": None, "slug": "x", "name": "x", "position": -1}, "/operations/0/position"),
        ({"op": "add", "parent": None, "slug": "x", "name": "x", "colour": "red"}, "/operations/0/colour"),
        ({"op": "add", "parent": "nowhere", "slug": "x", "name": "x"}, "/operations/0"),
        ({"op": "rename", "section": "nowhere", "slug": "x"}, "/operations/0"),
        ({"op": "reorder", "parent": None, "sections": ["nowhere"]}, "/operations/0"),
    ],
)
def test_the_operation_that_cannot_be_done_is_named(
    session: Session, olga: Colleague, operation: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidContent) as error:
        restructure(session, operation, by=olga.by())
    assert error.value.faults[0].pointer.startswith(pointer)


def test_of_several_operations_all_are_done_or_none(session: Session, olga: Colleague) -> None:
    with pytest.raises(InvalidContent):
        restructure(
            session,
            {"op": "add", "parent": None, "slug": "one", "name": "x"},
            {"op": "rename", "section": "nowhere", "slug": "x"},
            by=olga.by(),
        )
    assert slugs(session) == []


def test_a_reordering_names_each_section_once(session: Session, olga: Colleague) -> None:
    one, _ = sections(session, "one", "two", by=olga.by())
    with pytest.raises(InvalidContent):
        restructure(session, {"op": "reorder", "parent": None, "sections": [one, one]}, by=olga.by())


def test_a_stale_tree_is_refused_before_its_operations_are_looked_at(session: Session, olga: Colleague) -> None:
    sections(session, "one", by=olga.by())
    operation = {"op": "rename", "section": "nowhere", "slug": "x"}
    with pytest.raises(StaleRevision):
        restructuring.change(session, structure.entry(session), [operation], expected=1, by=olga.by())


# --- what a tree may not be ---


@pytest.mark.parametrize(
    "nodes",
    [
        [a_node("one"), a_node("one")],
        [a_node("top", a_node("one"), a_node("one"))],
        [a_node({"ru": "one", "en": "two"}), a_node("two")],
        [a_node({"ru": "one", "en": "two"}), a_node({"ru": "two"})],
    ],
)
def test_no_two_sections_beside_each_other_have_one_path(session: Session, olga: Colleague, nodes: list[Any]) -> None:
    assert refused(session, nodes, olga)


def test_cousins_may_share_a_slug(session: Session, olga: Colleague) -> None:
    save_tree(session, [a_node("one", a_node("news")), a_node("two", a_node("news"))], olga)
    assert slugs(session) == ["one", "news", "two", "news"]


def test_an_id_occurs_once(session: Session, olga: Colleague) -> None:
    nodes = [a_node("one", id="same"), a_node("two", a_node("three", id="same"))]
    assert refused(session, nodes, olga) == [("/fields/sections", "id_twice")]


def test_a_tree_is_only_so_deep(session: Session, olga: Colleague) -> None:
    node = a_node("s")
    for _ in range(MAX_LEVELS - 1):
        node = a_node("s", node)
    save_tree(session, [node], olga)
    assert refused(session, [a_node("s", node)], olga) == [("/fields/sections", "too_deep")]


def test_a_tree_nested_beyond_reason_is_refused_and_not_a_crash(session: Session, olga: Colleague) -> None:
    node = a_node("s")
    for _ in range(400):
        node = a_node("s", node)
    assert refused(session, [node], olga)


def test_a_tree_is_only_so_large(session: Session, olga: Colleague) -> None:
    nodes = [a_node(f"s{number}") for number in range(MAX_SECTIONS + 1)]
    assert refused(session, nodes, olga) == [("/fields/sections", "too_many")]


@pytest.mark.parametrize("slug", ["", "A", "a/b", "..", "часы", "a\n", {}, {"ru": ""}, None, 7])
def test_a_sections_slug_is_a_slug(session: Session, olga: Colleague, slug: Any) -> None:
    assert refused(session, [a_node(slug)], olga)


# --- entries in sections ---


def test_a_section_with_entries_cannot_be_dropped(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    entry = a_news(session, by=olga.by(), section=company)
    with pytest.raises(InUse) as error:
        save_tree(session, [], olga)
    assert (error.value.id, error.value.usages, error.value.total) == (company, [(entry.id, "/section")], 1)


def test_a_section_that_a_live_copy_stands_in_cannot_be_dropped(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=company)
    saving.save(session, entry, {"section": None}, expected=1, by=olga.by())
    with pytest.raises(InUse):
        save_tree(session, [], olga)


def test_entries_in_the_trash_hold_no_section(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    trash.trash(session, a_news(session, by=olga.by(), section=company), expected=1, by=olga.by())
    save_tree(session, [], olga)
    assert slugs(session) == []


def test_an_old_tree_that_would_lose_entries_is_not_restored(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    a_news(session, by=olga.by(), section=company)
    with pytest.raises(InUse):
        history.restore(session, structure.entry(session), 1, expected=2, by=olga.by())


def test_an_old_tree_comes_back_with_its_ids(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    save_tree(session, [], olga)
    history.restore(session, structure.entry(session), 2, expected=3, by=olga.by())
    assert snapshots.revision_of(session, structure.entry(session)).restored_from == 2
    assert company in structure.newest_tree(session)


def test_an_entry_may_stand_in_a_section_that_is_a_draft(session: Session, olga: Colleague) -> None:
    save_tree(session, [a_node("company", id="company")], olga)
    entry = a_news(session, by=olga.by(), section="company")
    assert publishing.publish(session, entry, by=olga.by()).path is None
