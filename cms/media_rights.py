"""Images and files whose rights have ended: who publishes them, or what shows them, is told."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.built_in_types import UPLOADED
from cms.content import Reference
from cms.errors import Fault
from cms.field_kinds import moment_text
from cms.json_columns import among, member
from cms.tables.entries import Entry
from cms.tables.publications import Publication

_TYPES = frozenset(UPLOADED)


def ended(
    session: Session, entry: Entry, fields: Mapping[str, Any], references: Iterable[Reference], *, at: datetime
) -> tuple[Fault, ...]:
    """A warning for the entry itself, and for each live image or file that it shows, if the rights to it are over."""
    until = fields.get("rights_until") if entry.type in _TYPES else None
    own = [Fault("/fields/rights_until", "rights_ended", _SAID.format("", until))] if _is_over(until, at) else []
    pointers = [(pointer, target) for pointer, target, allowed in references if _TYPES.intersection(allowed)]
    over = _over(session, {target for _, target in pointers}, at)
    shown = (
        Fault(pointer, "rights_ended", _SAID.format(f" to entry {target}", over[target]))
        for pointer, target in pointers
        if target in over
    )
    return (*own, *shown)


_SAID = "The rights{} ended at {}: replace it, or put a later date."


def _is_over(until: Any, at: datetime) -> bool:
    # Both are texts of one form, so they sort as the instants do.
    return isinstance(until, str) and until <= moment_text(at)


def _over(session: Session, ids: set[str], at: datetime) -> dict[str, str]:
    if not ids:
        return {}
    p = Publication.__table__.c
    until = member(p.compared, "rights_until", kind="moment")
    wanted = select(p.entry_id, until).where(among(p.entry_id, sorted(ids)), until <= moment_text(at))
    return {row[0]: row[1] for row in session.execute(wanted).all()}
