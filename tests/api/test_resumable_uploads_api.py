"""Resumable uploads by tus 1.0, as any of its clients makes them."""

import base64
import hashlib
import http.client
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api.resumable import KEPT_FOR, MOST_OF_ONE, Pieces
from api.uploads import LARGEST_UPLOAD
from cms.errors import NotFound, WrongState
from tests.api.desk import Desk, data_of, faults_of, fresh, refused
from tests.api.serving import Site
from tests.cast import HeldClock
from tests.media.bytes_at_hand import picture

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def metadata(**said: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


def begin(desk: Desk, length: int, **said: str) -> str:
    """The path of a new upload."""
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(**said)}
    answer = desk.post("uploads", headers=headers)
    data_of(answer, 201)
    return answer.headers["location"].removeprefix("/editor/v1/")


def send(desk: Desk, path: str, piece: bytes, at: int, **headers: str) -> httpx.Response:
    return desk.patch(path, content=piece, headers={**PIECE, "Upload-Offset": str(at), **headers})


@pytest.fixture(autouse=True)
def tidy(site: Site) -> Iterator[None]:
    """Nobody is left with uploads under way."""
    yield
    for path in (site.parts.store.incoming / "pieces").glob("*"):
        path.unlink()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what another thread brings about."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_is_spoken_can_be_asked(site: Site) -> None:
    answer = site.stranger.options("uploads")
    assert answer.status_code == 204
    told = {name: answer.headers[name] for name in ("tus-version", "tus-extension", "tus-max-size")}
    assert told == {
        "tus-version": "1.0.0",
        "tus-extension": "creation,expiration,termination",
        "tus-max-size": str(LARGEST_UPLOAD),
    }


