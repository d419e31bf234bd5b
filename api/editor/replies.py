"""What several resources of the Editor API answer alike: an entry with its ETag, and warnings beside it."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from starlette.responses import Response

from api import query
from api.access import Desk
from api.answers import private
from api.editor.bodies import EntryPatch
from cms import showing, snapshots
from cms.errors import Fault
from cms.tables.entries import Entry

RICH_TEXT_FORMS = ("doc", "html", "markdown", "text")


def rich_text_form(asked: str | None) -> str:
    """The form that rich text is given back in. Raises `BadQuery`."""
    return query.one_of(asked, RICH_TEXT_FORMS, name="rich_text")


def entry_reply(
    desk: Desk, entry: Entry, *, warnings: Iterable[Fault] = (), status: int = 200, form: str = "doc"
) -> Response:
    """An entry as it is now, its revision as the ETag."""
    desk.session.flush()
    shown = showing.entry(desk.session, entry, snapshots.revision_of(desk.session, entry), rich_text=form)
    headers = {"ETag": f'"{entry.revision}"'}
    if status == 201:
        headers["Location"] = f"/editor/v1/entries/{entry.id}"
    return private(shown, status=status, meta={"warnings": [asdict(one) for one in warnings]}, headers=headers)


def patch_of(body: EntryPatch) -> dict[str, Any]:
    """What a patch names, under the names that saving knows."""
    given = {name: getattr(body, name) for name in body.model_fields_set if name != "note"}
    if "owner" in given:
        given["owner_id"] = given.pop("owner")
    if "byline" in given:
        given["byline"] = tuple(given["byline"] or ())
    return given
