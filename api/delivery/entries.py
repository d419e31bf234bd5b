"""Published entries: lists, one, and what is at a path."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api import query
from api.answers import envelope, links, public
from api.delivery.serving import parts_of
from api.problems import Problem
from cms import content_types, site
from cms.columns import asked_types
from cms.delivery import presenting, publications, resolving
from cms.delivery.live_structure import LiveSite, live_site
from cms.delivery.presenting import Shape
from cms.errors import BadQuery
from cms.listing import Asked
from cms.section_tree import SectionTree

router = APIRouter(tags=["delivery"])

_SHORTHANDS = frozenset({"type", "locale", "section"})
_SHAPE = ("rich_text", "fields", "include")
RICH_TEXT_FORMS = ("html", "doc", "markdown", "text")


@router.get("/entries", openapi_extra=query.takes(*sorted(_SHORTHANDS), *_SHAPE, listing=True))
def list_entries(request: Request) -> Response:
    """Published entries, the newest first."""
    parameters = query.read(request, others=frozenset(_SHAPE), shorthands=_SHORTHANDS)
    asked = parameters.asked
    if "sort" not in parameters.others:
        asked = Asked(asked.conditions, publications.NEWEST_FIRST, asked.size, asked.after, asked.total)
    types = asked_types(asked)
    shape = _shape(parameters.others, types)
    parts = parts_of(request)
    with parts.database.reading() as session:
        _refuse_unknown_locales(asked, session)
        live = live_site(session)
        found = publications.listing(session, asked, documents=shape.documents)
        data, included = presenting.present(session, found.publications, tree=live.tree, shape=shape)
    meta = {} if found.total is None else {"total": found.total}
    body = envelope(data, meta=meta, included=included if shape.include else None, links=links(request, found.next))
    tags = ["structure", *(f"type:{one.name}" for one in types), *_tags(data, included)]
    return public(request, body, tags=tags, now=parts.clock(), next_change=live.next_change)


@router.get("/entries/{id}", openapi_extra=query.takes(*_SHAPE, "locale"))
def read_entry(request: Request, id: str) -> Response:
    """One published entry."""
    shape_asked = query.only(request, *_SHAPE, "locale")
    parts = parts_of(request)
    with parts.database.reading() as session:
        live = live_site(session)
        documents = shape_asked.get("rich_text", "html") != "html"
        publication = publications.one(session, id, documents=documents)
        locale = query.locale(shape_asked.get("locale"), site.locales(session)) if "locale" in shape_asked else None
        if publication is None or (locale is not None and publication.locale != locale):
            _shape(shape_asked, content_types.BUILT_IN.values())
            raise Problem(404, "not_found", "There is no published entry with this id.")
        shape = _shape(shape_asked, (content_types.find(publication.type),))
        data, included = presenting.present(session, [publication], tree=live.tree, shape=shape)
    body = envelope(data[0], included=included if shape.include else None)
    return public(
        request,
        body,
        tags=["structure", *_tags(data, included), *(f"entry:{target}" for target in publication.targets)],
        now=parts.clock(),
        next_change=live.next_change,
        last_modified=publication.published_at,
    )


@router.get("/resolve", openapi_extra=query.takes("path", "locale", *_SHAPE))
def resolve_path(request: Request) -> Response:
    """What is at a path: an entry, a section, a redirect, or the word that it is gone. Nothing: 404."""
    given = query.only(request, "path", "locale", *_SHAPE)
    path = given.get("path", "")
    if not path.startswith("/") or len(path) > resolving.LONGEST_PATH:
        raise BadQuery("path", "malformed_path", "Give a path that starts with '/'.")
    shape = _shape(given, content_types.BUILT_IN.values())
    parts = parts_of(request)
    with parts.database.reading() as session:
        live = live_site(session)
        locales = site.locales(session)
        locale = query.locale(given.get("locale"), locales)
        found = resolving.resolve(session, path, site=live, locales=locales, locale=locale)
        if found is None:
            raise Problem(404, "not_found", "There is nothing at this path.")
        data, included, tags = _resolved(session, found, live, shape)
    body = envelope(data, included=included if shape.include else None)
    return public(request, body, tags=["structure", *tags], now=parts.clock(), next_change=live.next_change)


def _resolved(
    session: Session, found: resolving.Found, live: LiveSite, shape: Shape
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    if found.publication is not None:
        entries, included = presenting.present(session, [found.publication], tree=live.tree, shape=shape)
        return {"kind": "entry", "locale": found.locale, "entry": entries[0]}, included, _tags(entries, included)
    if found.moved_to is not None:
        return {"kind": "redirect", "locale": found.locale, "status": found.status, "to": found.moved_to}, {}, []
    if found.gone is not None:
        explanation = found.gone.explanation
        return {"kind": "gone", "locale": found.locale, "status": 410, "explanation": explanation}, {}, []
    section = _section(live.tree, found.section, locale=found.locale)
    return {"kind": "section", "locale": found.locale, "section": section}, {}, []


def _section(tree: SectionTree, section_id: str | None, *, locale: str) -> dict[str, Any]:
    section = tree.section(section_id) if section_id is not None else None
    return {
        "id": section_id,
        "name": dict(section.name) if section else {},
        "slug": section and section.slug,
        "path": tree.path(section_id, locale=locale),
        "children": list(section.children if section else tree.roots),
    }


def _shape(given: Any, types: Iterable[content_types.ContentType]) -> Shape:
    types = tuple(types)
    form = query.one_of(given.get("rich_text"), RICH_TEXT_FORMS, name="rich_text")
    include = presenting.read_include(given["include"], types) if "include" in given else ()
    fields = presenting.read_fields(given["fields"], types) if "fields" in given else None
    return Shape(form, fields, include)


def _refuse_unknown_locales(asked: Asked, session: Session) -> None:
    for condition in asked.conditions:
        if condition.field == "locale":
            known = site.locales(session)
            for value in condition.values:
                query.locale(value, known)


def _tags(entries: Iterable[dict[str, Any]], included: Iterable[str]) -> list[str]:
    return [f"entry:{one['id']}" for one in entries] + [f"entry:{id}" for id in included]
