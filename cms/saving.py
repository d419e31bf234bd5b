"""The one way to save. Every change of an entry's content is a new revision, made here."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from cms import addresses, banner_warnings, checking, content, events, file_uses, menus, usages
from cms.attribution import By
from cms.content import Derived
from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.database import forget
from cms.errors import Fault, WrongState
from cms.identity import new_id
from cms.rich_text import Resolve
from cms.snapshots import Snapshot, find, refuse_stale, refuse_trashed, revision_of, snapshot_of
from cms.tables.attributed import attribution
from cms.tables.entries import Entry, Revision
from cms.tables.events import Event
from cms.tables.publications import Schedule

_AUTOSAVES_FOLD_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Source:
    """Where an entry comes from: a source's name and the id there. `digest` is the row that was brought."""

    name: str
    external_id: str
    digest: str | None = None


@dataclass(frozen=True)
class Saved:
    """The entry as it is now, and what of the given values did not fit. `made`: a new revision was needed."""

    entry: Entry
    revision: Revision
    warnings: tuple[Fault, ...] = ()
    made: bool = True


@dataclass(frozen=True)
class Draft:
    """What the caller wants saved, whole. A slug of None is made from the title.

    `coming` has the ids of entries that the caller will make later and may be referred to already; `derived` what
    `content.derive` says of the fields, if that was done before."""

    locale: str
    fields: Mapping[str, Any]
    section: str | None = None
    slug: str | None = None
    owner_id: str | None = None
    byline: tuple[str, ...] = ()
    translation_of: str | None = None
    coming: Container[str] = ()
    derived: Derived | None = None
    warnings: tuple[Fault, ...] = field(default=())


def create(
    session: Session,
    type_name: str,
    draft: Draft,
    *,
    by: By,
    source: Source | None = None,
    entry_id: str | None = None,
) -> Saved:
    """Make an entry with its first revision. Raises `InvalidContent`, `AddressTaken`, `WrongState`."""
    content_type = site_types.find(session, type_name)
    if source is not None:
        _refuse_known(session, source)
    read = content.read(content_type, draft.fields)
    draft = replace(draft, fields=read.fields, warnings=read.warnings)
    return bring(session, content_type, draft, by=by, source=source, entry_id=entry_id)


def bring(
    session: Session,
    content_type: ContentType,
    draft: Draft,
    *,
    by: By,
    source: Source | None = None,
    entry_id: str | None = None,
) -> Saved:
    """Make an entry of values that `content.read` has already checked (an import reads them elsewhere)."""
    if content_type.single and _one_exists(session, content_type):
        raise WrongState("single_type", f"The site has its {content_type.name} already: change that one.")
    title = str(draft.fields.get("title") or "")
    snapshot = Snapshot(
        locale=draft.locale,
        section=draft.section,
        slug=draft.slug,
        owner_id=draft.owner_id,
        byline=draft.byline,
        fields=dict(draft.fields),
    )
    named = menus.named(session, content_type, snapshot)
    known = draft.derived if named is snapshot else None
    snapshot, derived = named, known or content.derive(content_type, named.fields)
    checked = checking.checked(session, content_type, snapshot, references=derived.references, coming=draft.coming)
    snapshot = addresses.with_slug(session, content_type, checked.snapshot, title=title)
    made = new_id() if entry_id is None else entry_id
    entry = Entry(
        id=made,
        type=content_type.name,
        locale=snapshot.locale,
        section=snapshot.section,
        slug=snapshot.slug,
        title=title,
        owner_id=snapshot.owner_id,
        translation_group=_translation_group(session, draft) or made,
        revision=1,
        searched=derived.searched,
        compared=derived.compared,
        created_at=by.written_at,
        created_by=by.actor.id,
        changed_at=by.written_at,
        source_name=source and source.name,
        source_id=source and source.external_id,
        source_digest=source and source.digest,
        source_revision=1 if source else None,
    )
    session.add(entry)
    revision = _add_revision(session, entry, snapshot, of=content_type, by=by)
    usages.note(session, entry.id, derived.references, live=False, new=True)
    events.record(session, "entry.created", by=by, entry=entry)
    told = banner_warnings.of(session, entry, snapshot, at=by.at)
    return Saved(entry, revision, draft.warnings + checked.warnings + told)


