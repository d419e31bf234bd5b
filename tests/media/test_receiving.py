"""Uploads under way."""

import hashlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.receiving import Incoming, receive
from media.refusals import TooLarge
from media.stores import FolderStore

BODY = b"0123456789" * 300_000


def endless() -> Iterator[bytes]:
    while True:
        yield b"x" * 1000


@pytest.mark.parametrize("source", [io.BytesIO(BODY), [BODY[:7], b"", BODY[7:]]], ids=["file", "chunks"])
def test_a_received_file_is_whole_and_known_by_its_hash(tmp_path: Path, source: io.BytesIO | list[bytes]) -> None:
    with receive(source, folder=tmp_path, limit=len(BODY)) as received:
        assert received.path.read_bytes() == BODY
        assert received.size == len(BODY)
        assert received.sha256 == hashlib.sha256(BODY).hexdigest()


def test_nothing_stays_behind_after_the_block(tmp_path: Path) -> None:
    with receive([b"hello"], folder=tmp_path, limit=5):
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())


def breaks_off() -> Iterator[bytes]:
    yield b"half"
    raise ConnectionError


def test_nothing_stays_behind_when_the_upload_breaks_off(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), receive(breaks_off(), folder=tmp_path, limit=100):
        pytest.fail("it was taken")
    assert not list(tmp_path.iterdir())


def test_one_byte_too_many_is_refused_and_never_written(tmp_path: Path) -> None:
    with Incoming(tmp_path, limit=10) as incoming:
        incoming.write(b"0123456789")
        with pytest.raises(TooLarge) as refusal:
            incoming.write(b"x")
        assert incoming.finish().path.read_bytes() == b"0123456789"
    assert (refusal.value.code, refusal.value.limit) == ("too_large", 10)


def test_an_endless_upload_ends_at_the_limit(tmp_path: Path) -> None:
    with pytest.raises(TooLarge), receive(endless(), folder=tmp_path, limit=50_000):
        pytest.fail("it was taken")
    assert not list(tmp_path.iterdir())


def test_an_empty_upload_is_received_as_empty(tmp_path: Path) -> None:
    with receive([], folder=tmp_path, limit=10) as received:
        assert received.size == 0
        assert received.path.read_bytes() == b""


def test_a_received_file_can_be_stored_without_a_copy(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with receive([b"hello"], folder=store.incoming, limit=5) as received:
        number = received.path.stat().st_ino
        store.put(received.sha256, received.path)
    assert store.path(received.sha256).stat().st_ino == number


def test_leftovers_of_an_hour_ago_are_swept_when_the_next_upload_begins(tmp_path: Path) -> None:
    old, young, foreign = (tmp_path / name for name in ("old.part", "young.part", "old.txt"))
    for path in (old, young, foreign):
        path.write_bytes(b"half")
    for path in (old, foreign):
        os.utime(path, (time.time() - 3700,) * 2)
    with Incoming(tmp_path, limit=10):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"young.part", "old.txt"}
