"""The tree of sections, over HTTP: changed as a draft, made live, and what paths come from it."""

from typing import Any

import httpx
import pytest

from tests.api.desk import data_of, faults_of, fresh, if_match, refused
from tests.api.serving import Site


def tree(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = data_of(site.administrator.get("structure"))
    return found


def change(site: Site, *operations: dict[str, Any]) -> httpx.Response:
    return site.administrator.call("POST", "structure/changes", seen=tree(site), json={"operations": list(operations)})


def publish(site: Site) -> None:
    data_of(site.administrator.call("PUT", "structure/publication", seen=tree(site)))


def live(site: Site, **asked: str) -> dict[str, dict[str, Any]]:
    """The live sections by id, all levels."""
    open_nodes = list(data_of(site.visitor.get("structure", params=asked))["sections"])
    found = {}
    while open_nodes:
        node = open_nodes.pop()
        found[node["id"]] = node
        open_nodes += node["children"]
    return found


def test_sections_are_added_as_a_draft_and_then_made_live(site: Site) -> None:
    slug = fresh("section")
    before = tree(site)["revision"]
    answer = change(site, {"op": "add", "parent": None, "slug": slug, "name": {"ru": "Раздел", "en": "Section"}})
    (section,) = answer.json()["meta"]["sections"]
    assert answer.headers["etag"] == f'"{before + 1}"'
    assert section not in live(site)
    publish(site)
    assert (live(site)[section]["path"], live(site)[section]["name"]) == (f"/{slug}", {"ru": "Раздел", "en": "Section"})


def test_a_path_comes_from_the_sections_above(site: Site) -> None:
    above, below = fresh("above"), fresh("below")
    (parent,) = site.administrator.sections(above)
    (section,) = site.administrator.sections(below, parent=parent)
    entry = site.publisher.live(section=section)
    assert entry["path"] == f"/{above}/{below}/{entry['slug']}"
    found = data_of(site.visitor.get("resolve", params={"path": entry["path"]}))
    assert found["entry"]["id"] == entry["id"]
    at_section = data_of(site.visitor.get("resolve", params={"path": f"/{above}/{below}"}))
    assert (at_section["kind"], at_section["section"]["id"]) == ("section", section)


def test_slugs_may_differ_by_locale(site: Site) -> None:
    russian, english = fresh("novosti"), fresh("news")
    answer = change(site, {"op": "add", "parent": None, "slug": {"ru": russian, "en": english}, "name": "News"})
    (section,) = answer.json()["meta"]["sections"]
    publish(site)
    assert live(site, locale="ru")[section]["path"] == f"/{russian}"
    assert live(site, locale="en")[section]["path"] == f"/{english}"


def test_a_renamed_section_leads_to_its_new_path_with_all_below(site: Site) -> None:
    old, new = fresh("old"), fresh("new")
    (section,) = site.administrator.sections(old)
    entry = site.publisher.live(section=section)
    data_of(change(site, {"op": "rename", "section": section, "slug": new}))
    publish(site)
    moved = data_of(site.visitor.get("resolve", params={"path": f"/{old}/{entry['slug']}"}))
    assert (moved["kind"], moved["to"]) == ("redirect", f"/{new}/{entry['slug']}")
    assert site.reader.read(entry)["path"] == f"/{new}/{entry['slug']}"


def test_sections_are_put_in_another_order(site: Site) -> None:
    (parent,) = site.administrator.sections(fresh("parent"))
    first, second = site.administrator.sections(fresh("first"), fresh("second"), parent=parent)
    data_of(change(site, {"op": "reorder", "parent": parent, "sections": [second, first]}))
    publish(site)
    assert [one["id"] for one in live(site)[parent]["children"]] == [second, first]


def test_the_depth_of_the_tree_can_be_limited(site: Site) -> None:
    (parent,) = site.administrator.sections(fresh("parent"))
    (child,) = site.administrator.sections(fresh("child"), parent=parent)
    assert child in live(site)
    assert child not in live(site, depth="1")
    for depth in ("0", "13", "-1", "x", "1.5", "9" * 30, ""):
        refused(site.visitor.get("structure", params={"depth": depth}), 400, "out_of_range")


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        ({"op": "explode"}, "/operations/0"),
        ({}, "/operations/0"),
        ({"op": "add", "parent": "nowhere", "slug": "x", "name": "X"}, "/operations/0"),
        ({"op": "add", "parent": None, "slug": "Bad Slug", "name": "X"}, "/operations/0/slug"),
        ({"op": "add", "parent": None, "slug": "x" * 201, "name": "X"}, "/operations/0/slug"),
        ({"op": "add", "parent": None, "slug": "x", "name": {"ru": ""}}, "/operations/0/name/ru"),
        ({"op": "add", "parent": None, "slug": {}, "name": "X"}, "/"),
        ({"op": "add", "parent": None, "slug": "x", "name": {}}, "/"),
        ({"op": "add", "parent": None, "slug": "x", "name": "X", "position": -1}, "/operations/0/position"),
        ({"op": "add", "parent": None, "slug": "x", "name": "X", "id": "no id!"}, "/operations/0/id"),
        ({"op": "rename", "section": "nowhere", "slug": "x"}, "/operations/0"),
        ({"op": "reorder", "parent": None, "sections": []}, "/operations/0"),
    ],
)
def test_an_operation_that_makes_no_sense_is_refused(site: Site, operation: dict[str, Any], pointer: str) -> None:
    before = tree(site)["revision"]
    problem = refused(change(site, operation), 422, "invalid_body")
    assert any(found.startswith(pointer) for found in faults_of(problem)), problem
    assert tree(site)["revision"] == before


