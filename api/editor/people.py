"""People: persons, who of them can sign in, and the keys of scripts."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api import query
from api.access import Desk, reading, writing
from api.answers import envelope, private
from api.editor.bodies import KeyBody, PersonBody, PersonPatch, UserBody
from api.editor.replies import page_reply
from api.idempotency import once
from cms import finding, people, showing, sign_in
from cms.errors import Fault, InvalidContent
from cms.tables.people import ApiKey, Person, User

router = APIRouter(tags=["people"])


@router.get("/people", openapi_extra=query.takes(listing=True))
def list_people(request: Request) -> Response:
    """Find persons, by name."""
    asked = query.read(request)
    with reading(request) as desk:
        desk.permit("read")
        page = finding.people(desk.session, asked.asked)
        roles = people.roles(desk.session, (row[0].id for row in page.rows))
        return page_reply(request, page, [_with_role(row[0], roles.get(row[0].id)) for row in page.rows])


@router.post("/people", status_code=201)
def add_person(request: Request, body: PersonBody) -> Response:
    """Add a person, who need not be able to sign in. Editors may: they know for whom they work."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("save", type="person")
        return once(request, desk, body.model_dump_json().encode(), lambda: _add(desk, body))


def _add(desk: Desk, body: PersonBody) -> Response:
    person = people.add(desk.session, by=desk.by, **body.model_dump())
    desk.session.flush()
    return private(_shown(desk, person), status=201, headers={"Location": f"/editor/v1/people/{person.id}"})


@router.get("/people/{id}")
def read_person(request: Request, id: str) -> Response:
    """One person."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("read")
        return private(_shown(desk, people.find(desk.session, id)))


@router.patch("/people/{id}")
def change_person(request: Request, id: str, body: PersonPatch) -> Response:
    """Change a person's name, email, department or address."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("people")
        values = {name: getattr(body, name) for name in body.model_fields_set}
        return private(_shown(desk, people.change(desk.session, people.find(desk.session, id), values, by=desk.by)))


@router.put("/people/{id}/user")
def set_user(request: Request, id: str, body: UserBody) -> Response:
    """Let a person sign in, or give them another role or password. Their sessions end."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("people")
        person = people.find(desk.session, id)
        user = desk.session.get(User, id)
        if user is None:
            if body.password is None:
                raise InvalidContent([Fault("/password", "missing", "Who is to sign in for the first time needs one.")])
            people.make_user(desk.session, person, role=body.role, password=body.password, by=desk.by)
        else:
            _change_user(desk, user, body)
        desk.session.flush()
        return private(_shown(desk, person))


def _change_user(desk: Desk, user: User, body: UserBody) -> None:
    if body.role != user.role:
        people.set_role(desk.session, user, body.role, by=desk.by)
    if body.password is not None:
        people.set_password(desk.session, user, body.password, by=desk.by)


def _shown(desk: Desk, person: Person) -> dict[str, Any]:
    return _with_role(person, people.roles(desk.session, [person.id]).get(person.id))


def _with_role(person: Person, role: str | None) -> dict[str, Any]:
    return {**showing.person(person), "role": role}


@router.get("/keys", openapi_extra=query.takes(listing=True))
def list_keys(request: Request) -> Response:
    """API keys without their tokens, the newest first."""
    asked = query.read(request)
    with reading(request) as desk:
        desk.permit("keys")
        page = finding.keys(desk.session, asked.asked)
        return page_reply(request, page, [showing.key(row[0]) for row in page.rows])


@router.post("/keys", status_code=201)
def make_key(request: Request, body: KeyBody) -> Response:
    """Make an API key. Its token is shown now and never again, not even to the same `Idempotency-Key`."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("keys")

        def work() -> Response:
            key, token = sign_in.make_key(desk.session, by=desk.by, **body.model_dump())
            return _made(key, token)

        def without_token(answer: Response) -> bytes:
            return envelope({**orjson.loads(answer.body)["data"], "token": None})

        return once(request, desk, body.model_dump_json().encode(), work, kept=without_token)


def _made(key: ApiKey, token: str) -> Response:
    return private({**showing.key(key), "token": token}, status=201)


@router.delete("/keys/{id}", status_code=200)
def revoke_key(request: Request, id: str) -> Response:
    """End a key at once."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("keys")
        return private(showing.key(sign_in.revoke_key(desk.session, id, by=desk.by)))


@router.get("/audit", openapi_extra=query.takes(listing=True))
def read_audit(request: Request) -> Response:
    """Who did what, when, on whose behalf, for which request: the newest first."""
    asked = query.read(request)
    with reading(request) as desk:
        desk.permit("audit")
        page = finding.events(desk.session, asked.asked)
        events = [row[0] for row in page.rows]
        persons = showing.persons(desk.session, (one.on_behalf_of for one in events if one.on_behalf_of))
        return page_reply(request, page, [showing.event(one, persons) for one in events])
