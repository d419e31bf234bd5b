"""Looking back: an entry's revisions, and any of them brought back as a new one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from cms import diffing, saving
from cms.attribution import By
from cms.content_types import Field
from cms.custom_types import site_types
from cms.snapshots import Snapshot, fields_of_today, refuse_stale, refuse_trashed, revision_of, snapshot_of, type_of
from cms.tables.entries import Entry, Revision
from cms.tables.events import Event


def revisions(session: Session, entry: Entry, *, before: int | None, limit: int) -> Sequence[Revision]:
    """Revisions without their fields, newest first, those below number `before` if one is given."""
    wanted = select(Revision).options(defer(Revision.fields)).where(Revision.entry_id == entry.id)
    if before is not None:
        wanted = wanted.where(Revision.number < before)
    return session.scalars(wanted.order_by(Revision.number.desc()).limit(limit)).all()


def published(session: Session, entry: Entry) -> dict[int, datetime]:
    """When each revision was first published, for those that were."""
    rows = session.execute(
        select(Event.revision, func.min(Event.number), func.min(Event.at))
        .where(Event.entry_id == entry.id, Event.kind == "entry.published")
        .group_by(Event.revision)
    )
    return {number: at for number, _, at in rows if number is not None}


def restore(session: Session, entry: Entry, number: int, *, expected: int, by: By) -> saving.Saved:
    """Make a new revision equal to an old one. Raises `NotFound`, `StaleRevision`, `WrongState`."""
    refuse_stale(session, entry, expected, by=by)
    refuse_trashed(entry)
    revision = revision_of(session, entry, number)
    # What its type has no place for by now stays in the old revision.
    snapshot = replace(snapshot_of(revision), fields=fields_of_today(session, entry, revision))
    return saving.put(session, entry, snapshot, by=by, restored_from=number)


def diff(session: Session, entry: Entry, *, from_: int, to: int) -> list[dict[str, Any]]:
    """What changed between two revisions, field by field; see `cms.diffing` for the shape."""
    revisions = [revision_of(session, entry, number) for number in (from_, to)]
    old, new = (snapshot_of(one) for one in revisions)
    before, after = (_kinds(type_of(session, entry, one).fields) for one in revisions)
    return _differences(old, new, before, after)


def differences(session: Session, entry: Entry, revision: Revision, content: Snapshot) -> list[dict[str, Any]]:
    """What would change if a content followed a revision, told as `diff` tells it."""
    before = _kinds(type_of(session, entry, revision).fields)
    after = _kinds(site_types.find(session, entry.type).fields)
    return _differences(snapshot_of(revision), content, before, after)


def _differences(old: Snapshot, new: Snapshot, before: dict[str, str], after: dict[str, str]) -> list[dict[str, Any]]:
    outer: list[Any] = diffing.compare(_outer(old), _outer(new), kinds=_OUTER_KINDS, prefix="")
    # A field whose kind has changed between them is compared as a plain value.
    kinds = before | {name: kind if before.get(name, kind) == kind else "value" for name, kind in after.items()}
    inner: list[Any] = diffing.compare(old.fields, new.fields, kinds=kinds)
    return outer + inner


_OUTER_KINDS = {"locale": "text", "section": "reference", "slug": "text", "owner": "reference", "byline": "references"}


def _outer(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "locale": snapshot.locale,
        "section": snapshot.section,
        "slug": snapshot.slug,
        "owner": snapshot.owner_id,
        "byline": list(snapshot.byline),
    }


def _kinds(fields: tuple[Field, ...], at: str = "") -> dict[str, str]:
    kinds = {}
    for field in fields:
        kinds[f"{at}{field.name}"] = field.kind
        kinds |= _kinds(field.fields, f"{at}{field.name}/")
    return kinds
