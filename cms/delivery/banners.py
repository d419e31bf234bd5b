"""Live banners: those that may be shown in a placement, at a path, in a locale, as far as a cache can hold the answer.

Days, hours, devices, topics, caps and weights are for the client to decide; instants, paths and locales are decided
here, by the clock, so that nothing that has ended leaves the server.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import path_patterns
from cms.banner_html import SANDBOX, clean
from cms.clock import written
from cms.delivery.live_structure import LiveSite, Placement
from cms.delivery.page_sections import with_parents
from cms.json_columns import among
from cms.pictures import Pictures, media_url, whole
from cms.section_tree import SectionTree
from cms.tables.publications import Publication


@dataclass(frozen=True)
class Banner:
    """A banner as it was published, parsed. `targeting` has all its lists, empty where nothing is said; `shown` what
    front ends get of it whatever is asked."""

    id: str
    title: str
    locale: str
    placements: tuple[str, ...]
    starts_at: datetime | None
    ends_at: datetime | None
    image: str | None
    creative: Mapping[str, Any] | None
    link: str | None
    entry: str | None
    tracking: tuple[tuple[str, str], ...]
    targeting: Mapping[str, tuple[str, ...]]
    shown: Mapping[str, Any]

    def is_on(self, now: datetime) -> bool:
        """Whether it has begun and not ended."""
        return not (self.starts_at and now < self.starts_at) and not self.is_over(now)

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended."""
        return self.ends_at is not None and self.ends_at <= now


def banner_of(id: str, title: str, locale: str, revision: int, fields: Mapping[str, Any]) -> Banner:
    """A banner of the fields that it was saved or published with."""
    said = {name: value for name, value in fields.items() if value is not None}
    creative = {name: value for name, value in (said.get("creative") or {}).items() if value}
    targeting = said.get("targeting") or {}
    starts, ends = (datetime.fromisoformat(at) if (at := said.get(name)) else None for name in ("starts_at", "ends_at"))
    return Banner(
        id=id,
        title=title,
        locale=locale,
        placements=tuple(said.get("placements") or ()),
        starts_at=starts,
        ends_at=ends,
        image=creative.get("image"),
        creative=_creative(creative),
        link=said.get("link") or None,
        entry=said.get("entry"),
        tracking=tuple((one["name"], one["value"]) for one in said.get("tracking") or ()),
        targeting={name: tuple(targeting.get(name) or ()) for name in _TARGETING},
        shown={"revision": revision, **_timing(said, starts, ends), **_legal(said, locale)},
    )


_TARGETING = ("sections", "paths", "except_paths", "locales", "devices", "topics")


