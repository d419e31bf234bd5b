"""What old paths answer. A rule points at an entry or a section by id, so that it outlives further moves."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from cms.database import remembered
from cms.delivery import resolving
from cms.delivery.live_structure import live_tree
from cms.errors import Fault, InvalidContent
from cms.identity import is_id, new_id
from cms.section_tree import SectionTree
from cms.site import locales
from cms.structure import newest_tree
from cms.tables.entries import Entry
from cms.tables.publications import Publication, Redirect


@dataclass(frozen=True)
class Answer:
    """What the path of an unpublished entry says: nothing (404), gone (410, explained), or go elsewhere.

    `to` is an entry's id, a section's id or a path on this site."""

    kind: Literal["not_found", "gone", "redirect"] = "not_found"
    to: str | None = None
    explanation: str | None = None


NOT_FOUND = Answer()


def answer(session: Session, entry: Entry, said: Answer, *, path: str, locale: str, at: datetime) -> None:
    """Note what a path that has just lost its entry answers. Raises `InvalidContent`."""
    _clear(session, [path], locale=locale)
    if said.kind == "not_found":
        return
    target = _target(session, entry, said.to) if said.kind == "redirect" else {}
    status = 301 if said.kind == "redirect" else 410
    _add(
        session, path=path, locale=locale, status=status, explanation=said.explanation, about=entry.id, at=at, **target
    )
    if resolving.goes_round(session, path, tree=live_tree(session), locale=locale):
        raise _refused("loop", f"{path} would lead back to itself.")


def refuse_nowhere(session: Session, entry: Entry, said: Answer) -> None:
    """Raises `InvalidContent` when an answer that is given for later leads nowhere now."""
    if said.kind == "redirect":
        _target(session, entry, said.to)


def follow_entry(
    session: Session, publication: Publication, *, old: tuple[str, str | None], path: str | None, at: datetime
) -> None:
    """A live path answers for itself; `old`, the locale and path it had before, leads to the entry."""
    ended = Redirect.about_entry == publication.entry_id
    if path is not None:
        ended = or_(ended, (Redirect.locale == publication.locale) & (Redirect.path == path))
    if remembered(session, _ANY, lambda: bool(session.scalar(select(exists().where(Redirect.id.is_not(None)))))):
        session.execute(delete(Redirect).where(ended).execution_options(synchronize_session=False))
    old_locale, old_path = old
    if old_path is not None and old != (publication.locale, path):
        _clear(session, [old_path], locale=old_locale)
        _add(
            session,
            path=old_path,
            locale=old_locale,
            status=301,
            target_entry=publication.entry_id,
            at=at,
        )


def follow_sections(session: Session, before: SectionTree, after: SectionTree, *, at: datetime) -> None:
    """One rule for each section that moved by itself; everything below follows it (domain rule 10)."""
    for locale in locales(session).all:
        moved = _moved(before, after, locale=locale)
        _clear(session, [new for _, new in moved.values()], locale=locale, sections_only=True)
        left = {id: paths for id, paths in moved.items() if after.at(paths[0], locale=locale) is None}
        _clear(session, [old for old, _ in left.values()], locale=locale)
        for id, (old, new) in left.items():
            section = before.section(id)
            above = left.get(section.parents[-1]) if section and section.parents else None
            if above is None or above[1] + old.removeprefix(above[0]) != new:
                _add(session, path=old, locale=locale, status=301, target_section=id, at=at)


def _moved(before: SectionTree, after: SectionTree, *, locale: str) -> dict[str, tuple[str, str]]:
    moved = {}
    for section in before:
        old = before.path(section.id, locale=locale)
        new = after.path(section.id, locale=locale)
        if old is not None and new is not None and old != new:
            moved[section.id] = (old, new)
    return moved


def _clear(session: Session, paths: Collection[str], *, locale: str, sections_only: bool = False) -> None:
    if not paths:
        return
    rules = delete(Redirect).where(Redirect.locale == locale, Redirect.path.in_(paths))
    session.execute(rules.where(Redirect.target_section.is_not(None)) if sections_only else rules)


def _add(session: Session, *, about: str | None = None, at: datetime, **values: Any) -> None:
    session.add(Redirect(id=new_id(), about_entry=about, source="automatic", created_at=at, **values))
    session.flush()
    session.info[_ANY] = True


# Whether there are rules at all: a site that is being filled has none, and its thousands of pages need not look.
_ANY = "any redirects"


def _target(session: Session, entry: Entry, to: str | None) -> dict[str, str]:
    if to is None:
        raise _refused("missing", "A redirect needs 'to': an entry's id, a section's id or a path on this site.")
    if to == entry.id:
        raise _refused("loop", "An entry that is taken down cannot stand in for itself.")
    if _ON_THIS_SITE.fullmatch(to):
        return {"target_url": to.rstrip("/") or "/"}
    if to in newest_tree(session):
        return {"target_section": to}
    if is_id(to) and session.get(Entry, to) is not None:
        return {"target_entry": to}
    raise _refused("unknown_target", "This is no entry, no section and no path that starts with '/'.")


# Browsers read //host and /\\host as another site, and drop tabs and line ends before they look.
_ON_THIS_SITE = re.compile(r"/(?![/\\])[^\s\x00-\x1f\x7f\\]{0,2000}")


def _refused(code: str, message: str) -> InvalidContent:
    return InvalidContent([Fault("/to", code, message)])
