"""One run of an import: what a source holds comes in, a batch a transaction, with a report at the end."""

import time
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from api import background
from api.parts import Parts
from api.refusals import problem_of
from api.uploads import take_in
from cms import bringing, content_types, files, importing, people, publishing, site
from cms.attribution import COMMAND_LINE, By
from cms.content_types import ContentType
from cms.errors import Fault, InvalidContent, Refusal
from cms.identity import new_id
from cms.import_formats import FORMATS, Asset, Author, Item, Options, Problem, Reading, Target
from cms.importing import Known, Prepared, Settled
from cms.rich_text import Resolve
from cms.saving import Source
from media.refusals import RefusedMedia

# Short enough that an editor's save, waiting for its turn, does not notice.
BATCH = 50
_ASSET = "asset:"


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
    reading = FORMATS[format](Path(path), Options(locale=locale))
    report = Report()
    with parts.database.reading() as session:
        known = importing.known(session, source)
    surveyed = _Survey(reading, known)
    yield {"line": f"{surveyed.items} entries, {len(surveyed.sections)} sections, {len(surveyed.authors)} people"}
    settled = _settle(parts, job, surveyed, known, report)
    assets = yield from _bring_assets(parts, job, reading, known, report)
    links = _Links(reading, {**settled.entries}, assets, report)
    yield from _bring_items(parts, job, reading, settled, known, links, report, total=surveyed.items)
    if not dry_run:
        background.catch_up(parts)
    yield {"report": _told(report, time.monotonic() - started, dry_run=dry_run)}


def _job(
    parts: Parts, type: str, source: str, locale: str | None, *, publish: bool, dry_run: bool, by: tuple[Any, Any]
) -> Job:
    content_type = content_types.find(type)
    if not content_type.routable:
        raise InvalidContent([Fault("--type", "not_routable", "Articles are imported as news, article or page.")])
    on_behalf_of, for_request = by
    with parts.database.reading() as session:
        locales = site.locales(session)
        if on_behalf_of is not None:
            people.find(session, on_behalf_of)
    if locale is not None and locale not in locales.all:
        known = ", ".join(locales.all)
        raise InvalidContent([Fault("--locale", "unknown_locale", f"The site has no such locale. It has: {known}.")])
    attributed = By(COMMAND_LINE, parts.clock(), on_behalf_of, for_request, f"import from {source}")
    return Job(source, content_type, publish, dry_run, attributed, locale or locales.default)


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
    if job.dry_run:
        report.outcomes["files"] += 1
        return known.entry_id if known else new_id()
    with asset.path.open("rb") as file:
        received = take_in(parts, file, filename=asset.path.name)
    with parts.database.reading() as session:
        there = files.entry_of(session, received.sha256)
        if there is not None and (there.first_published_at is not None or not job.publish):
            report.outcomes["files same"] += 1
            return there.id
    with parts.database.writing() as session:
        stored = files.keep(session, received, by=job.by)
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


class _Links:
    """What addresses inside a source lead to, and what they lead to in vain."""

    def __init__(self, reading: Reading, entries: dict[str, str], assets: dict[str, str], report: Report) -> None:
        self._reading = reading
        self._entries = entries
        self._assets = assets
        self._report = report
        self.fingerprint = bringing.digest(sorted(entries.items()), sorted(assets.items()))

    def of(self, item: Item) -> Resolve:
        """The resolver for one item's links."""

        def resolve(kind: str, url: str) -> str | None:
            target = self._reading.target(item.origin.file, url)
            if isinstance(target, Problem):
                self._report.refuse(target)
                return None
            if not isinstance(target, Target):
                return None
            return (self._entries if target.kind == "item" else self._assets).get(target.external_id)

        return resolve


# --- articles ---


def _bring_items(
    parts: Parts,
    job: Job,
    reading: Reading,
    settled: Settled,
    known: dict[str, Known],
    links: _Links,
    report: Report,
    *,
    total: int,
) -> Iterator[dict[str, Any]]:
    done = 0
    ready = _prepared(job, reading, known, links, report)
    while batch := list(islice(ready, BATCH)):
        rows = [row for row in batch if row is not None]
        if not job.dry_run:
            _bring_batch(parts, job, rows, settled, report)
        else:
            _would_bring(rows, known, report)
        done += len(batch)
        yield {"progress": done, "of": total, "doing": "entries"}


def _prepared(
    job: Job, reading: Reading, known: dict[str, Known], links: _Links, report: Report
) -> Iterator[Prepared | None]:
    """Items whose values are read; None for each that needs no more work, so that progress counts them."""
    for item in reading.items():
        if isinstance(item, Problem):
            report.refuse(item)
            continue
        digest = importing.digest(item, type_name=job.content_type.name, linked=links.fingerprint)
        there = known.get(item.external_id)
        wants_publishing = job.publish and not item.draft and there is not None and there.needs_publishing
        if there is not None and there.digest == digest and not wants_publishing:
            report.outcomes["same"] += 1
            yield None
            continue
        try:
            yield importing.prepare(job.content_type, item, digest=digest, resolve=links.of(item))
        except InvalidContent as refusal:
            report.refuse(importing.told(item, refusal, code="invalid"))
            yield None


def _bring_batch(parts: Parts, job: Job, rows: list[Prepared], settled: Settled, report: Report) -> None:
    """All rows in one transaction. When one is refused, each gets a transaction of its own, and only it is left out."""
    if not rows:
        return
    try:
        with parts.database.writing() as session:
            brought = [_bring(session, job, row, settled) for row in rows]
    except Refusal as refusal:
        if len(rows) == 1:
            item = rows[0].item
            problem = problem_of(refusal)
            if isinstance(refusal, InvalidContent):
                report.refuse(importing.told(item, refusal, code=problem.code))
            else:
                report.refuse(Problem(item.origin.file, item.origin.line, None, problem.code, problem.detail))
            return
        for row in rows:
            _bring_batch(parts, job, [row], settled, report)
        return
    for row, (outcome, warnings) in zip(rows, brought, strict=True):
        report.outcomes[outcome] += 1
        report.warn(row.item.origin.file, row.item.origin.line, warnings)


def _bring(session: Any, job: Job, row: Prepared, settled: Settled) -> tuple[str, tuple[Fault, ...]]:
    return importing.bring(
        session,
        job.content_type,
        row,
        source=job.source,
        settled=settled,
        default_locale=job.default_locale,
        publish=job.publish,
        by=job.by,
    )


def _would_bring(rows: list[Prepared], known: dict[str, Known], report: Report) -> None:
    for row in rows:
        report.outcomes["changed" if row.item.external_id in known else "made"] += 1
        report.warn(row.item.origin.file, row.item.origin.line, row.warnings)


def _told(report: Report, seconds: float, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "outcomes": dict(report.outcomes),
        "warnings": dict(report.warnings),
        "problems": [asdict(problem) for problem in report.problems],
        "seconds": round(seconds, 2),
    }
