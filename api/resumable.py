"""Files that come in pieces, as tus has them: each waits beside the store's other incoming files until it is whole.

How much of one is there is the size of its file, so that nothing has to agree with anything after a crash.
"""

import contextlib
import hashlib
import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import orjson

from cms.clock import Clock
from cms.errors import NotFound, WrongState
from cms.identity import is_id, new_id
from media.receiving import Received

KEPT_FOR = timedelta(hours=48)
MOST_OF_ONE = 20


@dataclass(frozen=True)
class Piecemeal:
    """One upload: whose it is, how long it will be, what was said of it. `entry`: what it has become."""

    id: str
    owner: str
    length: int
    lines: list[tuple[str, str]]
    expires_at: str
    entry: str | None = None


class Pieces:
    """The uploads under way in a folder of this process's own."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._taking: set[str] = set()
        self._turn = threading.Lock()

    def begin(self, owner: str, length: int, lines: list[tuple[str, str]]) -> Piecemeal:
        """Make room for an upload. Raises `WrongState` when the owner has too many under way."""
        self._folder.mkdir(exist_ok=True)
        if sum(one.owner == owner and one.entry is None for one in self._swept()) >= MOST_OF_ONE:
            said = f"{MOST_OF_ONE} uploads of yours are under way: end them, or remove them with DELETE."
            raise WrongState("too_many_uploads", said)
        expires_at = (self._clock() + KEPT_FOR).isoformat()
        upload = Piecemeal(new_id(), owner, length, lines, expires_at)
        self._data(upload.id).touch()
        self._note(upload)
        return upload

    def find(self, id: str, *, owner: str) -> Piecemeal:
        """Raises `NotFound`, for the uploads of others, too."""
        upload = self._read(self._about(id)) if is_id(id) else None
        if upload is None or upload.owner != owner or self._is_old(upload):
            raise NotFound("upload", id)
        return upload

    def offset(self, upload: Piecemeal) -> int:
        """How many bytes are here."""
        if upload.entry is not None:
            return upload.length
        with contextlib.suppress(FileNotFoundError):
            return self._data(upload.id).stat().st_size
        raise NotFound("upload", upload.id)

    @contextlib.contextmanager
    def taking(self, upload: Piecemeal) -> Iterator[BinaryIO]:
        """The file to append to; what was written is durable when the block ends. Raises `WrongState` while another
        request is at it."""
        with self._turn:
            if upload.id in self._taking:
                raise WrongState("upload_busy", "Another request is sending a piece of it. Ask for the offset again.")
            self._taking.add(upload.id)
        try:
            with self._data(upload.id).open("ab", buffering=0) as file:
                try:
                    yield file
                finally:
                    os.fsync(file.fileno())
        finally:
            self._taking.discard(upload.id)

    @contextlib.contextmanager
    def whole(self, upload: Piecemeal, *, incoming: Path) -> Iterator[Received]:
        """The complete file, under a second name in `incoming` that may be taken away."""
        path = incoming / f"{uuid.uuid4().hex}.part"
        path.hardlink_to(self._data(upload.id))
        try:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            yield Received(sha256, upload.length, path)
        finally:
            path.unlink(missing_ok=True)

    def end(self, upload: Piecemeal, *, entry: str) -> None:
        """Its bytes have become an entry, which can be asked for until the upload would have expired."""
        self._note(replace(upload, entry=entry))
        self._data(upload.id).unlink(missing_ok=True)

    def remove(self, upload: Piecemeal) -> None:
        """Forget it."""
        self._about(upload.id).unlink(missing_ok=True)
        self._data(upload.id).unlink(missing_ok=True)

    def _swept(self) -> list[Piecemeal]:
        """The uploads that are known, the old ones removed, and what a crash has left of others."""
        known = {path.stem: self._read(path) for path in self._folder.glob("*.json")}
        kept = {id: upload for id, upload in known.items() if upload is not None and not self._is_old(upload)}
        for path in self._folder.iterdir():
            upload = known.get(path.stem)
            if path.stem not in kept and (upload is not None or self._is_leftover(path)):
                path.unlink(missing_ok=True)
        return list(kept.values())

    def _is_leftover(self, path: Path) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return datetime.fromtimestamp(path.stat().st_mtime, UTC) + KEPT_FOR <= self._clock()
        return False

    def _is_old(self, upload: Piecemeal) -> bool:
        return datetime.fromisoformat(upload.expires_at) <= self._clock()

    def _note(self, upload: Piecemeal) -> None:
        fresh = self._about(upload.id).with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(orjson.dumps(upload))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._about(upload.id))

    @staticmethod
    def _read(path: Path) -> Piecemeal | None:
        try:
            said = orjson.loads(path.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None
        return Piecemeal(**{**said, "lines": [(name, value) for name, value in said["lines"]]})

    def _data(self, id: str) -> Path:
        return self._folder / f"{id}.data"

    def _about(self, id: str) -> Path:
        return self._folder / f"{id}.json"
