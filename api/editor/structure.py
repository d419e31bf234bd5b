"""The tree of sections."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api import query
from api.access import changing, expected_revision, reading
from api.answers import private
from api.editor.bodies import PublicationBody, StructureChanges, StructurePlan
from api.editor.replies import entry_reply
from api.idempotency import once
from cms import placement_changes, planning, publishing, restructuring, snapshots, structure

router = APIRouter(tags=["structure"])


@router.get("/structure")
def read_structure(request: Request) -> Response:
    """The tree in its newest revision: the `structure` entry."""
    query.only(request)
    with reading(request) as desk:
        entry = structure.entry(desk.session)
        desk.permit("read", entry=entry)
        return entry_reply(desk, entry)


@router.post("/structure/changes")
def change_structure(request: Request, body: StructureChanges) -> Response:
    """Do operations on the tree, all in one draft. `meta.sections` has the ids of new sections, in order, and
    `meta.warnings` names the menus that lead to what moves or goes, and the live banners that lose a placement."""
    query.only(request)
    with changing(request, note=body.note) as desk:
        entry = structure.entry(desk.session)
        desk.permit("save", entry=entry)

        def work() -> Response:
            before, slots = structure.newest_tree(desk.session), structure.newest_placements(desk.session)
            saved, made = restructuring.change(desk.session, entry, body.operations, expected=desk.expected, by=desk.by)
            held = planning.in_menus(desk.session, before, structure.newest_tree(desk.session))
            held += tuple(placement_changes.warnings(desk.session, slots, structure.newest_placements(desk.session)))
            return entry_reply(desk, saved.entry, warnings=[*saved.warnings, *held], sections=made)

        return once(request, desk, body.model_dump_json().encode(), work)


@router.post("/structure/plan", openapi_extra=query.takes("page[size]", "page[after]"))
def plan_structure(request: Request, body: StructurePlan) -> Response:
    """What operations would do once they are published: every path that changes, the first 100 and the rest by
    cursor, and all that hangs on it. Changes nothing; what cannot be done is told in `problems`."""
    asked = query.only(request, "page[size]", "page[after]")
    size = query.size(asked.get("page[size]"), usual=planning.SHOWN)
    with reading(request) as desk:
        entry = structure.entry(desk.session)
        desk.permit("read", entry=entry)
        expected = expected_revision(request) if "if-match" in request.headers else body.revision
        if expected is not None:
            snapshots.refuse_stale(desk.session, entry, expected, by=desk.by)
        after = asked.get("page[after]")
        return private(planning.plan(desk.session, entry, body.operations, size=size, after=after))


@router.put("/structure/publication")
def publish_structure(request: Request, body: Annotated[PublicationBody | None, Body()] = None) -> Response:
    """Make the tree live."""
    query.only(request)
    said = body or PublicationBody()
    with changing(request, note=said.note) as desk:
        entry = structure.entry(desk.session)
        desk.permit("publish", entry=entry)
        snapshots.refuse_stale(desk.session, entry, desk.expected, by=desk.by)
        publishing.publish(desk.session, entry, by=desk.by, revision=said.revision)
        return entry_reply(desk, entry)
