"""The append-only log: one row for each change, in the transaction of the change."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.attribution import By
from cms.tables.attributed import attribution
from cms.tables.entries import Entry
from cms.tables.events import Event


def record(
    session: Session,
    kind: str,
    *,
    by: By,
    entry: Entry | None = None,
    revision: int | None = None,
    **details: Any,
) -> None:
    """Append an event, about the entry's newest revision if none is named. Details are JSON and never secrets."""
    about: dict[str, Any] = {}
    if entry is not None:
        about = {"entry_id": entry.id, "type": entry.type, "locale": entry.locale}
        about["revision"] = entry.revision if revision is None else revision
    session.add(Event(kind=kind, at=by.at, details=details, **about, **attribution(by)))


def newest(session: Session) -> int:
    """The number of the newest event, 0 when there is none."""
    return session.scalar(select(func.max(Event.number))) or 0


def changed_entries(session: Session, *, after: int, limit: int) -> tuple[Sequence[str], int]:
    """The ids of entries that the next `limit` events tell of, each once, and the last event's number."""
    rows = session.execute(
        select(Event.number, Event.entry_id).where(Event.number > after).order_by(Event.number).limit(limit)
    ).all()
    ids = dict.fromkeys(row.entry_id for row in rows if row.entry_id is not None)
    return list(ids), rows[-1].number if rows else after
