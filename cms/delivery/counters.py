"""Counters: which of those that are live a page loads, why the others are not, and what it must allow for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import path_patterns
from cms.clock import written
from cms.counters import code as codes
from cms.counters import consent
from cms.counters.making import Made, make
from cms.counters.provider import POSITIONS
from cms.delivery import resolving
from cms.delivery.live_structure import LiveSite
from cms.delivery.page_sections import section_at, with_parents
from cms.delivery.resolving import Found
from cms.json_columns import among
from cms.section_tree import SectionTree
from cms.site import Locales
from cms.tables.publications import ALL_COUNTERS, Publication, StoppedCounter

# Where a counter that names no environment loads, and what is meant when nobody says where a page is shown.
PRODUCTION = "production"
_CATEGORIES = tuple(consent.SIGNALS)


@dataclass(frozen=True)
class Counter:
    """A live counter. `made` is None when its provider does not know any more what it was given once."""

    id: str
    revision: int
    title: str
    locale: str
    group: str
    fields: Mapping[str, Any]
    made: Made | None

    @property
    def scope(self) -> Mapping[str, Sequence[str]]:
        """Where it loads: `sections`, `paths`, `except_paths` and `types`, those that are said."""
        return {name: said for name, said in (self.fields.get("scope") or {}).items() if said}

    @property
    def starts_at(self) -> datetime | None:
        return _instant(self.fields.get("starts_at"))

    @property
    def ends_at(self) -> datetime | None:
        return _instant(self.fields.get("ends_at"))

    @property
    def environments(self) -> Sequence[str]:
        """Where the page may be shown."""
        return self.fields.get("environments") or (PRODUCTION,)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@dataclass(frozen=True)
class Place:
    """A page, as far as counters ask: its path and locale, the sections that it stands in, and its entry's type."""

    path: str
    locale: str
    sections: frozenset[str] = frozenset()
    type: str | None = None


@dataclass(frozen=True)
class Circumstances:
    """Besides the page: the instant, where the page is shown, and what is switched off."""

    now: datetime
    environment: str
    stopped: frozenset[str]


@dataclass(frozen=True)
class Loaded:
    """What a page loads, in order, and the next instant at which that may change by itself."""

    counters: tuple[Counter, ...]
    stopped: bool
    next_change: datetime | None


NOTHING = Loaded((), False, None)


def loaded(session: Session, place: Place, *, now: datetime, environment: str = PRODUCTION) -> Loaded:
    """The counters of a page. Two statements."""
    around = circumstances(session, now=now, environment=environment)
    live = live_counters(session)
    counters = [one for one in live if not why_not(one, place, around)]
    chosen = sorted(in_locale(counters, place.locale), key=_order)
    instants = [at for one in live for at in (one.starts_at, one.ends_at) if at is not None and at > now]
    return Loaded(tuple(chosen), ALL_COUNTERS in around.stopped, min(instants, default=None))


def circumstances(session: Session, *, now: datetime, environment: str) -> Circumstances:
    """What holds now."""
    return Circumstances(now, environment, frozenset(session.scalars(select(StoppedCounter.counter))))


def live_counters(session: Session) -> list[Counter]:
    """All that are live, whether they load anywhere or not."""
    p = Publication
    rows = session.execute(
        select(p.entry_id, p.revision, p.title, p.locale, p.translation_group, p.rendered)
        .where(p.type == "counter")
        .order_by(p.entry_id)
    )
    return [
        Counter(
            row.entry_id, row.revision, row.title, row.locale, row.translation_group, row.rendered, make(row.rendered)
        )
        for row in rows
    ]


def why_not(counter: Counter, place: Place, around: Circumstances) -> list[str]:
    """Why a page does not load a counter, in words that stay; nothing: it does."""
    return [*at_rest(counter, around), *out_of_scope(counter, place)]


def at_rest(counter: Counter, around: Circumstances) -> list[str]:
    """Why no page at all loads it now."""
    starts, ends = counter.starts_at, counter.ends_at
    reasons = {
        "unknown_provider": counter.made is None,
        "stopped": not around.stopped.isdisjoint((counter.id, ALL_COUNTERS)),
        "not_started": starts is not None and around.now < starts,
        "ended": ends is not None and around.now >= ends,
        "environment": around.environment not in counter.environments,
    }
    return [reason for reason, holds in reasons.items() if holds]


