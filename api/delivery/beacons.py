"""What front ends tell of their visitors. No cookies, and nothing of a visitor is kept."""

from fastapi import APIRouter, Request, Response

from api import query
from api.answers import envelope
from api.delivery.bodies import Beacons, MissedPath
from api.delivery.serving import PublicParts, parts_of
from api.problems import Problem
from cms import site
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.delivery.noise import grouped

router = APIRouter(tags=["delivery"])


@router.post("/beacons", status_code=202)
def take_beacons(request: Request, body: Beacons) -> Response:
    """Tell of paths that visitors did not find. What leads somewhere by now, robots and those who try doors are not
    counted."""
    query.only(request)
    parts = parts_of(request)
    wait = parts.beacons.wait(request.client.host if request.client else "")
    if wait:
        said = f"Too many beacons from this address. Gather them, and try again in {wait} seconds."
        raise Problem(429, "too_many_requests", said, headers={"Retry-After": str(wait)})
    agent = request.headers.get("user-agent", "")
    missing = _missing(parts, body.missing_paths)
    accepted = sum(
        parts.tally.miss(one.path, locale=locale, referrer=one.referrer, agent=agent) for one, locale in missing
    )
    counts = {"accepted": accepted, "ignored": len(body.missing_paths) - accepted}
    return Response(
        envelope({"missing_paths": counts}), 202, {"Cache-Control": "no-store"}, media_type="application/json"
    )


def _missing(parts: PublicParts, told: list[MissedPath]) -> list[tuple[MissedPath, str | None]]:
    """Those that lead nowhere, each with its locale if the site has it."""
    with parts.database.reading() as session:
        live, locales = live_site(session), site.locales(session)
        named = [(one, one.locale if one.locale in locales.all else None) for one in told]
        return [
            (one, locale)
            for one, locale in named
            if resolving.resolve(session, grouped(one.path), site=live, locales=locales, locale=locale) is None
        ]
