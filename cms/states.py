"""The state of an entry, told from what is stored: as a value and as a condition, one beside the other."""

from sqlalchemy import ColumnElement, case, exists

from cms.tables.entries import Entry
from cms.tables.publications import Schedule

STATES = ("draft", "published", "changed", "scheduled", "unpublished", "trashed")


def state(entry: Entry, schedule: Schedule | None) -> str:
    """`draft`, `published`, `changed`, `scheduled`, `unpublished` or `trashed`."""
    if entry.trashed_at is not None:
        return "trashed"
    if schedule is not None and schedule.publish_at is not None:
        return "scheduled"
    if entry.published_revision is not None:
        return "published" if entry.published_revision == entry.revision else "changed"
    return "draft" if entry.first_published_at is None else "unpublished"


# Of the schedules only: a list that shows plans has joined the same table.
_is_scheduled = exists().where(Schedule.entry_id == Entry.id, Schedule.publish_at.is_not(None)).correlate(Entry)

STATE: ColumnElement[str] = case(
    (Entry.trashed_at.is_not(None), "trashed"),
    (_is_scheduled, "scheduled"),
    (Entry.published_revision == Entry.revision, "published"),
    (Entry.published_revision.is_not(None), "changed"),
    (Entry.first_published_at.is_(None), "draft"),
    else_="unpublished",
)
