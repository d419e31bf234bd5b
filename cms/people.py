"""Persons, and those of them who can sign in."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import String, cast, delete, select
from sqlalchemy.orm import Session

from cms import events, publishing
from cms.attribution import By
from cms.errors import Fault, InvalidContent, NotFound, WrongState
from cms.identity import new_id
from cms.passwords import hashed
from cms.rights import ROLES
from cms.tables.entries import Revision
from cms.tables.people import Person, SignIn, User
from cms.tables.publications import Publication

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1_000


def add(
    session: Session,
    *,
    name: str,
    by: By,
    email: str | None = None,
    department: str | None = None,
    url: str | None = None,
    source: str | None = None,
    external_id: str | None = None,
) -> Person:
    """Add a person. Raises `WrongState` when the email is another's."""
    email = email and email.strip().lower()
    _refuse_email_of_another(session, email)
    person = Person(
        id=new_id(),
        name=name,
        email=email,
        department=department,
        url=url,
        source=source,
        external_id=external_id,
        created_at=by.at,
    )
    session.add(person)
    events.record(session, "person.added", by=by, person=person.id, name=name)
    return person


def find(session: Session, person_id: str) -> Person:
    """The person of that id. Raises `NotFound`."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("person", person_id)
    return person


def change(session: Session, person: Person, values: Mapping[str, Any], *, by: By) -> Person:
    """Change name, email, department or url. What is live shows the new name at once."""
    if "email" in values:
        values = {**values, "email": values["email"] and values["email"].strip().lower()}
        if values["email"] is None and session.get(User, person.id) is not None:
            raise InvalidContent([Fault("/email", "missing", "A person who signs in needs an email.")])
        _refuse_email_of_another(session, values["email"], but=person.id)
    for name, value in values.items():
        setattr(person, name, value)
    session.flush()
    if {"name", "url"} & values.keys():
        _renew_bylines(session, person.id)
    events.record(session, "person.changed", by=by, person=person.id, changed=sorted(values))
    return person


def _refuse_email_of_another(session: Session, email: str | None, but: str = "") -> None:
    if email is None:
        return
    if session.scalar(select(Person.id).where(Person.email == email, Person.id != but)) is not None:
        raise WrongState("email_taken", "Another person has this email.")


def _renew_bylines(session: Session, person_id: str) -> None:
    signed = session.scalars(select(Publication).where(cast(Publication.byline, String).contains(person_id)))
    for publication in signed.all():
        revision = session.get_one(Revision, (publication.entry_id, publication.revision))
        publication.byline = publishing.public_byline(session, revision.byline)


# --- those who can sign in ---


def make_user(session: Session, person: Person, *, role: str, password: str, by: By) -> User:
    """Let a person sign in. Raises `InvalidContent`, `WrongState` when they can already or have no email."""
    if person.email is None:
        raise InvalidContent([Fault("/email", "missing", "A person who signs in needs an email.")])
    if session.get(User, person.id) is not None:
        raise WrongState("user_exists", "This person can sign in already. Change their role or password instead.")
    refuse_role(role)
    user = User(person_id=person.id, role=role, password_hash=hashed(_good(password)))
    session.add(user)
    events.record(session, "user.added", by=by, person=person.id, role=role)
    return user


def user_of(session: Session, person_id: str) -> User:
    """The user that a person is. Raises `NotFound`."""
    user = session.get(User, person_id)
    if user is None:
        raise NotFound("user", person_id)
    return user


def roles(session: Session, person_ids: Iterable[str]) -> dict[str, str]:
    """The roles of those among some persons who can sign in."""
    wanted = select(User.person_id, User.role).where(User.person_id.in_(sorted(set(person_ids))))
    return {row.person_id: row.role for row in session.execute(wanted)}


def set_role(session: Session, user: User, role: str, *, by: By) -> None:
    """Give another role. All sessions of the user end, so that no old right lives on."""
    refuse_role(role)
    if user.role == "administrator" and role != "administrator":
        _refuse_last_administrator(session, user)
    user.role = role
    end_sessions(session, user.person_id)
    events.record(session, "user.role_changed", by=by, person=user.person_id, role=role)


def set_password(session: Session, user: User, password: str, *, by: By) -> None:
    """Give another password. All sessions of the user end."""
    user.password_hash = hashed(_good(password))
    end_sessions(session, user.person_id)
    events.record(session, "user.password_changed", by=by, person=user.person_id)


def end_sessions(session: Session, person_id: str) -> None:
    """Sign a user out everywhere."""
    session.execute(delete(SignIn).where(SignIn.person_id == person_id))


def refuse_role(role: str) -> None:
    """Raises `InvalidContent` for a role that does not exist."""
    if role not in ROLES:
        raise InvalidContent([Fault("/role", "unknown_role", f"The roles are: {', '.join(ROLES)}.")])


def _refuse_last_administrator(session: Session, user: User) -> None:
    another = select(User.person_id).where(
        User.role == "administrator", User.person_id != user.person_id, User.disabled_at.is_(None)
    )
    if session.scalar(another.limit(1)) is None:
        raise WrongState("last_administrator", "This is the last administrator. Make another one first.")


def _good(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        said = f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
        raise InvalidContent([Fault("/password", "password_length", said)])
    return password
