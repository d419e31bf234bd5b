"""Standing imports: feeds that are asked again and again."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api import query
from api.access import Desk, reading, writing
from api.answers import PRIVATE, private
from api.editor.bodies import StandingImportBody, StandingImportPatch
from api.editor.replies import page_reply
from api.idempotency import once
from cms.imports import standing as standing_imports
from cms.tables.jobs import StandingImport

router = APIRouter(tags=["imports"])


@router.get("/standing-imports", openapi_extra=query.takes(listing=True))
def list_standing_imports(request: Request) -> Response:
    """Find standing imports."""
    asked = query.read(request)
    with reading(request) as desk:
        desk.permit("import")
        page = standing_imports.listing(desk.session, asked.asked)
        return page_reply(request, page, [standing_imports.show(row[0]) for row in page.rows])


@router.post("/standing-imports", status_code=201)
def create_standing_import(request: Request, body: StandingImportBody) -> Response:
    """Have a feed asked again and again. It is asked at once, unless it is paused; each time that it has changed, an
    import job brings it."""
    query.only(request)
    with writing(request, note=body.note) as desk:
        desk.permit("import")

        def work() -> Response:
            stored = standing_imports.add(desk.session, _given(body), by=desk.by)
            _permit_imports_of(desk, stored)
            headers = {"Location": f"/editor/v1/standing-imports/{stored.id}"}
            return private(standing_imports.show(stored), status=201, headers=headers)

        return once(request, desk, body.model_dump_json().encode(), work)


@router.get("/standing-imports/{id}")
def read_standing_import(request: Request, id: str) -> Response:
    """One standing import: when it was asked last, what went wrong, and its last job."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("import")
        return private(standing_imports.show(standing_imports.find(desk.session, id)))


@router.patch("/standing-imports/{id}")
def change_standing_import(request: Request, id: str, body: StandingImportPatch) -> Response:
    """Change a standing import (a JSON merge patch). From then on it acts in the name of who changed it."""
    query.only(request)
    with writing(request, note=body.note) as desk:
        desk.permit("import")
        stored = standing_imports.find(desk.session, id)
        standing_imports.change(desk.session, stored, _given(body), by=desk.by)
        _permit_imports_of(desk, stored)
        return private(standing_imports.show(stored))


@router.delete("/standing-imports/{id}", status_code=204)
def remove_standing_import(request: Request, id: str) -> Response:
    """Ask no more. What it brought stays."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("import")
        standing_imports.remove(desk.session, standing_imports.find(desk.session, id), by=desk.by)
    return Response(None, 204, PRIVATE)


@router.put("/standing-imports/{id}/run", status_code=202)
def run_standing_import(request: Request, id: str) -> Response:
    """Ask now, and not only when it is due."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("import")
        stored = standing_imports.find(desk.session, id)
        _permit_imports_of(desk, stored)
        standing_imports.run_now(desk.session, stored, by=desk.by)
        return private(standing_imports.show(stored), status=202)


def _permit_imports_of(desk: Desk, stored: StandingImport) -> None:
    """Who sets up imports must have the right to make each of them."""
    asked = standing_imports.asked_of(desk.session, stored)
    desk.permit("import", type=asked.type, sections=[asked.section])
    if asked.publish:
        desk.permit("publish", type=asked.type, sections=[asked.section])


def _given(body: StandingImportBody) -> dict[str, Any]:
    """What is named, options too. A new one has all members."""
    whole = not isinstance(body, StandingImportPatch)
    given = body.model_dump(exclude={"note", "options"}, exclude_unset=not whole)
    if whole or "options" in body.model_fields_set:
        given["options"] = body.options.model_dump(exclude_unset=True)
    return given
