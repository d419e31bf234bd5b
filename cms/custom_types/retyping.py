"""What another definition of a type does to its entries: told beforehand, and carried out in batches."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from cms import content, usages
from cms.attribution import By
from cms.content import Reference
from cms.content_types import ContentType, Field
from cms.custom_types import site_types
from cms.custom_types.carrying import Carried, carry
from cms.errors import Fault, InvalidContent
from cms.rendering import render
from cms.tables.attributed import attribution
from cms.tables.entries import Entry, Revision, Usage
from cms.tables.events import Event
from cms.tables.publications import Publication

_BATCH = 500
_SHOWN = 50
_LONGEST_SHOWN = 500


@dataclass
class Report:
    """What a change does: `confirm` counts the entries that lose a value or no longer fit."""

    entries: int = 0
    confirm: int = 0
    invalid: int = 0
    first_invalid: list[tuple[str, Fault]] = field(default_factory=list)
    dropped: int = 0
    dropped_fields: Counter[str] = field(default_factory=Counter)
    first_dropped: list[tuple[str, str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """One definition of a type, and the next."""

    old: ContentType
    new: ContentType

    @property
    def narrowed(self) -> tuple[Field, ...]:
        """The fields whose values may not fit any more."""
        return tuple(one for one in self.new.fields if _narrows(self.old.field(one.name), one))

    @property
    def loses(self) -> bool:
        """Whether a value may find no place."""
        return any(_misses(before, self.new.field(before.name)) for before in self.old.fields)

    @property
    def shows(self) -> bool:
        """Whether entries may look otherwise: to visitors, to lists or to a search."""
        return self.loses or any(_shows(self.old.field(one.name), one) for one in self.new.fields)


def _narrows(before: Field | None, after: Field) -> bool:
    if before is None:
        return after.required and after.default is None
    return bool(_bounds(before) != _bounds(after))


def _misses(before: Field, after: Field | None) -> bool:
    return after is None or bool(_shape(before) != _shape(after))


def _shows(before: Field | None, after: Field) -> bool:
    return before is not None and bool(_look(before) != _look(after))


def _bounds(of: Field) -> Any:
    return of.kind, of.required, of.types, of.choices, of.limits, [(one.name, _bounds(one)) for one in of.fields]


def _shape(of: Field) -> Any:
    return of.kind, sorted((one.name, _shape(one)) for one in of.fields)


def _look(of: Field) -> Any:
    return of.public, of.audience("searchable"), [(one.name, _look(one)) for one in of.fields]


# --- beforehand ---


def tell(session: Session, change: Change) -> Report:
    """What the change does to entries, those in the trash too. Nothing is changed."""
    report = Report(entries=session.scalar(select(func.count()).where(Entry.type == change.new.name)) or 0)
    narrowed = ContentType(change.new.name, change.narrowed)
    if not narrowed.fields and not change.loses:
        return report
    for batch in _newest(session, change.new.name):
        carried = {row.id: carry(change.old, change.new, row.fields) for row in batch}
        faults = _faults(session, narrowed, carried)
        for entry_id, one in carried.items():
            _note(report, entry_id, one, faults.get(entry_id, []))
    return report


def _newest(session: Session, type_name: str) -> Iterator[list[Any]]:
    wanted = (
        select(Entry.id, Revision.fields)
        .join(Revision, (Revision.entry_id == Entry.id) & (Revision.number == Entry.revision))
        .where(Entry.type == type_name)
        .order_by(Entry.id)
        .limit(_BATCH)
    )
    last = ""
    while batch := list(session.execute(wanted.where(Entry.id > last))):
        yield batch
        last = batch[-1].id


def _faults(session: Session, narrowed: ContentType, carried: Mapping[str, Carried]) -> dict[str, list[Fault]]:
    names = [one.name for one in narrowed.fields]
    found: dict[str, list[Fault]] = {}
    references: list[tuple[str, Reference]] = []
    for entry_id, one in carried.items():
        fields = {name: one.fields[name] for name in names if name in one.fields}
        try:
            content.read(narrowed, fields, stored=fields)
        except InvalidContent as refusal:
            found[entry_id] = refusal.faults
        else:
            references += [(entry_id, reference) for reference in content.references(narrowed, fields) if reference[2]]
    types = usages.types(session, (target for _, (_, target, _) in references)) if references else {}
    for entry_id, (pointer, target, allowed) in references:
        if types.get(target, allowed[0]) not in allowed:
            said = f"The entry {target} is of type {types[target]}; here belongs: {', '.join(allowed)}."
            found.setdefault(entry_id, []).append(Fault(pointer, "wrong_type", said))
    return found


def _note(report: Report, entry_id: str, carried: Carried, faults: list[Fault]) -> None:
    report.confirm += bool(carried.dropped or faults)
    report.invalid += bool(faults)
    report.dropped += len(carried.dropped)
    report.dropped_fields.update(name for name, _ in carried.dropped)
    room = _SHOWN - len(report.first_invalid)
    report.first_invalid += [(entry_id, fault) for fault in faults[: max(0, room)]]
    room = _SHOWN - len(report.first_dropped)
    report.first_dropped += [(entry_id, name, _cut(value)) for name, value in carried.dropped[: max(0, room)]]


def _cut(value: Any) -> Any:
    written = value if isinstance(value, str) else orjson.dumps(value).decode()
    return value if len(written) <= _LONGEST_SHOWN else written[: _LONGEST_SHOWN - 1] + "…"


# --- carried out ---

_Published = aliased(Revision)


def carry_out(session: Session, change: Change, *, by: By) -> None:
    """Bring the entries' newest values and what is live of them under the new definition."""
    if not change.shows:
        return
    by = by if by.note is not None else replace(by, note=f"The type {change.new.name} has changed")
    session.flush()
    last = ""
    while batch := list(session.execute(_BOTH.where(Entry.type == change.new.name, Entry.id > last))):
        _carry_batch(session, change, batch, by=by)
        last = batch[-1].entry_id
    session.expire_all()


