"""What every target promises; and a whole backup in a bucket."""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from api.backups import checking, manifest
from api.backups.refusal import BackupRefused
from api.backups.targets import TARGETS, Target, open_target
from cms.database import Database
from media.store_keys import NotStored, Unreachable
from media.stores import open_store
from tests.api.backups_at_hand import CLEAN, PICTURE, backed_up, restored, sha, site_over, tables_at
from tests.buckets import s3_server
from tests.cast import Colleague, HeldClock

URLS: dict[str, Callable[[Path, str], str]] = {
    "file": lambda folder, _: str(folder / "target"),
    "s3": lambda _, endpoint: f"s3://files/{uuid.uuid4().hex}?endpoint={quote(endpoint)}&region=ru-1",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a bucket's backups keep on this machine goes with the test."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.fixture(params=URLS)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    endpoint = request.getfixturevalue("endpoint") if request.param == "s3" else ""
    return URLS[request.param](tmp_path, endpoint)


@pytest.fixture
def target(given: str) -> Target:
    return open_target(given, make=True)


def put(target: Target, name: str, content: bytes) -> None:
    with target.working() as scratch:
        (scratch / "part").write_bytes(content)
        target.put(name, scratch / "part")


def test_every_scheme_runs_this_suite() -> None:
    assert set(URLS) == set(TARGETS)


def test_what_is_put_is_there(target: Target) -> None:
    put(target, "media/ab/one", b"one")
    put(target, "backups/x/two", b"second")
    assert target.sizes("media") == {"media/ab/one": 3}
    assert target.sizes("backups/x") == {"backups/x/two": 6}
    with target.open("media/ab/one") as file:
        assert file.read() == b"one"


def test_putting_again_replaces(target: Target) -> None:
    put(target, "media/ab/one", b"one")
    put(target, "media/ab/one", b"another")
    assert target.sizes("media") == {"media/ab/one": 7}


def test_what_is_not_there_is_told(target: Target) -> None:
    assert target.sizes("media") == {}
    with pytest.raises(NotStored):
        target.open("media/ab/one")


def test_what_is_removed_is_gone_and_may_be_removed_again(target: Target) -> None:
    put(target, "media/ab/one", b"one")
    put(target, "media/ab/two", b"two")
    for _ in range(2):
        target.remove(["media/ab/one", "media/cd/none"])
        assert target.sizes("media") == {"media/ab/two": 3}


def test_one_process_works_there_at_a_time_and_finds_nothing_of_others(target: Target, given: str) -> None:
    with target.working() as scratch:
        (scratch / "left").touch()
        with pytest.raises(BackupRefused, match="under way"), open_target(given, make=True).working():
            pass
    with target.working() as scratch:
        assert list(scratch.iterdir()) == []


def test_a_site_goes_there_and_comes_back(
    given: str, sqlite: Database, tmp_path: Path, clock: HeldClock, olga: Colleague
) -> None:
    site = site_over(sqlite, tmp_path / "data", by=olga.by())
    first = backed_up(site, given, clock=clock, verified=True)
    clock.pass_by(days=1)
    assert backed_up(site, given, clock=clock) != first
    assert list(checking.check(given))[-1] == {"report": {"backups": 2, "faults": 0}}
    restored(given, tmp_path / "restored", clock=clock)
    assert tables_at(f"sqlite:///{tmp_path / 'restored' / 'sitedesk.db'}") == tables_at(site.database)


def test_damage_there_is_found(given: str, sqlite: Database, tmp_path: Path, clock: HeldClock, olga: Colleague) -> None:
    site = site_over(sqlite, tmp_path / "data", by=olga.by())
    backed_up(site, given, clock=clock)
    put(open_target(given, make=False), manifest.media_place(sha(PICTURE)), PICTURE.upper())
    with pytest.raises(BackupRefused, match="other bytes"):
        restored(given, tmp_path / "restored", clock=clock)
    assert not (tmp_path / "restored").exists()


def test_media_can_go_into_a_bucket(
    endpoint: str, sqlite: Database, tmp_path: Path, clock: HeldClock, olga: Colleague
) -> None:
    site = site_over(sqlite, tmp_path / "data", by=olga.by())
    backed_up(site, tmp_path / "target", clock=clock)
    bucket = f"{URLS['s3'](tmp_path, endpoint)}&incoming={tmp_path / 'incoming'}"
    restored(tmp_path / "target", tmp_path / "restored", clock=clock, media=bucket)
    with open_store(bucket).open(f"{sha(PICTURE)}/clean") as clean:
        assert clean.read() == CLEAN
    assert not (tmp_path / "restored" / "media").exists()


@pytest.mark.parametrize(
    "given",
    ["ftp://host/backups", "s3://", "s3://bucket?nothing=1", "https://host/backups"],
)
def test_an_address_that_makes_no_sense_is_refused(given: str) -> None:
    with pytest.raises(BackupRefused):
        open_target(given, make=True)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupRefused):
        open_target(str(tmp_path / "file" / "target"), make=True)


def test_a_bucket_that_is_not_there_is_told_in_one_line(endpoint: str) -> None:
    target = open_target(f"s3://none/x?endpoint={quote(endpoint)}&region=ru-1", make=True)
    with pytest.raises(Unreachable, match="404") as refusal:
        target.sizes("media")
    assert "\n" not in str(refusal.value)
