"""Which backups stay, and which media: rules never take the newest, nor what another backup needs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.backups import checking, keeping, manifest
from api.backups.keeping import Rules, instant_of
from api.backups.manifest import backup_name, media_place
from api.backups.taking import take
from api.backups.targets import FolderTarget
from api.settings import Settings
from cms.database import Database
from media.stores import open_store
from tests.api.backups_at_hand import CLEAN, DOCUMENT, PICTURE, backed_up, below, note, put, restored, sha, site_over
from tests.cast import Colleague, HeldClock

_FIRST = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
_NAMES = [backup_name(_FIRST + timedelta(hours=12 * n)) for n in range(800)]


def kept(**rules: int) -> list[str]:
    return sorted(Rules(**rules).kept(_NAMES))


def test_without_rules_everything_stays() -> None:
    assert kept() == _NAMES


def test_the_last_ones_stay() -> None:
    assert kept(last=3) == _NAMES[-3:]


def test_the_last_of_each_day_stays() -> None:
    assert kept(daily=3) == [_NAMES[-5], _NAMES[-3], _NAMES[-1]]


def test_the_last_of_each_week_and_month_stays() -> None:
    assert [name[:8] for name in kept(weekly=3)] == ["20270124", "20270131", "20270204"]
    assert [name[:8] for name in kept(monthly=4)] == ["20261130", "20261231", "20270131", "20270204"]


_COUNTS = st.integers(0, 9)


@given(
    st.lists(st.sampled_from(_NAMES), unique=True, min_size=1),
    st.builds(Rules, last=_COUNTS, daily=_COUNTS, weekly=_COUNTS, monthly=_COUNTS),
)
@settings(max_examples=50)
def test_the_newest_stays_whatever_the_rules(names: list[str], rules: Rules) -> None:
    found = rules.kept(names)
    assert max(names) in found
    assert found <= set(names)
    # Asked again of what is left, they let nothing more go.
    assert rules.kept(found) == found


def test_a_name_that_is_no_instant_is_as_old_as_can_be() -> None:
    assert instant_of("notes") < instant_of(_NAMES[0])


# --- on a site ---


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, olga: Colleague) -> Settings:
    return site_over(sqlite, tmp_path / "data", by=olga.by())


def run(site: Settings, target: Path, clock: HeldClock, **rules: int) -> list[str]:
    """Take a backup under rules; the lines that it told."""
    steps = take(site, str(target), verified=False, rules=Rules(**rules), clock=clock)
    return [step["line"] for step in steps if "line" in step]


def names_in(target: Path) -> list[str]:
    return sorted(path.name for path in (target / "backups").iterdir())


def another_document(site: Settings, database: Database, olga: Colleague) -> bytes:
    content = b"another document"
    put(open_store(site.media), content)
    with database.writing() as session:
        note(session, content, by=olga.by(), kind="file", media_type="application/pdf")
    return content


def test_media_go_with_the_last_backup_that_needs_them(
    site: Settings, sqlite: Database, tmp_path: Path, clock: HeldClock, olga: Colleague
) -> None:
    target = tmp_path / "backups"
    first = backed_up(site, target, clock=clock)
    another_document(site, sqlite, olga)
    stray = target / media_place(sha(b"stray"))
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"stray")
    clock.pass_by(days=1)
    run(site, target, clock, last=2)
    assert first in names_in(target)
    assert not stray.exists()
    assert list(checking.check(str(target)))[-1] == {"report": {"backups": 2, "faults": 0}}
    clock.pass_by(days=1)
    lines = run(site, target, clock, last=1)
    assert any(first in line and "removed" in line for line in lines)
    assert len(names_in(target)) == 1
    media = {name for name in below(target) if name.startswith("media/")}
    assert media == {media_place(sha(each)) for each in (PICTURE, CLEAN, DOCUMENT, b"another document")}
    restored(target, tmp_path / "restored", clock=clock)


def test_nothing_goes_while_a_manifest_is_damaged(site: Settings, tmp_path: Path, clock: HeldClock) -> None:
    target = tmp_path / "backups"
    first = backed_up(site, target, clock=clock)
    place = target / "backups" / first / "manifest.json"
    whole = place.read_bytes()
    place.write_bytes(whole[:-10])
    stray = target / media_place(sha(b"stray"))
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"stray")
    clock.pass_by(days=1)
    assert any(
        f"No media are removed: the backup {first} is damaged" in line for line in run(site, target, clock, last=1)
    )
    assert stray.exists()
    assert first in names_in(target)


def test_rules_do_not_run_after_a_backup_that_lacks_files(site: Settings, tmp_path: Path, clock: HeldClock) -> None:
    target = tmp_path / "backups"
    first = backed_up(site, target, clock=clock)
    open_store(site.media).delete(sha(DOCUMENT))
    (target / media_place(sha(DOCUMENT))).unlink()
    clock.pass_by(days=1)
    assert any(line.startswith(f"LOST {sha(DOCUMENT)}") for line in run(site, target, clock, last=1))
    assert first in names_in(target)


def test_a_removal_that_was_cut_off_is_ended_by_the_next(site: Settings, tmp_path: Path, clock: HeldClock) -> None:
    target = tmp_path / "backups"
    first = backed_up(site, target, clock=clock)
    (target / "backups" / first / manifest.NAME).unlink()
    clock.pass_by(days=1)
    run(site, target, clock)
    assert first not in names_in(target)


class Shared(FolderTarget):
    """A folder that several machines can reach, like a bucket."""

    alone = False


def test_what_another_machine_may_have_under_way_is_left_alone(tmp_path: Path, clock: HeldClock) -> None:
    target = Shared(tmp_path)
    young, old = (backup_name(clock() - timedelta(hours=hours)) for hours in (1, 48))
    for name in (young, old):
        (tmp_path / "backups" / name).mkdir(parents=True)
        (tmp_path / "backups" / name / keeping.BEGUN).touch()
    (tmp_path / "media" / "ab").mkdir(parents=True)
    (tmp_path / "media" / "ab" / "stray").touch()
    assert keeping.sweep_leftovers(target, now=clock()) == [old]
    assert list(keeping.tidy(target, Rules(last=1), now=clock())) == []
    assert (tmp_path / "media" / "ab" / "stray").exists()
