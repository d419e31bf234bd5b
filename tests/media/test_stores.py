"""What every store promises."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from media.stores import STORES, BadKey, FolderStore, NotStored, Store, open_store

URLS: dict[str, Callable[[Path], str]] = {"file": lambda folder: f"{folder.as_uri()}/media"}

KEY = hashlib.sha256(b"hello").hexdigest()
BAD_KEYS = ["", "ab", "../" * 21 + "a", KEY.upper(), f"{KEY}\n", f"{KEY}0", KEY[:-1] + "/", f"../{KEY}", "0" * 63 + "٣"]


@pytest.fixture(params=URLS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store(URLS[request.param](tmp_path))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "hello.txt"
    path.write_bytes(b"hello")
    return path


def read(store: Store, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


def test_every_scheme_runs_this_suite() -> None:
    assert set(URLS) == set(STORES)


def test_what_is_put_can_be_read(store: Store, source: Path) -> None:
    store.put(KEY, source)
    assert store.exists(KEY)
    assert store.size(KEY) == 5
    assert read(store, KEY) == b"hello"


def test_a_local_path_serves_the_same_bytes(store: Store, source: Path) -> None:
    store.put(KEY, source)
    path = store.path(KEY)
    assert path is None or path.read_bytes() == b"hello"


def test_putting_again_changes_nothing(store: Store, source: Path) -> None:
    store.put(KEY, source)
    source.write_bytes(b"other")
    store.put(KEY, source)
    assert read(store, KEY) == b"hello"


def test_a_source_from_elsewhere_is_left_as_it_is(store: Store, source: Path) -> None:
    store.put(KEY, source)
    source.write_bytes(b"changed afterwards")
    assert read(store, KEY) == b"hello"


def test_an_upload_is_kept_when_its_temporary_file_goes(store: Store) -> None:
    upload = store.incoming / "upload.part"
    upload.write_bytes(b"hello")
    store.put(KEY, upload)
    upload.unlink(missing_ok=True)
    assert read(store, KEY) == b"hello"


def test_nothing_stays_among_the_incoming(store: Store, source: Path) -> None:
    store.put(KEY, source)
    assert not list(store.incoming.iterdir())


def test_a_put_that_fails_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.put(KEY, tmp_path / "absent")
    assert not store.exists(KEY)
    assert not list(store.incoming.iterdir())


def test_what_was_never_put_is_not_there(store: Store) -> None:
    assert not store.exists(KEY)
    for ask in (store.open, store.path, store.size):
        with pytest.raises(NotStored, match=KEY):
            ask(KEY)


def test_deleting_forgets_and_deleting_again_is_no_harm(store: Store, source: Path) -> None:
    store.put(KEY, source)
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)
    assert list(store.keys()) == []


def test_keys_are_all_that_was_put_in_order(store: Store, source: Path) -> None:
    keys = [hashlib.sha256(bytes([each])).hexdigest() for each in range(20)]
    for key in keys:
        store.put(key, source)
    (store.incoming / KEY).write_bytes(b"an upload under way")
    assert list(store.keys()) == sorted(keys)


@pytest.mark.parametrize("key", BAD_KEYS)
def test_only_a_sha256_is_a_key(store: Store, source: Path, key: str) -> None:
    for ask in (store.open, store.path, store.size, store.exists, store.delete):
        with pytest.raises(BadKey):
            ask(key)
    with pytest.raises(BadKey):
        store.put(key, source)


def test_the_same_file_may_come_from_many_sides_at_once(store: Store, source: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: store.put(KEY, source), range(40)))
    assert list(store.keys()) == [KEY]
    assert read(store, KEY) == b"hello"


def test_opening_again_finds_what_was_kept(tmp_path: Path, source: Path) -> None:
    FolderStore(tmp_path / "media").put(KEY, source)
    assert read(FolderStore(tmp_path / "media"), KEY) == b"hello"


def test_a_folder_fans_out_in_two_levels(tmp_path: Path, source: Path) -> None:
    FolderStore(tmp_path / "media").put(KEY, source)
    assert (tmp_path / "media" / KEY[:2] / KEY[2:4] / KEY).is_file()


def test_a_folder_may_have_spaces_in_its_name(tmp_path: Path) -> None:
    open_store((tmp_path / "наши файлы").as_uri())
    assert (tmp_path / "наши файлы").is_dir()


@pytest.mark.parametrize(
    "url", ["", "media", "/srv/media", "ftp://host/media", "file:media", "file://host/media", "file:///m?x=1"]
)
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        open_store(url)
