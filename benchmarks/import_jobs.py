"""A large import as a job: its rate and memory, whether the last tenth costs what the first did, how soon it goes on
after a kill, and what a colleague who saves meanwhile notices of it."""

import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx

from benchmarks.articles import unpacked
from benchmarks.figures import Figure
from benchmarks.importing import _memory

ARTICLES = 100_000
_SITEDESK = str(Path(sys.executable).with_name("sitedesk"))
_LOOK = 0.05


def run(articles: int = ARTICLES) -> list[Figure]:
    """Import so many articles by the command line, kill it on the way, and import some beside a server."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        source = _multiplied(place, articles)
        figures = _undisturbed(place / "whole", source, articles)
        figures += _killed(place / "killed", source)
        shutil.rmtree(place / "whole")
        shutil.rmtree(place / "killed")
        return figures + _beside_a_server(place / "served", _multiplied(place, min(articles, 10_000)))


def _multiplied(folder: Path, articles: int) -> Path:
    """As many articles as are wanted, each with an id and a slug of its own."""
    rows = [json.loads(line) for line in unpacked(folder).read_text(encoding="utf-8").splitlines()]
    target = folder / f"rows-{articles}.jsonl"
    with target.open("w", encoding="utf-8") as file:
        for number in range(articles):
            row = dict(rows[number % len(rows)])
            row["external_id"] = f"{row.get('external_id', '')}-{number}"
            row["slug"] = f"{row.get('slug') or 'row'}-{number}"[-120:].strip("-")
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return target


def _command(data: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {"SITEDESK_DATA": str(data), "PATH": "/usr/bin:/bin", "SITEDESK_PORT": "0"}
    return subprocess.Popen(
        [_SITEDESK, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _job(data: Path) -> tuple[str, str, str, int]:
    """Id, state, phase and rows done of the newest job."""
    try:
        with sqlite3.connect(f"file:{data / 'sitedesk.db'}?mode=ro", uri=True) as connection:
            found = connection.execute("SELECT id, state, phase, done FROM imports ORDER BY created_at DESC").fetchone()
    except sqlite3.Error:
        found = None
    return found or ("", "", "", 0)


def _undisturbed(data: Path, source: Path, articles: int) -> list[Figure]:
    report = data.parent / "report.json"
    started = time.monotonic()
    process = _command(data, "import", str(source), "--source", "bench", "--publish", "--report", str(report))
    peak, reached = 0.0, [(0.0, 0)]
    while process.poll() is None:
        peak = max(peak, _memory(process.pid))
        _, _, phase, done = _job(data)
        if phase == "import" and done > reached[-1][1]:
            reached.append((time.monotonic() - started, done))
        time.sleep(_LOOK)
    seconds = time.monotonic() - started
    told = json.loads(report.read_text())
    tenths = [_seconds_of(reached, articles * part // 10, articles * (part + 1) // 10) for part in (0, 9)]
    rows = [(at, done) for at, done in reached if done]
    importing = rows[-1][0] - rows[0][0]
    return [
        Figure("import job, articles", f"{told['outcomes']['made']:,} in {seconds:.0f} s, all told", ""),
        Figure("import job, articles a second, all told", f"{articles / told['seconds']:.0f}", "at least 400"),
        Figure("import job, articles a second, rows alone", f"{(rows[-1][1] - rows[0][1]) / importing:.0f}", ""),
        Figure("import job, memory at its peak, all processes", f"{peak:.0f} MB", "under 400 MB"),
        Figure("import job, the last tenth against the first", f"{tenths[1] / tenths[0]:.2f} of its time", "about 1"),
    ]


def _seconds_of(reached: list[tuple[float, int]], first: int, last: int) -> float:
    begun = next((at for at, done in reached if done >= max(first, 1)), reached[-1][0])
    return max(next((at for at, done in reached if done >= last), reached[-1][0]) - begun, _LOOK)


def _killed(data: Path, source: Path) -> list[Figure]:
    """How long it takes from the command to the first row that is new, the start of Python included."""
    process = _command(data, "import", str(source), "--source", "bench")
    while _job(data)[2] != "import" or _job(data)[3] < 300:
        time.sleep(_LOOK)
    process.send_signal(signal.SIGKILL)
    process.wait()
    id, _, _, done = _job(data)
    started = time.monotonic()
    process = _command(data, "imports", "resume", id)
    while _job(data)[3] <= done and process.poll() is None:
        time.sleep(_LOOK / 5)
    seconds = time.monotonic() - started
    process.kill()
    process.wait()
    bare = _seconds(data, "imports", "list")
    return [
        Figure("import job, from resuming to the first new row", f"{seconds:.1f} s", ""),
        Figure("import job, the same without the start of Python", f"{max(0.0, seconds - bare):.1f} s", "under 2 s"),
    ]


def _seconds(data: Path, *arguments: str) -> float:
    started = time.monotonic()
    _command(data, *arguments).wait()
    return time.monotonic() - started


def _beside_a_server(data: Path, source: Path) -> list[Figure]:
    token = subprocess.run(
        [_SITEDESK, "key", "create", "--role", "editor", "--name", "bench"],
        env={"SITEDESK_DATA": str(data), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with _serving(data) as url:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
            alone = _saves(client, threading.Event(), most=100)
            ended = threading.Event()
            process = _command(data, "import", str(source), "--source", "bench", "--publish")
            threading.Thread(target=_tell_end, args=(process, ended), daemon=True).start()
            while _job(data)[2] != "import" and not ended.is_set():
                time.sleep(_LOOK)
            meanwhile = _saves(client, ended, most=2_000)
    return [
        Figure("a save while nothing else is done, p95", f"{_p95(alone):.0f} ms", ""),
        Figure(f"a save during an import ({len(meanwhile)} saves), p95", f"{_p95(meanwhile):.0f} ms", "under 100 ms"),
        Figure("a save during an import, the longest", f"{max(meanwhile):.0f} ms", ""),
    ]


def _tell_end(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    process.wait()
    ended.set()


_numbers = count()


def _saves(client: httpx.Client, ended: threading.Event, *, most: int) -> list[float]:
    made = client.post(
        "/editor/v1/entries", json={"type": "news", "locale": "ru", "fields": {"title": f"Saved {next(_numbers)}"}}
    )
    made.raise_for_status()
    entry, tag = made.json()["data"]["id"], made.headers["etag"]
    taken: list[float] = []
    while len(taken) < most and not (ended.is_set() and len(taken) > 20):
        started = time.monotonic()
        saved = client.patch(
            f"/editor/v1/entries/{entry}",
            json={"fields": {"summary": f"Words {next(_numbers)}"}},
            headers={"If-Match": tag},
        )
        taken.append((time.monotonic() - started) * 1_000)
        saved.raise_for_status()
        tag = saved.headers["etag"]
        time.sleep(0.1)
    return taken


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]


@contextmanager
def _serving(data: Path) -> Iterator[str]:
    process = _command(data, "serve")
    announced = data / "server.json"
    try:
        while not announced.exists():
            time.sleep(_LOOK)
        url: str = json.loads(announced.read_text())["url"]
        while not _answers(url):
            time.sleep(_LOOK)
        yield url
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    for one in run(int(sys.argv[1]) if len(sys.argv) > 1 else ARTICLES):
        print(one)
