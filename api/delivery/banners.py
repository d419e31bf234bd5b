"""Banners that may be shown, by placement, as data: what varies with the hour or the visitor is the client's to say."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api import picture_addresses, query
from api.answers import envelope, public
from api.delivery import go_links
from api.delivery.forms import path_of
from api.delivery.serving import PublicParts, parts_of
from cms import site
from cms.clock import written
from cms.delivery import banners
from cms.delivery.banners import Links, Page, Shown
from cms.delivery.live_structure import LiveSite, Placement, live_site
from cms.delivery.page_sections import section_at
from cms.site import Locales

router = APIRouter(tags=["delivery"])


@router.get("/banners", openapi_extra=query.takes("placement", "path", "locale"))
def list_banners(request: Request) -> Response:
    """The banners of some placements, or of all, that may be shown at a path and in a locale.

    Of those whose days, hours, device, topics and cap allow it, the client shows one of the highest priority by weight,
    and the house banner when there is none. A name that no placement has is left out of `meta.placements`."""
    given = query.only(request, "placement", "path", "locale")
    path = path_of(given) if "path" in given else None
    parts = parts_of(request)
    with parts.database.reading() as session:
        live = live_site(session)
        locales = site.locales(session)
        locale = query.locale(given.get("locale"), locales)
        placements = _placements(live, given.get("placement"))
        page = Page(path, path and _section(live, path, locales, locale), locale)
        found = shown(parts, session, placements, page, live=live)
    meta = {
        "placements": {one.name: _placement(one) for one in placements},
        "next_change": found.next_change and written(found.next_change),
    }
    body = envelope([banner for one in placements for banner in found.banners[one.name]], meta=meta)
    return public(
        request,
        body,
        tags=["structure", *tags(found)],
        now=parts.clock(),
        next_change=found.next_change,
        ask_always=any(one.emergency for one in placements),
    )


def shown(parts: PublicParts, session: Session, placements: list[Placement], page: Page, *, live: LiveSite) -> Shown:
    """The banners that a page may show in some placements."""
    links = Links(picture_addresses.pictures(parts.secret), partial(_go, parts.secret))
    return banners.shown(session, placements, page, live=live, links=links, now=parts.clock())


def tags(found: Shown) -> list[str]:
    """What an answer with banners depends on."""
    return ["type:banner", *(f"entry:{one}" for one in found.entries[:_MOST_TAGGED])]


# A header of more names than this is more than proxies take; banners are told by their type as well.
_MOST_TAGGED = 60


def _go(secret: bytes, banner_id: str, placement: str) -> str:
    return f"/go/{go_links.token(secret, banner_id, placement)}"


def _placements(live: LiveSite, asked: str | None) -> list[Placement]:
    if asked is None:
        return list(live.placements.values())
    return [live.placements[name] for name in dict.fromkeys(asked.split(",")) if name in live.placements]


def _section(live: LiveSite, path: str, locales: Locales, locale: str | None) -> str | None:
    return section_at(live.tree, path, (locales.default, *locales.all) if locale is None else (locale,))


def _placement(one: Placement) -> dict[str, Any]:
    return {"label": one.label, "width": one.width, "height": one.height, "emergency": one.emergency}
