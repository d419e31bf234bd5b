"""Bytes on their way, hashed as they go."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from api.backups.manifest import Content
from api.backups.refusal import BackupRefused
from api.backups.targets import Target
from media.store_keys import NotStored

_CHUNK = 1 << 20


def content_of(path: Path) -> Content:
    """The size and the SHA-256 of a file."""
    with path.open("rb") as file:
        return _read(file, None)


def save(source: BinaryIO, path: Path) -> Content:
    """Write a new file, and tell what came."""
    with path.open("xb") as target:
        return _read(source, target)


def _read(source: BinaryIO, target: BinaryIO | None) -> Content:
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(source):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return Content(size=size, sha256=digest.hexdigest())


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


def fault(target: Target, name: str, content: Content) -> str | None:
    """What is wrong with a file of the target, None when all of it is as it was sent."""
    try:
        with target.open(name) as source:
            found = _read(source, None)
    except NotStored:
        return f"{name} is missing"
    return _difference(name, found, content)


def fetch(target: Target, name: str, content: Content, path: Path) -> None:
    """Bring a file of the target here. Raises `BackupRefused` if it is not as it was sent; nothing is left then."""
    try:
        with target.open(name) as source:
            found = save(source, path)
    except NotStored:
        raise BackupRefused(f"the backup is damaged: {name} is missing") from None
    difference = _difference(name, found, content)
    if difference is not None:
        path.unlink()
        raise BackupRefused(f"the backup is damaged: {difference}")


def _difference(name: str, found: Content, content: Content) -> str | None:
    if found.size != content.size:
        return f"{name} has {found.size} bytes in place of {content.size}"
    return None if found.sha256 == content.sha256 else f"{name} has other bytes than were sent"
