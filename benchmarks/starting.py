"""From the command to the first answer, on a data folder of 5,000 articles."""

import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from benchmarks.figures import Figure

_TIMES = 5


def run(data: Path) -> list[Figure]:
    """Start the server a few times and ask for a page of articles until it answers."""
    seconds = statistics.median(_first_answer(data) for _ in range(_TIMES))
    return [Figure("start to first answer", f"{seconds:.2f} s", "under 2 s")]


def _first_answer(data: Path) -> float:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {"SITEDESK_DATA": str(data), "SITEDESK_PORT": str(port), "PATH": "/usr/bin:/bin"}
    command = [str(Path(sys.executable).with_name("sitedesk")), "serve"]
    started = time.monotonic()
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            while not _answers(port):
                time.sleep(0.01)
            return time.monotonic() - started
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/delivery/v1/entries", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
