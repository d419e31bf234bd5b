"""What operations on the tree would do, told before anything is done."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import planning, publishing, restructuring, saving, structure
from cms.errors import BadQuery
from cms.tables.entries import Revision
from cms.tables.events import Event
from tests.cast import Colleague, a_live_news, a_news, an_entry, change, restructure, sections, what_is_at, words

Operation = dict[str, Any]


@pytest.fixture
def two(session: Session, olga: Colleague) -> list[str]:
    """Two live sections, /css and /layout."""
    return sections(session, "css", "layout", by=olga.by())


def plan(session: Session, *operations: Operation, **more: Any) -> dict[str, Any]:
    counted = select(select(func.count()).select_from(Revision).scalar_subquery(), func.count()).select_from(Event)
    before = session.execute(counted).one()
    found = planning.plan(session, structure.entry(session), list(operations), **more)
    assert not session.new
    assert not session.dirty
    assert session.execute(counted).one() == before
    return found


def move(two: list[str]) -> Operation:
    return {"op": "move", "section": two[0], "parent": two[1]}


def merge(two: list[str]) -> Operation:
    return {"op": "merge", "section": two[0], "into": two[1]}


def remove(section: str, entries: Any = None) -> Operation:
    return {"op": "remove", "section": section, "entries": entries}


def changed(found: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(row["entry"], row["from"], row["to"]) for row in found["paths"]["first"]]


def totals(found: dict[str, Any]) -> tuple[int, int, int]:
    paths = found["paths"]
    return paths["total"], paths["published"], paths["drafts"]


def test_a_move_changes_the_paths_of_all_that_stands_in_the_section(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    shown = a_live_news(session, by=olga.by(), section=two[0], slug="grid", title="Grid")
    hidden = a_news(session, by=olga.by(), section=two[0], slug="flex")
    a_live_news(session, by=olga.by(), section=two[1], slug="stays")
    found = plan(session, move(two))
    assert changed(found) == [
        (shown.id, "/css/grid", "/layout/css/grid"),
        (hidden.id, "/css/flex", "/layout/css/flex"),
    ]
    assert totals(found) == (2, 1, 1)
    assert found["paths"]["first"][0] | {"entry": "", "from": "", "to": ""} == {
        "entry": "",
        "title": "Grid",
        "type": "news",
        "locale": "ru",
        "published": True,
        "from": "",
        "to": "",
    }
    assert found["revision"] == structure.entry(session).revision
    assert found["problems"] == found["collisions"] == found["removed"] == []


def test_what_stands_deeper_moves_too(session: Session, olga: Colleague, two: list[str]) -> None:
    [below] = sections(session, "below", by=olga.by(), parent=two[0])
    entry = a_live_news(session, by=olga.by(), section=below, slug="deep")
    found = plan(session, move(two))
    assert changed(found) == [(entry.id, "/css/below/deep", "/layout/css/below/deep")]
    assert found["sections"] == {
        "total": 2,
        "first": [
            {"section": two[0], "from": "/css", "to": "/layout/css", "locale": None},
            {"section": below, "from": "/css/below", "to": "/layout/css/below", "locale": None},
        ],
    }


def test_one_redirect_covers_a_whole_branch(session: Session, olga: Colleague, two: list[str]) -> None:
    sections(session, "below", by=olga.by(), parent=two[0])
    assert plan(session, move(two))["redirects"] == [
        {"locale": None, "from": "/css", "to": "/layout/css", "section": two[0], "status": 301, "prefix": True}
    ]


def test_the_plan_comes_true(session: Session, olga: Colleague, two: list[str]) -> None:
    for number in range(3):
        a_live_news(session, by=olga.by(), section=two[0], slug=f"s{number}")
    operations = [move(two), {"op": "rename", "section": two[1], "slug": "grid"}]
    found = plan(session, *operations)
    restructure(session, *operations, by=olga.by())
    for entry, old, new in changed(found):
        assert what_is_at(session, str(new)) == ("entry", entry)
        assert what_is_at(session, str(old)) == ("redirect", new)


def test_a_slug_that_changes_in_one_locale_changes_paths_in_that_one(
    session: Session, olga: Colleague, two: list[str]
) -> None:
    entries = [a_live_news(session, by=olga.by(), section=two[0], slug="x", locale=one) for one in ("ru", "en")]
    found = plan(session, {"op": "rename", "section": two[0], "slug": {"ru": "css", "en": "styles"}})
    assert changed(found) == [(entries[1].id, "/css/x", "/styles/x")]
    assert totals(found) == (1, 1, 0)
    assert [row["locale"] for row in found["sections"]["first"]] == ["en"]
    assert [(row["locale"], row["to"]) for row in found["redirects"]] == [("en", "/styles")]


def test_published_paths_are_compared_with_what_is_live(session: Session, olga: Colleague, two: list[str]) -> None:
    shown = a_live_news(session, by=olga.by(), section=two[0], slug="grid")
    hidden = a_news(session, by=olga.by(), section=two[0], slug="flex")
    tree = structure.entry(session)
    restructuring.change(session, tree, [move(two)], expected=tree.revision, by=olga.by())
    found = plan(session, {"op": "rename", "section": two[0], "slug": "styles"})
    assert changed(found) == [
        (shown.id, "/css/grid", "/layout/styles/grid"),
        (hidden.id, "/layout/css/flex", "/layout/styles/flex"),
    ]


def test_a_published_entry_is_told_by_its_live_copy(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="grid", title="Grid")
    change(session, entry, by=olga.by(), title="A draft's title")
    [row] = plan(session, move(two))["paths"]["first"]
    assert (row["title"], row["published"]) == ("Grid", True)


def test_entries_in_the_trash_have_no_path(session: Session, olga: Colleague, two: list[str]) -> None:
    a_news(session, by=olga.by(), section=two[0]).trashed_at = olga.clock()
    assert totals(plan(session, move(two))) == (0, 0, 0)


def test_the_rest_comes_by_cursor(session: Session, olga: Colleague, two: list[str]) -> None:
    ids = [a_live_news(session, by=olga.by(), section=two[0], slug=f"live-{number}").id for number in range(4)]
    ids += [a_news(session, by=olga.by(), section=two[0], slug=f"draft-{number}").id for number in range(4)]
    found, seen, after = plan(session, move(two)), [], None
    for _ in range(4):
        page = plan(session, move(two), size=2, after=after)
        seen += [row[0] for row in changed(page)]
        assert totals(page) == totals(found) == (8, 4, 4)
        after = page["paths"]["next"]
    assert (seen, after) == (ids, None)


@pytest.mark.parametrize(
    "after", ["", "x", "p", "pnothing", "d" * 200, "x019ab000-0000-7000-8000-000000000000", "p' OR 1=1"]
)
def test_what_is_no_cursor_is_refused(session: Session, after: str) -> None:
    with pytest.raises(BadQuery):
        plan(session, {"op": "add", "parent": None, "slug": "x", "name": "X"}, after=after)


# --- what refers to it ---


def test_menus_and_links_that_are_touched_are_named(session: Session, olga: Colleague, two: list[str]) -> None:
    target = a_live_news(session, by=olga.by(), section=two[0], slug="grid")
    other = a_live_news(session, by=olga.by(), section=two[1], slug="other", related=[target.id], title="Other")
    hidden = a_news(session, by=olga.by(), slug="hidden", body=words(f"[Grid](entry:{target.id})"))
    menu = an_entry(session, "menu", by=olga.by(), title="Main", items=[{"entry": target.id}, {"section": two[0]}])
    a_news(session, by=olga.by(), slug="bystander", related=[other.id])
    found = plan(session, move(two))
    assert found["menus"] == [
        {"entry": menu.id, "title": "Main", "pointer": "/fields/items/0/entry", "target": target.id},
        {"entry": menu.id, "title": "Main", "pointer": "/fields/items/1/section", "target": two[0]},
    ]
    links = found["inbound_links"]
    assert links["total"] == len(links["first"])
    assert {"entry": other.id, "title": "Other", "pointer": "/fields/related/0", "target": target.id} in links["first"]
    assert {row["entry"] for row in links["first"]} <= {other.id, hidden.id}


# --- merging and removing ---


def test_a_merge_tells_where_entries_go(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="grid")
    found = plan(session, merge(two))
    assert changed(found) == [(entry.id, "/css/grid", "/layout/grid")]
    assert found["redirects"] == [
        {"locale": None, "from": "/css", "to": "/layout", "section": two[0], "status": 301, "prefix": True}
    ]
    assert found["removed"] == [
        {"section": two[0], "name": "Css", "published": 1, "drafts": 0, "entries": {"move_to": two[1]}}
    ]
    assert found["without_section"]["total"] == 0


def test_entries_that_would_meet_forbid_it(session: Session, olga: Colleague, two: list[str]) -> None:
    met = sorted(a_news(session, by=olga.by(), section=one, slug="same").id for one in two)
    found = plan(session, merge(two))
    assert found["collisions"] == [{"locale": "ru", "slug": "same", "section": two[1], "entries": met}]
    assert [(one["pointer"], one["code"]) for one in found["problems"]] == [("/operations/0", "slug_taken")]


@pytest.mark.parametrize(("fate", "lost"), [("gone", 2), ("trash", 0)])
def test_entries_that_lose_their_section_are_counted(
    session: Session, olga: Colleague, two: list[str], fate: str, lost: int
) -> None:
    shown = a_live_news(session, by=olga.by(), section=two[0], slug="grid")
    hidden = a_news(session, by=olga.by(), section=two[0], slug="flex")
    found = plan(session, remove(two[0], fate))
    assert changed(found) == [(shown.id, "/css/grid", None), (hidden.id, "/css/flex", None)]
    assert found["without_section"] == {
        "total": lost,
        "published": lost // 2,
        "drafts": lost // 2,
        "first": [shown.id, hidden.id][:lost],
    }
    assert found["removed"] == [{"section": two[0], "name": "Css", "published": 1, "drafts": 1, "entries": fate}]
    assert [(row["status"], row["to"]) for row in found["redirects"]] == [(410, None)]


def test_a_removal_of_the_draft_is_told_again(session: Session, olga: Colleague, two: list[str]) -> None:
    entry = a_live_news(session, by=olga.by(), section=two[0], slug="grid")
    tree = structure.entry(session)
    restructuring.change(session, tree, [merge(two)], expected=tree.revision, by=olga.by())
    found = plan(session, {"op": "rename", "section": two[1], "slug": "new"})
    assert changed(found) == [(entry.id, "/css/grid", "/new/grid")]
    assert [one["section"] for one in found["removed"]] == [two[0]]


# --- what cannot be done ---


def test_what_cannot_be_done_is_a_problem_and_no_error(session: Session, olga: Colleague, two: list[str]) -> None:
    a_live_news(session, by=olga.by(), section=two[0])
    found = plan(
        session,
        {"op": "explode"},
        remove(two[0]),
        {"op": "move", "section": two[1], "parent": two[1]},
        {"op": "rename", "section": two[1], "slug": "css"},
    )
    assert [(one["pointer"], one["code"]) for one in found["problems"]] == [
        ("/operations/0", "union_tag_invalid"),
        ("/operations/1/entries", "entries_unsaid"),
        ("/operations/2/parent", "cycle"),
        ("/operations/3", "slug_taken"),
    ]
    assert all(one["message"] for one in found["problems"])


def test_a_plan_that_says_no_problem_can_be_done(session: Session, olga: Colleague, two: list[str]) -> None:
    a_live_news(session, by=olga.by(), section=two[0])
    operations = [{"op": "add", "parent": two[0], "slug": "x", "name": "X"}, merge(two)]
    assert plan(session, *operations)["problems"] == []
    restructure(session, *operations, by=olga.by())


def test_new_sections_change_no_path(session: Session) -> None:
    found = plan(session, {"op": "add", "parent": None, "slug": "new", "name": "New"})
    assert (totals(found), found["sections"]["total"], found["redirects"]) == ((0, 0, 0), 0, [])


def test_a_section_that_becomes_live_gives_its_entries_a_path(session: Session, olga: Colleague) -> None:
    tree = structure.entry(session)
    add = {"op": "add", "parent": None, "slug": "draft", "name": "Draft"}
    [section] = restructuring.change(session, tree, [add], expected=tree.revision, by=olga.by())[1]
    entry = a_live_news(session, by=olga.by(), section=section, slug="hours")
    found = plan(session, {"op": "add", "parent": None, "slug": "other", "name": "Other"})
    assert changed(found) == [(entry.id, None, "/draft/hours")]


def test_a_change_of_very_many_sections_is_planned_alike(session: Session, olga: Colleague) -> None:
    tree = structure.entry(session)
    below = [{"id": f"s{number}", "slug": f"s{number}", "name": "x"} for number in range(1_200)]
    nodes = [{"id": "top", "slug": "top", "name": "x", "children": below}]
    saving.save(session, tree, {"fields": {"sections": nodes}}, expected=tree.revision, by=olga.by())
    publishing.publish(session, tree, by=olga.by())
    shown = a_live_news(session, by=olga.by(), section="s7", slug="grid")
    hidden = a_news(session, by=olga.by(), section="s1199", slug="flex")
    linking = a_live_news(session, by=olga.by(), slug="linking", related=[shown.id])
    found = plan(session, {"op": "rename", "section": "top", "slug": "up"})
    assert changed(found) == [
        (shown.id, "/top/s7/grid", "/up/s7/grid"),
        (hidden.id, "/top/s1199/flex", "/up/s1199/flex"),
    ]
    assert (found["sections"]["total"], len(found["sections"]["first"]), len(found["redirects"])) == (1_201, 100, 1)
    assert {row["entry"] for row in found["inbound_links"]["first"]} == {linking.id}
    gone = plan(session, remove("top", "gone"))
    assert (gone["without_section"]["total"], len(gone["removed"])) == (2, 1_201)
    merged = plan(session, {"op": "add", "parent": None, "slug": "new", "name": "x"}, remove("top", {"move_to": "s0"}))
    assert [one["code"] for one in merged["problems"]] == ["removed_too"]


def test_the_menus_that_lead_to_what_moves_are_named(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    an_entry(session, "menu", by=olga.by(), title="Main", items=[{"section": one}, {"section": one}])
    now, tree = structure.newest_tree(session), structure.entry(session)
    moved = restructuring.perform(session, tree, [{"op": "move", "section": one, "parent": two}]).tree
    assert [fault.code for fault in planning.in_menus(session, now, moved)] == ["in_menu"]
    renamed = restructuring.perform(session, tree, [{"op": "rename", "section": two, "slug": "three"}]).tree
    assert planning.in_menus(session, now, renamed) == ()
