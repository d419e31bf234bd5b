"""Copies of a picture's file made of its pieces, without what only tells about it."""

from pathlib import Path
from typing import Any, BinaryIO

from media.refusals import Unreadable

CHUNK = 1 << 20
_SENSELESS = "the decoder gave no sensible answer"


def copy_pieces(source: Path, target: BinaryIO, pieces: Any) -> bool:
    """Write the pieces, stretches of the source as [start, end] or bytes in hexadecimal. False where there are none.
    Raises `Unreadable` when they make no sense: who told them may have been taken over."""
    if pieces is None:
        return False
    total = source.stat().st_size
    if not isinstance(pieces, list) or not pieces:
        raise Unreadable(_SENSELESS)
    with source.open("rb") as file:
        for piece in pieces:
            match piece:
                case [int(start), int(end)] if 0 <= start <= end <= total:
                    _copy(file, target, start, end)
                case str():
                    target.write(_bytes(piece))
                case _:
                    raise Unreadable(_SENSELESS)
    return True


def _copy(file: BinaryIO, target: BinaryIO, start: int, end: int) -> None:
    file.seek(start)
    while start < end:
        chunk = file.read(min(CHUNK, end - start))
        if not chunk:
            raise Unreadable("it became shorter while it was read")
        target.write(chunk)
        start += len(chunk)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Unreadable(_SENSELESS) from None
