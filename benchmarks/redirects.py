"""A hundred thousand rules: how long a path takes to resolve, in the process and over HTTP, on each database.

`python -m benchmarks.redirects` prints a table.
"""

import http.client
import itertools
import multiprocessing
import random
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import insert
from sqlalchemy.orm import Session

from api import background
from api.app import create_app
from api.request_log import configure_logging
from api.settings import Settings
from api.starting import prepared
from benchmarks import databases
from benchmarks.figures import Figure, table
from cms import founding, migrating, restructuring, site, structure
from cms import publishing as publishing_verbs
from cms.attribution import COMMAND_LINE, By
from cms.database import Database, open_database
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.identity import new_id
from cms.tables.entries import Entry
from cms.tables.publications import Publication, Redirect

_NOW = datetime(2026, 11, 30, tzinfo=UTC)
_BY = By(COMMAND_LINE, _NOW)
_SECTIONS = 200
_ENTRIES = 5_000
_WORDS = {"summary": "", "topics": [], "text": "Words"}
_EXACT, _CHAINED, _PREFIX, _PLACES = 50_000, 10_000, 10_000, 30_000
_ASKED = 2_000


def run() -> list[Figure]:
    """Fill a site with rules on each database and resolve paths of each kind."""
    figures = []
    for name, url in databases.each():
        with _filled(url) as database:
            figures += _figures(name, database)
        with tempfile.TemporaryDirectory() as folder:
            figures += _over_http(name, Settings(data=Path(folder), database_url=url))
    return figures


@contextmanager
def _filled(url: str) -> Iterator[Database]:
    database = open_database(url)
    migrating.migrate(database)
    with database.writing() as session:
        founding.found(session, by=_BY)
        _fill(session)
    with database.writer.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    yield database
    database.close()


def _fill(session: Session) -> None:
    chance = random.Random(5)
    sections = _sections(session)
    entries = [new_id() for _ in range(_ENTRIES)]
    session.execute(insert(Entry), [_entry(id, n) for n, id in enumerate(entries)])
    session.execute(insert(Publication), [_publication(id, n, sections) for n, id in enumerate(entries)])
    rules = itertools.chain(
        (_rule(f"/old/{n % 500}/page-{n}.html", target_entry=chance.choice(entries)) for n in range(_EXACT)),
        (_rule(f"/chained/{n}", target_url=f"/old/{n % 500}/page-{n}.html") for n in range(_CHAINED)),
        (_rule(f"/folder-{n}", prefix=True, target_section=sections[n % _SECTIONS]) for n in range(_PREFIX)),
        (
            _rule("", section=sections[n % _SECTIONS], slug=f"was-{n}", target_entry=chance.choice(entries))
            for n in range(_PLACES)
        ),
    )
    while batch := list(itertools.islice(rules, 10_000)):
        session.execute(insert(Redirect), batch)


def _sections(session: Session) -> list[str]:
    entry = structure.entry(session)
    operations: list[dict[str, Any]] = [
        {"op": "add", "parent": None, "slug": f"section-{n}", "name": f"Section {n}"} for n in range(_SECTIONS)
    ]
    saved, made = restructuring.change(session, entry, operations, expected=entry.revision, by=_BY)
    publishing_verbs.publish(session, saved.entry, by=_BY)
    return made


def _entry(id: str, number: int) -> dict[str, Any]:
    return {
        "id": id, "type": "article", "locale": "ru", "slug": f"article-{number}", "title": "Title", "revision": 1,
        "published_revision": 1, "created_by": "bench", "created_at": _NOW, "changed_at": _NOW,
        "translation_group": id, "searched": _WORDS, "compared": {},
    }  # fmt: skip


def _publication(id: str, number: int, sections: list[str]) -> dict[str, Any]:
    return {
        "entry_id": id, "type": "article", "locale": "ru", "section": sections[number % len(sections)],
        "slug": f"article-{number}", "revision": 1, "title": "Title", "translation_group": id,
        "first_published_at": _NOW, "published_at": _NOW, "byline": [], "seo": {},
        "rendered": {"title": "Title", "body": "<p>Words</p>" * 300}, "targets": [], "fields": {}, "searched": _WORDS,
        "compared": {},
    }  # fmt: skip


def _rule(path: str, **values: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("section", "slug", "target_entry", "target_section", "target_url"))
    return {
        "id": new_id(), "path": path, "prefix": False, "status": 301, "source": "import", "created_at": _NOW,
        "changed_at": _NOW, **empty, **values,
    }  # fmt: skip


def _paths() -> dict[str, Callable[[int], str]]:
    return {
        "a rule for the path": lambda n: f"/old/{n % 500}/page-{n}.html",
        "two rules in a row": lambda n: f"/chained/{n % _CHAINED}",
        "a rule for all below": lambda n: f"/folder-{n % _PREFIX}/article-{n % _ENTRIES}",
        "where an entry stood": lambda n: f"/section-{n % _PLACES % _SECTIONS}/was-{n % _PLACES}",
        "what is live": lambda n: f"/section-{n % _ENTRIES % _SECTIONS}/article-{n % _ENTRIES}",
        "nothing": lambda n: f"/no/such/page-{n}",
    }


def _figures(name: str, database: Database) -> list[Figure]:
    chance = random.Random(7)
    figures = []
    with database.reading() as session:
        live, locales = live_site(session), site.locales(session)
        for kind, path in _paths().items():
            paths = [path(chance.randrange(_EXACT)) for _ in range(_ASKED)]
            times = []
            for one in paths:
                started = time.perf_counter()
                resolving.resolve(session, one, site=live, locales=locales, locale=None)
                times.append((time.perf_counter() - started) * 1_000)
                session.expunge_all()
            ordered = statistics.quantiles(times, n=20)
            measured = f"{ordered[9]:.2f} / {ordered[18]:.2f} ms"
            figures.append(Figure(f"100,000 rules, {name}, {kind}, p50 / p95", measured, "p95 under 1 ms"))
    return figures


def _over_http(name: str, settings: Settings) -> list[Figure]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    server = context.Process(target=_serve, args=(settings, sender), daemon=True)
    server.start()
    try:
        client = http.client.HTTPConnection("127.0.0.1", receiver.recv())
        times = []
        for number in range(_ASKED):
            started = time.perf_counter()
            client.request("GET", f"/delivery/v1/resolve?path={_paths()['a rule for the path'](number)}")
            answer = client.getresponse()
            answer.read()
            times.append((time.perf_counter() - started) * 1_000)
            assert answer.status == 200
        ordered = statistics.quantiles(times, n=20)
        measured = f"{ordered[9]:.2f} / {ordered[18]:.2f} ms"
        return [Figure(f"100,000 rules, {name}, a rule for the path over HTTP, p50 / p95", measured, "")]
    finally:
        server.terminate()
        server.join()


def _serve(settings: Settings, sender: "multiprocessing.connection.Connection") -> None:
    configure_logging(json=True, level="WARNING")
    with prepared(settings) as parts, socket.create_server(("127.0.0.1", 0)) as listening:
        background.catch_up(parts)
        sender.send(listening.getsockname()[1])
        uvicorn.Server(uvicorn.Config(create_app(parts), log_config=None, access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    print(table(run()))
