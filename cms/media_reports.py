"""What is to be done about images and files: conditions for the list of entries, and what is told beside each."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from cms.built_in_types import UPLOADED
from cms.field_kinds import moment_text
from cms.json_columns import among, member
from cms.tables.entries import Entry, Revision, Usage


def is_unused() -> ColumnElement[bool]:
    """An image or file that no entry refers to, neither live nor in its newest revision; those in the trash do not
    count."""
    user = aliased(Entry)
    used = exists().where(
        Usage.target_id == Entry.id, user.id == Usage.source_id, user.id != Entry.id, user.trashed_at.is_(None)
    )
    return Entry.type.in_(UPLOADED) & ~used


def lacks_text(locales: Sequence[str]) -> ColumnElement[bool]:
    """An image that is described in the one or other of these locales by no text. An empty one is given on purpose: it
    says that the picture tells nothing."""
    # Not the revision that the list may have joined.
    newest = aliased(Revision)
    silent = or_(*(_is_silent(newest.fields, locale) for locale in locales))
    lacking = exists().where(newest.entry_id == Entry.id, newest.number == Entry.revision, silent)
    return (Entry.type == "image") & lacking


def _is_silent(fields: Any, locale: str) -> ColumnElement[bool]:
    own = or_(Entry.locale != locale, fields["alt"].as_string().is_(None))
    # Other names no image can have a text under, and SQLite none as a path.
    elsewhere = fields[("alts", locale)].as_string().is_(None) if _LOCALE.fullmatch(locale) else true()
    return and_(own, elsewhere)


_LOCALE = re.compile("[A-Za-z0-9-]{1,35}")


def lacking(entry: Entry, fields: Mapping[str, Any], locales: Iterable[str]) -> list[str]:
    """The locales in which an image has no text."""
    alts = fields.get("alts") or {}
    own = {entry.locale} if fields.get("alt") is not None else set()
    return [locale for locale in locales if locale not in own and alts.get(locale) is None]


def rights_end(until: datetime) -> ColumnElement[bool]:
    """An image or file whose rights end by an instant, or have ended."""
    rights = member(Entry.__table__.c.compared, "rights_until", kind="moment")
    return Entry.type.in_(UPLOADED) & (rights <= moment_text(until))


def places(session: Session, ids: Iterable[str]) -> dict[str, int]:
    """In how many places each of some entries is used, as `cms.usages.refuse_if_used` counts."""
    user = aliased(Entry)
    wanted = (
        select(Usage.target_id, Usage.source_id, Usage.pointer)
        .join(user, user.id == Usage.source_id)
        .where(among(Usage.target_id, sorted(set(ids))), user.id != Usage.target_id, user.trashed_at.is_(None))
        .distinct()
        .subquery()
    )
    rows = session.execute(select(wanted.c.target_id, func.count()).group_by(wanted.c.target_id)).all()
    return {row[0]: row[1] for row in rows}
