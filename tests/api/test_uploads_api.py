"""Several files at once, what is said beside them, pictures that look alike, words inside documents."""

import io
import secrets
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw

from api import background
from tests.api.desk import Desk, data_of, faults_of, fresh, if_match, refused
from tests.api.serving import Site
from tests.media.bytes_at_hand import HTML, picture


def notes() -> bytes:
    return f"Notes {fresh()}".encode()


def send(desk: Desk, *files: tuple[str, bytes], **form: Any) -> httpx.Response:
    return desk.post("media", files=[("file", one) for one in files], data=form)


def codes(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(one["pointer"], one["code"]) for one in answer.json()["meta"]["warnings"]]


# --- several files ---


def test_each_of_several_files_becomes_an_entry(site: Site) -> None:
    answer = send(site.editor, ("a.png", picture("PNG")), ("b.txt", notes()), ("c.txt", notes()), folder="press")
    entries = data_of(answer, 201)
    assert [(one["type"], one["fields"]["title"]) for one in entries] == [("image", "a"), ("file", "b"), ("file", "c")]
    assert {one["fields"]["folder"] for one in entries} == {"press"}
    assert answer.json()["meta"] == {"refused": [], "warnings": []}
    assert site.editor.read(entries[1]) == entries[1]


def test_one_bad_file_does_not_spoil_the_others(site: Site) -> None:
    answer = send(site.editor, ("bad.png", HTML), ("good.txt", notes()), ("empty.txt", b""))
    [entry] = data_of(answer, 201)
    assert entry["fields"]["title"] == "good"
    told = answer.json()["meta"]["refused"]
    assert [(one["name"], one["code"]) for one in told] == [("bad.png", "not_an_image"), ("empty.txt", "empty")]
    assert all(one["message"] for one in told)


def test_files_that_are_all_bad_make_nothing(site: Site) -> None:
    problem = refused(send(site.editor, ("bad.png", HTML), ("empty.txt", b"")), 422, "invalid_body")
    assert faults_of(problem) == {"/file/0": "not_an_image", "/file/1": "empty"}


def test_the_same_bytes_are_one_entry_among_several_too(site: Site) -> None:
    content = notes()
    known = site.editor.upload(content, "known.txt")
    answer = send(site.editor, ("a.txt", notes()), ("b.txt", content), ("c.txt", content))
    ids = [one["id"] for one in data_of(answer, 201)]
    assert ids[1:] == [known["id"]] * 2
    assert codes(answer) == [("/file/1", "known_file"), ("/file/2", "known_file")]


def test_several_files_are_replayed_under_their_key(site: Site) -> None:
    files = [("file", ("a.txt", notes())), ("file", ("b.txt", notes()))]
    headers = {"Idempotency-Key": fresh("key")}
    first, again = (site.editor.post("media", files=files, headers=headers) for _ in range(2))
    assert (again.status_code, again.content) == (201, first.content)
    other = site.editor.post("media", files=files[:1], headers=headers)
    refused(other, 422, "idempotency_key_reused")


def test_a_wrong_line_refuses_them_all(site: Site) -> None:
    answer = send(site.editor, ("a.txt", notes()), ("b.txt", notes()), rights_until="soon")
    assert faults_of(refused(answer, 422)).keys() == {"/fields/rights_until"}


def test_more_files_than_a_form_may_have_are_refused(site: Site) -> None:
    answer = send(site.editor, *((f"{number}.txt", b"x") for number in range(101)))
    refused(answer, 400, "too_many")


# --- what is said beside them ---


def test_what_is_said_beside_a_picture_is_kept(site: Site) -> None:
    said = {
        "alt": "Офис",
        "alts[en]": "An office",
        "caption": "Зимой.\nСнято из окна",
        "credit": "Пресс-служба",
        "licence": "CC BY 4.0",
        "folder": "/press// 2026/",
        "topics": ["офис, зима", "снег"],
        "rights_until": "2030-01-01T00:00:00+03:00",
    }
    fields = data_of(send(site.editor, ("a.png", picture("PNG")), **said), 201)["fields"]
    assert (fields["alt"], fields["alts"]) == ("Офис", {"en": "An office"})
    assert (fields["caption"], fields["credit"], fields["licence"]) == (said["caption"], "Пресс-служба", "CC BY 4.0")
    assert (fields["folder"], fields["topics"]) == ("press/2026", ["офис", "зима", "снег"])
    assert fields["rights_until"] == "2029-12-31T21:00:00.000000Z"


