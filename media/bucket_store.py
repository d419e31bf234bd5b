"""Files in S3-compatible object storage."""

import atexit
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from media.store_keys import SHA256, NotStored, Unreachable, checked

if TYPE_CHECKING:
    from obstore import ReadableFile
    from obstore.store import ClientConfig, RetryConfig

# Larger files go up in parts of this size, and come down in such pieces.
PART = 8 << 20
_OPTIONS = frozenset({"endpoint", "region", "incoming"})
# A bucket that does not answer must not hold a visitor for minutes.
_PATIENCE: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_CLIENT: "ClientConfig" = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=120)}


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
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if not parts.netloc or "@" in parts.netloc or parts.fragment or options.keys() - _OPTIONS:
            raise ValueError(
                "Not a bucket. Write it as s3://bucket/prefix?endpoint=https://s3.example.org&region=ru-1."
            )
        incoming = options.pop("incoming", None)
        client: ClientConfig = {**_CLIENT, "allow_http": options.get("endpoint", "").startswith("http://")}
        prefix = unquote(parts.path).strip("/") or None
        settings: Any = options
        try:
            objects = S3Store(parts.netloc, prefix=prefix, client_options=client, retry_config=_PATIENCE, **settings)
        except BaseError as error:
            raise ValueError(f"No bucket can be at {url!r}: {error}") from None
        return cls(objects, Path(incoming) if incoming else None)

    def put(self, key: str, source: Path) -> None:
        name = _name(key)
        # Before asking the other side: who has no file to give is told so at once.
        size = source.stat().st_size
        if not self.exists(key):
            with _asking(key):
                obstore.put(self._objects, name, source, use_multipart=size > PART, chunk_size=PART)
        if source.parent == self.incoming:
            source.unlink(missing_ok=True)

    def open(self, key: str) -> BinaryIO:
        with _asking(key):
            reader = obstore.open_reader(self._objects, _name(key), buffer_size=PART)
        return io.BufferedReader(_Remote(key, reader), 1 << 16)

    def path(self, key: str) -> None:
        if not self.exists(key):
            raise NotStored(key)

    def size(self, key: str) -> int:
        with _asking(key):
            return obstore.head(self._objects, _name(key))["size"]

    def exists(self, key: str) -> bool:
        try:
            self.size(key)
        except NotStored:
            return False
        return True

    def kept_since(self, key: str) -> datetime:
        with _asking(key):
            return obstore.head(self._objects, _name(key))["last_modified"]

    def delete(self, key: str) -> None:
        with suppress(NotStored), _asking(key):
            obstore.delete(self._objects, _name(key))
        if "/" not in key:
            names = [f"derived/{key}/{name}" for name in self.derived(key)]
            with suppress(NotStored), _asking(key):
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
            with _asking(folder):
                page = next(pages, None)
            if page is None:
                return
            yield from (each["path"].rpartition("/")[2] for each in page)


class _Remote(io.RawIOBase):
    """An object, read from the other side piece by piece."""

    def __init__(self, key: str, reader: "ReadableFile") -> None:
        super().__init__()
        self._key = key
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()

    def readinto(self, buffer: Any) -> int:
        with _asking(self._key):
            piece = self._reader.read(len(buffer))
        buffer[: len(piece)] = memoryview(piece)
        return len(piece)


@contextmanager
def _asking(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NotStored(key) from None
    except BaseError as error:
        # The whole text is a page long, and tells addresses and names of settings.
        raise Unreachable(str(error).strip().splitlines()[0][:300]) from error


def _name(key: str) -> str:
    sha256, _, derived = checked(key).partition("/")
    return f"derived/{sha256}/{derived}" if derived else f"files/{sha256}"


def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sitedesk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
