"""Making an entry and changing it, over HTTP."""

import pytest

from tests.api.desk import data_of, faults_of, fresh, if_match, plain, refused
from tests.api.serving import Site

NOWHERE = "01900000-0000-7000-8000-000000000000"


def test_an_entry_is_made_with_its_address_and_revision(site: Site) -> None:
    body = {"type": "news", "locale": "ru", "fields": {"title": "Часы работы " + fresh()}}
    answer = site.editor.post("entries", json=body)
    made = data_of(answer, 201)
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"/editor/v1/entries/{made['id']}"
    assert answer.headers["cache-control"] == "private, no-store"
    assert made["slug"].startswith("chasy-raboty-")
    assert (made["state"], made["revision"], made["published_revision"]) == ("draft", 1, None)


def test_what_is_absent_is_null_and_never_a_missing_key(site: Site) -> None:
    entry = site.editor.write()
    assert {"section", "owner", "source", "schedule", "first_published_at", "published_at"} <= entry.keys()
    assert entry["fields"]["summary"] is None
    assert entry["saved"]["on_behalf_of"] is None


def test_the_location_gives_the_entry_with_its_etag(site: Site) -> None:
    entry = site.editor.write()
    answer = site.reader.get(f"entries/{entry['id']}")
    assert data_of(answer) == entry
    assert answer.headers["etag"] == '"1"'


def test_instants_are_in_utc(site: Site) -> None:
    assert site.editor.write()["created_at"].endswith("Z")


def test_a_patch_changes_what_it_names_and_nothing_else(site: Site) -> None:
    entry = site.editor.write(summary="Before", topics=["office"])
    changed = site.editor.change(entry, summary="After")
    assert changed["revision"] == 2
    assert changed["fields"] == {**entry["fields"], "summary": "After"}


def test_null_in_a_patch_takes_a_value_away(site: Site) -> None:
    person = site.editor.person()
    entry = site.editor.write(summary="Before", byline=[person["id"]], owner=person["id"])
    body = {"fields": {"summary": None}, "byline": None, "owner": None}
    changed = data_of(site.editor.patch(f"entries/{entry['id']}", json=body, headers=if_match(entry)))
    assert (changed["fields"]["summary"], changed["byline"], changed["owner"]) == (None, [], None)


def test_a_patch_merges_groups_member_by_member(site: Site) -> None:
    entry = site.editor.write(seo={"title": "Kept", "noindex": True})
    seo = site.editor.change(entry, seo={"noindex": False})["fields"]["seo"]
    assert (seo["title"], seo["noindex"]) == ("Kept", False)


def test_a_patch_is_taken_as_merge_patch_json(site: Site) -> None:
    entry = site.editor.write()
    headers = {**if_match(entry), "Content-Type": "application/merge-patch+json"}
    answer = site.editor.patch(f"entries/{entry['id']}", content=b'{"fields": {"summary": "New"}}', headers=headers)
    assert data_of(answer)["fields"]["summary"] == "New"


def test_what_a_get_gave_may_be_sent_back(site: Site) -> None:
    person = site.editor.person()
    entry = site.editor.write(body=plain("Words"), byline=[person["id"]], owner=person["id"])
    body = {name: entry[name] for name in ("locale", "section", "slug", "fields", "owner", "byline")}
    same = data_of(site.editor.patch(f"entries/{entry['id']}", json=body, headers=if_match(entry)))
    assert same["revision"] == 1
    assert same["fields"] == entry["fields"]


def test_a_write_without_if_match_is_refused(site: Site) -> None:
    entry = site.editor.write()
    refused(site.editor.patch(f"entries/{entry['id']}", json={}), 428, "precondition_required")
    refused(site.editor.delete(f"entries/{entry['id']}"), 428, "precondition_required")
    refused(site.publisher.put(f"entries/{entry['id']}/publication"), 428, "precondition_required")
    refused(site.publisher.delete(f"entries/{entry['id']}/publication"), 428, "precondition_required")