def test_what_is_said_beside_a_document_is_kept_where_it_has_a_place(site: Site) -> None:
    said = {"alt": "-", "alts[en]": "-", "caption": "О чём это", "credit": "HR", "topics": ""}
    fields = data_of(send(site.editor, ("a.txt", notes()), **said), 201)["fields"]
    assert (fields["description"], fields["credit"], fields["topics"]) == ("О чём это", "HR", None)


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"caption": "a\0b"}, "/caption"),
        ({"folder": "a\nb"}, "/folder"),
        ({"folder": "a/../b"}, "/fields/folder"),
        ({"folder": "/".join("abcdefghijk")}, "/fields/folder"),
        ({"rights_until": "tomorrow"}, "/fields/rights_until"),
        ({"credit": "x" * 1_001}, "/credit"),
        ({"alts[e n]": "x"}, "/alts[e n]"),
        ({"alts": "x"}, "/alts"),
        ({"topics": "x" * 201}, "/fields/topics/0"),
        ({"file": "text"}, "/file"),
    ],
)
def test_a_line_that_does_not_fit_is_refused(site: Site, form: dict[str, str], pointer: str) -> None:
    assert pointer in faults_of(refused(send(site.editor, ("n.png", picture("PNG")), **form), 422, "invalid_body"))


def test_files_under_another_name_are_refused(site: Site) -> None:
    files = [("file", ("a.txt", notes())), ("other", ("b.txt", notes()))]
    assert faults_of(refused(site.editor.post("media", files=files), 422)) == {"/other": "unknown_field"}


def test_files_under_other_names_without_end_are_refused(site: Site) -> None:
    files = [("other", ("a.txt", b"x")) for _ in range(101)]
    refused(site.editor.post("media", files=files), 400, "too_many")


def test_lines_without_end_are_refused(site: Site) -> None:
    refused(send(site.editor, ("a.txt", notes()), topics=["x"] * 400), 400, "too_many")
    refused(send(site.editor, ("a.txt", notes()), caption="x" * (2**20 + 1)), 413, "body_too_large")


def form_of(*parts: bytes, end: bytes = b"--x--\r\n") -> bytes:
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + end


FILE = b'Content-Disposition: form-data; name="file"; filename="n.txt"\r\n\r\n'


