"""What becomes of entries when their section is removed for good, and how they return with it.

Few statements, however many entries: they are moved, taken down or put into the trash by the database itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.elements import SQLCoreOperations

from cms import collisions
from cms.attribution import By
from cms.delivery.resolving import GONE
from cms.errors import WrongState
from cms.identity import new_id
from cms.json_columns import among, json_text
from cms.section_tree import Fate, SectionTree, in_locale
from cms.structure import is_known, newest_tree, standing
from cms.tables.attributed import attribution
from cms.tables.entries import Departure, Entry, Revision, Usage
from cms.tables.events import Event
from cms.tables.publications import Publication, Redirect, Schedule

_SHOWN = 20
_d, _e, _p, _r = Departure, Entry, Publication, Revision


@dataclass(frozen=True)
class Trees:
    """The tree that was published, with what it said of removed sections, and the one that is published now."""

    before: SectionTree
    after: SectionTree

    def name(self, section: str) -> str:
        """What a section is or was called."""
        for tree in (self.after, self.before):
            found = tree.section(section) or tree.removed.get(section)
            if found is not None:
                return in_locale(found.name, "*") or section
        return section


def carry_out(session: Session, trees: Trees, *, by: By, publish: Callable[[Entry, Revision], object]) -> None:
    """Do with entries what the newly published tree says, and take back what it no longer says.

    `publish` makes a revision of an entry live. Raises `WrongState`, and what `publish` raises."""
    session.flush()
    back = _back(session, trees)
    there = standing(session, trees.after.removed_since(trees.before))
    if not back and not there:
        return
    _refuse_unsaid(session, trees, there)
    for section in back:
        _bring_back(session, section, trees, by=by, publish=publish)
    _refuse_collisions(session, trees)
    for section in there:
        fate, into = trees.after.fate(section)
        if fate == "moved" and into is not None:
            _move_away(session, section, into, trees, by=by)
        elif fate is not None:
            _take_down(session, section, fate, trees, by=by)
    session.expire_all()


def _refuse_unsaid(session: Session, trees: Trees, there: dict[str, Any]) -> None:
    newest = newest_tree(session)
    for section, found in there.items():
        # Drafts in a section that a newer draft of the tree still has are not lost.
        if trees.after.fate(section)[0] is None and (found.published or section not in newest):
            said = f"Entries stand in the section “{trees.name(section)}”, which this tree has no more: remove it by an"
            said += ' operation "remove" that says what becomes of them, and publish that tree.'
            raise WrongState("section_in_use", said)


def _refuse_collisions(session: Session, trees: Trees) -> None:
    found = collisions.of(session, trees.before, trees.after, limit=_SHOWN)
    if found.total:
        slugs = ", ".join(f"{one.slug} ({one.locale}: {', '.join(one.entries)})" for one in found.first)
        said = f"Entries would share {found.total} addresses once their sections are joined. Change the slugs: {slugs}."
        raise WrongState("addresses_taken", said)


# --- moving ---


@dataclass(frozen=True)
class _Way:
    """Entries on their way from one section into another: which ones, and what is told of it."""

    source: str
    target: str
    entries: ColumnElement[bool]
    publications: ColumnElement[bool]
    trees: tuple[SectionTree, SectionTree]
    told: dict[str, str]


def _move_away(session: Session, section: str, into: str, trees: Trees, *, by: By) -> None:
    entries = (_e.section == section) & _e.trashed_at.is_(None)
    publications = _p.section == section
    there = (_p.entry_id == _e.id) & publications
    _depart(session, section, select(_e.id, literal("moved"), _p.revision).outerjoin(_p, there).where(entries))
    only_live = select(_e.id, literal("live"), _p.revision).join(_p, there).where(_e.section.is_distinct_from(section))
    _depart(session, section, only_live)
    by = _noted(by, f"The section “{trees.name(section)}” was removed; “{trees.name(into)}” took its place.")
    told = {"section_removed": section}
    _move(session, _Way(section, into, entries, publications, (trees.before, trees.after), told), by=by)


def _depart(session: Session, section: str, rows: Select[*tuple[Any, ...]]) -> None:
    """Remember what leaves: (entry, kind, what was live)."""
    id, kind, live = rows.selected_columns
    wanted = rows.with_only_columns(literal(section), id, kind, live)
    session.execute(insert(Departure).from_select(["section", "entry_id", "kind", "live_revision"], wanted))


def _noted(by: By, told: str) -> By:
    return replace(by, note=f"{told} {by.note}"[:2_000] if by.note else told)


def _move(session: Session, way: _Way, *, by: By) -> None:
    carried = exists().where(_e.id == _p.entry_id, _e.revision == _p.revision, way.entries).correlate(_p)
    now_live = case((carried, _p.revision + 1), else_=_p.revision)
    saved: dict[str, Any] = {"autosave": False, "restored_from": None, **way.told}
    _tell(
        session,
        "entry.saved",
        select(_e.id).where(way.entries),
        _e.revision + 1,
        literal(saved, Event.details.type),
        by=by,
    )
    before, after = way.trees
    moved = {"old_path": _path(before, way.source), "path": _path(after, way.target)}
    live = select(_e.id).join(_p, _p.entry_id == _e.id).where(way.publications)
    _tell(session, "entry.published", live, now_live, _details(moved, {"planned_at": None, **way.told}), by=by)
    _copy_revisions(session, way, by=by)
    newest = select(_e.revision).where(_e.id == Schedule.entry_id, way.entries).scalar_subquery()
    _do(session, update(Schedule).where(Schedule.revision == newest).values(revision=Schedule.revision + 1))
    _do(session, update(_p).where(way.publications).values(section=way.target, revision=now_live, changed_at=by.at))
    published = case((_e.published_revision == _e.revision, _e.revision + 1), else_=_e.published_revision)
    values = {"section": way.target, "revision": _e.revision + 1, "published_revision": published, "changed_at": by.at}
    _do(session, update(_e).where(way.entries).values(**values))


def _copy_revisions(session: Session, way: _Way, *, by: By) -> None:
    columns = Revision.__table__.c
    new: dict[str, Any] = {
        "number": _r.number + 1,
        "section": way.target,
        "saved_at": by.at,
        "begun_at": by.at,
        "autosave": False,
        "folds": 0,
        "restored_from": None,
        **attribution(by),
    }
    values = [
        _as(new[column.name], column.type).label(column.name) if column.name in new else column for column in columns
    ]
    newest = (_r.entry_id == _e.id) & (_r.number == _e.revision)
    wanted = select(*values).select_from(_e).join(_r, newest).where(way.entries)
    session.execute(insert(Revision).from_select([column.name for column in columns], wanted))


def _as(value: Any, type: Any) -> Any:
    return value if isinstance(value, SQLCoreOperations) else literal(value, type)


# --- taking down ---


def _take_down(session: Session, section: str, fate: Fate, trees: Trees, *, by: By) -> None:
    by = _noted(by, f"The section “{trees.name(section)}” was removed.")
    drafted = (_e.section == section) & _e.trashed_at.is_(None)
    live = _p.section == section
    if fate == "trash":
        rows = select(_e.id, literal("trashed"), _p.revision).outerjoin(_p, _p.entry_id == _e.id).where(drafted)
        _depart(session, section, rows)
        live = or_(live, _p.entry_id.in_(select(_e.id).where(drafted)))
    known = select(_d.entry_id).where(_d.section == section)
    rows = select(_p.entry_id, literal("gone"), _p.revision).where(_p.section == section, _p.entry_id.not_in(known))
    _depart(session, section, rows)
    for stood in session.scalars(select(_p.section).where(live).distinct()).all():
        here = live & (_p.section.is_(None) if stood is None else _p.section == stood)
        _unpublish(session, here, stood, section, trees, by=by)
    _do(session, delete(Schedule).where(Schedule.entry_id.in_(select(_e.id).where(drafted))))
    if fate == "trash":
        details = literal({"section_removed": section}, Event.details.type)
        _tell(session, "entry.trashed", select(_e.id).where(drafted), _e.revision, details, by=by)
        _do(session, update(_e).where(drafted).values(trashed_at=by.at))


def _unpublish(
    session: Session, live: ColumnElement[bool], stood: str | None, section: str, trees: Trees, *, by: By
) -> None:
    paths = {"old_path": _path(trees.before, stood)}
    details = _details(paths, {"answer": "gone", "planned_at": None, "section_removed": section})
    rows = select(_e.id).join(_p, _p.entry_id == _e.id).where(live)
    _tell(session, "entry.unpublished", rows, _p.revision, details, by=by)
    why = f"The section “{trees.name(section)}” was removed."
    _leave_rules(session, live, stood, trees.before, by=by, status=GONE, about=_p.entry_id, explanation=why)
    leaving = select(_p.entry_id).where(live)
    _do(session, delete(Usage).where(Usage.live.is_(True), Usage.source_id.in_(leaving)))
    _do(session, delete(Schedule).where(Schedule.entry_id.in_(leaving)))
    _do(session, update(_e).where(_e.id.in_(leaving)).values(published_revision=None, published_at=None))
    _do(session, delete(_p).where(live))


def _leave_rules(
    session: Session, live: ColumnElement[bool], stood: str | None, tree: SectionTree, *, by: By, **values: Any
) -> None:
    """A rule at the place of each publication that visitors could reach, instead of any that was left there before."""
    path = _path(tree, stood)
    if path is None:
        return
    r = Redirect
    here = r.section.is_(None) if stood is None else r.section == stood
    places = select(_p.locale, _p.slug).where(live, _p.slug.is_not(None))
    _do(session, delete(r).where(here, r.prefix.is_(False), tuple_(r.locale, r.slug).in_(places)))
    place = {"locale": _p.locale, "section": stood, "slug": _p.slug, "path": path}
    _add_rules(session, select(_p.entry_id).where(live, _p.slug.is_not(None)), by=by, **place, **values)


def _add_rules(session: Session, entries: Select[str], *, by: By, **says: Any) -> None:
    """One rule for each of the entries."""
    [entry] = entries.selected_columns
    columns: dict[str, Any] = {
        # The instant of this rule and the chance of the entry's own id: as good as a new one, and made in one go.
        "id": literal(new_id()[:_CHANCE]) + func.substr(entry, _CHANCE + 1),
        "prefix": False,
        "source": "automatic",
        "created_at": by.at,
        "changed_at": by.at,
        **says,
    }
    kinds = Redirect.__table__.c
    wanted = [_as(value, kinds[name].type).label(name) for name, value in columns.items()]
    session.execute(insert(Redirect).from_select(list(columns), entries.with_only_columns(*wanted)))


# Where the random part of a UUIDv7 begins.
_CHANCE = 19


# --- coming back ---


def _back(session: Session, trees: Trees) -> list[str]:
    """The sections that are back and that something departed from. Those that others' entries passed through first."""
    new = [section.id for section in trees.after if section.id not in trees.before]
    back = session.scalars(select(_d.section).where(among(_d.section, new)).distinct()).all() if new else ()
    return sorted(back, key=lambda one: (len(_chain(trees.before, one)), one))


