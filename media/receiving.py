"""Uploads under way: bytes stream to a temporary file and are hashed as they come."""

import hashlib
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from media.refusals import TooLarge

CHUNK = 1 << 20
SWEEP_AFTER = 3600


@runtime_checkable
class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Received:
    """A complete upload: its SHA-256 in hexadecimal, its size in bytes, and the temporary file."""

    sha256: str
    size: int
    path: Path


@contextmanager
def receive(source: Readable | Iterable[bytes], *, folder: Path, limit: int) -> Iterator[Received]:
    """Take a whole upload into `folder`; the file is there until the block ends. Raises `TooLarge`."""
    chunks = iter(partial(source.read, CHUNK), b"") if isinstance(source, Readable) else source
    with Incoming(folder, limit=limit) as incoming:
        for chunk in chunks:
            incoming.write(chunk)
        yield incoming.finish()


class Incoming:
    """One upload under way, as a context manager; whatever happens, no temporary file stays behind.

    `folder` is the store's `incoming`, on the file system where the file will stay, so that storing it is a rename.
    """

    def __init__(self, folder: Path, *, limit: int) -> None:
        self.size = 0
        self.limit = limit
        self._hash = hashlib.sha256()
        self._path = folder / f"{uuid.uuid4().hex}.part"

    def __enter__(self) -> Self:
        sweep(self._path.parent)
        self._file = self._path.open("xb")
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        finally:
            self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Add bytes. Raises `TooLarge` before the byte that is one too many reaches the disk."""
        self.size += len(chunk)
        if self.size > self.limit:
            raise TooLarge(self.limit)
        self._hash.update(chunk)
        self._file.write(chunk)

    def finish(self) -> Received:
        self._file.close()
        return Received(self._hash.hexdigest(), self.size, self._path)


def sweep(folder: Path) -> None:
    """Remove what uploads that were cut off left behind more than an hour ago."""
    oldest = time.time() - SWEEP_AFTER
    for leftover in folder.glob("*.part"):
        # Another thread may sweep the same file, or its upload may end this moment.
        with suppress(FileNotFoundError):
            if leftover.stat().st_mtime < oldest:
                leftover.unlink()