def test_a_stale_write_is_told_who_was_faster_and_with_what(site: Site) -> None:
    pavel = site.editor.person(name="Pavel")
    entry = site.editor.write()
    body = {"fields": {"summary": "Faster"}, "slug": fresh("slug")}
    headers = {**if_match(entry), "On-Behalf-Of": pavel["id"]}
    data_of(site.publisher.patch(f"entries/{entry['id']}", json=body, headers=headers))
    answer = site.editor.patch(f"entries/{entry['id']}", json={}, headers=if_match(entry))
    problem = refused(answer, 412, "stale")
    assert answer.headers["etag"] == '"2"'
    assert (problem["current"], problem["changed"]) == (2, ["/slug", "/fields/summary"])
    assert problem["saved"]["by"]["name"] == "Publisher"
    assert problem["saved"]["on_behalf_of"] == pavel["id"]
    assert problem["saved"]["at"].endswith("Z")


@pytest.mark.parametrize("said", ['"7"', "7", '"0"', '"-1"', "W/1", '"1", "2"', "x" * 200, '"99999999999999999999"'])
def test_a_revision_that_is_not_the_newest_is_stale(site: Site, said: str) -> None:
    entry = site.editor.write()
    refused(site.editor.patch(f"entries/{entry['id']}", json={}, headers={"If-Match": said}), 412, "stale")
    assert site.editor.read(entry)["revision"] == 1


def test_a_stale_write_changes_nothing(site: Site) -> None:
    entry = site.editor.change(site.editor.write(), summary="First")
    body = {"fields": {"summary": "Second"}}
    refused(site.editor.patch(f"entries/{entry['id']}", json=body, headers={"If-Match": '"1"'}), 412)
    assert site.editor.read(entry)["fields"]["summary"] == "First"


def test_autosaves_fold_into_one_revision(site: Site) -> None:
    entry = site.editor.write()
    for number in range(3):
        answer = site.editor.call(
            "PATCH",
            f"entries/{entry['id']}?autosave=true",
            seen={"revision": min(number, 1) + 1},
            json={"fields": {"summary": f"Typing {number}"}},
        )
        assert data_of(answer)["revision"] == 2
    assert site.editor.read(entry)["fields"]["summary"] == "Typing 2"


def test_another_must_have_seen_how_far_an_autosave_has_grown(site: Site) -> None:
    entry, path = site.editor.write(), "entries/{}?autosave=true"
    etags = ['"1"']
    for number in range(3):
        body = {"fields": {"summary": f"Typing {number}"}}
        answer = site.editor.patch(path.format(entry["id"]), json=body, headers={"If-Match": etags[-1]})
        etags.append(answer.headers["etag"])
    assert etags == ['"1"', '"2"', '"2.1"', '"2.2"']
    body = {"fields": {"summary": "By another"}}
    for etag in etags[:-1]:
        refused(site.publisher.patch(f"entries/{entry['id']}", json=body, headers={"If-Match": etag}), 412, "stale")
    data_of(site.publisher.patch(f"entries/{entry['id']}", json=body, headers={"If-Match": etags[-1]}))


def test_rich_text_is_given_back_in_the_form_asked_for(site: Site) -> None:
    entry = site.editor.write(body=plain("Office is **closed**."))
    assert entry["fields"]["body"]["type"] == "doc"
    assert site.editor.read(entry, rich_text="text")["fields"]["body"].strip() == "Office is closed."
    assert "<strong>closed</strong>" in site.editor.read(entry, rich_text="html")["fields"]["body"]
    assert "**closed**" in site.editor.read(entry, rich_text="markdown")["fields"]["body"]