def out_of_scope(counter: Counter, place: Place) -> list[str]:
    """Why a page does not load it whatever the circumstances: all that the scope says must hold."""
    scope = counter.scope
    if not scope:
        return []
    reasons = {
        "section": "sections" in scope and place.sections.isdisjoint(scope["sections"]),
        "type": "types" in scope and place.type not in scope["types"],
        "path": "paths" in scope and not path_patterns.matches_any(scope["paths"], place.path),
        "except_path": path_patterns.matches_any(scope.get("except_paths") or (), place.path),
    }
    return [reason for reason, holds in reasons.items() if holds]


def in_locale(counters: Iterable[Counter], locale: str) -> list[Counter]:
    """Of a counter that is translated the one in this locale, or else the first: a visit is counted once."""
    chosen: dict[str, Counter] = {}
    for one in counters:
        known = chosen.get(one.group)
        if known is None or (known.locale != locale and one.locale == locale):
            chosen[one.group] = one
    return list(chosen.values())


def _order(counter: Counter) -> tuple[int, int, str, str]:
    made = counter.made
    if made is None:  # pragma: no cover - such a counter is at rest
        return 0, 0, counter.title, counter.id
    return POSITIONS.index(made.position), _CATEGORIES.index(made.category), counter.title, counter.id


# --- the page that is asked about ---


def place_at(
    session: Session, path: str, *, live: LiveSite, locales: Locales, locale: str | None, type: str | None = None
) -> Place:
    """What stands at a path, for one that may lead nowhere, too: then the sections that it leads through count."""
    found = resolving.resolve(session, path, site=live, locales=locales, locale=locale)
    return place_of(session, path, found, live=live, locale=locale or locales.default, type=type)


def place_of(
    session: Session, path: str, found: Found | None, *, live: LiveSite, locale: str, type: str | None = None
) -> Place:
    """The same for what was found at the path."""
    if found is not None and found.publication is not None:
        one = found.publication
        return Place(path, found.locale, with_parents(session, live, one.section), type or one.type)
    if found is not None and found.moved_to is None and not found.gone:
        section = found.section
        type = type or (index_types(session, live.tree, [section]).get(section) if section else None)
        return Place(path, found.locale, with_parents(session, live, section), type)
    return Place(path, locale, with_parents(session, live, section_at(live.tree, path, (locale,))), type)


def index_types(session: Session, tree: SectionTree, sections: Iterable[str]) -> dict[str, str]:
    """The type of the entry that stands for a section, of those for which one does."""
    named = {one: tree.setting(one, "index_entry") for one in sections}
    ids = sorted({id for id in named.values() if id is not None})
    p = Publication
    rows = session.execute(select(p.entry_id, p.type).where(among(p.entry_id, ids))).all() if ids else ()
    types = {row.entry_id: row.type for row in rows}
    return {section: types[id] for section, id in named.items() if id in types}


# --- shapes ---


def shown(counter: Counter) -> dict[str, Any]:
    """A counter as the public gets it."""
    made = counter.made
    if made is None:  # pragma: no cover - such a counter is at rest
        raise ValueError(counter.id)
    fields = counter.fields
    return {
        "id": counter.id,
        "revision": counter.revision,
        "title": counter.title,
        "provider": fields["provider"],
        "category": made.category,
        "position": made.position,
        "code": made.html,
        "scripts": [{"src": one.src, "inline": one.inline, "attributes": dict(one.attributes)} for one in made.scripts],
        "noscript": made.noscript,
        "data": {"counter_id": fields.get("counter_id") or None, "options": fields.get("options") or {}},
        "csp": made.csp,
        "consent": list(made.consent),
    }


def meta(found: Loaded, *, next_change: datetime | None) -> dict[str, Any]:
    """What a page needs besides: the policy for all of them, what may load after which consent, and the signals."""
    made = [one.made for one in found.counters if one.made is not None]
    asks = any(one.consent_mode for one in made)
    hashed = codes.hash_of(consent.DEFAULT_CODE) if asks else None
    return {
        "csp": codes.union([*(one.csp for one in made), *([{"script-src": [hashed]}] if hashed else [])]),
        "by_category": {
            category: [one.id for one in found.counters if one.made is not None and one.made.category == category]
            for category in consent.SIGNALS
        },
        "stopped": found.stopped,
        "consent_mode": {
            "default": dict(consent.DEFAULT),
            "by_category": {category: list(signals) for category, signals in consent.SIGNALS.items()},
            "code": consent.DEFAULT_CODE if asks else None,
            "hash": hashed,
        },
        "next_change": None if next_change is None else written(next_change),
    }
