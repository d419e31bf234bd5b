"""Live menus, their links resolved to where their targets are now."""

from fastapi import APIRouter, Request, Response

from api import query
from api.answers import envelope, public
from api.delivery.forms import menu_tags
from api.delivery.serving import parts_of
from api.problems import Problem
from cms import site
from cms.delivery import menus
from cms.delivery.live_structure import live_site

router = APIRouter(tags=["delivery"])


@router.get("/menus", openapi_extra=query.takes("locale"))
def list_menus(request: Request) -> Response:
    """The names of all live menus of a locale."""
    given = query.only(request, "locale")
    parts = parts_of(request)
    with parts.database.reading() as session:
        locales = site.locales(session)
        locale = query.locale(given.get("locale"), locales) or locales.default
        found = menus.live_menus(session, locale=locale, locales=locales)
        next_change = live_site(session).next_change
    body = envelope([{"name": menu.name, "title": menu.title, "locale": menu.locale} for menu in found])
    return public(request, body, tags=["type:menu"], now=parts.clock(), next_change=next_change)


@router.get("/menus/{name}", openapi_extra=query.takes("locale"))
def read_menu(request: Request, name: str) -> Response:
    """One live menu. What its links lead to and is not live is left out. A locale that has no menu of this name gets
    the default locale's."""
    given = query.only(request, "locale")
    parts = parts_of(request)
    with parts.database.reading() as session:
        locales = site.locales(session)
        locale = query.locale(given.get("locale"), locales) or locales.default
        live = live_site(session)
        found = [one for one in menus.live_menus(session, locale=locale, locales=locales) if one.name == name]
        if not found:
            raise Problem(404, "not_found", "There is no live menu of this name.")
        shown, led_to = menus.resolved(session, found, tree=live.tree, locale=locale)
    data = {"name": name, "title": found[0].title, "locale": locale, "items": shown[0]}
    tags = ["structure", *menu_tags(found, led_to)]
    return public(request, envelope(data), tags=tags, now=parts.clock(), next_change=live.next_change)
