"""For whom and for which request: recorded on every write, never an impersonation."""

from typing import Any

import httpx
import pytest

from tests.api.desk import data_of, faults_of, fresh, if_match, refused
from tests.api.serving import Site

NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def pavel(site: Site) -> dict[str, Any]:
    """A colleague who asks the desk, and cannot sign in."""
    return site.editor.person(name=fresh("Pavel "), department="HR")


def asked_by(person: dict[str, Any], request: str = "412") -> dict[str, str]:
    return {"On-Behalf-Of": person["id"], "For-Request": request}


def test_both_stand_on_the_revision(site: Site, pavel: dict[str, Any]) -> None:
    saved = site.editor.write(headers=asked_by(pavel), note="At Pavel's wish")["saved"]
    assert saved["by"]["name"] == "Editor"
    assert (saved["on_behalf_of"]["name"], saved["on_behalf_of"]["department"]) == (pavel["name"], "HR")
    assert (saved["request"], saved["note"]) == (412, "At Pavel's wish")


def test_both_stand_in_the_history(site: Site, pavel: dict[str, Any]) -> None:
    entry = site.editor.write()
    site.editor.patch(
        f"entries/{entry['id']}", json={"fields": {"summary": "New"}}, headers={**if_match(entry), **asked_by(pavel)}
    )
    newest, oldest = data_of(site.reader.get(f"entries/{entry['id']}/revisions"))
    assert (newest["saved"]["on_behalf_of"]["id"], newest["saved"]["request"]) == (pavel["id"], 412)
    assert (oldest["saved"]["on_behalf_of"], oldest["saved"]["request"]) == (None, None)


def every_write(site: Site, headers: dict[str, str]) -> list[httpx.Response]:
    """One of each kind of write to an entry, in an order in which all succeed."""
    desk, entry = site.administrator, site.administrator.write()
    path, later = f"entries/{entry['id']}", {"publish_at": "2099-01-01T00:00:00Z"}

    def call(method: str, address: str, revision: int, json: Any = None) -> httpx.Response:
        return desk.call(method, address, seen={"revision": revision}, json=json, headers=headers)

    return [
        call("PATCH", path, 1, {"fields": {"summary": "New"}}),
        call("POST", f"{path}/revisions/1/restoration", 2),
        call("PUT", f"{path}/schedule", 3, later),
        call("DELETE", f"{path}/schedule", 3),
        call("PUT", f"{path}/publication", 3),
        call("DELETE", f"{path}/publication", 3),
        call("DELETE", path, 3),
        call("POST", f"{path}/restoration", 3),
    ]


def test_both_stand_in_the_audit_of_every_write(site: Site, pavel: dict[str, Any]) -> None:
    answers = every_write(site, asked_by(pavel))
    assert all(answer.is_success for answer in answers), [answer.text for answer in answers]
    events = data_of(site.administrator.get("audit", params={"filter[on_behalf_of]": pavel["id"]}))
    assert [event["kind"] for event in reversed(events)] == [
        "entry.saved",
        "entry.saved",
        "entry.scheduled",
        "entry.schedule_cancelled",
        "entry.published",
        "entry.unpublished",
        "entry.trashed",
        "entry.restored",
    ]
    assert {event["request"] for event in events} == {412}
    assert {event["by"]["name"] for event in events} == {"Administrator"}


def test_writes_beside_entries_are_recorded_too(site: Site, pavel: dict[str, Any]) -> None:
    headers, desk = asked_by(pavel), site.administrator
    person = data_of(desk.post("people", json={"name": fresh()}, headers=headers), 201)
    data_of(desk.patch(f"people/{person['id']}", json={"department": "IT"}, headers=headers))
    key = data_of(desk.post("keys", json={"name": fresh(), "role": "reader"}, headers=headers), 201)
    data_of(desk.delete(f"keys/{key['id']}", headers=headers))
    events = data_of(desk.get("audit", params={"filter[on_behalf_of]": pavel["id"]}))
    assert [event["kind"] for event in events] == ["key.revoked", "key.made", "person.changed", "person.added"]


