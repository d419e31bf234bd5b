"""Counting views of banners: each once, whatever is told again, lost, killed or done by others; sums and forgetting."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from api.view_tally import ViewTally
from cms import banner_views
from cms.banner_views import Kind, View
from cms.tables.banner_views import BannerDay, CountedView
from tests.cast import HeldClock

KINDS: tuple[Kind, ...] = ("impression", "viewable", "click")
TODAY = date(2026, 11, 30)


def views(*told: tuple[str, Kind], day: date = TODAY, banner: str = "b") -> dict[bytes, View]:
    return {f"{view} {kind} {banner}".encode(): View(kind, banner, "top", day) for view, kind in told}


def sums(session: Session) -> dict[tuple[str, str, date], tuple[int, int, int]]:
    return {
        (one.banner_id, one.placement, one.day): (one.impressions, one.viewable, one.clicks)
        for one in session.scalars(select(BannerDay).execution_options(populate_existing=True))
    }


def test_views_add_up_by_banner_placement_and_day(session: Session) -> None:
    assert banner_views.count(session, views(("1", "impression"), ("1", "viewable"), ("2", "impression"))) == 3
    tomorrow = TODAY + timedelta(days=1)
    banner_views.count(session, views(("3", "impression"), ("3", "click"), day=tomorrow))
    banner_views.count(session, views(("4", "click")) | views(("4", "click"), banner="c"))
    assert sums(session) == {
        ("b", "top", TODAY): (2, 1, 1),
        ("b", "top", tomorrow): (1, 0, 1),
        ("c", "top", TODAY): (0, 0, 1),
    }


def test_what_was_counted_is_not_counted_again_not_even_the_next_day(session: Session) -> None:
    told = views(("1", "impression"))
    assert banner_views.count(session, told) == 1
    assert banner_views.count(session, told) == 0
    assert banner_views.count(session, views(("1", "impression"), day=TODAY + timedelta(days=1))) == 0
    assert sums(session) == {("b", "top", TODAY): (1, 0, 0)}


def test_a_click_tells_of_no_impression(session: Session) -> None:
    banner_views.count(session, views(("1", "click")))
    assert sums(session) == {("b", "top", TODAY): (0, 0, 1)}


def test_many_at_once_are_counted_in_few_statements(session: Session) -> None:
    told = views(*((str(number), "impression") for number in range(1_600)))
    assert banner_views.count(session, told) == 1_600
    assert banner_views.count(session, told | views(("new", "impression"))) == 1
    assert sums(session) == {("b", "top", TODAY): (1_601, 0, 0)}


def test_views_are_forgotten_after_two_days_and_sums_are_not(session: Session) -> None:
    for days in range(4):
        banner_views.count(session, views((str(days), "impression"), day=TODAY - timedelta(days=days)))
    assert banner_views.forget(session, today=TODAY) == 1
    assert session.scalar(select(func.count()).select_from(CountedView)) == 3
    assert len(sums(session)) == 4
    assert banner_views.forget(session, today=TODAY) == 0


# --- whatever happens ---

STEP = st.one_of(
    st.tuples(
        st.just("tell"),
        st.integers(0, 2),
        st.tuples(st.sampled_from(KINDS), st.sampled_from("bc"), st.sampled_from(("top", "side")), st.integers(0, 5)),
    ),
    st.tuples(
        st.sampled_from(("write", "kill", "fail before the commit", "lose the answer to the commit")), st.integers(0, 2)
    ),
    st.tuples(st.just("midnight"), st.just(0)),
)
Told = tuple[Kind, str, str, int]


class Servers:
    """Three processes over one database, each of which may be killed, or fail to write, at any point."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.clock = HeldClock()
        self.tallies = [ViewTally(self.clock) for _ in range(3)]
        self.told: set[Told] = set()

    def tell(self, server: int, one: Told) -> None:
        kind, banner, placement, number = one
        self.tallies[server].add(kind, banner, placement, f"view-{number:04}")
        self.told.add(one)

    def do(self, what: str, server: int) -> None:
        if what == "midnight":
            self.clock.pass_by(hours=14)
        elif what == "kill":
            self.tallies[server] = ViewTally(self.clock)
        else:
            self._write(self.tallies[server], what)

    def _write(self, tally: ViewTally, what: str) -> None:
        taken = tally.take()
        with self.session.begin_nested() as transaction:
            banner_views.count(self.session, taken)
            if what == "fail before the commit":
                transaction.rollback()
        if what != "write":
            # Who does not know that the commit was done tries again.
            tally.give_back(taken)

    def counted(self) -> int:
        columns = func.sum(BannerDay.impressions), func.sum(BannerDay.viewable), func.sum(BannerDay.clicks)
        return sum(int(one or 0) for one in self.session.execute(select(*columns)).one())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEP, max_size=30))
def test_counts_equal_the_distinct_views_in_whatever_order_and_however_often_they_are_told(
    session: Session, steps: Iterable[tuple[str, int] | tuple[str, int, Told]]
) -> None:
    session.execute(delete(BannerDay))
    session.execute(delete(CountedView))
    servers = Servers(session)
    for step in steps:
        if len(step) == 3:
            servers.tell(step[1], step[2])
        else:
            servers.do(*step)
        assert servers.counted() <= len(servers.told)
    # Front ends tell again what was not acknowledged, to whichever server answers them.
    for one in sorted(servers.told):
        servers.tell(1, one)
    for server in range(3):
        servers.do("write", server)
    assert servers.counted() == len(servers.told)
    assert session.scalar(select(func.count()).select_from(CountedView)) == len(servers.told)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_column(session: Session, kind: Kind) -> None:
    banner_views.count(session, views(("1", kind)))
    [counts] = sums(session).values()
    assert sorted(counts) == [0, 0, 1]
