"""The rows themselves: a batch a transaction, with its results and the checkpoint; then it is somebody else's turn."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from api.importing import work as working
from api.importing.work import Row, Work, as_faults, give_way, opened, refusal, result, setting_of
from api.refusals import problem_of
from cms.addresses import Address
from cms.content_types import ContentType
from cms.errors import Fault, Refusal
from cms.import_formats import Problem
from cms.imports import importing
from cms.imports.importing import Brought, Setting
from cms.imports.reading import Prepared, Refused, Same, Task, rows
from cms.imports.reading import Row as ReadRow

Told = Iterator[dict[str, Any]]


def bring_entries(work: Work, *, types: Mapping[str, ContentType], locale: str) -> Told:
    """Every row after the checkpoint. Raises `ReadingFailed`, `LostJob`."""
    with opened(work) as spool:
        with work.parts.database.reading() as session:
            setting = setting_of(session, work, spool, types=types, locale=locale)
        total, begun = spool.count("items"), work.checkpoint["at"]
        task = task_of(work, types, after=begun)
        run = _Trial(work, setting) if work.dry else _Run(work, setting)
        for batch in rows(task, batch=working.BATCH, expected=total - begun):
            done = 0
            while done < len(batch):
                done += run.some(batch[done:])
                yield {"progress": batch[done - 1].number, "of": total, "doing": "entries"}


def task_of(work: Work, types: Mapping[str, ContentType], *, after: int = 0) -> Task:
    """What the reading process is to read."""
    return Task(work.spool, dict(types), work.asked.type, work.asked.publish, after)


class _Run:
    """Rows that come in. One that is refused is left out, and only it."""

    def __init__(self, work: Work, setting: Setting) -> None:
        self._work = work
        self._setting = setting
        self._refused: dict[int, Fault] = {}
        self._reached = 0
        self._small_until = 0.0

    def some(self, batch: list[ReadRow]) -> int:
        """Bring the first rows of a batch in one transaction: as many as its time allows. Gives how many.

        When one is refused, those before it are brought by themselves, and it is noted with them."""
        if time.monotonic() < self._small_until:
            batch = batch[: working.SMALL_BATCH]
        while True:
            try:
                return self._commit(batch)
            except Refusal as refused:
                self._refused[batch[self._reached].number] = _fault_of(refused)
                batch = batch[: self._reached + 1]
            except (IntegrityError, DataError) as error:
                # Only the database knows which row it was.
                if len(batch) == 1:
                    self._refused[batch[0].number] = _not_storable(error)
                batch = batch[:1]

    def _commit(self, batch: list[ReadRow]) -> int:
        work, database = self._work, self._work.parts.database
        results: list[Row] = []
        with database.writing() as session:
            until = time.monotonic() + working.SECONDS
            ready = [row for row in batch if isinstance(row, Prepared) and row.number not in self._refused]
            looked = importing.look_ahead(session, ready, self._setting) if ready else None
            by = work.by()
            for self._reached, row in enumerate(batch):
                results.append(self._result(session, row, looked, by))
                if database.waiting:
                    self._small_until = time.monotonic() + working.STAYS_SMALL
                if database.waiting or time.monotonic() > until:
                    break
            checkpoint = work.at(results[-1]["number"])
            counts = work.keep(session, results, checkpoint=checkpoint, done=results[-1]["number"])
        work.counts, work.checkpoint = counts, checkpoint
        give_way(database)
        if time.monotonic() < self._small_until:
            time.sleep(working.BREATH)
        return len(results)

    def _result(self, session: Session, row: ReadRow, looked: Any, by: Any) -> Row:
        if isinstance(row, Prepared) and row.number not in self._refused:
            brought = importing.bring(session, row, self._setting, looked, by=by)
            return _row(row, brought, dry=False)
        return _untouched(row, self._refused.pop(row.number, None), dry=False)


class _Trial:
    """Rows of which is found out what would become of them."""

    def __init__(self, work: Work, setting: Setting) -> None:
        self._work = work
        self._setting = setting
        # Fingerprints, so that a hundred thousand addresses are no burden.
        self._taken: set[int] = set()

    def some(self, batch: list[ReadRow]) -> int:
        """Find it out for a batch."""
        work, database = self._work, self._work.parts.database
        with database.reading() as session:
            ready = [row for row in batch if isinstance(row, Prepared)]
            looked = importing.look_ahead(session, ready, self._setting)
            results = [self._result(session, row, looked) for row in batch]
        checkpoint = work.at(batch[-1].number)
        with database.writing() as session:
            counts = work.keep(session, results, checkpoint=checkpoint, done=batch[-1].number)
        work.counts, work.checkpoint = counts, checkpoint
        give_way(database)
        return len(batch)

    def _result(self, session: Session, row: ReadRow, looked: importing.Looked) -> Row:
        if not isinstance(row, Prepared):
            return _untouched(row, None, dry=True)
        try:
            brought = importing.would_bring(
                session, row, self._setting, looked, by=self._work.by(), is_taken=self._is_taken
            )
        except Refusal as refused:
            return _untouched(row, _fault_of(refused), dry=True)
        if row.item.slug is not None:
            place = "/".join(row.item.section) if self._is_new(row) else self._section(row)
            self._taken.add(hash(Address(row.item.locale or self._setting.locale, place, row.item.slug)))
        return _row(row, brought, dry=True)

    def _is_new(self, row: Prepared) -> bool:
        return bool(row.item.section) and row.item.section not in self._setting.sections

    def _section(self, row: Prepared) -> str | None:
        return self._setting.sections.get(row.item.section) if row.item.section else self._setting.base

    def _is_taken(self, address: Address) -> bool:
        return hash(address) in self._taken


def _row(row: Prepared, brought: Brought, *, dry: bool) -> Row:
    item = row.item
    told = result(
        row.number,
        brought,
        file=item.origin.file,
        line=item.origin.line,
        external_id=item.external_id,
        kind="entry",
        dry=dry,
    )
    met = as_faults(row.problems)
    if met and brought.outcome != "conflict":
        noted = [{"pointer": one.pointer, "code": one.code, "message": one.message} for one in met]
        told["warnings"] = [*noted, *(told["warnings"] or ())]
    return told


def _untouched(row: ReadRow, fault: Fault | None, *, dry: bool) -> Row:
    if isinstance(row, Refused):
        return refusal(row.number, row.problem, kind="entry", dry=dry)
    if isinstance(row, Same):
        place, id = row.origin, row.external_id
        brought = Brought("same", row.entry_id)
        return result(row.number, brought, file=place.file, line=place.line, external_id=id, kind="entry", dry=dry)
    fault = fault or Fault("", "refused", "It was refused.")
    place = row.item.origin
    problem = Problem(
        place.file, place.line, fault.pointer, fault.code, fault.message, external_id=row.item.external_id
    )
    return refusal(row.number, problem, kind="entry", dry=dry)


def _fault_of(refused: Refusal) -> Fault:
    told = problem_of(refused)
    return told.errors[0] if told.errors else Fault("", told.code, told.detail)


def _not_storable(error: Exception) -> Fault:
    return Fault("", "not_storable", f"The database does not take it: {str(error).splitlines()[0][:200]}")