def _chain(tree: SectionTree, section: str) -> list[str]:
    """The sections that took the place of a removed one, in turn."""
    chain: list[str] = []
    while section in tree.removed and (into := tree.removed[section].into) is not None and into not in chain:
        chain.append(into)
        section = into
    return chain


def _bring_back(
    session: Session, section: str, trees: Trees, *, by: By, publish: Callable[[Entry, Revision], object]
) -> None:
    by = _noted(by, f"The section “{trees.name(section)}” is back.")
    standing_now = (one for one in _chain(trees.before, section) if one in trees.after or one in trees.before)
    where = next(standing_now, None)
    if where is not None:
        _move_back(session, section, where, trees, by=by)
    _untrash(session, section, by=by)
    session.expire_all()
    for id, kind, live in session.execute(_to_publish(section)).all():
        revision = session.get_one(Revision, (id, live))
        stands = section if kind == "gone" or not is_known(session, revision.section) else revision.section
        publish(session.get_one(Entry, id), revision if revision.section == stands else _standing(revision, stands))
    session.flush()
    _lead_to_absent(session, section, trees, by=by)
    _do(session, delete(_d).where(_d.section == section))


def _lead_to_absent(session: Session, section: str, trees: Trees, *, by: By) -> None:
    """What was live here and has not come back is found from here all the same: no section stands in any more."""
    here = and_(_p.entry_id == _d.entry_id, _p.section == section, _p.slug == _r.slug, _p.locale == _r.locale)
    absent = (
        select(_d.entry_id)
        .join(_r, (_r.entry_id == _d.entry_id) & (_r.number == _d.live_revision))
        .outerjoin(_p, here)
        .where(_d.section == section, _d.kind.in_(("moved", "live")), _p.entry_id.is_(None), _r.slug.is_not(None))
    )
    path = _path(trees.after, section, of=_r)
    place = {"locale": _r.locale, "section": section, "slug": _r.slug, "path": path}
    _add_rules(session, absent, by=by, **place, status=301, target_entry=_d.entry_id)


