"""The tree of sections as editors see it: the newest revision of the `structure` entry, and the one in force."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from cms import section_settings, site
from cms.content_types import ContentType
from cms.database import remembered
from cms.delivery.live_structure import live_tree
from cms.errors import Fault, InUse, WrongState
from cms.json_columns import among
from cms.section_tree import MAX_LEVELS, MAX_SECTIONS, SectionNode, SectionTree, measure, refuse_twins, stored
from cms.snapshots import Snapshot
from cms.tables.entries import Entry, Revision
from cms.tables.publications import Publication

_SHOWN = 100


def entry(session: Session) -> Entry:
    """The one entry of type `structure`."""
    return session.scalars(select(Entry).where(Entry.type == "structure")).one()


def newest_tree(session: Session) -> SectionTree:
    """The tree in its newest revision. Empty before the site is founded."""
    return _newest(session).tree


def newest_placements(session: Session) -> tuple[Mapping[str, Any], ...]:
    """The placements in the newest revision, in their order."""
    return _newest(session).placements


def tree_in_force(session: Session) -> SectionTree:
    """The tree in its published revision, with what visitors are not told. Empty before one is published."""
    return remembered(session, "tree in force", lambda: _kept_structure(session, "in force", _IN_FORCE)).tree


@dataclass(frozen=True)
class _Structure:
    tree: SectionTree
    placements: tuple[Mapping[str, Any], ...] = ()


def _newest(session: Session) -> _Structure:
    return remembered(session, "newest tree", lambda: _kept_structure(session, "newest", _NEWEST))


_NEWEST = (
    select(Entry.id, Revision.number, Revision.saved_at)
    .join(Revision, (Revision.entry_id == Entry.id) & (Revision.number == Entry.revision))
    .where(Entry.type == "structure")
)
_IN_FORCE = (
    select(Publication.entry_id.label("id"), Revision.number, Revision.saved_at)
    .join(Revision, (Revision.entry_id == Publication.entry_id) & (Revision.number == Publication.revision))
    .where(Publication.type == "structure")
)


def _kept_structure(session: Session, which: str, wanted: Select[*tuple[Any, ...]]) -> _Structure:
    row = session.execute(wanted).first()
    if row is None:
        return _Structure(SectionTree([]))
    key = (row.id, row.number, row.saved_at)
    # Looked at once: another thread may keep its own between two looks.
    kept_key, found = _kept.get(which, (None, None))
    if found is None or kept_key != key:
        fields = session.scalar(
            select(Revision.fields).where(Revision.entry_id == row.id, Revision.number == row.number)
        )
        found = _Structure(tree_of(fields or {}), tuple((fields or {}).get("placements") or ()))
        _kept[which] = (key, found)
    return found


# Parsed: a revision is immutable (an autosave's instant tells it from its forerunners).
_kept: dict[str, tuple[object, _Structure]] = {}


def tree_of(fields: Mapping[str, Any]) -> SectionTree:
    """The tree that the fields of a revision hold."""
    return SectionTree(fields.get("sections") or [], fields.get("removed") or [])


def is_known(session: Session, section: str | None) -> bool:
    """Whether entries may stand there: it is in the newest tree, or visitors still see it although it was removed."""
    tree = newest_tree(session)
    return section is None or section in tree or (section in tree.removed and section in live_tree(session))


def settled(session: Session, section: str | None) -> tuple[str | None, tuple[Fault, ...]]:
    """The section that an entry stands in from now on, where it names one that was removed, and a word about it.

    As long as visitors see the removed section, its entries are worked on in it."""
    tree = newest_tree(session)
    if section is None or section not in tree.removed or is_known(session, section):
        return section, ()
    successor = tree.successor(section)
    if successor is None:
        said = "This section was removed. Choose another one: until then the entry has no path and is not published."
        return section, (Fault("/section", "section_removed", said),)
    said = f"This section was removed. The entry now stands in the one that took its place: {successor}."
    return successor, (Fault("/section", "section_removed", said),)


def refuse_removed(session: Session, section: str | None) -> None:
    """Raises `WrongState` when a section is neither in the newest tree nor in the one that visitors see."""
    if section is not None and not is_known(session, section):
        raise WrongState("section_removed", "Its section was removed from the site. Choose another section first.")


def governing(session: Session, section: str) -> str | None:
    """The section in force whose settings hold for another one, which may be a draft: itself, or the nearest above."""
    tree = tree_in_force(session)
    drafted = newest_tree(session).section(section)
    up = (section, *(reversed(drafted.parents) if drafted is not None else ()))
    return next((one for one in up if one in tree), None)


def places(session: Session, entry: Entry) -> tuple[str | None, ...]:
    """The sections that an entry stands in: as it was saved last, and as visitors see it."""
    if entry.published_revision in (None, entry.revision):
        return (entry.section,)
    return entry.section, session.scalar(select(Publication.section).where(Publication.entry_id == entry.id))


# --- what stands in sections ---


@dataclass(frozen=True)
class Standing:
    """How many publications stand in a section, and how many entries besides that stand there as drafts only."""

    published: int = 0
    drafts: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.published + self.drafts


def standing(session: Session, sections: Collection[str]) -> dict[str, Standing]:
    """What stands in some sections; those that nothing stands in are left out."""
    if not sections:
        return {}
    p, e = Publication, Entry
    live = select(p.section, func.count().label("total")).where(among(p.section, sections)).group_by(p.section)
    published = {row.section: row.total for row in session.execute(live)}
    drafted = select(e.section, func.count().label("total")).where(among(e.section, sections), is_draft_there())
    drafts = {row.section: row.total for row in session.execute(drafted.group_by(e.section))}
    return {
        section: Standing(published.get(section, 0), drafts.get(section, 0))
        for section in sections
        if section in published or section in drafts
    }


def is_draft_there() -> ColumnElement[bool]:
    """Whether an entry is not in the trash, and not published in the section that its newest revision names."""
    e = Entry
    elsewhere = (e.revision != e.published_revision) & ~exists().where(
        Publication.entry_id == e.id, Publication.section == e.section
    )
    return e.trashed_at.is_(None) & or_(e.published_revision.is_(None), elsewhere)


# --- checking ---


def checked(session: Session, content_type: ContentType, snapshot: Snapshot) -> tuple[Snapshot, list[Fault]]:
    """A structure's sections with names in every locale, and what is wrong with them. Raises `InUse`.

    What was removed is kept in mind, though not said again. Other types' contents come back as they are."""
    if content_type.name != "structure":
        return snapshot, []
    nodes = [SectionNode.model_validate(node) for node in snapshot.fields.get("sections") or []]
    faults = _faults(nodes)
    locales = site.locales(session).all
    before = newest_tree(session)
    sections = [stored(_named(node, locales)) for node in nodes]
    removed = _removed(sections, snapshot.fields.get("removed") or [], before)
    fields = {**snapshot.fields, "sections": sections, "removed": removed}
    if not faults:
        tree = tree_of(fields)
        faults += _removed_faults(tree, removed)
        faults += section_settings.faults(session, section_settings.changed(sections, before, at="/fields/sections"))
        _refuse_losses(session, before, tree)
    return replace(snapshot, fields=fields), faults


