"""The tree of sections, and the content types."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from api import query
from api.access import changing, reading, refuse_strangers
from api.answers import private
from api.editor.bodies import PublicationBody, StructureChanges
from api.editor.replies import entry_reply
from api.idempotency import once
from cms import content_types, publishing, restructuring, snapshots, structure
from cms.content_types import ContentType, Field

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
    """Do operations on the tree, all in one draft. `meta.sections` has the ids of new sections, in order."""
    query.only(request)
    with changing(request, note=body.note) as desk:
        entry = structure.entry(desk.session)
        desk.permit("save", entry=entry)

        def work() -> Response:
            saved, made = restructuring.change(desk.session, entry, body.operations, expected=desk.expected, by=desk.by)
            return entry_reply(desk, saved.entry, warnings=saved.warnings, sections=made)

        return once(request, desk, body.model_dump_json().encode(), work)


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


@router.get("/types")
def list_types(request: Request) -> Response:
    """All content types with their fields."""
    query.only(request)
    refuse_strangers(request)
    return private([_type(one) for one in content_types.BUILT_IN.values()])


@router.get("/types/{type}")
def read_type(request: Request, type: str) -> Response:
    """One content type: its fields, and the JSON Schema of their values."""
    query.only(request)
    refuse_strangers(request)
    found = content_types.find(type)
    return private({**_type(found), "schema": content_types.model(found).model_json_schema()})


def _type(one: ContentType) -> dict[str, Any]:
    fields = [_field(field) for field in one.fields]
    return {"name": one.name, "routable": one.routable, "single": one.single, "fields": fields}


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "kind": field.kind,
        "required": field.required,
        "public": field.public,
        "types": list(field.types),
        "choices": list(field.choices),
        "fields": [_field(inner) for inner in field.fields],
    }
