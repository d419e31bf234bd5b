"""Files in S3-compatible object storage."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.store import S3Store

from media.buckets import asking, open_bucket, open_object, put_object
from media.store_keys import SHA256, NotStored, Unreachable, checked

_OPTIONS = frozenset({"incoming"})


class BucketStore:
    """Objects `files/<sha256>`, and `derived/<sha256>/<name>` for what was derived of one, under a prefix.

    Credentials are those of `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or of the machine. Uploads under way stay
    in a temporary folder of this machine, or in the one that `incoming` names.
    """

    def __init__(self, objects: S3Store, incoming: Path | None = None) -> None:
        self._objects = objects
        self.incoming = incoming or _temporary()
        self.incoming.mkdir(parents=True, exist_ok=True)

    @classmethod
    def at_url(cls, url: str) -> "BucketStore":
        objects, given = open_bucket(url, options=_OPTIONS)
        return cls(objects, Path(given["incoming"]) if "incoming" in given else None)

    def put(self, key: str, source: Path) -> None:
        name = _name(key)
        # Before asking the other side: who has no file to give is told so at once.
        size = source.stat().st_size
        if not self.exists(key):
            put_object(self._objects, name, source, size=size, key=key)
        if source.parent == self.incoming:
            source.unlink(missing_ok=True)

    def open(self, key: str) -> BinaryIO:
        return open_object(self._objects, _name(key), key=key)

    def path(self, key: str) -> None:
        if not self.exists(key):
            raise NotStored(key)

    def size(self, key: str) -> int:
        with asking(key):
            return obstore.head(self._objects, _name(key))["size"]

    def exists(self, key: str) -> bool:
        try:
            self.size(key)
        except NotStored:
            return False
        return True

    def kept_since(self, key: str) -> datetime:
        with asking(key):
            return obstore.head(self._objects, _name(key))["last_modified"]

    def delete(self, key: str) -> None:
        with suppress(NotStored), asking(key):
            obstore.delete(self._objects, _name(key))
        if "/" not in key:
            names = [f"derived/{key}/{name}" for name in self.derived(key)]
            with suppress(NotStored), asking(key):
                obstore.delete(self._objects, names)

    def keys(self) -> Iterator[str]:
        return (name for name in self._names("files") if SHA256.fullmatch(name))

    def derived(self, sha256: str) -> Iterator[str]:
        return iter(sorted(self._names(f"derived/{checked(sha256, whole=True)}")))

    def fault(self) -> str | None:
        try:
            next(self._names("files"), None)
        except Unreachable as unreachable:
            return str(unreachable)
        return None

    def _names(self, folder: str) -> Iterator[str]:
        pages = obstore.list(self._objects, folder)
        while True:
            with asking(folder):
                page = next(pages, None)
            if page is None:
                return
            yield from (each["path"].rpartition("/")[2] for each in page)


def _name(key: str) -> str:
    sha256, _, derived = checked(key).partition("/")
    return f"derived/{sha256}/{derived}" if derived else f"files/{sha256}"


def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sitedesk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
