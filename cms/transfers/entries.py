"""Entries of another site's export: made with their ids and all their history, or led on where it goes on."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cms import addresses, content, events, file_uses, founding, menus, publishing, structure, usages
from cms import site as site_settings
from cms.attribution import By
from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.database import forget
from cms.errors import Fault, InvalidContent, StaleRevision, WrongState
from cms.export_formats.sitedesk import ENTRY_COLUMNS, columns_of, revision_values
from cms.identity import is_id
from cms.rendering import render
from cms.section_tree import MAX_SLUG, SLUG
from cms.snapshots import fields_of_today, revision_of, snapshot_of
from cms.tables.entries import Departure, Entry, FileUse, Revision, Usage
from cms.tables.people import Person
from cms.tables.publications import Publication, Schedule, ShownFile
from cms.transfers import files as transferred_files
from cms.transfers import plans as transferred_plans
from cms.transfers.rows import instant, row_of, values_of

Line = Mapping[str, Any]
_DERIVED = frozenset({"locale", "section", "slug", "title", "owner_id", "searched", "compared"})
_BESIDE = frozenset({"publication", "schedule", "revisions"})


@dataclass(frozen=True)
class Transferred:
    """What became of a line. `kind`: entry, structure, person, type, file, redirect or site; `before` and `after` are
    the entry's revisions, `live_before` the one that was published."""

    outcome: Literal["made", "changed", "same"]
    kind: str
    entry_id: str | None = None
    before: int | None = None
    after: int | None = None
    live_before: int | None = None
    warnings: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class _Told:
    """An entry's line, checked: its columns, its revisions by number, what is published, what is planned."""

    columns: dict[str, Any]
    of: ContentType
    revisions: dict[int, Revision]
    publication: Mapping[str, Any] | None
    schedule: Schedule | None

    @property
    def id(self) -> str:
        return str(self.columns["id"])

    @property
    def newest(self) -> Revision:
        return self.revisions[self.columns["revision"]]

    @property
    def kind(self) -> str:
        return "structure" if self.of.name == "structure" else "entry"


def bring_entry(session: Session, line: Line, by: By) -> Transferred:
    """Make the entry, or lead it on. Raises `InvalidContent`, `WrongState`, `StaleRevision`, `AddressTaken`."""
    told = _read(session, line)
    entry = session.get(Entry, told.id)
    if entry is not None:
        return _lead_on(session, entry, told, by=by)
    if told.of.single:
        _make_room(session, told.of)
    _refuse_what_does_not_belong(session, told)
    _refuse_twins(session, told)
    entry = Entry(**told.columns, **_derived(told))
    session.add(entry)
    session.flush()
    session.add_all(told.revisions.values())
    session.flush()
    for revision in told.revisions.values():
        _note_files(session, revision, told)
    _settle(session, entry, told, by=by, new=True)
    events.record(session, "entry.created", by=by, entry=entry)
    if told.publication is not None:
        events.record(session, "entry.published", by=by, entry=entry, revision=entry.published_revision)
    return Transferred("made", told.kind, told.id, None, entry.revision, None)


def would_bring_entry(session: Session, line: Line) -> Transferred:
    """What `bring_entry` would do, as far as it can be told without writing. Raises as it does."""
    id = line.get("id")
    entry = session.get(Entry, id) if isinstance(id, str) else None
    if entry is None:
        # What it stands on may come with the lines before it.
        return Transferred("made", "entry", id if isinstance(id, str) else None)
    told = _read(session, line)
    newer = _newer(session, entry, told)
    return Transferred("same" if newer is None else "changed", told.kind, entry.id, entry.revision)


def bring_revision(session: Session, line: Line, _by: By) -> Transferred:
    """Add one of the older revisions of an entry that has come before. Raises `InvalidContent`, `WrongState`."""
    entry = session.get(Entry, line.get("entry_id")) if isinstance(line.get("entry_id"), str) else None
    if entry is None:
        raise WrongState(
            "not_there", "The entry of this revision is not on this site: its line was refused, or is missing."
        )
    values = {name: value for name, value in line.items() if name not in ("line", "entry_id")}
    revision = _revision(session, entry.id, entry.type, values, at="")
    if faults := transferred_files.faults(session, entry.type, [revision]):
        raise InvalidContent(faults)
    known = session.get(Revision, (entry.id, revision.number))
    if known is None and 0 < revision.number < entry.revision:
        session.add(revision)
        session.flush()
        _note_uses(session, site_types.as_it_was(session, entry.type, revision.type_revision), revision)
        return Transferred("made", "entry", entry.id, entry.revision, entry.revision, entry.published_revision)
    if known is None or columns_of(known) != columns_of(revision):
        raise WrongState("differs", "This revision is another on this site, and was left as it is.")
    return Transferred("same", "entry", entry.id)


