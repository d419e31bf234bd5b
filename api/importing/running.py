"""The phases of a job after its analysis, stage by stage from the checkpoint: the trial, the import, the way back."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.importing import whole_lines
from api.importing.analysing import settle_known
from api.importing.entries import bring_entries
from api.importing.files import bring_files
from api.importing.old_paths import redirect_old_paths
from api.importing.work import Work, give_way, opened, result
from cms import site
from cms.content_types import ContentType
from cms.imports import attempts as import_attempts
from cms.imports import importing, rolling_back
from cms.imports import rights as import_rights
from cms.imports.spool import Spool
from cms.tables.jobs import ImportJob, ImportRow

_PEOPLE = 200
_REFUSED = 200
_UNDONE = 25

Told = Iterator[dict[str, Any]]


def run(work: Work) -> Told:
    """Bring everything in, from the checkpoint on."""
    yield from _staged(work, _RUN)
    _finish(work)


def dry_run(work: Work) -> Told:
    """Find out what a run would do. It writes nothing but results, so it begins anew when it was cut off."""
    with work.parts.database.writing() as session:
        session.execute(delete(ImportRow).where(ImportRow.job_id == work.job.id, ImportRow.dry.is_(True)))
        work.counts.outcomes.clear()
        work.counts.warnings.clear()
        work.keep(session, checkpoint={}, done=0)
    work.checkpoint = {}
    yield from _staged(work, _DRY_RUN)
    with work.parts.database.writing() as session:
        told = work.counts.told()
        import_attempts.end(
            session, work.attempt, "ready", by=work.by(), kind="import.dry_run_ended", dry_run=told, checkpoint={}
        )


def _staged(work: Work, stages: Mapping[str, Callable[[Work], Told]]) -> Told:
    names = list(stages)
    first = work.checkpoint.get("stage", names[0])
    for name in names[names.index(first) :]:
        if work.checkpoint.get("stage") != name:
            work.reach(name)
        yield from stages[name](work)


# --- the stages ---


def _settle_known(work: Work) -> Told:
    """The source may have been imported since the analysis."""
    settle_known(work)
    yield from ()


def _settle_people(work: Work) -> Told:
    with opened(work) as spool:
        people = spool.people(after=work.checkpoint["at"])
        while some := list(islice(people, _PEOPLE)):
            with work.parts.database.writing() as session:
                authors = [author for _, author in some]
                made = importing.settle_people(session, authors, source=work.job.source, by=work.by())
                checkpoint = work.at(some[-1][0])
                counts = work.keep(session, others={"people_made": made}, checkpoint=checkpoint)
            work.counts, work.checkpoint = counts, checkpoint
            give_way(work.parts.database)
            yield {"progress": some[-1][0], "of": None, "doing": "people"}


def _settle_sections(work: Work) -> Told:
    asked = work.asked
    with opened(work, writable=True) as spool:
        wanted = spool.sections()
        if not wanted:
            return
        with work.parts.database.writing() as session:
            settled = importing.settle_sections(
                session,
                wanted,
                base=asked.section,
                by=work.by(),
                publish=asked.publish,
                with_drafts=import_rights.may_publish_structure(session, work.job),
            )
            with spool.noting():
                spool.settle_sections(settled.ids)
            rows = []
            if settled.brought is not None:
                brought = settled.brought
                rows = [result(0, brought, file="", line=None, external_id=None, kind="structure", dry=False)]
            # With the checkpoint, so that it is not done twice.
            checkpoint = {"stage": "files", "at": 0}
            counts = work.keep(session, rows, others={"sections_made": settled.made}, checkpoint=checkpoint)
        work.counts, work.checkpoint = counts, checkpoint
    yield from ()


def _count_what_would_be(work: Work) -> Told:
    made = 0
    with opened(work) as spool:
        people = spool.people()
        while some := [author for _, author in islice(people, _PEOPLE)]:
            with work.parts.database.reading() as session:
                made += importing.missing_people(session, some, source=work.job.source)
        with work.parts.database.reading() as session:
            sections = importing.missing_sections(session, spool.sections(), base=work.asked.section).made
    with work.parts.database.writing() as session:
        counts = work.keep(session, others={"people_made": made, "sections_made": sections})
    work.counts = counts
    yield from ()


def _files(work: Work) -> Told:
    yield from bring_files(work, locale=_given(work)[1])


def _entries(work: Work) -> Told:
    if work.job.format == whole_lines.FORMAT:
        yield from whole_lines.bring_lines(work)
        return
    types, locale = _given(work)
    yield from bring_entries(work, types=types, locale=locale)


def _given(work: Work) -> tuple[dict[str, ContentType], str]:
    with work.parts.database.reading() as session:
        types = import_rights.types_of(session, work.job)
        return types, work.asked.locale or site.locales(session).default


def _loosen_vain_links(work: Work) -> Told:
    """A row that was refused may be mended: those that link to it are told, and read again the next time."""
    with opened(work) as spool:
        while some := _refused_rows(work):
            numbers = spool.numbers(id for _, id in some)
            with work.parts.database.writing() as session:
                ids = [entry for _, entry in numbers.values()]
                for external_id, pointer in importing.loosen(session, work.job.source, ids):
                    _warn(session, work, spool, external_id, pointer)
                checkpoint = work.at(some[-1][0])
                counts = work.keep(session, checkpoint=checkpoint)
            work.counts, work.checkpoint = counts, checkpoint
    yield from ()


def _refused_rows(work: Work) -> list[tuple[int, str]]:
    r = ImportRow
    wanted = select(r.number, r.external_id).where(
        r.job_id == work.job.id,
        r.dry.is_(False),
        r.outcome == "refused",
        r.kind == "entry",
        r.external_id.is_not(None),
        r.number > work.checkpoint["at"],
    )
    with work.parts.database.reading() as session:
        rows = session.execute(wanted.order_by(r.number).limit(_REFUSED))
        return [(row.number, row.external_id or "") for row in rows]


_SAID = "It links to a row that was refused. Mend that row and run the import again."


def _warn(session: Session, work: Work, spool: Spool, external_id: str, pointer: str) -> None:
    numbers = spool.numbers([external_id])
    row = session.get(ImportRow, (work.job.id, False, numbers[external_id][0])) if numbers else None
    if row is not None:
        row.warnings = [*(row.warnings or ()), {"pointer": pointer, "code": "missing_target", "message": _SAID}]
        work.counts.warnings["missing_target"] += 1


_RUN: Mapping[str, Callable[[Work], Told]] = {
    "known": _settle_known,
    "people": _settle_people,
    "sections": _settle_sections,
    "files": _files,
    "entries": _entries,
    "redirects": redirect_old_paths,
    "links": _loosen_vain_links,
}
_DRY_RUN: Mapping[str, Callable[[Work], Told]] = {
    "known": _settle_known,
    "counting": _count_what_would_be,
    "files": _files,
    "entries": _entries,
}


def _finish(work: Work) -> None:
    state = "completed_with_errors" if work.counts.errors else "completed"
    by = work.by()
    with work.parts.database.writing() as session:
        import_attempts.end(
            session, work.attempt, state, by=by, kind="import.completed", finished_at=by.at, checkpoint={}
        )
    _spare_the_disk(work)


def _spare_the_disk(work: Work) -> None:
    """What the spool holds is wanted for rows that can still be mended or decided, and for no others."""
    r = ImportRow
    wanted = select(r.number).where(
        r.job_id == work.job.id, r.dry.is_(False), r.kind == "entry", r.outcome.in_(("refused", "conflict"))
    )
    with work.parts.database.reading() as session:
        kept = session.scalars(wanted).all()
    if kept:
        with opened(work, writable=True) as spool:
            spool.trim(kept)
    else:
        work.spool.unlink(missing_ok=True)


# --- the way back ---


def roll_back(work: Work) -> Told:
    """Undo what the job did, its last row first."""
    database = work.parts.database
    with database.reading() as session:
        held = rolling_back.held(session, work.job)
        total = rolling_back.undoable(session, work.job)
    done: Counter[str] = Counter(work.checkpoint.get("undone") or {})
    progress = 0
    while True:
        with database.writing() as session:
            job = session.get_one(ImportJob, work.job.id)
            rows = rolling_back.pending(session, job, limit=_UNDONE)
            done += rolling_back.undo(session, job, rows, by=work.by(), held=held)
            progress += len(rows)
            session.flush()
            work.keep(session, checkpoint={"undone": dict(done)}, done=progress, total=total)
        give_way(database)
        yield {"progress": progress, "of": total, "doing": "rollback"}
        if not rows:
            break
    by = work.by()
    with database.writing() as session:
        counts = {**work.counts.told(), "rolled_back": dict(done)}
        values: dict[str, Any] = {"finished_at": by.at, "counts": counts}
        import_attempts.end(session, work.attempt, "rolled_back", by=by, kind="import.rolled_back", **values)