def _creative(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if given.get("text"):
        return {"kind": "text", "text": given["text"]}
    if given.get("html"):
        # It was clean when it was saved; by rules that may have become stricter since.
        return {"kind": "html", "html": clean(given["html"]), "sandbox": SANDBOX}
    return None


def _timing(said: Mapping[str, Any], starts: datetime | None, ends: datetime | None) -> dict[str, Any]:
    cap = said.get("cap") or {}
    return {
        "starts_at": starts and written(starts),
        "ends_at": ends and written(ends),
        "zone": said.get("zone") or "UTC",
        "days": said.get("days") or [],
        "hours": said.get("hours") or [],
        "weight": said.get("weight") or 1,
        "priority": said.get("priority") or 0,
        "cap": cap if cap.get("views") and cap.get("per") else None,
    }


_ADVERTISEMENT = {"ru": "Реклама"}


def _legal(said: Mapping[str, Any], locale: str) -> dict[str, Any]:
    advertiser, erid = said.get("advertiser") or None, said.get("erid") or None
    usual = _ADVERTISEMENT.get(locale.partition("-")[0], "Advertisement") if advertiser or erid else None
    return {"advertiser": advertiser, "label": said.get("label") or usual, "erid": erid}


# --- which there are ---


def live_banners(session: Session) -> Mapping[str, Banner]:
    """All published banners by id, whether or not their time has come. One statement, one more after a change."""
    state = tuple(session.execute(_STATE).one())
    # Looked at once: another thread may keep its own between two looks.
    kept_state, kept = _kept.get("banners", (None, None))
    if kept is None or kept_state != state:
        rows = session.execute(_PUBLISHED)
        kept = {
            row.entry_id: banner_of(row.entry_id, row.title, row.locale, row.revision, row.rendered) for row in rows
        }
        _kept["banners"] = (state, kept)
    return kept


_P = Publication
# Whatever is published or taken down changes one of these: ids grow with time, revisions with each publication.
_STATE = select(
    func.count(), func.max(_P.changed_at), func.sum(_P.revision), func.min(_P.entry_id), func.max(_P.entry_id)
).where(_P.type == "banner")
_PUBLISHED = (
    select(_P.entry_id, _P.title, _P.locale, _P.revision, _P.rendered).where(_P.type == "banner").order_by(_P.entry_id)
)
# The published banners, parsed.
_kept: dict[str, tuple[object, Mapping[str, Banner]]] = {}


def live_pairs(session: Session, live: LiveSite) -> frozenset[tuple[str, str]]:
    """Each published banner with each placement that may show it."""
    banners = live_banners(session)
    return frozenset((one.id, name) for name, slot in live.placements.items() for one in _named(slot, banners))


# --- what may be shown ---


@dataclass(frozen=True)
class Page:
    """The page that banners are shown on: its path, the section that it is, or stands in, and its locale. What is not
    known limits nothing."""

    path: str | None = None
    section: str | None = None
    locale: str | None = None


Go = Callable[[str, str], str]


@dataclass(frozen=True)
class Links:
    """What gives pictures and clicks their addresses; `go` of a banner's id and a placement."""

    pictures: Pictures = whole
    go: Go = field(default=lambda _banner, _placement: "")


@dataclass(frozen=True)
class Shown:
    """Banners as front ends get them, by placement; `emergency`: one of them is in a placement for emergencies.
    `next_change`: when another banner of these placements begins or ends, or a schedule is due. `entries`: all that
    the answer tells of."""

    banners: Mapping[str, list[dict[str, Any]]]
    next_change: datetime | None
    emergency: bool
    entries: tuple[str, ...]


def shown(
    session: Session, placements: Sequence[Placement], page: Page, *, live: LiveSite, links: Links, now: datetime
) -> Shown:
    """The banners that may be shown in some placements of a page: those of the highest priority first, the house
    banner last. Two statements, one more after a change."""
    banners = live_banners(session)
    slots = [(placement, banner) for placement in placements for banner in _named(placement, banners)]
    sections = with_parents(session, live, page.section)
    fitting = [(slot, one) for slot, one in slots if one.is_on(now) and _fits(one, page, sections)]
    found = _found(session, [one for _, one in fitting], live.tree)
    presented: dict[str, list[dict[str, Any]]] = {placement.name: [] for placement in placements}
    for placement, banner in fitting:
        told = _present(banner, placement, page, found, links)
        if told is not None:
            presented[placement.name].append(told)
    changes = [at for _, one in slots for at in (one.starts_at, one.ends_at) if at is not None and at > now]
    ids = dict.fromkeys(id for _, one in fitting for id in (one.id, one.image, one.entry) if id is not None)
    return Shown(
        {name: sorted(told, key=_rank) for name, told in presented.items()},
        min([*changes, *([live.next_change] if live.next_change else [])], default=None),
        any(placement.emergency and presented[placement.name] for placement in placements),
        tuple(ids),
    )


def _named(placement: Placement, banners: Mapping[str, Banner]) -> list[Banner]:
    named = [one for one in banners.values() if placement.name in one.placements and one.id != placement.house]
    house = banners.get(placement.house) if placement.house is not None else None
    return [*named, house] if house is not None else named


def _rank(told: Mapping[str, Any]) -> tuple[bool, float, str]:
    return told["house"], -told["priority"], told["id"]


def _fits(banner: Banner, page: Page, sections: frozenset[str]) -> bool:
    targeting = banner.targeting
    if page.locale is not None and page.locale not in (targeting["locales"] or (banner.locale,)):
        return False
    if page.path is None:
        return True
    if targeting["sections"] and sections.isdisjoint(targeting["sections"]):
        return False
    if targeting["paths"] and not path_patterns.matches_any(targeting["paths"], page.path):
        return False
    return not path_patterns.matches_any(targeting["except_paths"], page.path)


# --- as front ends get it ---


def _found(session: Session, banners: Iterable[Banner], tree: SectionTree) -> Mapping[str, Any]:
    """The live entries that banners show or lead to: `(file, path)` by id."""
    ids = {id for one in banners for id in (one.image, one.entry) if id is not None}
    if not ids:
        return {}
    wanted = select(_P.entry_id, _P.locale, _P.section, _P.slug, _P.file).where(among(_P.entry_id, sorted(ids)))
    return {
        row.entry_id: (row.file, row.slug and tree.path(row.section, locale=row.locale, slug=row.slug))
        for row in session.execute(wanted)
    }


def _present(
    banner: Banner, placement: Placement, page: Page, found: Mapping[str, Any], links: Links
) -> dict[str, Any] | None:
    """The banner in one placement; None when what it shows is not live."""
    creative = banner.creative
    if creative is None:
        file, _ = found.get(banner.image or "", (None, None))
        if file is None:
            return None
        creative = {"kind": "image", "image": _image(banner, file, page.locale or banner.locale, links.pictures)}
    url = _url(banner, found)
    return {
        "id": banner.id,
        "revision": banner.shown["revision"],
        "placement": placement.name,
        "house": banner.id == placement.house,
        "emergency": placement.emergency,
        "creative": creative,
        "link": {"url": url, "go": url and links.go(banner.id, placement.name), "rel": _rel(banner, url)},
        "targeting": {**banner.targeting, "locales": banner.targeting["locales"] or (banner.locale,)},
        **{name: value for name, value in banner.shown.items() if name != "revision"},
    }


def _image(banner: Banner, file: Mapping[str, Any], locale: str, pictures: Pictures) -> dict[str, Any]:
    addresses = pictures(file)
    return {
        "id": banner.image,
        "url": addresses["url"],
        "width": file.get("width"),
        "height": file.get("height"),
        "alt": (file.get("alts") or {}).get(locale) or file.get("alt"),
        "srcset": addresses["srcset"],
        "placeholder": file.get("placeholder"),
        "color": file.get("color"),
    }


def _rel(banner: Banner, url: str | None) -> str:
    words = ["noopener"] if url is not None and not url.startswith("/") else []
    return " ".join([*(["sponsored"] if banner.shown["advertiser"] or banner.shown["erid"] else []), *words])


def _url(banner: Banner, found: Mapping[str, Any]) -> str | None:
    link = banner.link
    if banner.entry is not None:
        file, path = found.get(banner.entry, (None, None))
        link = path or (media_url(file) if file is not None else None)
    return None if link is None else tracked(link, banner.tracking)


def tracked(link: str, tracking: Iterable[tuple[str, str]]) -> str:
    """A link with parameters behind those that it has."""
    added = urlencode(list(tracking))
    if not added:
        return link
    address, hash, fragment = link.partition("#")
    between = "&" if "?" in address else "?"
    return f"{address}{'' if address.endswith(('?', '&')) else between}{added}{hash}{fragment}"


def destination(session: Session, banner: Banner, *, tree: SectionTree) -> str | None:
    """Where a click on a banner leads as it is now: a path on this site or a web address; None: nowhere."""
    return _url(banner, _found(session, [banner], tree))
