"""Between requests: both indexes follow what is done, are made anew when they are lost, and plans are carried out."""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from api import background, indexing
from api.commands import reindex
from api.parts import Parts, opened
from cms import publishing, scheduling
from cms.redirects import Answer
from cms.scheduling import Plan
from cms.tables.entries import Entry
from cms.tables.events import Event
from cms.tables.publications import Publication, Schedule
from search_index import IndexUnavailable, Query
from tests.api.sources import parts_over
from tests.cast import Colleague, HeldClock, a_live_news, a_news

PATIENCE = 20


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    """All parts of a founded site with its cast, once on each database."""
    with parts_over(request.getfixturevalue(request.param), tmp_path / "data", clock=clock) as made:
        yield made


def live(parts: Parts, olga: Colleague, *titles: str) -> None:
    with parts.database.writing() as session:
        for title in titles:
            a_live_news(session, by=olga.by(), title=title)


def found(parts: Parts, words: str = "lantern") -> int:
    """How many a visitor finds; -1 while there is no index."""
    try:
        return parts.public_index.search(Query(text=words)).total
    except IndexUnavailable:
        return -1


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


# --- the indexes ---


def test_long_documents_are_indexed_a_few_at_a_time(
    parts: Parts, olga: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_CHARACTERS", 0)
    monkeypatch.setattr(indexing, "_CHUNK", 2)
    background.catch_up(parts)
    with parts.database.writing() as session:
        entries = [a_live_news(session, by=olga.by(), title=f"Lantern {number}") for number in range(5)]
        publishing.unpublish(session, entries[3], by=olga.by())
    background.catch_up(parts)
    assert found(parts) == 4
    assert [follower.lag() for follower in parts.followers] == [0, 0]
    parts.followers[0].rebuild(lambda _count: None)
    assert found(parts) == 4


def test_both_indexes_follow_what_is_done(parts: Parts, olga: Colleague) -> None:
    with background.following(parts):
        live(parts, olga, "Lantern")
        eventually(lambda: found(parts) == 1)
        eventually(lambda: [follower.lag() for follower in parts.followers] == [0, 0])
    assert parts.staff_index.search(Query(text="lantern")).total == 1


def lost(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def garbage(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_bytes(b"\xff" * 1_000)


@pytest.mark.parametrize("harm", [lost, garbage])
def test_an_index_that_is_lost_or_garbage_is_made_anew(
    parts: Parts, olga: Colleague, harm: Callable[[Path], None]
) -> None:
    live(parts, olga, "Lantern one", "Lantern two")
    background.catch_up(parts)
    assert found(parts) == 2
    harm(parts.settings.folder / "search")
    with opened(parts.settings, clock=parts.clock) as again:
        background.catch_up(again)
        assert found(again) == 2


def test_an_index_that_is_lost_while_it_is_followed_is_made_anew(parts: Parts, olga: Colleague) -> None:
    live(parts, olga, "Lantern one")
    with background.following(parts):
        eventually(lambda: [follower.lag() for follower in parts.followers] == [0, 0])
        lost(parts.settings.folder / "search")
        live(parts, olga, "Lantern two")
        eventually(lambda: found(parts) == 2)


def test_searches_go_on_while_the_indexes_are_made_anew(parts: Parts, olga: Colleague) -> None:
    live(parts, olga, *(f"Lantern {number}" for number in range(30)))
    background.catch_up(parts)
    counts = [found(parts) for _ in reindex(parts)]
    assert counts
    assert set(counts) == {30}


def test_reindexing_tells_how_far_it_is(parts: Parts, olga: Colleague) -> None:
    live(parts, olga, "Lantern one", "Lantern two")
    told = list(reindex(parts))
    assert [step["doing"] for step in told if "progress" in step] == ["public", "staff"]
    assert all(step["progress"] <= step["of"] for step in told if "progress" in step)


def test_what_is_done_while_an_index_is_made_anew_is_followed_afterwards(parts: Parts, olga: Colleague) -> None:
    live(parts, olga, "Lantern one")
    run = reindex(parts)
    next(run)
    live(parts, olga, "Lantern two")
    list(run)
    assert found(parts) == 2


# --- the scheduler ---


def planned(parts: Parts, olga: Colleague, *, title: str = "Lantern", minutes: int = 10) -> str:
    """A draft that shall be published in so many minutes."""
    with parts.database.writing() as session:
        entry = a_news(session, by=olga.by(), title=title)
        at = parts.clock() + timedelta(minutes=minutes)
        plan = Plan(publish_at=at, unpublish_at=None, zone="UTC", answer=Answer("gone"))
        scheduling.schedule(session, entry, plan, expected=1, by=olga.by())
        return entry.id


def is_live(parts: Parts, id: str) -> bool:
    with parts.database.reading() as session:
        return session.get(Publication, id) is not None


def test_a_due_entry_is_published_and_no_other(parts: Parts, olga: Colleague, clock: HeldClock) -> None:
    due, later = planned(parts, olga, minutes=10), planned(parts, olga, title="Later", minutes=60)
    with background.running(parts):
        assert not is_live(parts, due)
        clock.pass_by(minutes=11)
        eventually(lambda: is_live(parts, due))
    assert not is_live(parts, later)


def test_a_plan_is_carried_out_once(parts: Parts, olga: Colleague, clock: HeldClock) -> None:
    due = planned(parts, olga)
    clock.pass_by(minutes=11)
    steps = list(itertools.takewhile(bool, (background.carry_out_next(parts) for _ in range(5))))
    assert steps == [True]
    with parts.database.reading() as session:
        kinds = list(session.scalars(sa.select(Event.kind).where(Event.entry_id == due, Event.kind.like("%published"))))
    assert len(kinds) == 1


def test_a_refused_plan_is_noted_and_the_next_is_carried_out(parts: Parts, olga: Colleague, clock: HeldClock) -> None:
    bad, good = planned(parts, olga, minutes=5), planned(parts, olga, title="Good", minutes=10)
    with parts.database.writing() as session:
        # A refusal that no editor can bring about any more: a revision that is not there.
        session.execute(sa.update(Schedule).where(Schedule.entry_id == bad).values(revision=99))
    with background.running(parts):
        clock.pass_by(minutes=11)
        eventually(lambda: is_live(parts, good))
    assert not is_live(parts, bad)
    with parts.database.reading() as session:
        assert "NotFound" in (session.get_one(Schedule, bad).failure or "")
        assert session.get_one(Entry, bad).published_revision is None


def test_what_was_due_while_nothing_ran_is_done_at_the_start(parts: Parts, olga: Colleague, clock: HeldClock) -> None:
    due = planned(parts, olga)
    clock.pass_by(days=3)
    with background.running(parts):
        eventually(lambda: is_live(parts, due))
