"""Finding entries, events and people for staff: the same list grammar as the public's, over what staff may see."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, defer

from cms.columns import EQUALITY, ORDER, WORDS, FieldColumns, asked_types
from cms.content_types import ContentType
from cms.listing import Asked, Column, Page, page
from cms.states import STATE
from cms.tables.entries import Entry, Revision
from cms.tables.events import Event
from cms.tables.people import ApiKey, Person
from cms.tables.publications import Schedule

_ENTRY = Entry.__table__.c
_REVISION = Revision.__table__.c
_EVENT = Event.__table__.c
_PERSON = Person.__table__.c
_KEY = ApiKey.__table__.c
_EQUAL = frozenset({"eq", "ne", "in", "nin", "exists"})


def entries(
    session: Session,
    asked: Asked,
    *,
    types: AbstractSet[str] | None = None,
    among: Iterable[ColumnElement[bool]] = (),
) -> Page:
    """Rows of (entry, newest revision, schedule), the last changed first. The trash is left out unless asked for.

    `types`: those that the reader may know of (None: all); `among`: what else must hold."""
    allowed = [*among] if types is None else [*among, Entry.type.in_(sorted(types))]
    if not any(condition.field in ("state", "id") for condition in asked.conditions):
        allowed.append(Entry.trashed_at.is_(None))
    of_revisions = any(condition.field in _REVISION_S for condition in asked.conditions)
    ids = _NEWEST.with_only_columns(Entry.id) if of_revisions else select(Entry.id)
    asked = asked if asked.sort else replace(asked, sort=(("changed_at", True),))
    columns = _columns(asked_types(session, asked))
    return page(session, _NEWEST.where(*allowed), asked, columns=columns, id=_ENTRY.id, ids=ids.where(*allowed))


def texts(session: Session, ids: Iterable[str]) -> Sequence[Any]:
    """What the staff's search looks at, of some entries; of those in the trash too."""
    e = Entry
    wanted = select(e.id, e.type, e.locale, e.section, e.title, e.published_at, e.owner_id, e.searched)
    return session.execute(wanted.add_columns(STATE.label("state")).where(e.id.in_(sorted(set(ids))))).all()


def ids_after(session: Session, after: str, limit: int) -> Sequence[str]:
    """The ids of all entries, in order, page by page."""
    return session.scalars(select(Entry.id).where(Entry.id > after).order_by(Entry.id).limit(limit)).all()


_NEWEST = (
    select(Entry, Revision, Schedule)
    .join(Revision, (Revision.entry_id == Entry.id) & (Revision.number == Entry.revision))
    .join(Schedule, Schedule.entry_id == Entry.id, isouter=True)
)


def _columns(types: Iterable[ContentType]) -> Mapping[str, Column]:
    return FieldColumns(types, own=_ENTRY_COLUMNS, fields=_ENTRY.compared, type_column=_ENTRY.type, public=False)


# What only the revision tells.
_REVISION_S = frozenset({"saved_by", "on_behalf_of", "request"})
_ENTRY_COLUMNS: Mapping[str, Column] = {
    "id": Column(_ENTRY.id, "text", EQUALITY),
    "type": Column(_ENTRY.type, "name", EQUALITY, sortable=True),
    "locale": Column(_ENTRY.locale, "text", EQUALITY, sortable=True),
    "section": Column(_ENTRY.section, "text", EQUALITY),
    "slug": Column(_ENTRY.slug, "text", WORDS),
    "title": Column(_ENTRY.title, "text", WORDS, sortable=True),
    "state": Column(STATE, "text", _EQUAL),
    "owner": Column(_ENTRY.owner_id, "text", EQUALITY),
    "source": Column(_ENTRY.source_name, "text", EQUALITY),
    "external_id": Column(_ENTRY.source_id, "text", WORDS),
    "created_at": Column(_ENTRY.created_at, "instant", ORDER, sortable=True),
    "changed_at": Column(_ENTRY.changed_at, "instant", ORDER, sortable=True, index="own"),
    "published_at": Column(_ENTRY.published_at, "instant", ORDER, sortable=True, nullable=True),
    "first_published_at": Column(_ENTRY.first_published_at, "instant", ORDER, sortable=True, nullable=True),
    "saved_by": Column(_REVISION.actor_id, "text", EQUALITY),
    "on_behalf_of": Column(_REVISION.on_behalf_of, "text", EQUALITY),
    "request": Column(_REVISION.request, "number", ORDER),
}


