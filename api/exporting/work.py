"""One export, worked on from its checkpoint to its end."""

import hashlib
import os
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api import data_folder
from api.exporting.folders import file_of, folder_id, job_folder, remove_files
from api.exporting.formats import formats_of
from api.exporting.growing import Growing, is_there
from api.exporting.packing import pack
from api.parts import Parts
from cms import events
from cms.errors import Refusal
from cms.export_formats import ExportFormat, ExportOptions, Writer
from cms.exports import exporting
from cms.exports import jobs as export_jobs
from cms.exports.exporting import ExportedSite, Wanted
from cms.exports.jobs import Asked
from cms.tables.events import Event
from cms.tables.jobs import ExportJob

log = structlog.get_logger("api.exporting")

BATCH = 100
# Between two checkpoints. Seconds.
_SECURED_EVERY = 1.0
_SHOWN = 5
# A job that ends its process each time must not do so for ever.
_MOST_ATTEMPTS = 100

# Jobs that somebody in this process works on.
_driven: set[str] = set()
_lock = threading.Lock()


class _Lost(Exception):
    """The job was cancelled, or another process has taken it up."""


@dataclass
class _Run:
    """One attempt at a job."""

    parts: Parts
    id: str
    attempt: int
    asked: Asked
    of: ExportFormat
    checkpoint: dict[str, Any]
    done: int = 0
    total: int = 0

    @property
    def sizes(self) -> tuple[int, int]:
        """Of the main file and of the list of files, at the last checkpoint."""
        return self.checkpoint.get("main", 0), self.checkpoint.get("kept", 0)

    def note(self, **values: Any) -> None:
        """Write how far it came. Raises `_Lost` when it is no longer ours."""
        with self.parts.database.writing() as session:
            if not export_jobs.note(session, self.id, self.attempt, **values):
                raise _Lost


def drive(parts: Parts, job_id: str) -> Iterator[dict[str, Any]]:
    """Work on a job until it ends, telling `{"progress", "of", "doing"}`. Whoever stops asking leaves it to be taken
    up again, from its last checkpoint. Does nothing while somebody else in this process is at it."""
    with _lock:
        if job_id in _driven:
            return
        _driven.add(job_id)
    try:
        yield from _driving(parts, job_id)
    finally:
        with _lock:
            _driven.discard(job_id)


def _driving(parts: Parts, job_id: str) -> Iterator[dict[str, Any]]:
    run = _taken_up(parts, job_id)
    if run is None:
        return
    try:
        yield from _work(run)
    except _Lost:
        _tidy(parts, job_id)
    except (Refusal, OSError, ValueError) as error:
        _fail(run, str(error) or type(error).__name__)
        yield {"line": f"The export failed: {error}"}
    except DBAPIError:
        # The database does not answer, perhaps: later.
        raise
    except Exception as error:
        # Other exports must not wait for ever behind one that meets a fault of ours.
        log.exception("an export failed", export=job_id, error=str(error))
        _fail(run, f"A fault of the program, told in the server's log: {type(error).__name__}.")
        yield {"line": "The export failed: this is a fault of the program."}


def _taken_up(parts: Parts, job_id: str) -> _Run | None:
    with parts.database.writing() as session:
        job = session.get(ExportJob, job_id)
        if job is None or job.state != "running" or job.folder != folder_id(parts):
            return None
        asked, of = export_jobs.asked_of(job), formats_of(parts).get(job.format)
        if of is None or job.attempt >= _MOST_ATTEMPTS:
            said = "This version has no such format." if of is None else "It was begun too often and never ended."
            job.state, job.failure, job.finished_at = "failed", said, parts.clock()
            return None
        return _Run(parts, job_id, export_jobs.take_up(session, job), asked, of, dict(job.checkpoint), done=job.done)


def _tidy(parts: Parts, job_id: str) -> None:
    """What a job that was cancelled has written is of no use."""
    with parts.database.reading() as session:
        job = session.get(ExportJob, job_id)
    if job is None or job.state != "running":
        remove_files(parts, job_id)


def _fail(run: _Run, reason: str) -> None:
    with run.parts.database.writing() as session:
        job = session.get(ExportJob, run.id)
        if job is not None and job.state == "running" and job.attempt == run.attempt:
            job.state, job.failure, job.finished_at = "failed", reason[:1_000], run.parts.clock()
            events.record(session, "export.failed", by=export_jobs.attributed(job, run.parts.clock()), export=run.id)


# --- the work ---


