"""The life of images and files over HTTP: replaced, brought back, reported, and told apart by what they need."""

from typing import Any

import httpx
import pytest

from tests.api.desk import Desk, data_of, faults_of, fresh, if_match, refused
from tests.api.serving import Site
from tests.media.bytes_at_hand import picture


def png(size: tuple[int, int] = (200, 100)) -> bytes:
    return picture("PNG", size)


def replace(
    desk: Desk, entry: dict[str, Any], content: bytes | None = None, name: str = "new.png", **more: Any
) -> httpx.Response:
    files = {"file": (name, png() if content is None else content)}
    return desk.put(f"entries/{entry['id']}/file", files=files, headers=if_match(entry), **more)


def test_other_bytes_make_a_revision_and_leave_all_else(site: Site) -> None:
    entry = site.editor.upload(png(), "old.png", alt="Офис", title="Office")
    content = png()
    answer = replace(site.editor, entry, content, "новый.png", data={"note": "Asked for by HR"})
    after = data_of(answer)
    assert (after["id"], after["revision"], answer.headers["etag"]) == (entry["id"], 2, '"2"')
    assert {**after["fields"], "file": None} == {**entry["fields"], "file": None}
    assert (after["fields"]["file"]["name"], after["saved"]["note"]) == ("новый.png", "Asked for by HR")
    assert site.anyone.get(after["fields"]["file"]["url"]).content == content
    back = data_of(site.editor.post(f"entries/{entry['id']}/revisions/1/restoration", headers=if_match(after)), 201)
    assert back["fields"]["file"]["sha256"] == entry["fields"]["file"]["sha256"]


def test_the_old_address_and_its_renditions_keep_answering(site: Site) -> None:
    entry = site.publisher.publish(site.editor.upload(png()))
    old = entry["fields"]["file"]
    rendition = old["srcset"].split(" ")[0]
    after = data_of(replace(site.publisher, entry))
    new = after["fields"]["file"]["url"].partition("?")[0]
    refused(site.anyone.get(new), 404, "not_found")
    site.publisher.publish(after)
    for url in (old["url"], rendition, new):
        assert site.anyone.get(url).status_code == 200, url
    site.publisher.take_down(after)
    for url in (old["url"], rendition, new):
        refused(site.anyone.get(url), 404, "not_found")


def test_what_is_used_is_replaced_by_who_knows_where(site: Site) -> None:
    entry = site.publisher.publish(site.editor.upload(png()))
    news = site.publisher.live(cover=entry["id"])
    told = refused(replace(site.editor, entry), 409, "in_use")
    assert (told["total"], told["usages"]) == (1, [{"entry": news["id"], "pointer": "/fields/cover"}])
    refused(replace(site.editor, entry, params={"confirm": "2"}), 409, "in_use")
    assert data_of(replace(site.editor, entry, params={"confirm": "1"}))["revision"] == 2
    assert data_of(site.visitor.get(f"entries/{news['id']}"))["fields"]["cover"] == entry["id"]


def test_a_patch_with_other_bytes_asks_as_replacing_does(site: Site) -> None:
    entry, other = site.editor.upload(png()), site.editor.upload(png())
    site.editor.write(cover=entry["id"])
    change = {"fields": {"file": {"sha256": other["fields"]["file"]["sha256"]}}}
    for confirm in ({}, {"confirm": "2"}):
        answer = site.editor.call("PATCH", f"entries/{entry['id']}", seen=entry, json=change, params=confirm)
        assert refused(answer, 409, "in_use")["total"] == 1
    answer = site.editor.call("PATCH", f"entries/{entry['id']}", seen=entry, json=change, params={"confirm": "1"})
    assert data_of(answer)["revision"] == 2
    again = data_of(site.editor.get(f"entries/{entry['id']}"))
    same = {"fields": {"file": {"sha256": other["fields"]["file"]["sha256"]}, "alt": "New"}}
    assert data_of(site.editor.call("PATCH", f"entries/{entry['id']}", seen=again, json=same))["revision"] == 3


def test_an_image_stays_an_image_when_its_bytes_are_only_named(site: Site) -> None:
    entry, notes = site.editor.upload(png()), site.editor.upload(b"plain words", "notes.txt")
    for one, other in ((entry, notes), (notes, entry)):
        change = {"fields": {"file": {"sha256": other["fields"]["file"]["sha256"], "name": "new"}}}
        answer = site.editor.patch(f"entries/{one['id']}", json=change, headers=if_match(one))
        assert faults_of(refused(answer, 422)) == {"/fields/file": "other_kind"}


def test_an_image_stays_an_image(site: Site) -> None:
    image, paper = site.editor.upload(png()), site.editor.upload(f"Notes {fresh()}".encode(), "notes.txt")
    told = refused(replace(site.editor, image, f"Notes {fresh()}".encode(), "notes.txt"), 422, "invalid_body")
    assert faults_of(told) == {"/file": "other_kind"}
    refused(replace(site.editor, paper), 422, "invalid_body")
    refused(replace(site.editor, site.editor.write()), 409, "other_type")


