"""Standing imports at work: the next that is due is asked, and what is new there becomes an import job."""

import asyncio
import os
import shutil

import structlog

from api.fetching import Fetched, NotModified
from api.importing.places import files_folder, folder_id, job_folder
from api.parts import Parts
from cms.errors import Refusal
from cms.identity import new_id
from cms.imports import jobs as import_jobs
from cms.imports import standing as standing_imports
from cms.imports.standing import Answer, Due
from media.receiving import Incoming
from media.refusals import RefusedMedia

log = structlog.get_logger("api.standing")

# What one answer may have, as much as the reader of feeds takes.
LARGEST = 20 * 1024 * 1024


def ask_next(parts: Parts) -> bool:
    """Ask for the one that is due first. True: there may be another."""
    now = parts.clock()
    with parts.database.reading() as session:
        id = standing_imports.next_due(session, now=now)
    if id is None:
        return False
    try:
        with parts.database.writing() as session:
            due = standing_imports.take(session, id, now=now)
        if due is not None:
            _ask(parts, due)
    except (Refusal, RefusedMedia, OSError) as error:
        log.warning("a standing import went wrong", standing=id, reason=str(error))
        with parts.database.writing() as session:
            standing_imports.note_failure(session, id, str(error), now=parts.clock())
    return True


def _ask(parts: Parts, due: Due) -> None:
    """Ask the host, and bring what is new. Raises `Refusal`s, `RefusedMedia` and `OSError`."""
    with Incoming(parts.store.incoming, limit=LARGEST) as incoming:
        try:
            fetched = asyncio.run(_fetched(parts, due, incoming))
        except NotModified:
            _settle(parts, due, None)
            return
        answer = Answer(fetched.received.sha256, fetched.etag, fetched.last_modified)
        if answer.digest == due.digest:
            _settle(parts, due, answer)
        else:
            _bring(parts, due, fetched, answer)


async def _fetched(parts: Parts, due: Due, incoming: Incoming) -> Fetched:
    if due.etag is None and due.last_modified is None:
        return await parts.fetcher.fetch(due.url, into=incoming)
    return await parts.fetcher.fetch_changed(due.url, into=incoming, etag=due.etag, last_modified=due.last_modified)


def _settle(parts: Parts, due: Due, answer: Answer | None) -> None:
    with parts.database.writing() as session:
        standing_imports.settle(session, due.id, answer=answer, job=None, now=parts.clock())


def _bring(parts: Parts, due: Due, fetched: Fetched, answer: Answer) -> None:
    """A job of its own, which is run without anybody's asking. Its file is there before the job is."""
    job_id = new_id()
    try:
        _keep(parts, job_id, fetched)
        with parts.database.writing() as session:
            import_jobs.create(
                session, due.asked, id=job_id, folder=folder_id(parts), path=None, at_once=True, by=due.by
            )
            standing_imports.settle(session, due.id, answer=answer, job=job_id, now=parts.clock())
    except BaseException:
        shutil.rmtree(job_folder(parts, job_id), ignore_errors=True)
        raise


def _keep(parts: Parts, job_id: str, fetched: Fetched) -> None:
    folder = files_folder(parts, job_id)
    folder.mkdir(parents=True, exist_ok=True)
    # Whatever its address is called: the name is a stranger's.
    path = folder / "feed.xml"
    shutil.copyfile(fetched.received.path, path)
    with path.open("rb") as file:
        os.fsync(file.fileno())