def revisions(session: Session, entry_id: str, asked: Asked) -> Page:
    """Rows of (revision,) of one entry without their fields, the newest first."""
    wanted = select(Revision).options(defer(Revision.fields)).where(_REVISION.entry_id == entry_id)
    asked = asked if asked.sort else replace(asked, sort=(("revision", True),))
    return page(session, wanted, asked, columns=_REVISION_COLUMNS, id=_REVISION.number)


_REVISION_COLUMNS: Mapping[str, Column] = {
    "revision": Column(_REVISION.number, "number", ORDER, sortable=True),
    "saved_at": Column(_REVISION.saved_at, "instant", ORDER),
    "saved_by": Column(_REVISION.actor_id, "text", EQUALITY),
    "on_behalf_of": Column(_REVISION.on_behalf_of, "text", EQUALITY),
    "request": Column(_REVISION.request, "number", ORDER),
    "autosave": Column(_REVISION.autosave, "boolean", frozenset({"eq", "ne"})),
}


def events(session: Session, asked: Asked) -> Page:
    """Rows of (event,), the newest first: who did what, for whom, for which request."""
    # By number: all events of one transaction have the same instant.
    asked = asked if asked.sort else replace(asked, sort=(("id", True),))
    return page(session, select(Event), asked, columns=_EVENT_COLUMNS, id=_EVENT.number)


_EVENT_COLUMNS: Mapping[str, Column] = {
    "id": Column(_EVENT.number, "number", ORDER, sortable=True),
    "kind": Column(_EVENT.kind, "text", WORDS),
    "at": Column(_EVENT.at, "instant", ORDER, sortable=True),
    "entry": Column(_EVENT.entry_id, "text", EQUALITY),
    "type": Column(_EVENT.type, "text", EQUALITY),
    "actor": Column(_EVENT.actor_id, "text", EQUALITY),
    "on_behalf_of": Column(_EVENT.on_behalf_of, "text", EQUALITY),
    "request": Column(_EVENT.request, "number", ORDER),
}


def people(session: Session, asked: Asked) -> Page:
    """Rows of (person,), by name."""
    asked = asked if asked.sort else replace(asked, sort=(("name", False),))
    return page(session, select(Person), asked, columns=_PERSON_COLUMNS, id=_PERSON.id)


_PERSON_COLUMNS: Mapping[str, Column] = {
    "id": Column(_PERSON.id, "text", EQUALITY),
    "name": Column(_PERSON.name, "text", WORDS, sortable=True),
    "email": Column(_PERSON.email, "text", WORDS),
    "department": Column(_PERSON.department, "text", WORDS),
}


def keys(session: Session, asked: Asked) -> Page:
    """Rows of (key,), the newest first."""
    asked = asked if asked.sort else replace(asked, sort=(("created_at", True),))
    return page(session, select(ApiKey), asked, columns=_KEY_COLUMNS, id=_KEY.id)


_KEY_COLUMNS: Mapping[str, Column] = {
    "id": Column(_KEY.id, "text", EQUALITY),
    "name": Column(_KEY.name, "text", WORDS, sortable=True),
    "role": Column(_KEY.role, "text", EQUALITY),
    "created_at": Column(_KEY.created_at, "instant", ORDER, sortable=True),
    "expires_at": Column(_KEY.expires_at, "instant", ORDER),
    "revoked_at": Column(_KEY.revoked_at, "instant", ORDER),
}


def counterpart(session: Session, source: str, external_id: str) -> Entry | None:
    """The entry that a source's row became."""
    return session.scalar(select(Entry).where(Entry.source_name == source, Entry.source_id == external_id))
