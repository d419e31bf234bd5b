"""Taking a file in: streamed to the store, looked at, noted in the database."""

import hashlib
import hmac
import io
from pathlib import Path
from typing import BinaryIO

from api.parts import Parts
from cms.files import Received
from media import public_forms, receiving
from media.inspection import Inspected, inspect
from media.refusals import RefusedMedia

LARGEST_UPLOAD = 2**30
_LONGEST_NAME = 200


def take_in(parts: Parts, source: BinaryIO, *, filename: str) -> Received:
    """Store the bytes and tell what they are. Raises `RefusedMedia`, `TooLarge`. What was stored and is then not
    noted in the database is swept later: nothing refers to it."""
    with receiving.receive(source, folder=parts.store.incoming, limit=LARGEST_UPLOAD) as received:
        return keep_received(parts, received, filename=filename)


def keep_received(parts: Parts, received: receiving.Received, *, filename: str) -> Received:
    """The same for bytes that are in the store's `incoming` already, from where they are taken away."""
    name = safe_name(filename)
    facts = inspect(received.path, filename=name)
    try:
        picture = _store_picture(parts, facts, filename=f"{Path(name).stem}.webp")
        # First what the public gets in its place: there is no moment at which only the original is to be had.
        if facts.kind == "image":
            public_forms.keep(parts.store, received.sha256, facts.clean)
        parts.store.put(received.sha256, received.path)
    finally:
        if facts.clean is not None:
            facts.clean.unlink(missing_ok=True)
    return Received(
        sha256=received.sha256,
        kind=facts.kind,
        name=name,
        media_type=facts.media_type,
        size=received.size,
        width=facts.width,
        height=facts.height,
        fingerprint=facts.fingerprint,
        placeholder=facts.placeholder,
        color=facts.color,
        frames=facts.frames,
        pages=facts.pages,
        picture=picture,
        text=facts.text,
    )


def _store_picture(parts: Parts, facts: Inspected, *, filename: str) -> Received | None:
    """A document's first page, as a file of its own."""
    if facts.picture is None:
        return None
    try:
        return take_in(parts, io.BytesIO(facts.picture), filename=filename)
    except RefusedMedia:
        return None


def safe_name(filename: str) -> str:
    """A name for people: no folders, nothing unprintable, not endless."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    kept = "".join(one for one in last if one.isprintable() and not "\ud800" <= one <= "\udfff").strip(" .")
    path = Path(kept or "file")
    return f"{path.stem[:_LONGEST_NAME]}{path.suffix[:20]}"


def signature(secret: bytes, sha256: str) -> str:
    """What opens a file to staff before it is published: only who holds the secret can make it."""
    return hmac.new(secret, f"media:{sha256}".encode(), hashlib.sha256).hexdigest()[:32]


def is_signed(secret: bytes, sha256: str, given: str) -> bool:
    """Whether this signature opens this file."""
    return hmac.compare_digest(signature(secret, sha256).encode(), given.encode())
