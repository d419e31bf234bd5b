"""The published tree of sections, where its sections stood before, and how fresh an answer may be said to be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.database import remembered
from cms.section_tree import SectionTree
from cms.tables.publications import Publication, Redirect, Schedule

Place = tuple[str | None, str | None, str]


@dataclass(frozen=True)
class Left:
    """A rule that a section left at a place: it moved away, or it was removed, and who stands in for it then."""

    rule: str
    section: str
    status: int
    successor: str | None = None
    explanation: str | None = None


@dataclass(frozen=True)
class FormerSections:
    """What sections left behind, the latest first, by place: locale (None: every one), section above, slug."""

    places: Mapping[Place, tuple[Left, ...]] = field(default_factory=dict)
    removed: Mapping[str, Left] = field(default_factory=dict)

    def at(self, above: str | None, slug: str, *, locale: str) -> Iterator[Left]:
        """The sections that stood at a place once."""
        yield from self.places.get((locale, above, slug), ())
        yield from self.places.get((None, above, slug), ())

    def successor(self, section: str, tree: SectionTree) -> str | None:
        """The section of the tree that stands in for a removed one, if one does."""
        last = ([section, *self.successors(section, tree)])[-1]
        return last if last in tree else None

    def successors(self, section: str, tree: SectionTree) -> list[str]:
        """The sections that took the place of a removed one in turn, those among them that were removed later, too."""
        found: list[str] = []
        while section not in tree and (left := self.removed.get(section)) is not None:
            if left.successor is None or left.successor in found:
                break
            section = left.successor
            found.append(section)
        return found


@dataclass(frozen=True)
class Placement:
    """A slot on the front end that shows banners. Sizes in CSS pixels; `house`: the id of the banner that it shows
    when there is no other; `emergency`: what it shows is asked for anew each time."""

    name: str
    label: str | None = None
    description: str | None = None
    width: int | None = None
    height: int | None = None
    house: str | None = None
    emergency: bool = False


Placements = Mapping[str, Placement]


@dataclass(frozen=True)
class LiveSite:
    """The tree in force, its revision, its placements by name, and the next instant at which a schedule will change
    something."""

    tree: SectionTree
    former: FormerSections
    entry_id: str | None
    revision: int
    next_change: datetime | None
    placements: Placements = field(default_factory=dict)


def live_site(session: Session) -> LiveSite:
    """One statement, plus two more when the structure was published anew since the last call."""
    return remembered(session, "live site", lambda: _live_site(session))


def _live_site(session: Session) -> LiveSite:
    row = session.execute(_STATE).one()
    key = (row.entry_id, row.revision, row.changed_at)
    # Looked at once: another thread may keep its own tree between two looks.
    kept_key, kept = _kept.get("site", (None, None))
    if kept is None or kept_key != key:
        rendered = session.scalar(select(Publication.rendered).where(Publication.type == "structure")) or {}
        kept = SectionTree(rendered.get("sections") or []), _former(session), _placements(rendered)
        _kept["site"] = (key, kept)
    tree, former, placements = kept
    instants = [instant for instant in (row.publish_at, row.unpublish_at) if instant is not None]
    return LiveSite(tree, former, row.entry_id, row.revision or 0, min(instants, default=None), placements)


def live_tree(session: Session) -> SectionTree:
    """The published tree. Empty before a structure is published."""
    return live_site(session).tree


def _placements(rendered: Mapping[str, Any]) -> Placements:
    said = [
        {name: value for name, value in one.items() if value is not None} for one in rendered.get("placements") or ()
    ]
    return {one["name"]: Placement(**one) for one in said}


def _former(session: Session) -> FormerSections:
    """What sections left behind: it changes with a publication of the structure alone."""
    places: dict[Place, tuple[Left, ...]] = {}
    removed = {}
    r = Redirect
    rows = session.execute(
        select(r.id, r.locale, r.section, r.slug, r.status, r.target_section, r.about, r.explanation)
        .where(r.slug.is_not(None), r.prefix.is_(True))
        .order_by(r.id.desc())
    )
    for row in rows:
        successor = row.target_section if row.about else None
        left = Left(row.id, row.about or row.target_section, row.status, successor, row.explanation)
        place = (row.locale, row.section, row.slug)
        places[place] = (*places.get(place, ()), left)
        if row.about:
            removed[row.about] = left
    return FormerSections(places, removed)


_STRUCTURE = select(Publication).where(Publication.type == "structure").subquery()
_PENDING = Schedule.failure.is_(None)
_STATE = select(
    select(_STRUCTURE.c.entry_id).scalar_subquery().label("entry_id"),
    select(_STRUCTURE.c.revision).scalar_subquery().label("revision"),
    select(_STRUCTURE.c.changed_at).scalar_subquery().label("changed_at"),
    select(func.min(Schedule.publish_at)).where(_PENDING).scalar_subquery().label("publish_at"),
    select(func.min(Schedule.unpublish_at)).where(_PENDING).scalar_subquery().label("unpublish_at"),
)

# The published structure, parsed. A publication's instant tells it from every other.
_kept: dict[str, tuple[object, tuple[SectionTree, FormerSections, Placements]]] = {}
