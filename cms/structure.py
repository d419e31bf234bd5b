"""The tree of sections as editors see it: the newest revision of the `structure` entry."""

from dataclasses import replace

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from cms import site
from cms.content_types import ContentType
from cms.database import remembered
from cms.errors import Fault, InUse
from cms.section_tree import MAX_LEVELS, MAX_SECTIONS, SectionNode, SectionTree, measure, refuse_twins
from cms.snapshots import Snapshot
from cms.tables.entries import Entry, Revision
from cms.tables.publications import Publication

_SHOWN = 100


def entry(session: Session) -> Entry:
    """The one entry of type `structure`."""
    return session.scalars(select(Entry).where(Entry.type == "structure")).one()


def newest_tree(session: Session) -> SectionTree:
    """The tree in its newest revision. Empty before the site is founded."""
    return remembered(session, "newest tree", lambda: _newest_tree(session))


def _newest_tree(session: Session) -> SectionTree:
    row = session.execute(
        select(Entry.id, Revision.number, Revision.saved_at)
        .join(Revision, (Revision.entry_id == Entry.id) & (Revision.number == Entry.revision))
        .where(Entry.type == "structure")
    ).first()
    if row is None:
        return SectionTree([])
    return _tree(session, row.id, row.number, row.saved_at)


def _tree(session: Session, entry_id: str, number: int, saved_at: object) -> SectionTree:
    key = (entry_id, number, saved_at)
    # Looked at once: another thread may keep its own tree between two looks.
    kept_key, tree = _kept.get("tree", (None, None))
    if tree is None or kept_key != key:
        fields = session.scalar(select(Revision.fields).where(Revision.entry_id == entry_id, Revision.number == number))
        tree = SectionTree((fields or {}).get("sections") or [])
        _kept["tree"] = (key, tree)
    return tree


# The newest tree, parsed: a revision is immutable (an autosave's instant tells it from its forerunners).
_kept: dict[str, tuple[object, SectionTree]] = {}


def checked(session: Session, content_type: ContentType, snapshot: Snapshot) -> tuple[Snapshot, list[Fault]]:
    """A structure's sections with names in every locale, and what is wrong with them. Raises `InUse`.

    Other types' contents come back as they are."""
    if content_type.name != "structure":
        return snapshot, []
    nodes = [SectionNode.model_validate(node) for node in snapshot.fields.get("sections") or []]
    faults = _faults(nodes)
    if not faults:
        _refuse_losses(session, nodes)
    locales = site.locales(session).all
    sections = [_named(node, locales).model_dump(mode="json") for node in nodes]
    return replace(snapshot, fields={**snapshot.fields, "sections": sections}), faults


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


def _refuse_losses(session: Session, nodes: list[SectionNode]) -> None:
    """A section that entries still stand in cannot be dropped: they would lose their paths."""
    kept = set()
    open_nodes = list(nodes)
    while open_nodes:
        node = open_nodes.pop()
        kept.add(node.id)
        open_nodes += node.children
    for lost in (section.id for section in newest_tree(session) if section.id not in kept):
        total = session.scalar(select(func.count()).select_from(Entry).where(_stands_in(lost))) or 0
        if total:
            ids = session.scalars(select(Entry.id).where(_stands_in(lost)).limit(_SHOWN))
            raise InUse(lost, [(one, "/section") for one in ids], total)


def _stands_in(section_id: str) -> ColumnElement[bool]:
    live = select(Publication.entry_id).where(Publication.section == section_id)
    return or_((Entry.section == section_id) & Entry.trashed_at.is_(None), Entry.id.in_(live))


def _named(node: SectionNode, locales: tuple[str, ...]) -> SectionNode:
    everywhere = node.name.get("*")
    names = {locale: node.name.get(locale, everywhere) for locale in locales} if everywhere else node.name
    named = {locale: name for locale, name in {**names, **node.name}.items() if locale != "*" and name is not None}
    return node.model_copy(update={"name": named, "children": [_named(child, locales) for child in node.children]})
