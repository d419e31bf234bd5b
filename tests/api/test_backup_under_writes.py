"""A backup that is taken while people save is one moment: nothing acknowledged before it is missing, nothing torn."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from cms.database import Database
from cms.tables.entries import Entry
from tests.api.backups_at_hand import address_of, backed_up, restored, rows_at, site_over
from tests.cast import Colleague, HeldClock, a_news, change
from tests.conftest import empty_postgresql

_BEFORE = 10


@contextmanager
def somebody_saving(database: Database, olga: Colleague) -> Iterator[dict[str, int]]:
    """Three texts that are saved again and again; by entry, the newest revision that was acknowledged."""
    with database.writing() as session:
        acknowledged = {a_news(session, by=olga.by(), title=f"Text {n}").id: 1 for n in range(3)}
    enough, stop = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def go_on() -> None:
        try:
            for number in range(100_000):
                if stop.is_set():
                    return
                # Three in one write: a torn copy would have some of them.
                with database.writing() as session:
                    for id in acknowledged:
                        entry = session.get_one(Entry, id, populate_existing=True)
                        change(session, entry, by=olga.by(), summary=f"Number {number}")
                acknowledged.update(dict.fromkeys(acknowledged, number + 2))
                if number == _BEFORE:
                    enough.set()
        except BaseException as error:
            failed.append(error)
            enough.set()
            raise

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        assert enough.wait(60)
        yield acknowledged
    finally:
        stop.set()
        thread.join()
        assert failed == []


def test_a_backup_under_writes_is_one_moment(
    request: pytest.FixtureRequest, database: Database, tmp_path: Path, clock: HeldClock, olga: Colleague
) -> None:
    site = site_over(database, tmp_path / "data", by=olga.by())
    make_large(database)
    with somebody_saving(database, olga) as acknowledged:
        before = dict(acknowledged)
        backed_up(site, tmp_path / "backups", clock=clock)
    if database.writer.dialect.name == "sqlite":
        restored(tmp_path / "backups", tmp_path / "restored", clock=clock)
        is_whole(f"sqlite:///{tmp_path / 'restored' / 'sitedesk.db'}", before)
        return
    with empty_postgresql(request.getfixturevalue("postgresql_server")) as empty:
        restored(tmp_path / "backups", tmp_path / "restored", clock=clock, database=address_of(empty))
        is_whole(address_of(empty), before)


def make_large(database: Database) -> None:
    """So that copying takes several steps: some megabytes that a backup leaves out in the end."""
    filler = sa.text("INSERT INTO idempotent_answers VALUES ('filler', 'k', 'f', 200, '{}', :body, :at)")
    with database.writing() as session:
        session.execute(filler, {"body": bytes(20_000_000), "at": "2026-11-30 10:00:00"})


def is_whole(url: str, acknowledged: dict[str, int]) -> None:
    newest = dict(rows_at(url, "SELECT id, revision FROM entries"))
    assert all(newest[id] >= revision for id, revision in acknowledged.items())
    # What one write saved together is there together.
    assert len({newest[id] for id in acknowledged}) == 1
    revisions = "SELECT entry_id, min(number), max(number), count(*) FROM revisions GROUP BY entry_id"
    for entry_id, first, last, count in rows_at(url, revisions):
        assert (first, last, count) == (1, newest[entry_id], newest[entry_id])
    saved = "SELECT entry_id, max(revision) FROM events WHERE entry_id IS NOT NULL GROUP BY entry_id"
    assert dict(rows_at(url, saved)) == newest
    # A sequence runs ahead of the moment: the restore's own event comes after a gap.
    numbers = "SELECT min(number), max(number), count(*) FROM events WHERE kind <> 'site.restored'"
    ((lowest, highest, events),) = rows_at(url, numbers)
    assert highest - lowest + 1 == events
