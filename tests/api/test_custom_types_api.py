"""Content types that staff make by API: at once in lists, search, delivery, imports, keys' scopes and OpenAPI."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from api.import_commands import import_source
from tests.api.desk import Desk, data_of, faults_of, fresh, plain, refused
from tests.api.serving import Site

FIELDS: list[dict[str, Any]] = [
    {"name": "salary", "kind": "number", "limits": {"min": 0}},
    {"name": "level", "kind": "choice", "choices": ["junior", "senior"], "label": "Level"},
    {"name": "duties", "kind": "rich_text"},
    {"name": "office", "kind": "reference", "types": ["page"]},
    {"name": "contact", "kind": "email", "public": False},
]


def make(site: Site, *fields: dict[str, Any], **said: Any) -> str:
    """A new type; its name."""
    name = fresh("vacancy_")
    body = {"fields": [*FIELDS, *fields], **said}
    data_of(site.administrator.put(f"types/{name}", json=body), 201)
    return name


def without(name: str, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in fields if one["name"] != name]


def outcomes(last: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in last["report"]["outcomes"].items() if count}


def wait_for(look: Any) -> Any:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come")


# --- making and changing ---


def test_a_type_is_made_changed_and_removed(site: Site) -> None:
    name = make(site, label={"en": "Vacancy"})
    answer = site.reader.get(f"types/{name}")
    shown = data_of(answer)
    assert (answer.headers["etag"], shown["revision"], shown["label"]) == ('"1"', 1, {"en": "Vacancy"})
    assert shown["fields"][2]["label"] == {"ru": "Level", "en": "Level"}
    jsonschema_rs.meta.validate(shown["schema"])
    assert name in [one["name"] for one in data_of(site.reader.get("types"))]
    shown["fields"].insert(1, {"name": "city", "kind": "text"})
    answer = site.administrator.put(f"types/{name}", json=shown, headers={"If-Match": '"1"'})
    assert (data_of(answer)["revision"], answer.headers["etag"]) == (2, '"2"')
    assert [field["name"] for field in data_of(answer)["fields"]][:3] == ["title", "city", "salary"]
    stale = refused(site.administrator.put(f"types/{name}", json=shown, headers={"If-Match": '"1"'}), 412, "stale")
    assert stale["current"] == 2
    refused(site.administrator.delete(f"types/{name}", headers={"If-Match": '"1"'}), 412, "stale")
    assert site.administrator.delete(f"types/{name}").status_code == 204
    refused(site.reader.get(f"types/{name}"), 404, "not_found")


def test_what_a_get_gave_changes_nothing(site: Site) -> None:
    name = make(site)
    shown = data_of(site.administrator.get(f"types/{name}"))
    again = data_of(site.administrator.put(f"types/{name}", json=shown))
    assert again == shown


def test_only_administrators_make_types(site: Site) -> None:
    name = make(site)
    for role, desk in site.desks.items():
        if role in ("administrator", "visitor", "anyone", "stranger"):
            continue
        refused(desk.put(f"types/{fresh('t_')}", json={"fields": []}), 403, "forbidden")
        refused(desk.put(f"types/{name}", params={"dry_run": "true"}, json={"fields": []}), 403, "forbidden")
        refused(desk.delete(f"types/{name}"), 403, "forbidden")
    refused(site.stranger.put(f"types/{name}", json={"fields": []}), 401)
    key = site.key("administrator", f"types:{name}")
    data_of(key.put(f"types/{name}", json={"fields": FIELDS, "label": "By a script"}))
    refused(key.put(f"types/{fresh('t_')}", json={"fields": []}), 403, "forbidden")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"fields": [{"name": "A", "kind": "text"}]}, "/fields/0/name"),
        ({"fields": [{"name": "a", "kind": "sections"}]}, "/fields/0/kind"),
        ({"fields": [{"name": "a", "kind": "text", "public": False, "sortable": "everyone"}]}, "/fields/0/sortable"),
        ({"fields": [], "name": "other"}, "/name"),
        ({"fields": [], "single": True}, "/single"),
        ({"fields": [], "label": {"ru": ""}}, "/label/ru"),
        ({"fields": [], "nonsense": 1}, "/nonsense"),
        ({}, "/fields"),
    ],
)
def test_what_is_wrong_is_named(site: Site, body: dict[str, Any], pointer: str) -> None:
    problem = refused(site.administrator.put(f"types/{fresh('t_')}", json=body), 422, "invalid_body")
    assert list(faults_of(problem)) == [pointer]


def test_a_loss_is_told_and_must_be_confirmed(site: Site) -> None:
    name = make(site)
    one = site.editor.write(name, salary=5, level="junior")
    site.editor.write(name, level="senior")
    body = {"fields": without("salary", FIELDS)}
    told = data_of(site.administrator.put(f"types/{name}", params={"dry_run": "true"}, json=body))
    assert told == {
        "entries": 2,
        "confirm": 1,
        "invalid": {"total": 0, "first": []},
        "dropped": {
            "total": 1,
            "fields": {"salary": 1},
            "first": [{"entry": one["id"], "field": "salary", "value": 5}],
        },
    }
    problem = refused(site.administrator.put(f"types/{name}", json=body), 409, "confirm_needed")
    assert {key: problem[key] for key in told} == told
    assert "?confirm=1" in problem["detail"]
    refused(site.administrator.put(f"types/{name}", params={"confirm": "2"}, json=body), 409, "confirm_needed")
    assert data_of(site.administrator.get(f"types/{name}"))["revision"] == 1
    answer = site.administrator.put(f"types/{name}", json={**body, "confirm": 1, "note": "No more salaries"})
    assert answer.json()["meta"]["report"] == told
    now = site.editor.read(one)
    assert ("salary" in now["fields"], now["revision"], now["saved"]["note"]) == (False, 2, "No more salaries")
    old = data_of(site.editor.get(f"entries/{one['id']}/revisions/1"))
    assert old["fields"]["salary"] == 5
    refused(site.administrator.delete(f"types/{name}"), 409, "in_use")


@pytest.mark.parametrize("asked", [{"confirm": "-1"}, {"confirm": "many"}, {"dry_run": "perhaps"}, {"nonsense": "1"}])
def test_bad_parameters_are_refused(site: Site, asked: dict[str, str]) -> None:
    refused(site.administrator.put(f"types/{fresh('t_')}", params=asked, json={"fields": []}), 400)


def test_what_is_built_in_stays(site: Site) -> None:
    refused(site.administrator.delete("types/news"), 409, "built_in")
    refused(site.administrator.put("types/news", json={"fields": []}), 422, "invalid_body")


# --- at once everywhere ---


def test_entries_of_a_new_type_are_live_filtered_and_sorted(site: Site) -> None:
    name = make(site)
    page = site.publisher.live("page")
    made = [
        site.publisher.live(name, salary=salary, office=page["id"], duties=plain("Some **work**"), contact="a@b.org")
        for salary in (3, None, 1.5)
    ]
    asked = {"type": name, "sort": "-salary", "include": "office", "fields": "salary,office"}
    answer = site.visitor.get("entries", params=asked)
    assert [one["fields"]["salary"] for one in data_of(answer)] == [3, 1.5, None]
    assert page["id"] in answer.json()["included"]
    found = data_of(site.visitor.get("entries", params={"type": name, "filter[salary][gt]": "2", "sort": "-salary"}))
    assert [one["id"] for one in found] == [made[0]["id"]]
    assert "contact" not in found[0]["fields"]
    refused(site.visitor.get("entries", params={"type": name, "filter[contact]": "a@b.org"}), 400, "unknown_field")
    own = data_of(site.reader.get("entries", params={"type": name, "filter[contact]": "a@b.org"}))
    assert len(own) == 3
    assert data_of(site.visitor.get("resolve", params={"path": made[0]["path"]}))["entry"]["type"] == name


def test_entries_of_a_new_type_are_found_by_search(site: Site) -> None:
    name, word, secret = make(site), fresh(), fresh()
    entry = site.publisher.live(name, duties=plain(f"Something with {word}"), contact=f"{secret}@example.org")

    def hits(desk: Desk, words: str, **asked: str) -> list[str]:
        return [hit["entry"]["id"] for hit in data_of(desk.get("search", params={"q": words, **asked}))]

    wait_for(lambda: hits(site.visitor, word, type=name) == [entry["id"]])
    wait_for(lambda: hits(site.reader, word, type=name) == [entry["id"]])
    fields = [{**one, "searchable": "staff"} if one["name"] == "duties" else one for one in FIELDS]
    data_of(site.administrator.put(f"types/{name}", json={"fields": fields}))
    wait_for(lambda: hits(site.visitor, word, type=name) == [])
    assert hits(site.reader, word, type=name) == [entry["id"]]


def test_a_key_s_scope_names_a_type_that_staff_made(site: Site) -> None:
    name = make(site)
    key = site.key("editor", f"create:{name}", f"read:{name}")
    entry = key.write(name, salary=1)
    assert [one["id"] for one in data_of(key.get("entries"))] == [entry["id"]]
    refused(key.post("entries", json={"type": "news", "locale": "ru", "fields": {"title": "A"}}), 403, "forbidden")
    body = {"name": "x", "role": "editor", "scopes": ["create:nothing_of_ours"]}
    refused(site.administrator.post("keys", json=body), 422)


def test_the_document_has_the_fields_of_each_type(site: Site) -> None:
    def schemas() -> dict[str, Any]:
        document: dict[str, Any] = httpx.get(f"{site.url}/openapi.json").json()
        found: dict[str, Any] = document["components"]["schemas"]
        return found

    assert {"NewsFields", "ImageFields"} <= schemas().keys()
    name = make(site)
    called = "".join(word.capitalize() for word in name.split("_")) + "Fields"
    assert schemas()[called]["properties"].keys() >= {"title", "salary", "contact"}
    data_of(site.administrator.put(f"types/{name}", json={"fields": without("contact", FIELDS)}))
    assert "contact" not in schemas()[called]["properties"]
    assert site.administrator.delete(f"types/{name}").status_code == 204
    assert called not in schemas()


def test_limits_are_told(site: Site) -> None:
    limits = data_of(site.reader.get("limits"))
    assert (limits["content_types"], limits["type_fields"], limits["type_group_depth"]) == (200, 200, 3)


def test_rows_are_imported_into_a_new_type(site: Site, tmp_path: Path) -> None:
    name = make(site, {"name": "date", "kind": "date"}, {"name": "text", "kind": "long_text"})
    rows = [
        {"id": 1, "title": "First", "salary": 10, "level": "junior", "duties": "One\nTwo", "date": "2026-01-31"},
        {"id": 2, "title": "Second", "salary": "12,5", "text": "Own words", "unknown": True},
        {"id": 3, "title": "Third", "salary": -1},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    source = fresh("hr")
    path = str(tmp_path / "rows.jsonl")
    *_, last = import_source(site.parts, format="jsonl", path=path, type=name, source=source, publish=True)
    assert outcomes(last) == {"made": 2, "refused": 1}
    assert [(one["field"], one["code"]) for one in last["report"]["problems"]] == [("/fields/salary", "too_small")]
    found = data_of(site.visitor.get("entries", params={"type": name, "sort": "salary", "rich_text": "text"}))
    assert [one["fields"]["salary"] for one in found] == [10, 12.5]
    assert (found[0]["fields"]["date"], found[0]["fields"]["duties"].split()) == ("2026-01-31", ["One", "Two"])
    assert found[1]["fields"]["text"] == "Own words"
    (kept,) = data_of(site.reader.get("entries", params={"type": name, "filter[salary]": "12.5"}))
    assert kept["fields"]["source_fields"] == {"unknown": True}
    *_, again = import_source(site.parts, format="jsonl", path=path, type=name, source=source, publish=True)
    assert outcomes(again) == {"same": 2, "refused": 1}


def test_pages_are_imported_into_a_new_type(site: Site, tmp_path: Path) -> None:
    name = make(site, {"name": "body", "kind": "rich_text"}, {"name": "remote", "kind": "boolean"})
    (tmp_path / f"{fresh('page')}.md").write_text(
        "---\ntitle: One\nsalary: 7\nremote: true\nlevel: senior\n---\nMuch *work*"
    )
    *_, last = import_source(site.parts, format="markdown", path=str(tmp_path), type=name, source=fresh("md"))
    assert outcomes(last) == {"made": 1}
    (entry,) = data_of(site.reader.get("entries", params={"type": name, "rich_text": "markdown"}))
    shown = {key: entry["fields"][key] for key in ("salary", "remote", "level", "body")}
    assert shown == {"salary": 7, "remote": True, "level": "senior", "body": "Much *work*\n"}
