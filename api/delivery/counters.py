"""The counters of a page: data and code that is ready, by category, and the policy that lets it run."""

from fastapi import APIRouter, Request, Response

from api import query
from api.answers import envelope, public, soonest
from api.delivery.forms import path_of
from api.delivery.serving import parts_of
from cms import site
from cms.custom_types import site_types
from cms.delivery import counters
from cms.delivery.live_structure import live_site
from cms.errors import BadQuery

router = APIRouter(tags=["delivery"])

LONGEST_ENVIRONMENT = 40


@router.get("/counters", openapi_extra=query.takes("path", "locale", "type", "environment"))
def list_counters(request: Request) -> Response:
    """What the page at a path loads, in order. What is switched off is left out of the very next answer: caches ask
    each time whether theirs still holds."""
    given = query.only(request, "path", "locale", "type", "environment")
    path, environment = path_of(given), environment_of(given.get("environment"))
    parts = parts_of(request)
    now = parts.clock()
    with parts.database.reading() as session:
        live, locales = live_site(session), site.locales(session)
        locale = query.locale(given.get("locale"), locales)
        type = given.get("type")
        if type is not None and type not in site_types.all_of(session):
            raise BadQuery("type", "unknown_type", "There is no such content type.")
        place = counters.place_at(session, path, live=live, locales=locales, locale=locale, type=type)
        found = counters.loaded(session, place, now=now, environment=environment)
    next_change = soonest(found.next_change, live.next_change)
    data = [counters.shown(one) for one in found.counters]
    body = envelope(data, meta=counters.meta(found, next_change=next_change))
    tags = ["structure", "settings", "type:counter"]
    return public(request, body, tags=tags, now=now, next_change=next_change, ask_always=True)


def environment_of(said: str | None) -> str:
    """Where the page is shown; in production, unless it is said. Raises `BadQuery`."""
    if said is None:
        return counters.PRODUCTION
    if not 0 < len(said) <= LONGEST_ENVIRONMENT:
        raise BadQuery("environment", "out_of_range", f"An environment has 1 to {LONGEST_ENVIRONMENT} characters.")
    return said
