"""Changing the site structure by operations, all in one revision. What they would do is told by `planning`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cms import collisions, placement_changes, saving, section_settings, site, snapshots, tree_operations
from cms.attribution import By
from cms.collisions import Collisions
from cms.errors import Fault, InvalidContent
from cms.identity import new_id
from cms.section_tree import (
    MAX_LEVELS,
    MAX_SECTIONS,
    SETTINGS,
    Fate,
    SectionTree,
    copied,
    in_locale,
)
from cms.structure import Standing, standing, tree_in_force, tree_of
from cms.tables.entries import Entry
from cms.tree_operations import Add, Impossible, Merge, Move, MoveTo, Remove, Rename, Reorder, Set

Node = dict[str, Any]
Slugs = str | dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """What operations make of a tree: the fields of its revision, the ids of new sections, and what forbids it."""

    fields: dict[str, Any]
    made: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def tree(self) -> SectionTree:
        """The tree that it would be."""
        return tree_of(self.fields)


def change(
    session: Session, structure: Entry, operations: list[dict[str, Any]], *, expected: int, by: By
) -> tuple[saving.Saved, list[str]]:
    """Do the operations in order and save the tree as a draft. Gives the ids of new sections, in order.

    Raises `StaleRevision`, `InvalidContent` naming the operations that cannot be done, and what `save` raises."""
    snapshots.refuse_stale(session, structure, expected, by=by)
    outcome = perform(session, structure, operations)
    faults = list(outcome.faults)
    if not faults:
        found = collisions.of(session, tree_in_force(session), outcome.tree, limit=_SHOWN)
        faults = list(collision_faults(outcome.tree, found, operations))
    if faults:
        raise InvalidContent(faults)
    saved = saving.save(session, structure, {"fields": outcome.fields}, expected=expected, by=by)
    return saved, list(outcome.made)


def perform(session: Session, structure: Entry, operations: list[dict[str, Any]]) -> Outcome:
    """Do the operations on a copy of the newest tree, leaving out those that cannot be done. Writes nothing."""
    fields = snapshots.revision_of(session, structure).fields
    work = _Work(session, copied(fields.get("sections") or []), fields.get("removed") or [])
    work.placements = [dict(one) for one in fields.get("placements") or []]
    faults: list[Fault] = []
    made: list[str] = []
    for index, said in enumerate(operations):
        at = f"/operations/{index}"
        try:
            operation = tree_operations.read(said, at=at)
            made += _DO[operation.op](work, operation)
            work.touched.update(dict.fromkeys(work.last_touched, index))
        except InvalidContent as invalid:
            faults += invalid.faults
        except Impossible as impossible:
            faults.append(Fault(at + impossible.at, impossible.code, impossible.message))
        work.last_touched.clear()
    faults += _shape_faults(work, last=max(0, len(operations) - 1))
    # Where none were said there are none still: history would tell of a change otherwise.
    placements = work.placements or (fields.get("placements") and [])
    changed = {"sections": work.sections, "removed": list(work.removed.values()), "placements": placements}
    return Outcome(changed, tuple(made), tuple(faults))


class _Work:
    """A tree being changed: its sections by id, who is above them, and what was removed."""

    def __init__(self, session: Session, sections: list[Node], removed: list[Node]) -> None:
        self.session = session
        self.sections = sections
        self.placements: list[Node] = []
        self.removed: dict[str, Node] = {one["section"]: dict(one) for one in removed}
        self.nodes: dict[str, Node] = {}
        self.above: dict[str, str | None] = {}
        self.locales = site.locales(session)
        self.locale = self.locales.default
        # The operation that touched a section last: it is to blame for what its place is not fit for.
        self.touched: dict[str, int] = {}
        self.last_touched: list[str] = []
        self.learn(sections, None)

    def learn(self, nodes: list[Node], parent: str | None) -> None:
        for node in nodes:
            self.nodes[node["id"]] = node
            self.above[node["id"]] = parent
            self.learn(node["children"], node["id"])

    def find(self, section_id: str, at: str) -> Node:
        node = self.nodes.get(section_id)
        if node is None:
            raise Impossible("unknown_section", f"There is no section '{section_id[:64]}'.", at)
        return node

    def children(self, parent: str | None, at: str) -> list[Node]:
        children: list[Node] = self.sections if parent is None else self.find(parent, at)["children"]
        return children

    def name(self, node: Node) -> str:
        return in_locale(node["name"], self.locale) or str(node["id"])

    def is_within(self, section_id: str | None, top: str) -> bool:
        while section_id is not None and section_id != top:
            section_id = self.above[section_id]
        return section_id is not None

    def waiting_for(self, ids: set[str]) -> set[str]:
        """The removed sections whose entries go to one of these."""
        return {id for id in self.removed if self._taker(id) in ids}

    def _taker(self, removed: str) -> str | None:
        taker: str | None = removed
        while taker is not None and taker not in self.nodes:
            told = self.removed[taker]
            taker = told["into"] if told["entries"] == "moved" else None
        return taker

    def refuse_unknown_locales(self, words: object, at: str) -> None:
        named = words if isinstance(words, dict) else {}
        unknown = [one for one in named if one != "*" and one not in self.locales.all]
        if unknown:
            known = ", ".join(self.locales.all)
            raise Impossible("unknown_locale", f"The site has no locale '{unknown[0][:35]}'. It has: {known}.", at)

    def put(self, node: Node, parent: str | None, position: int | None, at: str) -> None:
        siblings = self.children(parent, at)
        siblings.insert(len(siblings) if position is None else position, node)
        self.nodes[node["id"]] = node
        self.above[node["id"]] = parent
        self.last_touched.append(node["id"])

    def take(self, node: Node) -> None:
        siblings = self.children(self.above.pop(node["id"]), "")
        siblings[:] = [one for one in siblings if one is not node]

    def forget(self, node: Node, *, into: str | None, entries: Fate | None) -> None:
        del self.nodes[node["id"]]
        self.above.pop(node["id"], None)
        tombstone = {"section": node["id"], "name": node["name"], "into": into, "entries": entries}
        self.removed[node["id"]] = tombstone


# --- the operations ---


def _add(work: _Work, operation: Add) -> list[str]:
    if operation.id is not None and (operation.id in work.nodes or operation.id in work.removed):
        raise Impossible("id_taken", f"There is, or was, a section '{operation.id}' already.", "/id")
    work.refuse_unknown_locales(operation.slug, "/slug")
    work.refuse_unknown_locales(operation.name, "/name")
    node: Node = {"id": operation.id or new_id(), "slug": operation.slug, "name": operation.name, "children": []}
    work.put(node, operation.parent, operation.position, "/parent")
    return [str(node["id"])]


def _rename(work: _Work, operation: Rename) -> list[str]:
    node = work.find(operation.section, "/section")
    work.refuse_unknown_locales(operation.slug, "/slug")
    work.refuse_unknown_locales(operation.name, "/name")
    if operation.slug is not None:
        node["slug"] = _slugs(work, node["slug"], operation.slug)
    if operation.name is not None:
        node["name"] = {**node["name"], **operation.name} if "*" not in operation.name else operation.name
    work.last_touched.append(node["id"])
    return []


def _slugs(work: _Work, before: Slugs, said: Slugs) -> Slugs:
    """A slug for every locale, or those of the locales that are named beside what the others have."""
    if isinstance(said, str) or "*" in said:
        return said
    kept = {locale: slug for locale in work.locales.all if (slug := in_locale(before, locale)) is not None}
    return {**kept, **said}


def _move(work: _Work, operation: Move) -> list[str]:
    node = work.find(operation.section, "/section")
    work.children(operation.parent, "/parent")
    if work.is_within(operation.parent, node["id"]):
        raise _cycle(work, node, operation.parent, "/parent", "moved")
    work.take(node)
    work.put(node, operation.parent, operation.position, "/parent")
    return []


def _cycle(work: _Work, node: Node, other: str | None, at: str, done: str) -> Impossible:
    name = work.name(node)
    if other == node["id"]:
        return Impossible("cycle", f"The section “{name}” cannot be {done} into itself.", at)
    below = work.name(work.nodes[str(other)])
    said = f"The section “{name}” cannot be {done} into “{below}”, which stands below it."
    return Impossible("cycle", said, at)


def _reorder(work: _Work, operation: Reorder) -> list[str]:
    siblings = work.children(operation.parent, "/parent")
    by_id = {node["id"]: node for node in siblings}
    if sorted(by_id) != sorted(operation.sections):
        raise Impossible("incomplete", "Name each section of this level once.", "/sections")
    siblings[:] = [by_id[one] for one in operation.sections]
    return []


def _merge(work: _Work, operation: Merge) -> list[str]:
    node = work.find(operation.section, "/section")
    into = work.find(operation.into, "/into")
    if work.is_within(into["id"], node["id"]):
        raise _cycle(work, node, into["id"], "/into", "merged")
    work.take(node)
    for child in node["children"]:
        work.put(child, into["id"], None, "/into")
    work.forget(node, into=into["id"], entries="moved")
    work.last_touched.append(into["id"])
    return []


def _remove(work: _Work, operation: Remove) -> list[str]:
    node = work.find(operation.section, "/section")
    below = list(_all_below(node))
    into, fate = _fate(work, operation, node)
    if fate is None:
        _refuse_unsaid(work, node, below)
    work.take(node)
    for one in below:
        work.forget(one, into=into, entries=fate)
    return []


def _fate(work: _Work, operation: Remove, node: Node) -> tuple[str | None, Fate | None]:
    if not isinstance(operation.entries, MoveTo):
        return None, operation.entries
    to = work.find(operation.entries.move_to, "/entries/move_to")
    if work.is_within(to["id"], node["id"]):
        said = f"The entries cannot be moved to “{work.name(to)}”: it is removed, too. Choose a section that stays."
        raise Impossible("removed_too", said, "/entries/move_to")
    return to["id"], "moved"


def _all_below(node: Node) -> Iterator[Node]:
    yield node
    for child in node["children"]:
        yield from _all_below(child)


def _refuse_unsaid(work: _Work, node: Node, below: list[Node]) -> None:
    """Entries stand in what shall be removed, and nobody said what becomes of them."""
    ids = {str(one["id"]) for one in below}
    # Entries that are on their way into one of these sections, since theirs was removed in this draft, count too.
    there = standing(work.session, ids | work.waiting_for(ids)).values()
    total = Standing(sum(one.published for one in there), sum(one.drafts for one in there))
    if total.total:
        said = (
            f"In “{work.name(node)}” and below stand {total.published} published entries and {total.drafts} drafts. "
            'Say what becomes of them: "entries": {"move_to": "<section id>"} moves them, "gone" takes them off the '
            'site with a word that they are gone, "trash" puts them into the trash.'
        )
        raise Impossible("entries_unsaid", said, "/entries")


def _set(work: _Work, operation: Set) -> list[str]:
    node = work.find(operation.section, "/section")
    said = {name: value for name, value in operation.model_dump(mode="json").items() if name in SETTINGS}
    said = {name: said[name] for name in operation.model_fields_set if name in SETTINGS}
    faults = [*section_settings.faults(work.session, [("", said)])]
    faults += section_settings.reference_faults(work.session, [("", said)])
    if faults:
        raise Impossible(faults[0].code, faults[0].message, faults[0].pointer)
    node.update(said)
    return []


_DO: Mapping[str, Callable[[_Work, Any], list[str]]] = {
    "add": _add,
    "rename": _rename,
    "move": _move,
    "reorder": _reorder,
    "merge": _merge,
    "remove": _remove,
    "set": _set,
    "add_placement": lambda work, operation: placement_changes.add(work.session, work.placements, operation),
    "set_placement": lambda work, operation: placement_changes.change(work.session, work.placements, operation),
    "remove_placement": lambda work, operation: placement_changes.remove(work.placements, operation),
}


# --- what the tree must not be in the end ---


def _shape_faults(work: _Work, *, last: int) -> Iterator[Fault]:
    if len(work.nodes) > MAX_SECTIONS:
        yield Fault(f"/operations/{last}", "too_many", f"A site has at most {MAX_SECTIONS} sections.")
    deep = [node for level, node in _levels(work.sections, 1) if level > MAX_LEVELS]
    if deep:
        blamed = max((index for one in deep for index in _blamed(work, one["id"])), default=last)
        yield Fault(f"/operations/{blamed}", "too_deep", f"Sections are at most {MAX_LEVELS} levels deep.")
    for parent in dict.fromkeys(work.above[id] for id in work.touched if id in work.above):
        yield from _twins(work, work.children(parent, ""), last=last)


def _blamed(work: _Work, section: str | None) -> Iterator[int]:
    while section is not None:
        if section in work.touched:
            yield work.touched[section]
        section = work.above[section]


def _levels(nodes: list[Node], level: int) -> Iterator[tuple[int, Node]]:
    for node in nodes:
        yield level, node
        yield from _levels(node["children"], level + 1)


def _twins(work: _Work, siblings: list[Node], *, last: int) -> Iterator[Fault]:
    seen: dict[tuple[str, str], Node] = {}
    told: set[tuple[str, str]] = set()
    locales = {locale for node in siblings if isinstance(node["slug"], dict) for locale in node["slug"]} | {"*"}
    for node in siblings:
        for locale in sorted(locales):
            slug = in_locale(node["slug"], locale)
            twin = node if slug is None else seen.setdefault((locale, slug), node)
            if twin is node or (twin["id"], node["id"]) in told:
                continue
            told.add((twin["id"], node["id"]))
            blamed = max(work.touched.get(node["id"], -1), work.touched.get(twin["id"], -1))
            said = f"“{work.name(twin)}” and “{work.name(node)}” would stand beside each other with the slug '{slug}'."
            yield Fault(f"/operations/{blamed if blamed >= 0 else last}", "slug_taken", said)


# --- entries that would meet ---

_SHOWN = 20


def collision_faults(tree: SectionTree, found: Collisions, operations: list[dict[str, Any]]) -> Iterator[Fault]:
    """What forbids operations that bring entries together which have one slug, the first of them."""
    for one in found.first[:_SHOWN]:
        section = tree.section(one.section)
        name = (section and in_locale(section.name, "*")) or one.section
        said = f"In “{name}” these entries would share the slug '{one.slug}' in {one.locale}: {', '.join(one.entries)}."
        if found.total > 1:
            said += f" There are {found.total} such slugs."
        yield Fault(f"/operations/{_cause(operations, one.section)}", "slug_taken", said)


def _cause(operations: list[dict[str, Any]], section: str) -> int:
    """The operation that brings entries into a section."""
    for index in reversed(range(len(operations))):
        said = operations[index]
        to = said.get("entries")
        if said.get("into") == section or (isinstance(to, dict) and to.get("move_to") == section):
            return index
    return max(0, len(operations) - 1)
