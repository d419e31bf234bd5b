"""Persons, keys, sign-in and the record of what was done."""

from typing import Any, Literal

from api.shapes.shape import Shape


class Person(Shape):
    id: str
    name: str
    email: str | None
    department: str | None
    url: str | None


class Colleague(Person):
    """A person with the role in which they sign in, if they do."""

    role: str | None


class Actor(Shape):
    kind: Literal["person", "key", "system"]
    id: str
    name: str


class Attribution(Shape):
    at: str
    by: Actor
    on_behalf_of: Person | None
    request: int | None
    note: str | None


class Me(Shape):
    kind: Literal["person", "key"]
    id: str
    name: str
    role: str
    scopes: list[str] | None
    may: dict[str, str]
    csrf_token: str | None
    expires_at: str | None


class Key(Shape):
    id: str
    name: str
    role: str
    scopes: list[str] | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None


class NewKey(Key):
    token: str | None


class Event(Shape):
    id: str
    kind: str
    entry: str | None
    type: str | None
    locale: str | None
    revision: int | None
    details: dict[str, Any]
    at: str
    by: Actor
    on_behalf_of: Person | None
    request: int | None
    note: str | None
