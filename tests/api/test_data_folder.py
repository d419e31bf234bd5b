"""The data folder: one process writes there, its secrets are its own, and it tells where its server is."""

import json
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from api import data_folder
from api.data_folder import FolderInUse, FolderRefused, announced, hold, running_server, secret, secret_fault

_HOLDER = """
import sys
from pathlib import Path
from api.data_folder import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    with hold(tmp_path / "some" / "data"):
        assert mode(tmp_path / "some" / "data") & 0o007 == 0


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    with hold(tmp_path), pytest.raises(FolderInUse, match="another Sitedesk"), hold(tmp_path):
        pass
    with hold(tmp_path):
        pass


def test_the_end_of_its_holder_frees_a_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # noqa: S603
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUse), hold(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
    with hold(tmp_path):
        pass


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderRefused, match="is not writable"), hold(tmp_path / "file" / "data"):
        pass


def test_a_secret_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    made = secret(tmp_path)
    assert len(made) == 32
    assert secret(tmp_path) == made
    assert mode(tmp_path / "secret") == 0o600
    assert secret_fault(tmp_path) is None


def test_two_folders_have_two_secrets(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert secret(tmp_path) != secret(tmp_path / "other")


@pytest.mark.parametrize("damaged", [b"", b"ab", b"x" * 64, b"\xff" * 64, b"ab" * 31 + b"\n\n", b"ab" * 500])
def test_a_damaged_secret_is_refused_in_words(damaged: bytes, tmp_path: Path) -> None:
    secret(tmp_path)
    (tmp_path / "secret").write_bytes(damaged)
    assert "is damaged" in (secret_fault(tmp_path) or "")
    with pytest.raises(FolderRefused, match="is damaged"):
        secret(tmp_path)


def test_a_secret_that_others_can_read_is_a_fault(tmp_path: Path) -> None:
    secret(tmp_path)
    (tmp_path / "secret").chmod(0o644)
    assert "chmod 600" in (secret_fault(tmp_path) or "")


def test_no_secret_yet_is_no_fault(tmp_path: Path) -> None:
    assert secret_fault(tmp_path) is None


def test_a_server_is_announced_while_it_runs(tmp_path: Path) -> None:
    with announced(tmp_path, "http://127.0.0.1:8000") as token:
        assert running_server(tmp_path) == {"url": "http://127.0.0.1:8000", "token": token}
        assert mode(tmp_path / "server.json") == 0o600
    assert running_server(tmp_path) is None
    assert not (tmp_path / "server.json").exists()


def test_the_announcement_of_a_killed_server_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(json.dumps({"url": "http://old", "token": "old"}), encoding="utf-8")
    with announced(tmp_path, "http://127.0.0.1:8000"):
        assert (running_server(tmp_path) or {})["url"] == "http://127.0.0.1:8000"


def test_an_announcement_is_removed_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyError), announced(tmp_path, "http://127.0.0.1:8000"):
        raise KeyError
    assert running_server(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"url": 1, "token": 2}', "\udcff"])
def test_an_announcement_that_makes_no_sense_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "server.json").write_bytes(text.encode(errors="surrogateescape"))
    assert running_server(tmp_path) is None


def test_of_many_at_once_one_holds_the_folder(tmp_path: Path) -> None:
    ready, results = threading.Barrier(8), []

    def attempt() -> None:
        try:
            with hold(tmp_path):
                results.append(True)
                ready.wait()
        except data_folder.FolderInUse:
            results.append(False)
            ready.wait()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]