def test_what_does_not_fit_is_told_in_warnings(site: Site) -> None:
    html = {"format": "html", "value": "<p>Kept</p><script>alert(1)</script>"}
    body = {"type": "news", "locale": "ru", "fields": {"title": fresh(), "body": html}}
    answer = site.editor.post("entries", json=body)
    assert [one["pointer"] for one in answer.json()["meta"]["warnings"]] == ["/fields/body"]
    assert "alert" not in str(data_of(answer, 201)["fields"]["body"])


def test_wrong_values_are_refused_all_at_once(site: Site) -> None:
    fields = {"summary": 7, "topics": "office", "nonsense": 1, "cover": "x"}
    problem = refused(site.editor.post("entries", json={"type": "news", "locale": "ru", "fields": fields}), 422)
    assert problem["code"] == "invalid_body"
    assert {"/fields/title", "/fields/summary", "/fields/topics", "/fields/nonsense", "/fields/cover"} <= faults_of(
        problem
    ).keys()


def test_an_unknown_key_beside_the_fields_is_refused(site: Site) -> None:
    body = {"type": "news", "locale": "ru", "fields": {"title": "T"}, "id": NOWHERE, "state": "published"}
    assert faults_of(refused(site.editor.post("entries", json=body), 422)).keys() == {"/id", "/state"}


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"type": "nonsense"}, "/type"),
        ({"locale": "xx"}, "/locale"),
        ({"section": "nowhere"}, "/section"),
        ({"owner": NOWHERE}, "/owner"),
        ({"byline": [NOWHERE]}, "/byline/0"),
        ({"translation_of": NOWHERE}, "/translation_of"),
        ({"slug": "Bad Slug"}, "/slug"),
        ({"slug": "a" * 300}, "/slug"),
        ({"fields": {"title": "T", "cover": NOWHERE}}, "/fields/cover"),
    ],
)
def test_what_points_at_nothing_is_refused_by_name(site: Site, given: dict[str, object], pointer: str) -> None:
    body = {"type": "news", "locale": "ru", "fields": {"title": "T"}, **given}
    assert pointer in faults_of(refused(site.editor.post("entries", json=body), 422, "invalid_body"))


def test_a_slug_that_is_taken_is_a_conflict(site: Site) -> None:
    first = site.editor.write(slug=fresh("slug"))
    body = {"type": "news", "locale": "ru", "slug": first["slug"], "fields": {"title": "T"}}
    problem = refused(site.editor.post("entries", json=body), 409, "slug_taken")
    assert (problem["entry"], faults_of(problem)) == (first["id"], {"/slug": "slug_taken"})
    assert data_of(site.editor.post("entries", json={**body, "locale": "en"}), 201)["slug"] == first["slug"]


def test_a_translation_is_known_to_its_original(site: Site) -> None:
    russian = site.editor.write()
    english = site.editor.write(locale="en", translation_of=russian["id"])
    assert english["translations"] == {"ru": russian["id"]}
    assert site.editor.read(russian)["translations"] == {"en": english["id"]}


def test_an_unknown_entry_is_not_found(site: Site) -> None:
    for path in ("", "/revisions", "/revisions/1", "/diff", "/usages"):
        refused(site.reader.get(f"entries/{NOWHERE}{path}"), 404, "not_found")


def test_the_trash_hides_an_entry_until_it_is_restored(site: Site) -> None:
    entry = site.editor.write()
    trashed = data_of(site.editor.call("DELETE", f"entries/{entry['id']}", seen=entry))
    assert (trashed["state"], trashed["trashed_at"] is not None) == ("trashed", True)
    listed = data_of(site.editor.get("entries", params={"filter[title]": entry["fields"]["title"]}))
    assert listed == []
    refused(site.editor.call("PATCH", f"entries/{entry['id']}", seen=entry, json={}), 409, "trashed")
    restored = data_of(site.editor.post(f"entries/{entry['id']}/restoration"))
    assert restored["state"] == "draft"
    refused(site.editor.post(f"entries/{entry['id']}/restoration"), 409, "not_trashed")