def test_operations_are_done_all_or_none(site: Site) -> None:
    before = tree(site)["revision"]
    good = {"op": "add", "parent": None, "slug": fresh("good"), "name": "Good"}
    refused(change(site, good, {"op": "rename", "section": "nowhere"}), 422)
    assert tree(site)["revision"] == before


def test_two_sections_beside_each_other_need_two_slugs(site: Site) -> None:
    slug = fresh("twin")
    operation = {"op": "add", "parent": None, "slug": slug, "name": "Twin"}
    refused(change(site, operation, operation), 422, "invalid_body")


def test_a_stale_change_is_refused(site: Site) -> None:
    seen = tree(site)
    site.administrator.sections(fresh("section"))
    body = {"operations": [{"op": "add", "parent": None, "slug": fresh(), "name": "X"}]}
    refused(site.administrator.call("POST", "structure/changes", seen=seen, json=body), 412, "stale")
    refused(site.administrator.post("structure/changes", json=body), 428, "precondition_required")
    refused(site.administrator.call("PUT", "structure/publication", seen=seen), 412, "stale")


def test_a_section_that_holds_entries_is_not_dropped(site: Site) -> None:
    (section,) = site.administrator.sections(fresh("section"))
    entry = site.editor.write(section=section)
    structure = tree(site)
    kept = [node for node in structure["fields"]["sections"] if node["id"] != section]
    answer = site.administrator.call(
        "PATCH", f"entries/{structure['id']}", seen=structure, json={"fields": {"sections": kept}}
    )
    assert refused(answer, 409, "in_use")["usages"] == [{"entry": entry["id"], "pointer": "/section"}]


def test_the_tree_is_an_entry_with_a_history(site: Site) -> None:
    structure = tree(site)
    site.administrator.sections(fresh("section"))
    (newest, *_) = data_of(site.reader.get(f"entries/{structure['id']}/revisions"))
    assert newest["revision"] == structure["revision"] + 1
    found = data_of(site.reader.get(f"entries/{structure['id']}/diff"))
    assert [field["pointer"] for field in found["fields"]] == ["/fields/sections"]


def test_an_entry_in_a_section_that_is_not_live_has_no_public_path(site: Site) -> None:
    answer = change(site, {"op": "add", "parent": None, "slug": fresh("draft"), "name": "Draft"})
    (section,) = answer.json()["meta"]["sections"]
    entry = site.publisher.live(section=section)
    assert data_of(site.visitor.get(f"entries/{entry['id']}"))["path"] is None
    publish(site)
    assert data_of(site.visitor.get(f"entries/{entry['id']}"))["path"] == entry["path"]


