"""Files that may be packed by gzip or xz, read as if they were not."""

import gzip
import io
import lzma
import zlib
from pathlib import Path

LARGEST_RATIO = 200
SMALL = 64 * 1024 * 1024
# What a packed file that is broken or cut off raises in the middle of reading.
BROKEN = (OSError, EOFError, lzma.LZMAError, zlib.error)


def opened(path: Path) -> io.BufferedReader:
    """The bytes of a file, unpacked on the way. Raises `OSError`; and `BROKEN` while it is read."""
    with path.open("rb") as file:
        start = file.read(6)
    packed: gzip.GzipFile | lzma.LZMAFile | None = None
    if start.startswith(b"\x1f\x8b"):
        packed = gzip.GzipFile(path)
    elif start == b"\xfd7zXZ\0":
        packed = lzma.LZMAFile(path)  # noqa: SIM115 - the caller closes it
    if packed is None:
        return path.open("rb")
    return io.BufferedReader(_Unpacked(packed, most=max(SMALL, path.stat().st_size * LARGEST_RATIO)), 1024 * 1024)


class _Unpacked(io.RawIOBase):
    """Ends with an error when far more comes out than such files hold."""

    def __init__(self, packed: gzip.GzipFile | lzma.LZMAFile, *, most: int) -> None:
        self._packed = packed
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._packed.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise OSError(f"it unpacks to more than {LARGEST_RATIO} times its size")
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._packed.close()
        super().close()
