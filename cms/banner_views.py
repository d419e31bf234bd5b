"""Counting what banners were told: each view once, whoever tells it again, and the sums by day.

Rows of views are written in the transaction that adds to the sums, by writers who take turns: neither a kill nor a
retry nor another process can count one twice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from cms.tables.banner_views import BannerDay, CountedView

Kind = Literal["impression", "viewable", "click"]

# A view that is told again later than that is counted again.
KEPT_FOR = timedelta(days=2)
_TOGETHER = 500
# So that forgetting a busy day does not keep other writers waiting.
_FORGOTTEN_AT_ONCE = 20_000


class View(NamedTuple):
    """What was told of a banner, and on which day (in UTC)."""

    kind: Kind
    banner: str
    placement: str
    day: date


# By the digest that knows each.
Views = Mapping[bytes, View]
_COLUMNS: Mapping[Kind, str] = {"impression": "impressions", "viewable": "viewable", "click": "clicks"}


def count(session: Session, views: Views) -> int:
    """Add what was not counted before to its day; gives how many that were."""
    known = _known(session, views)
    new = {digest: view for digest, view in views.items() if digest not in known}
    if new:
        rows = [{"digest": digest, "day": view.day} for digest, view in new.items()]
        session.execute(insert(CountedView), rows)
        _add(session, new.values())
    return len(new)


def _known(session: Session, digests: Iterable[bytes]) -> set[bytes]:
    c = CountedView.digest
    # In order, so that each look meets neighbouring pages of the index.
    ordered = sorted(digests)
    some = (ordered[start : start + _TOGETHER] for start in range(0, len(ordered), _TOGETHER))
    return {bytes(one) for few in some for one in session.scalars(select(c).where(c.in_(few)))}


def _add(session: Session, views: Iterable[View]) -> None:
    sums: dict[tuple[str, str, date], Counter[str]] = {}
    for kind, banner, placement, day in views:
        sums.setdefault((banner, placement, day), Counter())[_COLUMNS[kind]] += 1
    d = BannerDay
    for (banner, placement, day), more in sorted(sums.items()):
        found = session.execute(
            update(d)
            .where(d.banner_id == banner, d.placement == placement, d.day == day)
            .values({name: getattr(d, name) + number for name, number in more.items()})
            .returning(d.day)
            .execution_options(synchronize_session=False)
        ).first()
        if found is None:
            row = {"banner_id": banner, "placement": placement, "day": day, **more}
            session.execute(insert(d), [row])


def forget(session: Session, *, today: date) -> int:
    """Remove some of the views that were counted longer ago than they can be told again; gives how many."""
    c = CountedView
    old = select(c.digest).where(c.day < today - KEPT_FOR).limit(_FORGOTTEN_AT_ONCE)
    gone = session.execute(delete(c).where(c.digest.in_(old)).execution_options(synchronize_session=False))
    return int(gone.rowcount)  # type: ignore[attr-defined]