def _work(run: _Run) -> Iterator[dict[str, Any]]:
    with run.parts.database.reading() as session:
        wanted = export_jobs.read_asked(session, run.asked, formats_of(run.parts))
        _begin_anew_if_changed(run, session)
        run.total = exporting.count(session, wanted, types=run.of.types)
        site = ExportedSite(session, server=run.parts.base)
        choices = {name: values[0] for name, values in run.of.choices.items()} | dict(run.asked.choices)
        options = ExportOptions(choices, run.total, wanted.is_everything)
        with Growing(job_folder(run.parts, run.id), sizes=run.sizes) as files:
            yield from _write(run, files, run.of.open(site, options), site, wanted)
    # Packing needs no more of the database: its snapshot is let go before.
    yield from _finish(run, files)


def _begin_anew_if_changed(run: _Run, session: Session) -> None:
    """One export tells of one moment: when the site has changed since a run that was stopped, it begins anew."""
    newest = session.scalar(select(func.max(Event.number)).where(Event.kind.not_like("export.%"))) or 0
    if run.checkpoint.get("event") != newest or not is_there(job_folder(run.parts, run.id), sizes=run.sizes):
        remove_files(run.parts, run.id)
        run.checkpoint = {"event": newest}
        run.done = 0


def _write(run: _Run, files: Growing, writer: Writer, site: ExportedSite, wanted: Wanted) -> Iterator[dict[str, Any]]:
    if "key" not in run.checkpoint:
        yield from _add_all(run, files, writer.start())
        _secure(run, files, key="")
    key = run.checkpoint["key"]
    secured = time.monotonic()
    while not run.checkpoint.get("written"):
        batch = exporting.entries(site, wanted, after=key, limit=BATCH, types=run.of.types)
        for one in batch:
            for piece in writer.entry(one):
                files.add(piece)
        run.done += len(batch)
        if batch:
            key = batch[-1].id
        else:
            yield from _add_all(run, files, writer.end())
            _secure(run, files, key=key, written=True)
        if time.monotonic() - secured > _SECURED_EVERY:
            _secure(run, files, key=key)
            secured = time.monotonic()
        yield {"progress": run.done, "of": max(run.total, run.done), "doing": "entries"}


def _add_all(run: _Run, files: Growing, pieces: Iterator[Any]) -> Generator[dict[str, Any]]:
    for number, piece in enumerate(pieces, 1):
        files.add(piece)
        if number % 1_000 == 0:
            yield {"progress": run.done, "of": max(run.total, run.done), "doing": "entries"}


def _secure(run: _Run, files: Growing, *, key: str, **more: Any) -> None:
    main, kept = files.secured()
    run.checkpoint = {**run.checkpoint, "key": key, "main": main, "kept": kept, **more}
    run.note(checkpoint=run.checkpoint, done=run.done, total=run.total)


def _finish(run: _Run, files: Growing) -> Iterator[dict[str, Any]]:
    with run.parts.database.reading() as session:
        target = file_of(run.parts, export_jobs.find(session, run.id), run.of)
    missing: list[str] = []
    if run.of.folder:
        part = files.folder / "part"
        last = time.monotonic()
        main = run.of.main if files.main.stat().st_size else None
        for number, lost in enumerate(pack(files, part, main=main, store=run.parts.store), 1):
            if lost is not None:
                missing.append(lost)
            if time.monotonic() - last > _SECURED_EVERY:
                run.note(total=run.total)
                last = time.monotonic()
            if number % 10 == 0:
                yield {"progress": number, "of": None, "doing": "files"}
    else:
        part = files.main
    size, sha256 = _digest(part)
    part.replace(target)
    data_folder.sync(target.parent)
    _complete(run, size, sha256, missing)
    yield {"progress": run.done, "of": run.done, "doing": "entries"}


def _complete(run: _Run, size: int, sha256: str, missing: list[str]) -> None:
    said = None
    if missing:
        some = ", ".join(missing[:_SHOWN])
        said = f"The media store does not have the bytes of {len(missing)} files, which are left out: {some}."
    now = run.parts.clock()
    values = {"size": size, "sha256": sha256, "done": run.done, "total": run.done, "failure": said}
    with run.parts.database.writing() as session:
        if not export_jobs.note(session, run.id, run.attempt, state="completed", finished_at=now, **values):
            raise _Lost
        job = export_jobs.find(session, run.id)
        by = export_jobs.attributed(job, now)
        events.record(session, "export.completed", by=by, export=run.id, entries=run.done, size=size, sha256=sha256)


def _digest(file: Path) -> tuple[int, str]:
    with file.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
        os.fsync(source.fileno())
        return source.tell(), sha256
