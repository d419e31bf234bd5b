"""Three thousand beacons a second: whether they are counted, what content pays for it, and what a kill loses.

`python -m benchmarks.beacons` prints a table. The one who tells them takes a part of the same two cores.
"""

import http.client
import itertools
import json
import multiprocessing
import os
import signal
import socket
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import func, select

from api import background
from api.app import create_app
from api.request_log import configure_logging
from api.settings import Settings
from api.starting import prepared
from benchmarks import databases
from benchmarks.figures import Figure, table
from cms import publishing, restructuring, saving, structure
from cms.attribution import COMMAND_LINE, By
from cms.clock import system_clock
from cms.database import open_database
from cms.tables.banner_views import BannerDay

# A little more than is promised, as clients that pause are late now and then.
_A_SECOND = 3_100
_TOGETHER = 20
_SECONDS = 10
_TELLERS = 4
_ASKED_EVERY = 0.02
_PLACEMENT = "top"
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def run() -> list[Figure]:
    """Tell a server on each database of views at a steady pace, while somebody reads an article."""
    figures = []
    for name, url in databases.each():
        with tempfile.TemporaryDirectory() as folder:
            figures += _figures(name, Settings(data=Path(folder), database_url=url))
    return figures


def _figures(name: str, settings: Settings) -> list[Figure]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    server = context.Process(target=_serve, args=(settings, sender), daemon=True)
    server.start()
    port, banner, article = receiver.recv()
    try:
        _read(port, article, 2)
        quiet = _read(port, article, _SECONDS)
        load = _Load(port, banner)
        with load:
            busy = _read(port, article, _SECONDS)
        time.sleep(1.5)
        counted = _counted(settings)
        killed = _Load(port, banner)
        with killed:
            time.sleep(3)
            os.kill(server.pid or 0, signal.SIGKILL)
            ended = time.perf_counter()
        server.join()
        lost = load.taken + killed.taken - _counted(settings)
        known = killed.taken_by(ended - 1)
    finally:
        server.kill()
        server.join()
    kept = load.taken + known <= _counted(settings)
    rate, promised = load.taken / load.seconds, "at least 3,000"
    return [
        Figure(f"beacons, {name}, taken a second", f"{rate:,.0f}", promised),
        Figure(f"beacons, {name}, counted of {load.taken:,} taken", f"{counted:,}", f"{load.taken:,}"),
        Figure(f"beacons, {name}, a call of {_TOGETHER}, p50 / p95", _percentiles(load.times), ""),
        Figure(f"beacons, {name}, an article without them, p50 / p95", _percentiles(quiet), ""),
        Figure(f"beacons, {name}, an article beside them, p50 / p95", _percentiles(busy), "not slower by much"),
        Figure(f"beacons, {name}, lost by a kill", f"{lost:,}", "at most a second's"),
        Figure(f"beacons, {name}, older than a second kept after a kill", "all" if kept else "not all", "all"),
    ]


def _percentiles(times: list[float]) -> str:
    ordered = statistics.quantiles(times, n=20)
    return f"{ordered[9] * 1_000:.1f} / {ordered[18] * 1_000:.1f} ms"


def _read(port: int, path: str, seconds: float) -> list[float]:
    """How long each of many answers took, asked for at a steady pace."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    ends = time.perf_counter() + seconds
    while (started := time.perf_counter()) < ends:
        client.request("GET", path)
        answer = client.getresponse()
        answer.read()
        assert answer.status == 200
        times.append(time.perf_counter() - started)
        time.sleep(max(0.0, _ASKED_EVERY - times[-1]))
    return times


@dataclass
class _Load:
    """Views told by several clients at a steady pace, from as many addresses as visitors would have."""

    port: int
    banner: str
    times: list[float] = field(default_factory=list)
    told: list[tuple[float, int]] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(time.time_ns()))

    def __enter__(self) -> None:
        self.began = time.perf_counter()
        self._threads = [threading.Thread(target=self._tell) for _ in range(_TELLERS)]
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self.seconds = time.perf_counter() - self.began

    @property
    def taken(self) -> int:
        """How many the server said that it took."""
        return sum(many for _, many in self.told)

    def taken_by(self, instant: float) -> int:
        """How many it had taken then."""
        return sum(many for at, many in self.told if at <= instant)

    def _tell(self) -> None:
        client = http.client.HTTPConnection("127.0.0.1", self.port)
        pause = _TOGETHER * _TELLERS / _A_SECOND
        due = time.perf_counter()
        while not self._ending.is_set():
            started = time.perf_counter()
            try:
                taken = self._call(client)
            except (OSError, http.client.HTTPException):
                return  # killed
            now = time.perf_counter()
            self.told.append((now, taken))
            self.times.append(now - started)
            due += pause
            time.sleep(max(0.0, due - now))

    def _call(self, client: http.client.HTTPConnection) -> int:
        number = next(self._numbers)
        told = {"kind": "impression", "banner": self.banner, "placement": _PLACEMENT}
        body = json.dumps({"banners": [{**told, "view": f"v{number}-{index}"} for index in range(_TOGETHER)]})
        address = f"198.{number % 200}.{number // 200 % 250}.7"
        headers = {"Content-Type": "text/plain", "User-Agent": _AGENT, "X-Forwarded-For": address}
        client.request("POST", "/delivery/v1/beacons", body, headers)
        answer = client.getresponse()
        said = answer.read()
        assert answer.status == 202, said
        return int(json.loads(said)["data"]["banners"]["accepted"])


def _counted(settings: Settings) -> int:
    database = open_database(settings.database)
    try:
        with database.reading() as session:
            return int(session.scalar(select(func.sum(BannerDay.impressions))) or 0)
    finally:
        database.close()


def _serve(settings: Settings, sender: Connection) -> None:
    configure_logging(json=True, level="WARNING")
    with prepared(settings) as parts, socket.create_server(("127.0.0.1", 0)) as listening:
        banner, article = _filled(parts.database)
        background.catch_up(parts)
        sender.send((listening.getsockname()[1], banner, f"/delivery/v1/entries/{article}"))
        uvicorn.Server(uvicorn.Config(create_app(parts), log_config=None, access_log=False)).run(sockets=[listening])


def _filled(database: Any) -> tuple[str, str]:
    by = By(COMMAND_LINE, system_clock())
    with database.writing() as session:
        tree = structure.entry(session)
        operations = [{"op": "add_placement", "name": _PLACEMENT}]
        saved, _ = restructuring.change(session, tree, operations, expected=tree.revision, by=by)
        publishing.publish(session, saved.entry, by=by)
        made = []
        for kind, fields in (
            ("banner", {"title": "Winter", "creative": {"text": "Скидки"}, "placements": [_PLACEMENT]}),
            ("article", {"title": "Article", "body": {"format": "html", "value": "<p>Words of an article.</p>" * 200}}),
        ):
            entry = saving.create(session, kind, saving.Draft("ru", fields), by=by).entry
            publishing.publish(session, entry, by=by)
            made.append(entry.id)
    return made[0], made[1]


if __name__ == "__main__":
    print(table(run()))
