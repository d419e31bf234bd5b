"""Folders of images and files: which there are, and putting one into another or under another name."""

from fastapi import APIRouter, Request, Response

from api import query
from api.access import reading, writing
from api.answers import private
from api.editor.bodies import FolderMove
from cms import folders
from cms.errors import Fault, InvalidContent

router = APIRouter(tags=["media"])


@router.get("/media/folders")
def list_folders(request: Request) -> Response:
    """The folders of images and files, and how many of them are in each and below it. What is in one is a list of
    entries: `GET /editor/v1/entries?filter[folder]=press/2026`."""
    query.only(request)
    with reading(request) as desk:
        counted = folders.counted(desk.session, types=desk.readable_types())
    return private([{"folder": folder, "count": count} for folder, count in counted])


@router.patch("/media/folders")
def move_folder(request: Request, body: FolderMove) -> Response:
    """Rename a folder, or put it into another: a new revision of each image and file in it and below it. All or none,
    1,000 at most."""
    query.only(request)
    with writing(request, note=body.note) as desk:
        from_, to = (_named(at, said) for at, said in (("/from", body.from_), ("/to", body.to)))
        inside = folders.entries_in(desk.session, from_, types=desk.readable_types())
        for entry in inside:
            desk.permit("save", entry=entry)
        count = folders.move(desk.session, inside, from_, to, by=desk.by)
    return private({"folder": to, "count": count})


def _named(at: str, said: str) -> str:
    try:
        named = folders.named(said)
    except InvalidContent as refusal:
        raise InvalidContent([Fault(at, fault.code, fault.message) for fault in refusal.faults]) from refusal
    if named is None:
        raise InvalidContent([Fault(at, "missing", "Name a folder, such as press/2026.")])
    return named
