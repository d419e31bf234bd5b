"""Deleting is to the trash, and can be undone."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from cms import addresses, events, menus, publishing, usages
from cms.attribution import By
from cms.custom_types import site_types
from cms.errors import WrongState
from cms.redirects import NOT_FOUND, Answer
from cms.snapshots import refuse_stale, refuse_trashed, revision_of, snapshot_of
from cms.tables.entries import Entry
from cms.tables.publications import Publication, Schedule


def trash(
    session: Session, entry: Entry, *, expected: int, by: By, answer: Answer = NOT_FOUND, though_used: bool = False
) -> None:
    """Put an entry into the trash; a live one leaves the site. `though_used`: what refers to it goes, too.

    Raises `InUse`, `StaleRevision`, `WrongState`."""
    refuse_stale(session, entry, expected, by=by)
    refuse_trashed(entry)
    if site_types.find(session, entry.type).single:
        raise WrongState("single_type", f"The site cannot be without its {entry.type}.")
    if not though_used:
        usages.refuse_if_used(session, entry.id)
    if session.get(Publication, entry.id) is not None:
        publishing.unpublish(session, entry, by=by, answer=answer)
    session.execute(delete(Schedule).where(Schedule.entry_id == entry.id))
    entry.trashed_at = by.at
    events.record(session, "entry.trashed", by=by, entry=entry)


def restore(session: Session, entry: Entry, *, expected: int, by: By) -> None:
    """Bring an entry back as a draft. Raises `WrongState`, `StaleRevision`, `AddressTaken` when its place is taken."""
    refuse_stale(session, entry, expected, by=by)
    if entry.trashed_at is None:
        raise WrongState("not_trashed", "The entry is not in the trash.")
    snapshot = snapshot_of(revision_of(session, entry))
    addresses.refuse_taken(session, snapshot, entry_id=entry.id)
    # Another menu may have taken the name meanwhile: this refuses it.
    menus.named(session, site_types.find(session, entry.type), snapshot, entry_id=entry.id)
    entry.trashed_at = None
    events.record(session, "entry.restored", by=by, entry=entry)
