"""Redirects over HTTP: kept by staff, imported and written as CSV, held by front ends, counted when they answer."""

import time
from typing import Any

import httpx
import pytest

from tests.api.desk import Desk, data_of, faults_of, fresh, refused
from tests.api.serving import Site


def redirect(desk: Desk, path: str, to: Any = None, **said: Any) -> dict[str, Any]:
    made: dict[str, Any] = data_of(desk.post("redirects", json={"path": path, "to": to, **said}), 201)
    return made


def resolved(site: Site, path: str) -> dict[str, Any]:
    found: dict[str, Any] = data_of(site.visitor.get("resolve", params={"path": path}))
    return found


def bring(desk: Desk, text: str | bytes, **asked: str) -> httpx.Response:
    content = text if isinstance(text, bytes) else text.encode()
    return desk.post("redirects/import", content=content, params=asked, headers={"Content-Type": "text/csv"})


@pytest.fixture
def path() -> str:
    return f"/{fresh('old')}"


# --- one rule ---


def test_a_redirect_is_made_read_changed_and_removed(site: Site, path: str) -> None:
    entry = site.publisher.live()
    made = site.publisher.post("redirects", json={"path": f"{path}/", "to": entry["id"], "explanation": "Moved"})
    one = data_of(made, 201)
    assert made.headers["location"] == f"/editor/v1/redirects/{one['id']}"
    assert one["to"] == {"entry": entry["id"], "section": None, "url": None, "path": entry["path"]}
    assert (one["path"], one["status"], one["source"], one["shadowed"]) == (path, 301, "manual", False)
    assert resolved(site, path) == {"kind": "redirect", "locale": "ru", "status": 301, "to": entry["path"]}
    changed = data_of(site.publisher.patch(f"redirects/{one['id']}", json={"status": 302}))
    assert (changed["status"], changed["explanation"], changed["to"]) == (302, "Moved", one["to"])
    assert data_of(site.reader.get(f"redirects/{one['id']}")) == changed
    assert site.publisher.delete(f"redirects/{one['id']}").status_code == 204
    refused(site.reader.get(f"redirects/{one['id']}"), 404)
    refused(site.visitor.get("resolve", params={"path": path}), 404)


def test_what_a_get_gave_may_be_sent_back(site: Site, path: str) -> None:
    one = redirect(site.publisher, path, "/contacts", status=308, prefix=True, locale="en")
    names = ("path", "to", "status", "prefix", "locale", "explanation")
    again = site.publisher.patch(f"redirects/{one['id']}", json={name: one[name] for name in names})
    assert data_of(again) == one


def test_a_rule_where_something_is_live_waits(site: Site) -> None:
    entry = site.publisher.live()
    made = site.publisher.post("redirects", json={"path": entry["path"], "to": "/contacts"})
    assert data_of(made, 201)["shadowed"]
    assert [one["code"] for one in made.json()["meta"]["warnings"]] == ["shadowed"]
    assert resolved(site, entry["path"])["kind"] == "entry"


def test_what_is_gone_says_why(site: Site, path: str) -> None:
    redirect(site.publisher, path, status=410, explanation="It is over.")
    assert resolved(site, path) == {"kind": "gone", "locale": "ru", "status": 410, "explanation": "It is over."}


def test_the_same_path_twice_names_the_first(site: Site, path: str) -> None:
    first = redirect(site.publisher, path, "/a")
    problem = refused(site.publisher.post("redirects", json={"path": path, "to": "/b"}), 409, "redirect_exists")
    assert problem["redirect"] == first["id"]


