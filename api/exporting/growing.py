"""The files of an export while it grows: what was written up to a checkpoint is on the disk, the rest is cut off."""

import os
from collections.abc import Iterator
from io import BufferedRandom
from pathlib import Path
from types import TracebackType
from typing import Self

from cms.export_formats import Kept, Made, Piece

_MAIN = "main"
_KEPT = "kept"
_MADE = "made"


class Growing:
    """The main file, the list of files to be copied from the store, and the files that a format made itself."""

    def __init__(self, folder: Path, *, sizes: tuple[int, int]) -> None:
        """Opens the files of a job; `sizes` are those of the main file and the list at the last checkpoint."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._main = _opened(folder / _MAIN, sizes[0])
        self._kept = _opened(folder / _KEPT, sizes[1])
        self._has_made = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._main.close()
        self._kept.close()

    def add(self, piece: Piece) -> None:
        """Write one piece. Raises `ValueError` for a path that leads elsewhere."""
        if isinstance(piece, bytes):
            self._main.write(piece)
        elif isinstance(piece, Kept):
            self._kept.write(f"{piece.sha256} {_checked(piece.path)}\n".encode())
        else:
            self._make(piece)

    def _make(self, piece: Made) -> None:
        path = self.folder / _MADE / _checked(piece.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(piece.content)
        self._has_made = True

    def secured(self) -> tuple[int, int]:
        """Put everything on the disk; the sizes for the next checkpoint."""
        for file in (self._main, self._kept):
            file.flush()
            os.fsync(file.fileno())
        if self._has_made:
            # One call for thousands of small files.
            os.sync()
            self._has_made = False
        return self._main.tell(), self._kept.tell()

    @property
    def main(self) -> Path:
        """The one growing file."""
        return self.folder / _MAIN

    def kept(self) -> list[tuple[str, str]]:
        """Each file to be copied, once: path and SHA-256, in the order of paths."""
        lines = (self.folder / _KEPT).read_text(encoding="utf-8").splitlines()
        return sorted({(path, sha256) for sha256, _, path in (line.partition(" ") for line in lines)})

    def made(self) -> Iterator[tuple[str, Path]]:
        """The files that the format made, in the order of paths."""
        root = self.folder / _MADE
        found = [Path(folder) / name for folder, _, names in os.walk(root) for name in names]
        yield from sorted((path.relative_to(root).as_posix(), path) for path in found)


def is_there(folder: Path, *, sizes: tuple[int, int]) -> bool:
    """Whether the files of a job still have what the checkpoint says."""
    files = (folder / _MAIN, folder / _KEPT)
    return all(
        size == 0 or (file.is_file() and file.stat().st_size >= size) for file, size in zip(files, sizes, strict=True)
    )


def _opened(path: Path, size: int) -> BufferedRandom:
    file = path.open("r+b" if path.exists() else "x+b")
    file.truncate(size)
    file.seek(size)
    return file


def _checked(path: str) -> str:
    steps = path.split("/")
    if not path.isprintable() or "\\" in path or {"", ".", ".."} & set(steps):
        raise ValueError(f"an export names no such path: {path!r}")
    return path
