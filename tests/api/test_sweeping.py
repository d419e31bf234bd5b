"""Removing bytes that nothing needs, whatever comes in meanwhile and wherever the power goes."""

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from api import sweeping
from cms import files, publishing
from cms.clock import system_clock
from cms.database import Database
from cms.errors import BytesGone
from cms.files import Received
from media import receiving
from media.stores import FolderStore
from tests.api.desk import data_of, fresh, refused
from tests.api.serving import Site
from tests.cast import Colleague, an_entry
from tests.media.bytes_at_hand import picture

LONG_AGO = timedelta(days=3)


class WatchedStore(FolderStore):
    """A folder; `before_deleting` is called when bytes are about to go."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.before_deleting: Callable[[], object] = lambda: None

    def delete(self, key: str) -> None:
        self.before_deleting()
        super().delete(key)


@dataclass
class Household:
    """What holds files, three days after the clock of the test; uploads as they are made."""

    database: Database
    store: WatchedStore
    olga: Colleague
    now: datetime = field(default_factory=lambda: system_clock() + LONG_AGO)

    def clock(self) -> datetime:
        return self.now

    def put(self, content: bytes) -> Received:
        """The first half of an upload: bytes in the store."""
        with receiving.receive([content], folder=self.store.incoming, limit=10_000) as received:
            self.store.put(received.sha256, received.path)
            return Received(received.sha256, "image", "a.png", "image/png", received.size, 1, 1)

    def note(self, received: Received) -> None:
        """The second: an entry that holds them."""
        with self.database.writing() as session:
            files.keep(session, received, by=self.olga.by(), is_there=self.store.exists)
            an_entry(session, "image", by=self.olga.by(), file={"sha256": received.sha256})

    def note_nothing(self, received: Received) -> None:
        """A file that no entry holds."""
        with self.database.writing() as session:
            files.keep(session, received, by=self.olga.by())

    def sweep(self) -> sweeping.Swept:
        return sweeping.sweep(self, by=self.olga.by())

    def is_known(self, received: Received) -> bool:
        with self.database.reading() as session:
            return files.find(session, received.sha256) is not None


@pytest.fixture
def house(database: Database, tmp_path: Path, olga: Colleague) -> Household:
    olga.clock.now = system_clock()
    return Household(database, WatchedStore(tmp_path / "media"), olga)


def test_a_sweep_removes_what_nobody_holds_and_leaves_the_rest(house: Household) -> None:
    held, loose, stray = house.put(b"held"), house.put(b"loose"), house.put(b"stray")
    house.note(held)
    house.note_nothing(loose)
    made = house.store.incoming / "made"
    made.write_bytes(b"small")
    house.store.put(f"{loose.sha256}/small", made)
    looked = sweeping.look(house)
    assert (looked.dry_run, looked.files, looked.bytes, looked.strays, looked.stray_bytes) == (True, 1, 5, 1, 5)
    assert sorted(house.store.keys()) == sorted(one.sha256 for one in (held, loose, stray))
    swept = house.sweep()
    assert replace(swept, dry_run=True) == looked
    assert list(house.store.keys()) == [held.sha256]
    assert list(house.store.derived(loose.sha256)) == []
    assert (house.is_known(held), house.is_known(loose)) == (True, False)
    assert house.sweep() == sweeping.Swept(dry_run=False)


def test_nothing_younger_than_a_day_is_removed(house: Household) -> None:
    house.now -= LONG_AGO - timedelta(hours=23)
    house.note_nothing(house.put(b"loose"))
    house.put(b"stray")
    (house.store.incoming / "part").touch()
    assert house.sweep() == sweeping.Swept(dry_run=False)
    assert len(list(house.store.keys())) == 2


def test_what_uploads_left_behind_is_removed(house: Household) -> None:
    (house.store.incoming / "cut-off.part").write_bytes(b"half")
    (house.store.incoming / "pieces").mkdir()
    swept = house.sweep()
    assert (swept.strays, swept.stray_bytes) == (1, 4)
    assert [path.name for path in house.store.incoming.iterdir()] == ["pieces"]


def test_bytes_that_came_again_today_wait_for_a_day(house: Household) -> None:
    loose = house.put(b"loose")
    house.note_nothing(loose)
    path = house.store.path(loose.sha256)
    os.utime(path, (house.now.timestamp(), house.now.timestamp()))
    house.sweep()
    assert (house.is_known(loose), house.store.exists(loose.sha256)) == (False, True)
    os.utime(path, (0, 0))
    assert house.sweep().strays == 1


def test_a_sweep_that_was_cut_off_is_finished_by_the_next(house: Household) -> None:
    loose = house.put(b"loose")
    house.note_nothing(loose)

    def power_goes() -> None:
        raise KeyboardInterrupt

    house.store.before_deleting = power_goes
    with pytest.raises(KeyboardInterrupt):
        house.sweep()
    assert (house.is_known(loose), house.store.exists(loose.sha256)) == (False, True)
    house.store.before_deleting = lambda: None
    house.sweep()
    assert not house.store.exists(loose.sha256)


# Where a step of an upload falls: before the sweep; after it has forgotten the file; when the bytes are about to go;
# and after that. The second half of an upload is a write, and so waits for the end of the removing.
MOMENTS = ("before", "forgotten", "removing", "after")


@pytest.mark.parametrize(
    ("first", "second"),
    [(first, second) for first, second in itertools.combinations_with_replacement(MOMENTS, 2) if second != "removing"],
)
@pytest.mark.parametrize("known", [True, False])
def test_whenever_bytes_come_again_no_file_loses_them(house: Household, first: str, second: str, known: bool) -> None:
    old = house.put(b"the same")
    if known:
        house.note_nothing(old)
    gone: list[Received] = []
    steps: list[tuple[str, Callable[[], object]]] = [
        (first, lambda: house.put(b"the same")),
        (second, lambda: attempt(house, old, gone)),
    ]

    def now(moment: str) -> None:
        while steps and steps[0][0] == moment:
            steps.pop(0)[1]()

    now("before")
    forgotten = iter([None])

    def committed() -> None:
        # Of the first write: what follows are removals, and uploads in between.
        for _ in forgotten:
            now("forgotten")

    house.database.committed.append(committed)
    house.store.before_deleting = lambda: now("removing")
    house.sweep()
    house.database.committed.remove(committed)
    now("forgotten")
    now("removing")
    now("after")
    assert house.is_known(old) == (not gone)
    assert not house.is_known(old) or house.store.exists(old.sha256)
    # Who was refused sends it once more.
    if gone:
        house.note(house.put(b"the same"))
    assert house.store.exists(old.sha256)
    house.sweep()
    assert (house.is_known(old), house.store.exists(old.sha256)) == (True, True)


def attempt(house: Household, received: Received, gone: list[Received]) -> None:
    try:
        house.note(received)
    except BytesGone:
        gone.append(received)


def test_bytes_that_visitors_once_saw_stay(house: Household) -> None:
    first, second = house.put(b"first"), house.put(b"second")
    house.note_nothing(first)
    house.note_nothing(second)
    with house.database.writing() as session:
        image = an_entry(session, "image", by=house.olga.by(), file={"sha256": first.sha256})
        publishing.publish(session, image, by=house.olga.by())
    house.sweep()
    assert list(house.store.keys()) == [first.sha256]


# --- over HTTP ---


def test_administrators_see_what_would_go_and_let_it_go(site: Site) -> None:
    entry = site.editor.upload(picture("PNG"), f"{fresh()}.png")
    looked = data_of(site.administrator.get("media/sweep"))
    assert (looked["dry_run"], looked["files"]) == (True, 0)
    swept = data_of(site.administrator.post("media/sweep"))
    assert (swept["dry_run"], swept["files"]) == (False, 0)
    assert site.reader.read(entry)["id"] == entry["id"]
    for desk in (site.publisher, site.reader):
        refused(desk.get("media/sweep"), 403, "forbidden")
        refused(desk.post("media/sweep"), 403, "forbidden")
    refused(site.administrator.get("media/sweep", params={"x": "1"}), 400, "unknown_parameter")
