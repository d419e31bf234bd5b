"""Bringing rows of a source, keyed by the source's own id: made once, changed when the row changes, never twice."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy.orm import Session

from cms import addresses, checking, content, finding, history, saving
from cms.addresses import Address
from cms.attribution import By
from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.errors import AddressTaken, Fault, WrongState
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
    _refuse_other_type(entry, content_type, source.external_id)
    refuse_stale(session, entry, entry.source_revision or 0 if expected is None else expected, by=by)
    refuse_trashed(entry)
    before = snapshot_of(revision_of(session, entry))
    saved = saving.put(session, entry, _snapshot(draft, before), by=by, coming=draft.coming)
    entry.source_digest = source.digest
    entry.source_revision = entry.revision
    return Brought("changed" if saved.made else "same", replace(saved, warnings=draft.warnings + saved.warnings))


def _refuse_other_type(entry: Entry, content_type: ContentType, external_id: str) -> None:
    if entry.type != content_type.name:
        raise WrongState("other_type", f"{external_id} is of type {entry.type}; a type does not change.")


@dataclass(frozen=True)
class WouldBring:
    """What would become of a row; `diff` of a changed one, as history tells it."""

    outcome: Literal["made", "changed", "same"]
    warnings: tuple[Fault, ...]
    diff: list[dict[str, Any]] | None = None


def would_bring(
    session: Session, content_type: ContentType, draft: Draft, *, entry: Entry | None, external_id: str
) -> WouldBring:
    """What `bring_read` would do with values that were checked before. Writes nothing; raises what it would raise, but
    for addresses."""
    if entry is not None:
        _refuse_other_type(entry, content_type, external_id)
    newest = None if entry is None else revision_of(session, entry)
    before = None if newest is None else snapshot_of(newest)
    after = _snapshot(draft, before) if before is not None else _new_snapshot(draft)
    references = draft.derived.references if draft.derived is not None else ()
    checked = checking.checked(session, content_type, after, references=references, coming=draft.coming)
    warnings = draft.warnings + checked.warnings
    if entry is None or newest is None or before is None:
        return WouldBring("made", warnings)
    if before == checked.snapshot and not newest.autosave:
        return WouldBring("same", warnings)
    return WouldBring("changed", warnings, history.differences(session, entry, newest, checked.snapshot))


def refuse_twin_row(
    session: Session, address: Address, *, is_taken: Callable[[Address], bool], new_section: bool, entry: Entry | None
) -> None:
    """Raises `AddressTaken` when another entry stands at an address, or an earlier row would."""
    if is_taken(address):
        raise AddressTaken(address.slug, address.section, address.locale, "")
    if new_section or (entry is not None and (entry.locale, entry.section, entry.slug) == tuple(address)):
        return
    place = Snapshot(address.locale, address.section, address.slug, None, (), {})
    addresses.refuse_taken(session, place, entry_id=entry.id if entry is not None else "")


def _new_snapshot(draft: Draft) -> Snapshot:
    return Snapshot(draft.locale, draft.section, draft.slug, draft.owner_id, draft.byline, dict(draft.fields))


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
