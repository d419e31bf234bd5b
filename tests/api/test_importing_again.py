"""A source that has not changed is imported again without a write to any entry, whatever its format."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api.parts import Parts
from cms.tables.entries import Entry, Revision
from tests.api.sources import brought_by, parts_over
from tests.cast import Colleague, HeldClock
from tests.cms.test_import_formats import SOURCES


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    with parts_over(request.getfixturevalue(request.param), tmp_path / "data", clock=clock) as made:
        yield made


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
    first = brought_by(parts, olga, path)
    assert first.counts["made"] >= 3, first.failure
    before = everything(parts)
    clock.pass_by(minutes=5)
    again = brought_by(parts, olga, path)
    assert again.counts["same"] == first.counts["made"]
    assert {"made", "changed", "conflict"}.isdisjoint(again.counts)
    assert everything(parts) == before
