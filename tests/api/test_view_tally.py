"""What is told of banners, until it is written: once each, within bounds, on either database, also at the end."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from api import background
from api.parts import Parts
from api.view_tally import MOST_KNOWN, MOST_WAITING, ViewTally
from cms.tables.banner_views import BannerDay, CountedView
from tests.api.sources import parts_over
from tests.cast import HeldClock


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    """All parts of a founded site with its cast, once on each database."""
    with parts_over(request.getfixturevalue(request.param), tmp_path / "data", clock=clock) as made:
        yield made


def counted(parts: Parts) -> tuple[int, int, int]:
    sums = select(func.sum(BannerDay.impressions), func.sum(BannerDay.viewable), func.sum(BannerDay.clicks))
    with parts.database.reading() as session:
        impressions, viewable, clicks = session.execute(sums).one()
    return int(impressions or 0), int(viewable or 0), int(clicks or 0)


def tell(tally: ViewTally, *views: str) -> list[bool]:
    return [tally.add("impression", "banner", "top", view) for view in views]


def test_the_same_news_is_taken_once(clock: HeldClock) -> None:
    tally = ViewTally(clock)
    assert tell(tally, "a", "b", "a") == [True, True, False]
    assert tally.add("click", "banner", "top", "a")
    assert tally.add("impression", "banner", "side", "a")
    assert tally.add("impression", "other", "top", "a")
    assert len(tally.take()) == 5
    assert tell(tally, "a") == [False]
    assert tally.take() == {}
    assert tally.left_out["told before"] == 2


def test_what_waits_has_bounds(clock: HeldClock) -> None:
    tally = ViewTally(clock)
    told = [tell(tally, str(number))[0] for number in range(MOST_WAITING + 3)]
    assert (told.count(False), tally.left_out["too many"], len(tally.take())) == (3, 3, MOST_WAITING)


def test_what_is_known_has_bounds_and_the_database_knows_the_rest(parts: Parts, clock: HeldClock) -> None:
    tell(parts.views, "first")
    background.write_views(parts)
    for number in range(MOST_KNOWN):
        tell(parts.views, str(number))
    assert len(parts.views._known) == MOST_KNOWN
    parts.views.take()
    assert tell(parts.views, "first") == [True]
    background.write_views(parts)
    assert counted(parts) == (1, 0, 0)


def test_what_was_told_last_is_written_when_the_server_stops(parts: Parts) -> None:
    with background.running(parts):
        tell(parts.views, "a", "b")
    assert counted(parts) == (2, 0, 0)


def test_a_server_that_is_killed_and_told_again_counts_once(parts: Parts, clock: HeldClock) -> None:
    tell(parts.views, "a")
    background.write_views(parts)
    tell(parts.views, "b")
    # It is killed, and another begins.
    anew = replace(parts, views=ViewTally(clock))
    assert tell(anew.views, "a", "b") == [True, True]
    background.write_views(anew)
    assert counted(parts) == (2, 0, 0)


def test_several_threads_and_writes_add_up(parts: Parts) -> None:
    def visit() -> None:
        for number in range(300):
            tell(parts.views, str(number))

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        background.write_views(parts)
    background.write_views(parts)
    assert counted(parts) == (300, 0, 0)


def test_what_cannot_be_written_now_is_written_later(parts: Parts) -> None:
    with parts.database.writer.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE banner_days RENAME TO elsewhere")
    tell(parts.views, "a")
    try:
        with pytest.raises(SQLAlchemyError):
            background.write_views(parts)
    finally:
        with parts.database.writer.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO banner_days")
    assert counted(parts) == (0, 0, 0)
    background.write_views(parts)
    assert counted(parts) == (1, 0, 0)


def test_nothing_to_write_writes_nothing(parts: Parts) -> None:
    background.write_views(parts)
    commits = []
    parts.database.committed.append(lambda: commits.append(1))
    background.write_views(parts)
    assert commits == []


def test_old_views_are_forgotten_now_and_then(parts: Parts, clock: HeldClock) -> None:
    tell(parts.views, "a")
    background.write_views(parts)
    clock.now += timedelta(days=3)
    background.write_views(parts)
    with parts.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CountedView)) == 0
    assert counted(parts) == (1, 0, 0)


def test_live_pairs_hold_for_a_second(clock: HeldClock) -> None:
    tally = ViewTally(clock)
    assert tally.pairs() is None
    live = frozenset({("a", "top")})
    assert tally.learn(live) == live
    assert tally.pairs() == live
    clock.pass_by(seconds=1)
    assert tally.pairs() is None
