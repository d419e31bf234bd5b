"""One run of an import: what a source holds comes in, a batch a transaction, with a report at the end."""

import hashlib
import time
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from api import background
from api.parts import Parts
from api.refusals import problem_of
from api.uploads import take_in
from cms import files, importing, people, publishing, site
from cms.attribution import COMMAND_LINE, By
from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.errors import Fault, InvalidContent, Refusal, WrongState
from cms.identity import new_id
from cms.import_formats import FORMATS, Asset, Author, Options, Problem, Reading, SourceUnreadable
from cms.import_reading import Prepared, ReadingFailed, Task, rows
from cms.importing import Known, Settled
from cms.saving import Source
from media.refusals import RefusedMedia

# Short enough that an editor's save, waiting for its turn, does not notice.
BATCH = 100
_LONGEST_SOURCE = 200
_ASSET = "asset:"
# They hold more than a row of text can tell.
_NOT_IMPORTED = frozenset({"image", "file", "menu", "structure", "settings"})


@dataclass
class Report:
    """What became of everything. `problems` are refused rows and, with `warning`, what was left as it was."""

    outcomes: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def warn(self, origin: str, line: int | None, faults: tuple[Fault, ...]) -> None:
        """Note what did not fit."""
        for fault in faults:
            self.warnings[fault.code] += 1
            self.problems.append(Problem(origin, line, fault.pointer, fault.code, fault.message, warning=True))

    def refuse(self, problem: Problem) -> None:
        """Note a row that did not come in, or a warning of the format."""
        if problem.warning:
            self.warnings[problem.code] += 1
        else:
            self.outcomes["conflict" if problem.code == "stale" else "refused"] += 1
        self.problems.append(problem)


@dataclass(frozen=True)
class Job:
    """What is imported, and how."""

    source: str
    content_type: ContentType
    publish: bool
    dry_run: bool
    by: By
    default_locale: str


