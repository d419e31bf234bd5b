"""Statistics of banners: sums by banner, placement and day, and as CSV that no spreadsheet carries out."""

import csv
import io
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from cms import banner_statistics
from cms.banner_statistics import Asked, By, as_csv, rows, total
from cms.errors import BadQuery
from cms.tables.banner_views import BannerDay
from cms.tables.entries import Entry
from tests.cast import Colleague, change
from tests.cms.banners_at_hand import a_banner

DAY = date(2026, 11, 30)


@pytest.fixture
def winter(session: Session, olga: Colleague) -> str:
    """A banner that was seen on two days in two placements, beside one that is no more."""
    id = a_banner(session, by=olga.by(), title="=Winter").id
    for banner, placement, ago, counts in (
        (id, "top", 0, (100, 60, 3)),
        (id, "top", 1, (50, 20, 1)),
        (id, "side", 0, (10, 0, 0)),
        ("gone", "top", 0, (0, 0, 2)),
    ):
        named = dict(zip(("impressions", "viewable", "clicks"), counts, strict=True))
        session.add(BannerDay(banner_id=banner, placement=placement, day=DAY - timedelta(days=ago), **named))
    session.flush()
    return id


def asked(*by: By, days: int = 30, **more: str) -> Asked:
    return Asked(DAY - timedelta(days=days - 1), DAY, by, **more)


def told(session: Session, of: Asked) -> list[tuple[object, ...]]:
    found = rows(session, of)
    return [(one.banner, one.placement, one.day, one.impressions, one.viewable, one.clicks, one.ctr) for one in found]


def test_sums_by_what_is_asked_for(session: Session, winter: str) -> None:
    assert sorted(told(session, asked("banner")), key=str) == sorted(
        [(winter, None, None, 160, 80, 4, 0.025), ("gone", None, None, 0, 0, 2, None)], key=str
    )
    assert told(session, asked("placement")) == [
        (None, "side", None, 10, 0, 0, 0.0),
        (None, "top", None, 150, 80, 6, 0.04),
    ]
    assert told(session, asked("day", banner=winter)) == [
        (None, None, "2026-11-29", 50, 20, 1, 0.02),
        (None, None, "2026-11-30", 110, 60, 3, 0.027273),
    ]
    assert len(told(session, asked("banner", "placement", "day"))) == 4


def test_days_and_names_narrow_it_down(session: Session, winter: str) -> None:
    assert told(session, asked("banner", days=1, banner=winter)) == [(winter, None, None, 110, 60, 3, 0.027273)]
    assert told(session, asked("placement", placement="side")) == [(None, "side", None, 10, 0, 0, 0.0)]
    assert told(session, asked("banner", banner="nobody")) == []


def test_rows_add_up(session: Session, winter: str) -> None:
    assert total(rows(session, asked("banner", "day"))) == {
        "impressions": 160, "viewable": 80, "clicks": 6, "ctr": 0.0375
    }  # fmt: skip
    assert total([]) == {"impressions": 0, "viewable": 0, "clicks": 0, "ctr": None}


def test_a_title_is_the_newest_and_missing_when_the_banner_is(session: Session, olga: Colleague, winter: str) -> None:
    change(session, session.get_one(Entry, winter), by=olga.by(), title="Spring")
    assert {one.banner: one.title for one in rows(session, asked("banner"))} == {winter: "Spring", "gone": None}


def test_csv_has_the_same_rows_and_no_formulas(session: Session, winter: str) -> None:
    found = rows(session, asked("banner", "day", banner=winter))
    head, *lines = csv.reader(io.StringIO(as_csv(found)))
    assert head == ["day", "banner", "title", "placement", "impressions", "viewable", "clicks", "ctr"]
    assert lines[0] == ["2026-11-29", winter, "'=Winter", "", "50", "20", "1", "0.02"]
    assert len(lines) == len(found)


def test_too_many_rows_are_refused(session: Session, winter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banner_statistics, "MOST_ROWS", 3)
    with pytest.raises(BadQuery):
        rows(session, asked("banner", "placement", "day"))
