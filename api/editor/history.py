"""Looking back: revisions, what changed between two, and an old one brought back."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api import query
from api.access import changing, reading
from api.answers import links, private
from api.editor.bodies import NoteBody
from api.editor.replies import entry_reply, revision_reply, rich_text_form
from api.idempotency import once
from cms import finding, history, showing, snapshots
from cms.errors import BadQuery

router = APIRouter(tags=["history"])


@router.get("/entries/{id}/revisions", openapi_extra=query.takes(listing=True))
def list_revisions(request: Request, id: str) -> Response:
    """The history of an entry, the newest revision first."""
    asked = query.read(request).asked
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        page = finding.revisions(desk.session, id, asked)
        shown = [row[0] for row in page.rows]
        people = showing.persons(desk.session, (one.on_behalf_of for one in shown if one.on_behalf_of))
        published = history.published(desk.session, entry)
        live = entry.published_revision
        data = [showing.revision(one, published=published, people=people, live=live) for one in shown]
    meta = {} if page.total is None else {"total": page.total}
    return private(data, meta=meta, links=links(request, page.next))


@router.get("/entries/{id}/revisions/{number}", openapi_extra=query.takes("rich_text"))
def read_revision(request: Request, id: str, number: str) -> Response:
    """An entry as one revision had it."""
    form = rich_text_form(query.only(request, "rich_text").get("rich_text"))
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        revision = snapshots.revision_of(desk.session, entry, _known(number))
        return revision_reply(desk, entry, revision, form=form)


@router.get("/entries/{id}/diff", openapi_extra=query.takes("from", "to"))
def compare_revisions(request: Request, id: str) -> Response:
    """What changed between two revisions, field by field and word by word. `to` is the newest unless said."""
    asked = query.only(request, "from", "to")
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        to = _number(asked["to"], "to") if "to" in asked else entry.revision
        from_ = _number(asked["from"], "from") if "from" in asked else max(1, to - 1)
        return private({"from": from_, "to": to, "fields": history.diff(desk.session, entry, from_=from_, to=to)})


@router.post("/entries/{id}/revisions/{number}/restoration", status_code=201)
def restore_revision(
    request: Request, id: str, number: str, body: Annotated[NoteBody | None, Body()] = None
) -> Response:
    """Make a new revision equal to an old one."""
    query.only(request)
    said = body or NoteBody()
    with changing(request, note=said.note) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("save", entry=entry)
        desk.permit("save", entry=entry, sections=[snapshots.revision_of(desk.session, entry, _known(number)).section])

        def work() -> Response:
            saved = history.restore(desk.session, entry, _known(number), expected=desk.expected, by=desk.by)
            return entry_reply(desk, saved.entry, warnings=saved.warnings, status=201)

        return once(request, desk, said.model_dump_json().encode(), work)


def _number(text: str, parameter: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise BadQuery(parameter, "not_a_revision", f"'{parameter}' is the number of a revision.")
    return int(text)


def _known(text: str) -> int:
    """A revision's number in a path; one that cannot exist is simply not found."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
