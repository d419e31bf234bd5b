"""Where untrusted bytes are decoded: in child processes with limits, so that a hostile file ends its child only."""

import json
import os
import queue
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any, Literal

from media.refusals import RefusedMedia, Unreadable

Task = Literal["picture", "svg"]
DECODER = Path(__file__).with_name("decoder.py")
START_SECONDS = 60
LONGEST_ANSWER = 4096


@dataclass(frozen=True, slots=True)
class Decoded:
    """A format by Pillow's name (or SVG) and the width and height in pixels as shown, if it has them."""

    format: str
    size: tuple[int, int] | None


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

    def decode(self, task: Task, path: Path) -> Decoded:
        """Read a file. Raises `Unreadable`, or `RefusedMedia` for what goes over a limit."""
        slot = self._slots.get()
        keep = None
        try:
            slot = self._usable(slot)
            answer = slot.ask([task, str(path)], seconds=self._seconds)
            keep = slot
        finally:
            if slot and not keep:
                slot.end()
            self._slots.put(keep)
        return _told(answer)

    def close(self) -> None:
        """End the children, waiting for those at work. A later `decode` starts new ones."""
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

    def ask(self, question: list[str], *, seconds: float) -> bytes:
        self.asked += 1
        try:
            self._connection.send_bytes(json.dumps(question).encode())
            return self._answer(seconds)
        except TimeoutError as error:
            raise RefusedMedia("too_slow", f"The image takes more than {seconds:g} seconds to decode.") from error
        except (EOFError, OSError) as error:
            raise Unreadable("decoding it broke the decoder") from error

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
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own program
        [sys.executable, "-P", "-S", str(program), str(descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        process_group=0,
    )


def _told(answer: bytes) -> Decoded:
    try:
        facts: dict[str, Any] = json.loads(answer)
        if "refused" not in facts:
            return Decoded(str(facts["format"]), _size(facts["size"]))
        code, reason = str(facts["refused"]), str(facts["reason"])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        # A child that a hostile file has taken over may say anything.
        raise Unreadable("the decoder gave no sensible answer") from error
    raise Unreadable(reason) if code == "unreadable" else RefusedMedia(code, f"The image was refused: {reason}.")


def _size(sides: Any) -> tuple[int, int] | None:
    if sides is None:
        return None
    width, height = (int(side) for side in sides)
    return width, height