def save(
    session: Session,
    entry: Entry,
    patch: Mapping[str, Any],
    *,
    expected: int,
    by: By,
    autosave: bool = False,
    resolve: Resolve | None = None,
) -> Saved:
    """Change an entry by a merge patch of `locale, section, slug, owner_id, byline, fields`, made against revision
    `expected`. A patch that changes nothing makes no revision.

    Raises `StaleRevision`, `InvalidContent`, `AddressTaken`."""
    refuse_stale(session, entry, expected, by=by)
    refuse_trashed(entry)
    content_type = site_types.find(session, entry.type)
    newest = revision_of(session, entry)
    before = snapshot_of(newest)
    fields = content.merge(content_type, before.fields, patch.get("fields") or {})
    read = content.read(content_type, fields, resolve=resolve, stored=before.fields)
    changes = {name: value for name, value in patch.items() if name in _PATCHED}
    after = replace(before, **changes, fields=read.fields)
    if content_type.routable and after.slug is None:
        after = addresses.with_slug(session, content_type, after, title=str(read.fields["title"]), entry_id=entry.id)
    saved = put(session, entry, after, by=by, autosave=autosave)
    return replace(saved, warnings=read.warnings + saved.warnings)


_PATCHED = frozenset({"locale", "section", "slug", "owner_id", "byline"})


def put(
    session: Session,
    entry: Entry,
    snapshot: Snapshot,
    *,
    by: By,
    autosave: bool = False,
    restored_from: int | None = None,
    coming: Container[str] = (),
) -> Saved:
    """Make a whole content the entry's newest revision, unless it is so already."""
    content_type = site_types.find(session, entry.type)
    newest = revision_of(session, entry)
    snapshot = menus.named(session, content_type, snapshot, entry_id=entry.id)
    derived = content.derive(content_type, snapshot.fields)
    checked = checking.checked(session, content_type, snapshot, references=derived.references, coming=coming)
    snapshot = checked.snapshot
    if snapshot_of(newest) == snapshot and restored_from is None and (autosave or not newest.autosave):
        return Saved(entry, newest, checked.warnings, made=False)
    if snapshot.locale != entry.locale:
        _refuse_twin(session, entry.translation_group, snapshot.locale)
    if content_type.routable:
        addresses.refuse_taken(session, snapshot, entry_id=entry.id)
    place = _place(snapshot_of(newest))
    folds = autosave and _folds(session, newest, by)
    _advance(session, entry, snapshot, derived, by=by, number=entry.revision if folds else entry.revision + 1)
    if folds:
        revision = _fold(session, newest, snapshot, of=content_type, by=by)
    else:
        revision = _add_revision(
            session, entry, snapshot, of=content_type, by=by, autosave=autosave, restored_from=restored_from
        )
    usages.note(session, entry.id, derived.references, live=False, new=False)
    if content_type.single:
        forget(session)
    events.record(session, "entry.saved", by=by, entry=entry, autosave=autosave, restored_from=restored_from)
    told = banner_warnings.of(session, entry, snapshot, at=by.at)
    in_menus = _in_menus(session, entry, moved=place != _place(snapshot))
    return Saved(entry, revision, (*checked.warnings, *told, *in_menus))


def _place(snapshot: Snapshot) -> tuple[str, str | None, str | None]:
    return snapshot.locale, snapshot.section, snapshot.slug


def _in_menus(session: Session, entry: Entry, *, moved: bool) -> tuple[Fault, ...]:
    if not moved or entry.published_revision is None:
        return ()
    return menus.holding(session, entry.id, said="its link will follow when you publish the new address.")


