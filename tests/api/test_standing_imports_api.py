"""Standing imports: a feed is asked again and again, and brought when it has changed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api import standing
from api.fetching import Fetcher
from api.importing import drive, files_folder
from api.parts import Parts, opened
from api.settings import Settings
from cms import sign_in
from cms.attribution import Actor
from cms.database import Database
from cms.errors import InvalidContent, NotFound, WrongState
from cms.imports import standing as standing_imports
from cms.tables.entries import Entry
from cms.tables.jobs import ImportJob, StandingImport
from tests.api.desk import data_of, faults_of, fresh, refused
from tests.api.serving import Site
from tests.api.test_fetching import HERE, Host, giving, here_only, host
from tests.cast import Colleague, HeldClock, newest_fields

__all__ = ["host"]

Start = Callable[..., Host]
FEED = b'<?xml version="1.0"?><rss version="2.0"><channel><item><guid>a</guid><title>A</title></item></channel></rss>'


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    """All parts of a founded site with its cast, for which every host is on this machine."""
    database: Database = request.getfixturevalue(request.param)
    url = database.writer.url.render_as_string(hide_password=False)
    (tmp_path / "data").mkdir()
    with opened(Settings(data=tmp_path / "data", database_url=url), clock=clock) as made:
        yield replace(made, fetcher=Fetcher(resolve=lambda name, port: [HERE], allowed=here_only))


class Feed:
    """A page that changes, and says so to those who have seen it."""

    def __init__(self, body: bytes = FEED, *, etag: str | None = None) -> None:
        self.body = body
        self.etag = etag
        self.status = 200
        self.asked: list[str | None] = []

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.headers["If-None-Match"])
        if self.etag and request.headers["If-None-Match"] == self.etag:
            giving(b"", 304)(request)
        else:
            giving(self.body, self.status, **({"ETag": self.etag} if self.etag else {}))(request)


def added(parts: Parts, who: Colleague, there: Host, **given: Any) -> str:
    """The id of a standing import of the page that a host has at /feed.xml."""
    url = f"http://news.example:{there.port}/feed.xml"
    whole = {"source": "press", "url": url, "minutes": 60, "paused": False, "options": {}, **given}
    with parts.database.writing() as session:
        return standing_imports.add(session, whole, by=who.by()).id


def state(parts: Parts, id: str) -> dict[str, Any]:
    with parts.database.reading() as session:
        return standing_imports.show(standing_imports.find(session, id))


def jobs(parts: Parts) -> list[ImportJob]:
    with parts.database.reading() as session:
        return list(session.scalars(sa.select(ImportJob).order_by(ImportJob.id)))


def ended(parts: Parts, job_state: str = "completed") -> None:
    """All jobs have come to their end."""
    with parts.database.writing() as session:
        session.execute(sa.update(ImportJob).values(state=job_state))


def test_a_feed_becomes_an_import_job_of_its_own(parts: Parts, olga: Colleague, host: Start) -> None:
    there = host({"/feed.xml": Feed()})
    id = added(parts, olga, there, options={"type": "news", "publish": True})
    assert standing.ask_next(parts)
    [job] = jobs(parts)
    assert (job.source, job.format, job.state, job.at_once, job.standing_id) == ("press", "feed", "analysing", True, id)
    assert (job.options["type"], job.options["publish"], job.actor_name) == ("news", True, "Olga")
    [path] = files_folder(parts, job.id).iterdir()
    assert path.read_bytes() == FEED
    told = state(parts, id)
    assert (told["job"], told["failures"], told["failure"]) == (job.id, 0, None)
    assert not standing.ask_next(parts)


def test_nothing_is_asked_in_the_name_of_a_key_that_has_ended(parts: Parts, olga: Colleague, host: Start) -> None:
    there = host({"/feed.xml": Feed()})
    with parts.database.writing() as session:
        key, _ = sign_in.make_key(session, name="Press", role="publisher", scopes=None, expires_at=None, by=olga.by())
        script = Colleague(Actor("key", key.id, key.name, key.role), olga.clock)
    id = added(parts, script, there)
    with parts.database.writing() as session:
        sign_in.revoke_key(session, key.id, by=olga.by())
    assert standing.ask_next(parts)
    assert jobs(parts) == []
    assert "may not act any more" in state(parts, id)["failure"]


def test_the_job_brings_what_the_feed_has(parts: Parts, olga: Colleague, host: Start) -> None:
    added(parts, olga, host({"/feed.xml": Feed()}), options={"type": "news", "publish": True})
    standing.ask_next(parts)
    [job] = jobs(parts)
    list(drive(parts, job.id))
    [job] = jobs(parts)
    assert (job.state, job.counts["made"]) == ("completed", 1), job.failure
    with parts.database.reading() as session:
        entry = session.scalars(sa.select(Entry).where(Entry.source_name == "press")).one()
        assert (entry.type, entry.source_id, newest_fields(session, entry)["title"]) == ("news", "a", "A")
        assert entry.published_revision == 1


def test_it_is_asked_again_after_its_time_and_brought_only_when_it_has_changed(
    parts: Parts, olga: Colleague, host: Start, clock: HeldClock
) -> None:
    page = Feed()
    added(parts, olga, host({"/feed.xml": page}))
    for minutes, body, asked, brought in ((0, FEED, 1, 1), (59, FEED, 1, 1), (1, FEED, 2, 1), (60, FEED + b" ", 3, 2)):
        clock.pass_by(minutes=minutes)
        page.body = body
        while standing.ask_next(parts):
            ended(parts)
        assert (len(page.asked), len(jobs(parts))) == (asked, brought)


def test_a_host_that_says_that_nothing_has_changed_sends_nothing(
    parts: Parts, olga: Colleague, host: Start, clock: HeldClock
) -> None:
    page = Feed(etag='"one"')
    id = added(parts, olga, host({"/feed.xml": page}))
    for _ in range(3):
        standing.ask_next(parts)
        ended(parts)
        clock.pass_by(minutes=61)
    assert page.asked == [None, '"one"', '"one"']
    assert len(jobs(parts)) == 1
    assert state(parts, id)["failure"] is None


def test_an_import_that_failed_is_brought_again(parts: Parts, olga: Colleague, host: Start, clock: HeldClock) -> None:
    page = Feed(etag='"one"')
    added(parts, olga, host({"/feed.xml": page}))
    for _ in range(2):
        standing.ask_next(parts)
        ended(parts, "failed")
        clock.pass_by(minutes=61)
    assert page.asked == [None, None]
    assert len(jobs(parts)) == 2


def test_while_an_import_goes_on_it_is_not_asked(parts: Parts, olga: Colleague, host: Start, clock: HeldClock) -> None:
    page = Feed()
    added(parts, olga, host({"/feed.xml": page}))
    standing.ask_next(parts)
    clock.pass_by(minutes=61)
    assert standing.ask_next(parts)
    assert len(page.asked) == len(jobs(parts)) == 1


def test_failures_are_told_and_waited_for_longer_each_time(
    parts: Parts, olga: Colleague, host: Start, clock: HeldClock
) -> None:
    page = Feed()
    page.status = 500
    id = added(parts, olga, host({"/feed.xml": page}))
    waits = []
    for _ in range(7):
        assert standing.ask_next(parts)
        told = state(parts, id)
        with parts.database.reading() as session:
            stored = standing_imports.find(session, id)
            waits.append(int((stored.next_at - clock.now).total_seconds() // 60))
            clock.now = stored.next_at
    assert waits == [60, 120, 240, 480, 960, 1440, 1440]
    assert told["failures"] == 7
    assert "500" in told["failure"]
    page.status = 200
    assert standing.ask_next(parts)
    assert (state(parts, id)["failures"], state(parts, id)["failure"], len(jobs(parts))) == (0, None, 1)


def test_what_is_too_large_is_a_failure_and_leaves_nothing(
    parts: Parts, olga: Colleague, host: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "LARGEST", 10)
    id = added(parts, olga, host({"/feed.xml": Feed()}))
    assert standing.ask_next(parts)
    assert "large" in state(parts, id)["failure"]
    assert not jobs(parts)
    assert not (parts.settings.folder / "imports").exists()


def test_a_source_that_is_busy_is_told_and_tried_again(
    parts: Parts, olga: Colleague, host: Start, clock: HeldClock
) -> None:
    id = added(parts, olga, host({"/feed.xml": Feed()}))
    standing.ask_next(parts)
    ended(parts, "running")
    with parts.database.writing() as session:
        session.execute(sa.update(StandingImport).values(job_id=None, digest=None))
    clock.pass_by(minutes=61)
    assert standing.ask_next(parts)
    assert "is running from the source" in state(parts, id)["failure"]
    assert len(jobs(parts)) == 1


def test_options_that_no_longer_fit_the_site_are_a_failure(parts: Parts, olga: Colleague, host: Start) -> None:
    id = added(parts, olga, host({"/feed.xml": Feed()}))
    with parts.database.writing() as session:
        session.execute(sa.update(StandingImport).values(options={"type": "gone"}))
    assert standing.ask_next(parts)
    assert "content type" in state(parts, id)["failure"]


def test_two_servers_do_not_ask_for_the_same_one_twice(
    parts: Parts, olga: Colleague, host: Start, clock: HeldClock
) -> None:
    id = added(parts, olga, host({}))
    with parts.database.writing() as session:
        assert standing_imports.take(session, id, now=clock.now) is not None
    with parts.database.writing() as session:
        assert standing_imports.take(session, id, now=clock.now) is None


def test_what_is_paused_is_not_asked_and_cannot_be_hurried(parts: Parts, olga: Colleague, host: Start) -> None:
    id = added(parts, olga, host({"/feed.xml": Feed()}), paused=True)
    assert not standing.ask_next(parts)
    with parts.database.writing() as session:
        stored = standing_imports.find(session, id)
        with pytest.raises(WrongState):
            standing_imports.run_now(session, stored, by=olga.by())
        standing_imports.change(session, stored, {"paused": False}, by=olga.by())
    assert standing.ask_next(parts)


def test_another_address_is_asked_at_once_and_whole(
    parts: Parts, olga: Colleague, host: Start, clock: HeldClock
) -> None:
    page = Feed(etag='"one"')
    there = host({"/feed.xml": page, "/other.xml": page})
    id = added(parts, olga, there)
    standing.ask_next(parts)
    ended(parts)
    with parts.database.writing() as session:
        stored = standing_imports.find(session, id)
        standing_imports.change(session, stored, {"url": stored.url.replace("feed", "other")}, by=olga.by())
    assert standing.ask_next(parts)
    assert page.asked == [None, None]


def test_a_private_address_is_a_failure(parts: Parts, olga: Colleague) -> None:
    given = {"source": "inside", "url": "http://127.0.0.1:9/", "minutes": 5, "paused": False, "options": {}}
    with parts.database.writing() as session:
        id = standing_imports.add(session, given, by=olga.by()).id
    assert standing.ask_next(replace(parts, fetcher=Fetcher()))
    assert "public Internet" in state(parts, id)["failure"]


# --- over HTTP ---


def body(**given: Any) -> dict[str, Any]:
    source = fresh("feed")
    return {"source": source, "url": f"https://{source}.example/feed.xml", "paused": True, **given}


def test_one_is_made_found_changed_and_removed(site: Site) -> None:
    made = data_of(site.publisher.post("standing-imports", json=body(options={"type": "news"})), 201)
    assert (made["minutes"], made["options"]["type"], made["options"]["format"]) == (60, "news", "feed")
    at = f"standing-imports/{made['id']}"
    assert data_of(site.publisher.get(at)) == made
    [found] = data_of(site.publisher.get("standing-imports", params={"filter[source]": made["source"]}))
    assert found == made
    changed = data_of(site.publisher.patch(at, json={"minutes": 5, "options": {"publish": True}}))
    assert (changed["minutes"], changed["options"]["type"], changed["options"]["publish"]) == (5, "news", True)
    assert data_of(site.publisher.patch(at, json={"options": {"type": None}}))["options"]["type"] is None
    assert site.publisher.delete(at).status_code == 204
    refused(site.publisher.get(at), 404, "not_found")


def test_what_does_not_fit_is_refused_with_its_place(site: Site) -> None:
    for wrong, pointer in (
        ({"url": "ftp://x.example/"}, "/url"),
        ({"url": "https://user:word@x.example/"}, "/url"),
        ({"url": "http://[broken"}, "/url"),
        ({"minutes": 1}, "/minutes"),
        ({"source": ""}, "/source"),
        ({"source": "a\nb"}, "/source"),
        ({"options": {"type": "nothing"}}, "/options/type"),
        ({"options": {"choices": {"nothing": "x"}}}, "/options/choices/nothing"),
        ({"options": {"nothing": 1}}, "/options/nothing"),
    ):
        problem = refused(site.publisher.post("standing-imports", json=body(**wrong)), 422)
        assert faults_of(problem).keys() == {pointer}, wrong


def test_a_source_has_one_at_most(site: Site) -> None:
    given = body()
    data_of(site.publisher.post("standing-imports", json=given), 201)
    refused(site.publisher.post("standing-imports", json=given), 409, "standing_import_exists")


def test_they_are_for_those_who_may_import(site: Site) -> None:
    made = data_of(site.publisher.post("standing-imports", json=body()), 201)
    at = f"standing-imports/{made['id']}"
    for desk in (site.reader, site.editor):
        refused(desk.get("standing-imports"), 403, "forbidden")
        refused(desk.post("standing-imports", json=body()), 403, "forbidden")
        refused(desk.put(f"{at}/run"), 403, "forbidden")
        refused(desk.patch(at, json={"minutes": 5}), 403, "forbidden")
        refused(desk.delete(at), 403, "forbidden")
    refused(site.publisher.put(f"{at}/run"), 409, "standing_import_paused")


def test_who_may_not_publish_sets_up_nothing_that_does(site: Site) -> None:
    key = site.key("publisher", "import")
    refused(key.post("standing-imports", json=body(options={"publish": True})), 403, "forbidden")
    made = data_of(key.post("standing-imports", json=body()), 201)
    refused(key.patch(f"standing-imports/{made['id']}", json={"options": {"publish": True}}), 403, "forbidden")
    assert data_of(site.publisher.get(f"standing-imports/{made['id']}"))["options"]["publish"] is None


def test_there_is_none_of_an_unknown_id(parts: Parts) -> None:
    with parts.database.reading() as session, pytest.raises(NotFound):
        standing_imports.find(session, "nobody")


def test_an_address_that_is_none_is_refused(parts: Parts, olga: Colleague) -> None:
    given = {"source": "x", "url": "mailto:x@example.org", "minutes": 60, "paused": False, "options": {}}
    with parts.database.writing() as session, pytest.raises(InvalidContent):
        standing_imports.add(session, given, by=olga.by())