def test_entries_are_found_by_either(site: Site, pavel: dict[str, Any]) -> None:
    number = str(int(pavel["id"].replace("-", "")[:8], 16) % 2**31)
    entry = site.editor.write(headers=asked_by(pavel, number))
    for asked in ({"filter[on_behalf_of]": pavel["id"]}, {"filter[request]": number}):
        assert [one["id"] for one in data_of(site.reader.get("entries", params=asked))] == [entry["id"]]


def test_the_scheduler_acts_for_whom_the_plan_was_made(site: Site, pavel: dict[str, Any]) -> None:
    entry = site.editor.write()
    body = {"publish_at": "2099-01-01T00:00:00Z"}
    data_of(
        site.publisher.call("PUT", f"entries/{entry['id']}/schedule", seen=entry, json=body, headers=asked_by(pavel))
    )
    asked = {"filter[entry]": entry["id"], "filter[kind]": "entry.scheduled"}
    (event,) = data_of(site.administrator.get("audit", params=asked))
    assert event["on_behalf_of"]["id"] == pavel["id"]


def test_an_unknown_person_stops_the_write(site: Site) -> None:
    title = fresh("title")
    body = {"type": "news", "locale": "ru", "fields": {"title": title}}
    for person in (NOBODY, "Pavel", "", "0" * 255):
        answer = site.editor.post("entries", json=body, headers={"On-Behalf-Of": person})
        assert faults_of(refused(answer, 422, "invalid_body")) == {"On-Behalf-Of": "unknown_person"}
    assert data_of(site.reader.get("entries", params={"filter[title]": title})) == []


@pytest.mark.parametrize("number", ["", "0", "-1", "#", "41a", "4.5", "2147483648", "9" * 255, "1e3", "0x10", "1 2"])
def test_a_malformed_number_stops_the_write(site: Site, number: str) -> None:
    answer = site.editor.post("people", json={"name": fresh()}, headers={"For-Request": number})
    assert faults_of(refused(answer, 400, "malformed_header")) == {"For-Request": "malformed_header"}


@pytest.mark.parametrize("name", ["On-Behalf-Of", "For-Request"])
@pytest.mark.parametrize("value", [b"x" * 256, "Павел".encode(), b"a\tb", b"\xff\xfe"])
def test_odd_bytes_in_the_headers_are_refused(site: Site, name: str, value: bytes) -> None:
    answer = site.editor.post("people", json={"name": fresh()}, headers=[(name.encode(), value)])
    refused(answer, 400, "malformed_header")


def test_a_number_may_be_written_as_people_write_it(site: Site, pavel: dict[str, Any]) -> None:
    assert site.editor.write(headers=asked_by(pavel, "#412"))["saved"]["request"] == 412


def test_rights_stay_the_actor_s_own(site: Site) -> None:
    people = data_of(site.administrator.get("people", params={"filter[name]": "Administrator"}))
    entry, body = site.editor.write(), {"name": fresh(), "role": "reader"}
    headers = asked_by(people[0])
    refused(site.editor.call("PUT", f"entries/{entry['id']}/publication", seen=entry, headers=headers), 403)
    refused(site.reader.post("entries", json={"type": "news", "locale": "ru", "fields": {}}, headers=headers), 403)
    refused(site.publisher.post("keys", json=body, headers=headers), 403, "forbidden")


def test_it_is_no_way_to_own_another_s_entry(site: Site) -> None:
    author = data_of(site.author.get("me"))
    entry = site.editor.write(headers={"On-Behalf-Of": author["id"]})
    answer = site.author.call("PATCH", f"entries/{entry['id']}", seen=entry, json={"fields": {"summary": "Mine"}})
    refused(answer, 403, "forbidden")


def test_strangers_do_not_learn_who_exists(site: Site, pavel: dict[str, Any]) -> None:
    body = {"name": fresh()}
    known = refused(site.stranger.post("people", json=body, headers=asked_by(pavel)), 401)
    unknown = refused(site.stranger.post("people", json=body, headers={"On-Behalf-Of": NOBODY}), 401)
    assert {**known, "request_id": ""} == {**unknown, "request_id": ""}
