"""The data folder: made, locked by the one process that writes there, and the secrets it keeps."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LOCK = "lock"
_SECRET = "secret"  # noqa: S105 - a file's name
_SECRET_BYTES = 32
_SERVER = "server.json"


class FolderRefused(Exception):
    """The data folder cannot be used; the message says why and what to do."""


class FolderInUse(FolderRefused):
    """Another process of Sitedesk writes there."""


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Make the folder if need be and be its only writer until the block ends. The system frees it after a crash."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        lock = (folder / _LOCK).open("a")
    except OSError as error:
        raise FolderRefused(f"the data folder {folder} is not writable: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FolderInUse(f"another Sitedesk server uses the data folder {folder}") from None
        yield


def secret(folder: Path) -> bytes:
    """The folder's own secret of 256 bits, made when it is missing. Raises `FolderRefused`."""
    path = folder / _SECRET
    with contextlib.suppress(FileExistsError):
        _write_private(path, secrets.token_hex(_SECRET_BYTES))
    read = _read_secret(path)
    if read is None:
        raise FolderRefused(f"{path} is damaged: remove it")
    return read


def _read_secret(path: Path) -> bytes | None:
    try:
        read = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        return None
    return read if len(read) == _SECRET_BYTES else None


def secret_fault(folder: Path) -> str | None:
    """What is wrong with the secret, if anything."""
    path = folder / _SECRET
    if not path.exists():
        return None
    if path.stat().st_mode & 0o077:
        return f"{path} can be read by others: chmod 600 {path}"
    return f"{path} is damaged: remove it" if _read_secret(path) is None else None


@contextlib.contextmanager
def announced(folder: Path, url: str) -> Iterator[str]:
    """While the block runs, commands on this machine can find the server and the token that it takes from them."""
    token = secrets.token_urlsafe(32)
    path = folder / _SERVER
    path.unlink(missing_ok=True)
    _write_private(path, json.dumps({"url": url, "token": token}))
    try:
        yield token
    finally:
        path.unlink(missing_ok=True)


def running_server(folder: Path) -> dict[str, str] | None:
    """`url` and `token` of the server that holds the folder, if it has announced itself."""
    try:
        told: Any = json.loads((folder / _SERVER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(told, dict) and all(isinstance(told.get(name), str) for name in ("url", "token"))
    return told if known else None


def sync(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on the disk before returning."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
