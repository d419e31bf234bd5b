"""Missing paths over HTTP: from a visitor's 404 to a redirect, with guesses at what was meant."""

from typing import Any

import pytest

from api import background
from tests.api.desk import data_of, faults_of, fresh, refused
from tests.api.serving import Site
from tests.api.test_search_api import eventually, found


def missed(site: Site, path: str, *, hits: int = 1) -> dict[str, Any]:
    """A path that a visitor did not find, once it is counted."""
    for _ in range(hits):
        refused(site.visitor.get("resolve", params={"path": path}), 404)
    return counted(site, path)


def counted(site: Site, path: str) -> dict[str, Any]:
    """A missing path as staff see it. The server writes its counts every few seconds: here it need not wait."""
    rows: list[dict[str, Any]] = []

    def written() -> bool:
        background.write_counts(site.parts)
        rows[:] = data_of(site.reader.get("missing-paths", params={"filter[path]": path}))
        return bool(rows)

    # The server may have taken the counts just now, and be writing them.
    eventually(written)
    return rows[0]


@pytest.fixture
def path() -> str:
    return f"/{fresh('missing')}"


def test_what_resolve_does_not_find_is_counted(site: Site, path: str) -> None:
    row = missed(site, path, hits=3)
    assert (row["path"], row["hits"], row["state"], row["redirect"], row["guesses"]) == (path, 3, "open", None, None)


def test_what_a_page_does_not_find_is_counted(site: Site, path: str) -> None:
    refused(site.visitor.get("page", params={"path": path}), 404)
    assert counted(site, path)["hits"] == 1


def test_one_call_makes_the_redirect_that_was_guessed(site: Site, path: str) -> None:
    entry = site.publisher.live(slug=path.strip("/"), section=site.administrator.sections(fresh("section"))[0])
    row = missed(site, path)
    guesses = data_of(site.reader.get(f"missing-paths/{row['id']}"))["guesses"]
    assert (guesses[0]["entry"], guesses[0]["path"], guesses[0]["reason"]) == (
        entry["id"], entry["path"], "similar slug"
    )  # fmt: skip
    body = {"to": guesses[0]["entry"], "status": 308}
    made = site.publisher.put(f"missing-paths/{row['id']}/redirect", json=body)
    rule = data_of(made, 201)
    assert (rule["path"], rule["status"], rule["source"]) == (path, 308, "manual")
    assert data_of(site.visitor.get("resolve", params={"path": path}))["to"] == entry["path"]
    now = data_of(site.reader.get(f"missing-paths/{row['id']}"))
    assert (now["state"], now["redirect"]) == ("redirected", rule["id"])
    refused(site.publisher.put(f"missing-paths/{row['id']}/redirect", json=body), 409, "redirect_exists")
    refused(site.publisher.patch(f"missing-paths/{row['id']}", json={"state": "open"}), 409)


def test_search_guesses_by_words(site: Site) -> None:
    word = fresh("word")
    entry = site.publisher.live(title=f"{word} of the house", slug=fresh("other"))
    eventually(lambda: found(site.visitor, word) == [entry["id"]])
    row = missed(site, f"/old/{word}/page.html")
    asked = {"filter[id]": row["id"], "guesses": "true"}
    [shown] = data_of(site.reader.get("missing-paths", params=asked))
    assert [(one["entry"], one["reason"]) for one in shown["guesses"]] == [(entry["id"], "search")]


def test_without_a_target_it_says_to_choose(site: Site, path: str) -> None:
    row = missed(site, path)
    problem = refused(site.publisher.put(f"missing-paths/{row['id']}/redirect", json={}), 422)
    assert faults_of(problem) == {"/to": "missing"}


def test_it_is_ignored_opened_and_forgotten(site: Site, path: str) -> None:
    row = missed(site, path)
    for state, shown in (("ignored", 0), ("open", 1)):
        changed = data_of(site.publisher.patch(f"missing-paths/{row['id']}", json={"state": state}))
        assert changed["state"] == state
        assert len(data_of(site.reader.get("missing-paths", params={"filter[path]": path}))) == shown
    assert site.publisher.delete(f"missing-paths/{row['id']}").status_code == 204
    refused(site.reader.get(f"missing-paths/{row['id']}"), 404)


def test_publishers_change_them_and_others_read(site: Site, path: str) -> None:
    row = missed(site, path)
    for desk in (site.reader, site.author, site.editor):
        refused(desk.put(f"missing-paths/{row['id']}/redirect", json={"to": "/x"}), 403)
        refused(desk.patch(f"missing-paths/{row['id']}", json={"state": "ignored"}), 403)
        refused(desk.delete(f"missing-paths/{row['id']}"), 403)
        assert data_of(desk.get(f"missing-paths/{row['id']}"))["id"] == row["id"]
    refused(site.stranger.get("missing-paths"), 401)
    refused(site.visitor.get("missing-paths"), 404)


@pytest.mark.parametrize("state", ["redirected", "closed", None, 1])
def test_an_unknown_state_is_refused(site: Site, path: str, state: Any) -> None:
    row = missed(site, path)
    refused(site.publisher.patch(f"missing-paths/{row['id']}", json={"state": state}), 422)


@pytest.mark.parametrize(
    "asked",
    [{"filter[referrer]": "x"}, {"sort": "referrer"}, {"guesses": "maybe"}, {"guesses": "true", "page[size]": 21}],
)
def test_a_bad_question_is_refused(site: Site, asked: dict[str, Any]) -> None:
    refused(site.reader.get("missing-paths", params=asked), 400)