def test_an_entry_moves_to_another_section(site: Site) -> None:
    first, second = site.administrator.sections(fresh("first"), fresh("second"))
    entry = site.publisher.live(section=first)
    answer = site.editor.patch(f"entries/{entry['id']}", json={"section": second}, headers=if_match(entry))
    moved = site.publisher.publish(data_of(answer))
    found = data_of(site.visitor.get("resolve", params={"path": entry["path"]}))
    assert (found["kind"], found["to"]) == ("redirect", moved["path"])


# --- plans ---


def plan(
    site: Site,
    *operations: dict[str, Any],
    seen: dict[str, Any] | None = None,
    asked: dict[str, str] | None = None,
    **body: Any,
) -> httpx.Response:
    headers = if_match(seen) if seen else {}
    return site.reader.post("structure/plan", json={"operations": operations, **body}, headers=headers, params=asked)


def test_a_plan_tells_what_a_move_does_and_does_nothing(site: Site) -> None:
    below, above = fresh("css"), fresh("layout")
    section, parent = site.administrator.sections(below, above)
    entry = site.publisher.live(section=section)
    before = tree(site)
    operation = {"op": "move", "section": section, "parent": parent}
    found = data_of(plan(site, operation, seen=before))
    (path,) = found["paths"]["first"]
    assert (path["entry"], path["from"]) == (entry["id"], entry["path"])
    assert path["to"] == f"/{above}{entry['path']}"
    assert [one["from"] for one in found["redirects"]] == [f"/{below}"]
    assert tree(site)["revision"] == before["revision"] == found["revision"]
    data_of(change(site, operation))
    publish(site)
    assert data_of(site.visitor.get("resolve", params={"path": entry["path"]}))["to"] == path["to"]


def test_the_paths_of_a_plan_come_page_by_page(site: Site) -> None:
    (section,) = site.administrator.sections(fresh("section"))
    ids = sorted(site.publisher.live(section=section)["id"] for _ in range(3))
    operation = {"op": "rename", "section": section, "slug": fresh("new")}
    first = data_of(plan(site, operation, asked={"page[size]": "2"}))["paths"]
    rest = data_of(plan(site, operation, asked={"page[size]": "2", "page[after]": first["next"]}))["paths"]
    assert [one["entry"] for one in (*first["first"], *rest["first"])] == ids
    assert (first["total"], rest["total"], rest["next"]) == (3, 3, None)
    for wrong in ("x", "p1", "d" + "0" * 400):
        refused(plan(site, operation, asked={"page[after]": wrong}), 400)
    refused(plan(site, operation, asked={"page[size]": "101"}), 400, "out_of_range")
    refused(plan(site, operation, asked={"sort": "id"}), 400, "unknown_parameter")


def test_a_plan_is_made_for_one_revision(site: Site) -> None:
    seen = tree(site)
    site.administrator.sections(fresh("section"))
    operation = {"op": "add", "parent": None, "slug": fresh(), "name": "X"}
    refused(plan(site, operation, seen=seen), 412, "stale")
    refused(plan(site, operation, revision=seen["revision"]), 412, "stale")
    data_of(plan(site, operation, revision=tree(site)["revision"]))
    data_of(plan(site, operation))


@pytest.mark.parametrize(
    "operation",
    [{}, {"op": None}, {"op": "move"}, {"op": "set", "section": [], "seo": 1}, {"op": "remove", "section": "x" * 500}],
)
def test_what_makes_no_sense_is_a_problem_of_the_plan(site: Site, operation: dict[str, Any]) -> None:
    problems = data_of(plan(site, operation))["problems"]
    assert problems
    assert all(one["pointer"].startswith("/operations/0") for one in problems)


def test_strangers_see_no_plan(site: Site) -> None:
    body = {"operations": [{"op": "add", "parent": None, "slug": "x", "name": "X"}]}
    refused(site.stranger.post("structure/plan", json=body), 401)


# --- removals and settings ---


