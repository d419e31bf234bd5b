"""Counters over HTTP: who may do what with them, what pages get, and the switch that stops them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from api.shapes import counters as shapes
from tests.api.desk import Desk, data_of, faults_of, fresh, if_match, refused
from tests.api.serving import Site

METRICA: dict[str, Any] = {"provider": "yandex_metrica", "counter_id": "12345678"}


@pytest.fixture
def analyst(site: Site) -> Desk:
    return site.desks["analyst"]


@pytest.fixture
def section(site: Site) -> dict[str, Any]:
    """A section of the test's own: counters of other tests do not load in it, nor its counters elsewhere."""
    slug = fresh("section")
    [id] = site.administrator.sections(slug)
    return {"id": id, "path": f"/{slug}"}


@pytest.fixture(autouse=True)
def nothing_stays_stopped(site: Site) -> Iterator[None]:
    yield
    data_of(site.administrator.request("DELETE", "counters/stop"))


def written(desk: Desk, section: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    scope = {"sections": [section["id"]]} if section is not None else None
    return desk.write("counter", **{**METRICA, "scope": scope, **given})


def live(site: Site, section: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A counter that an analyst wrote and an administrator made live."""
    return site.administrator.publish(written(site.desks["analyst"], section, **given))


def at(site: Site, path: str, **asked: str) -> dict[str, Any]:
    """The answer about a page."""
    answer = site.visitor.get("counters", params={"path": path, **asked})
    data_of(answer)
    told: dict[str, Any] = answer.json()
    return told


def ids(told: dict[str, Any]) -> list[str]:
    return [one["id"] for one in told["data"]]


def test_answers_have_the_shapes_that_are_told(site: Site, section: dict[str, Any]) -> None:
    live(site, section, provider="google_analytics", counter_id="G-ABCDE12345")
    TypeAdapter(list[shapes.PublicCounter]).validate_python(at(site, section["path"])["data"])
    shapes.Stopped.model_validate(data_of(site.publisher.put("counters/stop", json={"note": "Why"})))
    TypeAdapter(list[shapes.Provider]).validate_python(data_of(site.reader.get("counters/providers")))
    shapes.CounterReport.model_validate(data_of(site.reader.get("counters/report")))
    shapes.PathReport.model_validate(data_of(site.reader.get("counters/report", params={"path": "/"})))


# --- rights ---


def acts(desk: Desk, entry: dict[str, Any]) -> dict[str, httpx.Response]:
    """Everything that may be tried with a counter."""
    path = f"entries/{entry['id']}"
    body = {"type": "counter", "locale": "ru", "fields": {"title": "Mine", **METRICA}}
    return {
        "read": desk.get(path),
        "create": desk.post("entries", json=body),
        "bring": desk.put(f"entries/by-external-id/test/{fresh()}", json=body),
        "save": desk.call("PATCH", path, seen=entry, json={"fields": {"counter_id": "1"}}),
        "publish": desk.call("PUT", f"{path}/publication", seen=entry),
        "schedule": desk.call("PUT", f"{path}/schedule", seen=entry, json={"publish_at": "2099-01-01T00:00:00Z"}),
        "restore": desk.call("POST", f"{path}/revisions/1/restoration", seen=entry),
        "trash": desk.call("DELETE", path, seen=entry),
    }


@pytest.mark.parametrize("role", ["reader", "author", "editor", "publisher"])
def test_counters_are_not_content(site: Site, role: str) -> None:
    entry = written(site.administrator)
    for name, answer in acts(site.desks[role], entry).items():
        if name == "read":
            data_of(answer)
        else:
            refused(answer, 403, "forbidden")


def test_a_role_in_a_section_counts_for_nothing_with_counters(site: Site, section: dict[str, Any]) -> None:
    editor = data_of(site.editor.get("me"))["id"]
    tree = data_of(site.administrator.get("structure"))
    operation = {"op": "set", "section": section["id"], "access": {editor: "administrator"}}
    answer = site.administrator.call("POST", "structure/changes", seen=tree, json={"operations": [operation]})
    data_of(site.administrator.call("PUT", "structure/publication", seen=data_of(answer)))
    site.editor.publish(site.editor.write(section=section["id"]))
    body = {"type": "counter", "locale": "ru", "section": section["id"], "fields": {"title": "Mine", **METRICA}}
    refused(site.editor.post("entries", json=body), 403, "forbidden")
    entry = site.administrator.write("counter", section=section["id"], **METRICA)
    refused(site.editor.call("PUT", f"entries/{entry['id']}/publication", seen=entry), 403, "forbidden")


def test_an_analyst_does_nothing_else(site: Site, analyst: Desk) -> None:
    entry = site.publisher.write()
    for method, path in (("PATCH", ""), ("PUT", "/publication"), ("DELETE", "")):
        body = {"fields": {"title": "X"}} if method == "PATCH" else None
        answer = analyst.call(method, f"entries/{entry['id']}{path}", seen=entry, json=body)
        refused(answer, 403, "forbidden")
    refused(analyst.post("people", json={"name": fresh()}), 403, "forbidden")
    assert data_of(analyst.get("me"))["may"]["publish"] == "counter"


def test_a_key_may_be_let_do_counters_alone(site: Site) -> None:
    key = site.key("administrator", "read", "create:counter", "save:counter")
    entry = key.change(written(key), counter_id="1")
    refused(key.call("PUT", f"entries/{entry['id']}/publication", seen=entry), 403, "forbidden")
    refused(key.post("entries", json={"type": "news", "locale": "ru", "fields": {"title": "X"}}), 403, "forbidden")


# --- the second person ---


def test_another_person_makes_a_counter_live(site: Site, analyst: Desk, section: dict[str, Any]) -> None:
    entry = written(analyst, section)
    problem = refused(
        analyst.call("PUT", f"entries/{entry['id']}/publication", seen=entry), 403, "second_person_needed"
    )
    assert problem["saved_by"] == ["Analyst"]
    assert "Administrator" in problem["may"]
    assert "administrator" in problem["detail"]
    later = {"publish_at": "2099-01-01T00:00:00Z"}
    refused(analyst.call("PUT", f"entries/{entry['id']}/schedule", seen=entry, json=later), 403, "second_person_needed")
    assert ids(at(site, section["path"])) == []
    site.administrator.publish(entry)
    assert ids(at(site, section["path"])) == [entry["id"]]
    analyst.take_down(entry)
    assert ids(at(site, section["path"])) == []


def test_a_key_of_ones_own_is_no_second_person(site: Site, section: dict[str, Any]) -> None:
    entry = written(site.administrator, section)
    script = site.key("administrator")
    refused(script.call("PUT", f"entries/{entry['id']}/publication", seen=entry), 403, "second_person_needed")
    headers = {"On-Behalf-Of": site.administrator.person()["id"]}
    answer = site.administrator.call("PUT", f"entries/{entry['id']}/publication", seen=entry, headers=headers)
    refused(answer, 403, "second_person_needed")
    site.desks["analyst"].publish(entry)


# --- what is wrong, and what is worth a word ---


def test_faults_are_told_by_their_place(analyst: Desk) -> None:
    fields = {"title": "X", "provider": "matomo", "counter_id": "x", "options": {"url": "javascript:1"}}
    body = {"type": "counter", "locale": "ru", "fields": fields}
    problem = refused(analyst.post("entries", json=body), 422, "invalid_body")
    assert faults_of(problem) == {
        "/fields/counter_id": "malformed_id",
        "/fields/options/url": "string_pattern_mismatch",
    }


def test_a_counter_is_read_with_what_is_worth_a_word(site: Site, analyst: Desk, section: dict[str, Any]) -> None:
    code = "<script>document.write(1)</script>"
    entry = written(analyst, section, provider="custom", counter_id=None, code=code, category="necessary")
    told = analyst.get(f"entries/{entry['id']}").json()["meta"]["warnings"]
    assert [one["code"] for one in told] == ["document_write", "loads_without_consent"]


def test_the_providers_are_told_with_what_they_take(site: Site) -> None:
    told = {one["name"]: one for one in data_of(site.reader.get("counters/providers"))}
    assert told["matomo"]["options"]["required"] == ["url"]
    assert told["yandex_metrica"]["id_example"]
    assert told["custom"]["id_pattern"] is None
    refused(site.stranger.get("counters/providers"), 401)
    refused(site.reader.get("counters/providers", params={"x": "1"}), 400, "unknown_parameter")


# --- delivery ---


def test_a_page_gets_its_counters_both_ways(site: Site, section: dict[str, Any]) -> None:
    entry = live(site, section)
    told = at(site, section["path"])
    [counter] = told["data"]
    assert counter["id"] == entry["id"]
    assert counter["code"].startswith("<script>")
    assert told["meta"]["csp"] == counter["csp"]
    assert told["meta"]["by_category"]["analytics"] == [entry["id"]]
    assert told["meta"]["stopped"] is False
    page = data_of(site.visitor.get("page", params={"path": section["path"]}))
    assert page["counters"] == [counter]
    assert ids(at(site, "/")) == data_of(site.visitor.get("page", params={"path": "/"}))["counters"] == []


def test_a_page_is_asked_about_by_type_and_environment(site: Site, section: dict[str, Any]) -> None:
    entry = live(site, section, environments=["staging"])
    assert ids(at(site, section["path"])) == []
    assert ids(at(site, section["path"], environment="staging")) == [entry["id"]]
    page = site.visitor.get("page", params={"path": section["path"], "environment": "staging"})
    assert ids({"data": data_of(page)["counters"]}) == [entry["id"]]
    typed = live(site, section, counter_id="2", scope={"sections": [section["id"]], "types": ["news"]})
    assert ids(at(site, section["path"])) == []
    assert ids(at(site, section["path"], type="news")) == [typed["id"]]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "malformed_path"),
        ({"path": "news"}, "malformed_path"),
        ({"path": "/", "locale": "xx"}, "unknown_locale"),
        ({"path": "/", "type": "nothing"}, "unknown_type"),
        ({"path": "/", "environment": ""}, "out_of_range"),
        ({"path": "/", "environment": "e" * 41}, "out_of_range"),
        ({"path": "/", "section": "x"}, "unknown_parameter"),
    ],
)
def test_a_question_that_is_not_understood_is_refused(site: Site, asked: dict[str, str], code: str) -> None:
    refused(site.visitor.get("counters", params=asked), 400, code)


@pytest.mark.parametrize("path", ["/%00", "/%ff%fe", "/" + "a/" * 900, "/..%2f..", "/%F0%9F%92%A9", "/*", "/**"])
def test_any_path_has_an_answer(site: Site, path: str) -> None:
    assert site.visitor.get("counters", params={"path": path}).status_code in (200, 400, 422)


@pytest.mark.parametrize(
    "asked", ["path=/%00", "path=/%ED%A0%80", "path=/%ff", "path=/&environment=%00", "path=%2F%25"]
)
def test_hostile_bytes_have_an_answer(site: Site, asked: str) -> None:
    assert site.visitor.get(f"counters?{asked}").status_code in (200, 400, 422)
    assert site.reader.get(f"counters/report?{asked}").status_code in (200, 400, 422)


@pytest.mark.parametrize("body", ['{"counters": ["\\u0000"]}', '{"counters": ["\\ud800"]}', '{"counters": [1]}', "[]"])
def test_hostile_bodies_are_refused(site: Site, body: str) -> None:
    for method in ("PUT", "DELETE"):
        answer = site.administrator.request(
            method, "counters/stop", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422), answer.text


def test_caches_ask_each_time(site: Site, section: dict[str, Any]) -> None:
    live(site, section)
    answer = site.visitor.get("counters", params={"path": section["path"]})
    assert answer.headers["cache-control"] == "public, no-cache"
    assert "type:counter" in answer.headers["cache-tag"].split(",")
    known = {"If-None-Match": answer.headers["etag"]}
    assert site.visitor.get("counters", params={"path": section["path"]}, headers=known).status_code == 304
    page = site.visitor.get("page", params={"path": section["path"]})
    assert "type:counter" in page.headers["cache-tag"].split(",")


def test_no_draft_of_a_counter_reaches_a_page(site: Site, section: dict[str, Any]) -> None:
    entry = live(site, section)
    secret = fresh("secret")
    site.desks["analyst"].change(entry, title=secret, counter_id="999999")
    answer = site.visitor.get("counters", params={"path": section["path"]})
    assert secret not in answer.text
    assert "999999" not in answer.text


def test_counters_are_no_entries_to_list_so_that_the_switch_holds_everywhere(
    site: Site, section: dict[str, Any]
) -> None:
    entry = live(site, section, environments=["staging"], ends_at="2001-01-01T00:00:00Z")
    refused(site.visitor.get(f"entries/{entry['id']}"), 404)
    assert data_of(site.visitor.get("entries", params={"type": "counter"})) == []


# --- the switch ---


def test_the_switch_acts_on_the_next_answer(site: Site, section: dict[str, Any]) -> None:
    entry = live(site, section)
    known = {"If-None-Match": site.visitor.get("counters", params={"path": section["path"]}).headers["etag"]}
    body = {"counters": [entry["id"]], "note": "It is slow"}
    told = data_of(site.publisher.put("counters/stop", json=body))
    assert [one["counter"] for one in told["counters"]] == [entry["id"]]
    assert told["counters"][0]["stopped"]["note"] == "It is slow"
    assert site.visitor.get("counters", params={"path": section["path"]}, headers=known).json()["data"] == []
    assert data_of(site.visitor.get("page", params={"path": section["path"]}))["counters"] == []
    assert data_of(site.reader.get("counters/stop")) == told
    refused(site.publisher.request("DELETE", "counters/stop"), 403, "forbidden")
    assert data_of(site.desks["analyst"].request("DELETE", "counters/stop")) == {"all": None, "counters": []}
    assert ids(at(site, section["path"])) == [entry["id"]]


def test_all_counters_are_stopped_at_once(site: Site, section: dict[str, Any]) -> None:
    entry = live(site, section)
    assert data_of(site.desks["analyst"].put("counters/stop"))["all"]["by"]["name"] == "Analyst"
    told = at(site, section["path"])
    assert (told["data"], told["meta"]["stopped"]) == ([], True)
    # One is not let run past the switch for all.
    data_of(site.administrator.request("DELETE", "counters/stop", json={"counters": [entry["id"]]}))
    assert ids(at(site, section["path"])) == []
    data_of(site.administrator.request("DELETE", "counters/stop"))
    assert ids(at(site, section["path"])) == [entry["id"]]


@pytest.mark.parametrize("role", ["reader", "author", "editor"])
def test_who_may_not_publish_does_not_touch_the_switch(site: Site, role: str) -> None:
    refused(site.desks[role].put("counters/stop"), 403, "forbidden")
    refused(site.desks[role].request("DELETE", "counters/stop"), 403, "forbidden")


def test_a_switch_for_nothing_is_refused(site: Site) -> None:
    news = site.publisher.live()
    problem = refused(site.publisher.put("counters/stop", json={"counters": [news["id"]]}), 422)
    assert faults_of(problem) == {"/counters/0": "unknown_counter"}
    refused(site.publisher.put("counters/stop", json={"counters": []}), 422)


def test_stopping_is_in_the_audit(site: Site, section: dict[str, Any]) -> None:
    entry = live(site, section)
    person = site.publisher.person()
    headers = {"On-Behalf-Of": person["id"], "For-Request": "412"}
    data_of(site.publisher.put("counters/stop", json={"counters": [entry["id"]]}, headers=headers))
    rows = data_of(site.administrator.get("audit", params={"filter[entry]": entry["id"], "page[size]": "1"}))
    assert (rows[0]["kind"], rows[0]["request"], rows[0]["on_behalf_of"]["id"]) == (
        "counter.stopped",
        412,
        person["id"],
    )


# --- the report ---


def test_the_report_tells_which_pages_load_what(site: Site, section: dict[str, Any]) -> None:
    entry = live(site, section)
    site.publisher.live(section=section["id"])
    told = data_of(site.reader.get("counters/report"))
    [counter] = [one for one in told["counters"] if one["id"] == entry["id"]]
    assert (counter["pages"], counter["sections"]) == (1, 1)
    [there] = [one for one in told["sections"] if one["section"] == section["id"]]
    assert (there["counters"], there["entries"]) == ([entry["id"]], {entry["id"]: 1})


def test_the_report_of_a_page_tells_why_not(site: Site, section: dict[str, Any]) -> None:
    entry = live(site, section)
    for path, loads in ((section["path"], True), ("/", False)):
        told = data_of(site.reader.get("counters/report", params={"path": path}))
        [counter] = [one for one in told["counters"] if one["id"] == entry["id"]]
        assert (counter["loads"], [one["code"] for one in counter["why"]]) == (loads, [] if loads else ["section"])
    refused(site.stranger.get("counters/report"), 401)
    refused(site.reader.get("counters/report", params={"path": "x"}), 400, "malformed_path")


def test_history_is_as_of_every_entry(site: Site, section: dict[str, Any]) -> None:
    entry = live(site, section)
    analyst = site.desks["analyst"]
    changed = analyst.change(entry, counter_id="2")
    told = data_of(analyst.get(f"entries/{entry['id']}/diff", params={"from": 1, "to": 2}))
    assert [one["pointer"] for one in told["fields"]] == ["/fields/counter_id"]
    restored = analyst.post(f"entries/{entry['id']}/revisions/1/restoration", headers=if_match(changed))
    assert data_of(restored, 201)["fields"]["counter_id"] == METRICA["counter_id"]
