"""Folders of an index on disk: one in use, others being built, swapped by renaming one small file."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path


class Generations:
    """`root/current` names the folder in use; a folder of another `version` counts as missing."""

    def __init__(self, root: Path, *, version: str) -> None:
        self._root = root
        self._pointer = root / "current"
        self._version = version

    def current(self) -> Path | None:
        """The folder in use."""
        try:
            name = self._pointer.read_bytes()[:256].decode("ascii")
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
            return None
        folder = self._root / name
        is_ours = name.startswith(f"{self._version}-") and folder.parent == self._root
        return folder if is_ours and folder.is_dir() else None

    def stamp(self) -> tuple[int, int] | None:
        """Changes whenever another folder comes into use, in whichever process."""
        try:
            status = self._pointer.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status.st_ino, status.st_mtime_ns

    def begin(self) -> Path:
        """An empty folder to build in."""
        folder = self._root / f"{self._version}-{uuid.uuid4().hex}"
        folder.mkdir(parents=True)
        return folder

    def adopt(self, folder: Path) -> None:
        """Use this folder from now on and remove all others."""
        fresh = self._root / "current.new"
        with fresh.open("w", encoding="ascii") as file:
            file.write(folder.name)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._pointer)
        _sync_folder(self._root)
        for other in self._root.iterdir():
            if other.is_dir() and other != folder:
                # Readers of the old folder hold its files open; where that forbids removal the next rebuild does it.
                shutil.rmtree(other, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # elsewhere folders cannot be opened, and renames are durable without
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
