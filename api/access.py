"""Who is asking, and the session of the database that their request works in.

A route opens `reading` or `writing` around its work. The commit has returned before an answer is made: FastAPI runs
what follows a dependency's `yield` after the answer (fact 1 of the architecture), so no route takes its session so.
"""

import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from fastapi.security import APIKeyCookie, HTTPBearer
from sqlalchemy.orm import Session
from starlette.requests import Request

from api.parts import Parts
from api.picture_addresses import pictures
from api.problems import Problem
from api.uploads import signature
from cms import people, rights, sign_in, structure
from cms.attribution import Actor, By
from cms.custom_types import site_types
from cms.errors import Fault, Forbidden, InvalidContent, NotFound
from cms.pictures import Pictures
from cms.snapshots import Seen
from cms.tables.entries import Entry

COOKIE = "sitedesk_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LARGEST_REQUEST = 2**31 - 1

# For the documentation alone: what they find is read again below, so that neither is taken without a check.
SCHEMES = (
    HTTPBearer(auto_error=False, scheme_name="ApiKey", description="`Authorization: Bearer <key>`"),
    APIKeyCookie(
        name=COOKIE,
        auto_error=False,
        scheme_name="Session",
        description=f"Sign in with POST /editor/v1/session; writes send its `csrf_token` as {CSRF_HEADER}, too.",
    ),
)


@dataclass(frozen=True)
class Desk:
    """A request's session, its actor, and in a write its attribution and the revision that `If-Match` names.

    `sign` gives what opens a file, named by its SHA-256, before it is public; `pictures` the addresses of files;
    `is_stored`: whether the media store has a file's bytes."""

    session: Session
    actor: Actor
    by: By
    sign: Callable[[str], str]
    pictures: Pictures
    is_stored: Callable[[str], bool]
    expected: int = -1

    def permit(
        self, action: str, *, type: str = "", entry: Entry | None = None, sections: Iterable[str | None] = ()
    ) -> None:
        """Raises `Forbidden` unless the actor may, and `NotFound` for an entry with which they may do nothing.

        Where the entry stands they must have the right, and in the other `sections` that it is about, too."""
        try:
            self._permit(action, type, entry, sections)
        except Forbidden:
            if entry is not None and not any(self.may(one, entry=entry) for one in rights.ACTIONS):
                raise NotFound("entry", entry.id) from None
            raise

    def may(self, action: str, *, type: str = "", entry: Entry | None = None) -> bool:
        """Whether the actor may."""
        try:
            self._permit(action, type, entry, ())
        except Forbidden:
            return False
        return True

    def _permit(self, action: str, type: str, entry: Entry | None, sections: Iterable[str | None]) -> None:
        places = {*structure.places(self.session, entry), *sections} if entry is not None else {*sections}
        if (entry.type if entry is not None else type) in rights.SITE_WIDE:
            places = set()
        for place in places or {None}:
            actor = self.actor
            if place is not None:
                tree = structure.tree_in_force(self.session)
                actor = rights.within(actor, tree, structure.governing(self.session, place))
            rights.permit(actor, action, type=type, entry=entry)

    def readable_types(self) -> frozenset[str] | None:
        """The types that the actor may read; None: all. Raises `Forbidden` when there is none."""
        if self.may("read"):
            return None
        types = frozenset(name for name in site_types.all_of(self.session) if self.may("read", type=name))
        if not types:
            raise Forbidden("read", "")
        return types


def parts_of(request: Request) -> Parts:
    """The parts of the application that serves this request."""
    parts: Parts = request.app.state.parts
    return parts


@contextmanager
def reading(request: Request) -> Iterator[Desk]:
    """Read as the signed-in actor. Raises a 401 problem when there is none."""
    parts = parts_of(request)
    with parts.database.reading() as session:
        actor = _actor(request, session)
        by = By(actor, parts.clock())
        yield _desk(parts, session, by)


@contextmanager
def writing(request: Request, *, note: str | None = None) -> Iterator[Desk]:
    """Write as the signed-in actor, on behalf of whom the headers name; commit at the end of the block."""
    refuse_strangers(request)
    with _working(request, note=note) as desk:
        yield desk


