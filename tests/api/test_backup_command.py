"""`sitedesk backup` and `sitedesk restore` as cron and people at night meet them: processes, exit codes, one name."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from api.backups.refusal import BackupRefused
from api.settings import Settings
from cms.clock import system_clock
from tests.api.backups_at_hand import backed_up, restored
from tests.api.test_command_line import PATIENCE, SITEDESK, environment, run, started, the_line

pytestmark = pytest.mark.skipif(not SITEDESK.exists(), reason=f"not installed: {SITEDESK}")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose site has a user, and whose server does not run."""
    folder = tmp_path_factory.mktemp("site") / "data"
    made = run(folder, "key", "create", "--role", "editor", "--name", "script")
    assert made.returncode == 0, made.stderr
    return folder


def names_in(target: Path) -> set[str]:
    return {path.name for path in (target / "backups").iterdir()}


def test_a_backup_of_a_running_server_starts_a_server_again(tmp_path: Path) -> None:
    target, into = tmp_path / "backups", tmp_path / "restored"
    with started(tmp_path / "data", "--sample") as server:
        token = re.findall(r"API key +(sdk_\S+)", server.told)[0]
        pages = httpx.get(f"{server.url}/delivery/v1/entries?page[size]=100").json()["data"]
        made = run(server.folder, "backup", str(target), "--verify")
        assert made.returncode == 0, made.stderr
        assert made.stdout.strip() in names_in(target)
        assert len(made.stdout.splitlines()) == 1
        assert "restored on trial" in made.stderr
        refused = run(server.folder, "restore", str(target), "--into", str(server.folder))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "another Sitedesk server" in the_line(refused.stderr)
    back = run(into, "restore", str(target), "--into", str(into))
    assert (back.returncode, back.stdout) == (0, made.stdout), back.stderr
    assert f"SITEDESK_DATA={into}" in back.stderr
    with started(into) as server:
        assert httpx.get(f"{server.url}/delivery/v1/entries?page[size]=100").json()["data"] == pages
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{server.url}/editor/v1/me", headers=headers).is_success
        deadline = time.monotonic() + PATIENCE
        while not httpx.get(f"{server.url}/delivery/v1/search?q=насос").json()["data"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        pictures = re.findall(r"/media/[^\"' ]+", json.dumps(pages))
        assert pictures
        assert httpx.get(f"{server.url}{pictures[0]}").is_success


def test_rules_of_retention_and_a_check_are_options(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    site = Settings(data=data)
    for _ in range(2):
        backed_up(site, target, clock=system_clock)
    last = run(data, "backup", str(target), "--keep-last", "1", "--keep-daily", "7").stdout.strip()
    assert names_in(target) == {last}
    (target / "backups" / last / "secret").write_bytes(b"")
    checked = run(data, "backup", str(target), "--check")
    assert (checked.returncode, checked.stdout) == (1, "")
    assert "FAULT" in checked.stderr
    refused = run(data, "restore", str(target), "--into", str(tmp_path / "restored"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "damaged" in the_line(refused.stderr)


def test_a_wrong_usage_is_code_2(tmp_path: Path) -> None:
    ended = run(tmp_path / "data", "backup", "x", "--keep-last", "-1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert not (tmp_path / "data").exists()


def test_a_site_that_is_not_there_is_refused_in_one_line_and_not_made(tmp_path: Path) -> None:
    ended = run(tmp_path / "data", "backup", str(tmp_path / "backups"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "there is no database" in the_line(ended.stderr)
    assert not (tmp_path / "data").exists()


def test_a_killed_backup_is_none_and_a_killed_restore_leaves_nothing(data: Path, tmp_path: Path) -> None:
    target, into = tmp_path / "backups", tmp_path / "restored"
    site = Settings(data=data)
    with contextlib.closing(sqlite3.connect(data / "sitedesk.db")) as connection, connection:
        connection.execute("CREATE TABLE filler (content)")
        connection.executemany("INSERT INTO filler VALUES (?)", [(os.urandom(1_000_000),) for _ in range(30)])
    killed_when(data, target / "backups", "backup", str(target))
    assert not list(target.glob("backups/*/manifest.json"))
    with pytest.raises(BackupRefused, match="there is no backup"):
        restored(target, into, clock=system_clock)
    name = backed_up(site, target, clock=system_clock)
    assert names_in(target) == {name}
    killed_when(data, into.with_name(".restored.restoring"), "restore", str(target), "--into", str(into))
    assert not into.exists()
    restored(target, into, clock=system_clock)
    assert not into.with_name(".restored.restoring").exists()
    with contextlib.closing(sqlite3.connect(into / "sitedesk.db")) as connection:
        assert connection.execute("SELECT sum(length(content)) FROM filler").fetchone() == (30_000_000,)


def killed_when(data: Path, appears: Path, *arguments: str) -> None:
    """Start a command, and kill it as soon as something has appeared: it is far from its end then."""
    command = [str(SITEDESK), *arguments]
    with subprocess.Popen(command, env=environment(data), stderr=subprocess.DEVNULL) as process:  # noqa: S603
        deadline = time.monotonic() + PATIENCE
        while not appears.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