def test_who_may_not_or_has_not_seen_it_is_refused(site: Site) -> None:
    entry = site.editor.upload(png())
    refused(replace(site.reader, entry), 403, "forbidden")
    refused(replace(site.stranger, entry), 401)
    refused(replace(site.editor, {**entry, "revision": 9}), 412, "stale")
    refused(replace(site.editor, {**entry, "id": "nothing"}), 404, "not_found")
    files = {"file": ("a.png", png())}
    refused(site.editor.put(f"entries/{entry['id']}/file", files=files), 428, "precondition_required")
    refused(replace(site.editor, entry, params={"confirm": "x"}), 400, "out_of_range")
    refused(replace(site.editor, entry, b"x", "broken.png"), 422, "not_an_image")


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"data": {"alt": "x"}, "files": {"file": ("a.png", b"x")}}, "/alt"),
        ({"data": {"note": "a\0b"}, "files": {"file": ("a.png", b"x")}}, "/note"),
        ({"files": {"note": (None, "x")}}, "/file"),
        ({"files": [("file", ("a.png", b"x")), ("file", ("b.png", b"y"))]}, "/file"),
        ({"files": {"other": ("a.png", b"x")}}, "/other"),
    ],
)
def test_a_form_with_anything_else_is_refused(site: Site, sent: dict[str, Any], pointer: str) -> None:
    entry = site.editor.upload(png())
    answer = site.editor.put(f"entries/{entry['id']}/file", headers=if_match(entry), **sent)
    assert pointer in faults_of(refused(answer, 422, "invalid_body"))


@pytest.mark.parametrize(("note", "code"), [("x" * 2_001, "too_long"), ("a\x1bb", "not_printable")])
def test_a_note_is_told_what_is_wrong_with_it(site: Site, note: str, code: str) -> None:
    entry = site.editor.upload(png())
    sent: dict[str, Any] = {"data": {"note": note}, "files": {"file": ("a.png", png())}}
    answer = site.editor.put(f"entries/{entry['id']}/file", headers=if_match(entry), **sent)
    assert faults_of(refused(answer, 422, "invalid_body")) == {"/note": code}


def test_bytes_that_are_no_form_are_refused(site: Site) -> None:
    entry = site.editor.upload(png())
    headers = {**if_match(entry), "Content-Type": "image/png"}
    refused(site.editor.put(f"entries/{entry['id']}/file", content=png(), headers=headers), 415)
    refused(site.editor.put(f"entries/{entry['id']}/file", json={}, headers=if_match(entry)), 415)


# --- reports ---


def reported(site: Site, report: str, entry: dict[str, Any], **asked: Any) -> list[dict[str, Any]]:
    """What a report tells of one entry."""
    found: list[dict[str, Any]] = data_of(
        site.reader.get(f"media/{report}", params={"filter[id]": entry["id"], **asked})
    )
    return found


def test_unused_files_are_reported(site: Site) -> None:
    image, used = (site.publisher.publish(site.editor.upload(png())) for _ in range(2))
    site.publisher.live(cover=used["id"])
    assert reported(site, "unused", image) == [site.reader.read(image)]
    assert reported(site, "unused", used) == []


def test_a_report_comes_in_pages(site: Site) -> None:
    for _ in range(3):
        site.editor.upload(png())
    answer = site.reader.get("media/unused", params={"page[size]": 2, "total": "true"})
    assert answer.json()["meta"]["total"] >= 3
    following = site.anyone.get(answer.json()["links"]["next"], headers=site.reader.headers)
    ids = [one["id"] for one in (*data_of(answer), *data_of(following))]
    assert len(ids) == len(set(ids)) >= 3


def test_images_without_a_text_are_reported(site: Site) -> None:
    image = site.editor.upload(png(), alt="Офис")
    assert [one["missing"] for one in reported(site, "missing-alt", image)] == [["en"]]
    assert reported(site, "missing-alt", image, locale="ru") == []
    # The live ones alone.
    assert reported(site, "missing-alt", image, state="published") == []
    site.editor.change(image, alts={"en": ""})
    assert reported(site, "missing-alt", image) == []
    refused(site.reader.get("media/missing-alt", params={"locale": "xx"}), 400, "unknown_locale")


def test_ending_rights_are_reported_with_the_places_that_they_matter_in(site: Site) -> None:
    image = site.publisher.publish(site.editor.upload(png(), rights_until="2026-01-01T00:00:00Z"))
    site.publisher.live(cover=image["id"])
    assert [one["used"] for one in reported(site, "rights", image)] == [1]
    later = site.editor.upload(png(), rights_until="2090-01-01T00:00:00Z")
    assert reported(site, "rights", later) == []
    for days in ("-1", "x", "9999", "٣"):
        refused(site.reader.get("media/rights", params={"within_days": days}), 400, "out_of_range")
    answer = site.publisher.call("PUT", f"entries/{image['id']}/publication", seen=image)
    assert "rights_ended" in [one["code"] for one in answer.json()["meta"]["warnings"]]


def test_reports_are_for_staff(site: Site) -> None:
    for report in ("unused", "missing-alt", "rights", "sweep"):
        refused(site.stranger.get(f"media/{report}"), 401)
