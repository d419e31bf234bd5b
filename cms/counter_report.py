"""Which pages load what: for all counters at once, and for one page with the reasons why not."""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import path_patterns, site
from cms.delivery import counters
from cms.delivery.counters import Counter, Place
from cms.delivery.live_structure import LiveSite, live_site
from cms.delivery.page_sections import with_parents
from cms.json_columns import among
from cms.section_tree import SectionTree, in_locale
from cms.tables.publications import Publication

# Pages that are looked at one by one, because a pattern names a part of their slugs; beyond it none are.
MOST_LOOKED_AT = 50_000

WHY: Mapping[str, str] = {
    "unknown_provider": "Its provider does not know what it is set to any more: save it anew.",
    "stopped": "It is switched off: DELETE /editor/v1/counters/stop switches it on.",
    "not_started": "It begins later.",
    "ended": "It has ended.",
    "environment": "It is for another environment.",
    "section": "The page stands in none of its sections.",
    "type": "The page shows no entry of its types.",
    "path": "None of its path patterns means this path.",
    "except_path": "One of its exceptions means this path.",
    "translation": "The counter has a translation that loads here in its stead.",
}


@dataclass(frozen=True)
class _Group:
    """Pages that differ by their last step alone: those of one section, locale and type."""

    section: str | None
    locale: str
    type: str
    count: int
    base: str


def of_path(session: Session, path: str, *, locale: str | None, now: datetime, environment: str) -> dict[str, Any]:
    """What loads at a path, and for every other live counter why it does not."""
    live, locales = live_site(session), site.locales(session)
    place = counters.place_at(session, path, live=live, locales=locales, locale=locale)
    around = counters.circumstances(session, now=now, environment=environment)
    found = counters.live_counters(session)
    reasons = {one.id: counters.why_not(one, place, around) for one in found}
    chosen = {one.id for one in counters.in_locale([one for one in found if not reasons[one.id]], place.locale)}
    for one in found:
        if not reasons[one.id] and one.id not in chosen:
            reasons[one.id].append("translation")
    return {
        "path": path,
        "locale": place.locale,
        "environment": environment,
        "type": place.type,
        "counters": [
            {
                **_told(one, live.tree, locales.default),
                "loads": not reasons[one.id],
                "why": [{"code": code, "message": WHY[code]} for code in reasons[one.id]],
            }
            for one in found
        ],
    }


def whole(session: Session, *, now: datetime, environment: str) -> dict[str, Any]:
    """For every live counter how many pages load it, and for every section which counters its pages load.

    Two statements however many entries there are, and one more where patterns name a part of slugs."""
    live, locales = live_site(session), site.locales(session)
    around = counters.circumstances(session, now=now, environment=environment)
    found = counters.live_counters(session)
    active = [one for one in found if not counters.at_rest(one, around)]
    groups = list(_groups(session, live.tree))
    pages: dict[str | None, Tally[str]] = {}
    undecided = []
    for group in groups:
        loaded = _loaded(active, group, with_parents(session, live, group.section))
        if loaded is None:
            undecided.append(group)
        else:
            pages.setdefault(group.section, Tally()).update({one.id: group.count for one in loaded})
    complete = _look_at_each(session, undecided, active, live, pages)
    own = _section_pages(session, active, live, locales.default)
    totals: Tally[str] = sum(pages.values(), Tally())
    sections_of = Tally(id for loaded in own.values() for id in loaded)
    return {
        "environment": environment,
        "pages": sum(group.count for group in groups),
        "complete": complete,
        "counters": [
            {
                **_told(one, live.tree, locales.default),
                "at_rest": [{"code": code, "message": WHY[code]} for code in counters.at_rest(one, around)],
                "pages": totals[one.id],
                "sections": sections_of[one.id],
            }
            for one in found
        ],
        "sections": _sections(groups, pages, own, live.tree, locales.default),
    }


def _told(one: Counter, tree: SectionTree, locale: str) -> dict[str, Any]:
    made = one.made
    return {
        "id": one.id,
        "title": one.title,
        "locale": one.locale,
        "provider": one.fields.get("provider"),
        "category": made and made.category,
        "position": made and made.position,
        "consent": list(made.consent) if made else [],
        "scope": _in_words(one.scope, tree, locale),
    }


def _in_words(scope: Mapping[str, Sequence[str]], tree: SectionTree, locale: str) -> str:
    said = {
        "in {} and below": [_name(tree, one, locale) for one in scope.get("sections", ())],
        "types {}": scope.get("types", ()),
        "paths {}": scope.get("paths", ()),
        "but not {}": scope.get("except_paths", ()),
    }
    words = [form.format(", ".join(names)) for form, names in said.items() if names]
    return "; ".join(words) or "every page"


