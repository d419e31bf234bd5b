"""Backing a site up and bringing it back, on both databases."""

import stat
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api import data_folder
from api.backups import checking, manifest
from api.backups.refusal import BackupRefused
from api.backups.restoring import Wanted, restore
from api.backups.settling import ENDED, HELD
from api.backups.targets import open_target
from api.settings import Settings
from cms import scheduling, snapshots
from cms.clock import written
from cms.database import Database, open_database
from cms.identity import new_id
from cms.migrating import state
from cms.redirects import Answer
from cms.scheduling import Plan
from cms.tables.attributed import attribution
from cms.tables.entries import Entry
from cms.tables.jobs import ExportJob, ImportJob
from cms.tables.publications import Schedule
from media.stores import open_store
from tests.api.backups_at_hand import (
    CLEAN,
    DOCUMENT,
    PICTURE,
    address_of,
    backed_up,
    below,
    restored,
    rows_at,
    sha,
    site_over,
    tables_at,
    told,
)
from tests.cast import Colleague, HeldClock, a_news
from tests.conftest import empty_postgresql


@dataclass
class Place:
    """A site, a target, and where it can be restored to."""

    settings: Settings
    database: Database
    target: Path
    into: Path
    fresh: str | None

    @property
    def restored_database(self) -> str:
        return self.fresh or f"sqlite:///{self.into / 'sitedesk.db'}"


@pytest.fixture
def place(request: pytest.FixtureRequest, database: Database, tmp_path: Path, olga: Colleague) -> Iterator[Place]:
    settings = site_over(database, tmp_path / "data", by=olga.by())
    with ExitStack() as stack:
        fresh = None
        if database.writer.dialect.name == "postgresql":
            empty = stack.enter_context(empty_postgresql(request.getfixturevalue("postgresql_server")))
            fresh = address_of(empty)
        yield Place(settings, database, tmp_path / "backups", tmp_path / "restored", fresh)


def bring_back(place: Place, clock: HeldClock, **others: Any) -> list[str]:
    return restored(place.target, place.into, clock=clock, database=place.fresh, **others)


def test_a_restored_site_is_the_site(place: Place, clock: HeldClock) -> None:
    backed_up(place.settings, place.target, clock=clock, verified=True)
    bring_back(place, clock)
    assert tables_at(place.restored_database) == tables_at(address_of(place.database))
    assert below(place.into / "media") == below(place.settings.folder / "media")
    store = open_store((place.into / "media").as_uri())
    with store.open(sha(DOCUMENT)) as document, store.open(f"{sha(PICTURE)}/clean") as clean:
        assert (document.read(), clean.read()) == (DOCUMENT, CLEAN)
    assert data_folder.secret(place.into) == data_folder.secret(place.settings.folder)
    assert stat.S_IMODE((place.into / "secret").stat().st_mode) == 0o600
    restored_database = open_database(place.restored_database)
    assert state(restored_database) == "current"
    restored_database.close()
    assert not (place.into / "search").exists()
    assert [path for path in place.into.parent.iterdir() if "restoring" in path.name] == []


def test_the_log_of_a_restored_site_tells_of_the_restore(place: Place, clock: HeldClock) -> None:
    name = backed_up(place.settings, place.target, clock=clock)
    bring_back(place, clock)
    events = rows_at(place.restored_database, "SELECT number, kind, details FROM events ORDER BY number")
    before = rows_at(address_of(place.database), "SELECT number FROM events ORDER BY number")
    assert [number for number, _, _ in events[:-1]] == [number for (number,) in before]
    assert events[-1][1] == "site.restored"
    assert name in str(events[-1][2])


def test_media_that_the_target_has_are_not_sent_again(place: Place, clock: HeldClock) -> None:
    first = backed_up(place.settings, place.target, clock=clock)
    sent = {name: (place.target / name).stat().st_ino for name in below(place.target) if name.startswith("media/")}
    assert len(sent) == 3
    clock.pass_by(days=1)
    second = backed_up(place.settings, place.target, clock=clock)
    assert {name: (place.target / name).stat().st_ino for name in sent} == sent
    target = open_target(str(place.target), make=False)
    assert manifest.read(target, first).media == manifest.read(target, second).media


def test_the_target_holds_nothing_but_backups_and_media(place: Place, clock: HeldClock) -> None:
    name = backed_up(place.settings, place.target, clock=clock)
    kind = place.database.writer.dialect.name
    file = {"sqlite": "database.sqlite.gz", "postgresql": "database.dump"}[kind]
    own = {f"backups/{name}/{each}" for each in (file, "manifest.json", "secret")}
    media = {manifest.media_place(sha(each)) for each in (PICTURE, CLEAN, DOCUMENT)}
    assert below(place.target) == own | media | {"lock"}
    assert stat.S_IMODE((place.target / f"backups/{name}").stat().st_mode) == 0o700
    assert stat.S_IMODE((place.target / f"backups/{name}/secret").stat().st_mode) == 0o600


def test_who_is_signed_in_and_what_was_answered_is_not_in_it(place: Place, clock: HeldClock) -> None:
    with place.database.writing() as session:
        session.execute(
            sa.text("INSERT INTO idempotent_answers VALUES ('secret-actor', 'k', 'f', 200, '{}', :body, :at)"),
            {"body": b"told in private", "at": clock().replace(tzinfo=None)},
        )
    backed_up(place.settings, place.target, clock=clock)
    bring_back(place, clock)
    assert rows_at(place.restored_database, "SELECT count(*) FROM idempotent_answers") == [(0,)]
    if place.fresh is None:
        assert b"secret-actor" not in (place.into / "sitedesk.db").read_bytes()


