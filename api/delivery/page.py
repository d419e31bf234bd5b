"""All that one page needs, in one call."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api import query
from api.answers import envelope, public, soonest
from api.delivery import banners
from api.delivery.counters import environment_of
from api.delivery.forms import FORM, entry_tags, found_at, menu_tags, path_of, section, shape_of
from api.delivery.serving import PublicParts, parts_of
from api.problems import Problem
from cms import site
from cms.delivery import counters, guesses, pages, publications
from cms.delivery.banners import Page, Shown
from cms.delivery.live_structure import LiveSite, live_site
from cms.delivery.presenting import Shape
from cms.delivery.resolving import Found
from cms.listing import Asked
from cms.paths import normal
from search_index import IndexUnavailable, Query

router = APIRouter(tags=["delivery"])


@router.get("/page", openapi_extra=query.takes("path", "locale", "environment", *FORM))
def read_page(request: Request) -> Response:
    """All that the page at a path needs. Redirects and what is gone come as data; nothing: 404 with suggestions."""
    given = query.only(request, "path", "locale", "environment", *FORM)
    path, environment = path_of(given), environment_of(given.get("environment"))
    parts = parts_of(request)
    now = parts.clock()
    with parts.database.reading() as session:
        shape = shape_of(request, session, given, None)
        live = live_site(session)
        locales = site.locales(session)
        locale = query.locale(given.get("locale"), locales)
        found = found_at(request, session, path, locale=locale)
        if found is None:
            raise _nothing(parts, session, path, live, locale=locale or locales.default)
        data, included, tags = _page(session, found, path, live, shape)
        shown = _banners(parts, session, found, path, live)
        loaded = _counters(session, found, path, live, now=now, environment=environment)
    data["banners"], data["counters"] = shown.banners, [counters.shown(one) for one in loaded.counters]
    tags += banners.tags(shown)
    body = envelope(data, included=included if shape.include else None)
    tags = ["structure", "settings", "type:counter", *tags]
    next_change = soonest(shown.next_change, loaded.next_change)
    # By the clock as it is now: the answer's life begins when it leaves.
    left = parts.clock()
    return public(request, body, tags=tags, now=left, next_change=next_change, ask_always=shown.emergency)


def _page(
    session: Session, found: Found, path: str, live: LiveSite, shape: Shape
) -> tuple[dict[str, Any], Any, list[str]]:
    page = None
    if found.publication is not None:
        page = pages.of_entry(session, found.publication, live=live, shape=shape)
    elif found.moved_to is None and not found.gone:
        page = pages.of_section(session, found, live=live, shape=shape)
    menus, live_menus, led_to = pages.live_menus(session, live=live, locale=found.locale)
    tags = menu_tags(live_menus, led_to)
    data = {
        "kind": _kind(found),
        "locale": found.locale,
        "path": page.path if page else normal(path),
        "entry": page and page.entry,
        "section": _section(found, live),
        "listing": page and _listing(page),
        "breadcrumbs": page.breadcrumbs if page else [],
        "menus": menus,
        # Filled by who asks for the page.
        "banners": {},
        "counters": [],
        "seo": page and page.seo,
        "alternates": page.alternates if page else [],
        "status": found.status,
        "to": found.moved_to,
        "explanation": found.explanation if found.gone else None,
    }
    if page is None:
        return data, {}, tags
    shown = [*([page.entry] if page.entry else []), *(page.listed or [])]
    if found.publication is not None:
        tags += [f"entry:{one}" for one in found.publication.targets]
    else:
        tags.append("type:*")  # whatever is published may join the list
    return data, page.included, [*entry_tags(shown, page.included), *tags]


def _banners(parts: PublicParts, session: Session, found: Found, path: str, live: LiveSite) -> Shown:
    """The banners of every placement of the page."""
    section = found.publication.section if found.publication is not None else found.section
    page = Page(path, section, found.locale)
    return banners.shown(parts, session, list(live.placements.values()), page, live=live)


def _counters(
    session: Session, found: Found, path: str, live: LiveSite, *, now: datetime, environment: str
) -> counters.Loaded:
    """What the page loads; one that only leads elsewhere loads nothing."""
    if found.moved_to is not None:
        return counters.NOTHING
    place = counters.place_of(session, path, found, live=live, locale=found.locale)
    return counters.loaded(session, place, now=now, environment=environment)


def _kind(found: Found) -> str:
    if found.publication is not None:
        return "entry"
    if found.moved_to is not None:
        return "redirect"
    return "gone" if found.gone else "section"


def _section(found: Found, live: LiveSite) -> dict[str, Any] | None:
    """The section at the path, or the one that the entry stands in."""
    if found.publication is not None:
        holding = found.publication.section
        return section(live.tree, holding, locale=found.locale) if holding is not None else None
    return section(live.tree, found.section, locale=found.locale) if _kind(found) == "section" else None


def _listing(page: pages.Page) -> dict[str, Any] | None:
    if page.listed is None or page.asked is None:
        return None
    following = None if page.next is None else f"/delivery/v1/entries?{_written(page.asked, page.next)}"
    return {"entries": page.listed, "next": following}


def _written(asked: Asked, cursor: str) -> str:
    """The list as `/entries` is asked for it."""
    conditions = [(condition.parameter, ",".join(condition.values)) for condition in asked.conditions]
    sort = ",".join(f"{'-' if descending else ''}{name}" for name, descending in asked.sort)
    return urlencode([*conditions, ("sort", sort), ("page[size]", asked.size), ("page[after]", cursor)])


def _nothing(parts: PublicParts, session: Session, path: str, live: LiveSite, *, locale: str) -> Problem:
    suggested = guesses.near_slugs(session, path, tree=live.tree, locale=locale)
    if len(suggested) < guesses.MOST:
        suggested += _found_by_words(parts, session, path, live, locale=locale)
    by_path = {one["path"]: one for one in reversed(suggested)}
    return Problem(
        404,
        "not_found",
        "There is nothing at this path.",
        nearest=pages.nearest(session, path, tree=live.tree, locale=locale),
        suggestions=list(reversed(by_path.values()))[: guesses.MOST],
    )


def _found_by_words(
    parts: PublicParts, session: Session, path: str, live: LiveSite, *, locale: str
) -> list[dict[str, str]]:
    words = guesses.words(path)
    if not words:
        return []
    try:
        hits = parts.public_index.search(Query(text=words, locale=locale, limit=guesses.MOST * 2)).hits
    except IndexUnavailable:
        return []
    # The index may lag behind by a moment: what was taken down since is not told.
    places = {
        one.entry_id: one.slug and live.tree.path(one.section, locale=one.locale, slug=one.slug)
        for one in publications.cards(session, [hit.id for hit in hits])
    }
    return [{"title": hit.title.text, "path": at} for hit in hits if (at := places.get(hit.id))]
