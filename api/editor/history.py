"""Looking back: revisions, what changed between two, and an old one brought back."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api import query
from api.access import expected_revision, reading, writing
from api.answers import links, private
from api.editor.bodies import NoteBody
from api.editor.replies import entry_reply, rich_text_form
from cms import history, showing, snapshots
from cms.errors import BadQuery

router = APIRouter(tags=["history"])


@router.get("/entries/{id}/revisions")
def list_revisions(request: Request, id: str) -> Response:
    """The history of an entry, the newest revision first."""
    asked = query.read(request)
    before = _number(asked.asked.after, "page[after]") if asked.asked.after else None
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        found = history.revisions(desk.session, entry, before=before, limit=asked.asked.size + 1)
        shown = found[: asked.asked.size]
        people = showing.persons(desk.session, (one.on_behalf_of for one in shown if one.on_behalf_of))
        published = history.published(desk.session, entry)
        live = entry.published_revision
        data = [showing.revision(one, published=published, people=people, live=live) for one in shown]
    more = str(shown[-1].number) if len(found) > len(shown) else None
    return private(data, links=links(request, more))


@router.get("/entries/{id}/revisions/{number}")
def read_revision(request: Request, id: str, number: str) -> Response:
    """An entry as one revision had it."""
    form = rich_text_form(query.only(request, "rich_text").get("rich_text"))
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        revision = snapshots.revision_of(desk.session, entry, _known(number))
        return private(showing.entry(desk.session, entry, revision, rich_text=form), headers={"ETag": f'"{number}"'})


@router.get("/entries/{id}/diff")
def compare_revisions(request: Request, id: str) -> Response:
    """What changed between two revisions, field by field and word by word. `to` is the newest unless said."""
    asked = query.only(request, "from", "to")
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        to = _number(asked["to"], "to") if "to" in asked else entry.revision
        from_ = _number(asked["from"], "from") if "from" in asked else max(1, to - 1)
        return private({"from": from_, "to": to, "fields": history.diff(desk.session, entry, from_=from_, to=to)})


@router.post("/entries/{id}/revisions/{number}/restoration")
def restore_revision(
    request: Request, id: str, number: str, body: Annotated[NoteBody | None, Body()] = None
) -> Response:
    """Make a new revision equal to an old one."""
    expected = expected_revision(request)
    with writing(request, note=body.note if body else None) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("save", entry=entry)
        saved = history.restore(desk.session, entry, _known(number), expected=expected, by=desk.by)
        return entry_reply(desk, saved.entry, warnings=saved.warnings, status=201)


def _number(text: str, parameter: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise BadQuery(parameter, "not_a_revision", f"'{parameter}' is the number of a revision.")
    return int(text)


def _known(text: str) -> int:
    """A revision's number in a path; one that cannot exist is simply not found."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
