"""Persons are known by themselves; some of them can sign in."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import people, sign_in
from cms.errors import InvalidContent, NotFound, WrongState
from cms.tables.events import Event
from cms.tables.people import Person, User
from tests.cast import NOBODY_ID, OLGA_ID, PAVEL_ID, Colleague

PASSWORD = "correct horse battery"


def a_user(session: Session, olga: Colleague, *, of: str = PAVEL_ID, role: str = "editor") -> User:
    user = people.make_user(session, people.find(session, of), role=role, password=PASSWORD, by=olga.by())
    session.flush()
    return user


def newest_event(session: Session) -> Event:
    session.flush()
    return session.scalars(select(Event).order_by(Event.number.desc()).limit(1)).one()


def test_a_person_needs_no_account(session: Session, olga: Colleague) -> None:
    person = people.add(session, name="Maria", by=olga.by())
    session.flush()
    assert people.find(session, person.id).email is None
    with pytest.raises(NotFound):
        people.user_of(session, person.id)


def test_an_email_is_kept_in_small_letters(session: Session, olga: Colleague) -> None:
    assert people.add(session, name="Maria", email=" Maria@Example.ORG ", by=olga.by()).email == "maria@example.org"


def test_an_email_belongs_to_one_person(session: Session, olga: Colleague) -> None:
    with pytest.raises(WrongState):
        people.add(session, name="Another", email="PAVEL@example.org", by=olga.by())


def test_an_email_of_another_is_not_taken_over(session: Session, olga: Colleague) -> None:
    with pytest.raises(WrongState):
        people.change(session, people.find(session, OLGA_ID), {"email": "Pavel@example.org"}, by=olga.by())


def test_a_person_may_keep_their_email(session: Session, olga: Colleague) -> None:
    pavel = people.change(session, people.find(session, PAVEL_ID), {"email": "PAVEL@example.org"}, by=olga.by())
    assert pavel.email == "pavel@example.org"


def test_an_email_may_be_taken_away(session: Session, olga: Colleague) -> None:
    assert people.change(session, people.find(session, PAVEL_ID), {"email": None}, by=olga.by()).email is None


def test_a_person_that_never_was_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        people.find(session, NOBODY_ID)


def test_the_log_names_what_was_changed_and_not_to_what(session: Session, olga: Colleague) -> None:
    people.change(session, people.find(session, PAVEL_ID), {"name": "Pavel P.", "department": "IT"}, by=olga.by())
    event = newest_event(session)
    assert (event.kind, event.details) == ("person.changed", {"person": PAVEL_ID, "changed": ["department", "name"]})


# --- those who can sign in ---


def test_a_person_becomes_a_user_once(session: Session, olga: Colleague) -> None:
    a_user(session, olga)
    with pytest.raises(WrongState):
        a_user(session, olga)


def test_a_user_needs_an_email(session: Session, olga: Colleague) -> None:
    person = people.add(session, name="Maria", by=olga.by())
    with pytest.raises(InvalidContent):
        people.make_user(session, person, role="editor", password=PASSWORD, by=olga.by())


@pytest.mark.parametrize("password", ["", "short", "x" * 1_001])
def test_a_password_has_a_length(session: Session, olga: Colleague, password: str) -> None:
    with pytest.raises(InvalidContent):
        people.make_user(session, people.find(session, PAVEL_ID), role="editor", password=password, by=olga.by())


def test_a_role_is_one_of_ours(session: Session, olga: Colleague) -> None:
    with pytest.raises(InvalidContent):
        a_user(session, olga, role="emperor")


def test_no_password_is_kept_or_logged(session: Session, olga: Colleague) -> None:
    user = a_user(session, olga)
    assert PASSWORD not in user.password_hash
    assert PASSWORD not in str(newest_event(session).details)


@pytest.mark.parametrize("change", ["role", "password"])
def test_another_role_or_password_ends_all_sessions(session: Session, olga: Colleague, change: str) -> None:
    user = a_user(session, olga)
    opened = sign_in.open_session(session, PAVEL_ID, at=olga.clock())
    if change == "role":
        people.set_role(session, user, "reader", by=olga.by())
    else:
        people.set_password(session, user, "another password", by=olga.by())
    assert sign_in.by_session(session, opened.token, at=olga.clock()) is None


def test_the_last_administrator_stays_one(session: Session, olga: Colleague) -> None:
    with pytest.raises(WrongState):
        people.set_role(session, a_user(session, olga, role="administrator"), "editor", by=olga.by())


def test_one_of_two_administrators_may_step_down(session: Session, olga: Colleague) -> None:
    a_user(session, olga, of=OLGA_ID, role="administrator")
    user = a_user(session, olga, role="administrator")
    people.set_role(session, user, "editor", by=olga.by())
    assert user.role == "editor"


def test_an_administrator_who_cannot_sign_in_does_not_count(session: Session, olga: Colleague) -> None:
    a_user(session, olga, of=OLGA_ID, role="administrator").disabled_at = olga.clock()
    with pytest.raises(WrongState):
        people.set_role(session, a_user(session, olga, role="administrator"), "editor", by=olga.by())


def test_authors_of_two_sources_may_have_the_same_key(session: Session, olga: Colleague) -> None:
    for source in ("doka", "wordpress"):
        people.add(session, name="Author", source=source, external_id="1", by=olga.by())
    session.flush()
    assert len(session.scalars(select(Person).filter_by(external_id="1")).all()) == 2
