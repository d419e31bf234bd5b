"""An entry's place: its slug, unique in its section and locale, made from the title when none is given."""

from dataclasses import replace

from slugify import slugify
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from cms.content_types import ContentType
from cms.errors import AddressTaken
from cms.section_tree import MAX_SLUG
from cms.snapshots import Snapshot
from cms.tables.entries import Entry


def with_slug(session: Session, content_type: ContentType, snapshot: Snapshot, *, title: str) -> Snapshot:
    if not content_type.routable:
        return snapshot
    if snapshot.slug is not None:
        refuse_taken(session, snapshot)
        return snapshot
    wanted = slugify(title, max_length=MAX_SLUG - 10, word_boundary=True) or content_type.name
    return replace(snapshot, slug=_free_slug(session, snapshot, wanted))


def refuse_taken(session: Session, snapshot: Snapshot, *, entry_id: str | None = None) -> None:
    """Raises `AddressTaken` when another entry that is not in the trash has this slug in this section and locale."""
    taken = session.scalar(
        select(Entry.id).where(
            Entry.slug == snapshot.slug,
            Entry.section.is_(None) if snapshot.section is None else Entry.section == snapshot.section,
            Entry.locale == snapshot.locale,
            Entry.trashed_at.is_(None),
            Entry.id != (entry_id or ""),
        )
    )
    if taken is not None and snapshot.slug is not None:
        raise AddressTaken(snapshot.slug, snapshot.section, snapshot.locale, taken)


def _free_slug(session: Session, snapshot: Snapshot, wanted: str) -> str:
    taken = set(
        session.scalars(
            select(Entry.slug).where(
                or_(Entry.slug == wanted, func.substr(Entry.slug, 1, len(wanted) + 1) == f"{wanted}-"),
                Entry.section.is_(None) if snapshot.section is None else Entry.section == snapshot.section,
                Entry.locale == snapshot.locale,
            )
        )
    )
    candidates = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)
