"""Signing in and out, and knowing who is there: server-side sessions for people, keys for scripts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cms import events
from cms.attribution import Actor, By
from cms.custom_types import site_types
from cms.errors import Fault, InvalidContent, NotFound
from cms.identity import new_id
from cms.passwords import matches, new_token, token_hash
from cms.people import refuse_role
from cms.rights import ACTIONS
from cms.second_person import maker_of
from cms.tables.people import ApiKey, Person, SignIn, User

SESSION_LASTS = timedelta(hours=12)


@dataclass(frozen=True)
class Opened:
    """A new session: its token goes into the cookie, once."""

    token: str
    csrf_token: str
    expires_at: datetime
    actor: Actor


@dataclass(frozen=True)
class Known:
    """Who a session's token belongs to, and the token that its writes must show."""

    actor: Actor
    csrf_token: str
    expires_at: datetime


def credentials_of(session: Session, email: str) -> tuple[str | None, str | None]:
    """The person's id and password hash for an email, or nothing. Checking is left to the caller: it is slow."""
    row = session.execute(
        select(User.person_id, User.password_hash)
        .join(Person, Person.id == User.person_id)
        .where(Person.email == email.strip().lower(), User.disabled_at.is_(None))
    ).first()
    return (row.person_id, row.password_hash) if row else (None, None)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; takes as long for an email that nobody has."""
    return matches(password_hash, password)


def open_session(session: Session, person_id: str, *, at: datetime) -> Opened:
    """Sign a person in whose password was right."""
    actor = _person_actor(session, person_id)
    token, csrf = new_token("sds"), new_token("csrf")
    expires = at + SESSION_LASTS
    session.execute(delete(SignIn).where(SignIn.expires_at <= at))
    session.add(
        SignIn(token_hash=token_hash(token), person_id=person_id, csrf_token=csrf, created_at=at, expires_at=expires)
    )
    events.record(session, "session.opened", by=By(actor, at))
    return Opened(token, csrf, expires, actor)


def close_session(session: Session, token: str, *, by: By) -> None:
    """Sign out. A token that nobody has is no error."""
    session.execute(delete(SignIn).where(SignIn.token_hash == token_hash(token)))
    events.record(session, "session.closed", by=by)


def by_session(session: Session, token: str, *, at: datetime) -> Known | None:
    """Who has this session, unless it has ended."""
    row = session.execute(
        select(SignIn.csrf_token, SignIn.expires_at, User.role, Person.id, Person.name)
        .join(User, User.person_id == SignIn.person_id)
        .join(Person, Person.id == SignIn.person_id)
        .where(SignIn.token_hash == token_hash(token), SignIn.expires_at > at, User.disabled_at.is_(None))
    ).first()
    if row is None:
        return None
    return Known(Actor("person", row.id, row.name, row.role), row.csrf_token, row.expires_at)


def _person_actor(session: Session, person_id: str) -> Actor:
    user = session.get_one(User, person_id)
    return Actor("person", person_id, session.get_one(Person, person_id).name, user.role)


# --- keys ---


def make_key(
    session: Session,
    *,
    name: str,
    role: str,
    by: By,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its token, which is shown once. Raises `InvalidContent`."""
    refuse_role(role)
    _refuse_scopes(session, scopes, of=by.actor)
    if expires_at is not None and expires_at <= by.at:
        raise InvalidContent([Fault("/expires_at", "past", "This instant has passed.")])
    token = new_token("sdk")
    key = ApiKey(
        id=new_id(),
        name=name,
        role=role,
        scopes=scopes,
        token_hash=token_hash(token),
        created_at=by.at,
        made_by=maker_of(session, by.actor),
        expires_at=expires_at,
    )
    session.add(key)
    events.record(session, "key.made", by=by, key=key.id, name=name, role=role)
    return key, token


def revoke_key(session: Session, key_id: str, *, by: By) -> ApiKey:
    """End a key at once. Raises `NotFound`."""
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound("key", key_id)
    if key.revoked_at is None:
        key.revoked_at = by.at
        events.record(session, "key.revoked", by=by, key=key.id, name=key.name)
    return key


def by_key(session: Session, token: str, *, at: datetime) -> Actor | None:
    """Whose key this is, unless it has expired or was revoked."""
    key = session.scalar(select(ApiKey).where(ApiKey.token_hash == token_hash(token)))
    if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
        return None
    return Actor("key", key.id, key.name, key.role, None if key.scopes is None else tuple(key.scopes))


# Persons are no entries, and editors make them: a script may be let do that alone.
_NO_ENTRIES = frozenset({"person"})


def _refuse_scopes(session: Session, scopes: list[str] | None, *, of: Actor) -> None:
    if of.scopes is not None and not (scopes is not None and all(_covers(of.scopes, scope) for scope in scopes)):
        said = "A key with scopes makes keys with the same scopes at most."
        raise InvalidContent([Fault("/scopes", "wider_than_own", said)])
    types = {*site_types.all_of(session), *_NO_ENTRIES} if scopes else set()
    for index, scope in enumerate(scopes or []):
        action, colon, type = scope.partition(":")
        if action not in ACTIONS or (colon and type not in types):
            said = f"A scope is an action or action:type. The actions are: {', '.join(ACTIONS)}."
            raise InvalidContent([Fault(f"/scopes/{index}", "unknown_scope", said)])


def _covers(own: tuple[str, ...], scope: str) -> bool:
    return scope in own or scope.split(":")[0] in own
