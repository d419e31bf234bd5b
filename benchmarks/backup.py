"""How long a save takes while a backup is made, how long the backup takes, and the restore.

`python -m benchmarks.backup` prints a table. The backup is a process of its own, as in life.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from api.backups.restoring import Wanted, restore
from benchmarks import databases
from benchmarks.figures import Figure, table
from cms import founding, migrating, saving
from cms.attribution import COMMAND_LINE, By
from cms.clock import system_clock
from cms.database import Database, open_database
from cms.tables.entries import Entry

_BY = By(COMMAND_LINE, datetime(2026, 11, 30, tzinfo=UTC))
_SITEDESK = Path(sys.executable).with_name("sitedesk")
_ENTRIES = 2_000
_AT_REST = 300
_BODY = {"format": "markdown", "value": "Words of a paragraph that is neither short nor long. " * 200}


def run() -> list[Figure]:
    """Fill a site on each database, save while it is backed up, and restore it where that needs no other database."""
    figures = []
    for name, url in databases.each():
        with tempfile.TemporaryDirectory() as folder, _filled(url) as (database, entry_id):
            figures += _figures(name, database, entry_id, Path(folder), url)
    return figures


@contextmanager
def _filled(url: str) -> Iterator[tuple[Database, str]]:
    database = open_database(url)
    migrating.migrate(database)
    with database.writing() as session:
        founding.found(session, by=_BY)
    for start in range(0, _ENTRIES, 200):
        with database.writing() as session:
            for number in range(start, start + 200):
                draft = saving.Draft(locale="ru", fields={"title": f"Title {number}", "body": _BODY})
                made = saving.create(session, "article", draft, by=_BY)
    yield database, made.entry.id
    database.close()


def _figures(name: str, database: Database, entry_id: str, folder: Path, url: str) -> list[Figure]:
    at_rest = [_save(database, entry_id, number) for number in range(_AT_REST)]
    environment = {**os.environ, "SITEDESK_DATA": str(folder / "data"), "SITEDESK_DATABASE_URL": url}
    command = [str(_SITEDESK), "backup", str(folder / "backups")]
    started = time.perf_counter()
    meanwhile: list[float] = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            meanwhile.append(_save(database, entry_id, len(meanwhile)))
    seconds = time.perf_counter() - started
    assert process.returncode == 0
    what = f"{name}, {_ENTRIES:,} articles of 10 kB"
    figures = [
        Figure(f"a save at rest, {what}, p50 / p95", _told(at_rest), ""),
        Figure(f"a save during a backup, {what}, p50 / p95", _told(meanwhile), "p95 under 100 ms"),
        Figure(f"a backup, {what}, with the start of the process", f"{seconds:.1f} s", ""),
    ]
    return figures + _restored(what, folder) if name == "SQLite" else figures


def _save(database: Database, entry_id: str, number: int) -> float:
    started = time.perf_counter()
    with database.writing() as session:
        entry = session.get_one(Entry, entry_id)
        saving.save(session, entry, {"fields": {"title": f"Saved {number}"}}, expected=entry.revision, by=_BY)
    return (time.perf_counter() - started) * 1_000


def _told(times: list[float]) -> str:
    ordered = statistics.quantiles(times, n=20)
    return f"{ordered[9]:.1f} / {ordered[18]:.1f} ms"


def _restored(what: str, folder: Path) -> list[Figure]:
    started = time.perf_counter()
    for _ in restore(Wanted(str(folder / "backups"), folder / "restored"), clock=system_clock):
        pass
    seconds = time.perf_counter() - started
    shutil.rmtree(folder / "restored")
    return [Figure(f"a restore, {what}", f"{seconds:.1f} s", "")]


if __name__ == "__main__":
    print(table(run()))
