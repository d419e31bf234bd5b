"""Signing in and out, and who one is."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from api import query
from api.access import COOKIE, known_session, parts_of, reading, writing
from api.answers import PRIVATE, private
from api.editor.bodies import PasswordBody, SessionBody
from api.parts import Parts
from api.problems import Problem
from cms import people, rights, sign_in
from cms.attribution import Actor
from cms.showing import instant

router = APIRouter(tags=["session"])


@router.post("/session", status_code=201)
def sign_in_person(request: Request, body: SessionBody) -> Response:
    """Sign in. The session is a cookie; `csrf_token` goes into the header X-CSRF-Token of every write."""
    query.only(request)
    parts = parts_of(request)
    address = request.client.host if request.client else ""
    parts.throttle.check(body.email, address)
    with parts.database.reading() as session:
        person_id, password_hash = sign_in.credentials_of(session, body.email)
    # Outside any session: it takes 50 ms of a processor.
    if not sign_in.is_right(password_hash, body.password) or person_id is None:
        parts.throttle.failed(body.email, address)
        raise Problem(401, "wrong_credentials", "The email or the password is wrong.")
    parts.throttle.succeeded(body.email, address)
    with parts.database.writing() as session:
        opened = sign_in.open_session(session, person_id, at=parts.clock())
    shown = _shown(opened.actor, csrf_token=opened.csrf_token, expires_at=opened.expires_at)
    response = private(shown, status=201)
    lasts = int(sign_in.SESSION_LASTS.total_seconds())
    response.set_cookie(COOKIE, opened.token, max_age=lasts, **_cookie(parts))
    return response


@router.delete("/session", status_code=204)
def sign_out_person(request: Request) -> Response:
    """Sign out: the session ends at once."""
    query.only(request)
    with writing(request) as desk:
        sign_in.close_session(desk.session, request.cookies.get(COOKIE, ""), by=desk.by)
    response = Response(None, 204, PRIVATE)
    response.delete_cookie(COOKIE, **_cookie(parts_of(request)))
    return response


def _cookie(parts: Parts) -> dict[str, Any]:
    # A browser sends a secure cookie over https alone: without https nobody could sign in with one.
    return {"httponly": True, "secure": parts.settings.base.startswith("https://"), "samesite": "lax"}


@router.get("/me")
def read_me(request: Request) -> Response:
    """Who is signed in, and what they may do."""
    query.only(request)
    with reading(request) as desk:
        by_cookie = "authorization" not in request.headers
        known = known_session(request, desk.session) if by_cookie else None
        if known is None:
            return private(_shown(desk.actor))
        return private(_shown(desk.actor, csrf_token=known.csrf_token, expires_at=known.expires_at))


@router.put("/me/password", status_code=204)
def change_own_password(request: Request, body: PasswordBody) -> Response:
    """Change one's own password. All one's sessions end, this one too."""
    query.only(request)
    throttle = parts_of(request).throttle
    with reading(request) as desk:
        actor = desk.actor
        password_hash = people.user_of(desk.session, actor.id).password_hash if actor.kind == "person" else None
    # Whoever finds a session open must not be able to try passwords at leisure.
    throttle.check(actor.id, actor.id)
    if not sign_in.is_right(password_hash, body.current):
        throttle.failed(actor.id, actor.id)
        raise Problem(403, "wrong_credentials", "The current password is wrong.")
    throttle.succeeded(actor.id, actor.id)
    with writing(request) as desk:
        people.set_password(desk.session, people.user_of(desk.session, actor.id), body.new, by=desk.by)
    return Response(None, 204, PRIVATE)


def _shown(actor: Actor, *, csrf_token: str | None = None, expires_at: datetime | None = None) -> dict[str, object]:
    return {
        "kind": actor.kind,
        "id": actor.id,
        "name": actor.name,
        "role": actor.role,
        "scopes": actor.scopes,
        "may": dict(rights.ROLES[actor.role]),
        "csrf_token": csrf_token,
        "expires_at": instant(expires_at),
    }
