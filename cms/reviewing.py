"""Content that wants to be looked at again: published longer ago than its section allows."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy.orm import Session

from cms.json_columns import among
from cms.structure import tree_in_force
from cms.tables.entries import Entry


def is_due(session: Session, *, now: datetime) -> ColumnElement[bool]:
    """Whether an entry was published more days ago than the nearest section up says, of those that say anything."""
    tree = tree_in_force(session)
    sections: dict[int, list[str]] = {}
    for section in tree:
        days = tree.setting(section.id, "review_days")
        if days is not None:
            sections.setdefault(days, []).append(section.id)
    old = (
        and_(among(Entry.section, ids), Entry.published_at < now - timedelta(days=days))
        for days, ids in sections.items()
    )
    return and_(Entry.published_revision.is_not(None), or_(false(), *old))
