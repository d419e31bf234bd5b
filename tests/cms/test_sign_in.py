"""Sessions for people, keys for scripts: kept as hashes, ended at their time or at once."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import people, sign_in
from cms.attribution import Actor, By
from cms.errors import InvalidContent, NotFound
from cms.passwords import hashed, matches
from cms.tables.events import Event
from cms.tables.people import ApiKey, SignIn, User
from tests.cast import MORNING, NOBODY_ID, PAVEL_ID, Colleague, HeldClock

PASSWORD = "пароль из слов"


@pytest.fixture(scope="module")
def password_hash() -> str:
    """The hash of the one password here: making one is slow on purpose."""
    return hashed(PASSWORD)


@pytest.fixture
def user(session: Session, password_hash: str) -> User:
    """Pavel, for once with an account."""
    user = User(person_id=PAVEL_ID, role="editor", password_hash=password_hash)
    session.add(user)
    session.flush()
    return user


# --- passwords ---


def test_the_right_password_is_right(password_hash: str) -> None:
    assert matches(password_hash, PASSWORD)


@pytest.mark.parametrize("password", ["", "пароль", f"{PASSWORD} ", "x" * 10_000])
def test_any_other_is_wrong(password_hash: str, password: str) -> None:
    assert not matches(password_hash, password)


@pytest.mark.parametrize("kept", [None, "", "plain", "$argon2id$broken"])
def test_nothing_matches_what_is_no_hash(kept: str | None) -> None:
    assert not matches(kept, PASSWORD)


def test_the_same_password_is_never_kept_the_same(password_hash: str) -> None:
    assert hashed(PASSWORD) != password_hash


# --- sessions ---


@pytest.mark.usefixtures("user")
def test_credentials_are_found_by_email_however_it_is_written(session: Session, password_hash: str) -> None:
    assert sign_in.credentials_of(session, " PAVEL@Example.org") == (PAVEL_ID, password_hash)


@pytest.mark.parametrize("email", ["olga@example.org", "nobody@example.org", "", "%"])
def test_who_has_no_account_has_no_credentials(session: Session, email: str) -> None:
    assert sign_in.credentials_of(session, email) == (None, None)


def test_who_is_disabled_has_none_and_is_known_no_longer(session: Session, user: User) -> None:
    opened = sign_in.open_session(session, PAVEL_ID, at=MORNING)
    user.disabled_at = MORNING
    assert sign_in.credentials_of(session, "pavel@example.org") == (None, None)
    assert sign_in.by_session(session, opened.token, at=MORNING) is None


@pytest.mark.usefixtures("user")
def test_a_session_tells_who_it_is(session: Session) -> None:
    opened = sign_in.open_session(session, PAVEL_ID, at=MORNING)
    known = sign_in.by_session(session, opened.token, at=MORNING)
    assert known == sign_in.Known(Actor("person", PAVEL_ID, "Pavel", "editor"), opened.csrf_token, opened.expires_at)


@pytest.mark.usefixtures("user")
def test_a_session_lasts_half_a_day(session: Session) -> None:
    opened = sign_in.open_session(session, PAVEL_ID, at=MORNING)
    almost, over = MORNING + timedelta(hours=11, minutes=59), MORNING + timedelta(hours=12)
    assert sign_in.by_session(session, opened.token, at=almost) is not None
    assert sign_in.by_session(session, opened.token, at=over) is None


@pytest.mark.usefixtures("user")
def test_who_signs_out_is_out(session: Session, olga: Colleague) -> None:
    opened, other = (sign_in.open_session(session, PAVEL_ID, at=MORNING) for _ in "12")
    sign_in.close_session(session, opened.token, by=olga.by())
    assert sign_in.by_session(session, opened.token, at=MORNING) is None
    assert sign_in.by_session(session, other.token, at=MORNING) is not None


@pytest.mark.parametrize("token", ["", "sds_guessed", "x" * 10_000])
def test_a_token_that_nobody_has_is_nobodys(session: Session, token: str) -> None:
    assert sign_in.by_session(session, token, at=MORNING) is None
    assert sign_in.by_key(session, token, at=MORNING) is None


@pytest.mark.usefixtures("user")
def test_no_token_is_kept_or_logged(session: Session) -> None:
    opened = sign_in.open_session(session, PAVEL_ID, at=MORNING)
    assert session.scalars(select(SignIn)).one().token_hash != opened.token
    assert all(opened.token not in str(event.details) for event in session.scalars(select(Event)))


@pytest.mark.usefixtures("user")
def test_sessions_that_are_over_are_swept_away(session: Session, clock: HeldClock) -> None:
    sign_in.open_session(session, PAVEL_ID, at=clock())
    sign_in.open_session(session, PAVEL_ID, at=clock.pass_by(hours=12))
    assert len(session.scalars(select(SignIn)).all()) == 1


# --- keys ---


def test_a_key_tells_who_it_is(session: Session, olga: Colleague) -> None:
    key, token = sign_in.make_key(session, name="Import", role="editor", scopes=["save:news"], by=olga.by())
    session.flush()
    assert sign_in.by_key(session, token, at=MORNING) == Actor("key", key.id, "Import", "editor", ("save:news",))


def test_a_key_without_scopes_has_its_whole_role_and_one_with_none_of_them_nothing(
    session: Session, olga: Colleague
) -> None:
    wanted: tuple[list[str] | None, ...] = (None, [])
    made = [sign_in.make_key(session, name="x", role="editor", scopes=one, by=olga.by())[1] for one in wanted]
    session.flush()
    known = [sign_in.by_key(session, token, at=MORNING) for token in made]
    assert [actor and actor.scopes for actor in known] == [None, ()]


def test_a_key_ends_at_its_time(session: Session, olga: Colleague) -> None:
    over = MORNING + timedelta(days=1)
    _, token = sign_in.make_key(session, name="x", role="editor", expires_at=over, by=olga.by())
    session.flush()
    assert sign_in.by_key(session, token, at=over - timedelta(seconds=1)) is not None
    assert sign_in.by_key(session, token, at=over) is None


def test_a_key_that_is_revoked_ends_at_once_and_once(session: Session, olga: Colleague, clock: HeldClock) -> None:
    key, token = sign_in.make_key(session, name="x", role="editor", by=olga.by())
    session.flush()
    sign_in.revoke_key(session, key.id, by=olga.by())
    clock.pass_by(days=1)
    assert sign_in.revoke_key(session, key.id, by=olga.by()).revoked_at == MORNING
    assert sign_in.by_key(session, token, at=MORNING) is None


def test_a_key_that_never_was_cannot_be_revoked(session: Session, olga: Colleague) -> None:
    with pytest.raises(NotFound):
        sign_in.revoke_key(session, NOBODY_ID, by=olga.by())


def test_no_key_is_kept_or_logged(session: Session, olga: Colleague) -> None:
    key, token = sign_in.make_key(session, name="x", role="editor", by=olga.by())
    session.flush()
    assert token not in session.get_one(ApiKey, key.id).token_hash
    assert all(token not in str(event.details) for event in session.scalars(select(Event)))


@pytest.mark.parametrize(
    "given",
    [{"role": "emperor"}, {"scopes": ["conquer"]}, {"scopes": ["save", ":news"]}, {"expires_at": MORNING}],
)
def test_a_key_that_makes_no_sense_is_refused(session: Session, olga: Colleague, given: dict[str, object]) -> None:
    with pytest.raises(InvalidContent):
        sign_in.make_key(session, **{"name": "x", "role": "editor", "by": olga.by(), **given})  # type: ignore[arg-type]


def test_a_narrow_key_makes_no_wider_one(session: Session) -> None:
    narrow = By(Actor("key", "k", "Narrow", "administrator", ("keys", "save:news")), MORNING)
    sign_in.make_key(session, name="x", role="editor", scopes=["save:news"], by=narrow)
    for scopes in (None, ["save"], ["publish:news"]):
        with pytest.raises(InvalidContent):
            sign_in.make_key(session, name="x", role="editor", scopes=scopes, by=narrow)


def test_a_user_can_be_signed_out_everywhere(session: Session, user: User) -> None:
    sign_in.open_session(session, user.person_id, at=MORNING)
    people.end_sessions(session, user.person_id)
    assert session.scalars(select(SignIn)).all() == []
