"""Bringing rows of a source, keyed by the source's own id: made once, changed when the row changes, never twice."""

from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy.orm import Session

from cms import content, finding, saving
from cms.attribution import By
from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.errors import WrongState
from cms.saving import Draft, Saved, Source
from cms.snapshots import Snapshot, refuse_stale, refuse_trashed, revision_of, snapshot_of
from cms.tables.entries import Entry


@dataclass(frozen=True)
class Brought:
    """What became of a row."""

    outcome: Literal["made", "changed", "same"]
    saved: Saved


def bring_one(
    session: Session, type_name: str, draft: Draft, *, source: Source, by: By, expected: int | None = None
) -> Brought:
    """Make or change the entry that a source's row stands for. `expected` None: the revision that the source made last.

    Raises `StaleRevision` when somebody changed it since, and what `create` and `save` raise."""
    content_type = site_types.find(session, type_name)
    read = content.read(content_type, draft.fields)
    draft = replace(draft, fields=read.fields, warnings=read.warnings)
    entry = finding.counterpart(session, source.name, source.external_id)
    return bring_read(session, content_type, draft, entry=entry, source=source, by=by, expected=expected)


def bring_read(
    session: Session,
    content_type: ContentType,
    draft: Draft,
    *,
    entry: Entry | None,
    source: Source,
    by: By,
    expected: int | None = None,
    entry_id: str | None = None,
) -> Brought:
    """The same for values that were checked before, and an entry that was looked up before."""
    if entry is None:
        return Brought("made", saving.bring(session, content_type, draft, by=by, source=source, entry_id=entry_id))
    if entry.type != content_type.name:
        raise WrongState("other_type", f"{source.external_id} is of type {entry.type}; a type does not change.")
    refuse_stale(session, entry, entry.source_revision or 0 if expected is None else expected, by=by)
    refuse_trashed(entry)
    before = snapshot_of(revision_of(session, entry))
    saved = saving.put(session, entry, _snapshot(draft, before), by=by, coming=draft.coming)
    entry.source_digest = source.digest
    entry.source_revision = entry.revision
    return Brought("changed" if saved.made else "same", replace(saved, warnings=draft.warnings + saved.warnings))


def _snapshot(draft: Draft, before: Snapshot) -> Snapshot:
    return Snapshot(
        locale=draft.locale,
        section=draft.section,
        # A source without slugs leaves the entry where it is, whatever its title becomes.
        slug=draft.slug or before.slug,
        owner_id=draft.owner_id or before.owner_id,
        byline=draft.byline,
        fields=dict(draft.fields),
    )