@pytest.mark.parametrize(
    "body",
    [
        form_of(FILE + b"cut short", end=b""),
        form_of(FILE + b"cut", end=b"--x"),
        form_of(b'Content-Disposition: form-data; filename="n.txt"\r\n\r\nwords'),
        form_of(b"Content-Type: text/plain\r\n\r\nwords"),
        form_of(b"X-Long: " + b"x" * 20_000 + b"\r\n\r\nwords"),
        b"--x\r\nno colon\r\n\r\n",
    ],
)
def test_a_form_that_is_cut_short_or_broken_is_refused(site: Site, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(site.editor.post("media", content=body, headers=headers), 400, "bad_request")
    assert not list(site.parts.store.incoming.glob("*.part"))


def test_a_boundary_that_cannot_be_one_is_refused(site: Site) -> None:
    for boundary in ("", "x" * 5_000):
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        refused(site.editor.post("media", content=form_of(FILE + b"x"), headers=headers), 400, "bad_request")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b\\c.txt", "пример.txt", ".txt", "x" * 3_000 + ".txt", " "])
def test_any_name_will_do(site: Site, name: str) -> None:
    entry = data_of(send(site.editor, (name, notes())), 201)
    assert "/" not in entry["fields"]["file"]["name"]


# --- the same again, and nearly the same ---


def drawing(shades: bytes, *, mark: bool = False) -> bytes:
    """A picture of 72 shades; a mark changes little of it."""
    small = Image.frombytes("L", (9, 8), shades)
    canvas = small.resize((320, 240), Image.Resampling.BICUBIC).convert("RGB")
    if mark:
        ImageDraw.Draw(canvas).rectangle((300, 220, 318, 238), fill="white")
    file = io.BytesIO()
    canvas.save(file, "PNG")
    return file.getvalue()


def test_a_picture_that_looks_like_another_is_pointed_out(site: Site) -> None:
    shades = secrets.token_bytes(72)
    first = site.editor.upload(drawing(shades), "first.png", title=fresh("Drawing "))
    answer = send(site.editor, ("again.png", drawing(shades, mark=True)))
    assert data_of(answer, 201)["id"] != first["id"]
    [warning] = [one for one in answer.json()["meta"]["warnings"] if one["code"] == "near_duplicate"]
    assert first["id"] in warning["message"]
    assert first["fields"]["title"] in warning["message"]


def test_a_picture_in_the_trash_is_not_pointed_out(site: Site) -> None:
    shades = secrets.token_bytes(72)
    first = site.editor.upload(drawing(shades), "first.png")
    data_of(site.publisher.call("DELETE", f"entries/{first['id']}", seen=first))
    assert "near_duplicate" not in dict(codes(send(site.editor, ("again.png", drawing(shades, mark=True))))).values()


def test_bytes_that_their_entry_no_longer_shows_make_another(site: Site) -> None:
    content = picture("PNG")
    first = site.editor.upload(content)
    other = site.editor.upload(picture("PNG"))["fields"]["file"]
    site.editor.change(first, file=other)
    again = site.editor.upload(content, "again.png")
    assert again["id"] != first["id"]
    assert site.editor.upload(content, "thrice.png", status=200)["id"] == again["id"]


# --- the words of documents ---


def pdf(words: str) -> bytes:
    """A page with a line of words, written by hand."""
    content = f"BT /F1 24 Tf 72 720 Td ({words}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer


def found(site: Site, desk: Desk, word: str) -> list[dict[str, Any]]:
    background.catch_up(site.parts)
    hits: list[dict[str, Any]] = data_of(desk.get("search", params={"q": word}))
    return hits


def test_a_document_is_found_by_its_words_by_whom_may_read_it(site: Site) -> None:
    word = fresh("zq")
    entry = site.editor.upload(pdf(f"Annual report {word} of the office"), "report.pdf", title=fresh("Report "))
    assert entry["fields"]["file"]["pages"] == 1
    [hit] = found(site, site.reader, word)
    assert hit["entry"]["id"] == entry["id"]
    assert found(site, site.visitor, word) == []
    site.publisher.publish(entry)
    [hit] = found(site, site.visitor, word)
    [snippet] = hit["snippets"]
    [[start, end]] = snippet["ranges"]
    assert (hit["entry"]["id"], snippet["text"][start:end]) == (entry["id"], word)
    site.publisher.take_down(site.reader.read(entry))
    assert found(site, site.visitor, word) == []
    assert found(site, site.reader, word)


def test_only_the_words_of_the_document_that_is_live_are_public(site: Site) -> None:
    old, new = fresh("zq"), fresh("zq")
    live = site.publisher.publish(site.editor.upload(pdf(f"First {old}"), "a.pdf", title=fresh("Report ")))
    other = site.editor.upload(pdf(f"Second {new}"), "b.pdf", title=fresh("Other "))
    changed = site.editor.change(live, file=other["fields"]["file"])
    assert len(found(site, site.reader, new)) == 2
    assert found(site, site.reader, old) == found(site, site.visitor, new) == []
    assert len(found(site, site.visitor, old)) == 1
    site.publisher.publish(changed)
    assert (len(found(site, site.visitor, new)), found(site, site.visitor, old)) == (1, [])


def test_the_words_survive_a_rebuild_of_the_index(site: Site) -> None:
    word = fresh("zq")
    site.publisher.publish(site.editor.upload(pdf(f"Report {word}"), "a.pdf"))
    background.catch_up(site.parts)
    for follower in site.parts.followers:
        follower.rebuild(lambda _count: None)
    assert len(found(site, site.visitor, word)) == len(found(site, site.reader, word)) == 1


# --- in use ---


@pytest.mark.parametrize("place", ["cover", "body", "banner"])
def test_a_picture_in_use_is_not_deleted(site: Site, place: str) -> None:
    image = site.editor.upload(picture("PNG"))
    pointer = {"cover": "/fields/cover", "body": "/fields/body", "banner": "/fields/creative/image"}[place]
    if place == "banner":
        user = site.administrator.write("banner", creative={"image": image["id"]}, link="/x")
    elif place == "cover":
        user = site.editor.write(cover=image["id"])
    else:
        user = site.editor.write(body={"format": "html", "value": f'<img src="entry:{image["id"]}" alt="x">'})
    answer = site.administrator.delete(f"entries/{image['id']}", headers=if_match(image))
    assert refused(answer, 409, "in_use")["usages"] == [{"entry": user["id"], "pointer": pointer}]


# --- folders ---


def test_folders_are_counted_with_what_is_below_them(site: Site) -> None:
    top = fresh("folder")
    for folder in (f"{top}/2026/winter", f"{top}/2026", f"{top}/2025", top):
        site.editor.upload(notes(), "n.txt", folder=folder)
    told = {one["folder"]: one["count"] for one in data_of(site.reader.get("media/folders"))}
    mine = {name.removeprefix(top): count for name, count in told.items() if name.startswith(top)}
    assert mine == {"": 4, "/2025": 1, "/2026": 2, "/2026/winter": 1}


def test_what_is_in_a_folder_is_listed(site: Site) -> None:
    top = fresh("folder")
    one, other = (site.editor.upload(notes(), "n.txt", folder=f"{top}/{name}") for name in ("a", "b"))
    exact = data_of(site.reader.get("entries", params={"filter[folder]": f"{top}/a"}))
    below = data_of(site.reader.get("entries", params={"filter[folder][starts]": f"{top}/", "sort": "folder"}))
    assert [entry["id"] for entry in exact] == [one["id"]]
    assert [entry["id"] for entry in below] == [one["id"], other["id"]]


def test_a_folder_is_renamed_with_what_is_below_it(site: Site) -> None:
    top, target = fresh("folder"), fresh("target")
    inside, below = (site.editor.upload(notes(), "n.txt", folder=f"{top}{rest}") for rest in ("", "/a/b"))
    beside = site.editor.upload(notes(), "n.txt", folder=f"{top}2")
    moved = data_of(site.editor.patch("media/folders", json={"from": top, "to": f"/{target}/x/", "note": "Tidy"}))
    assert moved == {"folder": f"{target}/x", "count": 2}
    after = [site.reader.read(entry) for entry in (inside, below, beside)]
    assert [entry["fields"]["folder"] for entry in after] == [f"{target}/x", f"{target}/x/a/b", f"{top}2"]
    assert [(entry["revision"], entry["saved"]["note"]) for entry in after] == [(2, "Tidy"), (2, "Tidy"), (1, None)]


def test_a_folder_can_go_into_itself(site: Site) -> None:
    top = fresh("folder")
    entry = site.editor.upload(notes(), "n.txt", folder=f"{top}/a")
    data_of(site.editor.patch("media/folders", json={"from": top, "to": f"{top}/inner"}))
    assert site.reader.read(entry)["fields"]["folder"] == f"{top}/inner/a"


@pytest.mark.parametrize(
    ("from_", "to", "pointer"),
    [("/", "a", "/from"), ("a", "a/../b", "/to"), ("a", "//", "/to"), ("a", "/".join("abcdefghijk"), "/to")],
)
def test_what_is_no_folder_is_refused(site: Site, from_: str, to: str, pointer: str) -> None:
    answer = site.editor.patch("media/folders", json={"from": from_, "to": to})
    assert faults_of(refused(answer, 422)).keys() == {pointer}


def test_a_folder_that_would_lie_too_deep_moves_nothing(site: Site) -> None:
    top = fresh("folder")
    shallow, deep = (site.editor.upload(notes(), "n.txt", folder=f"{top}{rest}") for rest in ("", "/a/b/c/d/e/f/g/h"))
    refused(site.editor.patch("media/folders", json={"from": top, "to": f"{top}/x/y"}), 422)
    assert [site.reader.read(one)["revision"] for one in (shallow, deep)] == [1, 1]


def test_renaming_a_folder_needs_the_right_to_save(site: Site) -> None:
    top = fresh("folder")
    site.editor.upload(notes(), "n.txt", folder=top)
    body = {"from": top, "to": "x"}
    refused(site.reader.patch("media/folders", json=body), 403, "forbidden")
    refused(site.stranger.patch("media/folders", json=body), 401)
    refused(site.editor.patch("media/folders", json={"from": fresh(), "to": "x"}), 404, "not_found")


def test_largest_upload_is_told(site: Site) -> None:
    assert data_of(site.reader.get("limits"))["upload_bytes"] == 2**30
