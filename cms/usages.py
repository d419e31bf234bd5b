"""Where an entry is used, and what it uses: kept in a table at every save and publication."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cms.content import Reference
from cms.errors import InUse
from cms.json_columns import among
from cms.tables.entries import Entry, Usage

_SHOWN = 100


def note(session: Session, source_id: str, references: Iterable[Reference], *, live: bool, new: bool) -> None:
    """Replace what an entry uses. `new`: nothing was noted before."""
    if not new:
        session.execute(delete(Usage).where(Usage.source_id == source_id, Usage.live == live))
    session.add_all(
        Usage(source_id=source_id, live=live, pointer=pointer, target_id=target)
        for pointer, target in dict.fromkeys((pointer, target) for pointer, target, _ in references)
    )


def of(session: Session, entry_id: str) -> Sequence[Usage]:
    """Who refers to the entry, entries in the trash left out."""
    return session.scalars(
        select(Usage)
        .join(Entry, Entry.id == Usage.source_id)
        .where(Usage.target_id == entry_id, Usage.source_id != entry_id, Entry.trashed_at.is_(None))
        .order_by(Usage.source_id, Usage.pointer, Usage.live)
    ).all()


def by(session: Session, entry_id: str) -> Sequence[Usage]:
    """What the entry refers to."""
    return session.scalars(
        select(Usage).where(Usage.source_id == entry_id).order_by(Usage.pointer, Usage.target_id, Usage.live)
    ).all()


def refuse_if_used(session: Session, entry_id: str) -> None:
    """Raises `InUse` with the first usages."""
    pairs = _places(session, entry_id)
    if pairs:
        raise InUse(entry_id, pairs[:_SHOWN], len(pairs))


def refuse_unless_confirmed(session: Session, entry_id: str, confirmed: int | None) -> None:
    """For what changes wherever the entry is used. Raises `InUse` unless as many places are confirmed as there are."""
    pairs = _places(session, entry_id)
    if len(pairs) != (confirmed or 0):
        raise InUse(entry_id, pairs[:_SHOWN], len(pairs), confirmable=True)


def _places(session: Session, entry_id: str) -> list[tuple[str, str]]:
    return list(dict.fromkeys((usage.source_id, usage.pointer) for usage in of(session, entry_id)))


def missing(session: Session, ids: Iterable[str]) -> set[str]:
    """Which of the ids are no entries."""
    wanted = set(ids)
    if not wanted:
        return wanted
    return wanted.difference(session.scalars(select(Entry.id).where(among(Entry.id, sorted(wanted)))))


def types(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """The type of each entry that exists among the ids."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = session.execute(select(Entry.id, Entry.type).where(among(Entry.id, wanted)))
    return {row.id: row.type for row in rows}
