"""The server's own part: it takes up exports that nobody works on, a little at a time, and removes old files."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from api.exporting.folders import exports_folder, folder_id, remove_files
from api.exporting.work import drive
from api.parts import Parts
from cms.attribution import SCHEDULER, By
from cms.exports import jobs as export_jobs
from cms.identity import is_id
from cms.tables.jobs import ExportJob

_SWEPT_EVERY = timedelta(hours=1)


class Exporter:
    """Works on one export after another; the server asks it for a step at a time, so that it can stop between two."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._under_way: Iterator[dict[str, Any]] | None = None
        self._swept_at: datetime | None = None

    def step(self) -> bool:
        """A batch of the export under way, or of the next one. False: there is none."""
        if self._under_way is None:
            self._sweep_sometimes()
            with self._parts.database.reading() as session:
                id = export_jobs.next_running(session, folder_id(self._parts))
            if id is None:
                return False
            self._under_way = drive(self._parts, id)
        try:
            next(self._under_way)
        except StopIteration:
            self._under_way = None
            return False
        except BaseException:
            self._under_way = None
            raise
        return True

    def close(self) -> None:
        """Leave the export under way, to be gone on with."""
        close = getattr(self._under_way, "close", None)
        if close is not None:
            close()
        self._under_way = None

    def _sweep_sometimes(self) -> None:
        now = self._parts.clock()
        if self._swept_at is not None and now - self._swept_at < _SWEPT_EVERY:
            return
        self._swept_at = now
        sweep(self._parts, now=now)


def sweep(parts: Parts, *, now: datetime) -> None:
    """Remove exports that were finished long ago, and files of which no job knows."""
    with parts.database.reading() as session:
        old = export_jobs.outdated(session, folder=folder_id(parts), now=now)
    for id in old:
        with parts.database.writing() as session:
            job = session.get(ExportJob, id)
            if job is not None and job.state != "running":
                export_jobs.remove(session, job, by=By(SCHEDULER, now))
        remove_files(parts, id)
    with parts.database.reading() as session, suppress(FileNotFoundError):
        for folder in sorted(exports_folder(parts).iterdir()):
            if is_id(folder.name) and session.get(ExportJob, folder.name) is None:
                remove_files(parts, folder.name)
