"""How often banners were shown, stood in view and were clicked: by banner, placement and day, as rows and as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.errors import BadQuery
from cms.tables.banner_views import BannerDay
from cms.tables.entries import Entry

By = Literal["banner", "placement", "day"]
DIMENSIONS: tuple[By, ...] = ("banner", "placement", "day")
FIGURES = ("impressions", "viewable", "clicks")
MOST_ROWS = 50_000


@dataclass(frozen=True)
class Asked:
    """Days from one to another, both among them, of all banners and placements unless some are named."""

    first: date
    last: date
    by: tuple[By, ...] = ("banner",)
    banner: str | None = None
    placement: str | None = None


@dataclass(frozen=True)
class Row:
    """The sums of one banner, placement or day; what is summed over is null. `ctr`: clicks for each impression; null
    where there was none."""

    banner: str | None
    title: str | None
    placement: str | None
    day: str | None
    impressions: int
    viewable: int
    clicks: int
    ctr: float | None


def rows(session: Session, asked: Asked) -> list[Row]:
    """The sums, the earliest day first and then by banner. Raises `BadQuery` when they are too many."""
    d = BannerDay
    columns = {"banner": d.banner_id, "placement": d.placement, "day": d.day}
    parts = [columns[one] for one in ("day", "banner", "placement") if one in asked.by]
    sums = [func.sum(getattr(d, name)).label(name) for name in FIGURES]
    wanted = select(*parts, *sums).where(d.day >= asked.first, d.day <= asked.last)
    for column, value in ((d.banner_id, asked.banner), (d.placement, asked.placement)):
        wanted = wanted if value is None else wanted.where(column == value)
    if parts:
        wanted = wanted.group_by(*parts).order_by(*parts)
    found = session.execute(wanted.limit(MOST_ROWS + 1)).all()
    if len(found) > MOST_ROWS:
        raise BadQuery("by", "too_many", f"These are more than {MOST_ROWS:,} rows: ask for fewer days, or one banner.")
    titles = _titles(session, asked)
    return [_row(one, titles) for one in found if one.impressions is not None]


def total(found: Iterable[Row]) -> dict[str, Any]:
    """What rows add up to."""
    sums = dict.fromkeys(FIGURES, 0)
    for row in found:
        for name in FIGURES:
            sums[name] += getattr(row, name)
    return {**sums, "ctr": _ctr(sums["clicks"], sums["impressions"])}


def _titles(session: Session, asked: Asked) -> dict[str, str]:
    if "banner" not in asked.by:
        return {}
    banners = select(Entry.id, Entry.title).where(Entry.type == "banner")
    banners = banners if asked.banner is None else banners.where(Entry.id == asked.banner)
    return {row.id: row.title for row in session.execute(banners)}


def _row(one: Any, titles: dict[str, str]) -> Row:
    said = one._mapping
    banner, day = said.get("banner_id"), said.get("day")
    impressions, viewable, clicks = (int(said[name]) for name in FIGURES)
    return Row(
        banner=banner,
        title=titles.get(banner) if banner is not None else None,
        placement=said.get("placement"),
        day=day.isoformat() if day is not None else None,
        impressions=impressions,
        viewable=viewable,
        clicks=clicks,
        ctr=_ctr(clicks, impressions),
    )


def _ctr(clicks: int, impressions: int) -> float | None:
    return round(clicks / impressions, 6) if impressions else None


_HEAD: Sequence[str] = ("day", "banner", "title", "placement", *FIGURES, "ctr")


def as_csv(found: Iterable[Row]) -> str:
    """The rows as CSV, with a line that names the columns; what is null is empty."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(_HEAD)
    writer.writerows([_cell(getattr(row, name)) for name in _HEAD] for row in found)
    return lines.getvalue()


def _cell(value: object) -> object:
    # A spreadsheet would take a title that begins so for a formula, and carry it out.
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
