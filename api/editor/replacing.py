"""Other bytes for an image or file entry."""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api import query
from api.access import changing, expected_revision, parts_of, reading
from api.editor.replies import entry_reply
from api.editor.upload_lines import unknown_part
from api.upload_form import Form, described, read_form
from api.uploads import LARGEST_UPLOAD, keep_received
from cms import files, replacing, snapshots
from cms.errors import Fault, InvalidContent

router = APIRouter(tags=["media"])

_LONGEST_NOTE = 2_000
_FORM = described({"note": {"type": "string", "maxLength": _LONGEST_NOTE}})


@router.put("/entries/{id}/file", openapi_extra={**_FORM, **query.takes("confirm")})
async def replace_file(request: Request, id: str) -> Response:
    """Give an image or file other bytes, as a new revision. What visitors see changes when it is published; the old
    address keeps answering. Used elsewhere: 409 with its usages, unless `?confirm=` says in how many places."""
    confirmed = confirmed_places(query.only(request, "confirm").get("confirm"))
    await run_in_threadpool(_refuse_unready, request, id, confirmed)
    async with read_form(request, folder=parts_of(request).store.incoming, limit=LARGEST_UPLOAD) as form:
        return await run_in_threadpool(_replace, request, id, form, confirmed)


def confirmed_places(value: str | None) -> int | None:
    """In how many places the caller knows the entry to be used. Raises `BadQuery`."""
    said = "'confirm' is the number of places that change."
    return None if value is None else query.number(value, "confirm", among=range(10**9), said=said)


def _refuse_unready(request: Request, id: str, confirmed: int | None) -> None:
    # Before a byte of the body is taken in.
    with reading(request) as desk:
        expected = expected_revision(request)
        entry = snapshots.find(desk.session, id)
        desk.permit("save", entry=entry)
        replacing.refuse_unready(desk.session, entry, expected=expected, confirmed=confirmed, by=desk.by)


def _replace(request: Request, id: str, form: Form, confirmed: int | None) -> Response:
    note = _note(form)
    [file] = form.files
    received = keep_received(parts_of(request), file.received, filename=file.name)
    with changing(request, note=note) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("save", entry=entry)
        stored = files.keep(desk.session, received, by=desk.by, is_there=desk.is_stored)
        saved = replacing.replace(
            desk.session,
            entry,
            stored,
            name=received.name,
            expected=desk.expected,
            confirmed=confirmed,
            by=desk.by,
        )
        return entry_reply(desk, saved.entry, warnings=saved.warnings)


def _note(form: Form) -> str | None:
    others = [*form.strange, *(name for name, _ in form.lines if name != "note")]
    faults = [unknown_part(name, known=("file", "note")) for name in others]
    note = next((value for name, value in form.lines if name == "note"), "")
    if len(note) > _LONGEST_NOTE:
        faults.append(Fault("/note", "too_long", f"At most {_LONGEST_NOTE} characters."))
    elif not "".join(note.split()).isprintable():
        faults.append(Fault("/note", "not_printable", "Plain text, without control characters."))
    if len(form.files) != 1:
        said = "Send the bytes as one part named 'file', with a file name."
        faults.append(Fault("/file", "missing" if not form.files else "too_many", said))
    if faults:
        raise InvalidContent(faults)
    return note or None
