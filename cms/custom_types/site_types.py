"""The content types of this site: those that are built in, and those that staff made."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.built_in_types import BUILT_IN
from cms.content_types import ContentType
from cms.custom_types.type_definitions import of_definition
from cms.database import remembered
from cms.errors import NotFound
from cms.tables.types import CustomType, TypeRevision

_Key = tuple[str, int, str]
# Definitions are read once in this process: a key tells its definition in whatever database it stands.
_read: dict[_Key, ContentType] = {}
_MOST_READ = 1_000


def all_of(session: Session) -> Mapping[str, ContentType]:
    """All types by name, those that are built in first. One statement, and one more after a change."""
    return remembered(session, "content types", lambda: MappingProxyType({**BUILT_IN, **_custom(session)}))


def find(session: Session, name: str) -> ContentType:
    """The content type of that name; for one that is built in, no statement. Raises `NotFound`."""
    found = BUILT_IN.get(name) or all_of(session).get(name)
    if found is None:
        raise NotFound("content type", name)
    return found


def as_it_was(session: Session, name: str, number: int | None) -> ContentType:
    """A type by one of its definitions; None stands for the newest. Raises `NotFound`."""
    newest = find(session, name)
    if number is None or number == newest.revision:
        return newest
    return remembered(session, f"content type {name} {number}", lambda: _as_it_was(session, name, number))


def _as_it_was(session: Session, name: str, number: int) -> ContentType:
    definition = session.scalar(
        select(TypeRevision.definition).where(TypeRevision.type == name, TypeRevision.number == number)
    )
    if definition is None:
        raise NotFound("content type", f"{name} {number}")
    return of_definition(name, definition, revision=number)


def stamp(session: Session) -> str:
    """Changes when the types do."""
    keys = session.execute(_KEYS).all()
    return hashlib.blake2b(orjson.dumps([tuple(key) for key in keys]), digest_size=8).hexdigest()


def digest_of(definition: Mapping[str, Any]) -> str:
    """A definition's fingerprint."""
    return hashlib.blake2b(orjson.dumps(definition), digest_size=16).hexdigest()


_KEYS = select(CustomType.name, CustomType.revision, CustomType.digest).order_by(CustomType.name)


def _custom(session: Session) -> dict[str, ContentType]:
    keys: list[_Key] = [(row.name, row.revision, row.digest) for row in session.execute(_KEYS)]
    kept = {key: _read.get(key) for key in keys}
    missing = [key for key, found in kept.items() if found is None]
    if missing:
        kept |= _read_now(session, missing)
    return {key[0]: found for key, found in kept.items() if found is not None}


def _read_now(session: Session, missing: list[_Key]) -> dict[_Key, ContentType]:
    rows = session.execute(
        select(CustomType.name, CustomType.definition).where(CustomType.name.in_([key[0] for key in missing]))
    )
    definitions = {row.name: row.definition for row in rows}
    found = {key: of_definition(key[0], definitions[key[0]], revision=key[1]) for key in missing}
    if len(_read) + len(found) > _MOST_READ:
        _read.clear()
    _read.update(found)
    return found