def _to_publish(section: str) -> Select[str, str, int | None]:
    """What was live when its section was removed, and was neither published nor put into the trash since."""
    gone = (_d.section == section) & _d.kind.in_(("gone", "trashed")) & _d.live_revision.is_not(None)
    idle = _e.published_revision.is_(None) & _e.trashed_at.is_(None)
    return (
        select(_d.entry_id, _d.kind, _d.live_revision).join(_e, _e.id == _d.entry_id).where(gone, idle).order_by(_e.id)
    )


def _standing(revision: Revision, section: str | None) -> Revision:
    """A revision as it was live: one that went along with its section stood elsewhere than it says."""
    values = {column.key: getattr(revision, column.key) for column in Revision.__table__.columns}
    return Revision(**{**values, "section": section})


def _move_back(session: Session, section: str, where: str, trees: Trees, *, by: By) -> None:
    """What was moved and still stands where it was moved to; the paths that it had there lead to it."""
    moved = select(_d.entry_id).where(_d.section == section, _d.kind == "moved")
    live = select(_d.entry_id).where(_d.section == section, _d.kind.in_(("moved", "live")))
    entries = and_(_e.section == where, _e.trashed_at.is_(None), _e.id.in_(moved))
    publications = and_(_p.section == where, _p.entry_id.in_(live))
    _refuse_taken(session, section, entries, publications, trees)
    # A section that is just back itself, and that they only pass through, is not in the tree before.
    before = trees.before if where in trees.before else trees.after
    _leave_rules(session, publications, where, before, by=by, status=301, target_entry=_p.entry_id)
    told = {"section_restored": section}
    _move(session, _Way(where, section, entries, publications, (before, trees.after), told), by=by)


