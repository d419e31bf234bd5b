"""JSONL import with history, publication and both search indexes: articles a second, memory, and a second run."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.articles import unpacked
from benchmarks.figures import Figure


def run(data: Path) -> list[Figure]:
    """Import the 5,000 articles into an empty data folder by the command line, twice."""
    with tempfile.TemporaryDirectory() as folder:
        source = unpacked(Path(folder))
        first, seconds, memory = _import(source, data)
        made = first["outcomes"]["made"]
        again, seconds_again, _ = _import(source, data)
    return [
        Figure("import, articles a second, by its own report", f"{made / first['seconds']:.0f}", "at least 400"),
        Figure("import, articles a second, the start of Python included", f"{made / seconds:.0f}", ""),
        Figure("import, memory at its peak, all processes", f"{memory:.0f} MB", "under 400 MB"),
        Figure("import, articles", f"{made} in {seconds:.1f} s, with history, publication and both indexes", ""),
        Figure("import again, changes", f"{_changes(again)} in {seconds_again:.1f} s", "0"),
    ]


def _changes(report: dict[str, Any]) -> int:
    return sum(count for name, count in report["outcomes"].items() if name in ("made", "changed"))


def _import(source: Path, data: Path) -> tuple[dict[str, Any], float, float]:
    report = data.parent / "report.json"
    command = [str(Path(sys.executable).with_name("sitedesk")), "import", "jsonl", str(source), "--publish"]
    started = time.monotonic()
    process = subprocess.Popen(
        [*command, "--report", str(report)],
        env={"SITEDESK_DATA": str(data), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.DEVNULL,
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _memory(process.pid))
        time.sleep(0.05)
    seconds = time.monotonic() - started
    return json.loads(report.read_text()), seconds, peak


def _memory(pid: int) -> float:
    """MB in use by a process and its children, as the system counts what is theirs alone (Pss)."""
    total = 0.0
    for one in [pid, *_children(pid)]:
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
    return total


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in os.listdir(f"/proc/{pid}/task") if Path(f"/proc/{pid}").exists() else []:  # noqa: PTH208
        try:
            direct = [int(one) for one in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
        except OSError:
            continue
        found += direct
        for one in direct:
            found += _children(one)
    return found
