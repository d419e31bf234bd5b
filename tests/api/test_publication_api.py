"""Publishing over HTTP: what visitors read is one revision, whole."""

from typing import Any

import httpx

from tests.api.desk import data_of, fresh, if_match, plain, refused
from tests.api.serving import Site


def public(site: Site, entry: dict[str, Any]) -> httpx.Response:
    return site.visitor.get(f"entries/{entry['id']}")


def test_a_draft_is_not_public_and_a_published_entry_is(site: Site) -> None:
    entry = site.editor.write(summary="For all")
    refused(public(site, entry), 404, "not_found")
    published = site.publisher.publish(entry)
    assert (published["state"], published["published_revision"]) == ("published", 1)
    assert data_of(public(site, entry))["fields"]["summary"] == "For all"


def test_the_entry_that_publishing_answers_is_the_entry_as_it_is(site: Site) -> None:
    published = site.publisher.live()
    assert site.reader.read(published) == published


def test_a_newer_draft_does_not_show(site: Site) -> None:
    entry = site.publisher.live(summary="Old")
    assert site.editor.change(entry, summary="New")["state"] == "changed"
    assert data_of(public(site, entry))["fields"]["summary"] == "Old"


def test_any_revision_can_be_published(site: Site) -> None:
    entry = site.editor.change(site.editor.write(summary="One"), summary="Two")
    published = site.publisher.publish(entry, revision=1)
    assert (published["state"], published["published_revision"], published["revision"]) == ("changed", 1, 2)
    assert data_of(public(site, entry))["fields"]["summary"] == "One"


def test_a_revision_that_does_not_exist_is_not_published(site: Site) -> None:
    entry = site.editor.write()
    path = f"entries/{entry['id']}/publication"
    refused(site.publisher.call("PUT", path, seen=entry, json={"revision": 2}), 404, "not_found")
    for revision in (0, -1, 2**63 - 1, "1", 1.5, True):
        refused(site.publisher.call("PUT", path, seen=entry, json={"revision": revision}), 422, "invalid_body")
    refused(public(site, entry), 404)


def test_what_was_not_seen_is_not_published(site: Site) -> None:
    entry = site.editor.write()
    site.editor.change(entry, summary="Not seen by the publisher")
    refused(site.publisher.call("PUT", f"entries/{entry['id']}/publication", seen=entry), 412, "stale")
    refused(public(site, entry), 404)


def test_the_first_publication_is_remembered(site: Site) -> None:
    first = site.publisher.live()
    second = site.publisher.publish(site.editor.change(first, summary="New"))
    assert second["first_published_at"] == first["first_published_at"] == first["published_at"]
    assert second["published_at"] > first["published_at"]


def test_a_note_stands_in_the_audit(site: Site) -> None:
    entry = site.editor.write()
    site.publisher.publish(entry, note="Approved by HR")
    asked = {"filter[entry]": entry["id"], "filter[kind]": "entry.published"}
    (event,) = data_of(site.administrator.get("audit", params=asked))
    assert (event["note"], event["by"]["name"], event["revision"]) == ("Approved by HR", "Publisher", 1)


def test_publishing_warns_of_references_that_visitors_will_not_see(site: Site) -> None:
    image = site.editor.write("image")
    entry = site.editor.write(cover=image["id"], related=[])
    answer = site.publisher.call("PUT", f"entries/{entry['id']}/publication", seen=entry)
    assert [one["code"] for one in answer.json()["meta"]["warnings"]] == ["target_not_published"]
    assert data_of(public(site, entry))["fields"]["cover"] is None
    site.publisher.publish(image)
    assert data_of(public(site, entry))["fields"]["cover"] == image["id"]


def test_taking_down_hides_an_entry_at_once(site: Site) -> None:
    entry = site.publisher.live()
    taken = site.publisher.take_down(entry)
    assert (taken["state"], taken["published_at"], taken["published_revision"]) == ("unpublished", None, None)
    refused(public(site, entry), 404)
    again = site.publisher.call("DELETE", f"entries/{entry['id']}/publication", seen=taken)
    refused(again, 409, "not_published")


def test_trashing_takes_an_entry_off_the_site(site: Site) -> None:
    entry = site.publisher.live()
    trashed = data_of(site.publisher.call("DELETE", f"entries/{entry['id']}", seen=entry))
    refused(public(site, entry), 404)
    refused(site.publisher.call("PUT", f"entries/{entry['id']}/publication", seen=trashed), 409, "trashed")


def test_two_live_entries_never_share_an_address(site: Site) -> None:
    first = site.publisher.live(slug=fresh("slug"))
    moved = {"slug": first["slug"] + "-moved"}
    away = data_of(site.editor.patch(f"entries/{first['id']}", json=moved, headers=if_match(first)))
    second = site.editor.write(slug=first["slug"])
    path = f"entries/{second['id']}/publication"
    problem = refused(site.publisher.call("PUT", path, seen=second), 409, "slug_taken")
    assert problem["entry"] == first["id"]
    site.publisher.publish(away)
    site.publisher.publish(second)


def test_a_byline_is_public_and_nobody_else(site: Site) -> None:
    press, olga, pavel = (site.editor.person(email=f"{fresh('mail')}@example.org") for _ in range(3))
    entry = site.editor.write(byline=[press["id"]], owner=olga["id"], headers={"On-Behalf-Of": pavel["id"]})
    site.publisher.publish(entry)
    told = public(site, entry)
    assert data_of(told)["byline"] == [{"id": press["id"], "name": press["name"], "url": None}]
    for hidden in (press["email"], olga["name"], olga["id"], pavel["id"], pavel["name"], "Publisher", "Editor"):
        assert hidden not in told.text


def test_private_fields_are_not_public(site: Site) -> None:
    secret = fresh("secret")
    entry = site.publisher.live(source_fields={"internal": secret}, body=plain("Words"))
    assert "source_fields" not in data_of(public(site, entry))["fields"]
    assert secret not in public(site, entry).text


def test_a_person_s_new_name_shows_at_once(site: Site) -> None:
    press = site.editor.person()
    entry = site.publisher.live(byline=[press["id"]])
    name = fresh("Renamed ")
    data_of(site.administrator.patch(f"people/{press['id']}", json={"name": name}))
    assert data_of(public(site, entry))["byline"][0]["name"] == name