def _name(tree: SectionTree, id: str, locale: str) -> str:
    section = tree.section(id)
    return f"“{in_locale(section.name, locale)}”" if section is not None else f"{id} (not live)"


# --- counting ---


def _groups(session: Session, tree: SectionTree) -> Iterator[_Group]:
    p = Publication
    rows = session.execute(
        select(p.section, p.locale, p.type, func.count().label("total"))
        .where(p.slug.is_not(None))
        .group_by(p.section, p.locale, p.type)
        .order_by(p.section, p.locale, p.type)
    )
    for row in rows:
        base = "/" if row.section is None else tree.path(row.section, locale=row.locale)
        if base is not None:
            yield _Group(row.section, row.locale, row.type, row.total, base)


def _loaded(active: Iterable[Counter], group: _Group, sections: frozenset[str]) -> list[Counter] | None:
    """What all pages of a group load; None: it depends on their slugs."""
    found = []
    for one in active:
        decided = _decided(one.scope, group, sections)
        if decided is None:
            return None
        if decided:
            found.append(one)
    return counters.in_locale(found, group.locale)


def _decided(scope: Mapping[str, Sequence[str]], group: _Group, sections: frozenset[str]) -> bool | None:
    if "sections" in scope and sections.isdisjoint(scope["sections"]):
        return False
    if "types" in scope and group.type not in scope["types"]:
        return False
    meant = path_patterns.matches_below(scope["paths"], group.base) if "paths" in scope else True
    left_out = path_patterns.matches_below(scope.get("except_paths", ()), group.base)
    if meant is False or left_out is True:
        return False
    return None if meant is None or left_out is None else True


def _look_at_each(
    session: Session,
    undecided: Sequence[_Group],
    active: Sequence[Counter],
    live: LiveSite,
    pages: dict[str | None, Tally[str]],
) -> bool:
    """Count the pages of the groups one by one. False: there are too many of them."""
    if not undecided:
        return True
    p = Publication
    keys = {(group.section, group.locale, group.type): group for group in undecided}
    named = among(func.coalesce(p.section, ""), sorted({group.section or "" for group in undecided}))
    rows = session.execute(
        select(p.section, p.locale, p.type, p.slug)
        .where(p.slug.is_not(None), named)
        .order_by(p.entry_id)
        .limit(MOST_LOOKED_AT + 1)
    ).all()
    for row in rows[:MOST_LOOKED_AT]:
        group = keys.get((row.section, row.locale, row.type))
        if group is not None:
            path = f"{group.base.rstrip('/')}/{row.slug}"
            place = Place(path, row.locale, with_parents(session, live, row.section), row.type)
            pages.setdefault(row.section, Tally()).update(_ids(active, place))
    return len(rows) <= MOST_LOOKED_AT


def _ids(active: Iterable[Counter], place: Place) -> list[str]:
    loading = [one for one in active if not counters.out_of_scope(one, place)]
    return [one.id for one in counters.in_locale(loading, place.locale)]


def _section_pages(
    session: Session, active: Sequence[Counter], live: LiveSite, locale: str
) -> dict[str | None, list[str]]:
    """What the page of each section loads, by the paths of one locale; None stands for the root."""
    ids = [section.id for section in live.tree]
    types = counters.index_types(session, live.tree, ids)
    found: dict[str | None, list[str]] = {None: _ids(active, Place("/", locale))}
    for id in ids:
        path = live.tree.path(id, locale=locale)
        if path is not None:
            place = Place(path, locale, with_parents(session, live, id), types.get(id))
            found[id] = _ids(active, place)
    return found


def _sections(
    groups: Iterable[_Group],
    pages: Mapping[str | None, Tally[str]],
    own: Mapping[str | None, list[str]],
    tree: SectionTree,
    locale: str,
) -> list[dict[str, Any]]:
    totals: Tally[str | None] = Tally()
    for group in groups:
        totals[group.section] += group.count
    told = []
    for id, loading in own.items():
        section = tree.section(id) if id is not None else None
        there = pages.get(id, Tally())
        told.append(
            {
                "section": id,
                "path": tree.path(id, locale=locale) if id is not None else "/",
                "name": in_locale(section.name, locale) if section is not None else None,
                "pages": totals[id],
                # What its own page loads, and how many pages that stand in it load what.
                "counters": loading,
                "entries": {one: there[one] for one in sorted(there)},
            }
        )
    return told
