"""The published tree of sections, and how fresh an answer may be said to be."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.database import remembered
from cms.section_tree import SectionTree
from cms.tables.publications import Publication, Schedule


@dataclass(frozen=True)
class LiveSite:
    """The tree in force, its revision, and the next instant at which a schedule will change something."""

    tree: SectionTree
    entry_id: str | None
    revision: int
    next_change: datetime | None


def live_site(session: Session) -> LiveSite:
    """One statement, plus one more when the structure was published anew since the last call."""
    return remembered(session, "live site", lambda: _live_site(session))


def _live_site(session: Session) -> LiveSite:
    row = session.execute(_STATE).one()
    key = (row.entry_id, row.revision, row.published_at)
    # Looked at once: another thread may keep its own tree between two looks.
    kept_key, tree = _kept.get("tree", (None, None))
    if tree is None or kept_key != key:
        rendered = session.scalar(select(Publication.rendered).where(Publication.type == "structure"))
        tree = SectionTree((rendered or {}).get("sections") or [])
        _kept["tree"] = (key, tree)
    instants = [instant for instant in (row.publish_at, row.unpublish_at) if instant is not None]
    return LiveSite(tree, row.entry_id, row.revision or 0, min(instants, default=None))


def live_tree(session: Session) -> SectionTree:
    """The published tree. Empty before a structure is published."""
    return live_site(session).tree


_STRUCTURE = select(Publication).where(Publication.type == "structure").subquery()
_PENDING = Schedule.failure.is_(None)
_STATE = select(
    select(_STRUCTURE.c.entry_id).scalar_subquery().label("entry_id"),
    select(_STRUCTURE.c.revision).scalar_subquery().label("revision"),
    select(_STRUCTURE.c.published_at).scalar_subquery().label("published_at"),
    select(func.min(Schedule.publish_at)).where(_PENDING).scalar_subquery().label("publish_at"),
    select(func.min(Schedule.unpublish_at)).where(_PENDING).scalar_subquery().label("unpublish_at"),
)

# The published tree, parsed. A publication's instant tells it from every other.
_kept: dict[str, tuple[object, SectionTree]] = {}
