"""Publishing and unpublishing, now or later."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api import query
from api.access import Desk, changing
from api.editor.bodies import AnswerBody, PublicationBody, ScheduleBody
from api.editor.replies import entry_reply
from cms import menus, publishing, scheduling, snapshots
from cms.redirects import Answer
from cms.tables.entries import Entry

router = APIRouter(tags=["publication"])


@router.put("/entries/{id}/publication")
def publish_entry(request: Request, id: str, body: Annotated[PublicationBody | None, Body()] = None) -> Response:
    """Make a revision live, the newest unless one is named."""
    query.only(request)
    said = body or PublicationBody()
    with changing(request, note=said.note) as desk:
        entry = snapshots.find(desk.session, id)
        _permit_revision(desk, entry, said.revision)
        snapshots.refuse_stale(desk.session, entry, desk.expected, by=desk.by)
        published = publishing.publish(desk.session, entry, by=desk.by, revision=said.revision)
        return entry_reply(desk, entry, warnings=published.warnings)


@router.delete("/entries/{id}/publication", status_code=200)
def unpublish_entry(request: Request, id: str, body: Annotated[AnswerBody | None, Body()] = None) -> Response:
    """Take an entry off the site and say what its path answers from now on."""
    query.only(request)
    said = body or AnswerBody()
    with changing(request, note=said.note) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("publish", entry=entry)
        snapshots.refuse_stale(desk.session, entry, desk.expected, by=desk.by)
        publishing.unpublish(desk.session, entry, by=desk.by, answer=_answer(said))
        warnings = menus.holding(desk.session, entry.id, said="visitors do not see its link any more.")
        return entry_reply(desk, entry, warnings=warnings)


@router.put("/entries/{id}/schedule")
def schedule_entry(request: Request, id: str, body: ScheduleBody) -> Response:
    """Publish, unpublish or both at an instant. The revision is chosen now: a later draft is not published unseen."""
    query.only(request)
    with changing(request, note=body.note) as desk:
        entry = snapshots.find(desk.session, id)
        _permit_revision(desk, entry, body.revision)
        plan = scheduling.Plan(body.publish_at, body.unpublish_at, body.zone, _answer(body.answer), body.revision)
        scheduling.schedule(desk.session, entry, plan, expected=desk.expected, by=desk.by)
        return entry_reply(desk, entry)


@router.delete("/entries/{id}/schedule", status_code=200)
def cancel_schedule(request: Request, id: str) -> Response:
    """Take a plan back."""
    query.only(request)
    with changing(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("publish", entry=entry)
        scheduling.cancel(desk.session, entry, expected=desk.expected, by=desk.by)
        return entry_reply(desk, entry)


def _permit_revision(desk: Desk, entry: Entry, number: int | None) -> None:
    """An older revision may stand in another section: it takes the right to publish there, too."""
    desk.permit("publish", entry=entry)
    if number is not None:
        desk.permit("publish", entry=entry, sections=[snapshots.revision_of(desk.session, entry, number).section])


def _answer(said: AnswerBody) -> Answer:
    return Answer(said.answer, said.to, said.explanation)
