"""Placements: named slots in the structure, changed by operations like sections, in force when it is published."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from cms import history, planning, publishing, restructuring, structure
from cms.delivery.live_structure import Placement, live_site
from cms.errors import InvalidContent
from tests.cast import Colleague, a_news, change, newest_fields, restructure, sections
from tests.cms.banners_at_hand import a_banner, a_live_banner, placements


def do(session: Session, olga: Colleague, *operations: dict[str, Any]) -> None:
    tree = structure.entry(session)
    restructuring.change(session, tree, list(operations), expected=tree.revision, by=olga.by())
    session.flush()


def drafted(session: Session) -> list[str]:
    return [one["name"] for one in newest_fields(session, structure.entry(session))["placements"] or []]


def live(session: Session) -> list[str]:
    session.info.clear()
    return list(live_site(session).placements)


def refusal(session: Session, olga: Colleague, *operations: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidContent) as refused:
        do(session, olga, *operations)
    return [(fault.pointer, fault.code) for fault in refused.value.faults]


def test_a_placement_holds_once_the_tree_is_published(session: Session, olga: Colleague) -> None:
    do(session, olga, {"op": "add_placement", "name": "top", "label": "Над новостями", "width": 1200, "height": 300})
    assert (drafted(session), live(session)) == (["top"], [])
    publishing.publish(session, structure.entry(session), by=olga.by())
    session.info.clear()
    assert live_site(session).placements == {"top": Placement("top", "Над новостями", None, 1200, 300)}


def test_all_of_a_placement_can_be_said_anew(session: Session, olga: Colleague) -> None:
    house = a_banner(session, by=olga.by())
    placements(session, "top", "side", by=olga.by())
    said = {"name": "hero", "house": house.id, "emergency": True, "description": "Первый экран"}
    restructure(session, {"op": "set_placement", "placement": "top", **said}, by=olga.by())
    assert list(live_site(session).placements) == ["hero", "side"]
    assert live_site(session).placements["hero"] == Placement(
        "hero", None, "Первый экран", house=house.id, emergency=True
    )
    restructure(session, {"op": "set_placement", "placement": "hero", "house": None, "emergency": None}, by=olga.by())
    assert live_site(session).placements["hero"] == Placement("hero", None, "Первый экран")


def test_operations_on_sections_and_placements_go_together(session: Session, olga: Colleague) -> None:
    [section] = restructure(
        session,
        {"op": "add_placement", "name": "top"},
        {"op": "add", "parent": None, "slug": "news", "name": "News"},
        {"op": "set_placement", "placement": "top", "name": "news-top"},
        by=olga.by(),
    )
    assert section in live_site(session).tree
    assert live(session) == ["news-top"]


def test_a_patch_of_the_structure_does_the_same(session: Session, olga: Colleague) -> None:
    tree = structure.entry(session)
    change(session, tree, by=olga.by(), placements=[{"name": "top"}, {"name": "side", "width": 240}])
    assert drafted(session) == ["top", "side"]
    assert [one["name"] for one in structure.newest_placements(session)] == ["top", "side"]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ([{"name": "Top"}], ("/fields/placements/0/name", "malformed_name")),
        ([{"name": "x" * 101}], ("/fields/placements/0/name", "malformed_name")),
        ([{"name": "a"}, {"name": "a"}], ("/fields/placements/1/name", "name_taken")),
        ([{"name": f"p{n}"} for n in range(201)], ("/fields/placements", "too_many")),
        ([{"name": "a", "width": 0}], ("/fields/placements/0/width", "too_small")),
    ],
)
def test_a_patch_is_held_to_the_same_rules(
    session: Session, olga: Colleague, given: list[dict[str, Any]], fault: tuple[str, str]
) -> None:
    with pytest.raises(InvalidContent) as refused:
        change(session, structure.entry(session), by=olga.by(), placements=given)
    assert (refused.value.faults[0].pointer, refused.value.faults[0].code) == fault


def test_what_cannot_be_done_names_the_operation(session: Session, olga: Colleague) -> None:
    news = a_news(session, by=olga.by())
    placements(session, "top", "side", by=olga.by())
    nobody = "01900000-0000-7000-8000-00000000dead"
    assert refusal(
        session,
        olga,
        {"op": "add_placement", "name": "top"},
        {"op": "set_placement", "placement": "side", "name": "top"},
        {"op": "set_placement", "placement": "side", "name": None},
        {"op": "set_placement", "placement": "nowhere", "width": 1},
        {"op": "remove_placement", "placement": "nowhere"},
        {"op": "set_placement", "placement": "side", "house": nobody},
        {"op": "set_placement", "placement": "side", "house": news.id},
        {"op": "add_placement", "name": "Top"},
        {"op": "add_placement", "name": "a", "width": 0},
        {"op": "set_placement", "placement": "side", "nonsense": 1},
    ) == [
        ("/operations/0/name", "name_taken"),
        ("/operations/1/name", "name_taken"),
        ("/operations/2/name", "missing"),
        ("/operations/3/placement", "unknown_placement"),
        ("/operations/4/placement", "unknown_placement"),
        ("/operations/5/house", "missing_target"),
        ("/operations/6/house", "wrong_type"),
        ("/operations/7/name", "string_pattern_mismatch"),
        ("/operations/8/width", "greater_than_equal"),
        ("/operations/9/nonsense", "extra_forbidden"),
    ]


def test_a_plan_with_placements_changes_no_path_and_names_the_banners_that_lose_one(
    session: Session, olga: Colleague
) -> None:
    placements(session, "top", "side", by=olga.by())
    banner = a_live_banner(session, by=olga.by(), placements=["top"])
    a_banner(session, by=olga.by(), placements=["side"])
    operations = [{"op": "remove_placement", "placement": name} for name in ("top", "side")]
    told = planning.plan(session, structure.entry(session), operations)
    assert (told["paths"]["total"], told["sections"]["total"], told["problems"]) == (0, 0, [])
    [warning] = told["warnings"]
    assert warning["code"] == "placement_in_use"
    assert banner.id in warning["message"]
    assert planning.plan(session, structure.entry(session), [{"op": "add_placement", "name": "a"}])["warnings"] == []


def test_an_operation_on_sections_says_nothing_of_placements(session: Session, olga: Colleague) -> None:
    tree = structure.entry(session)
    sections(session, "news", by=olga.by())
    pointers = [one["pointer"] for one in history.diff(session, tree, from_=1, to=2)]
    assert "/fields/sections" in pointers
    assert "/fields/placements" not in pointers


def test_the_last_placement_can_go(session: Session, olga: Colleague) -> None:
    placements(session, "top", by=olga.by())
    restructure(session, {"op": "remove_placement", "placement": "top"}, by=olga.by())
    assert (drafted(session), live(session)) == ([], [])


def test_a_removed_placement_comes_back_with_history(session: Session, olga: Colleague) -> None:
    placements(session, "top", by=olga.by())
    tree = structure.entry(session)
    before = tree.revision
    restructure(session, {"op": "remove_placement", "placement": "top"}, by=olga.by())
    assert live(session) == []
    history.restore(session, tree, before, expected=tree.revision, by=olga.by())
    publishing.publish(session, tree, by=olga.by())
    assert live(session) == ["top"]
    [diff] = [one for one in history.diff(session, tree, from_=before, to=before + 1) if "placements" in one["pointer"]]
    assert [item["op"] for item in diff["items"]] == ["removed"]
