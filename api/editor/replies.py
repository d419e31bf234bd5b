"""What several resources of the Editor API answer alike: entries with their ETags and warnings."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api import query
from api.access import Desk
from api.answers import links, private, revision_tag
from api.editor.bodies import EntryPatch
from cms import showing, snapshots
from cms.content_types import ContentType
from cms.errors import Fault
from cms.listing import Page
from cms.tables.entries import Entry, Revision

RICH_TEXT_FORMS = ("doc", "html", "markdown", "text")


def rich_text_form(asked: str | None) -> str:
    """The form that rich text is given back in. Raises `BadQuery`."""
    return query.one_of(asked, RICH_TEXT_FORMS, name="rich_text")


def entry_reply(
    desk: Desk, entry: Entry, *, warnings: Iterable[Fault] = (), status: int = 200, form: str = "doc", **meta: Any
) -> Response:
    """An entry as it is now, its revision as the ETag."""
    desk.session.flush()
    revision = snapshots.revision_of(desk.session, entry)
    meta = {"warnings": [asdict(one) for one in warnings], **meta}
    headers = {"Location": f"/editor/v1/entries/{entry.id}"} if status == 201 else {}
    return revision_reply(desk, entry, revision, status=status, form=form, meta=meta, headers=headers)


def revision_reply(
    desk: Desk,
    entry: Entry,
    revision: Revision,
    *,
    status: int = 200,
    form: str = "doc",
    meta: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An entry as one revision had it."""
    shown = showing.entry(desk.session, entry, revision, rich_text=form, sign=desk.sign, pictures=desk.pictures)
    tagged = {"ETag": revision_tag(revision.number, revision.folds)}
    return private(shown, status=status, meta=meta, headers=tagged | dict(headers or {}))


def entries_reply(request: Request, desk: Desk, page: Page, *, form: str) -> Response:
    """A page of entries."""
    return page_reply(request, page, shown_rows(desk, page, form=form))


def shown_rows(desk: Desk, page: Page, *, form: str = "doc") -> list[dict[str, Any]]:
    """The entries of a page, whatever else its rows hold."""
    rows = [row[:3] for row in page.rows]
    return showing.entries(desk.session, rows, rich_text=form, sign=desk.sign, pictures=desk.pictures)


def page_reply(request: Request, page: Page, shown: list[dict[str, Any]]) -> Response:
    """A page of anything, with the address of the next."""
    meta = {} if page.total is None else {"total": page.total}
    return private(shown, meta=meta, links=links(request, page.next))


def patch_of(body: EntryPatch, *, of: ContentType) -> dict[str, Any]:
    """What a patch names, under the names that saving knows."""
    given = {name: getattr(body, name) for name in body.model_fields_set if name != "note"}
    if "owner" in given:
        given["owner_id"] = given.pop("owner")
    if "byline" in given:
        given["byline"] = tuple(given["byline"] or ())
    if "fields" in given:
        given["fields"] = fields_of(of, given["fields"])
    return given


def fields_of(of: ContentType, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as they were given, but for the addresses of files, which are ours: what a GET gave may be sent back."""
    uploads = {field.name for field in of.fields if field.kind == "upload"}
    return {name: _without_address(value) if name in uploads else value for name, value in fields.items()}


def _without_address(value: Any) -> Any:
    return {name: inner for name, inner in value.items() if name != "url"} if isinstance(value, dict) else value
