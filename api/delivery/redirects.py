"""Redirects for front ends that hold them."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from api import query
from api.answers import envelope, links, public
from api.delivery.serving import parts_of
from cms.delivery import held_redirects
from cms.delivery.live_structure import live_site
from cms.errors import BadQuery
from cms.listing import Condition

router = APIRouter(tags=["delivery"])


@router.get("/redirects", openapi_extra=query.takes("updated_since", "page[size]", "page[after]"))
def list_redirects(request: Request) -> Response:
    """All redirects, the first changed first, for front ends that hold them.

    A rule holds for its `path` in its `locale` (null: every one), and with `prefix` for all below it, whose rest then
    follows on `to`. What is live at a path goes before every rule, a rule for just the path before one for all below,
    the longer before the shorter. Apply them to the result until none applies, each once at most. Rules that lead
    nowhere or to their own path now are left out, and those that were removed are not told: take them all anew now and
    then, and whenever the tree was published."""
    asked = query.read(request, others=frozenset({"updated_since"}))
    if asked.asked.conditions or asked.asked.sort or asked.asked.total:
        said = "Redirects are neither filtered nor sorted here: there are updated_since, page[size] and page[after]."
        raise BadQuery("filter", "unknown_parameter", said)
    since = asked.others.get("updated_since")
    conditions = () if since is None else (Condition("changed_at", "gte", (since,)),)
    parts = parts_of(request)
    with parts.database.reading() as session:
        live = live_site(session)
        held, cursor = held_redirects.listing(session, replace(asked.asked, conditions=conditions))
    body = envelope(held, links=links(request, cursor))
    return public(request, body, tags=["redirects", "structure"], now=parts.clock(), next_change=live.next_change)
