"""What is to be done about images and files: the unused, those without a text, those whose rights end; and sweeping."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import ColumnElement

from api import query, sweeping
from api.access import Desk, parts_of, reading, writing
from api.answers import private
from api.editor.replies import page_reply, shown_rows
from cms import finding, media_reports, site
from cms.built_in_types import UPLOADED
from cms.listing import Asked, Condition, Page

router = APIRouter(tags=["media"])

_SHORTHANDS = frozenset({"state"})
_USUAL_DAYS = 30
_MOST_DAYS = 3_650


@router.get("/media/unused", openapi_extra=query.takes("state", listing=True))
def list_unused_files(request: Request) -> Response:
    """Images and files that no entry refers to, neither live nor in its newest revision."""
    asked = query.read(request, shorthands=_SHORTHANDS).asked
    with reading(request) as desk:
        page = _listed(desk, asked, media_reports.is_unused())
        return page_reply(request, page, shown_rows(desk, page))


@router.get("/media/missing-alt", openapi_extra=query.takes("locale", "state", listing=True))
def list_images_without_text(request: Request) -> Response:
    """Images that have no alternative text in some locale of the site, or in the one that is asked for. A text that
    is empty on purpose counts. `missing` names the locales."""
    parameters = query.read(request, others=frozenset({"locale"}), shorthands=_SHORTHANDS)
    with reading(request) as desk:
        known = site.locales(desk.session)
        named = query.locale(parameters.others.get("locale"), known)
        locales = known.all if named is None else (named,)
        page = _listed(desk, parameters.asked, media_reports.lacks_text(locales))
        missing = (media_reports.lacking(entry, revision.fields, locales) for entry, revision, *_ in page.rows)
        return page_reply(request, page, _beside(shown_rows(desk, page), missing=list(missing)))


@router.get("/media/rights", openapi_extra=query.takes("within_days", "state", listing=True))
def list_ending_rights(request: Request) -> Response:
    """Images and files whose rights have ended or end within so many days, 30 unless said, the first to end first.
    `used` counts the places where each is used."""
    parameters = query.read(request, others=frozenset({"within_days"}), shorthands=_SHORTHANDS)
    days = _days(parameters.others.get("within_days"))
    with reading(request) as desk:
        asked = parameters.asked
        asked = asked if asked.sort else replace(asked, sort=(("rights_until", False),))
        page = _listed(desk, asked, media_reports.rights_end(desk.by.at + timedelta(days=days)))
        places = media_reports.places(desk.session, (row[0].id for row in page.rows))
        used = [places.get(row[0].id, 0) for row in page.rows]
        return page_reply(request, page, _beside(shown_rows(desk, page), used=used))


def _listed(desk: Desk, asked: Asked, condition: ColumnElement[bool]) -> Page:
    only = Condition("type", "in", UPLOADED)
    asked = replace(asked, conditions=(*asked.conditions, only))
    return finding.entries(desk.session, asked, types=desk.readable_types(), among=[condition])


def _beside(shown: list[dict[str, Any]], **told: Sequence[Any]) -> list[dict[str, Any]]:
    [(name, values)] = told.items()
    return [{**entry, name: value} for entry, value in zip(shown, values, strict=True)]


def _days(value: str | None) -> int:
    if value is None:
        return _USUAL_DAYS
    said = f"Give a number of days, {_MOST_DAYS} at most."
    return query.number(value, "within_days", among=range(_MOST_DAYS + 1), said=said)


@router.get("/media/sweep")
def look_for_leftovers(request: Request) -> Response:
    """What a sweep would remove: files that no revision of any entry holds, and bytes that are no file's; neither
    younger than 24 hours."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("sweep")
    return private(sweeping.look(parts_of(request)).told())


@router.post("/media/sweep")
def sweep_leftovers(request: Request) -> Response:
    """Remove what GET tells of. What is removed cannot be brought back."""
    query.only(request)
    with writing(request) as desk:
        desk.permit("sweep")
        by = desk.by
    # In writes of its own: a sweep may take long, and others write meanwhile.
    return private(sweeping.sweep(parts_of(request), by=by).told())
