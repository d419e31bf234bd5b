"""Taking a file in: streamed to the store, looked at, noted in the database."""

import hashlib
import hmac
from pathlib import Path
from typing import BinaryIO

from api.parts import Parts
from cms.files import Received
from media import receiving
from media.inspection import inspect

LARGEST_UPLOAD = 100 * 2**20
_LONGEST_NAME = 200


def take_in(parts: Parts, source: BinaryIO, *, filename: str) -> Received:
    """Store the bytes and tell what they are. Raises `RefusedMedia`, `TooLarge`. What was stored and is then not
    noted in the database is swept later: nothing refers to it."""
    name = safe_name(filename)
    with receiving.receive(source, folder=parts.store.incoming, limit=LARGEST_UPLOAD) as received:
        facts = inspect(received.path, filename=name)
        parts.store.put(received.sha256, received.path)
    return Received(
        sha256=received.sha256,
        kind=facts.kind,
        name=name,
        media_type=facts.media_type,
        size=received.size,
        width=facts.width,
        height=facts.height,
    )


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
