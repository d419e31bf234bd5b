"""The rows that an import refused, as a file to mend and to send again alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from cms.database import Database
from cms.import_formats import Item, Problem, SourceUnreadable, csv_tables
from cms.imports.spool import Spool
from cms.tables.jobs import ImportJob, ImportRow

_AT_A_TIME = 200


def lines(database: Database, job: ImportJob, spool: Path | None) -> Iterator[bytes]:
    """Pieces of the file, nothing for a job that refused no row: each row as it was written, of a table with its
    header, or what was read of it as a line of JSON. `spool`: what was read of the source, where that is here."""
    if spool is None or not spool.is_file():
        yield from (_line(_told(row)) for row in _refused(database, job))
        return
    with Spool(spool) as opened:
        header = _header(opened)
        for number in _numbers(database, job, opened):
            spooled = opened.row(number)
            if spooled is None:
                continue
            raw = spooled.row.raw
            if raw is not None:
                if header:
                    yield _ended(header)
                    header = None
                yield _ended(raw)
            else:
                yield _line(_read(spooled.row))


def _numbers(database: Database, job: ImportJob, spool: Spool) -> Iterator[int]:
    if job.phase == "analysis" or not _has_rows(database, job):
        yield from (spooled.number for spooled in spool.rows() if isinstance(spooled.row, Problem))
        return
    yield from (row.number for row in _refused(database, job))


def _has_rows(database: Database, job: ImportJob) -> bool:
    with database.reading() as session:
        return session.scalar(select(ImportRow.number).where(ImportRow.job_id == job.id).limit(1)) is not None


def _refused(database: Database, job: ImportJob) -> Iterator[ImportRow]:
    """The refused rows of the run, or of the dry run before there was one."""
    dry = job.phase not in ("import", "rollback")
    after = -1
    while True:
        wanted = select(ImportRow).where(
            ImportRow.job_id == job.id,
            ImportRow.dry.is_(dry),
            ImportRow.outcome == "refused",
            ImportRow.kind == "entry",
            ImportRow.number > after,
        )
        with database.reading() as session:
            found: Sequence[ImportRow] = session.scalars(wanted.order_by(ImportRow.number).limit(_AT_A_TIME)).all()
        yield from found
        if len(found) < _AT_A_TIME:
            return
        after = found[-1].number


def _header(spool: Spool) -> str | None:
    """The row that names the columns, as it was written; none where rows name their values themselves."""
    read = spool.read()
    try:
        return csv_tables.heading(read.path, read.options) if read.format == "csv" else None
    except (SourceUnreadable, OSError):
        # What was read lay elsewhere on this machine, and is there no more.
        return None


def _read(row: Item | Problem) -> Mapping[str, Any]:
    if isinstance(row, Problem):
        return {"external_id": row.external_id, "file": row.file, "line": row.line, "refused": row.reason}
    told = {
        "external_id": row.external_id,
        "type": row.type,
        "locale": row.locale,
        "section": "/".join(row.section_names or row.section) or None,
        "slug": row.slug,
        "byline": [author.name for author in row.byline] or None,
        "first_published_at": row.first_published_at,
        "draft": row.draft or None,
        **row.source_fields,
        **row.fields,
    }
    return {name: value for name, value in told.items() if value is not None}


def _told(row: ImportRow) -> Mapping[str, Any]:
    return {"external_id": row.external_id, "file": row.file, "line": row.line, "refused": row.reason}


def _line(told: Mapping[str, Any]) -> bytes:
    return orjson.dumps(told, default=_plain, option=orjson.OPT_APPEND_NEWLINE)


def _plain(value: Any) -> Any:
    return asdict(value) if hasattr(value, "__dataclass_fields__") else str(value)


def _ended(line: str) -> bytes:
    return (line if line.endswith("\n") else f"{line}\n").encode()
