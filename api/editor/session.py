"""Signing in and out, and who one is."""

from fastapi import APIRouter, Request, Response

from api.access import COOKIE, known_session, parts_of, reading, writing
from api.answers import private
from api.editor.bodies import PasswordBody, SessionBody
from api.problems import Problem
from cms import people, rights, sign_in
from cms.attribution import Actor, By
from cms.showing import instant

router = APIRouter(tags=["session"])


@router.post("/session", status_code=201)
def sign_in_person(request: Request, body: SessionBody) -> Response:
    """Sign in. The session is a cookie; `csrf_token` goes into the header X-CSRF-Token of every write."""
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
    response = private({**_shown(opened.actor), "csrf_token": opened.csrf_token}, status=201)
    secure = parts.settings.base.startswith("https://")
    response.set_cookie(
        COOKIE,
        opened.token,
        max_age=int(sign_in.SESSION_LASTS.total_seconds()),
        httponly=True,
        secure=secure,
        samesite="lax",
    )
    return response


@router.delete("/session", status_code=204)
def sign_out_person(request: Request) -> Response:
    """Sign out: the session ends at once."""
    with writing(request) as desk:
        sign_in.close_session(desk.session, request.cookies.get(COOKIE, ""), by=desk.by)
    response = Response(None, 204)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return response


@router.get("/me")
def read_me(request: Request) -> Response:
    """Who is signed in, and what they may do."""
    with reading(request) as desk:
        by_cookie = "authorization" not in request.headers
        known = known_session(request, desk.session) if by_cookie else None
        session = {"csrf_token": known.csrf_token, "expires_at": instant(known.expires_at)} if known else {}
        return private({**_shown(desk.actor), **session})


@router.put("/me/password", status_code=204)
def change_own_password(request: Request, body: PasswordBody) -> Response:
    """Change one's own password. All one's sessions end, this one too."""
    parts = parts_of(request)
    with reading(request) as desk:
        actor = desk.actor
        password_hash = people.user_of(desk.session, actor.id).password_hash if actor.kind == "person" else None
    if not sign_in.is_right(password_hash, body.current):
        raise Problem(403, "wrong_credentials", "The current password is wrong.")
    with parts.database.writing() as session:
        user = people.user_of(session, actor.id)
        people.set_password(session, user, body.new, by=By(actor, parts.clock()))
    return Response(None, 204)


def _shown(actor: Actor) -> dict[str, object]:
    return {
        "kind": actor.kind,
        "id": actor.id,
        "name": actor.name,
        "role": actor.role,
        "scopes": actor.scopes,
        "may": dict(rights.ROLES[actor.role]),
    }
