"""Files that the revisions of another site's export name: each is on this site, and told of as it is."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from cms import checking
from cms.content_types import ContentType, leaves
from cms.custom_types import site_types
from cms.errors import Fault
from cms.tables.entries import Revision, StoredFile

# What a revision may tell of a file in other words than the file's own row, and as what.
_TOLD_ANEW: Mapping[str, type] = {"name": str, "placeholder": str, "color": str, "frames": int, "pages": int}
_NEEDED = frozenset({"sha256", "name", "media_type", "size"})


def faults(session: Session, type_name: str, revisions: Iterable[Revision]) -> list[Fault]:
    """What is wrong with the files that revisions name."""
    found = []
    for revision in revisions:
        of = site_types.as_it_was(session, type_name, revision.type_revision)
        for pointer, value in _uploads(of, revision):
            found += [_fault(session, pointer, one) for one in (value, value.get("picture")) if one is not None]
    return [fault for fault in found if fault is not None]


def _fault(session: Session, pointer: str, value: Any) -> Fault | None:
    sha256 = value.get("sha256") if isinstance(value, dict) else None
    stored = session.get(StoredFile, sha256) if isinstance(sha256, str) else None
    if stored is None:
        return Fault(pointer, "unknown_file", "The file is not on this site: its line was refused, or is missing.")
    if not _is_told_of(value, stored):
        return Fault(pointer, "other_file", "The bytes of this file are of another kind or size.")
    return None


def _is_told_of(value: Mapping[str, Any], stored: StoredFile) -> bool:
    known = checking.described(stored)
    if not _NEEDED <= value.keys() <= {*known, "picture"}:
        return False
    told = {name: one for name, one in value.items() if one is not None and name != "picture"}
    return value["name"] is not None and all(
        isinstance(one, _TOLD_ANEW[name]) if name in _TOLD_ANEW else one == known[name] for name, one in told.items()
    )


def _uploads(of: ContentType, revision: Revision) -> list[tuple[str, Mapping[str, Any]]]:
    found = leaves(of.fields, revision.fields, at="/fields")
    return [(pointer, value) for field, pointer, value in found if field.kind == "upload"]
