"""Renditions of pictures: made in child processes when first asked for, once, and kept beside the original."""

import atexit
import threading
import time
import uuid
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from media.quarantine import Quarantine
from media.refusals import RefusedMedia, Unreadable
from media.renditions import MEDIA_TYPES, Format, Spec
from media.stores import NotStored, Store, copied

# How long a picture that could not be rendered is not tried again, and how many such are remembered.
FAILED_SECONDS = 60
MOST_FAILED = 10_000
# In the names of what is kept: another number when what comes out changes.
EDITION = "r1"


@dataclass(frozen=True, slots=True)
class Rendition:
    """A picture ready to send: its media type, its size in bytes, its local path (None where the store is remote),
    and what opens it."""

    media_type: str
    size: int
    path: Path | None
    open: Callable[[], BinaryIO]


class Renderer:
    """Makes renditions of what is in a store. Safe to share between threads, and harmless between processes: two that
    make the same keep the same."""

    def __init__(
        self,
        store: Store,
        *,
        quarantine: Quarantine | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._quarantine = quarantine or Quarantine()
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[None]] = {}
        self._failed: OrderedDict[str, tuple[float, Callable[[], RefusedMedia]]] = OrderedDict()
        _open_renderers.add(self)

    def rendition(self, sha256: str, spec: Spec, *, format: Format) -> Rendition:
        """The picture in this form: made now, or when it was first asked for. Whoever asks for what is being made
        waits for it. `format` says what `spec` means (`media.renditions.format_for`). Raises `NotStored` when the
        original is not there, `RefusedMedia` (and its `Unreadable`) when no rendition can be made of it, for a
        while without trying again."""
        key = _key(sha256, spec, format)
        with suppress(NotStored):
            return self._kept(key, format)
        self._made_once(key, partial(self._make, sha256, key, spec, format))
        return self._kept(key, format)

    def kept(self, sha256: str, spec: Spec, *, format: Format) -> Rendition | None:
        """The picture in this form if it was made before: told at once, whatever is being made."""
        try:
            return self._kept(_key(sha256, spec, format), format)
        except NotStored:
            return None

    def close(self) -> None:
        """End the child processes. They start again by themselves when they are needed."""
        self._quarantine.close()

    def _kept(self, key: str, format: Format) -> Rendition:
        size = self._store.size(key)
        return Rendition(MEDIA_TYPES[format], size, self._store.path(key), partial(self._store.open, key))

    def _made_once(self, key: str, make: Callable[[], None]) -> None:
        with self._lock:
            self._refuse_failed(_picture_of(key))
            under_way = self._under_way.get(key)
            mine = self._under_way[key] = under_way or Future()
        if under_way is None:
            self._made(key, mine, make)
        mine.result()

    def _made(self, key: str, mine: Future[None], make: Callable[[], None]) -> None:
        error: BaseException | None = None
        try:
            # Somebody may have finished it between our looking for it and our turn.
            if not self._store.exists(key):
                make()
        except BaseException as raised:
            error = raised
            raise
        finally:
            with self._lock:
                del self._under_way[key]
                if isinstance(error, RefusedMedia):
                    self._remember(_picture_of(key), error)
            if error is None:
                mine.set_result(None)
            else:
                mine.set_exception(error)

    def _refuse_failed(self, picture: str) -> None:
        until, refusal = self._failed.get(picture, (0.0, None))
        if refusal is not None and until > self._clock():
            raise refusal()

    def _remember(self, picture: str, error: RefusedMedia) -> None:
        # Made anew for each who asks: one exception that is raised again and again grows.
        if isinstance(error, Unreadable):
            again: Callable[[], RefusedMedia] = partial(Unreadable, error.reason)
        else:
            again = partial(RefusedMedia, error.code, error.message)
        self._failed[picture] = (self._clock() + FAILED_SECONDS, again)
        while len(self._failed) > MOST_FAILED:
            self._failed.popitem(last=False)

    def _make(self, sha256: str, key: str, spec: Spec, format: Format) -> None:
        made = self._store.incoming / f"{uuid.uuid4().hex}.part"
        try:
            with self._local(sha256) as source, made.open("xb") as file:
                self._quarantine.ask("render", source, into=file, spec=str(spec), format=format)
            self._store.put(key, made)
        finally:
            made.unlink(missing_ok=True)

    @contextmanager
    def _local(self, sha256: str) -> Iterator[Path]:
        """The original as a local file."""
        path = self._store.path(sha256)
        with nullcontext(path) if path is not None else copied(self._store, sha256) as found:
            yield found


def _picture_of(key: str) -> str:
    """The file and the format: what one size breaks, another would."""
    return key[:64] + key[key.rindex(".") :]


def _key(sha256: str, spec: Spec, format: Format) -> str:
    return f"{sha256}/{EDITION}_{spec.shape}.{format}"


_open_renderers: weakref.WeakSet[Renderer] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for renderer in list(_open_renderers):
        renderer.close()