def test_a_loop_is_spelled_out_and_leaves_nothing_behind(site: Site, path: str) -> None:
    redirect(site.publisher, f"{path}/a", f"{path}/b")
    problem = refused(site.publisher.post("redirects", json={"path": f"{path}/b", "to": f"{path}/a"}), 422)
    assert faults_of(problem) == {"/to": "loop"}
    assert f"{path}/b → {path}/a → {path}/b" in problem["errors"][0]["message"]
    assert data_of(site.reader.get("redirects", params={"filter[path]": f"{path}/b"})) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"path": "/x y", "to": "/a"}, "/path"),
        ({"path": "/x?y", "to": "/a"}, "/path"),
        ({"path": "//x", "to": "/a"}, "/path"),
        ({"path": "/x"}, "/to"),
        ({"path": "/x", "to": "https://evil.example"}, "/to"),
        ({"path": "/x", "to": "javascript:alert(1)"}, "/to"),
        ({"path": "/x", "to": {"entry": None, "section": None, "url": None, "path": "/y"}}, "/to"),
        ({"path": "/x", "to": {"host": "evil.example"}}, "/to"),
        ({"path": "/x", "to": ["/a"]}, "/to"),
        ({"path": "/x", "to": "/a", "status": 200}, "/status"),
        ({"path": "/x", "to": "/a", "status": 410}, "/to"),
        ({"path": "/x", "to": "/a", "locale": "de"}, "/locale"),
        ({"path": "/x", "to": "/a", "source": "automatic"}, "/source"),
        ({"to": "/a"}, "/path"),
    ],
)
def test_what_cannot_be_is_refused_in_words(site: Site, body: dict[str, Any], pointer: str) -> None:
    assert pointer in faults_of(refused(site.publisher.post("redirects", json=body), 422))


def test_a_change_against_what_was_seen_is_refused_when_it_is_old(site: Site, path: str) -> None:
    one = redirect(site.publisher, path, "/a")
    seen = site.publisher.get(f"redirects/{one['id']}").headers["etag"]
    headers = {"If-Match": seen}
    data_of(site.publisher.patch(f"redirects/{one['id']}", json={"to": "/b"}, headers=headers))
    refused(site.publisher.patch(f"redirects/{one['id']}", json={"to": "/c"}, headers=headers), 412, "stale")
    refused(site.publisher.delete(f"redirects/{one['id']}", headers=headers), 412, "stale")
    assert site.publisher.delete(f"redirects/{one['id']}", headers={"If-Match": "*"}).status_code == 204


def test_a_post_sent_again_is_done_once(site: Site, path: str) -> None:
    headers = {"Idempotency-Key": fresh()}
    first, second = (
        site.publisher.post("redirects", json={"path": path, "to": "/a"}, headers=headers) for _ in range(2)
    )
    assert data_of(first, 201) == data_of(second, 201)


def test_publishers_keep_redirects_and_others_read_them(site: Site, path: str) -> None:
    one = redirect(site.administrator, path, "/a")
    for desk in (site.reader, site.author, site.editor):
        assert data_of(desk.get(f"redirects/{one['id']}")) == one
        refused(desk.post("redirects", json={"path": f"{path}/x", "to": "/a"}), 403)
        refused(desk.patch(f"redirects/{one['id']}", json={"to": "/b"}), 403)
        refused(desk.delete(f"redirects/{one['id']}"), 403)
        refused(bring(desk, "path,to\n"), 403)
    script = site.key("publisher", "redirects")
    assert redirect(script, f"{path}/script", "/a")["source"] == "manual"
    refused(script.get("redirects"), 403)
    for call in (site.stranger.get("redirects"), site.stranger.get("redirects.csv"), bring(site.stranger, "x")):
        refused(call, 401)


def test_automatic_rules_are_listed_explained_and_removed(site: Site) -> None:
    entry = site.publisher.live()
    site.publisher.take_down(entry, answer="gone", explanation="Over")
    [one] = data_of(site.reader.get("redirects", params={"filter[about]": entry["id"]}))
    assert (one["source"], one["path"], one["status"]) == ("automatic", entry["path"], 410)
    refused(site.publisher.patch(f"redirects/{one['id']}", json={"to": "/a"}), 409, "automatic_redirect")
    data_of(site.publisher.patch(f"redirects/{one['id']}", json={"explanation": "Long over"}))
    assert resolved(site, entry["path"])["explanation"] == "Long over"
    assert site.publisher.delete(f"redirects/{one['id']}").status_code == 204


