"""Published entries: lists, one, and what is at a path."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api import query
from api.answers import envelope, links, public
from api.delivery.forms import FORM, entry_tags, found_at, path_of, section, shape_of, type_tags
from api.delivery.serving import parts_of
from api.problems import Problem
from cms import site
from cms.columns import asked_types
from cms.custom_types import site_types
from cms.delivery import presenting, publications, resolving
from cms.delivery.live_structure import LiveSite, live_site
from cms.delivery.presenting import Shape
from cms.listing import Asked

router = APIRouter(tags=["delivery"])

_SHORTHANDS = frozenset({"type", "locale", "section"})


@router.get("/entries", openapi_extra=query.takes(*sorted(_SHORTHANDS), *FORM, listing=True))
def list_entries(request: Request) -> Response:
    """Published entries, the newest first."""
    parameters = query.read(request, others=frozenset(FORM), shorthands=_SHORTHANDS)
    asked = parameters.asked
    if "sort" not in parameters.others:
        asked = Asked(asked.conditions, publications.NEWEST_FIRST, asked.size, asked.after, asked.total)
    parts = parts_of(request)
    with parts.database.reading() as session:
        types = asked_types(session, asked)
        shape = shape_of(request, session, parameters.others, types)
        _refuse_unknown_locales(asked, session)
        live = live_site(session)
        found = publications.listing(session, asked, documents=shape.documents)
        data, included = presenting.present(session, found.publications, tree=live.tree, shape=shape)
    meta = {} if found.total is None else {"total": found.total}
    body = envelope(data, meta=meta, included=included if shape.include else None, links=links(request, found.next))
    tags = ["structure", "settings", *type_tags(types), *entry_tags(data, included)]
    return public(request, body, tags=tags, now=parts.clock(), next_change=live.next_change)


@router.get("/entries/{id}", openapi_extra=query.takes(*FORM, "locale"))
def read_entry(request: Request, id: str) -> Response:
    """One published entry."""
    shape_asked = query.only(request, *FORM, "locale")
    parts = parts_of(request)
    with parts.database.reading() as session:
        live = live_site(session)
        documents = shape_asked.get("rich_text", "html") != "html"
        publication = publications.one(session, id, documents=documents)
        locale = query.locale(shape_asked.get("locale"), site.locales(session)) if "locale" in shape_asked else None
        if publication is None or (locale is not None and publication.locale != locale):
            shape_of(request, session, shape_asked, None)
            raise Problem(404, "not_found", "There is no published entry with this id.")
        shape = shape_of(request, session, shape_asked, (site_types.find(session, publication.type),))
        data, included = presenting.present(session, [publication], tree=live.tree, shape=shape)
    body = envelope(data[0], included=included if shape.include else None)
    targets = [f"entry:{target}" for target in publication.targets]
    return public(
        request,
        body,
        tags=["structure", "settings", *entry_tags(data, included), *targets],
        now=parts.clock(),
        next_change=live.next_change,
        last_modified=publication.published_at,
    )


@router.get("/resolve", openapi_extra=query.takes("path", "locale", *FORM))
def resolve_path(request: Request) -> Response:
    """What is at a path: an entry, a section, a redirect, or the word that it is gone. Nothing: 404."""
    given = query.only(request, "path", "locale", *FORM)
    path = path_of(given)
    parts = parts_of(request)
    with parts.database.reading() as session:
        shape = shape_of(request, session, given, None)
        live = live_site(session)
        locale = query.locale(given.get("locale"), site.locales(session))
        found = found_at(request, session, path, locale=locale)
        if found is None:
            raise Problem(404, "not_found", "There is nothing at this path.")
        data, included, tags = _resolved(session, found, live, shape)
    body = envelope(data, included=included if shape.include else None)
    return public(request, body, tags=["structure", "settings", *tags], now=parts.clock(), next_change=live.next_change)


def _resolved(
    session: Session, found: resolving.Found, live: LiveSite, shape: Shape
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    if found.publication is not None:
        entries, included = presenting.present(session, [found.publication], tree=live.tree, shape=shape)
        return {"kind": "entry", "locale": found.locale, "entry": entries[0]}, included, entry_tags(entries, included)
    if found.moved_to is not None:
        return {"kind": "redirect", "locale": found.locale, "status": found.status, "to": found.moved_to}, {}, []
    if found.gone:
        return {"kind": "gone", "locale": found.locale, "status": 410, "explanation": found.explanation}, {}, []
    shown = section(live.tree, found.section, locale=found.locale)
    return {"kind": "section", "locale": found.locale, "section": shown}, {}, []


def _refuse_unknown_locales(asked: Asked, session: Session) -> None:
    for condition in asked.conditions:
        if condition.field == "locale":
            known = site.locales(session)
            for value in condition.values:
                query.locale(value, known)
