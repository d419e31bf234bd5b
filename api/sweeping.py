"""Removing what nothing needs any more: files that no revision holds, and bytes that uploads left behind."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from cms import events, sweeping
from cms.attribution import By
from cms.clock import Clock, written
from cms.database import Database
from cms.sweeping import GRACE
from media.stores import NotStored, Store

SHOWN = 100
# Files in one transaction; and removals from the store, for which all other writes wait.
_ROWS, _REMOVALS = 500, 20


class Parts(Protocol):
    """Those parts of the application that hold files."""

    @property
    def clock(self) -> Clock: ...
    @property
    def database(self) -> Database: ...
    @property
    def store(self) -> Store: ...


@dataclass
class Swept:
    """What was removed, or would be. `files`: known ones that no revision holds, the oldest in `shown`; `strays`: bytes
    in the store that are no file's, such as those of uploads that were cut off. Bytes count what was uploaded."""

    dry_run: bool
    files: int = 0
    bytes: int = 0
    strays: int = 0
    stray_bytes: int = 0
    shown: list[dict[str, Any]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As answers tell it."""
        return asdict(self)


def look(parts: Parts) -> Swept:
    """What a sweep would remove. Changes nothing."""
    before = parts.clock() - GRACE
    swept = Swept(dry_run=True)
    with parts.database.reading() as session:
        swept.files, swept.bytes = sweeping.size(session, before=before)
        swept.shown = [_file(one) for one in sweeping.unused(session, before=before, limit=SHOWN)]
    for strays in _strays(parts, before):
        _count(parts, strays, swept)
    for _, size in _cut_off(parts, before):
        swept.strays, swept.stray_bytes = swept.strays + 1, swept.stray_bytes + size
    return swept


def sweep(parts: Parts, *, by: By) -> Swept:
    """Remove what nothing needs and nobody has touched for a day. May be cut off at any point and begun again."""
    before = parts.clock() - GRACE
    swept = Swept(dry_run=False)
    while _forget_some(parts, before, swept, by):
        pass
    for strays in _strays(parts, before):
        _remove(parts, strays, before, swept)
    for path, size in _cut_off(parts, before):
        swept.strays, swept.stray_bytes = swept.strays + 1, swept.stray_bytes + size
        path.unlink(missing_ok=True)
    return swept


def _forget_some(parts: Parts, before: datetime, swept: Swept, by: By) -> bool:
    """First what is known of files; then, when that is committed, their bytes: if the power goes between the two, the
    next sweep finds bytes that are no file's. The other way round a file could have lost its bytes."""
    with parts.database.writing() as session:
        found = {one.sha256: one for one in sweeping.unused(session, before=before, limit=_ROWS)}
        gone = sweeping.forget(session, found, before=before)
        if gone:
            sizes = sum(found[one].size for one in gone)
            events.record(session, "media.swept", by=by, files=gone, bytes=sizes)
            swept.shown += [_file(found[one]) for one in gone][: SHOWN - len(swept.shown)]
            swept.files, swept.bytes = swept.files + len(gone), swept.bytes + sizes
    for some in _batches(gone, _REMOVALS):
        _remove(parts, some, before, None)
    return bool(gone)


def _remove(parts: Parts, hashes: tuple[str, ...], before: datetime, swept: Swept | None) -> None:
    # Writes take turns. While this one lasts nobody can note a file, and whoever notes one looks whether its bytes are
    # there (`cms.files.keep`): bytes that come in again just now are seen here, or found to be gone there.
    with parts.database.writing() as session:
        known = sweeping.known(session, hashes)
        old = tuple(one for one in hashes if one not in known and _is_old(parts, one, before))
        if swept is not None:
            _count(parts, old, swept)
        for one in old:
            parts.store.delete(one)


def _strays(parts: Parts, before: datetime) -> Iterator[tuple[str, ...]]:
    """Bytes in the store that are no file's and have been there for long."""
    for some in _batches(parts.store.keys(), _REMOVALS):
        with parts.database.reading() as session:
            known = sweeping.known(session, some)
        strays = tuple(one for one in some if one not in known and _is_old(parts, one, before))
        if strays:
            yield strays


def _is_old(parts: Parts, sha256: str, before: datetime) -> bool:
    try:
        return parts.store.kept_since(sha256) < before
    except NotStored:
        return False


def _count(parts: Parts, strays: tuple[str, ...], swept: Swept) -> None:
    for one in strays:
        try:
            swept.stray_bytes += parts.store.size(one)
        except NotStored:
            continue
        swept.strays += 1


def _cut_off(parts: Parts, before: datetime) -> Iterator[tuple[Path, int]]:
    """What is left of uploads that never came to their end, with its size; folders in there belong to others."""
    for path in sorted(parts.store.incoming.iterdir()):
        # Others come to their end meanwhile.
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            if path.is_file() and datetime.fromtimestamp(found.st_mtime, UTC) < before:
                yield path, found.st_size


def _batches(all_of: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    rest = iter(all_of)
    while some := tuple(islice(rest, size)):
        yield some


def _file(one: Any) -> dict[str, Any]:
    told = {"sha256": one.sha256, "name": one.name, "media_type": one.media_type, "size": one.size}
    return {**told, "uploaded_at": written(one.created_at)}