# --- reading a line ---


def _read(session: Session, line: Line) -> _Told:
    values = {name: value for name, value in line.items() if name not in _BESIDE}
    columns = values_of(Entry, values, but=_DERIVED)
    given = line.get("revisions")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise _fault("/revisions", "bad_value", "An entry has a list of revisions.")
    if not is_id(columns["id"]) or not is_id(columns["translation_group"]):
        raise _fault("/id", "not_an_id", "An entry's id, and that of its translations, is a UUID in lower case.")
    of = site_types.find(session, columns["type"])
    revisions = [
        _revision(session, columns["id"], of.name, one, at=f"/revisions/{index}") for index, one in enumerate(given)
    ]
    by_number = {one.number: one for one in revisions}
    publication, schedule = line.get("publication"), line.get("schedule")
    told = _Told(
        columns,
        of,
        by_number,
        _publication(publication, columns),
        None if schedule is None else transferred_plans.read(_object(schedule, "/schedule"), columns["id"]),
    )
    needed = {columns["revision"], columns["published_revision"] or columns["revision"]}
    needed |= {told.schedule.revision} if told.schedule else set()
    if not needed <= by_number.keys() or not all(0 < number <= columns["revision"] for number in by_number):
        said = "The newest revision, the published and the planned one must be among an entry's, and none after them."
        raise _fault("/revisions", "missing_revision", said)
    return told


def _publication(said: Any, columns: Mapping[str, Any]) -> dict[str, Any] | None:
    if (said is None) != (columns.get("published_revision") is None):
        raise _fault("/publication", "bad_value", "What has a published revision has a publication, and nothing else.")
    if said is None:
        return None
    try:
        at = instant(_object(said, "/publication").get("changed_at"))
    except ValueError as error:
        raise _fault("/publication/changed_at", "bad_value", str(error)) from None
    if columns.get("first_published_at") is None or columns.get("published_at") is None or columns.get("trashed_at"):
        raise _fault("/publication", "bad_value", "What is published has its dates, and is not in the trash.")
    return {"changed_at": at}


