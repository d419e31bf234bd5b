"""The bytes that visitors get of a picture: the same without metadata, for it may tell where somebody lives."""

import uuid
from pathlib import Path

from media.inspection import inspect
from media.stores import Store, copied

# Beside the original: the cleaned bytes, or the word that there is nothing to clean.
CLEAN, PURE = "clean", "pure"


def known_key(store: Store, sha256: str, *, media_type: str) -> str | None:
    """The key of what visitors get; None for a picture that nobody has looked at yet."""
    if not media_type.startswith("image/"):
        return sha256
    if store.exists(f"{sha256}/{CLEAN}"):
        return f"{sha256}/{CLEAN}"
    return sha256 if store.exists(f"{sha256}/{PURE}") else None


def make(store: Store, sha256: str, *, name: str) -> str:
    """Look at a stored picture, keep its public form, and give that one's key. Raises `RefusedMedia`, `NotStored`."""
    with copied(store, sha256) as copy:
        return keep(store, sha256, inspect(copy, filename=name).clean)


def keep(store: Store, sha256: str, clean: Path | None) -> str:
    """Keep the public form that an inspection has made, beside the stored original; None: that has nothing to hide.
    Gives the key of what visitors get."""
    if clean is not None:
        store.put(f"{sha256}/{CLEAN}", clean)
        clean.unlink(missing_ok=True)
        return f"{sha256}/{CLEAN}"
    empty = store.incoming / f"{uuid.uuid4().hex}.part"
    try:
        empty.touch()
        store.put(f"{sha256}/{PURE}", empty)
    finally:
        empty.unlink(missing_ok=True)
    return sha256
