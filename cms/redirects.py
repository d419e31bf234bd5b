"""What moves and takedowns leave behind: rules about a place, so that every path that ever was leads somewhere.

A place is a slug below a section, whatever path that section has by now; so the move of a section is one rule,
however much stands in it (decision 0007). The rules that staff keep are in `redirect_rules`.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Delete, Update, delete, exists, select, update
from sqlalchemy.orm import Session

from cms import paths, site
from cms.database import remembered
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.errors import Fault, InvalidContent
from cms.identity import is_id, new_id
from cms.json_columns import among
from cms.section_tree import Section, SectionTree, in_locale
from cms.structure import newest_tree
from cms.tables.entries import Entry
from cms.tables.publications import Publication, Redirect

AnswerKind = Literal["not_found", "gone", "redirect"]


@dataclass(frozen=True)
class Answer:
    """What the path of an unpublished entry says: nothing (404), gone (410, explained), or go elsewhere.

    `to` is an entry's id, a section's id or a path on this site."""

    kind: AnswerKind = "not_found"
    to: str | None = None
    explanation: str | None = None


NOT_FOUND = Answer()


class Place(NamedTuple):
    """Where something stood: in a locale, below a section (None: the root), under a slug; and the path that it had."""

    locale: str | None
    section: str | None
    slug: str
    path: str


def place_of(publication: Publication, tree: SectionTree) -> Place | None:
    """Where a publication stands, if visitors can reach it."""
    if publication.slug is None:
        return None
    path = tree.path(publication.section, locale=publication.locale, slug=publication.slug)
    return None if path is None else Place(publication.locale, publication.section, publication.slug, path)


def answer(session: Session, entry: Entry, said: Answer, *, place: Place, at: datetime) -> None:
    """Note what a place that has just lost its entry answers. Raises `InvalidContent`."""
    session.execute(delete(Redirect).where(_left_by_entries(place)))
    if said.kind == "not_found":
        return
    target: dict[str, Any] = dict(_target(session, entry, said.to)) if said.kind == "redirect" else {}
    status = 301 if said.kind == "redirect" else resolving.GONE
    _add(session, place, status=status, explanation=said.explanation, about=entry.id, at=at, **target)
    refuse_loop(session, place.path, locale=place.locale or site.locales(session).default)


def refuse_loop(session: Session, path: str, *, locale: str) -> None:
    """Raises `InvalidContent` when the rules for a path lead back to where a visitor has been, spelling out the way."""
    way = resolving.loop(session, path, site=live_site(session), locale=locale)
    if way:
        raise _refused("loop", f"This would lead round in a circle: {' → '.join(way)}.")


def refuse_nowhere(session: Session, entry: Entry, said: Answer) -> None:
    """Raises `InvalidContent` when an answer that is given for later leads nowhere now."""
    if said.kind == "redirect":
        _target(session, entry, said.to)


def follow_entry(session: Session, entry_id: str, *, left: Place | None, now: Place | None, at: datetime) -> None:
    """An entry is live at a place: what was said of it ends, and every place that it left leads to it."""
    rules = remembered(session, _ANY, lambda: bool(session.scalar(select(exists().where(Redirect.id.is_not(None))))))
    if rules and now is not None:
        _lead_back(session, Redirect.about == entry_id, at=at, target_entry=entry_id)
        _execute(session, delete(Redirect).where(_left_by_entries(now), Redirect.target_entry == entry_id))
    if left is not None and (now is None or left[:3] != now[:3]):
        session.execute(delete(Redirect).where(_left_by_entries(left)))
        _add(session, left, status=301, target_entry=entry_id, at=at)


def _lead_back(session: Session, taken_away: ColumnElement[bool], *, at: datetime, **target: Any) -> None:
    """What is live again is found from where it was taken away: these rules are as if it had moved from there."""
    nothing = dict.fromkeys(("target_entry", "target_section", "target_url", "about", "explanation"))
    _execute(session, update(Redirect).where(taken_away).values(**{**nothing, **target}, status=301, changed_at=at))


def _execute(session: Session, change: Delete | Update) -> None:
    # Rules are not kept in the session from one verb to the next.
    session.execute(change.execution_options(synchronize_session=False))


def follow_sections(
    session: Session, before: SectionTree, after: SectionTree, *, removed: Mapping[str, str | None], at: datetime
) -> None:
    """One rule for each section that moved or was removed by itself; everything below follows it (domain rule 10).

    `removed` has the sections that stand in for removed ones; where none does, the section is gone."""
    locales = site.locales(session).all
    moved = _moved(before, after, locales)
    added = [section for section in after if section.id not in before]
    _end(session, [*(one for one in moved if one.id in after), *added], after, locales, at=at)
    for left in left_by_sections(before, after, removed=removed, locales=locales):
        _add(session, left.place, prefix=True, at=at, **left.says)
    session.flush()


@dataclass(frozen=True)
class LeftBySection:
    """A rule that a section leaves at a place, and what the rule says."""

    section: str
    place: Place
    says: Mapping[str, Any]


def left_by_sections(
    before: SectionTree, after: SectionTree, *, removed: Mapping[str, str | None], locales: tuple[str, ...]
) -> Iterator[LeftBySection]:
    """The rules that sections leave which move or are removed from one tree to the other."""
    for section in _moved(before, after, locales):
        here = {place[:3] for place in _now(after, section, locales)}
        left = [place for place in _places(before, section, locales) if place[:3] not in here]
        for place in _together(left, locales):
            if section.id in after:
                yield LeftBySection(section.id, place, {"status": 301, "target_section": section.id})
            else:
                says = {"about": section.id, **_fate(section, removed.get(section.id))}
                yield LeftBySection(section.id, place, says)


def _moved(before: SectionTree, after: SectionTree, locales: Iterable[str]) -> list[Section]:
    return [section for section in before if _places(before, section, locales) != _now(after, section, locales)]


def _fate(section: Section, successor: str | None) -> dict[str, Any]:
    if successor is not None:
        return {"status": 301, "target_section": successor}
    name = in_locale(section.name, "*")
    return {"status": resolving.GONE, "explanation": f"The section “{name}” was removed." if name else None}


def _now(tree: SectionTree, section: Section, locales: Iterable[str]) -> list[Place]:
    found = tree.section(section.id)
    return _places(tree, found, locales) if found is not None else []


def _places(tree: SectionTree, section: Section, locales: Iterable[str]) -> list[Place]:
    above = section.parents[-1] if section.parents else None
    return [
        Place(locale, above, in_locale(section.slug, locale) or "", tree.path(section.id, locale=locale) or "")
        for locale in locales
    ]


def _together(places: list[Place], locales: tuple[str, ...]) -> list[Place]:
    """One place for every locale, where it is the same in all."""
    if len(places) == len(locales) and len({place[1:] for place in places}) == 1:
        return [places[0]._replace(locale=None)]
    return places


def _end(
    session: Session, sections: list[Section], tree: SectionTree, locales: tuple[str, ...], *, at: datetime
) -> None:
    """A section that stands at a place again has no rule there, and one that is back is gone no longer."""
    by_id = {section.id: section for section in sections}
    taken_away = among(Redirect.about, by_id) & Redirect.prefix.is_(True)
    _lead_back(session, taken_away, at=at, target_section=Redirect.about)
    rules = select(Redirect).where(
        among(Redirect.target_section, by_id), Redirect.about.is_(None), Redirect.slug.is_not(None)
    )
    for rule in session.scalars(rules).all():
        section = by_id[rule.target_section or ""]
        here = {one.locale for one in _places(tree, section, locales) if one[1:3] == (rule.section, rule.slug)}
        over = set(locales) if rule.locale is None else {rule.locale}
        if here & over:
            session.delete(rule)
            for locale in sorted(over - here):
                place = Place(locale, rule.section, rule.slug or "", rule.path)
                _add(session, place, prefix=True, status=301, target_section=section.id, at=at)
    session.flush()


def _left_by_entries(place: Place) -> ColumnElement[bool]:
    section = Redirect.section.is_(None) if place.section is None else Redirect.section == place.section
    return (Redirect.slug == place.slug) & section & (Redirect.locale == place.locale) & Redirect.prefix.is_(False)


def _add(session: Session, place: Place, *, at: datetime, prefix: bool = False, **values: Any) -> None:
    session.add(
        Redirect(
            id=new_id(), **place._asdict(), prefix=prefix, source="automatic", created_at=at, changed_at=at, **values
        )
    )
    session.info[_ANY] = True


# Whether there are rules at all: a site that is being filled has none, and its thousands of pages need not look.
_ANY = "any redirects"


def _target(session: Session, entry: Entry, to: str | None) -> dict[str, str]:
    if to is None:
        raise _refused("missing", "A redirect needs 'to': an entry's id, a section's id or a path on this site.")
    if to == entry.id:
        raise _refused("loop", "An entry that is taken down cannot stand in for itself.")
    return target(session, to)


def target(session: Session, to: str, *, entries: Container[str] | None = None) -> dict[str, str]:
    """Where a rule leads, as the columns that say so: a path on this site, a section or an entry. `entries`: those
    that are known to exist, when they have been looked up.

    Raises `InvalidContent`."""
    if _ON_THIS_SITE.fullmatch(to):
        path = paths.before_query(to)
        leads = paths.normal(path)
        if {".", ".."} & set(leads.split("/")):
            raise _refused("malformed_path", "Give the path as it is, without the steps '.' and '..'.")
        return {"target_url": leads + to[len(path) :]}
    if to in newest_tree(session):
        return {"target_section": to}
    if is_id(to) and (session.get(Entry, to) is not None if entries is None else to in entries):
        return {"target_entry": to}
    raise _refused("unknown_target", "This is no entry, no section and no path that starts with '/'.")


# Browsers read //host and /\\host as another site, and drop tabs and line ends before they look.
_ON_THIS_SITE = re.compile(r"/(?![/\\])[^\s\x00-\x1f\x7f\\]{0,2000}")


def _refused(code: str, message: str) -> InvalidContent:
    return InvalidContent([Fault("/to", code, message)])
