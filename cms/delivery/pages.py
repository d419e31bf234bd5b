"""All that one page needs, in few statements, however much stands on the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import site
from cms.custom_types import site_types
from cms.delivery import menus, presenting, publications, seo
from cms.delivery.live_structure import LiveSite
from cms.delivery.presenting import Shape
from cms.delivery.resolving import Found
from cms.errors import BadQuery
from cms.listing import Asked, Condition
from cms.section_tree import MAX_LEVELS, Listing, Section, SectionTree, in_locale
from cms.site import Settings
from cms.tables.publications import Publication


@dataclass(frozen=True)
class Page:
    """What a page shows. `seo` and `alternates` are null where there is nothing to index; `asked` is the list that
    `listed` is the first page of, and `next` the cursor of its second."""

    path: str
    entry: dict[str, Any] | None
    listed: Sequence[dict[str, Any]] | None
    asked: Asked | None
    next: str | None
    included: Mapping[str, Any]
    breadcrumbs: list[dict[str, Any]]
    seo: dict[str, Any] | None
    alternates: list[dict[str, Any]]


@dataclass(frozen=True)
class _Standing:
    """Where a page stands, and on which site."""

    live: LiveSite
    settings: Settings
    locale: str

    @property
    def tree(self) -> SectionTree:
        return self.live.tree


def of_entry(session: Session, one: Publication, *, live: LiveSite, shape: Shape) -> Page:
    """The page of an entry at its own path."""
    standing = _Standing(live, site.settings(session), one.locale)
    shown, included = presenting.present(session, [one], tree=live.tree, shape=shape)
    entry = shown[0]
    crumb = _crumb(one.title, entry["path"], entry=one.entry_id)
    return Page(
        path=entry["path"],
        entry=entry,
        listed=None,
        asked=None,
        next=None,
        included=included,
        breadcrumbs=[*_breadcrumbs(standing, one.section), crumb],
        seo=entry["seo"],
        alternates=_translations(session, one.translation_group, standing),
    )


def of_section(session: Session, found: Found, *, live: LiveSite, shape: Shape) -> Page:
    """The page of a section: its entries as its settings list them, and the entry that stands for it, if one does."""
    standing = _Standing(live, site.settings(session), found.locale)
    section = live.tree.section(found.section) if found.section is not None else None
    index = _index_entry(session, section, found.locale, shape)
    listing, asked = _listing(session, section, standing, shape)
    wanted = [*([index] if index is not None else []), *listing.publications]
    shown, included = presenting.present(session, wanted, tree=live.tree, shape=shape)
    entry = shown.pop(0) if index is not None else None
    path = live.tree.path(found.section, locale=found.locale) or "/"
    return Page(
        path=path,
        entry=entry,
        listed=shown,
        asked=asked,
        next=listing.next,
        included=included,
        breadcrumbs=_breadcrumbs(standing, found.section),
        seo=_section_seo(session, section, standing, entry),
        alternates=_section_alternates(found.section, standing),
    )


def live_menus(
    session: Session, *, live: LiveSite, locale: str
) -> tuple[dict[str, list[dict[str, Any]]], list[menus.Menu], set[str]]:
    """All menus of a locale by name, those menus themselves, and the entries that they lead to."""
    found = menus.live_menus(session, locale=locale, locales=site.locales(session))
    shown, led_to = menus.resolved(session, found, tree=live.tree, locale=locale)
    return {menu.name: items for menu, items in zip(found, shown, strict=True)}, found, led_to


def nearest(session: Session, path: str, *, tree: SectionTree, locale: str) -> dict[str, Any]:
    """The live section that a path leads through last: `{path, name}`; in the end the root."""
    steps = path.strip("/").split("/")
    for count in range(min(len(steps), MAX_LEVELS), 0, -1):
        above = "/" + "/".join(steps[:count])
        section = tree.section(tree.at(above, locale=locale) or "")
        if section is not None:
            return {"path": above, "name": in_locale(section.name, locale)}
    return {"path": "/", "name": site.settings(session).name}


def _index_entry(session: Session, section: Section | None, locale: str, shape: Shape) -> Publication | None:
    """The entry that stands for a section, in this locale if it is translated into it."""
    entry_id = section.settings.get("index_entry") if section is not None else None
    if entry_id is None:
        return None
    p = Publication
    group = select(p.translation_group).where(p.entry_id == entry_id).scalar_subquery()
    rows = session.execute(select(p.entry_id, p.locale).where(p.translation_group == group)).all()
    ids = {row.locale: row.entry_id for row in rows}
    shown = ids.get(locale) or (entry_id if entry_id in ids.values() else None)
    return None if shown is None else publications.one(session, shown, documents=shape.documents)


def _listing(
    session: Session, section: Section | None, standing: _Standing, shape: Shape
) -> tuple[publications.Listing, Asked]:
    rules = Listing.model_validate(standing.tree.setting(section.id if section else None, "listing") or {})
    asked = _asked(session, section, standing.locale, rules)
    try:
        return publications.listing(session, asked, documents=shape.documents), asked
    except BadQuery:
        # The field that the section is sorted by has gone since: a page is shown all the same.
        newest = Asked(asked.conditions, publications.NEWEST_FIRST, asked.size)
        return publications.listing(session, newest, documents=shape.documents), newest


def _asked(session: Session, section: Section | None, locale: str, rules: Listing) -> Asked:
    types = site_types.all_of(session)
    named = [name for name in rules.types if name in types and types[name].routable]
    # Whatever has a page has a slug.
    which = Condition("type", "in", tuple(named)) if named else Condition("slug", "exists", ("true",))
    conditions = [which, Condition("locale", "eq", (locale,))]
    if section is not None:
        # One section is found in the order of an index, however much stands in it.
        deep = rules.below and section.children
        conditions.append(Condition("section", "below" if deep else "eq", (section.id,)))
    return Asked(tuple(conditions), ((rules.sort.removeprefix("-"), rules.sort.startswith("-")),), rules.page_size)


def _breadcrumbs(standing: _Standing, section_id: str | None) -> list[dict[str, Any]]:
    section = standing.tree.section(section_id) if section_id is not None else None
    way = [*section.parents, section.id] if section is not None else []
    sections = (standing.tree.section(one) for one in way)
    return [
        _crumb(standing.settings.name, "/"),
        *(
            _crumb(in_locale(one.name, standing.locale), standing.tree.path(one.id, locale=standing.locale), one.id)
            for one in sections
            if one is not None
        ),
    ]


def _crumb(name: str | None, path: str | None, section: str | None = None, entry: str | None = None) -> dict[str, Any]:
    return {"name": name, "path": path, "section": section, "entry": entry}


def _section_seo(
    session: Session, section: Section | None, standing: _Standing, entry: Mapping[str, Any] | None
) -> dict[str, Any]:
    tree, settings = standing.tree, standing.settings
    section_id = section.id if section is not None else None
    images = seo.default_images([section_id], tree=tree, settings=settings)
    live = publications.around(session, (), tree=tree, besides=images).live if images else frozenset()
    own = seo.of_section(section, locale=standing.locale, tree=tree, settings=settings, live=live)
    if entry is None:
        return own
    # The entry is shown at the section's path as well as at its own: one of them is the true one.
    return {**entry["seo"], "canonical": own["canonical"]}


def _translations(session: Session, group: str, standing: _Standing) -> list[dict[str, Any]]:
    p = Publication
    rows = session.execute(
        select(p.locale, p.section, p.slug).where(p.translation_group == group, p.slug.is_not(None)).order_by(p.locale)
    )
    paths = ((row.locale, standing.tree.path(row.section, locale=row.locale, slug=row.slug)) for row in rows)
    return [_alternate(locale, path, standing.settings) for locale, path in paths if path is not None]


def _section_alternates(section_id: str | None, standing: _Standing) -> list[dict[str, Any]]:
    locales = sorted(standing.settings.locales.all)
    paths = ((locale, standing.tree.path(section_id, locale=locale)) for locale in locales)
    return [_alternate(locale, path, standing.settings) for locale, path in paths if path is not None]


def _alternate(locale: str, path: str, settings: Settings) -> dict[str, Any]:
    return {"locale": locale, "path": path, "url": settings.absolute(path)}
