"""The command line as scripts and operators meet it: a process, its exit code, and what it says where."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.api.sources import a_row, lines

SITEDESK = Path(sys.executable).with_name("sitedesk")
PATIENCE = 60

pytestmark = pytest.mark.skipif(not SITEDESK.exists(), reason=f"not installed: {SITEDESK}")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SITEDESK_")}
    return {**kept, "SITEDESK_DATA": str(folder), "SITEDESK_PORT": "0", **settings}


def run(folder: Path, *arguments: str, given: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """A command to its end. The working folder is one without a `sitedesk.toml`."""
    return subprocess.run(  # noqa: S603
        [SITEDESK, *arguments],
        env=environment(folder, **settings),
        cwd=folder.parent,
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@dataclass
class Running:
    """A server in a process of its own."""

    folder: Path
    process: subprocess.Popen[bytes]
    url: str

    @property
    def told(self) -> str:
        """What it has written to standard error."""
        return log_of(self.folder).read_text(encoding="utf-8")

    def stop(self) -> int:
        """Ask it to stop, and wait for it; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def log_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.log")


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[Running]:
    """A server that answers; killed at the end if it still runs."""
    with (
        log_of(folder).open("wb") as log,
        subprocess.Popen(  # noqa: S603
            [SITEDESK, "serve", *arguments], env=environment(folder), cwd=folder.parent, stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield Running(folder, process, _url_once_it_answers(folder, process))
        finally:
            process.kill()


def _url_once_it_answers(folder: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, log_of(folder).read_text(encoding="utf-8")
        with contextlib.suppress(OSError, ValueError, httpx.HTTPError):
            url = json.loads((folder / "server.json").read_text(encoding="utf-8"))["url"]
            httpx.get(f"{url}/healthz").raise_for_status()
            return str(url)
        time.sleep(0.05)
    raise AssertionError("the server did not begin to answer")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests that only need one to be there."""
    with started(tmp_path_factory.mktemp("served") / "data") as running:
        yield running


def me(url: str, token: str) -> httpx.Response:
    return httpx.get(f"{url}/editor/v1/me", headers={"Authorization": f"Bearer {token}"})


def the_line(told: str) -> str:
    """The one line that a refusal says."""
    said = [line for line in told.splitlines() if line.strip()]
    assert len(said) == 1, told
    return said[0]


# --- while nothing runs ---


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["serve", "--nothing"], ["key", "create"], ["import", "jsonl", "no-such-file"], ["import", "wxr"]],
    ids=" ".join,
)
def test_a_wrong_usage_is_code_2(arguments: list[str], tmp_path: Path) -> None:
    ended = run(tmp_path / "data", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()


def test_an_unknown_setting_is_refused_in_one_line(tmp_path: Path) -> None:
    ended = run(tmp_path / "data", "serve", SITEDESK_PROT="80")
    assert ended.returncode == 1
    assert "SITEDESK_PROT" in the_line(ended.stderr)
    assert not (tmp_path / "data").exists()


def test_a_taken_port_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run(tmp_path / "data", "serve", SITEDESK_PORT=port)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"127.0.0.1:{port}" in the_line(ended.stderr)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = subprocess.run(  # noqa: S603
        [SITEDESK, "serve"],
        env=environment(tmp_path / "file" / "data"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1
    assert "is not writable" in the_line(ended.stderr)


def test_a_key_is_alone_on_standard_output_and_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    made = run(folder, "key", "create", "--role", "editor", "--name", "script")
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"sdk_\S+\n", made.stdout)
    with contextlib.closing(sqlite3.connect(folder / "sitedesk.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = (folder / "sitedesk.db").read_bytes()
    for command in (["serve"], ["migrate"], ["key", "create", "--role", "editor", "--name", "script"]):
        ended = run(folder, *command)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "newer Sitedesk" in the_line(ended.stderr)
    assert (folder / "sitedesk.db").read_bytes() == before
    assert run(folder, "check").returncode == 1


# --- while a server runs ---


def test_a_second_server_on_the_same_folder_is_refused(server: Running) -> None:
    ended = run(server.folder, "serve")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "another Sitedesk server uses" in the_line(ended.stderr)
    assert httpx.get(f"{server.url}/healthz").is_success
    assert (server.folder / "server.json").exists()


def test_a_key_made_while_the_server_runs_opens_it_at_once(server: Running) -> None:
    made = run(server.folder, "key", "create", "--role", "editor", "--name", "script", "--expires-at", "2099-01-01T00Z")
    assert made.returncode == 0, made.stderr
    assert me(server.url, made.stdout.strip()).is_success


@pytest.mark.parametrize(
    "arguments",
    [
        ["--role", "king", "--name", "x"],
        ["--role", "editor", "--name", "x", "--expires-at", "soon"],
        ["--role", "editor", "--name", "x", "--expires-at", "2099-01-01"],
        ["--role", "editor", "--name", "x", "--expires-at", "1999-01-01T00:00:00Z"],
        ["--role", "editor", "--name", "x", "--scope", "fly"],
    ],
    ids=" ".join,
)
def test_a_key_that_makes_no_sense_is_refused_in_one_line(arguments: list[str], server: Running) -> None:
    ended = run(server.folder, "key", "create", *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert the_line(ended.stderr).startswith("sitedesk: ")


def test_a_user_whose_password_is_read_from_standard_input_can_sign_in(server: Running) -> None:
    command = ["user", "add", "--email", "irina@example.org", "--role", "editor"]
    added = run(server.folder, *command, given="a long pass phrase\n")
    assert added.returncode == 0, added.stderr
    assert re.fullmatch(r"[0-9a-f-]{36}\n", added.stdout)
    body = {"email": "irina@example.org", "password": "a long pass phrase"}
    assert httpx.post(f"{server.url}/editor/v1/session", json=body).status_code == 201
    assert "a long pass phrase" not in server.told + added.stderr


def test_a_password_that_is_too_short_is_refused_in_one_line(server: Running) -> None:
    ended = run(server.folder, "user", "add", "--email", "x@example.org", "--role", "editor", given="short\n")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "/password" in the_line(ended.stderr)


def test_an_import_goes_through_the_running_server(server: Running, tmp_path: Path) -> None:
    source = lines(tmp_path, [a_row(1), "{broken", a_row(3)])
    report = tmp_path / "report.json"
    command = ["import", "jsonl", str(source), "--publish", "--report", str(report)]
    ended = run(server.folder, *command)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "rows.jsonl:2: " in ended.stderr
    assert "made 2" in ended.stderr
    assert json.loads(report.read_text(encoding="utf-8"))["outcomes"]["refused"] == 1
    found = httpx.get(f"{server.url}/delivery/v1/entries", params={"filter[type]": "article"}).json()
    assert {entry["slug"] for entry in found["data"]} >= {"row-1", "row-3"}


def test_a_source_of_the_wrong_kind_is_refused_in_one_line(server: Running, tmp_path: Path) -> None:
    ended = run(server.folder, "import", "jsonl", str(tmp_path))
    assert ended.returncode == 1
    assert "directory" in the_line(ended.stderr)


def test_the_indexes_are_made_anew_by_the_running_server(server: Running) -> None:
    ended = run(server.folder, "reindex")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "rebuilt" in ended.stderr


def test_leftovers_are_looked_for_and_removed_by_the_running_server(server: Running) -> None:
    stray = server.folder / "media" / "incoming" / "cut-off.part"
    stray.write_bytes(b"half")
    os.utime(stray, (0, 0))
    for option, said in (("--dry-run", "dry run, nothing was removed"), (None, "removed: ")):
        ended = run(server.folder, "media", "sweep", *([option] if option else []))
        assert (ended.returncode, ended.stdout) == (0, "")
        assert f"{said}" in ended.stderr
        assert "stray bytes of 1 (4 bytes)" in ended.stderr
        assert stray.exists() == (option is not None)


def test_the_way_of_commands_into_the_server_needs_its_token(server: Running) -> None:
    body = {"name": "thief", "role": "administrator"}
    for given in (b"", b"Bearer x", b"Bearer \xe9", b"Basic eDp4"):
        sent = {b"Authorization": given}
        answer = httpx.post(f"{server.url}/control/create-key", json=body, headers=sent)
        assert answer.status_code == 404


# --- starting and stopping ---


def test_a_first_start_tells_what_it_made_once_and_a_second_finds_everything(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with started(folder, "--sample") as first:
        welcome = first.told
        token = re.findall(r"API key +(sdk_\S+)", welcome)[0]
        password = re.findall(r"password +(\S+)", welcome)[0]
        assert len(re.findall(r"^ +curl ", welcome, re.MULTILINE)) == 3
        assert "alembic" not in welcome
        assert me(first.url, token).is_success
        before = httpx.get(f"{first.url}/delivery/v1/entries?page[size]=100").json()["data"]
        assert before
        assert first.stop() == 0
    assert not (folder / "server.json").exists()
    with started(folder, "--sample") as second:
        assert "curl" not in second.told
        assert "password" not in second.told
        assert me(second.url, token).is_success
        assert httpx.get(f"{second.url}/delivery/v1/entries?page[size]=100").json()["data"] == before
        body = {"email": "admin@example.org", "password": password}
        assert httpx.post(f"{second.url}/editor/v1/session", json=body).status_code == 201


def test_what_is_being_answered_when_a_stop_is_asked_for_is_answered(tmp_path: Path) -> None:
    with started(tmp_path / "data") as running:
        token = re.findall(r"API key +(sdk_\S+)", running.told)[0]
        begun = False

        def slowly() -> Iterator[bytes]:
            nonlocal begun
            body = json.dumps({"type": "news", "locale": "ru", "fields": {"title": "Written at the last moment"}})
            for letter in (body[:10], body[10:20], body[20:]):
                yield letter.encode()
                time.sleep(0.3)
                if not begun:
                    running.process.send_signal(signal.SIGTERM)
                    begun = True

        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = httpx.post(f"{running.url}/editor/v1/entries", content=slowly(), headers=headers, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text
        assert running.process.wait(PATIENCE) == 0
        assert "Traceback" not in running.told
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "sitedesk.db")) as connection:
        titles = {title for (title,) in connection.execute("SELECT title FROM entries")}
    assert "Written at the last moment" in titles


def test_a_killed_server_does_not_stand_in_the_way(tmp_path: Path) -> None:
    with started(tmp_path / "data") as running:
        running.process.kill()
        running.process.wait(PATIENCE)
    assert (tmp_path / "data" / "server.json").exists()
    made = run(tmp_path / "data", "key", "create", "--role", "reader", "--name", "script")
    assert made.returncode == 0, made.stderr
