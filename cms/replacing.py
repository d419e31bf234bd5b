"""Other bytes for an image or file: the entry, its id, its texts and its usages stay, and history has the old ones."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from cms import saving, usages
from cms.attribution import By
from cms.built_in_types import UPLOADED
from cms.errors import Fault, InvalidContent, WrongState
from cms.snapshots import refuse_stale, refuse_trashed, revision_of
from cms.tables.entries import Entry, StoredFile


def refuse_unready(session: Session, entry: Entry, *, expected: int, confirmed: int | None, by: By) -> None:
    """What can be told before the bytes are there. `confirmed`: in how many places the caller knows it to be used.
    Raises `StaleRevision`, `WrongState`, `InUse`."""
    if entry.type not in UPLOADED:
        raise WrongState("other_type", f"The entry is of type '{entry.type}': only images and files are their bytes.")
    refuse_stale(session, entry, expected, by=by)
    refuse_trashed(entry)
    usages.refuse_unless_confirmed(session, entry.id, confirmed)


def refuse_unconfirmed(
    session: Session, entry: Entry, patch: Mapping[str, Any], *, expected: int, confirmed: int | None, by: By
) -> None:
    """The same for other bytes by way of a patch. Raises `StaleRevision`, `InUse`."""
    file = (patch.get("fields") or {}).get("file") if entry.type in UPLOADED else None
    if isinstance(file, Mapping) and "sha256" in file:
        refuse_stale(session, entry, expected, by=by)
        before = revision_of(session, entry).fields.get("file") or {}
        if before and file["sha256"] != before.get("sha256"):
            usages.refuse_unless_confirmed(session, entry.id, confirmed)


def replace(
    session: Session, entry: Entry, stored: StoredFile, *, name: str, expected: int, confirmed: int | None, by: By
) -> saving.Saved:
    """Save a revision with these bytes, under the name that they came with. Raises `InvalidContent` when an image would
    become none or the other way round, and what `refuse_unready` raises."""
    refuse_unready(session, entry, expected=expected, confirmed=confirmed, by=by)
    if stored.kind != entry.type:
        said = f"The entry is of type '{entry.type}' and these bytes are of type '{stored.kind}'. Upload them as new."
        raise InvalidContent([Fault("/file", "other_kind", said)])
    file = {"sha256": stored.sha256, "name": name}
    saved = saving.save(session, entry, {"fields": {"file": file}}, expected=expected, by=by)
    if stored.entry_id is None:
        stored.entry_id = entry.id
    return saved
