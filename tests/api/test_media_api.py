"""Uploads over HTTP: bytes in, an entry and a safe address out."""

import hashlib
import http.client
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api.uploads import LARGEST_UPLOAD
from tests.api.desk import Desk, data_of, faults_of, fresh, if_match, refused
from tests.api.serving import Site
from tests.media.bytes_at_hand import HTML, SVG, picture, png_of


def png() -> bytes:
    """A picture that no other test has."""
    return picture("PNG")


def notes() -> bytes:
    return f"Notes {fresh()}".encode()


def send(desk: Desk, content: bytes, name: str = "picture.png", **form: str) -> httpx.Response:
    return desk.post("media", files={"file": (name, content)}, data=form)


def test_a_picture_becomes_an_image_entry(site: Site) -> None:
    content = png()
    entry = site.editor.upload(content, "Офис зимой.png", alt="Офис")
    assert (entry["type"], entry["fields"]["title"], entry["fields"]["alt"]) == ("image", "Офис зимой", "Офис")
    file = entry["fields"]["file"]
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert (file["media_type"], file["size"], file["width"], file["height"]) == ("image/png", len(content), 40, 30)
    assert file["url"].startswith(f"/media/{file['sha256']}/ofis-zimoi.png?signature=")


def test_any_other_bytes_become_a_file_entry(site: Site) -> None:
    entry = site.editor.upload(notes(), "notes.txt", title="Minutes", locale="en")
    assert (entry["type"], entry["locale"], entry["fields"]["title"]) == ("file", "en", "Minutes")


def test_what_the_bytes_are_counts_and_not_their_name(site: Site) -> None:
    assert site.editor.upload(png(), "notes.txt")["fields"]["file"]["media_type"] == "image/png"


def test_the_same_bytes_again_give_the_same_entry(site: Site) -> None:
    content = png()
    first = site.editor.upload(content, "one.png")
    answer = send(site.publisher, content, "two.png", title="Other")
    assert data_of(answer, 200)["id"] == first["id"]
    assert [one["code"] for one in answer.json()["meta"]["warnings"]] == ["known_file"]


def test_an_upload_is_replayed_under_its_key(site: Site) -> None:
    headers, files = {"Idempotency-Key": fresh("key")}, {"file": ("picture.png", png())}
    first, again = (site.editor.post("media", files=files, headers=headers) for _ in range(2))
    assert (again.status_code, again.content) == (201, first.content)
    other = {"file": ("picture.png", png())}
    refused(site.editor.post("media", files=other, headers=headers), 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "empty.png", "empty"),
        (HTML, "page.png", "not_an_image"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "broken.png", "unreadable"),
        (png_of(9_000, 9_000), "bomb.png", "too_many_pixels"),
        (b"MZ" + b"\0" * 200, "setup.exe", "executable"),
        (SVG.replace(b"<path", b"<!--"), "open.svg", "unreadable"),
    ],
)
def test_what_is_not_what_it_seems_is_refused(site: Site, content: bytes, name: str, code: str) -> None:
    assert faults_of(refused(send(site.editor, content, name), 422, code)) == {"/file": code}


def test_a_truncated_image_is_refused(site: Site) -> None:
    content = picture("JPEG", (400, 300))
    refused(send(site.editor, content[: len(content) // 2], "cut.jpg"), 422, "unreadable")


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"title": "a\0b"}, "/title"),
        ({"alt": "a\nb"}, "/alt"),
        ({"title": "x" * 501}, "/title"),
        ({"locale": "xx"}, "/locale"),
        ({"locale": "x" * 36}, "/locale"),
        ({"nonsense": "x"}, "/nonsense"),
        ({"title": "   "}, "/fields/title"),
    ],
)
def test_what_comes_beside_the_file_is_checked(site: Site, form: dict[str, str], pointer: str) -> None:
    assert pointer in faults_of(refused(send(site.editor, notes(), "n.txt", **form), 422, "invalid_body"))