_KEPT = ("entry_id", "number", "locale", "section", "slug", "owner_id", "byline")
_BOTH = (
    select(
        *(getattr(Revision, name) for name in _KEPT),
        Revision.fields,
        Entry.published_revision,
        Entry.source_revision,
        _Published.fields.label("live_fields"),
        _Published.type_revision.label("live_type_revision"),
    )
    .select_from(Entry)
    .join(Revision, (Revision.entry_id == Entry.id) & (Revision.number == Entry.revision))
    .join(_Published, (_Published.entry_id == Entry.id) & (_Published.number == Entry.published_revision), isouter=True)
    .order_by(Entry.id)
    .limit(_BATCH)
)


@dataclass
class _Rows:
    """What a batch writes."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    revisions: list[dict[str, Any]] = field(default_factory=list)
    publications: list[dict[str, Any]] = field(default_factory=list)
    usages: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def _carry_batch(session: Session, change: Change, batch: list[Any], *, by: By) -> None:
    rows = _Rows()
    for row in batch:
        _carry_one(session, change, row, rows, by=by)
    ids = [row.entry_id for row in batch]
    live = [one["entry_id"] for one in rows.publications]
    session.execute(delete(Usage).where(Usage.source_id.in_(ids), Usage.live.is_(False)))
    session.execute(delete(Usage).where(Usage.source_id.in_(live), Usage.live.is_(True)))
    session.execute(update(Entry), rows.entries)
    for table, made in ((Revision, rows.revisions), (Usage, rows.usages), (Event, rows.events)):
        if made:
            session.execute(insert(table), made)
    if rows.publications:
        session.execute(update(Publication), [{**row, "changed_at": by.at} for row in rows.publications])


def _carry_one(session: Session, change: Change, row: Any, rows: _Rows, *, by: By) -> None:
    fields = carry(change.old, change.new, row.fields).fields
    changed = _filled(fields) != _filled(row.fields)
    number = row.number + changed
    derived = content.derive(change.new, fields)
    entry = {"id": row.entry_id, "searched": derived.searched, "compared": derived.compared}
    entry |= {"revision": number, "published_revision": row.published_revision}
    # It is no person's work: the source may go on changing what it brought last.
    entry["source_revision"] = number if row.source_revision == row.number else row.source_revision
    if changed:
        entry["changed_at"] = by.at
        rows.revisions.append(_revision(row, number, fields, change.new, by))
        rows.events.append(_event("entry.saved", change.new, row, number, by))
    else:
        rows.events.append(_event("entry.retyped", change.new, row, number, by))
    rows.usages += _usages(row.entry_id, derived.references, live=False)
    if row.published_revision is not None:
        as_newest = row.published_revision == row.number
        if as_newest:
            entry["published_revision"] = number
        live = fields if as_newest else _live_fields(session, change, row)
        _render(change.new, row.entry_id, live, entry["published_revision"], rows)
        if as_newest and changed:
            rows.events.append(_event("entry.published", change.new, row, number, by))
    rows.entries.append(entry)


def _live_fields(session: Session, change: Change, row: Any) -> dict[str, Any]:
    before = site_types.as_it_was(session, change.new.name, row.live_type_revision)
    return carry(before, change.new, row.live_fields).fields


def _filled(value: Any) -> Any:
    """A value without what is null in it: a field that was never given is as good as one without a value."""
    if isinstance(value, dict):
        return {name: _filled(inner) for name, inner in value.items() if inner is not None}
    return [_filled(item) for item in value] if isinstance(value, list) else value


def _revision(row: Any, number: int, fields: dict[str, Any], of: ContentType, by: By) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _KEPT},
        "number": number,
        "fields": fields,
        "type_revision": of.revision,
        "saved_at": by.at,
        "begun_at": by.at,
        "autosave": False,
        "restored_from": None,
        **attribution(by),
    }


def _event(kind: str, of: ContentType, row: Any, number: int, by: By) -> dict[str, Any]:
    return {
        "kind": kind,
        "at": by.at,
        "entry_id": row.entry_id,
        "type": of.name,
        "locale": row.locale,
        "revision": number,
        "details": {"type_revision": of.revision},
        **attribution(by),
    }


def _usages(entry_id: str, references: tuple[Reference, ...], *, live: bool) -> list[dict[str, Any]]:
    pairs = dict.fromkeys((pointer, target) for pointer, target, _ in references)
    return [{"source_id": entry_id, "live": live, "pointer": one, "target_id": target} for one, target in pairs]


def _render(of: ContentType, entry_id: str, fields: dict[str, Any], number: int, rows: _Rows) -> None:
    rendered = render(of, fields)
    rows.usages += _usages(entry_id, rendered.references, live=True)
    rows.publications.append({"entry_id": entry_id, "revision": number, **rendered.columns()})
