"""Who may do what: every role against every action, on another's entry and on one's own."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.desk import Desk, data_of, fresh, refused
from tests.api.serving import Site

ROLES = ("reader", "author", "editor", "publisher", "administrator")
Act = Callable[[Desk, dict[str, Any]], httpx.Response]
LATER = {"publish_at": "2099-01-01T00:00:00Z"}


def on(method: str, path: str, body: Any = None) -> Act:
    """A write to an entry, against its revision."""
    return lambda desk, entry: desk.call(method, f"entries/{entry['id']}{path}", seen=entry, json=body)


def to(method: str, path: str, body: Callable[[], Any] = lambda: None) -> Act:
    """A call beside entries."""
    return lambda desk, _entry: desk.request(method, path, json=body())


def restructure(desk: Desk, _entry: dict[str, Any]) -> httpx.Response:
    body = {"operations": [{"op": "add", "parent": None, "slug": fresh("section"), "name": "A section"}]}
    return desk.call("POST", "structure/changes", seen=data_of(desk.get("structure")), json=body)


def upload(desk: Desk, _entry: dict[str, Any]) -> httpx.Response:
    return desk.post("media", files={"file": ("notes.txt", fresh("notes").encode())})


def bring_in(desk: Desk, _entry: dict[str, Any]) -> httpx.Response:
    return desk.post("imports", files={"file": ("rows.jsonl", b"{}")}, data={"source": fresh()})


def standing() -> dict[str, Any]:
    return {"source": fresh("feed"), "url": "https://news.example/feed.xml", "paused": True}


def news() -> dict[str, Any]:
    return {"type": "news", "locale": "ru", "fields": {"title": fresh("title")}}


ANYBODY, WRITERS, EDITORS, PUBLISHERS, ADMINISTRATORS = (ROLES[start:] for start in range(5))

TABLE: dict[str, tuple[Act, tuple[str, ...]]] = {
    "read": (lambda desk, entry: desk.get(f"entries/{entry['id']}"), ANYBODY),
    "list": (to("GET", "entries"), ANYBODY),
    "look back": (lambda desk, entry: desk.get(f"entries/{entry['id']}/revisions"), ANYBODY),
    "search": (to("GET", "search"), ANYBODY),
    "read people": (to("GET", "people"), ANYBODY),
    "create": (to("POST", "entries", news), WRITERS),
    "upload": (upload, WRITERS),
    "save": (on("PATCH", "", {"fields": {"summary": "New"}}), EDITORS),
    "restore a revision": (on("POST", "/revisions/1/restoration"), EDITORS),
    "trash": (on("DELETE", ""), EDITORS),
    "add a person": (to("POST", "people", lambda: {"name": fresh()}), EDITORS),
    "publish": (on("PUT", "/publication"), PUBLISHERS),
    "list exports": (to("GET", "exports"), PUBLISHERS),
    "export": (to("POST", "exports", lambda: {"format": "csv"}), PUBLISHERS),
    "export everything": (to("POST", "exports", lambda: {"format": "jsonl"}), ADMINISTRATORS),
    "list imports": (to("GET", "imports"), PUBLISHERS),
    "import": (bring_in, PUBLISHERS),
    "schedule": (on("PUT", "/schedule", LATER), PUBLISHERS),
    "have a feed asked": (to("POST", "standing-imports", standing), PUBLISHERS),
    "change the structure": (restructure, ADMINISTRATORS),
    "list keys": (to("GET", "keys"), ADMINISTRATORS),
    "make a key": (to("POST", "keys", lambda: {"name": fresh(), "role": "reader"}), ADMINISTRATORS),
    "read the audit": (to("GET", "audit"), ADMINISTRATORS),
    "make a content type": (lambda desk, _: desk.put(f"types/{fresh('type_')}", json={"fields": []}), ADMINISTRATORS),
}


@pytest.mark.parametrize("action", TABLE)
def test_each_role_may_what_the_table_says(site: Site, action: str) -> None:
    act, allowed = TABLE[action]
    for role in ROLES:
        answer = act(site.desks[role], site.publisher.write())
        if role in allowed:
            assert answer.is_success, (role, answer.text)
        else:
            refused(answer, 403, "forbidden")


def test_an_author_changes_and_trashes_what_is_their_own(site: Site) -> None:
    entry = site.author.change(site.author.write(), summary="Mine")
    refused(site.author.call("PUT", f"entries/{entry['id']}/publication", seen=entry), 403, "forbidden")
    data_of(site.author.call("DELETE", f"entries/{entry['id']}", seen=entry))
    data_of(site.author.post(f"entries/{entry['id']}/restoration"))


def test_who_may_not_publish_does_not_take_down_by_trashing(site: Site) -> None:
    entry = site.publisher.live()
    refused(site.editor.call("DELETE", f"entries/{entry['id']}", seen=entry), 403, "forbidden")
    data_of(site.visitor.get(f"entries/{entry['id']}"))


@pytest.mark.parametrize("type", ["structure", "settings"])
def test_how_the_site_hangs_together_is_for_administrators(site: Site, type: str) -> None:
    (entry,) = data_of(site.publisher.get("entries", params={"type": type}))
    for act in (on("PATCH", "", {"fields": {"title": "X"}}), on("PUT", "/publication"), on("DELETE", "")):
        refused(act(site.publisher, entry), 403, "forbidden")
    refused(on("DELETE", "")(site.administrator, entry), 409, "single_type")
    body = {"type": type, "locale": "ru", "fields": {"title": "Another"}}
    refused(site.publisher.post("entries", json=body), 403, "forbidden")
    refused(site.administrator.post("entries", json=body), 409, "single_type")


def test_people_who_sign_in_are_for_administrators(site: Site) -> None:
    person = site.editor.person(email=f"{fresh()}@example.org")
    body = {"role": "administrator", "password": "x" * 12}
    for role in ROLES[:-1]:
        refused(site.desks[role].put(f"people/{person['id']}/user", json=body), 403, "forbidden")
        refused(site.desks[role].patch(f"people/{person['id']}", json={"name": "X"}), 403, "forbidden")


def test_a_refusal_changes_nothing(site: Site) -> None:
    entry = site.editor.write()
    for act, _ in TABLE.values():
        act(site.reader, entry)
    assert site.reader.read(entry) == entry


def test_everybody_is_told_what_they_may(site: Site) -> None:
    for role in ROLES:
        me = data_of(site.desks[role].get("me"))
        assert (me["role"], "publish" in me["may"]) == (role, role in PUBLISHERS)
