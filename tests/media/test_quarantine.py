"""The children that decode: what becomes of the server when one of them fails."""

import io
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from media.quarantine import Quarantine
from media.refusals import RefusedMedia, Unreadable
from tests.media.bytes_at_hand import picture

GREETING = """
import json, os, sys, time
from multiprocessing.connection import Connection
parent = Connection(int(sys.argv[1]))
parent.send_bytes(b"ready")
"""
ANSWER_WITH_ITS_NUMBER = """
while True:
    parent.recv_bytes()
    parent.send_bytes(json.dumps({"format": str(os.getpid()), "size": None}).encode())
"""

Open = Callable[..., Quarantine]


@pytest.fixture
def open_quarantine(tmp_path: Path) -> Iterator[Open]:
    opened: list[Quarantine] = []

    def open_one(program: str | None = None, **settings: float) -> Quarantine:
        path = tmp_path / "program.py"
        path.write_text(GREETING + (program or ""))
        chosen = {"program": path} if program else {}
        opened.append(Quarantine(**settings, **chosen))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for quarantine in opened:
        quarantine.close()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.png"
    path.write_bytes(picture("PNG"))
    return path


def test_a_child_serves_one_file_after_another(open_quarantine: Open, good: Path) -> None:
    quarantine = open_quarantine(ANSWER_WITH_ITS_NUMBER, children=2)
    assert len({quarantine.ask("picture", good).text("format") for _ in range(4)}) == 1


def test_a_child_is_replaced_after_its_share_of_files(open_quarantine: Open, good: Path) -> None:
    quarantine = open_quarantine(ANSWER_WITH_ITS_NUMBER, children=1, tasks=2)
    assert len({quarantine.ask("picture", good).text("format") for _ in range(6)}) == 3


def test_a_child_that_died_between_files_is_replaced(open_quarantine: Open, good: Path) -> None:
    quarantine = open_quarantine(ANSWER_WITH_ITS_NUMBER, children=1)
    first = int(quarantine.ask("picture", good).text("format") or 0)
    os.kill(first, 9)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert int(quarantine.ask("picture", good).text("format") or 0) != first


@pytest.mark.parametrize("end", ["os.abort()", "os.kill(os.getpid(), 9)", "sys.exit(0)"])
def test_a_file_that_kills_its_child_is_refused(open_quarantine: Open, good: Path, end: str) -> None:
    quarantine = open_quarantine(f"parent.recv_bytes(); {end}")
    for _ in range(2):
        with pytest.raises(Unreadable, match="broke the decoder"):
            quarantine.ask("picture", good)


def test_a_file_that_takes_forever_is_refused(open_quarantine: Open, tmp_path: Path) -> None:
    quarantine = open_quarantine(children=1, seconds=0.1)
    os.mkfifo(tmp_path / "pipe")
    for _ in range(2):
        with pytest.raises(RefusedMedia) as refusal:
            quarantine.ask("picture", tmp_path / "pipe")
        assert refusal.value.code == "too_slow"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff",
        b"[]",
        b"7",
        b"[" * 4000,
        b'{"format": "PNG", "size": [1]}',
        b'{"format": "PNG", "size": [Infinity, 1]}',
        b"x" * (5 << 20),
        b'{"format": 7}',
        b'{"format": "PNG", "size": [true, -1]}',
        b'{"format": "PNG", "size": null, "frames": 1e999, "bytes": 0}',
        b'{"bytes": -1}',
        b'{"bytes": 1e9}',
        b'{"bytes": 999999999999}',
    ],
)
def test_a_child_that_talks_nonsense_is_not_believed(open_quarantine: Open, good: Path, answer: bytes) -> None:
    quarantine = open_quarantine(f"parent.recv_bytes(); parent.send_bytes({answer!r}); time.sleep(60)")

    def believe() -> None:
        told = quarantine.ask("picture", good)
        assert told.text("format")
        assert told.size() is None
        assert told.whole("frames") is None

    with pytest.raises(Unreadable):
        believe()


def test_a_decoder_that_cannot_start_is_a_fault_of_ours(open_quarantine: Open, good: Path) -> None:
    quarantine = Quarantine(program=good.with_name("absent.py"))
    with pytest.raises(RuntimeError, match="does not start"):
        quarantine.ask("picture", good)


def test_more_threads_than_children_take_turns(open_quarantine: Open, good: Path) -> None:
    quarantine = open_quarantine(children=2)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: quarantine.ask("picture", good).size(), range(40)))
    assert answers == [(40, 30)] * 40


def test_a_closed_quarantine_has_no_children_and_opens_again(open_quarantine: Open, good: Path) -> None:
    quarantine = open_quarantine(ANSWER_WITH_ITS_NUMBER)
    child = int(quarantine.ask("picture", good).text("format") or 0)
    quarantine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert int(quarantine.ask("picture", good).text("format") or 0) != child


TELL_ENVIRONMENT = """
parent.recv_bytes()
parent.send_bytes(json.dumps({"format": " ".join(os.environ), "size": None}).encode())
"""
TELL_LIMITS = """
import resource
from media.child import limit
limit()
parent.recv_bytes()
limits = [resource.getrlimit(each)[1] for each in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)]
parent.send_bytes(json.dumps({"format": str(limits), "size": None}).encode())
"""


def test_the_child_knows_none_of_the_servers_settings(
    open_quarantine: Open, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITEDESK_DATABASE_URL", "postgresql://user:password@host/db")
    known = (open_quarantine(TELL_ENVIRONMENT).ask("picture", good).text("format") or "").split()
    assert set(known) <= {"PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LC_CTYPE"}


def test_the_child_can_neither_take_much_memory_nor_write(open_quarantine: Open, good: Path) -> None:
    assert open_quarantine(TELL_LIMITS).ask("picture", good).text("format") == "[1610612736, 0, 0]"


def test_bytes_that_come_of_a_file_are_written_as_they_arrive(open_quarantine: Open, good: Path) -> None:
    quarantine = open_quarantine(
        """
parent.recv_bytes()
parent.send_bytes(json.dumps({"bytes": 5}).encode())
for part in (b"he", b"", b"llo"): parent.send_bytes(part)
"""
    )
    into = io.BytesIO()
    assert quarantine.ask("picture", good, into=into).text("format") is None
    assert into.getvalue() == b"hello"


def test_a_child_that_stops_in_the_middle_of_its_bytes_is_ended(open_quarantine: Open, good: Path) -> None:
    quarantine = open_quarantine(
        'parent.recv_bytes(); parent.send_bytes(b\'{"bytes": 9}\'); parent.send_bytes(b"h"); time.sleep(60)',
        seconds=0.3,
    )
    with pytest.raises(RefusedMedia) as refusal:
        quarantine.ask("picture", good, into=io.BytesIO())
    assert refusal.value.code == "too_slow"


def test_a_child_that_sends_more_than_it_said_is_not_believed(open_quarantine: Open, good: Path) -> None:
    quarantine = open_quarantine(
        'parent.recv_bytes(); parent.send_bytes(b\'{"bytes": 2}\'); parent.send_bytes(b"hello")'
    )
    with pytest.raises(Unreadable):
        quarantine.ask("picture", good, into=io.BytesIO())
