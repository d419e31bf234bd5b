"""Rows of our own exports: each is a line that is brought whole, with its ids and its history."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from api.importing.work import SECONDS, Row, Work, give_way, opened, refusal, result
from api.refusals import problem_of
from api.uploads import take_in
from cms.errors import Fault, Forbidden, Refusal
from cms.import_formats import FORMATS, Item, Problem, Reading
from cms.imports.importing import Brought
from cms.imports.spool import Spool, SpooledRow
from cms.tables.entries import StoredFile
from cms.tables.people import ApiKey, User
from cms.transfers import transferring
from cms.transfers.entries import Transferred
from media.refusals import RefusedMedia
from media.stores import Unreachable

# The format whose rows these are.
FORMAT = "sitedesk"
# Each may hold some megabytes.
_BATCH = 25

Told = Iterator[dict[str, Any]]


def bring_lines(work: Work) -> Told:
    """Every line after the checkpoint. Raises `LostJob`, and `Forbidden` for who is no administrator: a line may make
    people and types, and change the structure."""
    _refuse_others(work)
    with opened(work) as spool:
        total, reading = spool.count("items"), _opened(spool)
        rows = spool.rows(after=work.checkpoint["at"])
        while batch := list(islice(rows, _BATCH)):
            received = {} if work.dry else _taken_in(work, reading, batch)
            done = 0
            while done < len(batch):
                done += _commit(work, batch[done:], received)
                yield {"progress": batch[done - 1].number, "of": total, "doing": "entries"}


def _refuse_others(work: Work) -> None:
    job = work.job
    with work.parts.database.reading() as session:
        user = session.get(User, job.actor_id) if job.actor_kind == "person" else None
        key = session.get(ApiKey, job.actor_id) if job.actor_kind == "key" else None
    held = user or key
    if job.actor_kind != "system" and (held is None or held.role != "administrator"):
        raise Forbidden("import", "settings")


def _opened(spool: Spool) -> Reading:
    read = spool.read()
    return FORMATS[read.format].read(read.path, read.options)


def _taken_in(work: Work, reading: Reading, batch: list[SpooledRow]) -> dict[int, Any]:
    """The bytes of files, looked at and in the store: what is known of them by the rows' numbers, or why they were
    refused. They are not noted yet: what is never noted is swept."""
    received: dict[int, Any] = {}
    for row in batch:
        try:
            received[row.number] = _file_of(work, reading, row)
        except (RefusedMedia, OSError, Refusal, Unreachable) as refused:
            received[row.number] = refused
    return received


def _file_of(work: Work, reading: Reading, row: SpooledRow) -> Any:
    if not isinstance(row.row, Item) or row.row.raw is None or not row.row.external_id.startswith("file:"):
        return None
    held = transferring.held_bytes(transferring.read_line(row.row.raw))
    asset = reading.asset(held[0]) if held is not None else None
    if held is None or asset is None or asset.path is None:
        return None
    with work.parts.database.reading() as session:
        if session.get(StoredFile, held[0]) is not None and work.parts.store.exists(held[0]):
            return None
    with asset.path.open("rb") as file:
        return take_in(work.parts, file, filename=held[1])


def _commit(work: Work, batch: list[SpooledRow], received: Mapping[int, Any]) -> int:
    """The first rows of a batch in one transaction: all, or as many as there are before somebody waits to write."""
    database = work.parts.database
    results: list[Row] = []
    others: Counter[str] = Counter()
    done = 0
    with database.writing() as session:
        until = time.monotonic() + SECONDS
        for row in batch:
            results += _result(session, work, row, received.get(row.number), others)
            done += 1
            if database.waiting or time.monotonic() > until:
                break
        reached = batch[done - 1].number
        checkpoint = work.at(reached)
        counts = work.keep(session, results, others=others, checkpoint=checkpoint, done=reached)
    work.counts, work.checkpoint = counts, checkpoint
    give_way(database)
    return done


def _result(session: Session, work: Work, row: SpooledRow, received: Any, others: Counter[str]) -> list[Row]:
    item = row.row
    if isinstance(item, Problem):
        return [refusal(row.number, item, kind="entry", dry=work.dry)]
    try:
        if isinstance(received, Exception):
            raise received
        raw = item.raw or ""
        if work.dry:
            brought = transferring.would_bring(session, raw)
        else:
            brought = transferring.bring(session, raw, by=work.by(), received=received)
    except (Refusal, RefusedMedia, OSError, Unreachable) as refused:
        return [_refused(row.number, item, _fault_of(refused), dry=work.dry)]
    if brought.entry_id is None:
        # No entry: counted, and a matter of its own for who looks for it.
        others[f"{_CALLED.get(brought.kind, brought.kind)}_{brought.outcome}"] += 1
        return []
    told = Brought(
        brought.outcome, brought.entry_id, brought.before, brought.after, brought.live_before, warnings=brought.warnings
    )
    return [_row(row.number, item, told, kind=_kind_of(brought), dry=work.dry)]


_CALLED = {"person": "people", "type": "types", "file": "files", "redirect": "redirects", "site": "lines"}


def _kind_of(brought: Transferred) -> str:
    if brought.kind == "redirect":
        return "redirect"
    return "structure" if brought.kind == "structure" and brought.outcome == "changed" else "entry"


def _row(number: int, item: Item, told: Brought, *, kind: str, dry: bool) -> Row:
    place = item.origin
    return result(number, told, file=place.file, line=place.line, external_id=item.external_id, kind=kind, dry=dry)


def _refused(number: int, item: Item, fault: Fault, *, dry: bool) -> Row:
    conflict = fault.code in ("stale", "differs", "other_type", "single_type")
    told = Brought("conflict" if conflict else "refused", None, fault=fault)
    return _row(number, item, told, kind="entry", dry=dry)


def _fault_of(refused: Exception) -> Fault:
    if isinstance(refused, OSError):
        return Fault("", "unreadable", refused.strerror or "The file cannot be read.")
    if isinstance(refused, RefusedMedia):
        return Fault("", refused.code, problem_of(refused).detail)
    told = problem_of(refused)
    return told.errors[0] if told.errors else Fault("", told.code, told.detail)
