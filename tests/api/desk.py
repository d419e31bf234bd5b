"""The desk as tests use it: clients of a running server that speak as an editor would, and what answers look like."""

import itertools
import secrets
from collections.abc import Mapping
from typing import Any

import httpx

from api.problems import PROBLEM_TITLES

_numbers = itertools.count(1)
_LETTERS = "bcdfghklmnprstvz"
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


def fresh(prefix: str = "word") -> str:
    """A word that no other test has: as a title, a slug, a name, or something to search for."""
    number = next(_numbers)
    letters = "".join(_LETTERS[int(digit, 16)] for digit in f"{number:03x}") + "".join(
        secrets.choice(_LETTERS) for _ in range(5)
    )
    return f"{prefix}{letters}"


def if_match(entry: Mapping[str, Any]) -> dict[str, str]:
    """The header that says which revision was seen."""
    return {"If-Match": f'"{entry["revision"]}"'}


def data_of(answer: httpx.Response, status: int = 200) -> Any:
    """What a successful answer gives."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:1_000]}"
    return answer.json()["data"]


def refused(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem that an answer tells of, in the shape that every problem has."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:1_000]}"
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() >= PROBLEM_MEMBERS
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["code"] in PROBLEM_TITLES, f"{problem['code']} has no title"
    assert problem["type"] == f"/docs/problems#{problem['code']}"
    if code is not None:
        assert problem["code"] == code, problem
    return problem


def faults_of(problem: Mapping[str, Any]) -> dict[str, str]:
    """Where a problem finds fault, and with what: pointer to code."""
    return {fault["pointer"]: fault["code"] for fault in problem["errors"]}


def plain(text: str) -> dict[str, str]:
    """Rich text, as a caller gives it."""
    return {"format": "markdown", "value": text}


class Desk(httpx.Client):
    """The Editor API as one colleague, or one script, uses it."""

    def call(self, method: str, path: str, *, seen: Mapping[str, Any], **more: Any) -> httpx.Response:
        """A write against the revision that was seen."""
        return self.request(method, path, headers={**if_match(seen), **more.pop("headers", {})}, **more)

    def write(self, type: str = "news", *, headers: Mapping[str, str] | None = None, **given: Any) -> dict[str, Any]:
        """A new entry. Keywords of an entry are its own, all others are fields; the title is fresh unless given."""
        outer = {name: given.pop(name) for name in list(given) if name in _OUTER}
        body = {"type": type, "locale": "ru", **outer, "fields": {"title": fresh("title"), **given}}
        made: dict[str, Any] = data_of(self.post("entries", json=body, headers=headers), 201)
        return made

    def change(self, entry: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
        """Save other values of some fields."""
        answer = self.call("PATCH", f"entries/{entry['id']}", seen=entry, json={"fields": fields})
        changed: dict[str, Any] = data_of(answer)
        return changed

    def publish(self, entry: Mapping[str, Any], **said: Any) -> dict[str, Any]:
        """Make the newest revision live, or the one that is named."""
        answer = self.call("PUT", f"entries/{entry['id']}/publication", seen=entry, json=said)
        published: dict[str, Any] = data_of(answer)
        return published

    def take_down(self, entry: Mapping[str, Any], **said: Any) -> dict[str, Any]:
        """Unpublish, and say what the path answers from now on."""
        answer = self.call("DELETE", f"entries/{entry['id']}/publication", seen=entry, json=said)
        taken: dict[str, Any] = data_of(answer)
        return taken

    def live(self, type: str = "news", **given: Any) -> dict[str, Any]:
        """A new entry that visitors can read."""
        return self.publish(self.write(type, **given))

    def read(self, entry: Mapping[str, Any], **asked: Any) -> dict[str, Any]:
        """An entry as it is now."""
        now: dict[str, Any] = data_of(self.get(f"entries/{entry['id']}", params=asked))
        return now

    def person(self, **given: Any) -> dict[str, Any]:
        """A new person."""
        made: dict[str, Any] = data_of(self.post("people", json={"name": fresh("Person "), **given}), 201)
        return made

    def upload(self, content: bytes, name: str = "picture.png", *, status: int = 201, **form: str) -> dict[str, Any]:
        """A new `image` or `file` entry."""
        entry: dict[str, Any] = data_of(self.post("media", files={"file": (name, content)}, data=form), status)
        return entry

    def sections(self, *slugs: str, parent: str | None = None) -> list[str]:
        """New sections beside each other, live; their ids."""
        tree = data_of(self.get("structure"))
        operations = [{"op": "add", "parent": parent, "slug": slug, "name": slug.title()} for slug in slugs]
        answer = self.call("POST", "structure/changes", seen=tree, json={"operations": operations})
        data_of(self.call("PUT", "structure/publication", seen=data_of(answer)))
        made: list[str] = answer.json()["meta"]["sections"]
        return made


_OUTER = frozenset({"locale", "section", "slug", "owner", "byline", "source", "translation_of", "note"})
