"""What search engines are told of the site: every page that they may show, in parts that stay as they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from cms import site
from cms.delivery import seo
from cms.delivery.live_structure import LiveSite, live_site
from cms.section_tree import SectionTree
from cms.site import Settings
from cms.tables.publications import Publication

# The protocol's own limit: https://www.sitemaps.org/protocol.html
MOST_IN_PART = 50_000
AT_ONCE = 1_000


@dataclass(frozen=True)
class Location:
    """A page: its path, when it last changed, and the paths of its translations (itself among them) by locale."""

    path: str
    changed: datetime | None
    alternates: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class State:
    """What a sitemap depends on: it is another one when any of this is. `parts`: 1 when it needs no index."""

    entries: int
    sections: int
    changed: datetime | None
    structure: int

    @property
    def parts(self) -> int:
        """The sections' and the entries' parts, when they do not fit into one."""
        if self.entries + self.sections <= MOST_IN_PART:
            return 1
        return 1 + -(-self.entries // MOST_IN_PART)


def state(session: Session) -> State:
    """One statement, besides what is known of the site."""
    p = Publication
    row = session.execute(
        select(
            select(func.count()).where(p.slug.is_not(None)).scalar_subquery().label("entries"),
            select(func.max(p.changed_at)).scalar_subquery().label("changed"),
        )
    ).one()
    live = live_site(session)
    sections = (len(live.tree) + 1) * len(site.locales(session).all)
    return State(row.entries, sections, row.changed, live.revision)


def sections(session: Session) -> list[Location]:
    """The pages of sections, the root's first."""
    tree, settings = live_site(session).tree, site.settings(session)
    hidden = _left_out(tree)
    shown = [None, *(one.id for one in tree if one.id not in hidden)]
    visible = [one for one in shown if not seo.is_hidden({}, one, tree=tree, settings=settings)]
    return [location for one in visible for location in _of_section(one, tree, settings)][:MOST_IN_PART]


def _of_section(section: str | None, tree: SectionTree, settings: Settings) -> Iterator[Location]:
    paths = {locale: path for locale in settings.locales.all if (path := tree.path(section, locale=locale))}
    if len(set(paths.values())) == 1:
        yield Location(next(iter(paths.values())), None)
    else:
        alternates = tuple(sorted(paths.items()))
        yield from (Location(path, None, alternates) for path in dict.fromkeys(paths.values()))


def entries(session: Session, *, after: str, limit: int = AT_ONCE) -> tuple[list[Location], str | None, int]:
    """The pages of the entries whose ids follow `after`: at most `limit` are looked at. Gives the id to go on after
    (None: these were the last) and how many were looked at. Two statements."""
    p = Publication
    columns = (p.entry_id, p.locale, p.section, p.slug, p.published_at, p.translation_group, p.seo)
    wanted = select(*columns).where(p.entry_id > after, p.slug.is_not(None)).order_by(p.entry_id).limit(limit)
    rows = session.execute(wanted).all()
    live, settings = live_site(session), site.settings(session)
    groups = _groups(session, {row.translation_group for row in rows})
    hidden = _left_out(live.tree)
    shown = (row for row in rows if row.section not in hidden)
    locations = [found for row in shown if (found := _of_entry(row, groups, live, settings)) is not None]
    return locations, rows[-1].entry_id if len(rows) == limit else None, len(rows)


def start_of(session: Session, part: int) -> str | None:
    """The id after which a part of the entries begins, counted from 1; None: there is no such part."""
    if part == 1:
        return ""
    p = Publication
    before = select(p.entry_id).where(p.slug.is_not(None)).order_by(p.entry_id).offset((part - 1) * MOST_IN_PART - 1)
    found: str | None = session.scalar(before.limit(1))
    return found


def _of_entry(row: Any, groups: dict[str, list[Any]], live: LiveSite, settings: Settings) -> Location | None:
    path = live.tree.path(row.section, locale=row.locale, slug=row.slug)
    if path is None or seo.is_hidden(row.seo, row.section, tree=live.tree, settings=settings):
        return None
    twins = groups.get(row.translation_group, [])
    paths = ((twin.locale, live.tree.path(twin.section, locale=twin.locale, slug=twin.slug)) for twin in twins)
    alternates = tuple((locale, at) for locale, at in paths if at is not None)
    return Location(path, row.published_at, alternates if len(alternates) > 1 else ())


def _groups(session: Session, groups: Iterable[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in session.execute(_TWINS, {"groups": sorted(groups)}):
        found.setdefault(row.translation_group, []).append(row)
    return found


# Written once: a list within a statement stays in memory until cycles are collected, a thousand ids each time.
_TWINS = (
    select(Publication.translation_group, Publication.locale, Publication.section, Publication.slug)
    .where(
        Publication.translation_group.in_(bindparam("groups", expanding=True)),
        Publication.slug.is_not(None),
    )
    .order_by(Publication.locale)
)


def _left_out(tree: SectionTree) -> set[str]:
    """Sections that are set to stay out, and all below them."""
    left: set[str] = set()
    for section in tree:  # parents come before their children
        if section.settings.get("in_sitemap") is False or left.intersection(section.parents[-1:]):
            left.add(section.id)
    return left
