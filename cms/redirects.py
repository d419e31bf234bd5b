"""What old paths answer. A rule points at an entry or a section by id, so that it outlives further moves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

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
    _clear(session, path=path, locale=locale)
    if said.kind == "not_found":
        return
    target = _target(session, said.to, path=path) if said.kind == "redirect" else {}
    status = 301 if said.kind == "redirect" else 410
    _add(
        session, path=path, locale=locale, status=status, explanation=said.explanation, about=entry.id, at=at, **target
    )


def follow_entry(
    session: Session, publication: Publication, *, old_path: str | None, path: str | None, at: datetime
) -> None:
    """A live path answers for itself; the path it had before leads to the entry."""
    ended = Redirect.about_entry == publication.entry_id
    if path is not None:
        ended = or_(ended, (Redirect.locale == publication.locale) & (Redirect.path == path))
    session.execute(delete(Redirect).where(ended).execution_options(synchronize_session=False))
    if old_path is not None and old_path != path:
        _clear(session, path=old_path, locale=publication.locale)
        _add(
            session,
            path=old_path,
            locale=publication.locale,
            status=301,
            target_entry=publication.entry_id,
            at=at,
        )


def follow_sections(session: Session, before: SectionTree, after: SectionTree, *, at: datetime) -> None:
    """One rule for each section whose own path changed: everything below follows it (domain rule 10)."""
    for locale in locales(session).all:
        for section in before:
            old = before.path(section.id, locale=locale)
            new = after.path(section.id, locale=locale)
            if new is not None:
                _clear(session, path=new, locale=locale, sections_only=True)
            if old is None or new is None or old == new or after.at(old, locale=locale) is not None:
                continue
            _clear(session, path=old, locale=locale)
            _add(session, path=old, locale=locale, status=301, target_section=section.id, at=at)


def _clear(session: Session, *, path: str, locale: str, sections_only: bool = False) -> None:
    rules = delete(Redirect).where(Redirect.locale == locale, Redirect.path == path)
    session.execute(rules.where(Redirect.target_section.is_not(None)) if sections_only else rules)


def _add(session: Session, *, about: str | None = None, at: datetime, **values: Any) -> None:
    session.add(Redirect(id=new_id(), about_entry=about, source="automatic", created_at=at, **values))
    session.flush()


def _target(session: Session, to: str | None, *, path: str) -> dict[str, str]:
    if to is None:
        raise _refused("missing", "A redirect needs 'to': an entry's id, a section's id or a path on this site.")
    if to.startswith("/") and not to.startswith("//"):
        if to.rstrip("/") == path:
            raise _refused("loop", f"{path} would lead to itself.")
        return {"target_url": to}
    if to in newest_tree(session):
        return {"target_section": to}
    if is_id(to) and session.get(Entry, to) is not None:
        return {"target_entry": to}
    raise _refused("unknown_target", "This is no entry, no section and no path that starts with '/'.")


def _refused(code: str, message: str) -> InvalidContent:
    return InvalidContent([Fault("/to", code, message)])
