"""Feeds of what was published last."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api import query
from api.answers import public
from api.delivery.feed_formats import FORMATS, Addresses
from api.delivery.serving import parts_of
from api.problems import Problem
from cms import site
from cms.delivery import feeds
from cms.delivery.live_structure import LiveSite, live_site
from cms.site import Settings

router = APIRouter(tags=["delivery"])


@router.get("/feeds/{name}.{format}", openapi_extra=query.takes("section", "locale"), response_class=Response)
def read_feed(request: Request, name: str, format: str) -> Response:
    """The newest pages as RSS, Atom or JSON Feed. A feed is called as one of the settings', as a type, or `all`."""
    given = query.only(request, "section", "locale")
    parts = parts_of(request)
    form = FORMATS.get(format)
    with parts.database.reading() as session:
        live, settings = live_site(session), site.settings(session)
        locale = query.locale(given.get("locale"), settings.locales)
        feed = feeds.named(session, settings, name)
        if feed is None or form is None:
            raise Problem(404, "not_found", f"There is no such feed. A feed ends in .{', .'.join(FORMATS)}.")
        feed = feeds.within(feed, section=_section(given.get("section"), live, settings, locale), locale=locale)
        base = settings.url or parts.base
        read = feeds.read(session, feed, live=live, settings=settings, base=base)
    asked = f"?{urlencode(sorted(given.items()))}" if given else ""
    home = base + (live.tree.path(feed.section, locale=feed.locale or settings.locales.default) or "/")
    at = Addresses(f"{base}/feeds/{feed.name}.{format}{asked}", home, settings.name or base)
    return public(
        request,
        form.write(read, at),
        tags=["structure", "settings", *([f"type:{one}" for one in feed.types] or ["type:*"])],
        now=parts.clock(),
        next_change=live.next_change,
        last_modified=read.changed,
        media_type=form.media_type,
    )


def _section(asked: str | None, live: LiveSite, settings: Settings, locale: str | None) -> str | None:
    """A section by its id or its path."""
    if asked is None:
        return None
    locales = (locale,) if locale is not None else (settings.locales.default, *settings.locales.all)
    at_path = (live.tree.at(asked, locale=one) for one in locales)
    found = asked if asked in live.tree else next((one for one in at_path if one is not None), None)
    if found is None:
        raise Problem(404, "not_found", "There is no such section: give its id, or its path from '/' on.")
    return found
