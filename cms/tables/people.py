"""Persons, those of them who can sign in, their sessions, and the keys of scripts."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cms.database import Base


class Person(Base):
    """A colleague, whether or not they can sign in. Authors that an import brought carry their source's key."""

    __tablename__ = "persons"
    __table_args__ = (UniqueConstraint("source", "external_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    department: Mapped[str | None]
    url: Mapped[str | None]
    source: Mapped[str | None]
    external_id: Mapped[str | None]
    created_at: Mapped[datetime]


class User(Base):
    """A person who can sign in, with one role."""

    __tablename__ = "users"

    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    disabled_at: Mapped[datetime | None]


class SignIn(Base):
    """A server-side session. The cookie's token is kept as its hash alone."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("users.person_id", ondelete="CASCADE"), index=True)
    csrf_token: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiKey(Base):
    """A script's key: hashed, scoped, expiring, shown once."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    scopes: Mapped[list[str] | None]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    # The person who answers for it; none for those that the command line made.
    made_by: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdempotentAnswer(Base):
    """What a POST with an `Idempotency-Key` answered, kept a day in the transaction that did the work."""

    __tablename__ = "idempotent_answers"

    actor_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    status: Mapped[int]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(index=True)
