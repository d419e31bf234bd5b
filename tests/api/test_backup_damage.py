"""A backup that is damaged, cut short or not for this place is refused, with the reason, before anything is touched."""

import gzip
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import data_folder
from api.backups import checking, manifest
from api.backups.keeping import Rules
from api.backups.refusal import BackupRefused
from api.backups.restoring import Wanted, restore
from api.backups.taking import take
from api.backups.targets import open_target
from api.settings import Settings
from cms.database import Database, open_database
from cms.migrating import migrate
from tests.api.backups_at_hand import DOCUMENT, backed_up, below, restored, rows_at, sha, site_over
from tests.cast import Colleague, HeldClock


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, olga: Colleague) -> Settings:
    """A small site on SQLite."""
    return site_over(sqlite, tmp_path / "data", by=olga.by())


@pytest.fixture
def target(site: Settings, tmp_path: Path, clock: HeldClock) -> Path:
    """One backup of it."""
    backed_up(site, tmp_path / "backups", clock=clock)
    return tmp_path / "backups"


def refused(target: Path, clock: HeldClock, **others: Any) -> str:
    """Why a restore is refused; nothing is left of it."""
    into = target.with_name("restored")
    with pytest.raises(BackupRefused) as refusal:
        list(restore(Wanted(str(target), into, **others), clock=clock))
    assert not into.exists()
    assert not into.with_name(".restored.restoring").exists()
    return str(refusal.value)


def files_of(target: Path) -> list[Path]:
    return [target / name for name in sorted(below(target)) if name != "lock"]


def manifest_of(target: Path) -> Path:
    return next(target.glob("backups/*/manifest.json"))


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_flipped_byte_anywhere_is_found(target: Path, clock: HeldClock, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([file for file in files_of(target) if file.stat().st_size]))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(1, 255))
    path.write_bytes(content[:place] + bytes([content[place] ^ other]) + content[place + 1 :])
    try:
        assert refused(target, clock)
        assert list(checking.check(str(target)))[-1]["report"]["faults"]
    finally:
        path.write_bytes(content)


@given(st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_file_that_was_cut_is_found(target: Path, clock: HeldClock, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([file for file in files_of(target) if file.stat().st_size]))
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    try:
        assert refused(target, clock)
    finally:
        path.write_bytes(content)


def test_any_missing_file_is_found(target: Path, clock: HeldClock) -> None:
    for path in files_of(target):
        aside = path.rename(target.parent / "aside")
        assert refused(target, clock)
        aside.rename(path)
    restored(target, target.with_name("restored"), clock=clock)


def test_what_has_no_manifest_is_no_backup(target: Path, clock: HeldClock) -> None:
    manifest_of(target).unlink()
    assert "there is no backup; " in refused(target, clock)


def test_an_empty_folder_has_no_backup(tmp_path: Path, clock: HeldClock) -> None:
    assert refused(tmp_path, clock) == "there is no backup"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, clock: HeldClock) -> None:
    assert "no folder" in refused(tmp_path / "nowhere", clock)
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_newest_backup_is_not_passed_over_silently(target: Path, clock: HeldClock, tmp_path: Path) -> None:
    older = manifest_of(target).parent
    newer = shutil.copytree(older, older.with_name("20300101T000000Z"))
    (newer / "manifest.json").write_bytes(b"{")
    said = refused(target, clock)
    assert newer.name in said
    assert f"Others there, newest first: {older.name}" in said
    restored(target, tmp_path / "restored", clock=clock, name=older.name)


def test_a_manifest_of_another_backup_is_refused(target: Path, clock: HeldClock) -> None:
    older = manifest_of(target).parent
    shutil.copytree(older, older.with_name("20300101T000000Z"))
    assert "not itself" in refused(target, clock)


