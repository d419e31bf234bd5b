"""Entries: found, made, changed, put into the trash and taken out again."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from api import query
from api.access import Desk, changing, expected_revision, reading, writing
from api.answers import private
from api.editor.bodies import AnswerBody, EntryBody, EntryPatch, NoteBody, SourcedBody
from api.editor.replacing import confirmed_places
from api.editor.replies import entries_reply, entry_reply, fields_of, patch_of, rich_text_form
from api.idempotency import once
from cms import (
    bringing,
    counter_rules,
    finding,
    publishing,
    replacing,
    reviewing,
    saving,
    snapshots,
    structure,
    trash,
    usages,
)
from cms.custom_types import site_types
from cms.errors import Fault, InvalidContent
from cms.redirects import Answer

router = APIRouter(tags=["entries"])

_SHORTHANDS = frozenset({"type", "locale", "state", "section"})


@router.get("/entries", openapi_extra=query.takes(*sorted(_SHORTHANDS), "stale", "rich_text", listing=True))
def list_entries(request: Request) -> Response:
    """Find entries: the last changed first. The trash is shown by `filter[state]=trashed`; `stale=true` gives what
    was published longer ago than its section's `review_days`."""
    asked = query.read(request, others=frozenset({"rich_text", "stale"}), shorthands=_SHORTHANDS)
    form = rich_text_form(asked.others.get("rich_text"))
    stale = query.flag(asked.others.get("stale", "false"), "stale")
    with reading(request) as desk:
        among = [reviewing.is_due(desk.session, now=desk.by.at)] if stale else []
        page = finding.entries(desk.session, asked.asked, types=desk.readable_types(), among=among)
        return entries_reply(request, desk, page, form=form)


@router.post("/entries", status_code=201)
def create_entry(request: Request, body: EntryBody) -> Response:
    """Make an entry. Without a slug it gets one from its title."""
    query.only(request)
    with writing(request, note=body.note) as desk:
        _refuse_unknown_type(desk, body.type)
        desk.permit("create", type=body.type, sections=[body.section])
        return once(request, desk, body.model_dump_json().encode(), lambda: _create(desk, body))


def _refuse_unknown_type(desk: Desk, type: str) -> None:
    types = site_types.all_of(desk.session)
    if type not in types:
        said = f"There is no such content type. There are: {', '.join(types)}."
        raise InvalidContent([Fault("/type", "unknown_type", said)])


def _draft(desk: Desk, body: EntryBody | SourcedBody, *, translation_of: str | None = None) -> saving.Draft:
    return saving.Draft(
        locale=body.locale,
        fields=fields_of(site_types.find(desk.session, body.type), body.fields),
        section=body.section,
        slug=body.slug,
        owner_id=body.owner,
        byline=tuple(body.byline or ()),
        translation_of=translation_of,
    )


def _create(desk: Desk, body: EntryBody) -> Response:
    if body.translation_of is not None and usages.missing(desk.session, [body.translation_of]):
        raise InvalidContent([Fault("/translation_of", "unknown_entry", "There is no such entry.")])
    draft = _draft(desk, body, translation_of=body.translation_of)
    source = saving.Source(body.source.name, body.source.external_id) if body.source else None
    saved = saving.create(desk.session, body.type, draft, by=desk.by, source=source)
    return entry_reply(desk, saved.entry, warnings=saved.warnings, status=201)


@router.put("/entries/by-external-id/{source}/{external_id:path}")
def bring_entry(
    request: Request,
    source: Annotated[str, Path(min_length=1, max_length=100)],
    external_id: Annotated[str, Path(min_length=1, max_length=500)],
    body: SourcedBody,
) -> Response:
    """Create or update what a script knows under its own id. Without `If-Match` it updates only what nobody else
    has changed since the script's last call."""
    query.only(request)
    with writing(request, note=body.note) as desk:
        _refuse_unknown_type(desk, body.type)
        expected = expected_revision(request) if "if-match" in request.headers else None
        known = finding.counterpart(desk.session, source, external_id)
        if known is None:
            desk.permit("create", type=body.type, sections=[body.section])
        else:
            desk.permit("save", entry=known, sections=[body.section])
        draft, row = _draft(desk, body), saving.Source(source, external_id)
        brought = bringing.bring_one(desk.session, body.type, draft, source=row, expected=expected, by=desk.by)
        saved = brought.saved
        return entry_reply(desk, saved.entry, warnings=saved.warnings, status=201 if known is None else 200)


