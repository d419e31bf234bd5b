"""Menus as editors keep them: each with a name of its own in its locale. Who moves what they lead to is told."""

import re
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.content_types import ContentType
from cms.errors import Fault, InvalidContent
from cms.json_columns import member
from cms.menu_items import LONGEST_NAME, name_from
from cms.section_tree import SLUG
from cms.snapshots import Snapshot
from cms.tables.entries import Entry, Revision, Usage
from cms.tables.publications import Publication


def named(session: Session, content_type: ContentType, snapshot: Snapshot, *, entry_id: str = "") -> Snapshot:
    """A menu's content with its name: the one that it has, its slug, or one made of its title. Other types' contents
    come back as they are. Raises `InvalidContent`."""
    if content_type.name != "menu":
        return snapshot
    given = snapshot.fields.get("name") or snapshot.slug
    taken = _taken(session, snapshot.locale, entry_id=entry_id)
    if given:
        _refuse_malformed(given)
        _refuse_taken(given, taken, snapshot.locale)
    name = given or _free(name_from(str(snapshot.fields.get("title") or "")), taken)
    return replace(snapshot, fields={**snapshot.fields, "name": name})


def refuse_live_twin(session: Session, entry: Entry, revision: Revision) -> None:
    """Raises `InvalidContent` when another live menu of the locale has the revision's name."""
    name = revision.fields.get("name")
    if entry.type == "menu" and name:
        p = Publication
        twins = select(p.entry_id).where(
            p.type == "menu",
            p.locale == revision.locale,
            p.entry_id != entry.id,
            member(p.compared, "name", kind="text") == name,
        )
        _refuse_taken(name, [name] if session.scalars(twins).first() else (), revision.locale)


def holding(session: Session, entry_id: str, *, said: str) -> tuple[Fault, ...]:
    """A warning for each live menu that leads to an entry: `said` of it."""
    menus = (
        select(Entry.id, Entry.title)
        .join(Usage, Usage.source_id == Entry.id)
        .where(Usage.target_id == entry_id, Usage.live.is_(True), Entry.type == "menu", Entry.trashed_at.is_(None))
        .distinct()
        .order_by(Entry.id)
    )
    return tuple(
        Fault("", "in_menu", f"The menu “{menu.title}” ({menu.id}) leads here: {said}")
        for menu in session.execute(menus)
    )


def _taken(session: Session, locale: str, *, entry_id: str) -> set[str]:
    menus = select(member(Entry.compared, "name", kind="text")).where(
        Entry.type == "menu", Entry.locale == locale, Entry.trashed_at.is_(None), Entry.id != entry_id
    )
    return set(session.scalars(menus))


def _free(wanted: str, taken: set[str]) -> str:
    candidates = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in candidates if name not in taken)


def _refuse_malformed(name: str) -> None:
    if not re.fullmatch(SLUG, name) or len(name) > LONGEST_NAME:
        said = f"A menu is called by lower-case latin letters, digits and . _ ~ -, at most {LONGEST_NAME}."
        raise InvalidContent([Fault("/fields/name", "malformed_name", said)])


def _refuse_taken(name: str, taken: Iterable[str], locale: str) -> None:
    if name in taken:
        said = f"Another menu of locale '{locale}' is called '{name}'. Choose another name."
        raise InvalidContent([Fault("/fields/name", "name_taken", said)])