def forged(target: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """A manifest with other contents and a digest that fits."""
    path = manifest_of(target)
    said = orjson.loads(path.read_bytes())
    del said["digest"]
    change(said)
    path.write_bytes(manifest._with_digest(said))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("format", 2, "newer Sitedesk"),
        ("migration", "9999", "newer Sitedesk"),
        ("kind", "postgresql", "--database"),
        ("kind", "oracle", "no sense"),
        ("files", {}, "has no database"),
        ("files", {"../secret": {"size": 1, "sha256": "0" * 64}}, "no sense"),
        ("media", [{"key": "../../etc/passwd", "size": 1, "sha256": "0" * 64}], "no sense"),
        ("tables", {}, "table"),
        ("name", "../../x", "no sense"),
        ("event", -1, "no sense"),
        ("surplus", 1, "no sense"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(
    name: str, value: object, expected: str, target: Path, clock: HeldClock
) -> None:
    forged(target, lambda said: said.update({name: value}))
    assert expected in refused(target, clock)


def test_a_database_that_grows_beyond_what_was_said_is_not_unpacked(target: Path, clock: HeldClock) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    place = manifest_of(target).with_name("database.sqlite.gz")
    place.write_bytes(bomb)
    content = {"size": len(bomb), "sha256": hashlib.sha256(bomb).hexdigest()}
    forged(target, lambda said: said["files"].update({"database.sqlite.gz": content}))
    assert "another than the manifest says" in refused(target, clock)


def test_a_backup_of_sqlite_does_not_go_into_postgresql(target: Path, clock: HeldClock) -> None:
    said = refused(target, clock, database="postgresql+psycopg://postgres@127.0.0.1/none")
    assert "sitedesk export" in said


# --- where it is to go ---


def test_the_folder_of_a_running_server_is_refused(target: Path, clock: HeldClock, tmp_path: Path) -> None:
    into = tmp_path / "used"
    with data_folder.hold(into), pytest.raises(BackupRefused, match="another Sitedesk server"):
        restored(target, into, clock=clock)
    assert below(into) == {"lock"}


def test_a_folder_with_something_in_it_is_refused(target: Path, clock: HeldClock, tmp_path: Path) -> None:
    into = tmp_path / "used"
    into.mkdir()
    (into / "notes.txt").touch()
    with pytest.raises(BackupRefused, match=r"not empty \(it has notes.txt\)"):
        restored(target, into, clock=clock)
    assert below(into) == {"notes.txt"}


def test_an_empty_folder_and_what_a_killed_restore_left_are_no_hindrance(
    target: Path, clock: HeldClock, tmp_path: Path
) -> None:
    into = tmp_path / "restored"
    into.mkdir()
    left = into.with_name(".restored.restoring")
    (left / "media").mkdir(parents=True)
    (left / "sitedesk.db").write_bytes(b"half")
    restored(target, into, clock=clock)
    assert rows_at(f"sqlite:///{into / 'sitedesk.db'}", "SELECT count(*) FROM files") == [(2,)]
    assert not left.exists()


# --- while one is made ---


def test_a_killed_backup_is_none_and_is_swept_by_the_next(
    target: Path, site: Settings, clock: HeldClock, tmp_path: Path
) -> None:
    whole = manifest_of(target).parent.name
    killed = target / "backups" / "20300101T000000Z"
    killed.mkdir()
    (killed / "begun").touch()
    (killed / "database.sqlite.gz").write_bytes(b"half")
    (target / "scratch").mkdir()
    (target / "scratch" / "copy.db").write_bytes(b"half")
    restored(target, tmp_path / "restored", clock=clock)
    clock.pass_by(hours=1)
    name = backed_up(site, target, clock=clock)
    assert sorted(path.name for path in (target / "backups").iterdir()) == [whole, name]
    assert not (target / "scratch").exists()


def test_two_backups_at_once_are_refused(target: Path, site: Settings, clock: HeldClock, tmp_path: Path) -> None:
    with open_target(str(target), make=False).working(), pytest.raises(BackupRefused, match="under way"):
        backed_up(site, target, clock=clock)


def test_a_site_that_is_not_there_is_no_backup(tmp_path: Path, clock: HeldClock) -> None:
    nothing = Settings(data=tmp_path / "nothing")
    with pytest.raises(BackupRefused, match="no database"):
        list(take(nothing, str(tmp_path / "backups"), verified=False, rules=Rules(), clock=clock))
    assert below(tmp_path / "backups") == {"lock"}


def test_a_verified_backup_whose_media_rot_in_the_target_is_refused(
    target: Path, site: Settings, clock: HeldClock, tmp_path: Path
) -> None:
    (target / manifest.media_place(sha(DOCUMENT))).write_bytes(DOCUMENT.upper())
    with pytest.raises(BackupRefused, match="other bytes"):
        backed_up(site, target, clock=clock, verified=True)


def test_a_database_of_a_newer_version_is_not_backed_up(
    site: Settings, sqlite: Database, tmp_path: Path, clock: HeldClock
) -> None:
    with sqlite.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BackupRefused, match="newer Sitedesk"):
        list(take(site, str(tmp_path / "backups"), verified=False, rules=Rules(), clock=clock))


def test_a_database_that_was_left_with_its_log_is_backed_up_whole(
    tmp_path: Path, clock: HeldClock, olga: Colleague
) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'site.db'}")
    migrate(database)
    site = site_over(database, tmp_path / "data", by=olga.by())
    killed = tmp_path / "killed"
    killed.mkdir()
    for name in ("site.db", "site.db-wal"):
        shutil.copy(tmp_path / name, killed / name)
    database.close()
    at_rest = site.model_copy(update={"database_url": f"sqlite:///{killed / 'site.db'}"})
    backed_up(at_rest, tmp_path / "backups", clock=clock)
    restored(tmp_path / "backups", tmp_path / "restored", clock=clock)
    asked = "SELECT count(*) FROM entries"
    assert rows_at(f"sqlite:///{tmp_path / 'restored' / 'sitedesk.db'}", asked) == [(4,)]


def test_a_target_without_room_is_refused_before_anything_is_sent(
    site: Settings, sqlite: Database, tmp_path: Path, clock: HeldClock
) -> None:
    with sqlite.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE files SET size = 1000000000000000")
    with pytest.raises(BackupRefused, match="make room"):
        backed_up(site, tmp_path / "backups", clock=clock)
    assert list((tmp_path / "backups").glob("media/*")) == []
