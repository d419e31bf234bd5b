"""Bringing what another site has exported in our own shape: a line at a time, whole, with its history and its ids.

A site that was just founded becomes an equal of the other. On one that has content, what is there is known by its id:
an entry whose history goes on in the line follows it, one that was changed here since is a conflict and stays.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from cms import events, files, redirect_rules
from cms import site as site_settings
from cms.attribution import By
from cms.custom_types import field_indexes, site_types, type_definitions
from cms.database import Base, forget
from cms.errors import Fault, InvalidContent, Refusal, RuleExists, WrongState
from cms.export_formats.sitedesk import VERSION, columns_of
from cms.files import Received
from cms.redirect_rules import Rule
from cms.tables.banner_views import BannerDay
from cms.tables.entries import Departure, Entry, Revision, StoredFile
from cms.tables.people import Person
from cms.tables.publications import Redirect, ShownFile, StoppedCounter
from cms.tables.types import CustomType, TypeRevision
from cms.transfers.entries import Transferred, bring_entry, bring_revision, would_bring_entry
from cms.transfers.rows import key_of, row_of, text, values_of

Line = Mapping[str, Any]
# Tables of kinds of lines, with their keys and what a line of them is called in reports.
_KEPT_IN: Mapping[str, tuple[type[Base], tuple[str, ...], str]] = {
    "person": (Person, ("id",), "person"),
    "type": (CustomType, ("name",), "type"),
    "type_revision": (TypeRevision, ("type", "number"), "type"),
    "file": (StoredFile, ("sha256",), "file"),
    "file_entry": (StoredFile, ("sha256",), "file"),
    "revision": (Revision, ("entry_id", "number"), "revision"),
    "redirect": (Redirect, ("id",), "redirect"),
    "departure": (Departure, ("section", "entry_id"), "structure"),
    "shown_file": (ShownFile, ("sha256", "entry_id"), "file"),
    "stopped_counter": (StoppedCounter, ("counter",), "counter"),
    "banner_day": (BannerDay, ("banner_id", "placement", "day"), "banner"),
}


def bring(session: Session, line: str | bytes, *, by: By, received: Received | None = None) -> Transferred:
    """Bring one line. `received`: for a line of kind `file`, what the store has taken in of its bytes, if they came.

    Raises `InvalidContent`, `WrongState`, `StaleRevision`, `AddressTaken`, `NotFound`, `RuleExists`; a line that is
    refused leaves nothing behind."""
    told = read_line(line)
    kind = str(told["line"])
    try:
        with session.begin_nested():
            if kind == "file":
                found = _file(session, told, by=by, received=received)
            else:
                found = _KINDS[kind](session, told, by)
            session.flush()
            return found
    except Refusal:
        # What the session remembers may be of what was taken back.
        forget(session)
        raise
    except (IntegrityError, DataError) as error:
        forget(session)
        said = f"The line does not fit what is on the site: {str(error.orig).splitlines()[0][:300]}."
        raise WrongState("does_not_fit", said) from error


def would_bring(session: Session, line: str | bytes) -> Transferred:
    """What would become of a line, as far as it can be told without writing: whether what it tells of is there, and
    for an entry whether it is the same, would be led on, or is in conflict. Raises as `bring` does."""
    told = read_line(line)
    kind = str(told["line"])
    if kind == "entry":
        return would_bring_entry(session, told)
    if kind == "site":
        _refuse_other_version(told)
    if kind not in _KEPT_IN:
        return Transferred("same", "site")
    table, keys, called = _KEPT_IN[kind]
    key = key_of(table, told, keys)
    there = session.get(table, key) is not None
    return Transferred("same" if there else "made", called, str(key[0]) if kind == "redirect" else None)


def read_line(line: str | bytes) -> dict[str, Any]:
    """A line as an object with a known `line`. Raises `InvalidContent`."""
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidContent([Fault("", "not_json", f"The line is not JSON: {error}.")]) from None
    if not isinstance(told, dict) or told.get("line") not in (*_KINDS, "file"):
        raise InvalidContent([Fault("/line", "unknown_line", "This is no kind of line that this version knows.")])
    return told


def _site(_session: Session, told: Line, _by: By) -> Transferred:
    _refuse_other_version(told)
    return Transferred("same", "site")


def _refuse_other_version(told: Line) -> None:
    if told.get("version") != VERSION:
        said = f"It is of version {told.get('version')!r}; this is version {VERSION}. Import it with a newer Sitedesk."
        raise WrongState("other_version", said)


def _end(_session: Session, _told: Line, _by: By) -> Transferred:
    return Transferred("same", "site")


def _person(session: Session, told: Line, by: By) -> Transferred:
    row: Person = row_of(Person, told)
    known = session.get(Person, row.id)
    if known is not None:
        return Transferred("same", "person", warnings=_differing(known, row))
    warnings: tuple[Fault, ...] = ()
    if row.email is not None and session.scalar(select(Person.id).where(Person.email == row.email)) is not None:
        warnings = (Fault("/email", "email_taken", "Another person has this email: it was left out."),)
        row.email = None
    if row.source is not None and _has_brought(session, row):
        row.source = row.external_id = None
    session.add(row)
    events.record(session, "person.added", by=by, person=row.id, name=row.name)
    return Transferred("made", "person", warnings=warnings)


def _has_brought(session: Session, row: Person) -> bool:
    wanted = select(Person.id).where(Person.source == row.source, Person.external_id == row.external_id)
    return session.scalar(wanted) is not None


def _differing(known: Base, row: Base) -> tuple[Fault, ...]:
    here, there = columns_of(known), columns_of(row)
    return tuple(
        Fault(f"/{name}", "differs", "This is another on this site: it was left as it is.")
        for name, value in there.items()
        if value is not None and value != here[name]
    )


# --- types ---


def _type(session: Session, told: Line, by: By) -> Transferred:
    values = values_of(CustomType, told, but=frozenset({"digest"}))
    name, definition = values["name"], values["definition"]
    known = session.get(CustomType, name)
    if known is not None:
        if known.definition == definition:
            return Transferred("same", "type")
        said = f"The type {name} is another on this site. Make them equal, or rename one."
        raise WrongState("other_type", said)
    _refuse_bad_definition(session, name, definition)
    session.add(CustomType(**values, digest=site_types.digest_of(definition)))
    session.flush()
    forget(session)
    made = site_types.find(session, name)
    field_indexes.create(session, None, made)
    events.record(session, "type.saved", by=by, name=name, type_revision=made.revision, entries=0, lost=0)
    return Transferred("made", "type")


def _refuse_bad_definition(session: Session, name: str, definition: Mapping[str, Any]) -> None:
    """A type may refer to others that are still to come."""
    listed = [field["types"] for field in _fields_of(definition) if isinstance(field.get("types"), list)]
    named = {one for types in listed for one in types if isinstance(one, str)}
    types = {*site_types.all_of(session), *named}
    type_definitions.read(name, definition, types=types, locales=site_settings.locales(session).all)
    try:
        type_definitions.of_definition(name, definition, revision=1)
    except (KeyError, TypeError, ValueError) as error:
        said = f"The definition is not complete: {type(error).__name__} {error}."
        raise InvalidContent([Fault("/definition", "bad_definition", said)]) from None


def _fields_of(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    waiting = [definition]
    while waiting:
        inner = waiting.pop().get("fields")
        if isinstance(inner, list):
            fields = [one for one in inner if isinstance(one, dict)]
            found += fields
            waiting += fields
    return found


def _type_revision(session: Session, told: Line, _by: By) -> Transferred:
    row: TypeRevision = row_of(TypeRevision, told)
    known = session.get(TypeRevision, (row.type, row.number))
    if known is not None:
        return _same_or_other(known, row, "type")
    if session.get(CustomType, row.type) is None:
        raise WrongState("unknown_type", f"There is no type {row.type}: its line was refused, or is missing.")
    _refuse_bad_definition(session, row.type, row.definition)
    session.add(row)
    forget(session)
    return Transferred("made", "type")


def _same_or_other(known: Base, row: Base, kind: str) -> Transferred:
    left_out = frozenset({"hits", "last_hit_at"})
    if columns_of(known, left_out) == columns_of(row, left_out):
        return Transferred("same", kind)
    raise WrongState("differs", "It is another on this site, and was left as it is.")


# --- files ---


def _file(session: Session, told: Line, *, by: By, received: Received | None) -> Transferred:
    values = values_of(StoredFile, told, but=frozenset({"entry_id"}))
    sha256 = values["sha256"]
    known = session.get(StoredFile, sha256)
    if known is not None:
        return Transferred("same", "file")
    if received is None:
        said = "Its bytes are not in the source and not on this site. Export with the files (format sitedesk)."
        raise WrongState("no_bytes", said)
    if received.sha256 != sha256:
        raise WrongState(
            "other_bytes", f"The bytes are not those that the line tells of: their SHA-256 is {received.sha256}."
        )
    stored = files.keep(session, received, by=by)
    stored.created_at = values["created_at"]
    return Transferred("made", "file")


def held_bytes(told: Line) -> tuple[str, str] | None:
    """The SHA-256 and the name of the bytes that a line of kind `file` tells of; None for other lines."""
    if told["line"] != "file":
        return None
    try:
        return text(told.get("sha256")), text(told.get("name"))
    except ValueError as error:
        raise InvalidContent([Fault("/sha256", "bad_value", str(error))]) from None


def _file_entry(session: Session, told: Line, _by: By) -> Transferred:
    stored = session.get(StoredFile, _named(told, "sha256"))
    entry = session.get(Entry, _named(told, "entry_id"))
    if stored is None or entry is None:
        raise WrongState("not_there", "The file or the entry is not on this site: its line was refused, or is missing.")
    if stored.entry_id is not None:
        return Transferred("same", "file")
    stored.entry_id = entry.id
    return Transferred("changed", "file")


def _named(told: Line, name: str) -> str:
    try:
        return text(told.get(name))
    except ValueError as error:
        raise InvalidContent([Fault(f"/{name}", "bad_value", str(error))]) from None


# --- what refers to entries ---


def _redirect(session: Session, told: Line, by: By) -> Transferred:
    row: Redirect = row_of(Redirect, told, but=frozenset({"hits", "last_hit_at"}))
    known = session.get(Redirect, row.id)
    if known is not None:
        return _same_or_other(known, row, "redirect")
    _refuse_bad_rule(session, row)
    session.add(row)
    session.flush()
    forget(session)
    events.record(session, "redirect.created", by=by, redirect=row.id, path=row.path)
    return Transferred("made", "redirect", entry_id=row.id)


def _refuse_bad_rule(session: Session, row: Redirect) -> None:
    to = row.target_entry or row.target_section or row.target_url
    if row.slug is None:
        redirect_rules.columns_of(session, Rule(row.path, to, row.status, row.prefix, row.locale, row.explanation))
        wanted = select(Redirect.id).where(Redirect.slug.is_(None), Redirect.path == row.path)
        same_locale = Redirect.locale.is_(None) if row.locale is None else Redirect.locale == row.locale
        if (twin := session.scalar(wanted.where(same_locale))) is not None:
            raise RuleExists(row.path, row.locale, twin)
        return
    redirect_rules.checked_path(row.path)
    if row.status not in redirect_rules.STATUSES or row.target_url is not None:
        said = "What a move leaves leads to an entry or a section, or says that it is gone."
        raise InvalidContent([Fault("/status", "bad_rule", said)])


def _plain_row(table: type[Base], kind: str, *keys: str) -> Callable[[Session, Line, By], Transferred]:
    def bring_row(session: Session, told: Line, _by: By) -> Transferred:
        row = row_of(table, told)
        known = session.get(table, tuple(getattr(row, key) for key in keys))
        if known is not None:
            return _same_or_other(known, row, kind)
        session.add(row)
        return Transferred("made", kind)

    return bring_row


def _shown_file(session: Session, told: Line, _by: By) -> Transferred:
    row: ShownFile = row_of(ShownFile, told)
    if session.get(ShownFile, (row.sha256, row.entry_id)) is not None:
        return Transferred("same", "file")
    # What is shown of bytes is theirs: an address must not answer with what was never received.
    if session.get(StoredFile, row.sha256) is None or row.file.get("sha256") != row.sha256:
        raise WrongState("not_there", "The file is not on this site: its line was refused, or is missing.")
    session.add(row)
    return Transferred("made", "file")


_KINDS: Mapping[str, Callable[[Session, Line, By], Transferred]] = {
    "site": _site,
    "person": _person,
    "type": _type,
    "type_revision": _type_revision,
    "entry": bring_entry,
    "revision": bring_revision,
    "redirect": _redirect,
    "departure": _plain_row(Departure, "structure", "section", "entry_id"),
    "shown_file": _shown_file,
    "file_entry": _file_entry,
    "stopped_counter": _plain_row(StoppedCounter, "entry", "counter"),
    "banner_day": _plain_row(BannerDay, "entry", "banner_id", "placement", "day"),
    "end": _end,
}
