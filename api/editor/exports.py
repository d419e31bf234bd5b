"""Exports: ordered, watched, and taken away as a file."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from api import query
from api.access import Desk, parts_of, reading, writing
from api.answers import PRIVATE, private
from api.editor.bodies import ExportBody
from api.editor.replies import page_reply
from api.exporting import file_of, folder_id, formats_of, remove_files
from api.idempotency import once
from api.problems import Problem
from cms.errors import NotFound
from cms.export_formats import ExportFormat
from cms.exports import jobs as export_jobs
from cms.exports.exporting import Wanted
from cms.exports.jobs import Asked
from cms.identity import new_id
from cms.tables.jobs import ExportJob

router = APIRouter(tags=["exports"])

# A type that administrators alone may export stands for all that they alone may see.
_NOT_FOR_ALL = "settings"


@router.get("/exports", openapi_extra=query.takes(listing=True))
def list_exports(request: Request) -> Response:
    """Find exports, the newest first."""
    asked = query.read(request)
    with reading(request) as desk:
        desk.permit("export")
        page = export_jobs.listing(desk.session, asked.asked)
        return page_reply(request, page, [export_jobs.show(row[0]) for row in page.rows])


@router.get("/exports/formats")
def list_export_formats(request: Request) -> Response:
    """What there is to choose: formats, and what each lets one choose."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("export")
    return private(_told(formats_of(parts_of(request))))


@router.post("/exports", status_code=202)
def create_export(request: Request, body: ExportBody) -> Response:
    """Order an export. It is done beside everything else: ask for it until it is completed, then take its file."""
    query.only(request)
    parts = parts_of(request)
    formats = formats_of(parts)
    filter = body.filter.model_dump(exclude_none=True, exclude_defaults=True, mode="json")
    asked = Asked(body.format, filter, body.options)
    with writing(request, note=body.note) as desk:
        wanted = export_jobs.read_asked(desk.session, asked, formats)
        _permit(desk, formats[asked.format], wanted)

        def work() -> Response:
            job = export_jobs.create(desk.session, asked, id=new_id(), folder=folder_id(parts), by=desk.by)
            return private(export_jobs.show(job), status=202, headers={"Location": f"/editor/v1/exports/{job.id}"})

        return once(request, desk, body.model_dump_json().encode(), work)


@router.get("/exports/{id}")
def read_export(request: Request, id: str) -> Response:
    """One export: how far it is, and where its file is."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("export")
        return private(export_jobs.show(export_jobs.find(desk.session, id)))


@router.get("/exports/{id}/file", response_class=Response)
def download_export(request: Request, id: str) -> Response:
    """The file of a completed export. Ranges are answered, so that a download can go on where it broke off."""
    query.only(request)
    parts = parts_of(request)
    with reading(request) as desk:
        desk.permit("export")
        job = export_jobs.find(desk.session, id)
        of = _permit_job(desk, job, formats_of(parts))
    if job.state != "completed":
        raise Problem(409, "not_completed", f"The export is {job.state}: there is no file to take.")
    file = file_of(parts, job, of)
    if not file.is_file():
        raise Problem(404, "not_found", "The file of this export was removed, or lies with another server.")
    headers = {**PRIVATE, "ETag": f'"{job.sha256}"'}
    return FileResponse(file, headers=headers, media_type=of.media_type, filename=file.name)


@router.put("/exports/{id}/cancellation")
def cancel_export(request: Request, id: str) -> Response:
    """Stop an export; what it has written goes."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("export")
        job = export_jobs.find(desk.session, id)
        _permit_job(desk, job, formats_of(parts_of(request)))
        export_jobs.cancel(desk.session, job, by=desk.by)
        shown = export_jobs.show(job)
    remove_files(parts_of(request), job.id)
    return private(shown)


@router.delete("/exports/{id}", status_code=204)
def remove_export(request: Request, id: str) -> Response:
    """Remove an export that has ended, with its file."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("export")
        job = export_jobs.find(desk.session, id)
        _permit_job(desk, job, formats_of(parts_of(request)))
        export_jobs.remove(desk.session, job, by=desk.by)
    remove_files(parts_of(request), job.id)
    return Response(None, 204, PRIVATE)


def _permit_job(desk: Desk, job: ExportJob, formats: Any) -> ExportFormat:
    of: ExportFormat | None = formats.get(job.format)
    if of is None:
        raise NotFound("export format", job.format)
    given = job.options.get("filter") or {}
    _permit(desk, of, Wanted(types=tuple(given.get("types") or ()), states=tuple(given.get("states") or ())))
    return of


def _permit(desk: Desk, of: ExportFormat, wanted: Wanted) -> None:
    """Raises `Forbidden` unless the actor may: emails, the trash and whole sites are for administrators."""
    if of.whole or "trashed" in wanted.states:
        desk.permit("export", type=_NOT_FOR_ALL)
    for type in wanted.types or ("",):
        desk.permit("export", type=type)


def _told(formats: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "label": of.label,
            "media_type": of.media_type,
            "suffix": of.suffix,
            "choices": {choice: list(values) for choice, values in of.choices.items()},
            "whole": of.whole,
        }
        for name, of in formats.items()
    ]
