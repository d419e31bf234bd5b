"""All measurements, by one command: `make bench`. Prints them and writes them into docs/performance.md."""

import os
import platform
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    backup,
    beacons,
    custom_types,
    delivery,
    diffing,
    import_jobs,
    importing,
    media,
    redirects,
    search,
    sitemap,
    starting,
    structure,
)
from benchmarks.articles import ARTICLES
from benchmarks.figures import Figure, table

_PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def main() -> int:
    """Run every benchmark, one after the other."""
    if not ARTICLES.exists():
        print(f"The articles that are measured with are not there: {ARTICLES}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        figures = importing.run(data) + delivery.run(data) + starting.run(data)
    figures += import_jobs.run()
    figures += custom_types.run()
    figures += [
        Figure(f"diff of 200 kB, {row.case}", f"{row.milliseconds:.0f} ms", "under 300 ms") for row in diffing.run()
    ]
    figures += structure.run() + redirects.run() + sitemap.run() + media.run() + beacons.run() + backup.run()
    page = _TEMPLATE.format(
        day=datetime.now(UTC).date(),
        machine=f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        figures=table(figures),
        search=search.report(),
    )
    print(page)
    _PAGE.write_text(page, encoding="utf-8")
    return 0


_TEMPLATE = """\
# Performance

Measured on {day} by `make bench` ({machine}; Python {python}, SQLite {sqlite}). The machine is small and noisy:
trust the ratios, and compare only what stands in one run.

{figures}

How they were taken: the import runs as a command of its own on an empty folder (memory is the Pss of all its
processes); delivery asks one server over one connection, in turns with a constant answer of the same size, so that
the machine's own limit stands beside it; nothing is cached; the start is from the command to the first list of
articles. What is told of both databases was measured on each with its own default settings.

## Search, 5,000 real articles

In the process, 20 hits with highlights each.

{search}
"""

if __name__ == "__main__":
    sys.exit(main())