def test_a_list_has_pages_filters_and_order(site: Site, path: str) -> None:
    for number in range(5):
        redirect(site.publisher, f"{path}/{number}", "/a", prefix=number == 0)
    asked: dict[str, Any] = {"filter[path][starts]": path, "sort": "path", "page[size]": 2, "total": "true"}
    answer = site.reader.get("redirects", params=asked)
    found = [one["path"] for one in data_of(answer)]
    assert answer.json()["meta"]["total"] == 5
    while (following := answer.json()["links"]["next"]) is not None:
        answer = site.anyone.get(following, headers={"cookie": site.reader.headers["cookie"]})
        found += [one["path"] for one in data_of(answer)]
    assert found == [f"{path}/{number}" for number in range(5)]
    newest = data_of(site.reader.get("redirects", params={"filter[path][starts]": path}))
    assert newest[0]["path"] == f"{path}/4"
    filters = {"filter[path][starts]": path, "filter[prefix]": "true"}
    assert len(data_of(site.reader.get("redirects", params=filters))) == 1
    refused(site.reader.get("redirects", params={"filter[explanation]": "x"}), 400, "unknown_field")
    refused(site.reader.get("redirects", params={"sort": "explanation"}), 400, "unknown_sort")


def test_hits_are_counted_when_a_rule_answers(site: Site, path: str) -> None:
    one = redirect(site.publisher, path, "/contacts")
    for _ in range(3):
        resolved(site, path)
    site.visitor.get("page", params={"path": path})
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and data_of(site.reader.get(f"redirects/{one['id']}"))["hits"] < 4:
        time.sleep(0.2)
    now = data_of(site.reader.get(f"redirects/{one['id']}"))
    assert (now["hits"], now["changed_at"]) == (4, one["changed_at"])
    assert now["last_hit_at"] is not None


# --- CSV ---


