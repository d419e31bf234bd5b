"""Redirects for front ends that hold them, so that they need not ask for every path."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import site
from cms.clock import written
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.listing import Asked, Column, page
from cms.tables.publications import Redirect

_REDIRECT = Redirect.__table__.c
_COLUMNS: Mapping[str, Column] = {
    "changed_at": Column(_REDIRECT.changed_at, "instant", frozenset({"gte"}), sortable=True),
}


def listing(session: Session, asked: Asked) -> tuple[list[dict[str, Any]], str | None]:
    """Rules that lead somewhere now or say that something is gone, the first changed first, and the next cursor. What
    leads nowhere or to its own path now, as after a move back, is left out, so that a page may be short. Raises
    `BadQuery`."""
    asked = replace(asked, sort=asked.sort or (("changed_at", False),))
    found = page(session, select(Redirect), asked, columns=_COLUMNS, id=_REDIRECT.id)
    live, locales = live_site(session), site.locales(session)
    held = []
    for rule, *_ in found.rows:
        end = resolving.end(session, rule, site=live, locale=rule.locale or locales.default)
        if end is not None and end.moved_to != rule.path:
            held.append(_held(rule, end))
    return held, found.next


def _held(rule: Redirect, end: resolving.Found) -> dict[str, Any]:
    return {
        "id": rule.id,
        "locale": rule.locale,
        "path": rule.path,
        "prefix": rule.prefix,
        "status": end.status,
        "to": end.moved_to,
        # What staff noted of a move is for staff.
        "explanation": end.explanation if end.gone else None,
        "updated_at": written(rule.changed_at),
    }
