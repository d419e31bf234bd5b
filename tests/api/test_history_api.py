"""Looking back, over HTTP: revisions, what changed, and an old one brought back."""

from typing import Any

from tests.api.desk import data_of, if_match, plain, refused
from tests.api.serving import Site


def diff(site: Site, entry: dict[str, Any], **asked: int) -> dict[str, Any]:
    found: dict[str, Any] = data_of(site.reader.get(f"entries/{entry['id']}/diff", params=asked))
    return found


def written(site: Site, *summaries: str) -> dict[str, Any]:
    entry = site.editor.write(summary=summaries[0])
    for summary in summaries[1:]:
        entry = site.editor.change(entry, summary=summary)
    return entry


def test_the_history_lists_the_newest_revision_first(site: Site) -> None:
    entry = written(site, "One", "Two", "Three")
    listed = data_of(site.reader.get(f"entries/{entry['id']}/revisions"))
    assert [one["revision"] for one in listed] == [3, 2, 1]
    assert listed[0].keys() >= {"revision", "saved", "autosave", "published", "restored_from"}
    assert listed[0]["saved"]["by"]["name"] == "Editor"


def test_the_history_comes_in_pages(site: Site) -> None:
    entry = written(site, *"ABCDE")
    first = site.reader.get(f"entries/{entry['id']}/revisions", params={"page[size]": 2, "total": "true"})
    assert first.json()["meta"] == {"total": 5}
    second = site.anyone.get(first.json()["links"]["next"], headers=dict(site.reader.headers))
    assert [one["revision"] for one in data_of(first) + data_of(second)] == [5, 4, 3, 2]


def test_the_history_is_filtered_by_whom_it_was_for(site: Site) -> None:
    pavel = site.editor.person()
    entry = written(site, "One")
    headers = {**if_match(entry), "On-Behalf-Of": pavel["id"], "For-Request": "412"}
    site.editor.patch(f"entries/{entry['id']}", json={"fields": {"summary": "Two"}}, headers=headers)
    for asked in ({"filter[on_behalf_of]": pavel["id"]}, {"filter[request]": "412"}):
        listed = data_of(site.reader.get(f"entries/{entry['id']}/revisions", params=asked))
        assert [one["revision"] for one in listed] == [2]


def test_a_revision_shows_when_it_was_first_published(site: Site) -> None:
    entry = site.publisher.publish(written(site, "One"))
    site.editor.change(entry, summary="Two")
    newer, older = data_of(site.reader.get(f"entries/{entry['id']}/revisions"))
    assert (newer["published"], older["published"]) == (None, entry["published_at"])


def test_any_revision_can_be_read_whole(site: Site) -> None:
    entry = written(site, "One", "Two")
    answer = site.reader.get(f"entries/{entry['id']}/revisions/1")
    assert data_of(answer)["fields"]["summary"] == "One"
    assert answer.headers["etag"] == '"1"'


def test_an_unknown_revision_is_not_found(site: Site) -> None:
    entry = written(site, "One")
    for number in ("2", "0", "-1", "first", "9" * 30, "1e3", "%C2%B2"):
        refused(site.reader.get(f"entries/{entry['id']}/revisions/{number}"), 404, "not_found")
    refused(site.reader.get(f"entries/{entry['id']}/diff", params={"from": 1, "to": 9}), 404, "not_found")


def test_a_diff_of_something_else_than_revisions_is_refused(site: Site) -> None:
    entry = written(site, "One")
    for number in ("0", "-1", "first", "9" * 30, ""):
        answer = site.reader.get(f"entries/{entry['id']}/diff", params={"from": number})
        refused(answer, 400, "not_a_revision")


def test_a_diff_tells_the_words_that_changed(site: Site) -> None:
    entry = written(site, "Closed on Monday", "Closed on Tuesday")
    found = diff(site, entry)
    assert (found["from"], found["to"]) == (1, 2)
    (field,) = found["fields"]
    assert field["pointer"] == "/fields/summary"
    assert [run for run in field["runs"] if run["op"] != "kept"] == [
        {"op": "removed", "text": "Monday"},
        {"op": "added", "text": "Tuesday"},
    ]


def test_a_diff_tells_which_blocks_of_rich_text_changed(site: Site) -> None:
    entry = site.editor.write(body=plain("First paragraph.\n\nSecond paragraph."))
    entry = site.editor.change(entry, body=plain("First paragraph.\n\nSecond one.\n\nThird."))
    (field,) = diff(site, entry)["fields"]
    assert (field["pointer"], field["kind"]) == ("/fields/body", "rich_text")
    assert '"added"' in str(field).replace("'", '"')


def test_a_diff_tells_of_the_address_and_the_byline(site: Site) -> None:
    entry, press = site.editor.write(), site.editor.person()
    body = {"slug": entry["slug"] + "-new", "byline": [press["id"]]}
    site.editor.patch(f"entries/{entry['id']}", json=body, headers=if_match(entry))
    assert {field["pointer"] for field in diff(site, entry)["fields"]} == {"/slug", "/byline"}


def test_equal_revisions_have_no_difference(site: Site) -> None:
    entry = written(site, "One", "Two")
    assert diff(site, entry, **{"from": 1, "to": 1})["fields"] == []


def test_an_old_revision_comes_back_as_a_new_one(site: Site) -> None:
    entry = written(site, "One", "Two")
    path = f"entries/{entry['id']}/revisions/1/restoration"
    restored = data_of(site.editor.call("POST", path, seen=entry, json={"note": "Back"}), 201)
    assert (restored["revision"], restored["fields"]["summary"]) == (3, "One")
    assert restored["saved"]["note"] == "Back"
    newest = data_of(site.reader.get(f"entries/{entry['id']}/revisions"))[0]
    assert newest["restored_from"] == 1


def test_bringing_back_needs_the_newest_revision(site: Site) -> None:
    entry = written(site, "One", "Two")
    path = f"entries/{entry['id']}/revisions/1/restoration"
    refused(site.editor.post(path), 428, "precondition_required")
    refused(site.editor.call("POST", path, seen={"revision": 1}), 412, "stale")


def test_a_published_revision_is_never_changed(site: Site) -> None:
    entry = site.publisher.publish(written(site, "One"))
    before = data_of(site.reader.get(f"entries/{entry['id']}/revisions/1"))["fields"]
    site.editor.change(entry, summary="Two")
    assert data_of(site.reader.get(f"entries/{entry['id']}/revisions/1"))["fields"] == before