def test_a_removed_section_asks_what_becomes_of_its_entries(site: Site) -> None:
    (section,) = site.administrator.sections(fresh("section"))
    entry = site.publisher.live(section=section)
    problem = refused(change(site, {"op": "remove", "section": section}), 422, "invalid_body")
    assert faults_of(problem) == {"/operations/0/entries": "entries_unsaid"}
    data_of(change(site, {"op": "remove", "section": section, "entries": "gone"}))
    publish(site)
    gone = data_of(site.visitor.get("resolve", params={"path": entry["path"]}))
    assert (gone["kind"], gone["status"]) == ("gone", 410)
    assert site.reader.read(entry)["state"] == "unpublished"
    structure = tree(site)
    restored = site.administrator.call(
        "POST", f"entries/{structure['id']}/revisions/{structure['revision'] - 1}/restoration", seen=structure
    )
    data_of(restored, 201)
    publish(site)
    assert site.reader.read(entry)["state"] == "published"
    assert data_of(site.visitor.get("resolve", params={"path": entry["path"]}))["kind"] == "entry"


def test_a_merge_is_one_step(site: Site) -> None:
    old, new = site.administrator.sections(fresh("old"), fresh("new"))
    entry = site.publisher.live(section=old)
    data_of(change(site, {"op": "merge", "section": old, "into": new}))
    publish(site)
    moved = site.reader.read(entry)
    assert (moved["section"], moved["revision"], moved["state"]) == (new, 2, "published")
    assert data_of(site.visitor.get("resolve", params={"path": entry["path"]}))["to"] == moved["path"]


def test_visitors_see_what_sections_are_set_to(site: Site) -> None:
    (section,) = site.administrator.sections(fresh("section"))
    (below,) = site.administrator.sections(fresh("below"), parent=section)
    me = data_of(site.editor.get("me"))["id"]
    said = {"default_type": "news", "listing": {"types": ["news"]}, "in_menus": False, "access": {me: "reader"}}
    data_of(change(site, {"op": "set", "section": section, "review_days": 9, **said}))
    publish(site)
    shown = live(site)
    assert shown[section]["listing"] == {"types": ["news"], "sort": "-published_at", "page_size": 20, "below": True}
    assert [shown[one]["default_type"] for one in (section, below)] == ["news", "news"]
    assert [shown[one]["in_menus"] for one in (section, below)] == [False, True]
    assert not {"access", "review_days", "removed"} & shown[section].keys()
    assert me not in site.visitor.get("structure").text


def test_stale_content_is_listed(site: Site) -> None:
    (section,) = site.administrator.sections(fresh("section"))
    data_of(change(site, {"op": "set", "section": section, "review_days": 30}))
    publish(site)
    site.publisher.live(section=section)
    assert data_of(site.reader.get("entries", params={"stale": "true", "section": section})) == []
    assert len(data_of(site.reader.get("entries", params={"stale": "false", "section": section}))) == 1
    refused(site.reader.get("entries", params={"stale": "perhaps"}), 400)


def test_a_merge_in_which_entries_would_meet_is_not_made_live(site: Site) -> None:
    old, new = site.administrator.sections(fresh("old"), fresh("new"))
    slug = fresh("slug")
    entry = site.publisher.live(section=old, slug=slug)
    before = tree(site)
    data_of(change(site, {"op": "merge", "section": old, "into": new}))
    twin = site.editor.write(section=new, slug=slug)
    problem = refused(site.administrator.call("PUT", "structure/publication", seen=tree(site)), 409, "addresses_taken")
    assert twin["id"] in problem["detail"]
    assert site.reader.read(entry)["section"] == old
    number = before["revision"]
    back = f"entries/{before['id']}/revisions/{number}/restoration"
    data_of(site.administrator.call("POST", back, seen=tree(site)), 201)
    publish(site)


def test_an_entry_that_lost_its_section_asks_for_another_one(site: Site) -> None:
    (section,) = site.administrator.sections(fresh("section"))
    entry = site.publisher.live(section=section)
    data_of(change(site, {"op": "remove", "section": section, "entries": "gone"}))
    publish(site)
    refused(site.publisher.call("PUT", f"entries/{entry['id']}/publication", seen=entry), 409, "section_removed")
    answer = site.editor.call("PATCH", f"entries/{entry['id']}", seen=entry, json={"fields": {"summary": "Still here"}})
    assert [one["code"] for one in answer.json()["meta"]["warnings"]] == ["section_removed"]
    moved = site.editor.patch(f"entries/{entry['id']}", json={"section": None}, headers=if_match(data_of(answer)))
    assert site.publisher.publish(data_of(moved))["state"] == "published"
