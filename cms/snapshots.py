"""An entry's content as one value, and the revision that holds it: found, compared, refused when stale."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cms.attribution import By
from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.custom_types.carrying import carry
from cms.errors import NotFound, StaleRevision, WrongState
from cms.tables.entries import Entry, Revision


@dataclass(frozen=True)
class Snapshot:
    """An entry's whole content: what one revision holds."""

    locale: str
    section: str | None
    slug: str | None
    owner_id: str | None
    byline: tuple[str, ...]
    fields: dict[str, Any]


def find(session: Session, entry_id: str) -> Entry:
    """The entry of that id. Raises `NotFound`."""
    entry = session.get(Entry, entry_id)
    if entry is None:
        raise NotFound("entry", entry_id)
    return entry


def revision_of(session: Session, entry: Entry, number: int | None = None) -> Revision:
    """One revision, the newest when no number is given. Raises `NotFound`."""
    wanted = entry.revision if number is None else number
    revision = session.get(Revision, (entry.id, wanted))
    if revision is None:
        raise NotFound("revision", str(wanted))
    return revision


def snapshot_of(revision: Revision) -> Snapshot:
    """The content that a revision holds."""
    return Snapshot(
        locale=revision.locale,
        section=revision.section,
        slug=revision.slug,
        owner_id=revision.owner_id,
        byline=tuple(revision.byline),
        fields=revision.fields,
    )


def type_of(session: Session, entry: Entry, revision: Revision) -> ContentType:
    """The type that a revision's fields are read by: the newest by today's definition, others by their own."""
    number = None if revision.number == entry.revision else revision.type_revision
    return site_types.as_it_was(session, entry.type, number)


def fields_of_today(session: Session, entry: Entry, revision: Revision) -> dict[str, Any]:
    """What of a revision's fields has a place in its type as it is now."""
    today = site_types.find(session, entry.type)
    if revision.type_revision == today.revision:
        return revision.fields
    return carry(site_types.as_it_was(session, entry.type, revision.type_revision), today, revision.fields).fields


class Seen(int):
    """A revision's number as a caller names it. `folds` tells how often an autosave had grown when they saw it."""

    folds: int

    def __new__(cls, number: int, folds: int) -> "Seen":
        seen = super().__new__(cls, number)
        seen.folds = folds
        return seen


def refuse_stale(session: Session, entry: Entry, expected: int, *, by: By) -> None:
    """Raises `StaleRevision` unless `expected` is the newest revision, telling who was faster and what they changed.

    An autosave grows under its number (decision 0004): a bare number names it as it is now only for who grows it."""
    newest = revision_of(session, entry)
    if entry.revision == expected and _was_seen(newest, expected, by):
        return
    seen = session.get(Revision, (entry.id, expected))
    raise StaleRevision(
        expected=expected,
        current=entry.revision,
        folds=newest.folds,
        actor_name=newest.actor_name,
        on_behalf_of=newest.on_behalf_of,
        saved_at=newest.saved_at,
        changed=_changed(snapshot_of(seen), snapshot_of(newest)) if seen else [],
    )


def _was_seen(newest: Revision, expected: int, by: By) -> bool:
    if isinstance(expected, Seen):
        return expected.folds == newest.folds
    return newest.folds == 0 or (newest.actor_kind, newest.actor_id) == (by.actor.kind, by.actor.id)


def refuse_trashed(entry: Entry) -> None:
    """Raises `WrongState` when the entry is in the trash."""
    if entry.trashed_at is not None:
        raise WrongState("trashed", "The entry is in the trash. Restore it first.")


def _changed(before: Snapshot, after: Snapshot) -> list[str]:
    outer = [name for name in ("locale", "section", "slug", "byline") if getattr(before, name) != getattr(after, name)]
    if before.owner_id != after.owner_id:
        outer.append("owner")
    names = dict.fromkeys([*before.fields, *after.fields])
    inner = [name for name in names if before.fields.get(name) != after.fields.get(name)]
    return [f"/{name}" for name in outer] + [f"/fields/{name}" for name in inner]