# --- the writes ---
def _translation_group(session: Session, draft: Draft) -> str | None:
    if draft.translation_of is None:
        return None
    original = find(session, draft.translation_of)
    _refuse_twin(session, original.translation_group, draft.locale)
    return original.translation_group


def _refuse_twin(session: Session, translation_group: str, locale: str) -> None:
    wanted = select(Entry.id).where(Entry.translation_group == translation_group, Entry.locale == locale)
    twin = session.scalar(wanted)
    if twin is not None:
        raise WrongState("translated", f"The entry has a translation into '{locale}' already: {twin}.")


def _advance(session: Session, entry: Entry, snapshot: Snapshot, derived: Derived, *, by: By, number: int) -> None:
    title = str(snapshot.fields.get("title") or "")
    # The check of rule 5 stands in the UPDATE itself, so that nothing can come between.
    advanced = session.execute(
        update(Entry)
        .where(Entry.id == entry.id, Entry.revision == entry.revision)
        .values(
            revision=number,
            locale=snapshot.locale,
            section=snapshot.section,
            slug=snapshot.slug,
            title=title,
            searched=derived.searched,
            compared=derived.compared,
            owner_id=snapshot.owner_id,
            changed_at=by.written_at,
        )
        .returning(Entry.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not advanced:
        session.refresh(entry)
        refuse_stale(session, entry, number - 1, by=by)
    session.refresh(entry)


def _add_revision(
    session: Session,
    entry: Entry,
    snapshot: Snapshot,
    *,
    of: ContentType,
    by: By,
    autosave: bool = False,
    restored_from: int | None = None,
) -> Revision:
    revision = Revision(
        entry_id=entry.id,
        number=entry.revision,
        begun_at=by.written_at,
        autosave=autosave,
        restored_from=restored_from,
        **_row(snapshot, of, by),
    )
    session.add(revision)
    file_uses.note(session, entry.id, of, snapshot.fields, new=revision.number == 1)
    return revision


def _folds(session: Session, newest: Revision, by: By) -> bool:
    attributed = (newest.actor_kind, newest.actor_id, newest.on_behalf_of, newest.request)
    return (
        newest.autosave
        and attributed == (by.actor.kind, by.actor.id, by.on_behalf_of, by.request)
        and by.at - newest.begun_at < _AUTOSAVES_FOLD_FOR
        and not _is_relied_on(session, newest)
    )


def _is_relied_on(session: Session, revision: Revision) -> bool:
    """Whether the revision was ever published or is scheduled to be: then it is history and stays as it is."""
    published = exists().where(
        Event.entry_id == revision.entry_id, Event.kind == "entry.published", Event.revision == revision.number
    )
    scheduled = exists().where(Schedule.entry_id == revision.entry_id, Schedule.revision == revision.number)
    return bool(session.scalar(select(or_(published, scheduled))))


def _fold(session: Session, newest: Revision, snapshot: Snapshot, *, of: ContentType, by: By) -> Revision:
    for name, value in _row(snapshot, of, by).items():
        setattr(newest, name, value)
    newest.folds += 1
    file_uses.note(session, newest.entry_id, of, snapshot.fields, new=False)
    session.flush()
    return newest


def _row(snapshot: Snapshot, of: ContentType, by: By) -> dict[str, Any]:
    return {
        "locale": snapshot.locale,
        "section": snapshot.section,
        "slug": snapshot.slug,
        "owner_id": snapshot.owner_id,
        "byline": list(snapshot.byline),
        "fields": snapshot.fields,
        "type_revision": of.revision,
        "saved_at": by.written_at,
        **attribution(by),
    }


def _refuse_known(session: Session, source: Source) -> None:
    wanted = select(Entry.id).where(Entry.source_name == source.name, Entry.source_id == source.external_id)
    known = session.scalar(wanted)
    if known is not None:
        raise WrongState("source_known", f"{source.name} has brought {source.external_id} before: as entry {known}.")


def _one_exists(session: Session, content_type: ContentType) -> bool:
    return bool(session.scalar(select(exists().where(Entry.type == content_type.name))))