def _object(value: Any, pointer: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fault(pointer, "bad_value", "This is an object.")
    return value


def _fault(pointer: str, code: str, message: str) -> InvalidContent:
    return InvalidContent([Fault(pointer, code, message)])


def _revision(session: Session, entry_id: str, type_name: str, given: Line, *, at: str) -> Revision:
    try:
        revision: Revision = row_of(Revision, given, entry_id=entry_id)
        of = site_types.as_it_was(session, type_name, revision.type_revision)
        read = content.read(of, revision.fields).fields
    except InvalidContent as refusal:
        faults = [Fault(at + fault.pointer, fault.code, fault.message) for fault in refusal.faults]
        raise InvalidContent(faults) from None
    # Kept as it was written, unless reading it again makes something else of it.
    if not _is_within(revision.fields, read):
        revision.fields = read
    if revision.slug is not None and (len(revision.slug) > MAX_SLUG or not re.fullmatch(SLUG, revision.slug)):
        raise _fault(f"{at}/slug", "malformed_slug", "A slug has lower-case latin letters, digits and . _ ~ - only.")
    return revision


def _is_within(given: Any, read: Any) -> bool:
    """Whether what was given is all in what was read, which may have more: members that were left out."""
    if isinstance(read, dict) and read.get("type") == "doc":
        # Whoever shows a document counts on all that reading gives it.
        return bool(given == read)
    if isinstance(given, dict) and isinstance(read, dict):
        return all(name in read and _is_within(value, read[name]) for name, value in given.items())
    if isinstance(given, list) and isinstance(read, list):
        return len(given) == len(read) and all(map(_is_within, given, read))
    return bool(given == read)


def _derived(told: _Told) -> dict[str, Any]:
    newest = told.newest
    derived = content.derive(told.of, newest.fields)
    return {
        "locale": newest.locale,
        "section": newest.section,
        "slug": newest.slug,
        "title": str(newest.fields.get("title") or ""),
        "owner_id": newest.owner_id,
        "searched": derived.searched,
        "compared": derived.compared,
    }


# --- what must be so before ---


def _make_room(session: Session, of: ContentType) -> None:
    """What a site was founded with gives way to the other site's, as long as nobody has put anything on it."""
    own = session.scalar(select(Entry).where(Entry.type == of.name))
    if own is None:
        return
    if own.revision > 1 or not founding.is_empty(session):
        said = f"This site has its own {of.name}, which stays. Bring what it lacks by hand, or import into a new site."
        raise WrongState("single_type", said)
    for table, column in (
        (Usage, Usage.source_id),
        (FileUse, FileUse.entry_id),
        (ShownFile, ShownFile.entry_id),
        (Departure, Departure.entry_id),
        (Schedule, Schedule.entry_id),
        (Publication, Publication.entry_id),
        (Revision, Revision.entry_id),
        (Entry, Entry.id),
    ):
        session.execute(delete(table).where(column == own.id))
    session.expunge(own)
    forget(session)


def _refuse_what_does_not_belong(session: Session, told: _Told) -> None:
    faults: list[Fault] = []
    newest = told.newest
    known = site_settings.locales(session).all
    if not told.of.single and newest.locale not in known:
        faults.append(Fault("/locale", "unknown_locale", f"The site has no such locale. It has: {', '.join(known)}."))
    tree = structure.newest_tree(session)
    if newest.section is not None and newest.section not in tree and newest.section not in tree.removed:
        said = "There is no such section in the site structure. Import the structure first."
        faults.append(Fault("/section", "unknown_section", said))
    named = {*newest.byline, *([newest.owner_id] if newest.owner_id else [])}
    there = set(session.scalars(select(Person.id).where(Person.id.in_(sorted(named))))) if named else set()
    faults += [Fault("/byline", "unknown_person", f"There is no person {one[:100]}.") for one in sorted(named - there)]
    faults += transferred_files.faults(session, told.of.name, told.revisions.values())
    if faults:
        raise InvalidContent(faults)


def _refuse_twins(session: Session, told: _Told) -> None:
    columns = told.columns
    if columns.get("trashed_at") is None and told.of.routable:
        addresses.refuse_taken(session, snapshot_of(told.newest), entry_id=told.id)
    wanted = select(Entry.id).where(
        Entry.translation_group == columns["translation_group"], Entry.locale == told.newest.locale, Entry.id != told.id
    )
    if (twin := session.scalar(wanted)) is not None:
        raise WrongState("translated", f"Its translation into '{told.newest.locale}' is another entry here: {twin}.")
    if columns.get("source_name") is not None:
        brought = select(Entry.id).where(
            Entry.source_name == columns["source_name"], Entry.source_id == columns["source_id"], Entry.id != told.id
        )
        if (twin := session.scalar(brought)) is not None:
            raise WrongState("source_known", f"The same row of {columns['source_name']} is another entry here: {twin}.")


# --- writing ---


def _note_files(session: Session, revision: Revision, told: _Told) -> None:
    _note_uses(session, site_types.as_it_was(session, told.of.name, revision.type_revision), revision)


def _note_uses(session: Session, of: ContentType, revision: Revision) -> None:
    file_uses.note(session, revision.entry_id, of, revision.fields, new=False)
    session.flush()


def _settle(session: Session, entry: Entry, told: _Told, *, by: By, new: bool) -> None:
    """What follows from the columns and the newest revision: where it is used, what is live, what is planned."""
    references = content.references(told.of, told.newest.fields)
    usages.note(session, entry.id, references, live=False, new=new)
    if told.publication is not None:
        _publish(session, entry, told)
    if told.schedule is not None:
        transferred_plans.hold_if_passed(told.schedule, now=by.at)
        session.merge(told.schedule)
    if told.of.single:
        forget(session)


def _publish(session: Session, entry: Entry, told: _Told) -> None:
    chosen = told.revisions[told.columns["published_revision"]]
    addresses.refuse_live_twin(session, chosen)
    menus.refuse_live_twin(session, entry, chosen)
    rendered = render(told.of, fields_of_today(session, entry, chosen))
    values = {
        "entry_id": entry.id,
        "type": entry.type,
        "locale": chosen.locale,
        "section": chosen.section,
        "slug": chosen.slug,
        "revision": chosen.number,
        "title": chosen.fields.get("title") or "",
        "translation_group": entry.translation_group,
        "first_published_at": told.columns["first_published_at"],
        "published_at": told.columns["published_at"],
        "changed_at": (told.publication or {})["changed_at"],
        "byline": publishing.public_byline(session, chosen.byline),
        **rendered.columns(),
    }
    session.merge(Publication(**values))
    session.flush()
    usages.note(session, entry.id, rendered.references, live=True, new=False)
    for shown in (rendered.file, (rendered.file or {}).get("picture")):
        if shown is not None:
            session.merge(ShownFile(sha256=shown["sha256"], entry_id=entry.id, file=dict(shown)))


# --- an entry that is here already ---


def _lead_on(session: Session, entry: Entry, told: _Told, *, by: By) -> Transferred:
    newer = _newer(session, entry, told)
    if newer is None:
        return Transferred("same", told.kind, entry.id)
    before = (entry.revision, entry.published_revision)
    _refuse_what_does_not_belong(session, told)
    _refuse_twins(session, told)
    _move_to(session, entry, told, newer)
    _settle(session, entry, told, by=by, new=False)
    events.record(session, "entry.saved", by=by, entry=entry)
    if told.publication is not None:
        events.record(session, "entry.published", by=by, entry=entry, revision=entry.published_revision)
    return Transferred("changed", told.kind, entry.id, before[0], entry.revision, before[1])


def _newer(session: Session, entry: Entry, told: _Told) -> list[Revision] | None:
    """The revisions that the line has beyond those that are here; None when all is the same. Raises `StaleRevision`
    when the two histories have parted, and `WrongState`."""
    own = revision_of(session, entry)
    if entry.type != told.of.name:
        raise WrongState("other_type", f"The entry {entry.id} is of type {entry.type} here; a type does not change.")
    shared = told.revisions.get(entry.revision)
    if shared is None or revision_values(shared) != revision_values(own):
        raise _stale(entry, own, told)
    newer = [one for number, one in sorted(told.revisions.items()) if number > entry.revision]
    if len(newer) != told.columns["revision"] - entry.revision:
        raise _stale(entry, own, told)
    if not newer and _is_same(session, entry, told):
        return None
    if not newer and not _is_later(entry, told):
        raise _stale(entry, own, told)
    return newer


def _move_to(session: Session, entry: Entry, told: _Told, newer: Sequence[Revision]) -> None:
    publication = session.get(Publication, entry.id)
    if publication is not None and told.publication is None:
        session.delete(publication)
    planned = session.get(Schedule, entry.id)
    if planned is not None and told.schedule is None:
        session.delete(planned)
    for name, value in {**told.columns, **_derived(told)}.items():
        setattr(entry, name, value)
    session.flush()
    session.add_all(newer)
    session.flush()
    for revision in newer:
        _note_files(session, revision, told)


def _is_same(session: Session, entry: Entry, told: _Told) -> bool:
    planned = session.get(Schedule, entry.id)
    mine = {name: getattr(entry, name) for name in ENTRY_COLUMNS}
    same_plan = (planned is None) == (told.schedule is None) and (
        planned is None or told.schedule is None or transferred_plans.are_equal(planned, told.schedule)
    )
    return same_plan and all(mine[name] == told.columns.get(name) for name in ENTRY_COLUMNS)


def _is_later(entry: Entry, told: _Told) -> bool:
    """Whether the line tells of a publication that came after what is published here."""
    said = told.columns.get("published_revision") or 0
    return said > (entry.published_revision or 0) and entry.trashed_at is None


def _stale(entry: Entry, own: Revision, told: _Told) -> StaleRevision:
    return StaleRevision(
        expected=told.columns["revision"],
        current=entry.revision,
        folds=own.folds,
        actor_name=own.actor_name,
        on_behalf_of=own.on_behalf_of,
        saved_at=own.saved_at,
    )
