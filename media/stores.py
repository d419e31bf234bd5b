"""Where the bytes are kept, under the SHA-256 of their content."""

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from media.bucket_store import BucketStore
from media.store_keys import SHA256, checked
from media.store_keys import BadKey as BadKey
from media.store_keys import NotStored as NotStored
from media.store_keys import Unreachable as Unreachable


class Store(Protocol):
    """Files by content address: the key is the SHA-256 of the bytes, so what is kept never changes. What was derived
    of a file, `<sha256>/<name>`, stands beside it and may be thrown away at any time; the name starts with a lower-case
    letter or digit, and `_.,-` may follow, 121 characters at most.

    Every operation that takes a key raises `BadKey`; `open`, `path`, `size` and `kept_since` raise `NotStored`.
    Every one raises `Unreachable` when the store is remote and does not answer.
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

    def kept_since(self, key: str) -> datetime:
        """The instant at which the bytes came, by the store's clock."""
        ...

    def delete(self, key: str) -> None:
        """Forget the file, if it is there, and all that was derived of it; given a derived key, that alone."""
        ...

    def keys(self) -> Iterator[str]:
        """The files in order, without what was derived of them."""
        ...

    def derived(self, sha256: str) -> Iterator[str]:
        """The names of what was derived of a file, in order."""
        ...

    def fault(self) -> str | None:
        """Why nothing can be kept or read here, None when all is well."""
        ...


@contextmanager
def copied(store: Store, key: str) -> Iterator[Path]:
    """A copy on this machine of what is kept, until the block ends. Raises `NotStored`."""
    copy = store.incoming / f"{uuid.uuid4().hex}.part"
    try:
        with store.open(key) as source, copy.open("xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def open_store(url: str) -> Store:
    """The store that a URL names: `file:///absolute/folder`, or `s3://bucket/prefix?endpoint=…&region=…`. Raises
    ValueError for any other."""
    scheme = urlsplit(url).scheme
    if scheme not in STORES:
        raise ValueError(f"No store for {scheme!r} URLs; there are: {', '.join(sorted(STORES))}.")
    return STORES[scheme](url)


class FolderStore:
    """Files in a folder: `ab/cd/abcd…`, so that no folder holds more than a few thousand names, and what was derived of
    one in `ab/cd/abcd….d`."""

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
        if "/" in key:
            # It can be made again: a power cut may take it.
            return
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

    def kept_since(self, key: str) -> datetime:
        return datetime.fromtimestamp(self.path(key).stat().st_mtime, UTC)

    def delete(self, key: str) -> None:
        place = self._place(key)
        place.unlink(missing_ok=True)
        if "/" not in key:
            # What is made of it at this moment may come after: the next deleting takes it along.
            shutil.rmtree(_derived(place), ignore_errors=True)

    def keys(self) -> Iterator[str]:
        for outer in _fan(self.root):
            for inner in _fan(outer):
                names = sorted(file.name for file in inner.iterdir())
                yield from (name for name in names if SHA256.fullmatch(name))

    def derived(self, sha256: str) -> Iterator[str]:
        folder = _derived(self._place(checked(sha256, whole=True)))
        yield from sorted(file.name for file in folder.iterdir()) if folder.is_dir() else ()

    def fault(self) -> str | None:
        return None if os.access(self.root, os.W_OK | os.X_OK) else f"{self.root} is not writable for this user"

    def _place(self, key: str) -> Path:
        sha256, _, name = checked(key).partition("/")
        place = self.root / sha256[:2] / sha256[2:4] / sha256
        return _derived(place) / name if name else place

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


STORES: dict[str, Callable[[str], Store]] = {"file": FolderStore.at_url, "s3": BucketStore.at_url}

_FAN = re.compile(r"[0-9a-f]{2}")


def _derived(place: Path) -> Path:
    return place.with_name(f"{place.name}.d")


def _fan(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if _FAN.fullmatch(each.name) and each.is_dir())


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
