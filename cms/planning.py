"""What operations on the tree would do: every path that changes, and all that hangs on it. Changes nothing.

Counted and listed by the database, section by section, so that it costs the same for ten entries as for many.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, union
from sqlalchemy.orm import Session

from cms import collisions, placement_changes, redirects, restructuring, site
from cms.errors import BadQuery, Fault
from cms.identity import is_id
from cms.json_columns import among
from cms.restructuring import Outcome
from cms.section_tree import SectionTree, in_locale
from cms.structure import Standing, newest_placements, newest_tree, standing, tree_in_force
from cms.tables.entries import Entry, Usage
from cms.tables.publications import Publication

SHOWN = 100
_e, _p, _u = Entry, Publication, Usage


def plan(
    session: Session, structure: Entry, operations: list[dict[str, Any]], *, size: int = SHOWN, after: str | None = None
) -> dict[str, Any]:
    """What visitors and editors would find changed, were the operations done and the tree published.

    Operations that cannot be done are left out and named in `problems`. `after` is the cursor of the next page of
    paths. Raises `BadQuery` for a cursor that is none."""
    outcome = restructuring.perform(session, structure, operations)
    view = _view(session, newest_tree(session), outcome.tree)
    met = collisions.of(session, view.live, view.planned, limit=SHOWN)
    problems = [*outcome.faults, *restructuring.collision_faults(view.planned, met, operations)]
    published = _Changes(view.live, view)
    drafts = _Changes(view.drafted, view)
    used = _using(published, drafts)
    leaving = view.planned.removed_since(view.live)
    return {
        "revision": structure.revision,
        "paths": _paths(session, published, drafts, size=size, after=after),
        "sections": _sections(view),
        "redirects": list(_redirects(view)),
        "collisions": [{**asdict(one), "entries": list(one.entries)} for one in met.first],
        "menus": _menus(session, used),
        "inbound_links": _inbound_links(session, used),
        **_removals(session, view, leaving),
        "problems": [asdict(one) for one in dict.fromkeys(problems)],
        "warnings": [asdict(one) for one in _warnings(session, outcome)],
    }


def _warnings(session: Session, outcome: Outcome) -> list[Fault]:
    return placement_changes.warnings(session, newest_placements(session), outcome.fields["placements"] or ())


def in_menus(session: Session, before: SectionTree, after: SectionTree) -> tuple[Fault, ...]:
    """A warning for each menu that leads to what another draft of the tree moves or takes away."""
    view = _view(session, before, after)
    found = _menus(session, _using(_Changes(view.live, view), _Changes(view.drafted, view)))
    said = "The menu “{title}” ({entry}) leads to what moves or goes: look at it."
    return tuple(dict.fromkeys(Fault("", "in_menu", said.format_map(one)) for one in found))


def _view(session: Session, drafted: SectionTree, planned: SectionTree) -> "_View":
    return _View(tree_in_force(session), drafted, planned, site.locales(session).all)


@dataclass(frozen=True)
class _View:
    """The tree that visitors see, the newest draft, and the one that is planned."""

    live: SectionTree
    drafted: SectionTree
    planned: SectionTree
    locales: tuple[str, ...]

    def planned_path(self, section: str, locale: str, slug: str | None = None) -> str | None:
        """The path of a section, or below it, once the plan is carried out; None: it has none any more."""
        if section not in self.planned:
            fate, into = self.planned.fate(section)
            if fate != "moved" or into is None:
                return None
            section = into
        return self.planned.path(section, locale=locale, slug=slug)


# --- paths ---


class _Changes:
    """The sections below which paths change from one tree to the planned one, and in which locales."""

    def __init__(self, source: SectionTree, view: _View) -> None:
        self.source, self.view = source, view
        self.locales: dict[str, tuple[str, ...]] = {}
        known = (section.id for section in chain(source, view.drafted, view.planned))
        for id in dict.fromkeys([*known, *view.planned.removed_since(view.live)]):
            changed = tuple(
                one for one in view.locales if source.path(id, locale=one) != view.planned_path(id, locale=one)
            )
            if changed:
                self.locales[id] = changed

    def standing(self, section: Any, locale: Any) -> ColumnElement[bool]:
        """Whether something that stands in a section has another path."""
        by_locales: dict[tuple[str, ...], list[str]] = {}
        for id, locales in self.locales.items():
            by_locales.setdefault(locales, []).append(id)
        everywhere = by_locales.pop(self.view.locales, [])
        parts = [among(section, everywhere)] if everywhere else []
        parts += [and_(among(section, ids), locale.in_(locales)) for locales, ids in by_locales.items()]
        return or_(false(), *parts)

    def row(self, row: Any, *, published: bool) -> dict[str, Any]:
        """One path that changes."""
        return {
            "entry": row.id,
            "title": row.title,
            "type": row.type,
            "locale": row.locale,
            "published": published,
            "from": self.source.path(row.section, locale=row.locale, slug=row.slug),
            "to": self.view.planned_path(row.section, locale=row.locale, slug=row.slug),
        }


def _published(changes: _Changes) -> ColumnElement[bool]:
    return and_(changes.standing(_p.section, _p.locale), _p.slug.is_not(None))


def _drafted(changes: _Changes) -> ColumnElement[bool]:
    there = and_(_e.published_revision.is_(None), _e.trashed_at.is_(None), _e.slug.is_not(None))
    return and_(changes.standing(_e.section, _e.locale), there)


def _paths(session: Session, published: _Changes, drafts: _Changes, *, size: int, after: str | None) -> dict[str, Any]:
    live = session.scalar(select(func.count()).select_from(_p).where(_published(published))) or 0
    drafted = session.scalar(select(func.count()).select_from(_e).where(_drafted(drafts))) or 0
    rows: list[dict[str, Any]] = []
    phase, last = _position(after)
    if phase == _LIVE:
        wanted = select(_p.entry_id.label("id"), _p.title, _p.type, _p.locale, _p.section, _p.slug)
        wanted = wanted.where(_published(published), _p.entry_id > last).order_by(_p.entry_id).limit(size + 1)
        rows += [published.row(row, published=True) for row in session.execute(wanted)]
        last = ""
    if len(rows) <= size:
        wanted = select(_e.id, _e.title, _e.type, _e.locale, _e.section, _e.slug)
        wanted = wanted.where(_drafted(drafts), _e.id > last).order_by(_e.id).limit(size + 1 - len(rows))
        rows += [drafts.row(row, published=False) for row in session.execute(wanted)]
    shown = rows[:size]
    more = len(rows) > size
    cursor = f"{_LIVE if shown[-1]['published'] else _DRAFT}{shown[-1]['entry']}" if more else None
    return {"total": live + drafted, "published": live, "drafts": drafted, "first": shown, "next": cursor}


_LIVE, _DRAFT = "p", "d"


def _position(after: str | None) -> tuple[str, str]:
    if after is None:
        return _LIVE, ""
    if after[:1] not in (_LIVE, _DRAFT) or not is_id(after[1:]):
        raise BadQuery("page[after]", "malformed_cursor", "This is no cursor of this plan.")
    return after[0], after[1:]


# --- sections and the rules that they leave ---


def _sections(view: _View) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    known = dict.fromkeys(section.id for section in chain(view.live, view.drafted))
    for id in known:
        source = view.live if id in view.live else view.drafted
        changed = [
            {"section": id, "from": was, "to": now, "locale": locale}
            for locale in view.locales
            if (was := source.path(id, locale=locale)) != (now := view.planned_path(id, locale=locale))
        ]
        rows += _in_one(changed, view.locales)
    return {"total": len(rows), "first": rows[:SHOWN]}


def _in_one(rows: list[dict[str, Any]], locales: tuple[str, ...]) -> list[dict[str, Any]]:
    """One row for every locale, where it is the same in all."""
    if len(rows) == len(locales) and len({(row["from"], row["to"]) for row in rows}) == 1:
        return [{**rows[0], "locale": None}]
    return rows


def _redirects(view: _View) -> Iterator[dict[str, Any]]:
    removed = {one: view.planned.successor(one) for one in view.planned.removed}
    rules = redirects.left_by_sections(view.live, view.planned, removed=removed, locales=view.locales)
    for one in rules:
        target = one.says.get("target_section")
        to = target and view.planned.path(target, locale=one.place.locale or "*")
        yield {
            "locale": one.place.locale,
            "from": one.place.path,
            "to": to,
            "section": one.section,
            "status": one.says["status"],
            "prefix": True,
        }


# --- what refers to it ---


def _using(published: _Changes, drafts: _Changes) -> Select[*tuple[Any, ...]]:
    """Who refers to what moves or leaves."""
    columns = (_u.source_id, _u.pointer, _u.target_id)
    sections = sorted({*published.locales, *drafts.locales})
    found = union(
        select(*columns).join(_p, _p.entry_id == _u.target_id).where(_published(published)),
        select(*columns).join(_e, _e.id == _u.target_id).where(_drafted(drafts)),
        select(*columns).where(among(_u.target_id, sections)),
    ).subquery()
    return (
        select(found.c.source_id, found.c.pointer, found.c.target_id, _e.title)
        .join(_e, _e.id == found.c.source_id)
        .where(_e.trashed_at.is_(None), _e.type != "structure", found.c.source_id != found.c.target_id)
        .order_by(found.c.source_id, found.c.pointer, found.c.target_id)
    )


def _menus(session: Session, using: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [_usage(row) for row in session.execute(using.where(_e.type == "menu").limit(_MOST_IN_MENUS))]


_MOST_IN_MENUS = 1_000


def _inbound_links(session: Session, using: Select[*tuple[Any, ...]]) -> dict[str, Any]:
    counted = using.where(_e.type != "menu").add_columns(func.count().over().label("all"))
    links = session.execute(counted.limit(SHOWN)).all()
    return {"total": links[0].all if links else 0, "first": [_usage(row) for row in links]}


def _usage(row: Any) -> dict[str, Any]:
    return {"entry": row.source_id, "title": row.title, "pointer": row.pointer, "target": row.target_id}


# --- what is removed ---


def _removals(session: Session, view: _View, leaving: list[str]) -> dict[str, Any]:
    there = standing(session, leaving)
    lost = [id for id in there if view.planned.fate(id)[0] in (None, "gone")]
    published, drafts = (sum(getattr(there[id], name) for id in lost) for name in ("published", "drafts"))
    return {
        "without_section": {
            "total": published + drafts,
            "published": published,
            "drafts": drafts,
            "first": list(session.scalars(_standing_in(lost).limit(SHOWN))) if lost else [],
        },
        "removed": [_removed(view.planned, id, there) for id in leaving],
    }


def _removed(tree: SectionTree, id: str, there: Mapping[str, Standing]) -> dict[str, Any]:
    found = there.get(id, Standing())
    fate, into = tree.fate(id)
    name = in_locale(tree.removed[id].name, "*") if id in tree.removed else None
    entries = {"move_to": into} if fate == "moved" else fate
    return {"section": id, "name": name, "published": found.published, "drafts": found.drafts, "entries": entries}


def _standing_in(sections: list[str]) -> Select[*tuple[Any, ...]]:
    drafted = select(_e.id).where(among(_e.section, sections), _e.trashed_at.is_(None))
    together = drafted.union(select(_p.entry_id).where(among(_p.section, sections))).subquery()
    return select(together.c.id).order_by(together.c.id)
