"""The analysis of a source: its format found, all of it read into the spool, what staff should know told."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.importing import places
from api.importing.work import Work, opened
from cms.custom_types import site_types
from cms.import_formats import Options
from cms.import_formats.finding_out import find_out, open_as
from cms.imports import attempts as import_attempts
from cms.imports import importing
from cms.imports import jobs as import_jobs
from cms.imports.analysis import Survey, survey
from cms.tables.jobs import ImportJob

_TELL_EVERY = 0.5

Told = Iterator[dict[str, Any]]


def analyse(work: Work) -> Told:
    """Read the source. The job is ready then, or runs at once if that was asked for."""
    format, path = _found(work)
    told: dict[str, Any] = {}
    last, seen = 0.0, 0

    def going_on() -> None:
        nonlocal last
        if time.monotonic() - last > _TELL_EVERY:
            last = time.monotonic()
            _note(work, seen)

    for one in survey(Survey(format, path, _options(work), work.spool), going_on=going_on):
        if isinstance(one, int):
            seen = one
            yield {"progress": one, "of": None, "doing": "reading"}
        else:
            told = one
    told["known"] = settle_known(work)
    with opened(work) as spool:
        total = spool.count("items")
    yield {"line": _in_words(told)}
    _end(work, told, total=total)


def _found(work: Work) -> tuple[str, Path]:
    job = work.job
    files = Path(job.path) if job.path is not None else places.files_folder(work.parts, job.id)
    if work.asked.format is not None:
        return work.asked.format, open_as(work.asked.format, files, workspace=work.folder)
    return find_out(files, workspace=work.folder)


def _options(work: Work) -> Options:
    asked = work.asked
    with work.parts.database.reading() as session:
        content_type = site_types.find(session, asked.type)
    return Options(
        locale=asked.locale,
        # A type's own fields are not taken for something else because their names are common.
        fields=frozenset(field.name for field in content_type.fields),
        mapping=asked.mapping,
        type=asked.type,
        choices=asked.choices,
    )


def _note(work: Work, seen: int) -> None:
    """Raises `LostJob` when it was paused, cancelled or changed."""
    with work.parts.database.writing() as session:
        import_attempts.keep(session, work.attempt, done=seen)


def settle_known(work: Work) -> int:
    """Note which rows came in before, and as which entries. Gives how many."""
    count = 0
    with opened(work, writable=True) as spool, spool.noting():
        for some in spool.unsettled():
            with work.parts.database.reading() as session:
                known = importing.known(session, work.job.source, some)
            spool.settle(known, among=some)
            count += len(known)
    return count


def _end(work: Work, told: dict[str, Any], *, total: int) -> None:
    values: dict[str, Any] = {"analysis": told, "format": told["format"], "total": total, "done": 0}
    with work.parts.database.writing() as session:
        by = work.by()
        import_attempts.end(session, work.attempt, "ready", by=by, kind="import.analysed", checkpoint={}, **values)
        if work.job.at_once:
            job = session.get_one(ImportJob, work.job.id, populate_existing=True)
            busy = import_jobs.running_job(session, job.source)
            if busy is None:
                import_jobs.order(session, job, "run", by=by)
            else:
                job.failure = f"The import {busy} is running from the same source. Run this one when it has ended."


def _in_words(told: dict[str, Any]) -> str:
    problems = told["problems"]["total"]
    counts = f"{told['entries']} entries, {told['sections']} sections, {told['people']} people, {told['files']} files"
    return f"{told['label']}: {counts}, {problems} problems"
