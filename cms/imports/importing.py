"""Bringing what a spool holds: people, sections, and entries keyed by the source's own ids."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cms import addresses, bringing, people, publishing, saving, snapshots, structure, usages
from cms.addresses import Address
from cms.attribution import By
from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.errors import Fault, Forbidden, StaleRevision
from cms.identity import new_id
from cms.import_formats import Author
from cms.imports.jobs import OnConflict
from cms.imports.reading import Prepared
from cms.imports.spool import Known
from cms.json_columns import among
from cms.rights import SITE_WIDE
from cms.saving import Draft, Saved, Source
from cms.section_tree import copied
from cms.snapshots import Seen, revision_of
from cms.tables.entries import Entry, Usage
from cms.tables.people import Person

Outcome = Literal["made", "changed", "same", "conflict", "refused"]

# What rows may be: the others hold more than a row can tell, or are settled by the job itself.
_NEVER = frozenset({"image", "file", "structure", "settings"})
# What runs on every page of the site is not for who may publish texts.
_FOR_ADMINISTRATORS = frozenset({"counter"})


@dataclass(frozen=True)
class Setting:
    """What holds for all rows of a job: `sections`: ids by paths of slugs; `base`: where rows without a section stand;
    `coming`: the ids of entries that are there when the job has ended; `closed`: the ids of sections in which the actor
    brings in nothing."""

    source: str
    types: Mapping[str, ContentType]
    locale: str
    publish: bool
    on_conflict: OnConflict = "list"
    sections: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    base: str | None = None
    coming: Container[str] = ()
    closed: Collection[str] = frozenset()


@dataclass(frozen=True)
class Brought:
    """What became of a row. `before`, `after`: the entry's revisions; `live_before`: which was published."""

    outcome: Outcome
    entry_id: str | None
    before: int | None = None
    after: int | None = None
    live_before: int | None = None
    fault: Fault | None = None
    decision: str | None = None
    warnings: tuple[Fault, ...] = ()
    diff: list[dict[str, Any]] | None = None


def types_of_rows(session: Session, *, by: By) -> dict[str, ContentType]:
    """The content types that rows may have."""
    left_out = _NEVER if by.actor.role == "administrator" else _NEVER | _FOR_ADMINISTRATORS
    return {name: found for name, found in site_types.all_of(session).items() if name not in left_out}


def known(session: Session, source: str, external_ids: Collection[str]) -> dict[str, Known]:
    """What a source brought before, of some of its own ids. What lies in the trash is read in any case."""
    e = Entry
    rows = session.execute(
        select(e.source_id, e.id, e.source_digest, e.first_published_at, e.trashed_at).where(
            e.source_name == source, among(e.source_id, external_ids)
        )
    )
    return {
        row.source_id: Known(
            row.id, None if row.trashed_at is not None else row.source_digest, row.first_published_at is None
        )
        for row in rows
    }


# --- what is settled before the first entry ---


def settle_people(session: Session, authors: Sequence[Author], *, source: str, by: By) -> int:
    """A person for each author, made or brought up to date. Gives how many were made."""
    found = _persons(session, source, [author.key for author in authors])
    made = 0
    for author in authors:
        person = found.get(author.key)
        if person is None:
            made += 1
            _make_person(session, author, source=source, by=by)
        elif author.name != author.key and (person.name, person.url) != (author.name, author.url):
            people.change(session, person, {"name": author.name, "url": author.url}, by=by)
    session.flush()
    return made


def _make_person(session: Session, author: Author, *, source: str, by: By) -> None:
    email = author.email.strip().lower() if author.email else None
    # A colleague of that address has a name here already: authors of a source are people of their own.
    taken = email is not None and session.scalar(select(Person.id).where(Person.email == email)) is not None
    people.add(
        session,
        name=author.name,
        email=None if taken else email,
        url=author.url,
        source=source,
        external_id=author.key,
        by=by,
    )


def _persons(session: Session, source: str, keys: Collection[str]) -> dict[str, Person]:
    if not keys:
        return {}
    wanted = select(Person).where(Person.source == source, among(Person.external_id, keys))
    return {person.external_id or "": person for person in session.scalars(wanted)}


def missing_people(session: Session, authors: Sequence[Author], *, source: str) -> int:
    """How many of some authors would be made."""
    return len({author.key for author in authors} - _persons(session, source, [one.key for one in authors]).keys())


@dataclass(frozen=True)
class SettledSections:
    """The ids of sections by their paths, how many were made, and what became of the structure; None: nothing."""

    ids: Mapping[tuple[str, ...], str]
    made: int
    brought: Brought | None


