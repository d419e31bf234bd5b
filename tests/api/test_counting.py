"""What reads leave to be counted is written between requests, at the end too, and adds up."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from api import background
from api.parts import Parts
from cms import redirect_rules
from cms.redirect_rules import Rule
from cms.tables.missing import MissingPath
from cms.tables.publications import Redirect
from tests.api.sources import parts_over
from tests.cast import Colleague, HeldClock


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    """All parts of a founded site with its cast, once on each database."""
    with parts_over(request.getfixturevalue(request.param), tmp_path / "data", clock=clock) as made:
        yield made


@pytest.fixture
def rule(parts: Parts, olga: Colleague) -> str:
    with parts.database.writing() as session:
        return redirect_rules.create(session, Rule("/a", "/b"), by=olga.by()).redirect.id


def hits(parts: Parts, rule: str) -> int:
    with parts.database.reading() as session:
        return session.get_one(Redirect, rule).hits


def missed(parts: Parts) -> dict[str, int]:
    with parts.database.reading() as session:
        return {row.path: row.hits for row in session.scalars(select(MissingPath))}


def test_what_was_counted_last_is_written_when_the_server_stops(parts: Parts, rule: str) -> None:
    with background.running(parts):
        parts.tally.hit(rule)
        parts.tally.miss("/nothing")
    assert (hits(parts, rule), missed(parts)) == (1, {"/nothing": 1})


def test_several_threads_and_writes_add_up(parts: Parts, rule: str) -> None:
    def visit() -> None:
        for _ in range(200):
            parts.tally.hit(rule)
            parts.tally.miss("/nothing")

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        background.write_counts(parts)
    background.write_counts(parts)
    assert (hits(parts, rule), missed(parts)) == (800, {"/nothing": 800})


def test_nothing_to_count_writes_nothing(parts: Parts) -> None:
    commits = []
    parts.database.committed.append(lambda: commits.append(1))
    background.write_counts(parts)
    assert commits == []


def test_a_rule_that_was_removed_meanwhile_is_nobody_s_fault(parts: Parts, rule: str, olga: Colleague) -> None:
    parts.tally.hit(rule)
    parts.tally.miss("/nothing")
    with parts.database.writing() as session:
        redirect_rules.remove(session, redirect_rules.find(session, rule), by=olga.by())
    background.write_counts(parts)
    assert missed(parts) == {"/nothing": 1}


def test_what_cannot_be_written_now_is_written_later(parts: Parts, rule: str) -> None:
    with parts.database.writer.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE missing_paths RENAME TO elsewhere")
    parts.tally.hit(rule)
    parts.tally.miss("/nothing")
    try:
        with pytest.raises(SQLAlchemyError):
            background.write_counts(parts)
        assert hits(parts, rule) == 0
    finally:
        with parts.database.writer.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO missing_paths")
    background.write_counts(parts)
    assert (hits(parts, rule), missed(parts)) == (1, {"/nothing": 1})
