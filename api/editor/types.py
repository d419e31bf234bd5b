"""Content types: what there are, made and changed by staff, with what a change does to entries told beforehand."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api import query
from api.access import expected_revision, reading, writing
from api.answers import PRIVATE, private, revision_tag
from api.editor.bodies import TypeBody
from api.type_reports import type_report
from cms import content_types
from cms.content_types import ContentType
from cms.custom_types import making_types, site_types
from cms.custom_types.type_definitions import written
from cms.errors import Fault, InvalidContent

router = APIRouter(tags=["types"])


@router.get("/types")
def list_types(request: Request) -> Response:
    """All content types with their fields: those that are built in, then those that staff made."""
    query.only(request)
    with reading(request) as desk:
        return private([shown(one) for one in site_types.all_of(desk.session).values()])


@router.get("/types/{type}")
def read_type(request: Request, type: str) -> Response:
    """One content type: its fields, and the JSON Schema of their values."""
    query.only(request)
    with reading(request) as desk:
        return _reply(site_types.find(desk.session, type))


@router.put("/types/{type}", openapi_extra=query.takes("dry_run", "confirm"))
def put_type(request: Request, type: str, body: TypeBody) -> Response:
    """Make a content type, or change one: its fields are those that are named. With `?dry_run=true` it only tells
    what that does to entries; where they lose values, `confirm` must name how many."""
    asked = query.only(request, "dry_run", "confirm")
    given = _given(type, body)
    if query.flag(asked.get("dry_run", "false"), "dry_run"):
        with reading(request) as desk:
            desk.permit("types", type=type)
            planned = making_types.plan(desk.session, type, given, expected=_expected(request))
            return private(type_report(planned.report))
    confirm = _count(asked["confirm"]) if "confirm" in asked else body.confirm
    with writing(request, note=body.note) as desk:
        desk.permit("types", type=type)
        expected = _expected(request)
        put = making_types.put(desk.session, type, given, expected=expected, confirm=confirm, by=desk.by)
        return _reply(put.content_type, status=201 if put.made else 200, report=type_report(put.report))


@router.delete("/types/{type}", status_code=204)
def remove_type(request: Request, type: str) -> Response:
    """Remove a content type that no entry has, none in the trash either."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("types", type=type)
        making_types.remove(desk.session, type, expected=_expected(request), by=desk.by)
    return Response(None, 204, PRIVATE)


def _given(name: str, body: TypeBody) -> dict[str, Any]:
    if body.name not in (None, name):
        said = "A type keeps its name. Leave it out, or give the name that the address has."
        raise InvalidContent([Fault("/name", "other_name", said)])
    given = {"label": body.label, "routable": body.routable, "fields": body.fields}
    return {name: value for name, value in given.items() if value is not None}


def _expected(request: Request) -> int | None:
    return expected_revision(request) if "if-match" in request.headers else None


def _count(text: str) -> int:
    said = "'confirm' is the number of entries that may lose by it."
    return query.number(text, "confirm", among=range(10**9), said=said)


def _reply(one: ContentType, *, status: int = 200, **meta: Any) -> Response:
    headers = {} if one.revision is None else {"ETag": revision_tag(one.revision, 0)}
    data = {**shown(one), "schema": content_types.model(one).model_json_schema()}
    return private(data, status=status, meta=meta, headers=headers)


def shown(one: ContentType) -> dict[str, Any]:
    """A type as staff see it. `revision` is null for those that are built in."""
    return {
        "name": one.name,
        "label": dict(one.label),
        "routable": one.routable,
        "single": one.single,
        "revision": one.revision,
        "fields": [written(field) for field in one.fields],
    }