def test_a_file_comes_in_pieces_and_becomes_an_entry(site: Site) -> None:
    content = picture("PNG")
    path = begin(site.editor, len(content), filename="Офис.png", filetype="image/png", alt="Офис", folder="/press/")
    first = send(site.editor, path, content[:100], 0)
    assert (first.status_code, first.headers["upload-offset"]) == (204, "100")
    assert "sitedesk-entry" not in first.headers
    half = site.editor.head(path, headers=TUS)
    assert (half.status_code, half.content) == (200, b"")
    assert (half.headers["upload-offset"], half.headers["upload-length"]) == ("100", str(len(content)))
    assert half.headers["cache-control"] == "private, no-store"
    last = send(site.editor, path, content[100:], 100)
    assert last.headers["upload-offset"] == str(len(content))
    entry = site.editor.read({"id": last.headers["sitedesk-entry"]})
    assert (entry["type"], entry["fields"]["title"], entry["fields"]["alt"]) == ("image", "Офис", "Офис")
    assert entry["fields"]["folder"] == "press"
    assert entry["fields"]["file"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert site.anyone.get(entry["fields"]["file"]["url"]).content == content


def test_who_lost_the_last_answer_can_ask_for_the_entry(site: Site) -> None:
    content = fresh().encode()
    path = begin(site.editor, len(content), filename="notes.txt")
    entry = send(site.editor, path, content, 0).headers["sitedesk-entry"]
    told = data_of(site.editor.get(path))
    assert (told["entry"], told["offset"], told["length"]) == (entry, len(content), len(content))
    again = send(site.editor, path, b"", len(content))
    assert (again.status_code, again.headers["sitedesk-entry"]) == (204, entry)
    refused(send(site.editor, path, content, 0), 409, "upload_offset")


def test_the_same_bytes_end_at_the_entry_that_has_them(site: Site) -> None:
    content = fresh().encode()
    known = site.editor.upload(content, "a.txt")
    path = begin(site.editor, len(content), filename="b.txt")
    assert send(site.editor, path, content, 0).headers["sitedesk-entry"] == known["id"]


def test_a_piece_that_broke_off_is_gone_on_from(site: Site) -> None:
    content = b"a" * 50 + fresh().encode() + b"b" * 50
    path = begin(site.editor, len(content), filename="notes.txt")
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=20)
    connection.putrequest("PATCH", f"/editor/v1/{path}")
    kept = {name: site.editor.headers[name] for name in ("cookie", "x-csrf-token")}
    for name, value in {**kept, **PIECE, "Upload-Offset": "0", "Content-Length": str(len(content))}.items():
        connection.putheader(name, value)
    connection.endheaders(content[:50])
    eventually(lambda: site.editor.head(path).headers["upload-offset"] == "50")
    refused(send(site.editor, path, b"x", 50), 409, "upload_busy")
    connection.close()
    eventually(lambda: send(site.editor, path, b"", 50).status_code == 204)
    rest = send(site.editor, path, content[50:], 50)
    file = site.editor.read({"id": rest.headers["sitedesk-entry"]})["fields"]["file"]
    assert file["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_piece_goes_on_where_the_last_one_ended(site: Site) -> None:
    path = begin(site.editor, 10, filename="n.txt")
    assert send(site.editor, path, b"abc", 0).status_code == 204
    for offset in (0, 2, 4):
        assert refused(send(site.editor, path, b"x", offset), 409, "upload_offset")["offset"] == 3
    for wrong in ("", "x", "-1", "1e3", "9" * 30):
        answer = site.editor.patch(path, content=b"x", headers={**PIECE, "Upload-Offset": wrong})
        refused(answer, 400, "malformed_header")


def test_more_than_was_announced_is_refused(site: Site) -> None:
    path = begin(site.editor, 3, filename="n.txt")
    refused(send(site.editor, path, b"abcd", 0), 413, "body_too_large")
    assert site.editor.head(path).headers["upload-offset"] == "0"


def test_only_pieces_are_taken(site: Site) -> None:
    path = begin(site.editor, 3, filename="n.txt")
    for media_type in ("application/octet-stream", "text/plain", "multipart/form-data; boundary=x"):
        answer = send(site.editor, path, b"abc", 0, **{"Content-Type": media_type})
        refused(answer, 415, "unsupported_media_type")


def test_what_is_no_acceptable_file_is_refused_at_the_end_and_gone(site: Site) -> None:
    content = b"MZ" + b"\0" * 200
    path = begin(site.editor, len(content), filename="setup.exe")
    refused(send(site.editor, path, content, 0), 422, "executable")
    refused(site.editor.get(path), 404, "not_found")
    assert not list((site.parts.store.incoming / "pieces").iterdir())


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, "malformed_header"),
        ({"Upload-Length": "x"}, 400, "malformed_header"),
        ({"Upload-Length": "-5"}, 400, "malformed_header"),
        ({"Upload-Defer-Length": "1"}, 400, "malformed_header"),
        ({"Upload-Length": "0"}, 422, "empty"),
        ({"Upload-Length": str(LARGEST_UPLOAD + 1)}, 413, "body_too_large"),
        ({"Upload-Length": "9" * 18}, 413, "body_too_large"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename %%%"}, 400, "malformed_header"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename /w=="}, 400, "malformed_header"),
        ({"Upload-Length": "5", "Upload-Metadata": metadata(nonsense="x")}, 422, "invalid_body"),
        ({"Upload-Length": "5", "Upload-Metadata": metadata(locale="xx")}, 422, "invalid_body"),
        ({"Upload-Length": "5", "Upload-Metadata": metadata(folder="a/../b")}, 422, "invalid_body"),
        ({"Upload-Length": "5", "Upload-Metadata": metadata(title="a\0b")}, 422, "invalid_body"),
        ({"Upload-Length": "5", "Tus-Resumable": "0.2.2"}, 412, "tus_version"),
    ],
)
def test_what_cannot_become_an_upload_is_refused_at_once(
    site: Site, headers: dict[str, str], status: int, code: str
) -> None:
    answer = site.editor.post("uploads", headers={**TUS, **headers})
    refused(answer, status, code)
    assert status != 412 or answer.headers["tus-version"] == "1.0.0"


def test_an_upload_can_be_given_up(site: Site) -> None:
    path = begin(site.editor, 10, filename="n.txt")
    send(site.editor, path, b"abc", 0)
    assert site.editor.delete(path, headers=TUS).status_code == 204
    refused(site.editor.get(path), 404, "not_found")
    refused(send(site.editor, path, b"d", 3), 404, "not_found")


def test_an_upload_is_its_owner_s_alone(site: Site) -> None:
    path = begin(site.editor, 10, filename="n.txt")
    for other in (site.publisher, site.administrator):
        refused(other.get(path), 404, "not_found")
        refused(send(other, path, b"x", 0), 404, "not_found")
        refused(other.delete(path), 404, "not_found")
    refused(site.stranger.get(path), 401)
    refused(send(site.stranger, path, b"x", 0), 401)
    assert site.editor.head(path).headers["upload-offset"] == "0"


def test_who_may_not_upload_cannot_begin(site: Site) -> None:
    headers = {**TUS, "Upload-Length": "5"}
    refused(site.reader.post("uploads", headers=headers), 403, "forbidden")
    refused(site.stranger.post("uploads", headers=headers), 401)
    without_token = site.desk(cookie=site.editor.headers["cookie"])
    refused(without_token.post("uploads", headers=headers), 403, "csrf")
    path = begin(site.editor, 5, filename="n.txt")
    refused(send(without_token, path, b"abcde", 0), 403, "csrf")