def test_plans_that_have_passed_are_held_for_confirmation(place: Place, clock: HeldClock, olga: Colleague) -> None:
    with place.database.writing() as session:
        soon, later = (a_news(session, by=olga.by(), title=title, slug=title) for title in ("soon", "later"))
        for entry, days in ((soon, 1), (later, 9)):
            plan = Plan(clock() + timedelta(days=days), None, "UTC", Answer("gone"))
            scheduling.schedule(session, entry, plan, expected=entry.revision, by=olga.by())
    backed_up(place.settings, place.target, clock=clock)
    clock.pass_by(days=3)
    assert any("1 scheduled change" in line for line in bring_back(place, clock))
    database = open_database(place.restored_database)
    with database.reading() as session:
        assert scheduling.next_due(session, now=clock()) is None
    with database.writing() as session:
        planned = session.get_one(Schedule, soon.id)
        assert planned.failure == HELD
        assert session.get_one(Schedule, later.id).failure is None
        entry = session.get_one(Entry, soon.id)
        again = Plan(clock() + timedelta(hours=1), None, "UTC", Answer("gone"))
        confirmed = scheduling.schedule(session, entry, again, expected=entry.revision, by=olga.by())
        assert confirmed.failure is None
        assert snapshots.revision_of(session, entry, confirmed.revision).number == planned.revision
    database.close()


def test_jobs_that_were_under_way_have_ended(place: Place, clock: HeldClock, olga: Colleague) -> None:
    who = attribution(olga.by())
    with place.database.writing() as session:
        for name in ("running", "ready", "completed"):
            job: dict[str, Any] = {
                "folder": "f",
                "source": name,
                "options": {},
                "phase": "import",
                "at_once": False,
                "checkpoint": {},
            }
            session.add(ImportJob(id=name, state=name, counts={}, created_at=clock(), **job, **who))
        export = {"folder": "f", "format": "jsonl", "options": {}, "checkpoint": {}}
        for state_of_export in ("running", "completed", "cancelled"):
            session.add(ExportJob(id=new_id(), state=state_of_export, created_at=clock(), **export, **who))
    backed_up(place.settings, place.target, clock=clock)
    assert any("4 imports and exports" in line for line in bring_back(place, clock))
    asked = "SELECT id, state, failure FROM imports ORDER BY id"
    assert rows_at(place.restored_database, asked) == [
        ("completed", "completed", None),
        ("ready", "failed", ENDED),
        ("running", "failed", ENDED),
    ]
    assert rows_at(place.restored_database, "SELECT state FROM exports ORDER BY state") == [
        ("cancelled",),
        ("failed",),
        ("failed",),
    ]


def test_a_database_that_is_not_empty_is_left_alone(place: Place, clock: HeldClock) -> None:
    backed_up(place.settings, place.target, clock=clock)
    bring_back(place, clock)
    before = tables_at(place.restored_database)
    with pytest.raises(BackupRefused, match="not empty"):
        bring_back(place, clock)
    if place.fresh is not None:
        elsewhere = Wanted(str(place.target), place.into.with_name("elsewhere"), database=place.fresh)
        with pytest.raises(BackupRefused, match="not empty"):
            list(restore(elsewhere, clock=clock))
        assert not elsewhere.into.exists()
    assert tables_at(place.restored_database) == before


def test_what_was_lost_before_is_told_and_the_rest_is_backed_up(place: Place, clock: HeldClock) -> None:
    open_store(place.settings.media).delete(sha(DOCUMENT))
    name = backed_up(place.settings, place.target, clock=clock)
    made = manifest.read(open_target(str(place.target), make=False), name)
    assert [(one.sha256, one.held) for one in made.lost] == [(sha(DOCUMENT), True)]
    assert any("1 files were lost" in line for line in bring_back(place, clock))


def test_bytes_that_rotted_in_the_store_are_no_part_of_a_backup(place: Place, clock: HeldClock) -> None:
    path = open_store(place.settings.media).path(sha(DOCUMENT))
    assert path is not None
    path.write_bytes(DOCUMENT.upper())
    name = backed_up(place.settings, place.target, clock=clock, verified=True)
    made = manifest.read(open_target(str(place.target), make=False), name)
    assert [one.sha256 for one in made.lost] == [sha(DOCUMENT)]


def test_a_check_reads_everything(place: Place, clock: HeldClock) -> None:
    name = backed_up(place.settings, place.target, clock=clock)
    assert list(checking.check(str(place.target)))[-1] == {"report": {"backups": 1, "faults": 0}}
    (place.target / manifest.media_place(sha(DOCUMENT))).write_bytes(DOCUMENT.upper())
    *lines, report = list(checking.check(str(place.target)))
    assert report == {"report": {"backups": 1, "faults": 1}}
    assert any(f"FAULT {name}" in str(line) and "other bytes" in str(line) for line in lines)


def test_the_moment_is_told(place: Place, clock: HeldClock) -> None:
    backed_up(place.settings, place.target, clock=clock)
    at = written(clock())
    clock.pass_by(days=3)
    assert any(at in line for line in bring_back(place, clock))


def test_two_backups_in_one_second_are_two(place: Place, clock: HeldClock) -> None:
    names = [backed_up(place.settings, place.target, clock=clock) for _ in range(2)]
    assert len(set(names)) == 2
    assert told(restore(Wanted(str(place.target), place.into, names[0], place.fresh), clock=clock))[0] == names[0]