def test_an_upload_without_a_file_is_refused(site: Site) -> None:
    empty = site.editor.post("media", files={"title": (None, "T")})
    assert faults_of(refused(empty, 422)) == {"/file": "missing"}
    text = site.editor.post("media", files={"file": (None, "text")})
    assert "/file" in faults_of(refused(text, 422))
    refused(site.editor.post("media", content=b"x", headers={"Content-Type": "image/png"}), 415)
    refused(site.editor.post("media", json={}), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--", b"\0" * 100]
)
def test_a_broken_form_is_refused(site: Site, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = site.editor.post("media", content=body, headers=headers)
    assert refused(answer, answer.status_code)["status"] in (400, 422)
    refused(site.editor.post("media", content=body, headers={"Content-Type": "multipart/form-data"}), 400)


def announce(site: Site, headers: dict[str, str], size: int) -> tuple[int, dict[str, str]]:
    """Announce a body of some size and send nothing of it."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=20)
    connection.putrequest("POST", "/editor/v1/media")
    for name, value in {"Content-Type": "multipart/form-data; boundary=x", **headers}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    answer = connection.getresponse()
    told = answer.status, {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return told


def test_a_file_over_the_limit_is_refused_unread(site: Site) -> None:
    headers = {name: site.editor.headers[name] for name in ("cookie", "x-csrf-token")}
    status, told = announce(site, headers, LARGEST_UPLOAD + 2**22)
    assert (status, told["content-type"], told["connection"]) == (413, "application/problem+json", "close")


def test_a_stranger_s_upload_is_refused_unread(site: Site) -> None:
    assert announce(site, {}, 2**20)[0] == 401
    refused(send(site.reader, notes(), "n.txt"), 403, "forbidden")


# --- serving ---


def address(site: Site, entry: dict[str, Any]) -> str:
    url: str = site.reader.read(entry)["fields"]["file"]["url"]
    return url


def test_a_file_opens_to_the_public_when_its_entry_is_live(site: Site) -> None:
    content = png()
    entry = site.editor.upload(content)
    signed = address(site, entry)
    bare = signed.partition("?")[0]
    refused(site.anyone.get(bare), 404, "not_found")
    staff = site.anyone.get(signed)
    assert (staff.content, staff.headers["cache-control"]) == (content, "private, max-age=3600, immutable")
    site.publisher.publish(entry)
    assert address(site, entry) == bare
    public = site.anyone.get(bare)
    assert (public.content, public.headers["cache-control"]) == (content, "public, max-age=31536000, immutable")


def test_a_file_closes_when_its_entry_is_taken_down(site: Site) -> None:
    entry = site.publisher.publish(site.editor.upload(png()))
    url = address(site, entry)
    site.publisher.take_down(entry)
    refused(site.anyone.get(url), 404, "not_found")


@pytest.mark.parametrize("signature", ["", "x", "0" * 32, "ключ", "0" * 3_000])
def test_a_wrong_signature_opens_nothing(site: Site, signature: str) -> None:
    url = address(site, site.editor.upload(png())).partition("?")[0]
    refused(site.anyone.get(url, params={"signature": signature}), 404, "not_found")


def test_another_file_s_signature_opens_nothing(site: Site) -> None:
    first, second = (address(site, site.editor.upload(png())) for _ in range(2))
    refused(site.anyone.get(first.partition("?")[0] + "?" + second.partition("?")[2]), 404)


def test_a_file_is_served_safely(site: Site) -> None:
    entry = site.publisher.publish(site.editor.upload(png(), 'Отчёт "год".png'))
    answer = site.anyone.get(address(site, entry))
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('inline; filename="')
    assert disposition.count('"') == 2
    assert "filename*=UTF-8''%D0%9E%D1%82%D1%87" in disposition


def test_a_name_that_is_only_drafted_is_not_told(site: Site) -> None:
    entry = site.editor.upload(png(), "first.png")
    live = site.publisher.publish(site.editor.change(entry, file={**entry["fields"]["file"], "name": "second.png"}))
    site.editor.change(live, file={**live["fields"]["file"], "name": "third.png"})
    disposition = site.anyone.get(address(site, live)).headers["content-disposition"]
    assert disposition == "inline; filename=\"second.png\"; filename*=UTF-8''second.png"


@pytest.mark.parametrize(("content", "name"), [(HTML, "page.html"), (SVG, "drawing.svg"), (b"x,y\n1,2", "t.csv")])
def test_what_a_browser_might_run_is_only_downloaded(site: Site, content: bytes, name: str) -> None:
    unlike = content + f"<!-- {fresh()} -->".encode()
    entry = site.publisher.publish(site.editor.upload(unlike, name))
    answer = site.anyone.get(address(site, entry))
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "html" not in answer.headers["content-type"]


def test_a_file_is_not_sent_to_who_has_it(site: Site) -> None:
    entry = site.publisher.publish(site.editor.upload(png()))
    first = site.anyone.get(address(site, entry))
    again = site.anyone.get(address(site, entry), headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = site.anyone.head(address(site, entry))
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(first.content)), b"")


def test_part_of_a_file_can_be_asked_for(site: Site) -> None:
    content = png()
    entry = site.publisher.publish(site.editor.upload(content))
    part = site.anyone.get(address(site, entry), headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content[10:20])
    for asked in ("bytes=9999999-", "bytes=x", "bytes=5-1", "lines=1-2", "bytes=-0", "bytes=-", "bytes=1-2,3-4", ""):
        answer = site.anyone.get(address(site, entry), headers={"Range": asked})
        refused(answer, 416, "range_not_satisfiable")


@pytest.mark.parametrize("path", ["x/y", "0" * 64 + "/x", "../../etc/passwd", "%2e%2e/%2e%2e", "x" * 3_000 + "/y"])
def test_an_unknown_file_is_not_found(site: Site, path: str) -> None:
    refused(site.anyone.get(f"/media/{path}"), 404, "not_found")


# --- the value in editor answers ---


def test_lists_and_revisions_have_addresses_too(site: Site) -> None:
    entry = site.editor.upload(png())
    url = entry["fields"]["file"]["url"]
    (listed,) = data_of(site.reader.get("entries", params={"filter[id]": entry["id"]}))
    revision = data_of(site.reader.get(f"entries/{entry['id']}/revisions/1"))
    assert listed["fields"]["file"]["url"] == revision["fields"]["file"]["url"] == url


def test_a_file_s_value_may_be_sent_back(site: Site) -> None:
    entry = site.editor.upload(png())
    same = site.editor.change(entry, file=entry["fields"]["file"])
    assert (same["revision"], same["fields"]) == (1, entry["fields"])
    other = site.editor.upload(png())
    changed = site.editor.change(entry, file=other["fields"]["file"])
    assert changed["fields"]["file"] == other["fields"]["file"]


def test_a_file_is_named_by_its_hash_alone(site: Site) -> None:
    file = site.editor.upload(png())["fields"]["file"]
    made = site.editor.write("image", file={"sha256": file["sha256"], "width": 9, "media_type": "text/html"})
    assert made["fields"]["file"] == file


@pytest.mark.parametrize("file", [{"sha256": "0" * 64}, {"sha256": 7}, {"sha256": None}, {}, {"sha256": ["x"]}, "x", 7])
def test_a_file_that_was_not_received_is_refused(site: Site, file: object) -> None:
    body = {"type": "image", "locale": "ru", "fields": {"title": "T", "file": file}}
    assert "/fields/file" in faults_of(refused(site.editor.post("entries", json=body), 422, "invalid_body"))


def test_a_picture_shows_in_a_published_text(site: Site) -> None:
    image = site.publisher.publish(site.editor.upload(png()))
    html = {"format": "html", "value": f'<p>See</p><img src="entry:{image["id"]}" alt="Office">'}
    news = site.publisher.live(cover=image["id"], body=html)
    shown = data_of(site.visitor.get(f"entries/{news['id']}"))["fields"]["body"]
    assert address(site, image) in shown
    taken = site.publisher.take_down(image)
    assert address(site, taken).partition("?")[0] not in site.visitor.get(f"entries/{news['id']}").text


def test_replacing_a_picture_keeps_the_draft_s_bytes_hidden(site: Site) -> None:
    image = site.publisher.publish(site.editor.upload(png()))
    other = site.editor.upload(png())["fields"]["file"]
    body = {"fields": {"file": other}}
    data_of(site.editor.patch(f"entries/{image['id']}", json=body, headers=if_match(image)))
    refused(site.anyone.get(other["url"].partition("?")[0]), 404, "not_found")
