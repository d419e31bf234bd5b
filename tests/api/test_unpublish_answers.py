"""What a path answers after its entry has gone or moved."""

import itertools
from typing import Any

import pytest

from tests.api.desk import data_of, faults_of, fresh, if_match, refused
from tests.api.serving import Site


def resolved(site: Site, path: str, **asked: str) -> dict[str, Any]:
    found: dict[str, Any] = data_of(site.visitor.get("resolve", params={"path": path, **asked}))
    return found


def moved(site: Site, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry, live under another slug."""
    body = {"slug": fresh("moved")}
    return site.publisher.publish(
        data_of(site.editor.patch(f"entries/{entry['id']}", json=body, headers=if_match(entry)))
    )


def leads(site: Site, path: str, to: str) -> bool:
    found = resolved(site, path)
    return (found["kind"], found["status"], found["to"]) == ("redirect", 301, to)


def test_a_live_path_answers_with_its_entry(site: Site) -> None:
    entry = site.publisher.live()
    found = resolved(site, entry["path"])
    assert (found["kind"], found["locale"], found["entry"]["id"]) == ("entry", "ru", entry["id"])


def test_a_path_answers_not_found_unless_said_otherwise(site: Site) -> None:
    entry = site.publisher.live()
    site.publisher.take_down(entry)
    problem = refused(site.visitor.get("resolve", params={"path": entry["path"]}), 404, "not_found")
    never = refused(site.visitor.get("resolve", params={"path": f"/{fresh()}"}), 404, "not_found")
    assert {**problem, "request_id": ""} == {**never, "request_id": ""}


def test_a_path_that_is_gone_explains_itself_as_data(site: Site) -> None:
    entry = site.publisher.live()
    site.publisher.take_down(entry, answer="gone", explanation="The event is over.")
    found = resolved(site, entry["path"])
    assert found == {"kind": "gone", "locale": "ru", "status": 410, "explanation": "The event is over."}


def test_a_path_may_lead_to_another_entry(site: Site) -> None:
    old, new = site.publisher.live(), site.publisher.live()
    site.publisher.take_down(old, answer="redirect", to=new["id"])
    assert leads(site, old["path"], new["path"])


def test_a_redirect_follows_an_entry_that_moves_on(site: Site) -> None:
    old, new = site.publisher.live(), site.publisher.live()
    site.publisher.take_down(old, answer="redirect", to=new["id"])
    assert leads(site, old["path"], moved(site, new)["path"])


def test_a_path_may_lead_to_a_section_or_a_path(site: Site) -> None:
    slug = fresh("section")
    (section,) = site.administrator.sections(slug)
    for to in (section, f"/{slug}"):
        entry = site.publisher.live()
        site.publisher.take_down(entry, answer="redirect", to=to)
        assert leads(site, entry["path"], f"/{slug}")


def test_a_changed_path_leads_to_the_new_one_by_itself(site: Site) -> None:
    entry = site.publisher.live()
    assert leads(site, entry["path"], moved(site, entry)["path"])


def test_many_moves_make_one_hop(site: Site) -> None:
    entry = site.publisher.live()
    paths = [entry["path"]]
    for _ in range(4):
        entry = moved(site, entry)
        paths.append(entry["path"])
    assert all(leads(site, path, paths[-1]) for path in paths[:-1])


def test_a_chain_of_taken_down_entries_is_one_hop(site: Site) -> None:
    entries = [site.publisher.live() for _ in range(4)]
    for old, new in itertools.pairwise(entries):
        site.publisher.take_down(old, answer="redirect", to=new["id"])
    assert all(leads(site, old["path"], entries[-1]["path"]) for old in entries[:-1])


def test_an_old_path_of_what_is_gone_is_gone_too(site: Site) -> None:
    first = site.publisher.live()
    site.publisher.take_down(moved(site, first), answer="gone", explanation="Over")
    assert resolved(site, first["path"])["kind"] == "gone"


@pytest.mark.parametrize("by", ["id", "path"])
def test_a_ring_of_redirects_is_refused(site: Site, by: str) -> None:
    first, second = site.publisher.live(), site.publisher.live()
    site.publisher.take_down(first, answer="redirect", to=second[by])
    body = {"answer": "redirect", "to": first[by]}
    answer = site.publisher.call("DELETE", f"entries/{second['id']}/publication", seen=second, json=body)
    assert faults_of(refused(answer, 422)) == {"/to": "loop"}
    assert resolved(site, second["path"])["kind"] == "entry"


def test_going_live_again_ends_the_answer(site: Site) -> None:
    entry = site.publisher.live()
    taken = site.publisher.take_down(entry, answer="gone", explanation="Over")
    site.publisher.publish(taken)
    assert resolved(site, entry["path"])["kind"] == "entry"


def test_a_new_entry_takes_an_abandoned_path(site: Site) -> None:
    entry = site.publisher.live()
    moved(site, entry)
    heir = site.publisher.live(slug=entry["slug"])
    assert resolved(site, entry["path"])["entry"]["id"] == heir["id"]


@pytest.mark.parametrize(
    "to", [None, "", "nowhere", "//evil.example/x", "https://evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_a_redirect_leads_somewhere_on_this_site(site: Site, to: str | None) -> None:
    entry = site.publisher.live()
    body = {"answer": "redirect", "to": to}
    answer = site.publisher.call("DELETE", f"entries/{entry['id']}/publication", seen=entry, json=body)
    assert "/to" in faults_of(refused(answer, 422, "invalid_body"))
    assert resolved(site, entry["path"])["kind"] == "entry"


def test_a_redirect_to_itself_is_refused(site: Site) -> None:
    entry = site.publisher.live()
    body = {"answer": "redirect", "to": entry["path"]}
    answer = site.publisher.call("DELETE", f"entries/{entry['id']}/publication", seen=entry, json=body)
    assert faults_of(refused(answer, 422)) == {"/to": "loop"}


def test_trashing_may_explain_itself_too(site: Site) -> None:
    entry = site.publisher.live()
    body = {"answer": "gone", "explanation": "Withdrawn"}
    data_of(site.publisher.call("DELETE", f"entries/{entry['id']}", seen=entry, json=body))
    assert resolved(site, entry["path"])["explanation"] == "Withdrawn"


def test_a_path_is_resolved_in_the_locale_asked_for(site: Site) -> None:
    entry = site.publisher.live(locale="en")
    assert resolved(site, entry["path"])["locale"] == "en"
    assert resolved(site, entry["path"], locale="en")["kind"] == "entry"
    refused(site.visitor.get("resolve", params={"path": entry["path"], "locale": "ru"}), 404)


@pytest.mark.parametrize("path", ["", "no-slash", "/" + "a" * 2_001])
def test_a_path_that_is_none_is_refused(site: Site, path: str) -> None:
    refused(site.visitor.get("resolve", params={"path": path}), 400, "malformed_path")


@pytest.mark.parametrize(
    "path", ["/" * 500, "/a" * 900, "/%", "/../../etc/passwd", "/\u0000x", "/ё" * 100, "//x", "/x//y"]
)
def test_an_odd_path_is_not_found(site: Site, path: str) -> None:
    answer = site.visitor.get("resolve", params={"path": path})
    assert answer.status_code in (200, 400, 404)


def test_the_root_is_a_section(site: Site) -> None:
    found = resolved(site, "/")
    assert (found["kind"], found["section"]["id"], found["section"]["path"]) == ("section", None, "/")
