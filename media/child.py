"""The child processes' side: limits that cannot be lifted again, and one question answered after another.

A task takes a path and options and gives facts, and bytes where there are any. Facts travel as one message of JSON; the
bytes follow in messages of a megabyte, so that the server need not hold them.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

MAX_MEMORY = 3 << 29
CPU_SECONDS = 15
CHUNK = 1 << 20
LIMITS = {resource.RLIMIT_AS: MAX_MEMORY, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: 32}

Facts = dict[str, Any]
Options = Mapping[str, Any]
Task = Callable[[Path, Options], tuple[Facts, bytes]]


class RefusedError(Exception):
    """Code and reason of a refusal."""


def refuse(code: str, reason: str) -> NoReturn:
    raise RefusedError(code, reason)


def serve(tasks: Mapping[str, Task], explain: Callable[[Exception], tuple[str, str]]) -> None:
    """Answer until the parent goes. `explain` gives code and reason for what a decoder raised."""
    limit()
    with Connection(int(sys.argv[1])) as parent:
        parent.send_bytes(b"ready")
        # The parent is gone, or wants no more of us.
        with suppress(EOFError, ConnectionResetError, BrokenPipeError):
            while True:
                task, path, options = json.loads(parent.recv_bytes())
                _allow_cpu()
                _send(parent, *answer(tasks[task], Path(path), options, explain))


def answer(
    task: Task, path: Path, options: Options, explain: Callable[[Exception], tuple[str, str]]
) -> tuple[Facts, bytes]:
    """The facts of a file, or `refused` with `code` and `reason`."""
    try:
        return task(path, options)
    except RefusedError as refusal:
        code, reason = refusal.args
    except MemoryError:
        code, reason = "too_many_pixels", "it takes too much memory to decode"
    except Exception as error:  # noqa: BLE001 - the edge of a process: a decoder fed with anything raises anything
        code, reason = explain(error)
    return {"refused": code, "reason": reason}, b""


def reason_of(error: Exception) -> str:
    """What a decoder said, short enough to be shown."""
    return re.sub(r"\s+", " ", str(error))[:160] or type(error).__name__


def limit() -> None:
    """Take away what a hostile file could use."""
    for what, most in LIMITS.items():
        # macOS knows the address-space limit and refuses to set it.
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _send(parent: Connection, facts: Facts, content: bytes) -> None:
    parent.send_bytes(json.dumps(facts | ({"bytes": len(content)} if content else {})).encode())
    for start in range(0, len(content), CHUNK):
        parent.send_bytes(content[start : start + CHUNK])


def _allow_cpu() -> None:
    # The limit counts from the start of the process: every task moves it on.
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + CPU_SECONDS, hard))