def settle_sections(
    session: Session,
    wanted: Mapping[tuple[str, ...], str],
    *,
    base: str | None,
    by: By,
    publish: bool,
    with_drafts: bool = True,
) -> SettledSections:
    """A section for each path of slugs, given with its name, below the section `base`. All above it is among them.

    Without `with_drafts` the structure is published only when nobody had a draft of it."""
    entry = structure.entry(session)
    before, live_before = entry.revision, entry.published_revision
    sections: list[dict[str, Any]] = copied(revision_of(session, entry).fields.get("sections") or [])
    roots = sections if base is None else _node(sections, base)["children"]
    ids: dict[tuple[str, ...], str] = {}
    made = 0
    for path, name in sorted(wanted.items()):
        siblings = roots if len(path) == 1 else _node(sections, ids[path[:-1]])["children"]
        node = next((one for one in siblings if _has_slug(one, path[-1])), None)
        if node is None:
            node = {"id": new_id(), "slug": path[-1], "name": {"*": name or path[-1]}, "children": []}
            siblings.append(node)
            made += 1
        ids[path] = node["id"]
    if made:
        saving.save(session, entry, {"fields": {"sections": sections}}, expected=Seen(before, _folds(session)), by=by)
    due = publish and bool(wanted) and entry.published_revision != entry.revision
    to_publish = due and (with_drafts or live_before == before)
    if to_publish:
        publishing.publish(session, entry, by=by)
    if not made and not to_publish:
        return SettledSections(ids, 0, None)
    said = () if to_publish or not due else (_NOT_PUBLISHED,)
    return SettledSections(ids, made, Brought("changed", entry.id, before, entry.revision, live_before, warnings=said))


_NOT_PUBLISHED = Fault(
    "/sections",
    "structure_not_published",
    "The structure has changes of somebody else's that are not published, so the new sections are not, either: what"
    " stands in them has no path until an administrator publishes the structure.",
)


def _folds(session: Session) -> int:
    return revision_of(session, structure.entry(session)).folds


def _node(sections: list[dict[str, Any]], id: str) -> dict[str, Any]:
    for node in sections:
        if node["id"] == id:
            return node
        below = _node(node.get("children") or [], id)
        if below:
            return below
    return {}


def missing_sections(session: Session, wanted: Mapping[tuple[str, ...], str], *, base: str | None) -> SettledSections:
    """The ids of those sections that are there, and how many would be made."""
    tree = structure.newest_tree(session)
    ids: dict[tuple[str, ...], str] = {}
    for path in sorted(wanted):
        above = base if len(path) == 1 else ids.get(path[:-1])
        if above is None and (len(path) > 1 or base is not None):
            continue
        parent = tree.section(above) if above is not None else None
        children = tree.roots if above is None else (parent.children if parent else ())
        found = (tree.section(one) for one in children)
        match = next((one.id for one in found if one is not None and _has_slug({"slug": one.slug}, path[-1])), None)
        if match is not None:
            ids[path] = match
    return SettledSections(ids, len(wanted) - len(ids), None)


def _has_slug(node: Mapping[str, Any], slug: str) -> bool:
    own = node["slug"]
    return own == slug if isinstance(own, str) else slug in own.values()


# --- entries ---


@dataclass(frozen=True)
class Looked:
    """What the database has that some rows are about: entries by the source's ids, persons by their keys."""

    entries: Mapping[str, Entry]
    persons: Mapping[str, str]


def look_ahead(session: Session, ready: Collection[Prepared], setting: Setting) -> Looked:
    """A few statements for a whole batch, instead of some for each row."""
    wanted = [
        Address(row.item.locale or setting.locale, _section(row, setting), row.item.slug)
        for row in ready
        if row.item.slug is not None
    ]
    addresses.look_up(session, wanted)
    ids = [row.item.external_id for row in ready]
    mine = select(Entry).where(Entry.source_name == setting.source, among(Entry.source_id, ids))
    entries = {entry.source_id or "": entry for entry in session.scalars(mine)}
    keys = sorted({author.key for row in ready for author in row.item.byline})
    persons = _persons(session, setting.source, keys)
    return Looked(entries, {key: person.id for key, person in persons.items()})


def _section(row: Prepared, setting: Setting) -> str | None:
    return setting.sections.get(row.item.section) if row.item.section else setting.base