def test_a_file_comes_in_and_goes_out_again(site: Site, path: str) -> None:
    entry = site.publisher.live()
    text = f"path;to;status;explanation\n{path}/a;{entry['id']};;=1+1\n{path}/b;;410;Всё\nbad;/x;;\n"
    outcome = data_of(bring(site.publisher, text.encode("cp1251")))
    assert {name: outcome[name] for name in ("total", "made", "changed", "same")} == {
        "total": 3, "made": 2, "changed": 0, "same": 0
    }  # fmt: skip
    assert [(one["line"], one["code"]) for one in outcome["refused"]] == [(4, "malformed_path")]
    answer = site.reader.get("redirects.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    assert f"{path}/b,,410,false,,Всё,import,0,\n" in answer.text
    assert f"{path}/a,{entry['id']},301,false,,'=1+1,import,0,\n" in answer.text
    again = data_of(bring(site.publisher, answer.content))
    assert (again["made"], again["changed"], again["refused"]) == (0, 0, [])


def test_a_file_is_taken_from_a_form(site: Site, path: str) -> None:
    files = {"file": ("redirects.csv", f"path,to\n{path},/a\n".encode())}
    assert data_of(site.publisher.post("redirects/import", files=files))["made"] == 1


def test_a_dry_run_and_a_strict_one_leave_nothing(site: Site, path: str) -> None:
    assert data_of(bring(site.publisher, f"path,to\n{path},/a\n", dry_run="true"))["made"] == 1
    assert data_of(bring(site.publisher, f"path,to\n{path},/a\nbad,/a\n", strict="true"))["made"] == 0
    refused(site.visitor.get("resolve", params={"path": path}), 404)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"path,to\n", "text/plain", 415),
        (b"{}", "application/json", 415),
        (b"path,to\n", "", 415),
        (b"nonsense", "text/csv", 422),
        (b"", "text/csv", 422),
        (b"\x98", "text/csv", 422),
        (b'path,to\n"', "text/csv", 200),
        (b"--x--", "multipart/form-data; boundary=x", 422),
        (b"nonsense", "multipart/form-data", 400),
        (b"path,to\n" + b"x" * 200_000, "text/csv", 200),
    ],
)
def test_a_bad_file_is_refused(site: Site, content: bytes, media_type: str, status: int) -> None:
    headers = {"Content-Type": media_type}
    answer = site.publisher.post("redirects/import", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    refused(site.publisher.post("redirects/import", content=content, headers=headers, params={"x": 1}), 400)


# --- front ends that hold them ---


def held(site: Site, **asked: Any) -> list[dict[str, Any]]:
    answer = site.visitor.get("redirects", params={"page[size]": 100, **asked})
    found: list[dict[str, Any]] = data_of(answer)
    while (following := answer.json()["links"]["next"]) is not None:
        answer = site.anyone.get(following)
        found += data_of(answer)
    return found


def test_front_ends_are_told_where_rules_lead_now(site: Site, path: str) -> None:
    entry, draft = site.publisher.live(), site.publisher.write()
    first = redirect(site.publisher, f"{path}/a", entry["id"], explanation="Asked for by HR", prefix=True)
    redirect(site.publisher, f"{path}/b", f"{path}/a", status=307)
    redirect(site.publisher, f"{path}/c", status=410, explanation="Over")
    redirect(site.publisher, f"{path}/d", draft["id"])
    mine = [one for one in held(site, updated_since=first["changed_at"]) if one["path"].startswith(path)]
    assert [(one["path"], one["status"], one["to"], one["explanation"]) for one in mine] == [
        (f"{path}/a", 301, entry["path"], None),
        (f"{path}/b", 307, entry["path"], None),
        (f"{path}/c", 410, None, "Over"),
    ]


def test_a_section_that_was_moved_back_leaves_front_ends_no_circle(site: Site) -> None:
    section, above = site.administrator.sections(fresh("section"), fresh("above"))
    site.publisher.live(section=section)
    was = _move(site, section, above)
    _move(site, section, None)
    mine = [(one["path"], one["to"]) for one in held(site) if one["path"].endswith(was)]
    assert len(mine) == 1, mine
    assert mine[0][0] != was
    assert mine[0][1] == was


def _move(site: Site, section: str, parent: str | None) -> str:
    """Moves a section and publishes the tree; the path that it would have at the root."""
    tree = data_of(site.administrator.get("structure"))
    body = {"operations": [{"op": "move", "section": section, "parent": parent}]}
    moved = data_of(site.administrator.call("POST", "structure/changes", seen=tree, json=body))
    data_of(site.administrator.call("PUT", "structure/publication", seen=moved))
    [slug] = [one["slug"] for one in _all(tree["fields"]["sections"]) if one["id"] == section]
    return f"/{slug}"


def _all(sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for section in sections for one in (section, *_all(section["children"]))]


def test_only_what_changed_since_is_told(site: Site, path: str) -> None:
    redirect(site.publisher, f"{path}/a", "/x")
    second = redirect(site.publisher, f"{path}/b", "/x")
    mine = [one["path"] for one in held(site, updated_since=second["changed_at"]) if one["path"].startswith(path)]
    assert mine == [f"{path}/b"]


def test_caches_may_keep_what_is_held(site: Site) -> None:
    answer = site.visitor.get("redirects")
    assert answer.headers["cache-control"].startswith("public, max-age=")
    assert "redirects" in answer.headers["cache-tag"].split(",")
    again = site.visitor.get("redirects", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("asked", [{"updated_since": "x"}, {"sort": "path"}, {"filter[path]": "/"}, {"total": "true"}])
def test_what_is_held_is_neither_filtered_nor_sorted(site: Site, asked: dict[str, str]) -> None:
    refused(site.visitor.get("redirects", params=asked), 400)


def test_the_site_s_limits_are_told(site: Site) -> None:
    limits = data_of(site.reader.get("limits"))
    assert (limits["redirect_rows"], limits["beacon_paths"]) == (100_000, 100)
