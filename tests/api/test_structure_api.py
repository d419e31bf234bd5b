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
        ({"op": "add", "parent": None, "slug": "x", "name": {"ru": ""}}, "/fields/sections"),
        ({"op": "add", "parent": None, "slug": {}, "name": "X"}, "/"),
        ({"op": "add", "parent": None, "slug": "x", "name": {}}, "/"),
        ({"op": "add", "parent": None, "slug": "x", "name": "X", "position": -1}, "/operations/0/position"),
        ({"op": "add", "parent": None, "slug": "x", "name": "X", "id": "mine"}, "/operations/0/id"),
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
