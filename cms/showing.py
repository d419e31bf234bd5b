"""Entries, revisions and events as staff see them. Shapes are those of the Editor API; instants are texts in UTC."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import rich_text, structure
from cms.clock import written
from cms.content_types import ContentType, Field, leaves
from cms.delivery.publications import public_uploads
from cms.pictures import Pictures, Sign, whole
from cms.section_tree import SectionTree
from cms.snapshots import type_of
from cms.states import state
from cms.tables.attributed import Attributed
from cms.tables.entries import Entry, Revision
from cms.tables.events import Event
from cms.tables.people import ApiKey, Person
from cms.tables.publications import Schedule

Row = tuple[Entry, Revision, Schedule | None]


def instant(at: datetime | None) -> str | None:
    """An instant as RFC 3339 in UTC, or null."""
    return None if at is None else written(at)


def person(one: Person) -> dict[str, Any]:
    """A person as staff see them."""
    return {"id": one.id, "name": one.name, "email": one.email, "department": one.department, "url": one.url}


def key(one: ApiKey) -> dict[str, Any]:
    """A key without its token."""
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role,
        "scopes": one.scopes,
        "created_at": instant(one.created_at),
        "expires_at": instant(one.expires_at),
        "revoked_at": instant(one.revoked_at),
    }


def entry(
    session: Session,
    one: Entry,
    revision: Revision,
    *,
    rich_text: str = "doc",
    sign: Sign | None = None,
    pictures: Pictures = whole,
) -> dict[str, Any]:
    """One entry with the content of a revision."""
    row = (one, revision, session.get(Schedule, one.id))
    return entries(session, [row], rich_text=rich_text, sign=sign, pictures=pictures)[0]


def entries(
    session: Session,
    rows: Sequence[Row],
    *,
    rich_text: str = "doc",
    sign: Sign | None = None,
    pictures: Pictures = whole,
) -> list[dict[str, Any]]:
    """Entries in the order given; four statements, however many, and one more when they hold files.

    `pictures` gives files their addresses, and `sign` what opens one, named by its SHA-256, that the public does not
    see yet."""
    types = [type_of(session, one, revision) for one, revision, _ in rows]
    around = _Around(
        structure.newest_tree(session),
        persons(session, (id for _, revision, _ in rows for id in _persons_of(revision))),
        _translations(session, rows),
        _Fields(rich_text, _public_uploads(session, rows, types), sign, pictures),
    )
    return [_entry(*row, of=of, around=around) for row, of in zip(rows, types, strict=True)]


@dataclass(frozen=True)
class _Around:
    tree: SectionTree
    persons: Mapping[str, Any]
    translations: Mapping[str, Mapping[str, str]]
    fields: "_Fields"


def persons(session: Session, ids: Iterable[str]) -> dict[str, Any]:
    """Persons by id."""
    wanted = sorted(set(ids))
    found = session.scalars(select(Person).where(Person.id.in_(wanted))) if wanted else ()
    return {one.id: person(one) for one in found}


def _persons_of(revision: Revision) -> list[str]:
    named = [*revision.byline, revision.owner_id, revision.on_behalf_of]
    return [one for one in named if one is not None]


def _translations(session: Session, rows: Sequence[Row]) -> dict[str, dict[str, str]]:
    groups = {one.translation_group for one, _, _ in rows}
    found: dict[str, dict[str, str]] = {}
    twins = select(Entry.translation_group, Entry.locale, Entry.id).where(
        Entry.translation_group.in_(groups), Entry.trashed_at.is_(None)
    )
    twins = twins.order_by(Entry.id)
    for group, locale, id in session.execute(twins):
        found.setdefault(group, {})[locale] = id
    return found


def _entry(
    one: Entry, revision: Revision, schedule: Schedule | None, *, of: ContentType, around: _Around
) -> dict[str, Any]:
    source = {"name": one.source_name, "external_id": one.source_id} if one.source_name is not None else None
    translations = around.translations.get(one.translation_group, {})
    return {
        "id": one.id,
        "type": one.type,
        "locale": revision.locale,
        "translations": {locale: id for locale, id in translations.items() if id != one.id},
        "section": revision.section,
        "slug": revision.slug,
        "path": revision.slug and around.tree.path(revision.section, locale=revision.locale, slug=revision.slug),
        "revision": revision.number,
        "published_revision": one.published_revision,
        "state": state(one, schedule),
        "fields": around.fields.group(of.fields, revision.fields),
        "owner": revision.owner_id and around.persons.get(revision.owner_id),
        "byline": [around.persons[id] for id in revision.byline if id in around.persons],
        "source": source,
        "schedule": schedule and _schedule(schedule),
        "created_at": instant(one.created_at),
        "changed_at": instant(one.changed_at),
        "first_published_at": instant(one.first_published_at),
        "published_at": instant(one.published_at),
        "trashed_at": instant(one.trashed_at),
        "saved": attribution(revision, revision.saved_at, around.persons),
    }


def attribution(made: Attributed, at: datetime, people: Mapping[str, Any]) -> dict[str, Any]:
    """When, by whom, on whose behalf, for which request, with what note."""
    return {
        "at": instant(at),
        "by": {"kind": made.actor_kind, "id": made.actor_id, "name": made.actor_name},
        "on_behalf_of": made.on_behalf_of and people.get(made.on_behalf_of),
        "request": made.request,
        "note": made.note,
    }


def _schedule(planned: Schedule) -> dict[str, Any]:
    return {
        "publish_at": instant(planned.publish_at),
        "unpublish_at": instant(planned.unpublish_at),
        "zone": planned.zone,
        "revision": planned.revision,
        "failure": planned.failure,
    }


def revision(
    one: Revision, *, published: Mapping[int, datetime], people: Mapping[str, Any], live: int | None
) -> dict[str, Any]:
    """A revision in the history, without its content. `published`: when it first went live, or null."""
    return {
        "revision": one.number,
        "saved": attribution(one, one.saved_at, people),
        "autosave": one.autosave,
        "published": instant(published.get(one.number)),
        "live": one.number == live,
        "restored_from": one.restored_from,
    }


def event(one: Event, people: Mapping[str, Any]) -> dict[str, Any]:
    """One row of the log."""
    return {
        "id": str(one.number),
        "kind": one.kind,
        "entry": one.entry_id,
        "type": one.type,
        "locale": one.locale,
        "revision": one.revision,
        "details": one.details,
        **attribution(one, one.at, people),
    }


# --- fields ---


@dataclass(frozen=True)
class _Fields:
    """All fields of a type, those without a value as null; rich text in one form, files with their addresses."""

    rich_text: str
    public_uploads: AbstractSet[str]
    sign: Sign | None
    pictures: Pictures

    def group(self, of: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Any]:
        return {field.name: self.value(field, values.get(field.name)) for field in of}

    def value(self, field: Field, value: Any) -> Any:
        show = _SHOWN.get(field.kind)
        return value if value is None or show is None else show(self, field, value)

    def words(self, _field: Field, value: Any) -> Any:
        return FORMATS[self.rich_text](value)

    def inner(self, field: Field, value: Mapping[str, Any]) -> dict[str, Any]:
        return self.group(field.fields, value)

    def items(self, field: Field, value: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [self.group(field.fields, item) for item in value]

    def upload(self, _field: Field, value: Mapping[str, Any]) -> dict[str, Any]:
        if value["sha256"] in self.public_uploads:
            return {**value, **self._addresses(value, None)}
        if self.sign is None:
            return {**value, "url": None, "srcset": None, "picture": None}
        return {**value, **self._addresses(value, self.sign)}

    def _addresses(self, value: Any, sign: Sign | None) -> dict[str, Any]:
        # Presets are for visitors; the desk shows thumbnails of the ladder.
        shown = self.pictures(value, sign=sign)
        return {name: shown[name] for name in ("url", "srcset", "picture")}


_SHOWN: Mapping[str, Callable[[_Fields, Field, Any], Any]] = {
    "rich_text": _Fields.words,
    "group": _Fields.inner,
    "groups": _Fields.items,
    "upload": _Fields.upload,
}


def _public_uploads(session: Session, rows: Sequence[Row], types: Sequence[ContentType]) -> AbstractSet[str]:
    leaving = (leaves(of.fields, row[1].fields, at="") for row, of in zip(rows, types, strict=True))
    hashes = (value["sha256"] for found in leaving for field, _, value in found if field.kind == "upload")
    return public_uploads(session, hashes)


FORMATS = {
    "doc": lambda document: document,
    "html": rich_text.to_editable_html,
    "markdown": rich_text.to_markdown,
    "text": rich_text.to_text,
}
