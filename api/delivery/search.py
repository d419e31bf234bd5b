"""Public search: over what is published, and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from api import query
from api.answers import envelope, links, public
from api.delivery.serving import parts_of
from api.search_answers import SEARCH_PARAMETERS, read_search, search
from cms import site
from cms.clock import written
from cms.delivery import publications
from cms.delivery.live_structure import live_site

router = APIRouter(tags=["delivery"])

MOST_SUGGESTIONS = 8


@router.get("/search", openapi_extra=query.takes(*SEARCH_PARAMETERS, listing=True))
def search_entries(request: Request) -> Response:
    """Find published entries by their words, in Russian and English. Offsets of ranges count code points."""
    asked = read_search(request, staff=False)
    parts = parts_of(request)
    with parts.database.reading() as session:
        query.locale(asked.locale, site.locales(session))
        live = live_site(session)

        def look_up(ids: Sequence[str]) -> Mapping[str, dict[str, Any]]:
            # The index may lag behind by a moment: what was taken down since is not told.
            return {
                one.entry_id: {
                    "id": one.entry_id,
                    "type": one.type,
                    "locale": one.locale,
                    "path": one.slug and live.tree.path(one.section, locale=one.locale, slug=one.slug),
                    "published_at": written(one.published_at),
                }
                for one in publications.cards(session, ids)
            }

        hits, meta, cursor = search(parts.public_index, asked, look_up=look_up)
    body = envelope(hits, meta=meta, links=links(request, cursor))
    tags = ["search", "structure"]
    return public(request, body, tags=tags, now=parts.clock(), next_change=live.next_change)


@router.get("/search/suggest", openapi_extra=query.takes("q", "locale"))
def suggest(request: Request) -> Response:
    """Titles that go on as one types."""
    given = query.only(request, "q", "locale")
    parts = parts_of(request)
    with parts.database.reading() as session:
        locale = query.locale(given.get("locale"), site.locales(session))
        next_change = live_site(session).next_change
    titles = parts.public_index.suggest(given.get("q", ""), locale=locale, limit=MOST_SUGGESTIONS)
    body = envelope([{"text": title} for title in titles])
    return public(request, body, tags=["search"], now=parts.clock(), next_change=next_change)
