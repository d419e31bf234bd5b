"""What staff ask of banners: how often they were seen and clicked, and what is wrong with them."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, cast

from fastapi import APIRouter, Request, Response

from api import query
from api.access import parts_of, reading
from api.answers import PRIVATE, private
from cms import banner_statistics, banner_warnings, snapshots
from cms.banner_statistics import DIMENSIONS, Asked, By
from cms.errors import BadQuery, NotFound

router = APIRouter(tags=["banners"])

_USUAL_DAYS = 30
_MOST_DAYS = 731
_CSV = {
    "responses": {
        "200": {
            "description": "Done",
            "content": {"application/json": {}, "text/csv": {"schema": {"type": "string"}}},
        }
    }
}
_OF_ALL = ("first day", "last day", "by", "banner", "one placement", "form of rows")
_OF_ONE = ("first day", "last day", "by", "one placement", "form of rows")


@router.get("/banners/statistics", openapi_extra={**_CSV, **query.takes(*_OF_ALL)})
def read_banner_statistics(request: Request) -> Response:
    """Impressions, viewable impressions and clicks of banners, summed by banner, placement or day.

    Days are in UTC, the last thirty unless said; `by` names what has rows of its own, with commas. As CSV with
    `Accept: text/csv` or `format=csv`. `meta.total` has the sums of all rows."""
    given = query.only(request, "from", "to", "by", "banner", "placement", "format")
    with reading(request) as desk:
        desk.permit("read", type="banner")
        asked = _asked(request, given, usual="banner", banner=given.get("banner"))
        return _answer(request, given, banner_statistics.rows(desk.session, asked), asked)


@router.get("/banners/warnings")
def list_banner_warnings(request: Request) -> Response:
    """What is wrong with live banners and with placements.

    Codes: `ends_soon` (within three days), `ended`, `link_missing`, `creative_heavy`, `size_mismatch`,
    `placement_empty`."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("read", type="banner")
        found = banner_warnings.of_the_site(desk.session, at=parts_of(request).clock())
        return private([asdict(one) for one in found])


@router.get("/banners/{id}/statistics", openapi_extra={**_CSV, **query.takes(*_OF_ONE)})
def read_statistics_of_banner(request: Request, id: str) -> Response:
    """The same of one banner, by day unless said otherwise."""
    given = query.only(request, "from", "to", "by", "placement", "format")
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        if entry.type != "banner":
            raise NotFound("banner", id)
        asked = _asked(request, given, usual="day", banner=id)
        return _answer(request, given, banner_statistics.rows(desk.session, asked), asked)


def _asked(request: Request, given: dict[str, str], *, usual: str, banner: str | None) -> Asked:
    last = _day(given, "to") or parts_of(request).clock().date()
    first = _day(given, "from") or last - timedelta(days=min(_USUAL_DAYS - 1, (last - date.min).days))
    if not 0 <= (last - first).days < _MOST_DAYS:
        raise BadQuery("from", "out_of_range", f"Ask for 1 to {_MOST_DAYS} days: 'from' comes before 'to'.")
    named = tuple(dict.fromkeys(given.get("by", usual).split(",")))
    if any(one not in DIMENSIONS for one in named):
        raise BadQuery("by", "unknown_value", f"'by' is one or several of: {', '.join(DIMENSIONS)}.")
    return Asked(first, last, cast("tuple[By, ...]", named), banner, given.get("placement"))


def _day(given: dict[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(given[name]) if name in given else None
    except ValueError:
        raise BadQuery(name, "not_a_day", "Write the day as 2026-11-30.") from None


def _answer(request: Request, given: dict[str, str], found: list[banner_statistics.Row], asked: Asked) -> Response:
    form = query.one_of(given.get("format"), ("json", "csv"), name="format")
    if form == "csv" or ("format" not in given and "text/csv" in request.headers.get("accept", "")):
        headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="banners.csv"'}
        return Response(banner_statistics.as_csv(found), 200, headers, media_type="text/csv")
    days = {"from": asked.first.isoformat(), "to": asked.last.isoformat()}
    meta: dict[str, Any] = {**days, "by": list(asked.by), "total": banner_statistics.total(found)}
    return private([asdict(one) for one in found], meta=meta, headers={"Vary": "Accept"})
