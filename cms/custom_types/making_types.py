"""Content types that staff make, change and remove at run time, with what that does to entries told beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import events, site
from cms.attribution import By
from cms.built_in_types import BUILT_IN
from cms.content_types import ContentType
from cms.custom_types import field_indexes, site_types
from cms.custom_types.retyping import Change, Report, carry_out, tell
from cms.custom_types.type_definitions import MOST_TYPES, of_definition, read
from cms.database import forget
from cms.errors import Fault, InUse, InvalidContent, NotConfirmed, NotFound, StaleRevision, WrongState
from cms.tables.attributed import attribution
from cms.tables.entries import Entry
from cms.tables.types import CustomType, TypeRevision

_SHOWN = 100


@dataclass(frozen=True)
class Put:
    """The type as it is now, and what the change did. `made`: there was none."""

    content_type: ContentType
    report: Report
    made: bool


def put(
    session: Session,
    name: str,
    given: Mapping[str, Any],
    *,
    by: By,
    expected: int | None = None,
    confirm: int | None = None,
) -> Put:
    """Make or change a type by `label`, `routable` and `fields`; what is left out of its fields is gone.

    Raises `InvalidContent`, `StaleRevision`, `NotConfirmed` unless `confirm` names the entries that lose by it."""
    planned = _planned(session, name, given, expected=expected)
    report = _told(session, planned)
    if report.confirm != (confirm or 0):
        raise NotConfirmed(report)
    if planned.old is not None and planned.row is not None and planned.row.definition == planned.definition:
        return Put(planned.old, report, made=False)
    _keep(session, planned, by=by)
    if planned.old is not None:
        field_indexes.drop_unfit(session, planned.old, planned.new)
        carry_out(session, Change(planned.old, planned.new), by=by)
    field_indexes.create(session, planned.old, planned.new)
    # Last: on PostgreSQL nobody can read a table from the drop of an index to the commit.
    field_indexes.drop(session, planned.old, planned.new)
    number, lost = planned.new.revision, report.confirm
    events.record(session, "type.saved", by=by, name=name, type_revision=number, entries=report.entries, lost=lost)
    return Put(planned.new, report, made=planned.old is None)


def plan(session: Session, name: str, given: Mapping[str, Any], *, expected: int | None = None) -> Put:
    """What `put` would do. Raises `InvalidContent`, `StaleRevision`."""
    planned = _planned(session, name, given, expected=expected)
    return Put(planned.new, _told(session, planned), made=planned.old is None)


def remove(session: Session, name: str, *, by: By, expected: int | None = None) -> None:
    """Remove a type that no entry has, none in the trash either. Raises `NotFound`, `InUse`, `WrongState`."""
    old = _custom(session, name)
    row = session.get_one(CustomType, name)
    _refuse_stale(session, row, expected)
    _refuse_used(session, name)
    field_indexes.drop(session, old, None)
    session.delete(row)
    forget(session)
    events.record(session, "type.removed", by=by, name=name)


# --- what is planned ---


@dataclass(frozen=True)
class _Planned:
    row: CustomType | None
    definition: dict[str, Any]
    old: ContentType | None
    new: ContentType


def _planned(session: Session, name: str, given: Mapping[str, Any], *, expected: int | None) -> _Planned:
    types = site_types.all_of(session)
    row = session.get(CustomType, name)
    _refuse_stale(session, row, expected, name=name)
    # What is not named stays; the fields are always named.
    kept = {} if row is None else {part: row.definition[part] for part in ("label", "routable")}
    definition = read(name, {**kept, **given}, types=types.keys(), locales=site.locales(session).all)
    if row is None and len(types) - len(BUILT_IN) >= MOST_TYPES:
        said = f"A site has at most {MOST_TYPES} content types of its own. Remove one that is not used."
        raise InvalidContent([Fault("", "too_many", said)])
    old = None if row is None else types[name]
    return _Planned(row, definition, old, of_definition(name, definition, revision=row.revision + 1 if row else 1))


def _told(session: Session, planned: _Planned) -> Report:
    if planned.old is None:
        return Report()
    report = tell(session, Change(planned.old, planned.new))
    if report.entries and planned.old.routable != planned.new.routable:
        said = f"{report.entries} entries are of this type, so that it cannot gain or lose addresses any more."
        raise WrongState("in_use", said)
    return report


def _refuse_stale(session: Session, row: CustomType | None, expected: int | None, *, name: str = "") -> None:
    if expected is None or (row is not None and row.revision == expected):
        return
    if row is None:
        raise NotFound("content type", name)
    saved = session.get_one(TypeRevision, (row.name, row.revision))
    raise StaleRevision(
        expected=expected,
        current=row.revision,
        actor_name=saved.actor_name,
        on_behalf_of=saved.on_behalf_of,
        saved_at=saved.changed_at,
    )


# --- the writes ---


def _keep(session: Session, planned: _Planned, *, by: By) -> None:
    name, number = planned.new.name, planned.new.revision
    values = {
        "revision": number,
        "definition": planned.definition,
        "digest": site_types.digest_of(planned.definition),
        "changed_at": by.at,
    }
    if planned.row is None:
        session.add(CustomType(name=name, **values))
        session.flush()
    else:
        for column, value in values.items():
            setattr(planned.row, column, value)
    kept = {"type": name, "number": number, "definition": planned.definition, "changed_at": by.at}
    session.add(TypeRevision(**kept, **attribution(by)))
    forget(session)


def _custom(session: Session, name: str) -> ContentType:
    found = site_types.find(session, name)
    if found.revision is None:
        raise WrongState("built_in", f"The type {name} is built in: it stays as it is.")
    return found


def _refuse_used(session: Session, name: str) -> None:
    total = session.scalar(select(func.count()).where(Entry.type == name)) or 0
    if total:
        ids = session.scalars(select(Entry.id).where(Entry.type == name).order_by(Entry.id).limit(_SHOWN))
        raise InUse(name, [(one, "/type") for one in ids], total)
    for other in site_types.all_of(session).values():
        for field in other.fields if other.name != name else ():
            if name in field.types:
                said = f"The field {field.name} of {other.name} refers to entries of this type: change that first."
                raise WrongState("in_use", said)
