"""What every store promises."""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from media.stores import STORES, BadKey, FolderStore, NotStored, Store, open_store
from tests.buckets import s3_server

URLS: dict[str, Callable[[Path, str], str]] = {
    "file": lambda folder, _: f"{folder.as_uri()}/media",
    "s3": lambda folder, endpoint: (
        f"s3://files/{uuid.uuid4().hex}?endpoint={quote(endpoint)}&region=ru-1&incoming={folder / 'incoming'}"
    ),
}

KEY = hashlib.sha256(b"hello").hexdigest()
BAD_KEYS = ["", "ab", "../" * 21 + "a", KEY.upper(), f"{KEY}\n", f"{KEY}0", KEY[:-1] + "/", f"../{KEY}", "0" * 63 + "٣"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(params=URLS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    endpoint = request.getfixturevalue("endpoint") if request.param == "s3" else ""
    return URLS[request.param](tmp_path, endpoint)


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)


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


def test_a_store_knows_since_when_it_has_a_file(store: Store, source: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    store.put(KEY, source)
    assert before < store.kept_since(KEY) < datetime.now(UTC) + timedelta(seconds=5)
    with pytest.raises(NotStored):
        store.kept_since("0" * 64)


def test_the_same_file_may_come_from_many_sides_at_once(store: Store, source: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: store.put(KEY, source), range(40)))
    assert list(store.keys()) == [KEY]
    assert read(store, KEY) == b"hello"


def test_opening_again_finds_what_was_kept(url: str, source: Path) -> None:
    open_store(url).put(KEY, source)
    assert read(open_store(url), KEY) == b"hello"


DERIVED = [f"{KEY}/clean", f"{KEY}/r1_fill_800x450_f50-30_q80.webp"]


def test_what_is_derived_of_a_file_stands_beside_it(store: Store, source: Path, tmp_path: Path) -> None:
    store.put(KEY, source)
    for key in DERIVED:
        made = tmp_path / "made"
        made.write_bytes(key.encode())
        store.put(key, made)
    assert list(store.keys()) == [KEY]
    assert list(store.derived(KEY)) == [key.partition("/")[2] for key in DERIVED]
    assert [read(store, key) for key in (KEY, *DERIVED)] == [b"hello", *(key.encode() for key in DERIVED)]
    assert [store.size(key) for key in DERIVED] == [len(key) for key in DERIVED]


def test_deleting_a_file_takes_along_what_was_derived_of_it(store: Store, source: Path) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    for key in (KEY, *DERIVED, other, f"{other}/clean"):
        store.put(key, source)
    store.delete(DERIVED[0])
    assert list(store.derived(KEY)) == [DERIVED[1].partition("/")[2]]
    store.delete(KEY)
    assert not any(store.exists(key) for key in (KEY, *DERIVED))
    assert (list(store.keys()), list(store.derived(other))) == ([other], ["clean"])


def test_what_was_never_derived_is_not_there(store: Store, source: Path) -> None:
    store.put(KEY, source)
    assert list(store.derived(KEY)) == []
    for ask in (store.open, store.path, store.size):
        with pytest.raises(NotStored, match=DERIVED[0]):
            ask(DERIVED[0])


@pytest.mark.parametrize("name", ["", "..", ".x", "A", "a/b", "a\n", "a" * 122, "ü", "a b", "../clean"])
def test_a_derived_key_has_a_plain_name(store: Store, source: Path, name: str) -> None:
    with pytest.raises(BadKey):
        store.put(f"{KEY}/{name}", source)
    with pytest.raises(BadKey):
        list(store.derived(f"{KEY}/{name}"))


def test_a_large_file_comes_back_whole_and_from_any_place(store: Store, tmp_path: Path) -> None:
    content = b"".join(bytes([each]) * 1_000_003 for each in range(21))
    (tmp_path / "large").write_bytes(content)
    store.put(KEY, tmp_path / "large")
    assert store.size(KEY) == len(content)
    with store.open(KEY) as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(content).digest()
        file.seek(5_000_000)
        assert file.read(10) == content[5_000_000:5_000_010]
        file.seek(-3, 2)
        assert file.read() == content[-3:]


def test_a_store_that_answers_has_no_fault(store: Store) -> None:
    assert store.fault() is None


@pytest.mark.parametrize("bucket", ["s3://absent", "s3://files/deep"])
def test_a_bucket_that_does_not_answer_tells_why(endpoint: str, bucket: str) -> None:
    address = endpoint if bucket == "s3://absent" else "http://127.0.0.1:9"
    assert open_store(f"{bucket}?endpoint={address}&region=ru-1").fault()


def test_a_folder_fans_out_in_two_levels(tmp_path: Path, source: Path) -> None:
    FolderStore(tmp_path / "media").put(KEY, source)
    assert (tmp_path / "media" / KEY[:2] / KEY[2:4] / KEY).is_file()


def test_a_folder_may_have_spaces_in_its_name(tmp_path: Path) -> None:
    open_store((tmp_path / "наши файлы").as_uri())
    assert (tmp_path / "наши файлы").is_dir()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "media",
        "/srv/media",
        "ftp://host/media",
        "file:media",
        "file://host/media",
        "file:///m?x=1",
        "s3:///prefix",
        "s3://user:word@b",
        "s3://b?password=1",
        "s3://b#x",
    ],
)
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        open_store(url)
