"""Operations on the tree: moved, merged, removed, set; and refused in words where they make no sense."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from cms import history, restructuring, saving, structure
from cms.delivery.live_structure import live_tree
from cms.errors import Fault, InUse, InvalidContent
from cms.section_tree import MAX_LEVELS, MAX_SECTIONS, SectionTree
from tests.cast import Colleague, a_live_news, a_news, restructure, sections

Operation = dict[str, Any]


def draft(session: Session, *operations: Operation, olga: Colleague) -> SectionTree:
    tree = structure.entry(session)
    restructuring.change(session, tree, list(operations), expected=tree.revision, by=olga.by())
    session.flush()
    return structure.newest_tree(session)


def refused(session: Session, *operations: Operation, olga: Colleague) -> list[Fault]:
    before = structure.entry(session).revision
    with pytest.raises(InvalidContent) as error:
        draft(session, *operations, olga=olga)
    assert structure.entry(session).revision == before
    return error.value.faults


def move(section: str, parent: str | None, **more: Any) -> Operation:
    return {"op": "move", "section": section, "parent": parent, **more}


def merge(section: str, into: str) -> Operation:
    return {"op": "merge", "section": section, "into": into}


def remove(section: str, **entries: Any) -> Operation:
    return {"op": "remove", "section": section, **entries}


def paths(tree: SectionTree) -> list[str | None]:
    return [tree.path(section.id, locale="ru") for section in tree]


@pytest.fixture
def family(session: Session, olga: Colleague) -> tuple[str, str, str]:
    """A grandparent, a parent below it, and a child below that."""
    [top] = sections(session, "top", by=olga.by())
    [middle] = sections(session, "middle", by=olga.by(), parent=top)
    [low] = sections(session, "low", by=olga.by(), parent=middle)
    return top, middle, low


Family = tuple[str, str, str]


# --- moving ---


def test_a_section_moves_with_all_below_it(session: Session, olga: Colleague, family: Family) -> None:
    tree = draft(session, move(family[1], None), olga=olga)
    assert paths(tree) == ["/top", "/middle", "/middle/low"]


def test_a_section_moves_to_a_position(session: Session, olga: Colleague) -> None:
    one, _, three = sections(session, "one", "two", "three", by=olga.by())
    assert paths(draft(session, move(three, None, position=0), olga=olga)) == ["/three", "/one", "/two"]
    assert paths(draft(session, move(one, None, position=10**9), olga=olga)) == ["/three", "/two", "/one"]


def test_what_moves_is_live_where_it_was_until_it_is_published(
    session: Session, olga: Colleague, family: Family
) -> None:
    draft(session, move(family[1], None), olga=olga)
    assert live_tree(session).path(family[1], locale="ru") == "/top/middle"


def test_a_section_is_not_moved_into_itself_or_below(session: Session, olga: Colleague, family: Family) -> None:
    top, _, low = family
    [itself] = refused(session, move(top, top), olga=olga)
    [below] = refused(session, move(top, low), olga=olga)
    assert (itself.pointer, itself.code) == (below.pointer, below.code) == ("/operations/0/parent", "cycle")
    assert "“Top”" in below.message
    assert "“Low”" in below.message


def test_twins_are_named_with_the_operation_that_made_them(session: Session, olga: Colleague, family: Family) -> None:
    [other] = sections(session, "low", by=olga.by())
    [fault] = refused(session, {"op": "rename", "section": family[0], "name": "T"}, move(other, family[1]), olga=olga)
    assert (fault.pointer, fault.code) == ("/operations/1", "slug_taken")
    assert "'low'" in fault.message


def test_two_sections_may_trade_their_slugs(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    renamed = [{"op": "rename", "section": one, "slug": "two"}, {"op": "rename", "section": two, "slug": "one"}]
    assert paths(draft(session, *renamed, olga=olga)) == ["/two", "/one"]


def test_no_move_makes_the_tree_too_deep(session: Session, olga: Colleague, family: Family) -> None:
    parent: str | None = None
    for level in range(MAX_LEVELS - 2):
        [parent] = sections(session, f"level{level}", by=olga.by(), parent=parent)
    [fault] = refused(session, move(family[0], parent), olga=olga)
    assert (fault.pointer, fault.code) == ("/operations/0", "too_deep")


def test_no_operation_makes_the_tree_too_large(session: Session, olga: Colleague) -> None:
    tree = structure.entry(session)
    nodes = [{"slug": f"s{number}", "name": "x"} for number in range(MAX_SECTIONS)]
    saving.save(session, tree, {"fields": {"sections": nodes}}, expected=tree.revision, by=olga.by())
    [fault] = refused(session, {"op": "add", "parent": None, "slug": "more", "name": "x"}, olga=olga)
    assert (fault.pointer, fault.code) == ("/operations/0", "too_many")


# --- merging ---


def test_a_merged_section_hands_over_those_below_it(session: Session, olga: Colleague, family: Family) -> None:
    [other] = sections(session, "other", by=olga.by())
    tree = draft(session, merge(family[1], other), olga=olga)
    assert paths(tree) == ["/top", "/other", "/other/low"]
    assert tree.successor(family[1]) == other
    assert tree.fate(family[1]) == ("moved", other)


def test_a_section_merges_into_the_one_above(session: Session, olga: Colleague, family: Family) -> None:
    assert paths(draft(session, merge(family[1], family[0]), olga=olga)) == ["/top", "/top/low"]


def test_a_section_is_not_merged_into_itself_or_below(session: Session, olga: Colleague, family: Family) -> None:
    for into in (family[0], family[2]):
        [fault] = refused(session, merge(family[0], into), olga=olga)
        assert (fault.pointer, fault.code) == ("/operations/0/into", "cycle")


def test_a_merge_makes_no_twins(session: Session, olga: Colleague, family: Family) -> None:
    [other] = sections(session, "other", by=olga.by())
    sections(session, "low", by=olga.by(), parent=other)
    [fault] = refused(session, merge(family[1], other), olga=olga)
    assert (fault.pointer, fault.code) == ("/operations/0", "slug_taken")


def test_entries_that_would_share_a_slug_forbid_a_merge(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    met = [a_news(session, by=olga.by(), section=section, slug="same") for section in (one, two)]
    a_news(session, by=olga.by(), section=one, slug="same", locale="en")
    [fault] = refused(session, merge(one, two), olga=olga)
    assert (fault.pointer, fault.code) == ("/operations/0", "slug_taken")
    assert all(entry.id in fault.message for entry in met)


def test_live_copies_that_would_share_a_slug_forbid_a_merge(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    for section in (one, two):
        entry = a_live_news(session, by=olga.by(), section=section, slug="same")
        saving.save(session, entry, {"slug": f"draft-{section}"}, expected=1, by=olga.by())
    assert [fault.code for fault in refused(session, merge(one, two), olga=olga)] == ["slug_taken"]


def test_of_many_shared_slugs_the_first_are_told_and_all_are_counted(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    for number in range(22):
        for section in (one, two):
            a_news(session, by=olga.by(), section=section, slug=f"same-{number}")
    faults = refused(session, merge(one, two), olga=olga)
    assert len(faults) == 20
    assert "There are 22 such slugs." in faults[0].message


# --- removing ---


def test_an_empty_section_is_removed_with_all_below(session: Session, olga: Colleague, family: Family) -> None:
    tree = draft(session, remove(family[1]), olga=olga)
    assert paths(tree) == ["/top"]
    assert [tree.successor(one) for one in family] == [family[0], None, None]


def test_a_removal_that_does_not_say_what_becomes_of_entries_is_refused(
    session: Session, olga: Colleague, family: Family
) -> None:
    a_live_news(session, by=olga.by(), section=family[2])
    a_news(session, by=olga.by(), section=family[1], slug="draft")
    [fault] = refused(session, remove(family[0]), olga=olga)
    assert (fault.pointer, fault.code) == ("/operations/0/entries", "entries_unsaid")
    assert "1 published entries and 1 drafts" in fault.message
    assert all(way in fault.message for way in ("move_to", '"gone"', '"trash"'))


def test_a_live_copy_in_a_section_counts_though_its_draft_is_elsewhere(session: Session, olga: Colleague) -> None:
    [one] = sections(session, "one", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=one)
    saving.save(session, entry, {"section": None}, expected=1, by=olga.by())
    assert [fault.code for fault in refused(session, remove(one), olga=olga)] == ["entries_unsaid"]


@pytest.mark.parametrize("fate", ["gone", "trash"])
def test_a_removed_section_says_what_becomes_of_its_entries(
    session: Session, olga: Colleague, family: Family, fate: str
) -> None:
    a_news(session, by=olga.by(), section=family[2])
    tree = draft(session, remove(family[1], entries=fate), olga=olga)
    assert [tree.fate(one) for one in family[1:]] == [(fate, None), (fate, None)]


def test_entries_move_to_a_section_that_stays(session: Session, olga: Colleague, family: Family) -> None:
    top, middle, low = family
    tree = draft(session, remove(middle, entries={"move_to": top}), olga=olga)
    assert [tree.fate(one) for one in (middle, low)] == [("moved", top), ("moved", top)]


def test_entries_do_not_move_into_what_is_removed_with_them(session: Session, olga: Colleague, family: Family) -> None:
    for to in family[1:]:
        [fault] = refused(session, remove(family[1], entries={"move_to": to}), olga=olga)
        assert (fault.pointer, fault.code) == ("/operations/0/entries/move_to", "removed_too")


def test_entries_on_their_way_into_a_section_count_as_standing_in_it(session: Session, olga: Colleague) -> None:
    one, two, three = sections(session, "one", "two", "three", by=olga.by())
    a_news(session, by=olga.by(), section=one)
    draft(session, merge(one, two), olga=olga)
    assert [fault.code for fault in refused(session, remove(two), olga=olga)] == ["entries_unsaid"]
    tree = draft(session, merge(two, three), olga=olga)
    assert tree.fate(one) == ("moved", three)
    assert draft(session, remove(three, entries="gone"), olga=olga).fate(one) == ("gone", None)


def test_a_section_that_is_back_is_removed_no_longer(session: Session, olga: Colleague, family: Family) -> None:
    tree = structure.entry(session)
    before = tree.revision
    draft(session, remove(family[1], entries="gone"), olga=olga)
    history.restore(session, tree, before, expected=tree.revision, by=olga.by())
    assert not structure.newest_tree(session).removed


def test_what_was_removed_is_kept_in_mind_by_a_whole_tree(session: Session, olga: Colleague, family: Family) -> None:
    draft(session, remove(family[1], entries={"move_to": family[0]}), olga=olga)
    tree = structure.entry(session)
    nodes = [{"id": family[0], "slug": "top", "name": "Top"}]
    saving.save(session, tree, {"fields": {"sections": nodes, "removed": []}}, expected=tree.revision, by=olga.by())
    assert structure.newest_tree(session).fate(family[2]) == ("moved", family[0])


def test_entries_hold_a_section_whose_removal_says_nothing(session: Session, olga: Colleague, family: Family) -> None:
    a_news(session, by=olga.by(), section=family[2])
    tree = structure.entry(session)
    told = [{"section": family[2], "name": "Low"}]
    with pytest.raises(InUse):
        saving.save(session, tree, {"fields": {"sections": [], "removed": told}}, expected=tree.revision, by=olga.by())


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ([{"section": "x", "name": "X", "into": "nowhere"}], "unknown_section"),
        ([{"section": "x", "name": "X", "into": "y"}, {"section": "y", "name": "Y", "into": "x"}], "loop"),
        ([{"section": "x", "name": "X", "into": "x"}], "value_error"),
        ([{"section": "x", "name": "X", "entries": "moved"}], "value_error"),
        ([{"section": "x", "name": "X", "entries": "burnt"}], "literal_error"),
        ([{"section": "x"}], "missing"),
    ],
)
def test_what_is_told_of_removed_sections_must_make_sense(
    session: Session, olga: Colleague, told: list[Any], code: str
) -> None:
    tree = structure.entry(session)
    with pytest.raises(InvalidContent) as error:
        saving.save(session, tree, {"fields": {"removed": told}}, expected=tree.revision, by=olga.by())
    assert error.value.faults[0].code == code


# --- all of them ---


def test_operations_build_on_each_other(session: Session, olga: Colleague, family: Family) -> None:
    top, middle, low = family
    tree = draft(session, move(low, None), merge(middle, top), remove(top), olga=olga)
    assert paths(tree) == ["/low"]


@pytest.mark.parametrize(
    ("operation", "pointer", "code"),
    [
        ({"op": "move", "section": "nowhere", "parent": None}, "/operations/0/section", "unknown_section"),
        ({"op": "merge", "section": "nowhere", "into": "nowhere"}, "/operations/0/section", "unknown_section"),
        ({"op": "remove", "section": "nowhere"}, "/operations/0/section", "unknown_section"),
        ({"op": "set", "section": "nowhere"}, "/operations/0/section", "unknown_section"),
        ({"op": "move", "section": "x"}, "/operations/0/parent", "missing"),
        ({"op": "merge", "section": "x"}, "/operations/0/into", "missing"),
        ({"op": "remove", "section": "x", "entries": "burn"}, "/operations/0/entries", "literal_error"),
        ({"op": "set", "section": "x", "colour": "red"}, "/operations/0/colour", "extra_forbidden"),
    ],
)
def test_an_operation_that_makes_no_sense_is_named(
    session: Session, olga: Colleague, operation: Operation, pointer: str, code: str
) -> None:
    faults = refused(session, operation, olga=olga)
    assert any((fault.pointer, fault.code) == (pointer, code) for fault in faults), faults


def test_all_that_cannot_be_done_is_told_at_once(session: Session, olga: Colleague) -> None:
    operations = [move("x", None), merge("y", "z")]
    assert [fault.pointer for fault in refused(session, *operations, olga=olga)] == [
        "/operations/0/section",
        "/operations/1/section",
    ]


def test_a_published_move_is_live(session: Session, olga: Colleague, family: Family) -> None:
    restructure(session, move(family[2], None), by=olga.by())
    assert live_tree(session).path(family[2], locale="ru") == "/low"


def test_operations_may_name_a_section_that_one_before_them_made(session: Session, olga: Colleague) -> None:
    [css] = sections(session, "css", by=olga.by())
    add = {"op": "add", "parent": None, "slug": "layout", "name": "Layout", "id": "layout"}
    assert restructure(session, add, {"op": "move", "section": css, "parent": "layout"}, by=olga.by()) == ["layout"]
    assert live_tree(session).path(css, locale="ru") == "/layout/css"


def test_an_id_that_was_ever_a_sections_is_taken(session: Session, olga: Colleague) -> None:
    [css] = sections(session, "css", by=olga.by())
    restructure(session, remove(css), by=olga.by())
    [fault] = refused(session, {"op": "add", "parent": None, "slug": "a", "name": "A", "id": css}, olga=olga)
    assert (fault.pointer, fault.code) == ("/operations/0/id", "id_taken")


def test_a_slug_for_one_locale_leaves_the_others_as_they_are(session: Session, olga: Colleague) -> None:
    [css] = sections(session, "css", by=olga.by())
    restructure(session, {"op": "rename", "section": css, "slug": {"en": "styles"}}, by=olga.by())
    restructure(session, {"op": "rename", "section": css, "slug": {"en": "looks"}}, by=olga.by())
    assert [live_tree(session).path(css, locale=one) for one in ("ru", "en")] == ["/css", "/looks"]


@pytest.mark.parametrize("words", [{"slug": {"de": "x"}, "name": "x"}, {"slug": "x", "name": {"de": "x"}}])
def test_words_are_in_locales_of_the_site(session: Session, olga: Colleague, words: dict[str, Any]) -> None:
    [fault] = refused(session, {"op": "add", "parent": None, **words}, olga=olga)
    assert (fault.code, fault.message) == ("unknown_locale", "The site has no locale 'de'. It has: ru, en.")
