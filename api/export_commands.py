"""Exports from the command line: the same jobs as over HTTP, done where the data folder is held."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from api.exporting import drive, file_of, folder_id, formats_of, remove_files
from api.parts import Parts
from cms import site, structure
from cms.attribution import COMMAND_LINE, By
from cms.errors import Fault, InvalidContent
from cms.exports import digest as site_digest
from cms.exports import jobs as export_jobs
from cms.exports.jobs import Asked

Told = Iterator[dict[str, Any]]

_LOOK = 0.2


def export_site(
    parts: Parts, *, id: str, format: str, filter: Mapping[str, Any], choices: Mapping[str, str] | None = None
) -> Told:
    """Export, and tell at last `{"report": {"file", "size", "sha256", "state", "failure", "entries"}}`: where the file
    lies on this machine."""
    formats = formats_of(parts)
    with parts.database.writing() as session:
        asked = Asked(format, _with_ids(session, filter), dict(choices or {}))
        export_jobs.read_asked(session, asked, formats)
        export_jobs.create(session, asked, id=id, folder=folder_id(parts), by=By(COMMAND_LINE, parts.clock()))
    while True:
        yield from drive(parts, id)
        with parts.database.reading() as session:
            job = export_jobs.find(session, id)
        if job.state != "running":
            break
        # The server's own loop was faster.
        yield {"progress": job.done, "of": job.total, "doing": "entries"}
        time.sleep(_LOOK)
    if job.failure is not None:
        yield {"line": job.failure}
    told = {"state": job.state, "failure": job.failure, "entries": job.done, "size": job.size, "sha256": job.sha256}
    yield {"report": {**told, "file": str(file_of(parts, job, formats[format]).resolve())}}


def _with_ids(session: Session, filter: Mapping[str, Any]) -> dict[str, Any]:
    """Sections may be named by their paths, too."""
    tree, default = structure.newest_tree(session), site.locales(session).default
    sections = []
    for index, said in enumerate(filter.get("sections") or ()):
        found = tree.at(said, locale=default) if said.startswith("/") else said
        if found is None:
            raise InvalidContent([Fault(f"/filter/sections/{index}", "unknown", f"No section has the path {said}.")])
        sections.append(found)
    return {**filter, "sections": sections} if sections else dict(filter)


def remove_export(parts: Parts, *, id: str) -> Told:
    """Stop an export if it is running, and forget it with its file."""
    by = By(COMMAND_LINE, parts.clock())
    with parts.database.writing() as session:
        job = export_jobs.find(session, id)
        if job.state == "running":
            export_jobs.cancel(session, job, by=by)
        export_jobs.remove(session, job, by=by)
    remove_files(parts, id)
    yield {"report": {}}


def tell_digest(parts: Parts) -> Told:
    """The digest of everything on the site, as output."""
    with parts.database.reading() as session:
        yield {"output": site_digest.digest(session)}
