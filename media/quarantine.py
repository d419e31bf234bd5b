"""Where untrusted bytes are decoded: in child processes with limits, so that a hostile file ends its child only."""

import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from media.refusals import RefusedMedia, Unreadable

DECODER = Path(__file__).with_name("decoder.py")
# Where this package is: a script finds only what stands beside it.
HOME = Path(__file__).parents[1]
START_SECONDS = 60
LONGEST_ANSWER = 4 << 20
MOST_BYTES = 256 << 20
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child told of a file. It may have been taken over: every fact is looked at before it is believed, and
    `Unreadable` raised for what makes no sense."""

    facts: dict[str, Any]

    def text(self, name: str) -> str | None:
        said = self.facts.get(name)
        return said if said is None or isinstance(said, str) else _senseless()

    def whole(self, name: str) -> int | None:
        said = self.facts.get(name)
        return said if said is None or (type(said) is int and 0 < said < 1 << 31) else _senseless()

    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels as shown."""
        match self.facts.get("size"):
            case None:
                return None
            case [int(width), int(height)] if 0 < width < 1 << 31 and 0 < height < 1 << 31:
                return width, height
        return _senseless()


class Quarantine:
    """A few child processes, started when first needed and replaced after `tasks` files, after a crash or a timeout.

    Safe to share between threads; who comes when all children are busy waits.
    """

    def __init__(self, *, children: int = 2, seconds: float = 10, tasks: int = 500, program: Path = DECODER) -> None:
        self._children = children
        self._seconds = seconds
        self._tasks = tasks
        self._program = program
        # Last in, first out: one child is enough for one upload after another.
        self._slots: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(children):
            self._slots.put(None)

    def ask(self, task: str, path: Path, *, into: BinaryIO | None = None, **options: str) -> Answer:
        """Have a task of the program done on a file; bytes that come of it are written to `into`. Raises `Unreadable`,
        or `RefusedMedia` for what goes over a limit."""
        slot = self._slots.get()
        keep = None
        try:
            slot = self._usable(slot)
            answer = slot.ask([task, str(path), options], into, seconds=self._seconds)
            keep = slot
        finally:
            if slot and not keep:
                slot.end()
            self._slots.put(keep)
        return _told(answer)

    def close(self) -> None:
        """End the children, waiting for those at work. A later question starts new ones."""
        for child in [self._slots.get() for _ in range(self._children)]:
            if child:
                child.end()
            self._slots.put(None)

    def _usable(self, child: "_Child | None") -> "_Child":
        if child and child.asked < self._tasks and child.alive():
            return child
        if child:
            child.end()
        return _Child(self._program)


class _Child:
    def __init__(self, program: Path) -> None:
        self.asked = 0
        self._connection, theirs = Pipe()
        with theirs:
            self._process = _start(program, theirs.fileno())
        try:
            self._answer(START_SECONDS)
        except (EOFError, OSError) as error:
            self.end()
            raise RuntimeError(f"The decoder does not start: {program}") from error

    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: list[Any], into: BinaryIO | None, *, seconds: float) -> dict[str, Any]:
        self.asked += 1
        # It may stop in the middle of an answer: then only its end ends the waiting.
        late = threading.Event()
        watch = threading.Timer(seconds, self._stop, [late])
        watch.start()
        try:
            self._connection.send_bytes(json.dumps(question).encode())
            facts = _facts(self._connection.recv_bytes(LONGEST_ANSWER))
            self._take(facts, into)
        except (EOFError, OSError) as error:
            if late.is_set():
                raise RefusedMedia("too_slow", f"The file takes more than {seconds:g} seconds to decode.") from error
            raise Unreadable("decoding it broke the decoder") from error
        finally:
            watch.cancel()
        return facts

    def _stop(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()

    def _take(self, facts: dict[str, Any], into: BinaryIO | None) -> None:
        left = facts.get("bytes", 0)
        if type(left) is not int or not 0 <= left <= MOST_BYTES:
            _senseless()
        while left > 0:
            chunk = self._connection.recv_bytes(min(left, CHUNK))
            left -= len(chunk)
            if into:
                into.write(chunk)

    def _answer(self, seconds: float) -> bytes:
        if not self._connection.poll(seconds):
            raise TimeoutError
        return self._connection.recv_bytes(LONGEST_ANSWER)

    def end(self) -> None:
        self._connection.close()
        # It holds nothing worth a farewell, and a busy one would not listen.
        self._process.kill()
        self._process.wait()


def _start(program: Path, descriptor: int) -> subprocess.Popen[bytes]:
    # Not multiprocessing: forking a server with threads deadlocks, and its spawn imports the whole server again.
    # Neither the settings' secrets nor the terminal's Ctrl-C are for the child.
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join([str(HOME), *filter(None, sys.path)])
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own program
        [sys.executable, "-P", "-S", str(program), str(descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        process_group=0,
    )


def _facts(answer: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(answer)
    except (ValueError, RecursionError):
        return _senseless()
    return facts if isinstance(facts, dict) else _senseless()


def _told(facts: dict[str, Any]) -> Answer:
    if "refused" not in facts:
        return Answer(facts)
    code, reason = str(facts["refused"]), str(facts.get("reason"))
    raise Unreadable(reason) if code == "unreadable" else RefusedMedia(code, f"The file was refused: {reason}.")


def _senseless() -> NoReturn:
    # A child that a hostile file has taken over may say anything.
    raise Unreadable("the decoder gave no sensible answer")
