"""Where the bytes are kept, under the SHA-256 of their content."""

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit


class BadKey(ValueError):
    """A key that is not 64 lower-case hexadecimal digits."""


class NotStored(LookupError):
    """Nothing is kept under this key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Store(Protocol):
    """Files by content address: the key is the SHA-256 of the bytes, so what is kept never changes.

    Every operation that takes a key raises `BadKey`; `open`, `path` and `size` raise `NotStored`.
    """

    @property
    def incoming(self) -> Path:
        """The local folder for uploads under way."""
        ...

    def put(self, key: str, source: Path) -> None:
        """Keep the file durably, before returning; do nothing if it is kept already.

        A source inside `incoming` may be taken away, any other is left as it is.
        """
        ...

    def open(self, key: str) -> BinaryIO: ...

    def path(self, key: str) -> Path | None:
        """The local file to serve, None where the store is remote."""
        ...

    def size(self, key: str) -> int: ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Forget the file, if it is there."""
        ...

    def keys(self) -> Iterator[str]: ...


def open_store(url: str) -> Store:
    """The store that a URL names: `file:///absolute/folder`. Raises ValueError for any other."""
    scheme = urlsplit(url).scheme
    if scheme not in STORES:
        raise ValueError(f"No store for {scheme!r} URLs; there are: {', '.join(sorted(STORES))}.")
    return STORES[scheme](url)


class FolderStore:
    """Files in a folder: `ab/cd/abcd…`, so that no folder holds more than a few thousand names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)

    @classmethod
    def at_url(cls, url: str) -> "FolderStore":
        parts = urlsplit(url)
        folder = Path(unquote(parts.path))
        if parts.netloc not in ("", "localhost") or parts.query or parts.fragment or not folder.is_absolute():
            raise ValueError(f"Not an absolute folder: {url!r}. Write it as file:///srv/media.")
        return cls(folder)

    def put(self, key: str, source: Path) -> None:
        target = self._place(key)
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.parent == self.incoming:
                self._move(source, target)
            else:
                self._copy(source, target)
        # Also when it was there before: another thread may have renamed it and not yet come to this line.
        for folder in (target.parent, target.parent.parent, self.root):
            _fsync(folder)

    def open(self, key: str) -> BinaryIO:
        return self.path(key).open("rb")

    def path(self, key: str) -> Path:
        target = self._place(key)
        if not target.is_file():
            raise NotStored(key)
        return target

    def size(self, key: str) -> int:
        return self.path(key).stat().st_size

    def exists(self, key: str) -> bool:
        return self._place(key).is_file()

    def delete(self, key: str) -> None:
        self._place(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        for outer in _fan(self.root):
            for inner in _fan(outer):
                names = sorted(file.name for file in inner.iterdir())
                yield from (name for name in names if _KEY.fullmatch(name))

    def _place(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise BadKey(f"Not a SHA-256 in lower-case hexadecimal: {key!r}.")
        return self.root / key[:2] / key[2:4] / key

    def _copy(self, source: Path, target: Path) -> None:
        copy = self.incoming / f"{uuid.uuid4().hex}.part"
        try:
            shutil.copyfile(source, copy)
            self._move(copy, target)
        finally:
            copy.unlink(missing_ok=True)

    @staticmethod
    def _move(source: Path, target: Path) -> None:
        # The bytes before the name: after a power cut a name must not stand for a file cut short.
        _fsync(source)
        source.replace(target)


STORES: dict[str, Callable[[str], Store]] = {"file": FolderStore.at_url}

_KEY = re.compile(r"[0-9a-f]{64}")
_FAN = re.compile(r"[0-9a-f]{2}")


def _fan(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if _FAN.fullmatch(each.name) and each.is_dir())


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