def _refuse_taken(
    session: Session, section: str, entries: ColumnElement[bool], publications: ColumnElement[bool], trees: Trees
) -> None:
    e, p = aliased(_e), aliased(_p)
    drafted = select(e.slug).join(_e, (e.slug == _e.slug) & (e.locale == _e.locale))
    drafted = drafted.where(entries, e.section == section, e.trashed_at.is_(None))
    live = select(p.slug).join(_p, (p.slug == _p.slug) & (p.locale == _p.locale))
    live = live.where(publications, p.section == section)
    taken = session.scalars(drafted.union(live).limit(_SHOWN)).all()
    if taken:
        said = f"Entries that return to “{trees.name(section)}” find their slugs taken. Change these: "
        raise WrongState("addresses_taken", said + ", ".join(str(slug) for slug in taken))


def _untrash(session: Session, section: str, *, by: By) -> None:
    trashed = select(_d.entry_id).where(_d.section == section, _d.kind == "trashed")
    there = _e.id.in_(trashed) & _e.trashed_at.is_not(None)
    details = literal({"section_restored": section}, Event.details.type)
    _tell(session, "entry.restored", select(_e.id).where(there), _e.revision, details, by=by)
    _do(session, update(_e).where(there).values(trashed_at=None))


# --- what is told ---


def _tell(
    session: Session, kind: str, about: Select[*tuple[Any, ...]], revision: Any, details: ColumnElement[Any], *, by: By
) -> None:
    """One event for each entry of `about`, in the order of their ids."""
    said: dict[str, Any] = {"kind": kind, "at": by.at, **attribution(by)}
    kinds = Event.__table__.c
    constant = [_as(value, kinds[name].type).label(name) for name, value in said.items()]
    rows = about.with_only_columns(_e.id, _e.type, _e.locale, revision, details, *constant).order_by(_e.id)
    names = ["entry_id", "type", "locale", "revision", "details", *said]
    session.execute(insert(Event).from_select(names, rows))


def _path(
    tree: SectionTree, section: str | None, *, of: type[Publication] | type[Revision] = Publication
) -> ColumnElement[str] | None:
    """The path that the slug of a publication or revision has below a section; None: no path leads there."""
    if section is None:
        return literal("/") + of.slug
    everywhere = tree.path(section, locale="*")
    if everywhere is None:
        return None
    found = tree.section(section)
    slugs = [one.slug for one in (found, *(tree.section(id) for id in found.parents)) if one] if found else []
    locales = sorted({locale for slug in slugs if not isinstance(slug, str) for locale in slug})
    by_locale = {locale: f"{tree.path(section, locale=locale)}/" for locale in locales}
    if not by_locale:
        return literal(f"{everywhere}/") + of.slug
    return case(by_locale, value=of.locale, else_=f"{everywhere}/") + of.slug


def _details(paths: dict[str, ColumnElement[str] | None], said: dict[str, str | None]) -> ColumnElement[Any]:
    """An event's details with paths that differ from row to row. Paths and ids need no escapes in JSON."""
    text: ColumnElement[str] = literal("{")
    for name, path in paths.items():
        quoted = literal("null") if path is None else func.coalesce(literal('"') + path + literal('"'), "null")
        text = text + literal(f'"{name}":') + quoted + literal(",")
    rest = ",".join(f'"{name}":' + ("null" if value is None else f'"{value}"') for name, value in said.items())
    return json_text(text + literal(rest + "}"))


def _do(session: Session, statement: Any) -> None:
    session.execute(statement.execution_options(synchronize_session=False))