@router.get("/entries/{id}", openapi_extra=query.takes("rich_text"))
def read_entry(request: Request, id: str) -> Response:
    """The newest revision of an entry, with its state."""
    form = rich_text_form(query.only(request, "rich_text").get("rich_text"))
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        warnings = (*publishing.unseen(desk.session, entry), *counter_rules.warnings(desk.session, entry))
        return entry_reply(desk, entry, warnings=warnings, form=form)


@router.patch("/entries/{id}", openapi_extra=query.takes("autosave", "rich_text", "confirm"))
def change_entry(request: Request, id: str, body: EntryPatch) -> Response:
    """Save changes (a JSON merge patch). With `?autosave=true` they join the actor's running autosave. Other bytes for
    an image or file that is used elsewhere: 409 with its usages, unless `?confirm=` says in how many places."""
    asked = query.only(request, "autosave", "rich_text", "confirm")
    form = rich_text_form(asked.get("rich_text"))
    confirmed = confirmed_places(asked.get("confirm"))
    autosave = query.flag(asked.get("autosave", "false"), "autosave")
    with changing(request, note=body.note) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("save", entry=entry, sections=[body.section] if "section" in body.model_fields_set else ())
        patch = patch_of(body, of=site_types.find(desk.session, entry.type))
        replacing.refuse_unconfirmed(
            desk.session, entry, patch, expected=desk.expected, confirmed=confirmed, by=desk.by
        )
        saved = saving.save(desk.session, entry, patch, expected=desk.expected, by=desk.by, autosave=autosave)
        return entry_reply(desk, saved.entry, warnings=saved.warnings, form=form)


@router.delete("/entries/{id}", status_code=200)
def trash_entry(request: Request, id: str, body: Annotated[AnswerBody | None, Body()] = None) -> Response:
    """Put an entry into the trash, from where it can be restored for 30 days. In use: 409 with its usages."""
    query.only(request)
    said = body or AnswerBody()
    with changing(request, note=said.note) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("trash", entry=entry)
        if entry.published_revision is not None:
            desk.permit("publish", entry=entry)
        answer = Answer(said.answer, said.to, said.explanation)
        trash.trash(desk.session, entry, expected=desk.expected, by=desk.by, answer=answer)
        return entry_reply(desk, entry)


@router.post("/entries/{id}/restoration")
def restore_entry(request: Request, id: str, body: Annotated[NoteBody | None, Body()] = None) -> Response:
    """Take an entry out of the trash, as a draft."""
    query.only(request)
    said = body or NoteBody()
    with writing(request, note=said.note) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("trash", entry=entry)

        def work() -> Response:
            expected = expected_revision(request) if "if-match" in request.headers else entry.revision
            trash.restore(desk.session, entry, expected=expected, by=desk.by)
            return entry_reply(desk, entry)

        return once(request, desk, said.model_dump_json().encode(), work)


@router.get("/entries/{id}/usages")
def read_usages(request: Request, id: str) -> Response:
    """Where an entry is used, and what it uses; `live` tells what visitors see from what is only drafted."""
    query.only(request)
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        used_by = [
            {"entry": one.source_id, "pointer": one.pointer, "live": one.live} for one in usages.of(desk.session, id)
        ]
        used = usages.by(desk.session, id)
        tree = structure.newest_tree(desk.session)
        uses = [
            {"entry": one.target_id, "pointer": one.pointer, "live": one.live}
            for one in used
            if one.target_id not in tree
        ]
        sections = [
            {"section": one.target_id, "pointer": one.pointer, "live": one.live}
            for one in used
            if one.target_id in tree
        ]
    return private({"used_by": used_by, "uses": uses, "sections": sections})