@pytest.mark.parametrize(
    "id", ["x", "..", "%2e%2e%2fsecret", "0" * 32, "a" * 500, "01900000-0000-7000-8000-000000000000"]
)
def test_an_unknown_upload_is_not_found(site: Site, id: str) -> None:
    refused(site.editor.get(f"uploads/{id}"), 404, "not_found")


def test_beginning_can_be_repeated_without_a_second_upload(site: Site) -> None:
    headers = {**TUS, "Upload-Length": "5", "Idempotency-Key": fresh("key")}
    first, again = (site.editor.post("uploads", headers=headers) for _ in range(2))
    assert first.headers["location"] == again.headers["location"]


def test_what_is_said_of_whom_it_is_for_is_kept(site: Site) -> None:
    person = site.administrator.person()["id"]
    content = fresh().encode()
    path = begin(site.editor, len(content), filename="n.txt")
    last = send(site.editor, path, content, 0, **{"On-Behalf-Of": person, "For-Request": "412"})
    saved = site.editor.read({"id": last.headers["sitedesk-entry"]})["saved"]
    assert (saved["on_behalf_of"]["id"], saved["request"]) == (person, 412)


def test_a_wrong_person_costs_no_bytes(site: Site) -> None:
    content = fresh().encode()
    path = begin(site.editor, len(content), filename="n.txt")
    answer = send(site.editor, path, content, 0, **{"On-Behalf-Of": "nobody"})
    assert faults_of(refused(answer, 422)) == {"On-Behalf-Of": "unknown_person"}
    assert send(site.editor, path, b"", len(content)).headers["sitedesk-entry"]


def test_the_end_of_an_upload_s_time_is_told(site: Site) -> None:
    answer = site.editor.post("uploads", headers={**TUS, "Upload-Length": "5"})
    left = parsedate_to_datetime(answer.headers["upload-expires"]) - site.parts.clock()
    assert KEPT_FOR - timedelta(minutes=1) < left <= KEPT_FOR


# --- the pieces themselves ---


def test_old_uploads_are_gone_and_swept(tmp_path: Path, clock: HeldClock) -> None:
    pieces = Pieces(tmp_path / "pieces", clock)
    old = pieces.begin("olga", 5, [("filename", "a")])
    assert pieces.find(old.id, owner="olga") == old
    clock.pass_by(hours=48)
    with pytest.raises(NotFound):
        pieces.find(old.id, owner="olga")
    fresh_one = pieces.begin("olga", 5, [])
    assert {path.stem for path in (tmp_path / "pieces").iterdir()} == {fresh_one.id}


def test_what_a_crash_has_left_is_swept_in_time(tmp_path: Path, clock: HeldClock) -> None:
    pieces = Pieces(tmp_path, clock)
    for name in ("a.data", "b.json", "c.new"):
        (tmp_path / name).write_bytes(b"{")
        os.utime(tmp_path / name, (clock().timestamp(), clock().timestamp()))
    first = pieces.begin("olga", 5, [])
    assert len(list(tmp_path.iterdir())) == 5
    clock.pass_by(hours=47)
    second = pieces.begin("olga", 5, [])
    clock.pass_by(hours=1)
    third = pieces.begin("olga", 5, [])
    assert first.id != second.id
    assert {path.stem for path in tmp_path.iterdir()} == {second.id, third.id}


def test_nobody_has_more_than_so_many_under_way(tmp_path: Path, clock: HeldClock) -> None:
    pieces = Pieces(tmp_path / "pieces", clock)
    uploads = [pieces.begin("olga", 5, []) for _ in range(MOST_OF_ONE)]
    pieces.begin("pavel", 5, [])
    with pytest.raises(WrongState) as refusal:
        pieces.begin("olga", 5, [])
    assert refusal.value.code == "too_many_uploads"
    pieces.end(uploads[0], entry="x")
    pieces.begin("olga", 5, [])


def test_two_do_not_write_into_one_upload(tmp_path: Path, clock: HeldClock) -> None:
    pieces = Pieces(tmp_path / "pieces", clock)
    upload = pieces.begin("olga", 5, [])
    with pieces.taking(upload) as file:
        file.write(b"ab")
        with pytest.raises(WrongState) as refusal, pieces.taking(upload):
            pass
        assert refusal.value.code == "upload_busy"
    with pieces.taking(upload) as file:
        file.write(b"c")
    assert pieces.offset(upload) == 3
