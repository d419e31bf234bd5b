"""All parts over a founded site, small sources to import there, and what the site holds after it."""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api.import_commands import import_source
from api.importing import drive, folder_id
from api.parts import Parts, opened
from api.settings import Settings
from cms.clock import Clock
from cms.database import Base, Database
from cms.identity import new_id
from cms.imports import jobs as import_jobs
from cms.tables.entries import Entry
from cms.tables.events import Event
from cms.tables.jobs import ImportJob
from media.drawing import draw_sample
from tests.cast import Colleague


@contextlib.contextmanager
def parts_over(database: Database, folder: Path, *, clock: Clock) -> Iterator[Parts]:
    """All parts over a database, with a data folder of their own."""
    folder.mkdir()
    url = database.writer.url.render_as_string(hide_password=False)
    with opened(Settings(data=folder, database_url=url), clock=clock) as parts:
        yield parts


def a_row(number: int, **given: Any) -> dict[str, Any]:
    """A line of JSON Lines, whole but for what is given."""
    return {
        "external_id": f"row-{number}",
        "slug": f"row-{number}",
        "title": f"Row {number}",
        "body_html": f"<p>Words of <b>row</b> {number}.</p>",
        "section": "notes",
        "lang": "ru",
        **given,
    }


def lines(folder: Path, rows: Iterable[dict[str, Any] | str], *, name: str = "rows.jsonl") -> Path:
    """A file of rows; text is written as it is."""
    path = folder / name
    written = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(written) + "\n", encoding="utf-8")
    return path


def pages(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A folder of Markdown pages, and what lies beside them."""
    root = folder / "pages"
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def a_picture() -> bytes:
    """A JPEG."""
    return draw_sample("team")


def brought(parts: Parts, path: Path, **given: Any) -> dict[str, Any]:
    """Import, and give the report."""
    format = "markdown" if path.is_dir() else "jsonl"
    told = {"format": format, "path": str(path), "type": "article", "source": "test", **given}
    *_, last = import_source(parts, **told)
    report: dict[str, Any] = last["report"]
    return report


def refused(report: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Of all that was refused: file, line, field and code."""
    return [(one["file"], one["line"], one["field"], one["code"]) for one in report["problems"] if not one["warning"]]


def everything(parts: Parts) -> dict[str, int]:
    """How many rows each table has, but for what jobs tell of themselves."""
    with parts.database.reading() as session:
        counts = {
            table.name: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
            if table.name not in ("imports", "import_rows")
        }
        told = sa.select(sa.func.count()).where(Event.kind.startswith("import."))
        return {**counts, "events": counts["events"] - (session.scalar(told) or 0)}


def titles(parts: Parts) -> dict[str, str]:
    """Titles of what came in, by the source's own ids."""
    with parts.database.reading() as session:
        return {entry.source_id or "": entry.title for entry in session.scalars(sa.select(Entry)) if entry.source_name}


def revisions(parts: Parts) -> dict[str, int]:
    """Newest revisions of what came in, by the source's own ids."""
    with parts.database.reading() as session:
        found = session.scalars(sa.select(Entry))
        return {entry.source_id or "": entry.revision for entry in found if entry.source_name}


def public(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report without what differs from run to run."""
    return {name: value for name, value in report.items() if name not in ("seconds", "job")}


def brought_by(parts: Parts, who: Colleague, path: Path, **asked: Any) -> ImportJob:
    """The job that has brought a source in somebody's name."""
    job_id = new_id()
    with parts.database.writing() as session:
        options = import_jobs.read_asked(session, {"source": "other", "publish": True, **asked})
        import_jobs.create(
            session, options, id=job_id, folder=folder_id(parts), path=str(path), at_once=True, by=who.by()
        )
    list(drive(parts, job_id))
    with parts.database.reading() as session:
        return import_jobs.find(session, job_id)
