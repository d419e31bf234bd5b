"""The files that rows refer to: out of the source or from the network, each an entry of its own."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.importing.work import Row, Work, give_way, opened, refusal, result
from api.refusals import TABLE, problem_of
from api.uploads import LARGEST_UPLOAD, keep_received, take_in
from cms import files, publishing
from cms.attribution import By
from cms.built_in_types import BUILT_IN
from cms.errors import Fault, InvalidContent
from cms.files import Received
from cms.import_formats import Asset, Problem
from cms.imports.importing import Brought, Outcome
from cms.imports.spool import Spool, SpooledAsset
from cms.saving import Source
from cms.tables.entries import Entry
from media.receiving import Incoming
from media.refusals import RefusedMedia

# What the source calls a file, among the ids of its rows.
PREFIX = "asset:"
_TRIES = 3
_TOGETHER = 50
_REFUSALS: tuple[type[Exception], ...] = (*TABLE, OSError)
# What an address is refused for does not pass.
_LASTING = frozenset({"address_refused"})

Told = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class _Here:
    """A file that is there already, or bytes that came in."""

    entry_id: str | None = None
    received: Received | None = None


class _NotFetched(Exception):
    """It stands on the network, and nobody asked for it to be fetched."""


def bring_files(work: Work, *, locale: str) -> Told:
    """Each file that has not come in: made, or the same as one that is there. One that fails is refused, one on the
    network that is not asked for is told as a warning, and what refers to either comes in without it."""
    with opened(work, writable=True) as spool:
        base, total = spool.count("items"), spool.count("assets")
        waiting: list[tuple[SpooledAsset, Row]] = []
        for spooled in spool.assets(after=work.checkpoint["at"]):
            row, is_written = _brought(work, spool, spooled, waiting, base=base, locale=locale)
            if not is_written:
                waiting.append((spooled, row))
            if len(waiting) >= _TOGETHER:
                _write(work, spool, waiting)
            if spooled.number % 10 == 0:
                yield {"progress": spooled.number, "of": total, "doing": "files"}
        _write(work, spool, waiting)


def _brought(
    work: Work, spool: Spool, spooled: SpooledAsset, waiting: list[tuple[SpooledAsset, Row]], *, base: int, locale: str
) -> tuple[Row, bool]:
    """What became of a file, and whether that is written already."""
    number, asset = base + spooled.number, spooled.asset
    try:
        here = _found(work, asset)
        if here.received is None:
            outcome: Outcome = "made" if here.entry_id is None else "same"
            return _row(work, number, asset, Brought(outcome, here.entry_id or spooled.entry_id)), False
        # What waits to be written has lower numbers: the checkpoint must not pass it by.
        _write(work, spool, waiting)
        return _made(work, spool, spooled, here.received, number=number, locale=locale), True
    except _NotFetched:
        return _row(work, number, asset, Brought("same", None, warnings=(_said_of(asset),))), False
    except _REFUSALS as refused:
        return refusal(number, _problem(asset, refused), kind="file", dry=work.dry), False


def _row(work: Work, number: int, asset: Asset, brought: Brought) -> Row:
    file = asset.external_id
    return result(number, brought, file=file, line=None, external_id=file, kind="file", dry=work.dry)


def _problem(asset: Asset, refused: Exception) -> Problem:
    if isinstance(refused, OSError):
        code, reason = "refused_file", refused.strerror or "It cannot be read."
    else:
        told = problem_of(refused)
        fault = told.errors[0] if told.errors else None
        code, reason = (fault.code, fault.message) if fault else (told.code, told.detail)
    return Problem(asset.external_id, None, None, code, reason, external_id=asset.external_id)


def _said_of(asset: Asset) -> Fault:
    said = (
        f"The file is not in the source. It stands at {(asset.url or '')[:300]}: let files be fetched from the network."
    )
    return Fault("", "not_fetched", said)


def _write(work: Work, spool: Spool, waiting: list[tuple[SpooledAsset, Row]]) -> None:
    if not waiting:
        return
    spool.settle_assets({one.asset.external_id: _entry_of(row) for one, row in waiting})
    with work.parts.database.writing() as session:
        last = waiting[-1][0].number
        counts = work.keep(session, [row for _, row in waiting], checkpoint=work.at(last))
    work.counts, work.checkpoint = counts, work.at(last)
    waiting.clear()
    give_way(work.parts.database)


def _entry_of(row: Row) -> str | None:
    return None if row["outcome"] == "refused" else row["entry_id"]


# --- finding the bytes ---


def _found(work: Work, asset: Asset) -> _Here:
    if asset.path is not None and asset.path.is_file():
        return _of_path(work, asset.path)
    known = _known(work, asset)
    if known is not None:
        return _Here(known)
    if asset.url is None:
        raise RefusedMedia("not_there", "The file is not in the source.")
    if not work.asked.fetch:
        raise _NotFetched
    return _Here() if work.dry else _Here(received=_fetched(work, asset.url))


def _known(work: Work, asset: Asset) -> str | None:
    """The entry that the file became before."""
    wanted = select(Entry.id).where(
        Entry.source_name == work.job.source,
        Entry.source_id == PREFIX + asset.external_id,
        Entry.trashed_at.is_(None),
    )
    if work.asked.publish:
        wanted = wanted.where(Entry.first_published_at.is_not(None))
    with work.parts.database.reading() as session:
        return session.scalar(wanted)


def _of_path(work: Work, path: Path) -> _Here:
    there = _same_bytes(work, path)
    if there is not None or work.dry:
        return _Here(there)
    with path.open("rb") as file:
        return _Here(received=take_in(work.parts, file, filename=path.name))


def _same_bytes(work: Work, path: Path) -> str | None:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with work.parts.database.reading() as session:
        entry = files.entry_of(session, sha256)
        if entry is None or (work.asked.publish and entry.first_published_at is None):
            return None
        return entry.id


def _fetched(work: Work, url: str) -> Received:
    for left in range(_TRIES - 1, -1, -1):
        try:
            with Incoming(work.parts.store.incoming, limit=LARGEST_UPLOAD) as incoming:
                fetched = asyncio.run(work.parts.fetcher.fetch(url, into=incoming))
                return keep_received(work.parts, fetched.received, filename=fetched.name)
        except InvalidContent as refused:
            if left == 0 or any(fault.code in _LASTING for fault in refused.faults):
                raise
    raise AssertionError("no try")


# --- making its entry ---


def _made(work: Work, spool: Spool, spooled: SpooledAsset, received: Received, *, number: int, locale: str) -> Row:
    by, parts = work.by(), work.parts
    with parts.database.writing() as session:
        stored = files.keep(session, received, by=by, is_there=parts.store.exists)
        entry = files.entry_of(session, received.sha256)
        if entry is None:
            brought = _new_entry(session, work, spooled, stored, by=by, locale=locale)
        else:
            brought = Brought("same", entry.id, entry.revision, entry.revision, entry.published_revision)
        entry = session.get_one(Entry, brought.entry_id)
        if work.asked.publish and entry.published_revision is None:
            publishing.publish(session, entry, by=by)
            brought = Brought(
                "made" if brought.outcome == "made" else "changed", entry.id, brought.before, entry.revision
            )
        row = _row(work, number, spooled.asset, brought)
        # Before the commit: when it is lost, the file is brought once more; afterwards its entry must be known.
        spool.settle_assets({spooled.asset.external_id: entry.id})
        counts = work.keep(session, [row], checkpoint=work.at(spooled.number))
    work.counts, work.checkpoint = counts, work.at(spooled.number)
    give_way(parts.database)
    return row


def _new_entry(session: Session, work: Work, spooled: SpooledAsset, stored: Any, *, by: By, locale: str) -> Brought:
    asset = spooled.asset
    key = PREFIX + asset.external_id
    twin = session.scalar(select(Entry.id).where(Entry.source_name == work.job.source, Entry.source_id == key))
    source = Source(work.job.source, key, stored.sha256) if twin is None else None
    told = _told(asset.fields, stored.kind)
    title = str(told.pop("title", "") or Path(stored.name).stem)
    alt = told.pop("alt", None)
    taken = session.get(Entry, spooled.entry_id) is not None
    made = files.make_entry(
        session,
        stored,
        title=title,
        alt=alt,
        locale=locale,
        others=told,
        by=by,
        source=source,
        entry_id=None if taken else spooled.entry_id,
    )
    return Brought("made", made.entry.id, None, made.entry.revision)


def _told(fields: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What the source tells of a file, as far as its type has a place for it."""
    known = {name: value for name, value in fields.items() if value not in (None, "", [], {}) and name != "file"}
    content_type = BUILT_IN[kind]
    return {
        name: value
        for name, value in known.items()
        if content_type.field(name) is not None or name in ("alt", "caption")
    }
