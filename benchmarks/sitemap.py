"""A sitemap of a million pages, sent part by part, and one page of that site, in the process."""

import asyncio
import resource
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api.app import create_app
from api.request_log import configure_logging
from api.settings import Settings
from api.starting import prepared
from benchmarks.figures import Figure
from cms.database import Database
from cms.delivery import sitemap
from cms.tables.entries import Entry
from cms.tables.publications import Publication

COUNT = 1_000_000
_AT_ONCE = 10_000
_ROUNDS = 9
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def run(*, count: int = COUNT) -> list[Figure]:
    """Fill a new site on SQLite, send its whole sitemap, and time its pages."""
    configure_logging(json=True, level="WARNING")
    with tempfile.TemporaryDirectory() as folder, prepared(Settings(data=Path(folder) / "data")) as parts:
        _fill(parts.database, count)
        app = create_app(parts)
        before = _memory()
        started = time.perf_counter()
        parts_sent = [_ask(app, f"/sitemap-{one}.xml") for one in range(1, 2 + -(-count // sitemap.MOST_IN_PART))]
        seconds = time.perf_counter() - started
        pages = sum(sent.pages for sent in parts_sent)
        grown = max(sent.memory for sent in parts_sent) - before
        timed = {
            "home page": "/delivery/v1/page?path=/",
            "page of an entry": f"/delivery/v1/page?path=/page-{count // 2}",
            "page that is not there": f"/delivery/v1/page?path=/pgae-{count // 2}",
            "feed": "/feeds/all.atom",
        }
        times = {what: _median(app, address) for what, address in timed.items()}
    if pages < count:
        raise RuntimeError(f"the sitemap has {pages} pages")
    return [
        Figure(f"sitemap of {count:,} pages, sent", f"{seconds:.0f} s", "streamed"),
        Figure("memory that it takes besides", f"{grown} MB", "flat"),
        *(Figure(f"{what}, of {count:,}", f"{one * 1000:.0f} ms", "") for what, one in times.items()),
    ]


def _fill(database: Database, count: int) -> None:
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        with database.writing() as session:
            session.execute(sa.insert(Entry), [_entry(number) for number in numbers])
            session.execute(sa.insert(Publication), [_publication(number) for number in numbers])


def _entry(number: int) -> dict[str, Any]:
    at = _BEGAN + timedelta(seconds=number)
    made = {"created_at": at, "created_by": "benchmark", "changed_at": at, "searched": {}, "compared": {}}
    return {"id": _id(number), **_both(number), **made}


def _publication(number: int) -> dict[str, Any]:
    at = _BEGAN + timedelta(seconds=number)
    rendered = {"title": f"Page {number}", "body": ["x" * 300]}
    public = {"byline": [], "seo": {}, "rendered": rendered, "targets": [], "fields": rendered}
    found = {"searched": {}, "compared": {}, "first_published_at": at, "published_at": at}
    return {"entry_id": _id(number), **_both(number), **public, **found}


def _both(number: int) -> dict[str, Any]:
    group = {"translation_group": _id(number), "revision": 1}
    return {"type": "news", "locale": "ru", "section": None, "slug": f"page-{number}", "title": f"P {number}", **group}


def _id(number: int) -> str:
    return f"01900000-0000-7000-8000-{number:012x}"


def _memory() -> int:
    """What this process holds, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 2**20


def _median(app: Any, address: str) -> float:
    return statistics.median(_timed(app, address) for _ in range(_ROUNDS))


def _timed(app: Any, address: str) -> float:
    started = time.perf_counter()
    _ask(app, address)
    return time.perf_counter() - started


@dataclass
class _Sent:
    """How many pages a sitemap had, and the most memory, in MB, that was held while it was sent."""

    pages: int = 0
    memory: int = 0


def _ask(app: Any, address: str) -> _Sent:
    """Ask, and let go of every piece at once."""
    path, _, query = address.partition("?")
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode()}
    server = {"asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "", "headers": []}
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])
    sent = _Sent()

    async def receive() -> Any:
        return next(asked, None) or await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.pages += message.get("body", b"").count(b"<loc>")
        sent.memory = max(sent.memory, _memory())

    asyncio.run(app({**scope, **server, "client": ("192.0.2.1", 1), "server": ("bench", 80)}, receive, send))
    return sent