@contextmanager
def changing(request: Request, *, note: str | None = None) -> Iterator[Desk]:
    """Write against the revision that `If-Match` names. Raises a 428 problem without one."""
    refuse_strangers(request)
    expected = expected_revision(request)
    with _working(request, note=note) as desk:
        yield replace(desk, expected=expected)


def refuse_strangers(request: Request) -> None:
    """Raises a 401 problem when nobody is signed in."""
    # In a write before the one writing connection is waited for: strangers must not be able to occupy it.
    with parts_of(request).database.reading() as session:
        _actor(request, session)


@contextmanager
def _working(request: Request, *, note: str | None) -> Iterator[Desk]:
    parts = parts_of(request)
    with parts.database.writing() as session:
        # Asked again: while this write waited for its turn, the session may have been ended.
        actor = _actor(request, session)
        by = By(actor, parts.clock(), _on_behalf_of(request, session), _for_request(request), note)
        yield _desk(parts, session, by)


def _desk(parts: Parts, session: Session, by: By) -> Desk:
    sign = partial(signature, parts.secret)
    return Desk(session, by.actor, by, sign, pictures(parts.secret), parts.store.exists)


def _actor(request: Request, session: Session) -> Actor:
    actor = _by_key(request, session) or _by_session(request, session)
    if actor is None:
        raise Problem(
            401,
            "unauthenticated",
            "Sign in with POST /editor/v1/session, or send an API key as Authorization: Bearer.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    request.state.actor = f"{actor.kind}:{actor.id}"
    return actor


def _by_key(request: Request, session: Session) -> Actor | None:
    authorization = request.headers.get("authorization")
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    actor = sign_in.by_key(session, token.strip(), at=parts_of(request).clock()) if scheme.lower() == "bearer" else None
    if actor is None:
        # A key that does not count must not fall back to a cookie that happens to be there.
        raise Problem(
            401,
            "unauthenticated",
            "This API key is not known, has expired or was revoked.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return actor


def _by_session(request: Request, session: Session) -> Actor | None:
    known = known_session(request, session)
    if known is None:
        return None
    shown = request.headers.get(CSRF_HEADER, "")
    if request.method not in _SAFE and not hmac.compare_digest(shown.encode(), known.csrf_token.encode()):
        raise Problem(403, "csrf", f"Send the session's csrf_token as {CSRF_HEADER}; GET /editor/v1/me tells it.")
    return known.actor


def known_session(request: Request, session: Session) -> sign_in.Known | None:
    """Whose cookie this is, if anybody's."""
    token = request.cookies.get(COOKIE)
    return sign_in.by_session(session, token, at=parts_of(request).clock()) if token else None


def _on_behalf_of(request: Request, session: Session) -> str | None:
    person = request.headers.get("on-behalf-of")
    if person is None:
        return None
    try:
        return people.find(session, person.strip()).id
    except NotFound:
        said = "There is no such person. Look them up with GET /editor/v1/people."
        raise InvalidContent([Fault("On-Behalf-Of", "unknown_person", said)]) from None


def _for_request(request: Request) -> int | None:
    number = request.headers.get("for-request")
    if number is None:
        return None
    digits = number.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or not 0 < int(digits) <= _LARGEST_REQUEST:
        said = "For-Request takes the request's number, such as 412."
        raise Problem(400, "malformed_header", said, errors=[Fault("For-Request", "malformed_header", said)])
    return int(digits)


def expected_revision(request: Request) -> int:
    """The revision that `If-Match` names; -1 when it names none that can exist. Raises a 428 problem without one."""
    said = request.headers.get("if-match", "").strip()
    if said in ("", "*"):
        raise Problem(
            428, "precondition_required", 'Send If-Match with the revision you have seen, such as If-Match: "7".'
        )
    named = _REVISION_TAG.fullmatch(said)
    if named is None:
        return -1
    return int(named[1]) if named[2] is None else Seen(int(named[1]), int(named[2]))


_REVISION_TAG = re.compile(r'"?([0-9]{1,9})(?:\.([0-9]{1,9}))?"?')