def _faults(nodes: list[SectionNode]) -> list[Fault]:
    total, levels, twice = measure(nodes)
    faults = []
    if total > MAX_SECTIONS:
        faults.append(Fault("/fields/sections", "too_many", f"A site has at most {MAX_SECTIONS} sections."))
    if levels > MAX_LEVELS:
        faults.append(Fault("/fields/sections", "too_deep", f"Sections are at most {MAX_LEVELS} levels deep."))
    if twice:
        faults.append(Fault("/fields/sections", "id_twice", f"The section id {twice[0]} occurs twice."))
    try:
        refuse_twins(nodes)
    except ValueError as error:
        faults.append(Fault("/fields/sections", "slug_taken", str(error)))
    return faults


def _removed(sections: list[dict[str, Any]], said: list[dict[str, Any]], before: SectionTree) -> list[dict[str, Any]]:
    """What is told of each section that was in the tree once and is not now."""
    here = {section.id for section in SectionTree(sections)}
    found = {one["section"]: one for one in said if one["section"] not in here}
    for id, was in before.removed.items():
        if id not in here and id not in found:
            found[id] = {"section": id, "name": dict(was.name), "into": was.into, "entries": was.entries}
    for section in before:
        if section.id not in here and section.id not in found:
            found[section.id] = {"section": section.id, "name": dict(section.name), "into": None, "entries": None}
    return list(found.values())


def _removed_faults(tree: SectionTree, removed: list[dict[str, Any]]) -> Iterator[Fault]:
    for index, one in enumerate(removed):
        if one["into"] is None:
            continue
        at = f"/fields/removed/{index}/into"
        if one["into"] not in tree and one["into"] not in tree.removed:
            yield Fault(at, "unknown_section", "There is no such section in the site structure.")
        elif _goes_round(tree, one["section"]):
            yield Fault(at, "loop", "Removed sections cannot stand in for each other in a circle.")


def _goes_round(tree: SectionTree, section: str | None) -> bool:
    seen: set[str] = set()
    while section is not None and section in tree.removed:
        if section in seen:
            return True
        seen.add(section)
        section = tree.removed[section].into
    return False


def _refuse_losses(session: Session, before: SectionTree, tree: SectionTree) -> None:
    """A section that entries still stand in cannot be dropped silently: they would lose their paths."""
    known = [*(section.id for section in before), *(id for id in before.removed if before.fate(id)[0] is not None)]
    lost = [id for id in known if id not in tree and tree.fate(id)[0] is None]
    for id, there in sorted(standing(session, lost).items()):
        ids = session.scalars(select(Entry.id).where(_stands_in(id)).order_by(Entry.id).limit(_SHOWN))
        raise InUse(id, [(one, "/section") for one in ids], there.total)


def _stands_in(section_id: str) -> ColumnElement[bool]:
    live = select(Publication.entry_id).where(Publication.section == section_id)
    return or_((Entry.section == section_id) & Entry.trashed_at.is_(None), Entry.id.in_(live))


def _named(node: SectionNode, locales: tuple[str, ...]) -> SectionNode:
    everywhere = node.name.get("*")
    names = {locale: node.name.get(locale, everywhere) for locale in locales} if everywhere else node.name
    named = {locale: name for locale, name in {**names, **node.name}.items() if locale != "*" and name is not None}
    return node.model_copy(update={"name": named, "children": [_named(child, locales) for child in node.children]})
