"""Undoing an import as a unit: what it made goes to the trash, what it changed is as before, people's work stays.

Whose work an entry is tells its newest event: the import's own, or anything that somebody did since (decision 0023).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from cms import history, publishing, redirect_rules, structure, trash
from cms.attribution import By
from cms.database import forget
from cms.errors import AddressTaken, InUse, InvalidContent, Refusal, WrongState
from cms.json_columns import among, unindexed
from cms.snapshots import revision_of
from cms.tables.entries import Entry, Revision, Usage
from cms.tables.events import Event
from cms.tables.jobs import ImportJob, ImportRow
from cms.tables.publications import Redirect

UNDONE = "undone"
CHANGED_SINCE = "changed_since"
IN_USE = "in_use"
GONE = "gone"
REFUSED = "refused"

# In words, for reports.
LEFT: Mapping[str, str] = {
    CHANGED_SINCE: "Somebody has changed, published, moved or trashed it since the import: it was left as it is.",
    IN_USE: "Something that stays refers to it: it was left. Remove the references and trash it by hand.",
    GONE: "It is not there any more.",
    REFUSED: "What it was before does not fit any more: it was left as it is.",
    "slug_taken": "Its former address is taken by another entry: it was left as it is.",
}

_WROTE = ("made", "changed")
_CHUNK = 500


def why_left(code: str | None) -> str | None:
    """Why a row was left, in words; None for one that was undone, or is not rolled back."""
    return None if code in (None, UNDONE) else LEFT.get(str(code), LEFT[REFUSED])


def undoable(session: Session, job: ImportJob) -> int:
    """How many rows of a job there are to undo."""
    wanted = select(func.count()).select_from(ImportRow).where(*_pending(job))
    return session.scalar(wanted) or 0


def pending(session: Session, job: ImportJob, *, limit: int) -> Sequence[ImportRow]:
    """The rows that are to be undone next, the last first."""
    wanted = select(ImportRow).where(*_pending(job)).order_by(ImportRow.number.desc()).limit(limit)
    return session.scalars(wanted).all()


def held(session: Session, job: ImportJob) -> frozenset[str]:
    """The ids of entries that will stay: those that people changed since, and what such and other entries refer to.

    Only reads; it looks at the whole job, so ask once and hand it to `undo` with each batch."""
    found = {row.entry_id for row in session.execute(_touched(job)) if row.entry_id is not None}
    found.update(session.scalars(_used_by_others(job)))
    frontier = sorted(found)
    while frontier:
        reached = {one for part in _chunks(frontier) for one in session.scalars(_referred_to(job, part))}
        frontier = sorted(reached - found)
        found.update(frontier)
    return frozenset(found)


def undo(
    session: Session, job: ImportJob, rows: Iterable[ImportRow], *, by: By, held: Collection[str] = frozenset()
) -> Counter[str]:
    """Undo rows of a job in the order given, the last first. Each tells in `rolled_back` that it is undone, or the code
    for why it was left; those that tell it already, or wrote nothing, are passed over. Gives how many of each."""
    wanted = [row for row in rows if not row.dry and row.outcome in _WROTE and row.rolled_back is None]
    numbers = [row.number for row in wanted]
    touched = set(
        session.scalars(_touched(job).where(ImportRow.number.in_(numbers)).with_only_columns(ImportRow.number))
    )
    outcomes: Counter[str] = Counter()
    for row in wanted:
        row.rolled_back = _undo_row(session, job, row, by=by, touched=row.number in touched, held=held)
        outcomes[row.rolled_back] += 1
        session.flush()
    return outcomes


def _undo_row(session: Session, job: ImportJob, row: ImportRow, *, by: By, touched: bool, held: Collection[str]) -> str:
    if row.kind == "redirect":
        return _undo_redirect(session, row, by=by)
    entry = session.get(Entry, row.entry_id) if row.entry_id is not None else None
    if entry is None:
        return GONE
    if touched:
        code = CHANGED_SINCE
    elif row.outcome == "made":
        return _undo_made(session, job, entry, by=by, held=held)
    else:
        code = _undo_changed(session, entry, row, by=by)
    if row.kind == "structure" and code != UNDONE:
        row.warnings = [*(row.warnings or ()), *_empty_sections(session, entry, row)]
    return code


# --- what it made ---


def _undo_made(session: Session, job: ImportJob, entry: Entry, *, by: By, held: Collection[str]) -> str:
    if entry.id in held or session.scalar(_used_by_others(job).where(Usage.target_id == entry.id)) is not None:
        return IN_USE
    try:
        trash.trash(session, entry, expected=entry.revision, by=by, though_used=True)
    except WrongState as refusal:
        return refusal.code
    # A later import makes the row anew; who takes this one out of the trash has an entry of the site's own.
    entry.source_name = entry.source_id = entry.source_digest = entry.source_revision = None
    return UNDONE


# --- what it changed ---


def _undo_changed(session: Session, entry: Entry, row: ImportRow, *, by: By) -> str:
    try:
        with session.begin_nested():
            _return(session, entry, row, by=by)
    except AddressTaken:
        return _kept_after(session, "slug_taken")
    except InUse:
        return _kept_after(session, IN_USE)
    except InvalidContent as refusal:
        return _kept_after(session, refusal.faults[0].code if refusal.faults else REFUSED)
    except WrongState as refusal:
        return _kept_after(session, refusal.code)
    except Refusal:
        return _kept_after(session, REFUSED)
    return UNDONE


def _kept_after(session: Session, code: str) -> str:
    # What the session remembers may be of the savepoint that was taken back.
    forget(session)
    return code


def _return(session: Session, entry: Entry, row: ImportRow, *, by: By) -> None:
    before = row.after if row.before is None else row.before
    published_at = _published_at(session, entry, row.live_before)
    if before is not None and before != row.after:
        history.restore(session, entry, before, expected=entry.revision, by=by)
    if row.kind == "structure":
        _forget_made_sections(session, entry, row, by=by, published_at=published_at)
        return
    _return_publication(session, entry, row, by=by, published_at=published_at)
    entry.source_digest = None
    # What a person had written before the import took it over is a person's work again.
    entry.source_revision = entry.revision if row.decision is None else None


def _return_publication(
    session: Session, entry: Entry, row: ImportRow, *, by: By, published_at: datetime | None
) -> None:
    if row.live_before is None:
        if entry.published_revision is not None:
            publishing.unpublish(session, entry, by=by)
            if not set(history.published(session, entry)) - {row.after}:
                entry.first_published_at = None
        return
    # A new revision that is equal to the one that was live takes its place: otherwise it would look like a draft.
    revision = entry.revision if row.live_before == row.before else row.live_before
    if entry.published_revision != revision:
        publishing.publish(session, entry, by=by, revision=revision, published_at=published_at, back=True)


def _published_at(session: Session, entry: Entry, number: int | None) -> datetime | None:
    """The date that the publication of a revision told, as far as can be known."""
    if number is None or entry.published_revision == number:
        return entry.published_at
    published = (Event.entry_id == entry.id) & (Event.kind == "entry.published")
    first = session.scalar(select(func.min(Event.at)).where(published))
    if entry.first_published_at is not None and first is not None and entry.first_published_at < first:
        return entry.first_published_at
    return session.scalar(select(func.max(Event.at)).where(published, Event.revision == number))


# --- the structure ---


def _forget_made_sections(
    session: Session, entry: Entry, row: ImportRow, *, by: By, published_at: datetime | None
) -> None:
    made = _made_sections(session, entry, row)
    _return_publication(session, entry, row, by=by, published_at=published_at)
    session.flush()
    # Nobody shall be told that a section which never should have been was removed.
    session.execute(delete(Redirect).where(Redirect.about.in_(made), Redirect.source == "automatic"))
    forget(session)


def _made_sections(session: Session, entry: Entry, row: ImportRow) -> list[str]:
    before, after = (structure.tree_of(revision_of(session, entry, one).fields) for one in (row.before, row.after))
    return [section.id for section in after if section.id not in before]


def _empty_sections(session: Session, entry: Entry, row: ImportRow) -> list[dict[str, Any]]:
    tree = structure.newest_tree(session)
    made = [one for one in _made_sections(session, entry, row) if one in tree]
    there = structure.standing(session, made)
    said = "The import made this section, nothing stands in it, and it was left. Remove it by hand if it is not needed."
    return [
        {"pointer": f"/fields/sections/{one}", "code": "section_left", "message": said}
        for one in made
        if one not in there or there[one].total == 0
    ]


# --- redirects ---


def _undo_redirect(session: Session, row: ImportRow, *, by: By) -> str:
    rule = session.get(Redirect, row.entry_id) if row.entry_id is not None else None
    if rule is None:
        return GONE
    if row.outcome != "made" or rule.changed_at != rule.created_at:
        return CHANGED_SINCE
    redirect_rules.remove(session, rule, by=by)
    return UNDONE


# --- whose work it is ---


def _pending(job: ImportJob) -> tuple[ColumnElement[bool], ...]:
    wrote = ImportRow.outcome.in_(_WROTE)
    return (ImportRow.job_id == job.id, ImportRow.dry.is_(False), wrote, ImportRow.rolled_back.is_(None))


def _touched(job: ImportJob) -> Select[*tuple[Any, ...]]:
    """The rows whose entry is not as the import left it: (number, entry_id) of each."""
    any_event = aliased(Event)
    newest = select(func.max(any_event.number)).where(any_event.entry_id == ImportRow.entry_id).scalar_subquery()
    columns = ("actor_kind", "actor_id", "on_behalf_of", "request", "note")
    as_saved = and_(*(getattr(Event, name).is_not_distinct_from(getattr(Revision, name)) for name in columns))
    only_published = and_(
        ImportRow.before == ImportRow.after,
        Event.kind == "entry.published",
        Event.actor_id == job.actor_id,
        Event.at >= job.created_at,
    )
    by_it = or_(and_(ImportRow.before.is_distinct_from(ImportRow.after), as_saved), only_published)
    left = and_(Entry.revision == ImportRow.after, Entry.trashed_at.is_(None), func.coalesce(by_it, False))
    return (
        select(ImportRow.number, ImportRow.entry_id)
        .outerjoin(Entry, Entry.id == ImportRow.entry_id)
        .outerjoin(Revision, and_(Revision.entry_id == ImportRow.entry_id, Revision.number == ImportRow.after))
        .outerjoin(Event, Event.number == newest)
        .where(*_pending(job), ImportRow.kind != "redirect", func.coalesce(left, False).is_(False))
    )


def _used_by_others(job: ImportJob) -> Select[str]:
    """The entries that the job made and that others refer to than those which it is about to undo."""
    own, made = _row_about(job, Usage.source_id), _row_about(job, Usage.target_id)
    return (
        select(Usage.target_id)
        .distinct()
        .join(Entry, Entry.id == Usage.source_id)
        .where(Entry.trashed_at.is_(None), exists(made.where(ImportRow.outcome == "made")), ~exists(own))
    )


def _referred_to(job: ImportJob, sources: Sequence[str]) -> Select[str]:
    """What some entries refer to, of what the job made. What lies in the trash holds nothing."""
    made = _row_about(job, Usage.target_id).where(ImportRow.outcome == "made")
    wanted = select(Usage.target_id).distinct().join(Entry, Entry.id == Usage.source_id)
    return wanted.where(Entry.trashed_at.is_(None), among(Usage.source_id, sources), exists(made))


def _row_about(job: ImportJob, entry_id: SQLColumnExpression[str]) -> Select[str | None]:
    """The row of a job that is about an entry and is yet to be undone."""
    r = ImportRow
    # By the entry: SQLite would look through all rows of the job for each.
    of_job = unindexed(r.__table__.c.job_id) == job.id
    wrote = r.outcome.in_(_WROTE)
    return select(r.entry_id).where(r.entry_id == entry_id, of_job, r.dry.is_(False), wrote, r.rolled_back.is_(None))


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
