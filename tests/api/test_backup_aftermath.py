"""What comes after a restore: indexes that lay elsewhere are made anew, older databases come up to this version."""

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command

from api.backups.settling import HELD
from api.indexing import PUBLIC, Follower
from api.settings import Settings
from cms import migrating
from cms.database import Database, open_database
from search_index import Query, open_engine
from tests.api.backups_at_hand import backed_up, restored, rows_at
from tests.cast import Colleague, HeldClock, a_live_news


def test_an_index_that_is_ahead_of_a_restored_log_is_made_anew(
    database: Database, tmp_path: Path, olga: Colleague
) -> None:
    with database.writing() as session:
        a_live_news(session, by=olga.by(), title="A lantern")
    engine = open_engine(f"whoosh://{tmp_path}", name="public")
    try:
        engine.rebuild([], position=1_000_000)
        follower = Follower(database, engine, PUBLIC)
        while follower.follow():
            pass
        assert engine.search(Query(text="lantern")).total == 1
        assert follower.lag() == 0
    finally:
        engine.close()


@pytest.fixture
def old(tmp_path: Path, clock: HeldClock) -> Settings:
    """A site at the first migration, with a plan for tomorrow."""
    database = open_database(f"sqlite:///{tmp_path / 'old.db'}")
    with database.writer.begin() as connection:
        command.upgrade(migrating._config(connection), "0001")
    database.close()
    tomorrow = f"{clock() + timedelta(days=1):%Y-%m-%d %H:%M:%S}"
    plan = {"entry_id": "an-entry", "revision": 1, "publish_at": tomorrow, "answer": "{}", "zone": "UTC"}
    plan |= {"set_at": tomorrow, "actor_kind": "system", "actor_id": "x", "actor_name": "x"}
    # Not through our own engine, which would ask for the entry.
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as plain, plain:
        values = ", ".join(f":{name}" for name in plan)
        plain.execute(f"INSERT INTO schedules ({', '.join(plan)}) VALUES ({values})", plan)
    return Settings(data=tmp_path, database_url=f"sqlite:///{tmp_path / 'old.db'}")


def test_a_site_is_backed_up_before_it_is_migrated_and_comes_back_migrated(
    old: Settings, tmp_path: Path, clock: HeldClock
) -> None:
    backed_up(old, tmp_path / "backups", clock=clock, verified=True)
    clock.pass_by(days=2)
    restored(tmp_path / "backups", tmp_path / "restored", clock=clock)
    url = f"sqlite:///{tmp_path / 'restored' / 'sitedesk.db'}"
    database = open_database(url)
    assert migrating.state(database) == "current"
    database.close()
    assert rows_at(url, "SELECT failure FROM schedules") == [(HELD,)]
