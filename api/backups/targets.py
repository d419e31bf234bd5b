"""Where backups lie: a folder of this machine, or a bucket. Names are plain paths, such as `media/ab/abcd…`."""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import S3Store

from api.backups.refusal import BackupRefused
from api.data_folder import sync
from media.buckets import asking, open_bucket, open_object, put_object
from media.store_keys import NotStored


class Target(Protocol):
    """Files under names, each there whole or not at all. Every operation raises `media.store_keys.Unreachable` when the
    target is remote and does not answer, and OSError when it is a folder that cannot be used."""

    # Whether `working` keeps every other process out, on whatever machine.
    alone: bool

    def working(self) -> AbstractContextManager[Path]:
        """A scratch folder of this process alone, empty, and gone at the end. Raises `BackupRefused` when another
        process works on the target."""
        ...

    def sizes(self, folder: str) -> dict[str, int]:
        """What is below a folder: names from the target's root, and bytes."""
        ...

    def put(self, name: str, source: Path) -> None:
        """Keep a file of the scratch folder, durably, in place of one of that name. The source may be taken away."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Raises `media.store_keys.NotStored`."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Remove what is there of these, in this order."""
        ...

    def free(self) -> int | None:
        """Bytes that fit in; None where nobody knows."""
        ...


def open_target(given: str, *, make: bool) -> Target:
    """The target that a path, a `file:///…` or an `s3://bucket/prefix?endpoint=…&region=…` names. `make`: a folder that
    is not there is made. Raises `BackupRefused`."""
    scheme = urlsplit(given).scheme if "://" in given else "file"
    if scheme not in TARGETS:
        known = ", ".join(f"{each}://" for each in TARGETS)
        raise BackupRefused(f"{given}: no backups go there; give a folder's path, or an address with one of {known}")
    try:
        return TARGETS[scheme](given, make)
    except (ValueError, OSError) as error:
        raise BackupRefused(f"{given}: {error}") from error


class FolderTarget:
    """Backups in a folder. One process at a time: the system frees its lock after a crash."""

    alone = True

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def at(cls, given: str, make: bool) -> "FolderTarget":
        root = Path(unquote(urlsplit(given).path) if "://" in given else given).expanduser().absolute()
        if make:
            # What is in there is the whole site, with its secrets.
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not root.is_dir():
            raise BackupRefused(f"{root} is no folder")
        return cls(root)

    @contextmanager
    def working(self) -> Iterator[Path]:
        with _only_one(self.root / "lock", self.root), _emptied(self.root / "scratch") as scratch:
            yield scratch

    def sizes(self, folder: str) -> dict[str, int]:
        files = (path for path in (self.root / folder).rglob("*") if path.is_file() and not path.is_symlink())
        return {path.relative_to(self.root).as_posix(): path.stat().st_size for path in files}

    def put(self, name: str, source: Path) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The bytes before the name: after a power cut a name must not stand for a file cut short.
        sync(source)
        source.replace(target)
        for folder in (target.parent, target.parent.parent, self.root):
            sync(folder)

    def open(self, name: str) -> BinaryIO:
        try:
            return (self.root / name).open("rb")
        except FileNotFoundError:
            raise NotStored(name) from None

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            path = self.root / name
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()

    def free(self) -> int | None:
        return shutil.disk_usage(self.root).free


class BucketTarget:
    """Backups in a bucket. Nothing there keeps two machines apart; two processes of one machine are."""

    alone = False

    def __init__(self, objects: S3Store, name: str) -> None:
        self._objects = objects
        self._name = name

    @classmethod
    def at(cls, given: str, _make: bool) -> "BucketTarget":
        objects, _ = open_bucket(given)
        return cls(objects, given)

    @contextmanager
    def working(self) -> Iterator[Path]:
        digest = hashlib.sha256(self._name.encode()).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"sitedesk-backup-{os.getuid()}-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise BackupRefused(f"{folder} belongs to somebody else: remove it, or set TMPDIR to another folder")
        with _only_one(folder / "lock", self._name), _emptied(folder / "scratch") as scratch:
            yield scratch

    def sizes(self, folder: str) -> dict[str, int]:
        found: dict[str, int] = {}
        pages = obstore.list(self._objects, folder)
        while True:
            with asking(folder):
                page = next(pages, None)
            if page is None:
                return found
            found.update({each["path"]: each["size"] for each in page})

    def put(self, name: str, source: Path) -> None:
        put_object(self._objects, name, source, size=source.stat().st_size, key=name)

    def open(self, name: str) -> BinaryIO:
        return open_object(self._objects, name, key=name)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            with suppress(NotStored), asking(name):
                obstore.delete(self._objects, name)

    def free(self) -> int | None:
        return None


TARGETS: dict[str, Callable[[str, bool], Target]] = {"file": FolderTarget.at, "s3": BucketTarget.at}


@contextmanager
def _only_one(lock: Path, what: object) -> Iterator[None]:
    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupRefused(f"another backup to {what} is under way: wait for its end") from None
        yield


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    # Whoever was killed has left theirs.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