def bring(session: Session, row: Prepared, setting: Setting, looked: Looked, *, by: By) -> Brought:
    """Make or change one entry, and publish it if that is wanted and the row is no draft. An entry that a person has
    changed since is a conflict, and becomes what the job says of conflicts. Raises `Refusal`s."""
    entry = looked.entries.get(row.item.external_id)
    _refuse_closed(row, setting, entry)
    conflict = None if entry is None else _conflict(session, entry, by=by)
    if conflict is not None and (setting.on_conflict == "list" or conflict.code != "stale"):
        return _told_conflict(entry, conflict)
    decision = None if conflict is None else setting.on_conflict
    return put(session, row, setting, looked, by=by, decision=decision)


def put(
    session: Session, row: Prepared, setting: Setting, looked: Looked, *, by: By, decision: str | None = None
) -> Brought:
    """The same without looking at who changed the entry: a `decision` of `overwrite` or `draft` goes over it."""
    entry = looked.entries.get(row.item.external_id)
    before, live_before = (entry.revision, entry.published_revision) if entry is not None else (None, None)
    saved, outcome = _saved(session, row, setting, looked, entry=entry, by=by, forced=decision is not None)
    held = saved.entry
    wanted = setting.publish and not row.item.draft and decision != "draft"
    if wanted and (outcome != "same" or held.first_published_at is None):
        publishing.publish(
            session,
            held,
            by=by,
            revision=saved.revision,
            rendered=row.rendered,
            published_at=_past(row.item.first_published_at, by.at),
        )
        outcome = "changed" if outcome == "same" else outcome
    return Brought(outcome, held.id, before, held.revision, live_before, decision=decision, warnings=saved.warnings)


def _refuse_closed(row: Prepared, setting: Setting, entry: Entry | None) -> None:
    if row.type in SITE_WIDE:
        return
    standing = None if entry is None else entry.section
    if any(one in setting.closed for one in (_nearest(row, setting), standing)):
        raise Forbidden("import", row.type)


def _nearest(row: Prepared, setting: Setting) -> str | None:
    """The section where a row will stand, or the nearest above it that is there already."""
    path = row.item.section
    above = (setting.sections.get(path[:depth]) for depth in range(len(path), 0, -1))
    return next((one for one in above if one is not None), setting.base)


def _conflict(session: Session, entry: Entry, *, by: By) -> Fault | None:
    if entry.trashed_at is not None:
        return Fault("", "trashed", "The entry lies in the trash: take it out first, or leave it there.")
    try:
        snapshots.refuse_stale(session, entry, entry.source_revision or 0, by=by)
    except StaleRevision as stale:
        changed = ", ".join(stale.changed) or "something"
        said = f"{stale.actor_name} saved revision {stale.current} since the last import: {changed}."
        return Fault("", "stale", said)
    return None


def _told_conflict(entry: Entry | None, conflict: Fault) -> Brought:
    if entry is None:
        return Brought("conflict", None, fault=conflict)
    return Brought("conflict", entry.id, entry.revision, None, entry.published_revision, fault=conflict)


def _saved(
    session: Session,
    row: Prepared,
    setting: Setting,
    looked: Looked,
    *,
    entry: Entry | None,
    by: By,
    forced: bool,
) -> tuple[Saved, Outcome]:
    content_type = setting.types[row.type]
    source = Source(setting.source, row.item.external_id, row.digest)
    draft = _draft(row, setting, looked)
    if entry is None:
        return _made(session, content_type, row, draft, source=source, by=by), "made"
    expected = Seen(entry.revision, revision_of(session, entry).folds) if forced else None
    dated = _dated(by, row.item.changed_at, not_before=revision_of(session, entry).saved_at)
    brought = bringing.bring_read(session, content_type, draft, entry=entry, source=source, by=dated, expected=expected)
    return brought.saved, brought.outcome


def _draft(row: Prepared, setting: Setting, looked: Looked) -> Draft:
    item = row.item
    return Draft(
        locale=item.locale or setting.locale,
        fields=row.fields,
        section=_section(row, setting),
        slug=item.slug,
        byline=tuple(looked.persons[author.key] for author in item.byline if author.key in looked.persons),
        coming=setting.coming,
        derived=row.derived,
        warnings=row.warnings,
    )


