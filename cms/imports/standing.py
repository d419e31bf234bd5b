"""Standing imports: a feed that is asked again and again, and an import job each time that it has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cms import events
from cms.attribution import Actor, By
from cms.columns import EQUALITY, ORDER, WORDS
from cms.errors import Fault, InvalidContent, NotFound, WrongState
from cms.identity import new_id
from cms.imports import jobs as import_jobs
from cms.imports.jobs import Asked
from cms.listing import Asked as AskedList
from cms.listing import Column, Page, page
from cms.showing import instant
from cms.tables.attributed import attribution
from cms.tables.jobs import ImportJob, StandingImport
from cms.tables.people import ApiKey, User

LEAST_MINUTES = 5
MOST_MINUTES = 43_200
LONGEST_URL = 2_000
# Of failures one after another: then it is asked once a day.
_LONGEST_WAIT = timedelta(days=1)
_MOST_DOUBLED = 12
_LONGEST_STATE = 500
_LONGEST_FAILURE = 500
# What a feed is read as unless another format is named.
USUAL_FORMAT = "feed"
_OPTIONS = ("type", "locale", "publish", "on_conflict", "mapping", "choices", "section", "fetch", "format")


@dataclass(frozen=True)
class Due:
    """A standing import whose turn has come. `etag`, `last_modified` and `digest` are those of the answer that was
    imported last; None where it is to be imported whether or not it has changed."""

    id: str
    url: str
    asked: Asked
    by: By
    etag: str | None
    last_modified: str | None
    digest: str | None


@dataclass(frozen=True)
class Answer:
    """What the host gave: the SHA-256 of the bytes, and what the host calls their state."""

    digest: str
    etag: str | None = None
    last_modified: str | None = None


# --- what staff do ---


def add(session: Session, given: Mapping[str, Any], *, by: By) -> StandingImport:
    """A new one, asked at once unless it is paused. `given`: source, url, minutes, paused, options. Raises
    `InvalidContent`, `WrongState` for a source that has one already."""
    _check(session, given)
    _refuse_twin(session, given["source"])
    options = {name: value for name, value in given["options"].items() if value is not None}
    stored = StandingImport(
        id=new_id(),
        source=given["source"],
        url=given["url"],
        minutes=given["minutes"],
        options=options,
        paused=given["paused"],
        next_at=by.at,
        failures=0,
        created_at=by.at,
        **attribution(by),
    )
    session.add(stored)
    session.flush()
    events.record(session, "standing_import.created", by=by, standing=stored.id, source=stored.source, url=stored.url)
    return stored


def change(session: Session, stored: StandingImport, patch: Mapping[str, Any], *, by: By) -> None:
    """Change some members of `given`; of the options only those that are named, None for what is usual. From now on
    it is done in the name of whoever changed it last, and asked anew. Raises as `add`."""
    options = {**stored.options, **patch.get("options", {})}
    wanted = {**_members(stored), **patch, "options": {name: one for name, one in options.items() if one is not None}}
    _check(session, wanted)
    if wanted["source"] != stored.source:
        _refuse_twin(session, wanted["source"])
    changed = sorted(name for name, value in wanted.items() if value != getattr(stored, name))
    if not changed:
        return
    for name in changed:
        setattr(stored, name, wanted[name])
    for name, value in attribution(by).items():
        setattr(stored, name, value)
    if {"url", "source", "options"} & set(changed):
        stored.etag = stored.last_modified = stored.digest = None
    stored.next_at, stored.failures, stored.failure = by.at, 0, None
    session.flush()
    events.record(session, "standing_import.changed", by=by, standing=stored.id, source=stored.source, changed=changed)


def remove(session: Session, stored: StandingImport, *, by: By) -> None:
    """Ask no more. What it brought stays, its jobs too."""
    session.delete(stored)
    session.flush()
    events.record(session, "standing_import.removed", by=by, standing=stored.id, source=stored.source)


def run_now(session: Session, stored: StandingImport, *, by: By) -> None:
    """Let it be asked at once. Raises `WrongState` for one that is paused."""
    if stored.paused:
        raise WrongState("standing_import_paused", "It is paused: let it go on with PATCH first.")
    stored.next_at = by.at
    session.flush()
    events.record(session, "standing_import.hurried", by=by, standing=stored.id, source=stored.source)


def find(session: Session, id: str) -> StandingImport:
    """The standing import of that id. Raises `NotFound`."""
    stored = session.get(StandingImport, id)
    if stored is None:
        raise NotFound("standing import", id)
    return stored


# --- what the server does ---


def next_due(session: Session, *, now: datetime) -> str | None:
    """The id of the one that is due first."""
    wanted = select(StandingImport.id).where(StandingImport.paused.is_(False), StandingImport.next_at <= now)
    return session.scalar(wanted.order_by(StandingImport.next_at, StandingImport.id).limit(1))


def take(session: Session, id: str, *, now: datetime) -> Due | None:
    """Take one up, so that nobody else does; None when somebody has, or while an earlier import of it goes on.

    Should nobody settle it, it is due again after its usual time. Raises `WrongState` when whoever set it up may not
    act any more."""
    stored = session.get(StandingImport, id)
    if stored is None or stored.paused or stored.next_at > now:
        return None
    _refuse_gone(session, stored, now=now)
    seen, next_at = stored.next_at, now + timedelta(minutes=stored.minutes)
    taken = session.execute(
        update(StandingImport)
        .where(StandingImport.id == id, StandingImport.next_at == seen)
        .values(next_at=next_at)
        .execution_options(synchronize_session=False)
    )
    session.refresh(stored)
    last = session.get(ImportJob, stored.job_id) if stored.job_id else None
    if not taken.rowcount or (last is not None and last.state in import_jobs.AT_WORK):  # type: ignore[attr-defined]
        return None
    again = last is not None and last.state == "failed"
    return Due(
        stored.id,
        stored.url,
        asked_of(session, stored),
        _by_of(stored, now),
        etag=None if again else stored.etag,
        last_modified=None if again else stored.last_modified,
        digest=None if again else stored.digest,
    )


def _refuse_gone(session: Session, stored: StandingImport, *, now: datetime) -> None:
    if stored.actor_kind == "key":
        key = session.get(ApiKey, stored.actor_id)
        ends = None if key is None else key.revoked_at or key.expires_at
        gone = ends is not None and ends <= now
    else:
        user = session.get(User, stored.actor_id)
        gone = user is not None and user.disabled_at is not None
    if gone:
        said = f"{stored.actor_name}, who set it up, may not act any more. Remove it and set it up anew."
        raise WrongState("actor_gone", said)


def asked_of(session: Session, stored: StandingImport) -> Asked:
    """What its imports are told to do. Raises `InvalidContent` where the site has changed since."""
    asked = import_jobs.read_asked(session, _job_options(stored.source, stored.options))
    if asked.format != USUAL_FORMAT or len(stored.url) > import_jobs.LONGEST_NAME:
        return asked
    # A feed may leave out where it stands itself.
    return replace(asked, choices={"base_url": stored.url, **asked.choices})


def settle(session: Session, id: str, *, answer: Answer | None, job: str | None, now: datetime) -> None:
    """Note that the host answered: with `answer`, None for nothing new; `job` is the import that brings it."""
    stored = session.get(StandingImport, id)
    if stored is None:
        return
    stored.asked_at, stored.failures, stored.failure = now, 0, None
    if answer is not None:
        stored.etag, stored.last_modified = _short(answer.etag), _short(answer.last_modified)
        stored.digest = answer.digest
    if job is not None:
        stored.job_id = job
        made = session.get(ImportJob, job)
        if made is not None:
            made.standing_id = id
    session.flush()


def note_failure(session: Session, id: str, reason: str, *, now: datetime) -> None:
    """Note that it did not go well. The wait doubles with each failure after the other, up to a day."""
    stored = session.get(StandingImport, id)
    if stored is None:
        return
    wait = timedelta(minutes=stored.minutes * 2 ** min(stored.failures, _MOST_DOUBLED))
    stored.asked_at, stored.failure = now, reason[:_LONGEST_FAILURE]
    stored.failures += 1
    stored.next_at = now + min(wait, max(_LONGEST_WAIT, timedelta(minutes=stored.minutes)))
    session.flush()


def _by_of(stored: StandingImport, now: datetime) -> By:
    """In the name of who set it up."""
    actor = Actor(stored.actor_kind, stored.actor_id, stored.actor_name, "publisher")
    return By(actor, now, stored.on_behalf_of, stored.request, stored.note)


def _short(value: str | None) -> str | None:
    """What is too long to be sent back is forgotten."""
    return value if value and len(value) <= _LONGEST_STATE and value.isprintable() else None


# --- what it may be told ---


def _check(session: Session, given: Mapping[str, Any]) -> None:
    faults = _url_faults(given["url"]) + _minutes_faults(given["minutes"])
    unknown = sorted(given["options"].keys() - set(_OPTIONS))
    faults += [Fault(f"/options/{name}", "unknown_option", f"It has: {', '.join(_OPTIONS)}.") for name in unknown]
    if not unknown:
        try:
            import_jobs.read_asked(session, _job_options(given["source"], given["options"]))
        except InvalidContent as refusal:
            faults += [_placed(fault) for fault in refusal.faults]
    if faults:
        raise InvalidContent(faults)


def _job_options(source: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": USUAL_FORMAT, **options, "source": source}


def _placed(fault: Fault) -> Fault:
    pointer = fault.pointer if fault.pointer == "/source" else f"/options{fault.pointer}"
    return Fault(pointer, fault.code, fault.message)


def _url_faults(url: str) -> list[Fault]:
    try:
        read = urlsplit(url)
        is_web = read.scheme in ("http", "https") and bool(read.hostname) and read.port != 0
    except ValueError:
        is_web = False
    if not is_web or len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        return [Fault("/url", "address_refused", "Give a web address that starts with https:// or http://.")]
    if read.username is not None or read.password is not None:
        return [Fault("/url", "address_refused", "An address with a user's name or password is not asked.")]
    return []


def _minutes_faults(minutes: int) -> list[Fault]:
    if LEAST_MINUTES <= minutes <= MOST_MINUTES:
        return []
    said = f"It is asked every {LEAST_MINUTES} minutes at most, and every {MOST_MINUTES} at least."
    return [Fault("/minutes", "out_of_range", said)]


def _refuse_twin(session: Session, source: str) -> None:
    twin = session.scalar(select(StandingImport.id).where(StandingImport.source == source))
    if twin is not None:
        said = f"The standing import {twin} asks for the source '{source}' already: change that one."
        raise WrongState("standing_import_exists", said)


# --- showing ---


def listing(session: Session, asked: AskedList) -> Page:
    """Rows of (standing import,). Raises `BadQuery`."""
    return page(session, select(StandingImport), asked, columns=_COLUMNS, id=_STANDING.id)


_STANDING = StandingImport.__table__.c
_COLUMNS: Mapping[str, Column] = {
    "id": Column(_STANDING.id, "text", EQUALITY),
    "source": Column(_STANDING.source, "text", WORDS, sortable=True),
    "url": Column(_STANDING.url, "text", WORDS),
    "paused": Column(_STANDING.paused, "boolean", EQUALITY),
    "next_at": Column(_STANDING.next_at, "instant", ORDER, sortable=True),
    "created_at": Column(_STANDING.created_at, "instant", ORDER, sortable=True),
}


def show(stored: StandingImport) -> dict[str, Any]:
    """A standing import as staff see it."""
    options = {name: stored.options.get(name) for name in _OPTIONS}
    return {
        "id": stored.id,
        **_members(stored),
        "options": {**options, "format": options["format"] or USUAL_FORMAT},
        "next_at": instant(stored.next_at),
        "asked_at": instant(stored.asked_at),
        "failures": stored.failures,
        "failure": stored.failure,
        "job": stored.job_id,
        "created_at": instant(stored.created_at),
        "by": {"kind": stored.actor_kind, "id": stored.actor_id, "name": stored.actor_name},
    }


def _members(stored: StandingImport) -> dict[str, Any]:
    return {name: getattr(stored, name) for name in ("source", "url", "minutes", "paused", "options")}
