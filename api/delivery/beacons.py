"""What front ends tell of their visitors. No cookies, and nothing of a visitor is kept."""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api import query
from api.answers import envelope
from api.delivery.bodies import Beacons, MissedPath, SeenBanner
from api.delivery.serving import PublicParts, parts_of
from api.problems import Problem
from api.view_tally import Pairs
from cms import site
from cms.delivery import banners, resolving
from cms.delivery.live_structure import live_site
from cms.delivery.noise import grouped, is_robot

router = APIRouter(tags=["delivery"])


@router.post("/beacons", status_code=202)
async def take_beacons(request: Request, body: Beacons) -> Response:
    """Tell of paths that visitors did not find, and of banners that they saw and clicked.

    What leads somewhere by now, what is told again, banners that are not live, robots and those who try doors are not
    counted. Browsers may send the JSON as text/plain, which spares them a question beforehand."""
    # No thread of its own for what needs no database: there may be thousands a second.
    query.only(request)
    parts = parts_of(request)
    things = 1 + len(body.missing_paths) + len(body.banners)
    wait = parts.beacons.wait(request.client.host if request.client else "", things=things)
    if wait:
        said = f"Too many beacons from this address. Gather them, and try again in {wait} seconds."
        raise Problem(429, "too_many_requests", said, headers={"Retry-After": str(wait)})
    agent = request.headers.get("user-agent", "")
    counts = {
        "missing_paths": await _missed(parts, body.missing_paths, agent),
        "banners": await _seen(parts, body.banners, agent),
    }
    return Response(envelope(counts), 202, {"Cache-Control": "no-store"}, media_type="application/json")


async def _missed(parts: PublicParts, told: list[MissedPath], agent: str) -> dict[str, int]:
    missing = await run_in_threadpool(_missing, parts, told) if told else []
    accepted = sum(
        parts.tally.miss(one.path, locale=locale, referrer=one.referrer, agent=agent) for one, locale in missing
    )
    return {"accepted": accepted, "ignored": len(told) - accepted}


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


async def _seen(parts: PublicParts, told: list[SeenBanner], agent: str) -> dict[str, int]:
    if told and is_robot(agent):
        parts.views.leave_out("robots", len(told))
        return {"accepted": 0, "ignored": len(told)}
    pairs = parts.views.pairs() if told else frozenset()
    if pairs is None or any((one.banner, one.placement) not in pairs for one in told):
        # One that was published just now is known at once; one that was taken down is counted for a second more.
        pairs = await run_in_threadpool(_look, parts)
    known = [one for one in told if (one.banner, one.placement) in pairs]
    accepted = sum(parts.views.add(one.kind, one.banner, one.placement, one.view) for one in known)
    if len(known) < len(told):
        parts.views.leave_out("unknown", len(told) - len(known))
    return {"accepted": accepted, "ignored": len(told) - accepted}


def _look(parts: PublicParts) -> Pairs:
    with parts.database.reading() as session:
        return parts.views.learn(banners.live_pairs(session, live_site(session)))
