"""Statistics and warnings of banners over HTTP: as JSON and CSV, for those who may read banners."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api import background
from tests.api.banners_at_hand import a_banner, a_placement
from tests.api.desk import data_of, fresh, refused
from tests.api.serving import Site

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def tell(site: Site, banner: dict[str, Any], *kinds: str, view: str | None = None, address: str = "198.19.4.1") -> Any:
    """Tell of one showing of a banner."""
    view = view or fresh("view-")
    placement = banner["fields"]["placements"][0]
    told = [{"kind": kind, "banner": banner["id"], "placement": placement, "view": view} for kind in kinds]
    answer = site.visitor.post("beacons", json={"banners": told}, headers={**BROWSER, "X-Forwarded-For": address})
    return data_of(answer, 202)["banners"]


def figures(site: Site, banner: dict[str, Any]) -> tuple[int, int, int]:
    """Impressions, viewable impressions and clicks, once they are written."""
    background.write_views(site.parts)
    # The server may have taken them just now: its commit comes before that of this empty one.
    with site.parts.database.writing():
        pass
    answer = site.reader.get(f"banners/{banner['id']}/statistics")
    data_of(answer)
    sums = answer.json()["meta"]["total"]
    return sums["impressions"], sums["viewable"], sums["clicks"]


@pytest.fixture
def winter(site: Site) -> dict[str, Any]:
    banner = a_banner(site, a_placement(site), title=f"=SUM({fresh()})")
    tell(site, banner, "impression", "viewable", "click")
    tell(site, banner, "impression", "viewable")
    tell(site, banner, "impression")
    tell(site, banner, "impression")
    assert figures(site, banner) == (4, 2, 1)
    return banner


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def test_figures_by_banner_with_totals(site: Site, winter: dict[str, Any]) -> None:
    answer = site.reader.get("banners/statistics", params={"banner": winter["id"]})
    row = {"banner": winter["id"], "title": winter["fields"]["title"], "placement": None, "day": None}
    sums = {"impressions": 4, "viewable": 2, "clicks": 1, "ctr": 0.25}
    assert data_of(answer) == [{**row, **sums}]
    meta = answer.json()["meta"]
    assert (meta["by"], meta["total"], meta["to"]) == (["banner"], sums, today())
    assert answer.headers["cache-control"] == "private, no-store"


def test_figures_of_one_banner_come_by_day(site: Site, winter: dict[str, Any]) -> None:
    [row] = data_of(site.reader.get(f"banners/{winter['id']}/statistics"))
    assert (row["day"], row["banner"], row["impressions"], row["ctr"]) == (today(), None, 4, 0.25)
    asked = {"by": "placement", "from": today(), "to": today()}
    [row] = data_of(site.reader.get(f"banners/{winter['id']}/statistics", params=asked))
    assert row["placement"] == winter["fields"]["placements"][0]
    before = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    assert data_of(site.reader.get(f"banners/{winter['id']}/statistics", params={"to": before})) == []


@pytest.mark.parametrize(("params", "headers"), [({"format": "csv"}, {}), ({}, {"Accept": "text/csv"})])
def test_the_same_as_csv(site: Site, winter: dict[str, Any], params: dict[str, str], headers: dict[str, str]) -> None:
    asked = {"banner": winter["id"], "by": "banner,placement,day", **params}
    answer = site.reader.get("banners/statistics", params=asked, headers=headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert row["title"] == f"'{winter['fields']['title']}"
    assert (row["day"], row["impressions"], row["clicks"], row["ctr"]) == (today(), "4", "1", "0.25")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"from": "yesterday"}, "not_a_day"),
        ({"to": "2026-13-01"}, "not_a_day"),
        ({"from": "2026-12-02", "to": "2026-12-01"}, "out_of_range"),
        ({"from": "2020-12-02", "to": "2026-12-01"}, "out_of_range"),
        ({"by": "visitor"}, "unknown_value"),
        ({"by": ""}, "unknown_value"),
        ({"format": "xlsx"}, "unknown_value"),
        ({"visitor": "1"}, "unknown_parameter"),
    ],
)
def test_what_is_not_asked_well_is_refused(site: Site, asked: dict[str, str], code: str) -> None:
    refused(site.reader.get("banners/statistics", params=asked), 400, code)


def test_the_first_days_of_the_calendar_are_days(site: Site) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        assert data_of(site.reader.get("banners/statistics", params={"to": day})) == []


def test_who_may_not_read_banners_sees_no_figures(site: Site, winter: dict[str, Any]) -> None:
    for path in ("banners/statistics", "banners/warnings", f"banners/{winter['id']}/statistics"):
        refused(site.stranger.get(path), 401)
        assert site.key("reader", "read:banner").get(path).status_code == 200
        assert site.key("reader", "read:news").get(path).status_code in (403, 404)


def test_only_banners_have_figures(site: Site) -> None:
    refused(site.reader.get(f"banners/{site.publisher.live()['id']}/statistics"), 404)
    refused(site.reader.get("banners/01900000-0000-7000-8000-000000000000/statistics"), 404)


def test_warnings_name_the_banner_and_the_placement(site: Site) -> None:
    name, empty = a_placement(site), a_placement(site)
    banner = a_banner(site, name, link=f"/{fresh()}")
    found = data_of(site.reader.get("banners/warnings"))
    own = [(one["code"], one["pointer"]) for one in found if one["banner"] == banner["id"]]
    assert own == [("link_missing", "/fields/link")]
    assert [one["code"] for one in found if one["placement"] == empty] == ["placement_empty"]
    assert name not in [one["placement"] for one in found]
