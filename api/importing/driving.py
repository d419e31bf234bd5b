"""Working jobs on: who does it, one process at a time and in it one thread, and what becomes of a failure."""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from api.importing import places
from api.importing.analysing import analyse
from api.importing.running import dry_run, roll_back, run
from api.importing.work import Work, counts_of
from api.parts import Parts
from api.refusals import TABLE, problem_of
from cms.import_formats import SourceUnreadable
from cms.imports import attempts as import_attempts
from cms.imports.analysis import AnalysisFailed
from cms.imports.attempts import LostJob
from cms.imports.jobs import AT_WORK, asked_of
from cms.imports.reading import ReadingFailed
from cms.tables.jobs import ImportJob

log = structlog.get_logger("api.importing")

_LOOK = 0.2
_LONGEST_REASON = 1_000
# How many jobs one worker has under way.
_IN_TURN = 4

Told = Iterator[dict[str, Any]]

_PHASES: Mapping[str, Callable[[Work], Told]] = {
    "analysis": analyse,
    "dry_run": dry_run,
    "import": run,
    "rollback": roll_back,
}

# The jobs that this process works on.
_claimed: set[str] = set()
_claiming = threading.Lock()


def drive(parts: Parts, job_id: str) -> Told:
    """Work a job on from where it is, until it has ended, is ready, or was stopped; or tell how somebody else in this
    process does. Tells `{"progress": n, "of": m, "doing": …}` and `{"line": …}`. Raises nothing that is the source's
    fault: the job's state tells of it."""
    while _state(parts, job_id) in AT_WORK:
        with _claim(job_id) as mine:
            if mine:
                yield from _worked(parts, job_id)
        if not mine:
            yield from _watched(parts, job_id)


@contextmanager
def _claim(job_id: str) -> Iterator[bool]:
    with _claiming:
        mine = job_id not in _claimed
        _claimed.add(job_id)
    try:
        yield mine
    finally:
        if mine:
            with _claiming:
                _claimed.discard(job_id)


def _state(parts: Parts, job_id: str) -> str:
    with parts.database.reading() as session:
        job = session.get(ImportJob, job_id)
        return job.state if job is not None else ""


def _watched(parts: Parts, job_id: str) -> Told:
    while job_id in _claimed:
        with parts.database.reading() as session:
            job = session.get(ImportJob, job_id)
        if job is None or job.state not in AT_WORK:
            return
        yield {"progress": job.done, "of": job.total, "doing": "reading" if job.phase == "analysis" else "entries"}
        time.sleep(_LOOK)


def _worked(parts: Parts, job_id: str) -> Told:
    while (work := _taken_up(parts, job_id)) is not None:
        try:
            yield from _PHASES[work.job.phase](work)
        except LostJob:
            continue
        except (OperationalError, InterfaceError):
            # The database is not to be had: nothing could be noted either.
            raise
        except _EXPECTED as error:
            _note_failure(work, error)
        except Exception as error:
            log.exception("an import failed", job=work.job.id, error=str(error))
            _note_failure(work, error)


def _taken_up(parts: Parts, job_id: str) -> Work | None:
    with parts.database.writing() as session:
        taken = import_attempts.take_up(session, job_id)
        if taken is None:
            return None
        job, attempt = taken
        return Work(parts, job, attempt, asked_of(job), counts_of(job.counts), dict(job.checkpoint))


def _note_failure(work: Work, error: Exception) -> None:
    """A job that failed stays as it is; it can be resumed when the reason is gone."""
    by = work.by()
    try:
        with work.parts.database.writing() as session:
            values = {"failure": _reason(error)[:_LONGEST_REASON], "finished_at": by.at}
            import_attempts.end(session, work.attempt, "failed", by=by, kind="import.failed", **values)
    except LostJob:
        return


_EXPECTED: tuple[type[Exception], ...] = (
    SourceUnreadable,
    AnalysisFailed,
    ReadingFailed,
    OSError,
    sqlite3.Error,
    *TABLE,
)


def _reason(error: Exception) -> str:
    if isinstance(error, SourceUnreadable):
        return str(error)
    if isinstance(error, ReadingFailed | AnalysisFailed):
        return f"Reading failed: {error}. What came in stays; resume to go on."
    if isinstance(error, tuple(TABLE)):
        told = problem_of(error)
        return "; ".join(f"{fault.pointer}: {fault.message}" for fault in told.errors) or told.detail
    if isinstance(error, sqlite3.Error):
        return f"What was read of the source cannot be used any more ({error}). Make a new import."
    if isinstance(error, OSError):
        return f"{error.filename or 'A file'}: {error.strerror or 'cannot be used'}. Resume when it is there."
    return f"It failed unexpectedly ({type(error).__name__}); the server's log tells more. Resume to try again."


class Worker:
    """Works on the jobs of this data folder that nobody else works on: several in turn, so that a short one does not
    wait for a long one's end."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._folder = places.folder_id(parts)
        self._told: deque[Told] = deque()

    def advance(self) -> bool:
        """One step of a job. False: there is none to work on."""
        job_id = self._next() if len(self._told) < _IN_TURN else None
        if job_id is not None:
            self._told.append(drive(self._parts, job_id))
        if not self._told:
            return False
        told = self._told.popleft()
        if next(told, None) is not None:
            self._told.append(told)
        return True

    def _next(self) -> str | None:
        with self._parts.database.reading() as session:
            return import_attempts.next_waiting(session, self._folder, besides=sorted(_claimed))

    def close(self) -> None:
        """Leave the jobs that are under way as they are: whoever takes them up goes on from their checkpoints."""
        while self._told:
            self._told.popleft().close()  # type: ignore[attr-defined]
