"""Menus over HTTP: read by visitors, and told of to those who move what they lead to."""

from typing import Any

from tests.api.desk import data_of, faults_of, fresh, refused
from tests.api.serving import Site


def labels(items: list[dict[str, Any]]) -> list[Any]:
    return [[item["label"], labels(item["items"])] if item["items"] else item["label"] for item in items]


def codes(answer: Any) -> list[str]:
    return [one["code"] for one in answer.json()["meta"]["warnings"]]


def test_a_live_menu_is_read_by_its_name(site: Site) -> None:
    (section,) = site.administrator.sections(fresh("section"))
    entry, name = site.publisher.live(section=section), fresh("menu")
    items = [{"section": section, "label": "S", "items": [{"entry": entry["id"], "label": {"ru": "Р", "en": "E"}}]}]
    site.administrator.live("menu", name=name, title="Top", items=items)
    answer = site.visitor.get(f"menus/{name}")
    menu = data_of(answer)
    assert (menu["name"], menu["title"], menu["locale"], labels(menu["items"])) == (name, "Top", "ru", [["S", ["Р"]]])
    assert menu["items"][0]["items"][0]["path"] == entry["path"]
    assert {"structure", f"entry:{entry['id']}", "type:menu"} <= set(answer.headers["cache-tag"].split(","))
    assert labels(data_of(site.visitor.get(f"menus/{name}?locale=en"))["items"]) == [["S", ["E"]]]
    again = site.visitor.get(f"menus/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_live_menus_are_listed(site: Site) -> None:
    live, draft = fresh("menu"), fresh("menu")
    site.administrator.live("menu", name=live, title="Top")
    site.administrator.write("menu", name=draft)
    listed = {one["name"]: one for one in data_of(site.visitor.get("menus"))}
    assert listed[live] == {"name": live, "title": "Top", "locale": "ru"}
    assert draft not in listed


def test_there_is_no_menu_that_is_not_live(site: Site) -> None:
    draft = fresh("menu")
    site.administrator.write("menu", name=draft)
    for name in (draft, fresh("nonsense"), "%00", "a b", "x" * 300):
        refused(site.visitor.get(f"menus/{name}"), site.visitor.get(f"menus/{name}").status_code)
        assert site.visitor.get(f"menus/{name}").status_code in (400, 404)
    refused(site.visitor.get(f"menus/{draft}?locale=xx"), 400, "unknown_locale")
    refused(site.visitor.get(f"menus/{draft}?x=1"), 400, "unknown_parameter")


def test_a_menu_of_nonsense_is_refused_in_words(site: Site) -> None:
    items = [{"label": "x", "url": "javascript:alert(1)"}, {"section": "nowhere"}, {"entry": fresh()}]
    body = {"type": "menu", "locale": "ru", "fields": {"title": "x", "items": items}}
    problem = refused(site.administrator.post("entries", json=body), 422, "invalid_body")
    assert faults_of(problem).keys() >= {"/fields/items/0/url", "/fields/items/2/entry"}
    body["fields"] = {"title": "x", "items": [{"section": "nowhere"}]}
    problem = refused(site.administrator.post("entries", json=body), 422, "invalid_body")
    assert faults_of(problem) == {"/fields/items/0/section": "unknown_section"}


def test_a_name_that_is_taken_is_refused(site: Site) -> None:
    name = fresh("menu")
    site.administrator.write("menu", name=name)
    body = {"type": "menu", "locale": "ru", "fields": {"title": "x", "name": name}}
    problem = refused(site.administrator.post("entries", json=body), 422, "invalid_body")
    assert faults_of(problem) == {"/fields/name": "name_taken"}


def test_what_a_menu_leads_to_tells_of_it(site: Site) -> None:
    desk = site.administrator
    (section,) = desk.sections(fresh("section"))
    entry = desk.live()
    menu = desk.live("menu", items=[{"entry": entry["id"]}, {"section": section}])
    usages = data_of(desk.get(f"entries/{entry['id']}/usages"))
    assert {one["entry"] for one in usages["used_by"]} == {menu["id"]}
    used = data_of(desk.get(f"entries/{menu['id']}/usages"))
    assert {one["entry"] for one in used["uses"]} == {entry["id"]}
    assert {one["section"] for one in used["sections"]} == {section}
    refused(desk.call("DELETE", f"entries/{entry['id']}", seen=entry), 409, "in_use")
    moved = desk.call("PATCH", f"entries/{entry['id']}", seen=entry, json={"slug": fresh("slug")})
    assert codes(moved) == ["in_menu"]
    published = desk.call("PUT", f"entries/{entry['id']}/publication", seen=data_of(moved), json={})
    assert codes(published) == ["in_menu"]
    down = desk.call("DELETE", f"entries/{entry['id']}/publication", seen=data_of(published), json={})
    assert codes(down) == ["in_menu"]
    assert menu["id"] in down.json()["meta"]["warnings"][0]["message"]
    assert codes(desk.get(f"entries/{menu['id']}")) == ["target_not_published"]