def test_the_trash_can_be_listed(site: Site) -> None:
    entry = site.editor.write()
    site.editor.call("DELETE", f"entries/{entry['id']}", seen=entry)
    asked = {"filter[state]": "trashed", "filter[title]": entry["fields"]["title"]}
    assert [one["id"] for one in data_of(site.editor.get("entries", params=asked))] == [entry["id"]]


def test_what_is_in_use_cannot_be_trashed(site: Site) -> None:
    cover = site.editor.write("image")
    news = site.editor.write(cover=cover["id"])
    problem = refused(site.editor.call("DELETE", f"entries/{cover['id']}", seen=cover), 409, "in_use")
    assert problem["usages"] == [{"entry": news["id"], "pointer": "/fields/cover"}]
    used_by = data_of(site.editor.get(f"entries/{cover['id']}/usages"))["used_by"]
    assert used_by == [{"entry": news["id"], "pointer": "/fields/cover", "live": False}]


def test_a_script_brings_an_entry_once_and_then_changes_it(site: Site) -> None:
    path = f"entries/by-external-id/{fresh('source')}/css/align-content"
    body = {"type": "article", "locale": "ru", "fields": {"title": "One"}}
    made = data_of(site.editor.put(path, json=body), 201)
    assert made["source"]["external_id"] == "css/align-content"
    assert data_of(site.editor.put(path, json=body))["revision"] == 1
    changed = data_of(site.editor.put(path, json={**body, "fields": {"title": "Two"}}))
    assert (changed["id"], changed["revision"]) == (made["id"], 2)


def test_a_script_does_not_overwrite_what_a_person_changed(site: Site) -> None:
    path = f"entries/by-external-id/{fresh('source')}/1"
    body = {"type": "article", "locale": "ru", "fields": {"title": "One"}}
    entry = site.editor.change(data_of(site.editor.put(path, json=body), 201), summary="By hand")
    newer = {**body, "fields": {"title": "Two"}}
    refused(site.editor.put(path, json=newer), 412, "stale")
    assert data_of(site.editor.put(path, json=newer, headers=if_match(entry)))["revision"] == 3


def test_lists_of_entries_filter_sort_and_page(site: Site) -> None:
    topic = fresh("topic")
    ids = [site.editor.write(topics=[topic], title=f"{number} {topic}")["id"] for number in range(5)]
    asked = {"filter[topics]": topic, "sort": "title", "page[size]": "2", "total": "true"}
    first = site.editor.get("entries", params=asked)
    assert first.json()["meta"] == {"total": 5}
    found = data_of(first)
    following = first.json()["links"]["next"]
    while following:
        page = site.anyone.get(following, headers=dict(site.editor.headers))
        found += data_of(page)
        following = page.json()["links"]["next"]
    assert [one["id"] for one in found] == ids


def test_two_entries_do_not_come_from_one_source(site: Site) -> None:
    body = {
        "type": "news",
        "locale": "ru",
        "fields": {"title": "T"},
        "source": {"name": "doka", "external_id": fresh()},
    }
    data_of(site.editor.post("entries", json=body), 201)
    refused(site.editor.post("entries", json=body), 409)


def test_a_translation_does_not_change_into_another_s_locale(site: Site) -> None:
    russian = site.editor.write()
    english = site.editor.write(locale="en", translation_of=russian["id"])
    body = {"locale": "ru"}
    refused(site.editor.patch(f"entries/{english['id']}", json=body, headers=if_match(english)), 409, "translated")


def test_bringing_back_a_locale_that_is_taken_is_refused(site: Site) -> None:
    moved = site.editor.write()
    answer = site.editor.patch(f"entries/{moved['id']}", json={"locale": "en"}, headers=if_match(moved))
    moved = data_of(answer)
    site.editor.write(translation_of=moved["id"])
    path = f"entries/{moved['id']}/revisions/1/restoration"
    refused(site.editor.call("POST", path, seen=moved), 409, "translated")
