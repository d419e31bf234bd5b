"""Entries that would meet: one slug in one locale, when the sections that they stand in become one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, union
from sqlalchemy.orm import Session

from cms.json_columns import among
from cms.section_tree import SectionTree
from cms.tables.entries import Entry
from cms.tables.publications import Publication

_SHOWN_OF_EACH = 10


@dataclass(frozen=True)
class Collision:
    """Entries that would have one address in a section: the first of them."""

    locale: str
    slug: str
    section: str
    entries: tuple[str, ...]


@dataclass(frozen=True)
class Collisions:
    """How many addresses would be taken twice, and the first of them."""

    total: int = 0
    first: tuple[Collision, ...] = ()


def of(session: Session, before: SectionTree, after: SectionTree, *, limit: int) -> Collisions:
    """Where entries would meet when what `after` has removed is carried out."""
    total = 0
    first: list[Collision] = []
    for section, sources in joined(before, after).items():
        together = [section, *sources]
        twice = union(*(_twice(table, together) for table in (Entry, Publication))).subquery()
        wanted = select(twice.c.locale, twice.c.slug, func.count().over().label("all"))
        rows = session.execute(wanted.order_by(twice.c.locale, twice.c.slug).limit(limit)).all()
        total += rows[0].all if rows else 0
        for row in rows[: limit - len(first)]:
            holders = _holders(session, together, row.locale, row.slug)
            first.append(Collision(row.locale, row.slug, section, holders))
    return Collisions(total, tuple(first))


def joined(before: SectionTree, after: SectionTree) -> dict[str, list[str]]:
    """Which sections' entries go into which."""
    found: dict[str, list[str]] = {}
    for id in after.removed_since(before):
        fate, into = after.fate(id)
        if fate == "moved" and into is not None:
            found.setdefault(into, []).append(id)
    return found


def _twice(table: type[Entry] | type[Publication], sections: list[str]) -> Select[*tuple[Any, ...]]:
    wanted = select(table.locale, table.slug).where(among(table.section, sections), table.slug.is_not(None))
    if table is Entry:
        wanted = wanted.where(Entry.trashed_at.is_(None))
    return wanted.group_by(table.locale, table.slug).having(func.count() > 1)


def _holders(session: Session, sections: list[str], locale: str, slug: str) -> tuple[str, ...]:
    e, p = Entry, Publication
    drafted = select(e.id).where(among(e.section, sections), e.slug == slug, e.locale == locale, e.trashed_at.is_(None))
    live = select(p.entry_id).where(among(p.section, sections), p.slug == slug, p.locale == locale)
    return tuple(sorted(session.scalars(drafted.union(live).limit(_SHOWN_OF_EACH))))