def _made(session: Session, content_type: ContentType, row: Prepared, draft: Draft, *, source: Source, by: By) -> Saved:
    """A new entry with what it was before, if the source tells: each earlier content is a revision of its own date."""
    item = row.item
    changed = item.changed_at or item.created_at
    created = _created(row)
    first, *rest = [*_earlier(row, draft, by), (draft, _dated(by, changed))]
    saved = saving.bring(session, content_type, first[0], by=first[1], source=source, entry_id=row.entry_id)
    entry = saved.entry
    if rest:
        session.flush()
    for later, dated in rest:
        slug = later.slug or entry.slug
        snapshot = replace(snapshots.snapshot_of(saved.revision), fields=dict(later.fields), slug=slug)
        saved = saving.put(session, entry, snapshot, by=dated, coming=draft.coming)
    if created is not None and created <= by.at:
        entry.created_at = created
    entry.source_revision = entry.revision
    warnings = saved.warnings if not rest else draft.warnings + saved.warnings
    return replace(saved, warnings=warnings)


def _earlier(row: Prepared, draft: Draft, by: By) -> Iterable[tuple[Draft, By]]:
    for past in row.history:
        note = past.note or (f"by {past.by.name}" if past.by is not None else by.note)
        earlier = replace(draft, fields=past.fields, derived=past.derived, warnings=())
        yield earlier, replace(_dated(by, past.at), note=note)


def _created(row: Prepared) -> datetime | None:
    item = row.item
    dates = [item.created_at, *(past.at for past in row.history[:1])]
    if item.changed_at is not None:
        dates += [item.first_published_at, item.changed_at]
    known_dates = [one for one in dates if one is not None]
    return item.created_at or (min(known_dates) if known_dates else None)


def _dated(by: By, at: datetime | None, *, not_before: datetime | None = None) -> By:
    """A date of the source, unless it is in the future or before what is there already."""
    if at is None or at > by.at or (not_before is not None and at < not_before):
        return by
    return replace(by, dated=at)


def _past(instant: datetime | None, now: datetime) -> datetime | None:
    """A date in the future is a source's wish, not a fact."""
    return instant if instant is not None and instant <= now else None


# --- what would be ---


def would_bring(
    session: Session,
    row: Prepared,
    setting: Setting,
    looked: Looked,
    *,
    by: By,
    is_taken: Callable[[Address], bool],
) -> Brought:
    """What `bring` would do, with the diff of what would be changed; nothing is written. `is_taken` tells whether an
    earlier row would stand at an address. Raises `Refusal`s."""
    entry = looked.entries.get(row.item.external_id)
    _refuse_closed(row, setting, entry)
    conflict = None if entry is None else _conflict(session, entry, by=by)
    if conflict is not None and (setting.on_conflict == "list" or conflict.code != "stale"):
        return _told_conflict(entry, conflict)
    content_type = setting.types[row.type]
    would = bringing.would_bring(
        session, content_type, _draft(row, setting, looked), entry=entry, external_id=row.item.external_id
    )
    is_new_section = bool(row.item.section) and row.item.section not in setting.sections
    if content_type.routable and row.item.slug is not None:
        place = "/".join(row.item.section) if is_new_section else _section(row, setting)
        address = Address(row.item.locale or setting.locale, place, row.item.slug)
        bringing.refuse_twin_row(session, address, is_taken=is_taken, new_section=is_new_section, entry=entry)
    live = entry is not None and entry.first_published_at is not None
    publishes = setting.publish and not row.item.draft and not live
    outcome: Outcome = "changed" if would.outcome == "same" and publishes else would.outcome
    before = entry.revision if entry is not None else None
    return Brought(
        outcome,
        entry.id if entry is not None else None,
        before,
        live_before=entry.published_revision if entry is not None else None,
        decision=None if conflict is None else setting.on_conflict,
        warnings=would.warnings,
        diff=would.diff,
    )


# --- afterwards ---


def loosen(session: Session, source: str, refused: Collection[str]) -> list[tuple[str, str]]:
    """Forget the fingerprints of rows that refer to entries that did not come: (the source's own id, JSON pointer) of
    each. `refused`: the ids that those would have had."""
    vain = usages.missing(session, refused)
    if not vain:
        return []
    found = session.execute(
        select(Entry.id, Entry.source_id, Usage.pointer)
        .join(Usage, Usage.source_id == Entry.id)
        .where(Entry.source_name == source, among(Usage.target_id, sorted(vain)), Usage.live.is_(False))
        .order_by(Entry.source_id, Usage.pointer)
    ).all()
    ids = sorted({row.id for row in found})
    session.execute(
        update(Entry)
        .where(among(Entry.id, ids))
        .values(source_digest=None)
        .execution_options(synchronize_session=False)
    )
    return [(row.source_id or "", row.pointer) for row in found]
