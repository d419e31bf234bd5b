"""An entry's place: its slug, unique in its section and locale, made from the title when none is given."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import NamedTuple

from slugify import slugify
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from cms.content_types import ContentType
from cms.errors import AddressTaken
from cms.section_tree import MAX_SLUG
from cms.snapshots import Snapshot
from cms.tables.entries import Entry, Revision
from cms.tables.publications import Publication


class Address(NamedTuple):
    """Where an entry stands."""

    locale: str
    section: str | None
    slug: str


def with_slug(
    session: Session, content_type: ContentType, snapshot: Snapshot, *, title: str, entry_id: str = ""
) -> Snapshot:
    """The content with a slug: the one it has, or one made from the title. Raises `AddressTaken`."""
    if not content_type.routable:
        return snapshot
    if snapshot.slug is not None:
        refuse_taken(session, snapshot, entry_id=entry_id)
        return snapshot
    wanted = slugify(title, max_length=MAX_SLUG - 10, word_boundary=True) or content_type.name
    slug = _free_slug(session, snapshot, wanted, entry_id=entry_id)
    session.info.get(_DRAFTED, set()).discard(Address(snapshot.locale, snapshot.section, slug))
    return replace(snapshot, slug=slug)


def refuse_taken(session: Session, snapshot: Snapshot, *, entry_id: str = "") -> None:
    """Raises `AddressTaken` when another entry that is not in the trash has this slug in this section and locale."""
    if snapshot.slug is not None:
        address = Address(snapshot.locale, snapshot.section, snapshot.slug)
        _refuse(
            session,
            _DRAFTED,
            address,
            lambda: _at(Entry, address).where(Entry.trashed_at.is_(None), Entry.id != entry_id),
        )


def refuse_live_twin(session: Session, revision: Revision) -> None:
    """Raises `AddressTaken` when another entry is live at the revision's address."""
    if revision.slug is not None:
        address = Address(revision.locale, revision.section, revision.slug)
        _refuse(
            session,
            _LIVE,
            address,
            lambda: _at(Publication, address).where(Publication.entry_id != revision.entry_id),
        )


def look_up(session: Session, wanted: Collection[Address]) -> None:
    """Find out at once which of many addresses are free, so that taking one needs no statement of its own."""
    slugs = {address.slug for address in wanted}
    for name, table in ((_DRAFTED, Entry), (_LIVE, Publication)):
        rows = session.execute(select(table.locale, table.section, table.slug).where(table.slug.in_(slugs)))
        session.info[name] = set(wanted) - {(row.locale, row.section, row.slug) for row in rows}


# Addresses that are known to be free, until they are taken: among drafts, and among what is live.
_DRAFTED = "free among drafts"
_LIVE = "free among what is live"


def _refuse(session: Session, known_free: str, address: Address, taken_by: Callable[[], Select[str]]) -> None:
    free = session.info.get(known_free, ())
    if address in free:
        free.remove(address)
        return
    taken = session.scalar(taken_by())
    if taken is not None:
        raise AddressTaken(address.slug, address.section, address.locale, taken)


def _at(table: type[Entry] | type[Publication], address: Address) -> Select[str]:
    id = Entry.id if table is Entry else Publication.entry_id
    section = table.section.is_(None) if address.section is None else table.section == address.section
    return select(id).where(table.slug == address.slug, section, table.locale == address.locale)


def _free_slug(session: Session, snapshot: Snapshot, wanted: str, *, entry_id: str) -> str:
    taken = set(
        session.scalars(
            select(Entry.slug).where(
                or_(Entry.slug == wanted, func.substr(Entry.slug, 1, len(wanted) + 1) == f"{wanted}-"),
                Entry.section.is_(None) if snapshot.section is None else Entry.section == snapshot.section,
                Entry.locale == snapshot.locale,
                Entry.id != entry_id,
            )
        )
    )
    candidates = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)
