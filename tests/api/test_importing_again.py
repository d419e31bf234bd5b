"""A source that has not changed is imported again without a write to any entry, whatever its format."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api.importing import drive, folder_id
from api.parts import Parts
from cms.identity import new_id
from cms.imports import jobs as import_jobs
from cms.tables.entries import Entry, Revision
from cms.tables.jobs import ImportJob
from tests.api.sources import parts_over
from tests.cast import Colleague, HeldClock
from tests.cms.test_import_formats import SOURCES


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    with parts_over(request.getfixturevalue(request.param), tmp_path / "data", clock=clock) as made:
        yield made


def brought(parts: Parts, who: Colleague, path: Path, **asked: Any) -> ImportJob:
    """The job that has brought a source."""
    job_id = new_id()
    with parts.database.writing() as session:
        options = import_jobs.read_asked(session, {"source": "other", "publish": True, **asked})
        import_jobs.create(
            session, options, id=job_id, folder=folder_id(parts), path=str(path), at_once=True, by=who.by()
        )
    list(drive(parts, job_id))
    with parts.database.reading() as session:
        return import_jobs.find(session, job_id)


def everything(parts: Parts) -> list[tuple[Any, ...]]:
    """Each entry with all that is stored of it, and how many revisions there are."""
    with parts.database.reading() as session:
        entries = session.execute(sa.select(Entry.__table__).order_by(Entry.id))
        return [*map(tuple, entries), (session.scalar(sa.select(sa.func.count()).select_from(Revision)),)]


@pytest.mark.parametrize("name", SOURCES)
def test_an_unchanged_source_writes_to_no_entry(
    parts: Parts, olga: Colleague, clock: HeldClock, tmp_path: Path, name: str
) -> None:
    (tmp_path / "source").mkdir()
    path = SOURCES[name](tmp_path / "source")
    first = brought(parts, olga, path)
    assert first.counts["made"] >= 3, first.failure
    before = everything(parts)
    clock.pass_by(minutes=5)
    again = brought(parts, olga, path)
    assert again.counts["same"] == first.counts["made"]
    assert {"made", "changed", "conflict"}.isdisjoint(again.counts)
    assert everything(parts) == before
