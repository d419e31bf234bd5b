"""What the stages of a job share: the hold on it, its counts, and the results of rows as they are written down."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from api.importing import places
from api.parts import Parts
from cms.attribution import By
from cms.database import Database
from cms.errors import Fault
from cms.import_formats import Problem
from cms.imports import attempts as import_attempts
from cms.imports import importing
from cms.imports import rights as import_rights
from cms.imports.attempts import Attempt
from cms.imports.importing import Brought
from cms.imports.jobs import Asked
from cms.imports.spool import Spool
from cms.tables.jobs import ImportJob

# Short enough that an editor's save, waiting for its turn, does not notice.
BATCH = 50
SECONDS = 0.12
# Writing a batch out cannot be cut short: whoever comes again and again shall find small ones, and time between them
# for what else a save needs. Rows, and seconds.
SMALL_BATCH = 8
STAYS_SMALL = 5.0
BREATH = 0.03
_LONGEST_WAIT = 1.0
_LOOK = 0.002

Row = dict[str, Any]


@dataclass(frozen=True)
class Counts:
    """How many rows had which outcome (of files with `files_` before it), and how often there was which warning."""

    outcomes: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)

    def plus(self, rows: Iterable[Row], others: Mapping[str, int]) -> "Counts":
        """With some more."""
        outcomes, warnings = Counter(self.outcomes), Counter(self.warnings)
        outcomes.update(others)
        for row in rows:
            prefix = _PREFIXES[row["kind"]]
            # A file that nobody asked for is a warning and nothing else.
            if prefix is not None and not (row["kind"] == "file" and row["outcome"] == "same" and not row["entry_id"]):
                outcomes[prefix + row["outcome"]] += 1
            warnings.update(one["code"] for one in row.get("warnings") or ())
        return Counts(outcomes, warnings)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {**self.outcomes, "warnings": dict(self.warnings)}

    @property
    def errors(self) -> int:
        """How many rows did not come in."""
        return sum(self.outcomes[name] for name in ("refused", "conflict", "files_refused"))


_PREFIXES: Mapping[str, str | None] = {"entry": "", "file": "files_", "redirect": "redirects_", "structure": None}


def counts_of(told: Mapping[str, Any]) -> Counts:
    """What a job has counted so far."""
    numbers = {name: value for name, value in told.items() if isinstance(value, int)}
    return Counts(Counter(numbers), Counter(told.get("warnings") or {}))


@dataclass
class Work:
    """One process at work on a job, as the job was when it was taken up; `counts` grow with what is committed."""

    parts: Parts
    job: ImportJob
    attempt: Attempt
    asked: Asked
    counts: Counts
    checkpoint: dict[str, Any]

    @property
    def folder(self) -> Path:
        """The job's own folder."""
        return places.job_folder(self.parts, self.job.id)

    @property
    def spool(self) -> Path:
        """What the analysis has read."""
        return places.spool_file(self.parts, self.job.id)

    @property
    def dry(self) -> bool:
        """Whether nothing but results is to be written."""
        return self.job.phase == "dry_run"

    def by(self) -> By:
        """In whose name it writes at this moment."""
        return import_attempts.by_of(self.job, self.parts.clock())

    def keep(
        self, session: Session, rows: Sequence[Row] = (), *, others: Mapping[str, int] | None = None, **values: Any
    ) -> Counts:
        """Write results and `checkpoint` in the caller's transaction; the new counts, to be taken when it has ended.
        Raises `LostJob`."""
        counts = self.counts.plus(rows, others or {})
        import_attempts.keep(session, self.attempt, rows=rows, counts=counts.told(), **values)
        return counts

    def reach(self, stage: str, **others: Any) -> None:
        """Note that a stage begins."""
        with self.parts.database.writing() as session:
            self.keep(session, checkpoint={"stage": stage, "at": 0}, **others)
        self.checkpoint = {"stage": stage, "at": 0}

    def at(self, number: int) -> dict[str, Any]:
        """The checkpoint of the same stage, so far."""
        return {**self.checkpoint, "at": number}


def opened(work: Work, *, writable: bool = False) -> Spool:
    """The spool of a job."""
    return Spool(work.spool, writable=writable)


def setting_of(
    session: Session, work: Work, spool: Spool, *, types: Mapping[str, Any], locale: str
) -> importing.Setting:
    """What holds for all rows."""
    asked = work.asked
    if work.dry:
        sections = importing.missing_sections(session, spool.sections(), base=asked.section).ids
    else:
        sections = spool.section_ids()
    return importing.Setting(
        source=work.job.source,
        types=types,
        locale=asked.locale or locale,
        publish=asked.publish,
        on_conflict=asked.on_conflict,
        sections=sections,
        base=asked.section,
        coming=Coming(spool),
        closed=import_rights.closed_sections(session, work.job, types),
    )


class Coming:
    """The ids of entries that will be there when the job has ended."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self._spool.holds(id)


def give_way(database: Database) -> None:
    """Let who waits to write go first."""
    until = time.monotonic() + _LONGEST_WAIT
    while database.waiting and time.monotonic() < until:
        time.sleep(_LOOK)


# --- results ---


def result(
    number: int, brought: Brought, *, file: str, line: int | None, external_id: str | None, kind: str, dry: bool
) -> Row:
    """What became of a row, as it is kept."""
    fault = brought.fault
    return {
        "dry": dry,
        "number": number,
        "kind": kind,
        "outcome": brought.outcome,
        "external_id": external_id,
        "entry_id": brought.entry_id,
        "before": brought.before,
        "after": brought.after,
        "live_before": brought.live_before,
        "file": file,
        "line": line,
        "pointer": (fault.pointer or None) if fault else None,
        "code": fault.code if fault else None,
        "reason": fault.message if fault else None,
        "warnings": [_told(one) for one in brought.warnings] or None,
        "diff": brought.diff,
        "decision": brought.decision,
    }


def refusal(number: int, problem: Problem, *, kind: str, dry: bool) -> Row:
    """A row that did not come in."""
    fault = Fault(problem.field or "", problem.code, problem.reason)
    brought = Brought("refused", None, fault=fault)
    return result(
        number, brought, file=problem.file, line=problem.line, external_id=problem.external_id, kind=kind, dry=dry
    )


def as_faults(problems: Iterable[Problem]) -> tuple[Fault, ...]:
    """Warnings of a format as those of the domain."""
    return tuple(Fault(one.field or "", one.code, one.reason) for one in problems)


def _told(fault: Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "code": fault.code, "message": fault.message}
