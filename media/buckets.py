"""S3-compatible object storage: from a URL to a bucket, and its failures in our words."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from media.store_keys import NotStored, Unreachable

if TYPE_CHECKING:
    from obstore import ReadableFile
    from obstore.store import ClientConfig, RetryConfig

# Larger files go up in parts of this size, and come down in such pieces.
_PART = 8 << 20
_SETTINGS = frozenset({"endpoint", "region"})
# A bucket that does not answer must not hold a visitor for minutes.
_PATIENCE: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_CLIENT: "ClientConfig" = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=120)}


def open_bucket(url: str, *, options: frozenset[str] = frozenset()) -> tuple[S3Store, dict[str, str]]:
    """The objects below a prefix, from `s3://bucket/prefix?endpoint=…&region=…`, and those of `options` that the URL
    gives. Credentials are those of `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or of the machine. Raises
    ValueError for any other URL."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if not parts.netloc or "@" in parts.netloc or parts.fragment or given.keys() - _SETTINGS - options:
        raise ValueError("Not a bucket. Write it as s3://bucket/prefix?endpoint=https://s3.example.org&region=ru-1.")
    apart = {name: given.pop(name) for name in sorted(options & given.keys())}
    client: ClientConfig = {**_CLIENT, "allow_http": given.get("endpoint", "").startswith("http://")}
    prefix = unquote(parts.path).strip("/") or None
    settings: Any = given
    try:
        objects = S3Store(parts.netloc, prefix=prefix, client_options=client, retry_config=_PATIENCE, **settings)
    except BaseError as error:
        raise ValueError(f"No bucket can be at {url!r}: {error}") from None
    return objects, apart


@contextmanager
def asking(key: str) -> Iterator[None]:
    """What the other side says no to is raised as `NotStored(key)` or `Unreachable`."""
    try:
        yield
    except FileNotFoundError:
        raise NotStored(key) from None
    except BaseError as error:
        # The whole text is a page long, and tells addresses and names of settings.
        raise Unreachable(str(error).strip().splitlines()[0][:300]) from error


def put_object(objects: S3Store, name: str, source: Path, *, size: int, key: str) -> None:
    """Send a file of this size; it is there whole or not at all. Raises `Unreachable`."""
    with asking(key):
        obstore.put(objects, name, source, use_multipart=size > _PART, chunk_size=_PART)


def open_object(objects: S3Store, name: str, *, key: str) -> BinaryIO:
    """Read an object piece by piece, here or later. Raises `NotStored(key)`, `Unreachable`."""
    with asking(key):
        reader = obstore.open_reader(objects, name, buffer_size=_PART)
    return io.BufferedReader(_Remote(key, reader), 1 << 16)


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
        with asking(self._key):
            piece = self._reader.read(len(buffer))
        buffer[: len(piece)] = memoryview(piece)
        return len(piece)
