"""A site is exported and imported into a fresh one: both have the same digest, and export the same bytes."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from cms.attribution import COMMAND_LINE, By
from cms.database import Database
from cms.errors import Refusal
from cms.export_formats import sitedesk
from cms.exports import digest as site_digest
from cms.files import Received
from cms.tables.entries import Entry
from cms.transfers import transferring
from tests.cast import Colleague, HeldClock, add_the_cast, change
from tests.cms.whole_sites import a_whole_site, fresh_site


@pytest.fixture
def fresh(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """Another site, just founded."""
    with fresh_site(sqlite_template, tmp_path) as database:
        yield database


def lines_of(database: Database) -> list[bytes]:
    with database.reading() as session:
        return list(site_digest.lines(session))


def bring_all(database: Database, lines: list[bytes], *, clock: HeldClock) -> list[str]:
    """Outcomes, or codes of refusals, by line."""
    return [bring_one(database, line, clock=clock) for line in lines]


def bring_one(database: Database, line: bytes, *, clock: HeldClock) -> str:
    told = orjson.loads(line)
    received = None
    if told["line"] == "file":
        received = Received(**{name: value for name, value in told.items() if name not in ("line", "created_at")})
    with database.writing() as session:
        try:
            return transferring.bring(session, line, by=By(COMMAND_LINE, clock()), received=received).outcome
        except Refusal as refusal:
            return f"{type(refusal).__name__}: {refusal} {vars(refusal)}"


def digest(database: Database) -> str:
    with database.reading() as session:
        return site_digest.digest(session)


def filled(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        a_whole_site(session, olga)


def test_an_export_makes_an_equal_site(database: Database, fresh: Database, olga: Colleague) -> None:
    filled(database, olga)
    lines = lines_of(database)
    outcomes = bring_all(fresh, lines, clock=olga.clock)
    assert [one for one in outcomes if one not in ("made", "same", "changed")] == []
    assert lines_of(fresh) == lines
    assert digest(fresh) == digest(database)


def test_so_does_one_onto_the_other_database(fresh: Database, database: Database, olga: Colleague) -> None:
    # The cast stands on the target already, as it does on the source.
    with fresh.writing() as session:
        add_the_cast(session, at=HeldClock()())
    filled(fresh, olga)
    bring_all(database, lines_of(fresh), clock=olga.clock)
    assert digest(fresh) == digest(database)


def test_a_history_too_long_for_a_line_comes_in_lines_of_its_own(
    database: Database, fresh: Database, olga: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitedesk, "_IN_ONE_LINE", 600)
    filled(database, olga)
    with database.writing() as session:
        entry = session.scalars(select(Entry).where(Entry.slug == "hours")).one()
        for number in range(5):
            change(session, entry, by=olga.by(), summary=f"Summary {number}")
    lines = lines_of(database)
    assert len([line for line in lines if b'"line":"revision"' in line]) > 3
    bring_all(fresh, lines, clock=olga.clock)
    assert digest(fresh) == digest(database)


def test_a_second_time_everything_is_the_same(database: Database, fresh: Database, olga: Colleague) -> None:
    filled(database, olga)
    lines = lines_of(database)
    bring_all(fresh, lines, clock=olga.clock)
    assert set(bring_all(fresh, lines, clock=olga.clock)) == {"same"}