def import_source(
    parts: Parts,
    *,
    format: str,
    path: str,
    type: str,
    source: str,
    publish: bool = False,
    dry_run: bool = False,
    locale: str | None = None,
    on_behalf_of: str | None = None,
    for_request: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Import a file or folder. Tells progress, and at last `{"report": …}`."""
    started = time.monotonic()
    job = _job(parts, type, source, locale, publish=publish, dry_run=dry_run, by=(on_behalf_of, for_request))
    # A type's own fields are not taken for something else because their names are common.
    options = Options(locale=locale, fields=frozenset(field.name for field in job.content_type.fields))
    reading = _opened(format, Path(path), options)
    report = Report()
    with parts.database.reading() as session:
        known = importing.known(session, source)
    surveyed = _Survey(reading, known)
    yield {"line": f"{surveyed.items} entries, {len(surveyed.sections)} sections, {len(surveyed.authors)} people"}
    settled = _settle(parts, job, surveyed, known, report)
    assets = yield from _bring_assets(parts, job, reading, known, report)
    task = Task(
        format=format,
        path=Path(path),
        options=options,
        content_type=job.content_type,
        entries=settled.entries,
        assets=assets,
        digests={id: one.digest for id, one in known.items() if one.digest is not None},
        unpublished=frozenset(id for id, one in known.items() if one.needs_publishing) if publish else frozenset(),
    )
    try:
        yield from _bring_items(parts, job, task, settled, report, total=surveyed.items)
    except ReadingFailed as error:
        raise WrongState("reading_failed", f"Reading {path} failed: {error}. What came in stays.") from error
    if not dry_run:
        _loosen_vain_links(parts, job, settled, report)
        background.catch_up(parts)
    yield {"report": _told(report, time.monotonic() - started, dry_run=dry_run)}


def _loosen_vain_links(parts: Parts, job: Job, settled: Settled, report: Report) -> None:
    """A row that was refused may be mended: those that link to it are told, and read again the next time."""
    if not report.outcomes["refused"]:
        return
    with parts.database.writing() as session:
        for external_id, pointer in importing.loosen(session, job.source, settled.coming):
            said = "It links to a row that was refused. Mend that row and run the import again."
            report.refuse(Problem(external_id, None, pointer, "missing_target", said, warning=True))


def _job(
    parts: Parts, type: str, source: str, locale: str | None, *, publish: bool, dry_run: bool, by: tuple[Any, Any]
) -> Job:
    on_behalf_of, for_request = by
    with parts.database.reading() as session:
        content_type = site_types.find(session, type)
    if content_type.name in _NOT_IMPORTED:
        said = "Texts are imported as news, article, page, or a type that staff made."
        raise InvalidContent([Fault("--type", "not_imported", said)])
    if not source.isprintable() or not 0 < len(source) <= _LONGEST_SOURCE:
        said = f"A source is called by 1 to {_LONGEST_SOURCE} readable characters."
        raise InvalidContent([Fault("--source", "bad_source", said)])
    if for_request is not None and not 0 < for_request < 2**31:
        raise InvalidContent([Fault("--for-request", "bad_request", "A request has a number from 1.")])
    with parts.database.reading() as session:
        locales = site.locales(session)
        if on_behalf_of is not None:
            people.find(session, on_behalf_of)
    if locale is not None and locale not in locales.all:
        known = ", ".join(locales.all)
        raise InvalidContent([Fault("--locale", "unknown_locale", f"The site has no such locale. It has: {known}.")])
    attributed = By(COMMAND_LINE, parts.clock(), on_behalf_of, for_request, f"import from {source}")
    return Job(source, content_type, publish, dry_run, attributed, locale or locales.default)


def _opened(format: str, path: Path, options: Options) -> Reading:
    try:
        return FORMATS[format].read(path, options)
    except SourceUnreadable as error:
        raise InvalidContent([Fault(error.path, "unreadable", error.reason)]) from error


class _Survey:
    """A first look at everything: ids for all rows, so that they can refer to one another before they are there."""

    def __init__(self, reading: Reading, known: dict[str, Known]) -> None:
        self.items = 0
        self.entries: dict[str, str] = {}
        self.sections: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.authors: dict[str, Author] = {author.key: author for author in reading.people()}
        for item in reading.items():
            if isinstance(item, Problem):
                continue
            self.items += 1
            there = known.get(item.external_id)
            self.entries[item.external_id] = there.entry_id if there else new_id()
            if item.section:
                self.sections.setdefault(item.section, item.section_names)
            for author in item.byline:
                self.authors.setdefault(author.key, author)


def _settle(parts: Parts, job: Job, surveyed: _Survey, known: dict[str, Known], report: Report) -> Settled:
    if job.dry_run:
        return Settled({}, {}, surveyed.entries, frozenset(), frozenset())
    with parts.database.writing() as session:
        persons, made = importing.settle_people(session, surveyed.authors.values(), source=job.source, by=job.by)
        report.outcomes["people made"] += made
        sections, made = importing.settle_sections(session, surveyed.sections, by=job.by, publish=job.publish)
        report.outcomes["sections made"] += made
    there = frozenset(one.entry_id for one in known.values())
    return Settled(persons, sections, surveyed.entries, there, frozenset(surveyed.entries.values()))


# --- files that articles refer to ---


def _bring_assets(
    parts: Parts, job: Job, reading: Reading, known: dict[str, Known], report: Report
) -> Generator[dict[str, Any], None, dict[str, str]]:
    entries: dict[str, str] = {}
    for count, asset in enumerate(reading.assets(), start=1):
        try:
            entries[asset.external_id] = _bring_asset(parts, job, asset, known.get(_ASSET + asset.external_id), report)
        except (RefusedMedia, Refusal, OSError) as refusal:
            reason = problem_of(refusal).detail if not isinstance(refusal, OSError) else str(refusal.strerror)
            code = refusal.code if isinstance(refusal, RefusedMedia) else "refused_file"
            report.refuse(Problem(asset.external_id, None, None, code, reason))
        if count % BATCH == 0:
            yield {"progress": count, "of": None, "doing": "files"}
    return entries


def _bring_asset(parts: Parts, job: Job, asset: Asset, known: Known | None, report: Report) -> str:
    if asset.path is None:
        raise RefusedMedia("not_there", "The file is not in the source.")
    if job.dry_run:
        report.outcomes["files"] += 1
        return known.entry_id if known else new_id()
    with asset.path.open("rb") as file, parts.database.reading() as session:
        there = files.entry_of(session, hashlib.file_digest(file, "sha256").hexdigest())
        if there is not None and (there.first_published_at is not None or not job.publish):
            report.outcomes["files same"] += 1
            return there.id
    with asset.path.open("rb") as file:
        received = take_in(parts, file, filename=asset.path.name)
    with parts.database.writing() as session:
        stored = files.keep(session, received, by=job.by, is_there=parts.store.exists)
        entry = files.entry_of(session, received.sha256)
        if entry is None:
            source = None if known else Source(job.source, _ASSET + asset.external_id, received.sha256)
            title = asset.path.stem
            made = files.make_entry(session, stored, title=title, locale=job.default_locale, by=job.by, source=source)
            entry = made.entry
            report.outcomes["files made"] += 1
        if job.publish:
            publishing.publish(session, entry, by=job.by)
        return entry.id


# --- articles ---


def _bring_items(
    parts: Parts, job: Job, task: Task, settled: Settled, report: Report, *, total: int
) -> Iterator[dict[str, Any]]:
    done = 0
    for batch in rows(task, batch=BATCH, expected=total):
        ready = []
        for row in batch:
            if isinstance(row, Prepared):
                ready.append(row)
            elif isinstance(row, Problem):
                report.refuse(row)
            else:
                report.outcomes["same"] += 1
        if job.dry_run:
            _would_bring(ready, task, report)
        else:
            _bring_batch(parts, job, ready, settled, report)
        done += len(batch)
        yield {"progress": done, "of": total, "doing": "entries"}


def _bring_batch(parts: Parts, job: Job, ready: list[Prepared], settled: Settled, report: Report) -> None:
    """All rows in one transaction. When one is refused, each gets a transaction of its own, and only it is left out."""
    if not ready:
        return
    try:
        with parts.database.writing() as session:
            brought = _bring_all(session, job, ready, settled)
    except Refusal as refusal:
        if len(ready) == 1:
            item = ready[0].item
            told = problem_of(refusal)
            fault = told.errors[0] if told.errors else Fault("", told.code, told.detail)
            place = fault.pointer or None
            report.refuse(Problem(item.origin.file, item.origin.line, place, fault.code, fault.message))
            return
        for row in ready:
            _bring_batch(parts, job, [row], settled, report)
        return
    for row, (outcome, warnings) in zip(ready, brought, strict=True):
        report.outcomes[outcome] += 1
        for problem in row.problems:
            report.refuse(problem)
        report.warn(row.item.origin.file, row.item.origin.line, warnings)


def _bring_all(session: Session, job: Job, ready: list[Prepared], settled: Settled) -> list[importing.Outcome]:
    importing.look_ahead(session, ready, settled, default_locale=job.default_locale)
    return [
        importing.bring(
            session,
            job.content_type,
            row,
            source=job.source,
            settled=settled,
            default_locale=job.default_locale,
            publish=job.publish,
            by=job.by,
        )
        for row in ready
    ]


def _would_bring(rows: list[Prepared], task: Task, report: Report) -> None:
    for row in rows:
        report.outcomes["changed" if row.item.external_id in task.digests else "made"] += 1
        for problem in row.problems:
            report.refuse(problem)
        report.warn(row.item.origin.file, row.item.origin.line, row.warnings)


def _told(report: Report, seconds: float, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "outcomes": dict(report.outcomes),
        "warnings": dict(report.warnings),
        "problems": [asdict(problem) for problem in report.problems],
        "seconds": round(seconds, 2),
    }
