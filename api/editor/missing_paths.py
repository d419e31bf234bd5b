"""What visitors asked for and did not find, with guesses at what was meant."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from api import query
from api.access import parts_of, reading, writing
from api.answers import PRIVATE, private
from api.editor.bodies import MissingPathPatch, MissingPathRedirect
from api.editor.redirects import kept_reply
from api.editor.replies import page_reply
from cms import missing_paths
from cms.errors import BadQuery
from cms.missing_paths import Search
from cms.redirect_rules import Rule
from search_index import IndexUnavailable, Query, QueryTooLong

router = APIRouter(tags=["redirects"])

# Guessing at one path takes some ten milliseconds.
MOST_GUESSED_AT = 20


@router.get("/missing-paths", openapi_extra=query.takes("guesses", listing=True))
def list_missing_paths(request: Request) -> Response:
    """Paths that were not found, the most missed first; those that are open unless `filter[state]` says otherwise."""
    asked = query.read(request, others=frozenset({"guesses"}))
    guessing = query.flag(asked.others.get("guesses", "false"), "guesses")
    if guessing and asked.asked.size > MOST_GUESSED_AT:
        raise BadQuery("page[size]", "out_of_range", f"With guesses, a page has {MOST_GUESSED_AT} paths at most.")
    search = _search(request)
    with reading(request) as desk:
        desk.permit("read")
        page = missing_paths.listing(desk.session, asked.asked)
        rows = [row[0] for row in page.rows]
        shown = [
            missing_paths.show(one, missing_paths.guesses(desk.session, one, search=search) if guessing else None)
            for one in rows
        ]
        return page_reply(request, page, shown)


@router.get("/missing-paths/{id}")
def read_missing_path(request: Request, id: str) -> Response:
    """One missing path, with the best guesses at what was meant."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("read")
        row = missing_paths.find(desk.session, id)
        guesses = missing_paths.guesses(desk.session, row, search=_search(request))
        return private(missing_paths.show(row, guesses))


@router.put("/missing-paths/{id}/redirect", status_code=201)
def redirect_missing_path(request: Request, id: str, body: MissingPathRedirect) -> Response:
    """Turn a missing path into a redirect."""
    query.only(request)
    with writing(request, note=body.note) as desk:
        desk.permit("redirects")
        row = missing_paths.find(desk.session, id)
        rule = Rule(row.path, body.to, body.status, body.prefix, body.locale, body.explanation)
        return kept_reply(desk, missing_paths.redirect(desk.session, row, rule, by=desk.by), status=201)


@router.patch("/missing-paths/{id}")
def change_missing_path(request: Request, id: str, body: MissingPathPatch) -> Response:
    """Ignore a path from now on, or open it again."""
    query.only(request)
    with writing(request, note=body.note) as desk:
        desk.permit("redirects")
        row = missing_paths.find(desk.session, id)
        missing_paths.mark(desk.session, row, body.state, by=desk.by)
        return private(missing_paths.show(row))


@router.delete("/missing-paths/{id}", status_code=204)
def remove_missing_path(request: Request, id: str) -> Response:
    """Forget a path until it is missed again."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("redirects")
        missing_paths.remove(desk.session, missing_paths.find(desk.session, id), by=desk.by)
    return Response(None, 204, PRIVATE)


def _search(request: Request) -> Search:
    """The public search. While it is being rebuilt, there are guesses by slugs alone."""
    engine = parts_of(request).public_index

    def search(words: str, locale: str | None) -> Sequence[tuple[str, float]]:
        try:
            found = engine.search(Query(text=words, locale=locale, limit=missing_paths.MOST_GUESSES))
        except (IndexUnavailable, QueryTooLong):
            return ()
        return [(hit.id, hit.score) for hit in found.hits]

    return search
