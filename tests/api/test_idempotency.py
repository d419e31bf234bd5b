"""Sending a POST again does not do it again."""

import threading
from typing import Any

import httpx

from tests.api.desk import Desk, data_of, fresh, if_match, refused
from tests.api.serving import Site


def news(title: str) -> dict[str, Any]:
    return {"type": "news", "locale": "ru", "fields": {"title": title}}


def send(desk: Desk, path: str, key: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return desk.post(path, json=body, headers={"Idempotency-Key": key, **headers})


def titled(desk: Desk, title: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(desk.get("entries", params={"filter[title]": title}))
    return found


def test_the_first_answer_is_replayed(site: Site) -> None:
    key, title = fresh("key"), fresh("title")
    first = send(site.editor, "entries", key, news(title))
    again = send(site.editor, "entries", key, news(title))
    assert (again.status_code, again.content) == (201, first.content)
    assert {name: again.headers[name] for name in ("etag", "location", "content-type", "cache-control")} == {
        name: first.headers[name] for name in ("etag", "location", "content-type", "cache-control")
    }
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(titled(site.editor, title)) == 1


def test_the_same_key_with_another_body_is_refused(site: Site) -> None:
    key = fresh("key")
    data_of(send(site.editor, "entries", key, news("One")), 201)
    refused(send(site.editor, "entries", key, news("Two")), 422, "idempotency_key_reused")


def test_the_same_key_at_another_address_is_refused(site: Site) -> None:
    key = fresh("key")
    data_of(send(site.administrator, "people", key, {"name": "One"}), 201)
    refused(send(site.administrator, "entries", key, news("One")), 422, "idempotency_key_reused")


def test_keys_of_different_actors_do_not_meet(site: Site) -> None:
    key, title = fresh("key"), fresh("title")
    mine = data_of(send(site.editor, "entries", key, news(title)), 201)
    theirs = data_of(send(site.publisher, "entries", key, news(title)), 201)
    assert mine["id"] != theirs["id"]


def test_a_refusal_is_not_kept(site: Site) -> None:
    key, title = fresh("key"), fresh("title")
    refused(send(site.editor, "entries", key, {**news(title), "locale": "xx"}), 422)
    data_of(send(site.editor, "entries", key, news(title)), 201)


def test_a_key_of_odd_bytes_is_refused(site: Site) -> None:
    for key in ("ключ".encode(), b"x" * 256, b"tab\there"):
        answer = site.editor.post("entries", json=news("T"), headers=[(b"Idempotency-Key", key)])
        refused(answer, 400, "malformed_header")


def test_many_at_once_make_one(site: Site) -> None:
    key, title = fresh("key"), fresh("title")
    answers: list[httpx.Response] = []
    senders = [
        threading.Thread(target=lambda: answers.append(send(site.editor, "entries", key, news(title))))
        for _ in range(8)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len({data_of(answer, 201)["id"] for answer in answers}) == 1
    assert len(titled(site.editor, title)) == 1


def test_bringing_back_an_old_revision_is_replayed(site: Site) -> None:
    entry = site.editor.change(site.editor.write(summary="One"), summary="Two")
    key, path = fresh("key"), f"entries/{entry['id']}/revisions/1/restoration"
    first = data_of(send(site.editor, path, key, {}, **if_match(entry)), 201)
    assert data_of(send(site.editor, path, key, {}, **if_match(entry)), 201) == first
    assert site.editor.read(entry)["revision"] == 3


def test_taking_out_of_the_trash_is_replayed(site: Site) -> None:
    entry = site.editor.write()
    site.editor.call("DELETE", f"entries/{entry['id']}", seen=entry)
    key, path = fresh("key"), f"entries/{entry['id']}/restoration"
    first = data_of(send(site.editor, path, key, {}))
    assert data_of(send(site.editor, path, key, {})) == first


def test_sections_are_added_once(site: Site) -> None:
    tree = data_of(site.administrator.get("structure"))
    body = {"operations": [{"op": "add", "parent": None, "slug": fresh("section"), "name": "Once"}]}
    key = fresh("key")
    first = send(site.administrator, "structure/changes", key, body, **if_match(tree))
    again = send(site.administrator, "structure/changes", key, body, **if_match(tree))
    assert first.status_code == again.status_code == 200
    assert first.content == again.content


def test_a_replayed_api_key_does_not_show_its_token_again(site: Site) -> None:
    key, body = fresh("key"), {"name": fresh("script"), "role": "reader"}
    first = data_of(send(site.administrator, "keys", key, body), 201)
    again = data_of(send(site.administrator, "keys", key, body), 201)
    assert first["token"]
    assert again == {**first, "token": None}
    assert len(data_of(site.administrator.get("keys", params={"filter[name]": body["name"]}))) == 1
