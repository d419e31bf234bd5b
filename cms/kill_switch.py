"""Switching counters off at once, whatever is published, and on again.

A counter is meant with its translations: where one is off, another must not load in its stead.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cms import events
from cms.attribution import By
from cms.errors import Fault, InvalidContent
from cms.json_columns import among
from cms.tables.attributed import attribution
from cms.tables.entries import Entry
from cms.tables.publications import ALL_COUNTERS, StoppedCounter


def stopped(session: Session) -> Sequence[StoppedCounter]:
    """What is switched off, the first first."""
    return session.scalars(select(StoppedCounter).order_by(StoppedCounter.at, StoppedCounter.counter)).all()


def stop(session: Session, counters: Sequence[str] | None, *, by: By) -> None:
    """Switch counters off, all if none are named. One that is off already stays as it is. Raises `InvalidContent`."""
    known = set(session.scalars(select(StoppedCounter.counter)))
    for one, entry in _named(session, counters):
        if one not in known:
            session.add(StoppedCounter(counter=one, at=by.at, **attribution(by)))
            events.record(session, "counter.stopped", by=by, entry=entry, all=entry is None)
    session.flush()


def resume(session: Session, counters: Sequence[str] | None, *, by: By) -> None:
    """Switch counters on again: those that are named, or whatever is off. Raises `InvalidContent`."""
    if counters is None:
        named = [(one.counter, session.get(Entry, one.counter)) for one in stopped(session)]
    else:
        named = _named(session, counters)
    known = set(session.scalars(select(StoppedCounter.counter)))
    for one, entry in named:
        if one in known:
            session.execute(delete(StoppedCounter).where(StoppedCounter.counter == one))
            events.record(session, "counter.resumed", by=by, entry=entry, all=entry is None)
    session.expire_all()


def _named(session: Session, counters: Sequence[str] | None) -> list[tuple[str, Entry | None]]:
    if counters is None:
        return [(ALL_COUNTERS, None)]
    found: list[Entry] = []
    faults = []
    for index, id in enumerate(dict.fromkeys(counters)):
        entry = session.get(Entry, id)
        if entry is None or entry.type != "counter":
            faults.append(Fault(f"/counters/{index}", "unknown_counter", "There is no such counter."))
        else:
            found.append(entry)
    if faults:
        raise InvalidContent(faults)
    groups = {entry.translation_group for entry in found}
    together = select(Entry).where(among(Entry.translation_group, sorted(groups))).order_by(Entry.id)
    return [(entry.id, entry) for entry in session.scalars(together)]
