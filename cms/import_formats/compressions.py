"""Compressed files, whatever compressed them: their bytes as they were."""

from bz2 import BZ2File
from collections.abc import Callable, Mapping
from gzip import GzipFile
from io import BufferedIOBase, BufferedReader, RawIOBase
from lzma import FORMAT_XZ, LZMADecompressor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE = 1024 * 1024
_MOST_XZ_MEMORY = 128 * 1024**2


def is_compressed(start: bytes) -> bool:
    """Whether a file that starts so is compressed."""
    return start.startswith(tuple(_KINDS))


def decompressed(file: Path) -> BufferedIOBase:
    """The bytes that were compressed; of other files their own. What is damaged raises while it is read."""
    with file.open("rb") as opened:
        start = opened.read(8)
    opening = next((opening for magic, opening in _KINDS.items() if start.startswith(magic)), None)
    return opening(file) if opening else file.open("rb")


class _Xz(RawIOBase):
    """An xz file. It says itself how much memory it wants: it gets no more than the strongest usual setting takes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._stream = LZMADecompressor(FORMAT_XZ, _MOST_XZ_MEMORY)

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """The next bytes, none at the end."""
        view = memoryview(buffer)
        piece = b""
        while not piece:
            given = self._given()
            if given is None:
                return 0
            piece = self._stream.decompress(given, len(view))
        view[: len(piece)] = piece
        return len(piece)

    def _given(self) -> bytes | None:
        """What the stream takes next; None when there is no further one behind it."""
        if not self._stream.eof:
            given = self._file.read(_PIECE) if self._stream.needs_input else b""
            if self._stream.needs_input and not given:
                raise EOFError("the end is missing")
            return given
        rest = self._stream.unused_data.lstrip(b"\0")
        while not rest and (read := self._file.read(_PIECE)):
            rest = read.lstrip(b"\0")
        if rest:
            self._stream = LZMADecompressor(FORMAT_XZ, _MOST_XZ_MEMORY)
        return rest or None

    def close(self) -> None:
        """The file, too."""
        self._file.close()
        super().close()


def _xz(file: Path) -> BufferedIOBase:
    return BufferedReader(_Xz(file))


_KINDS: Mapping[bytes, Callable[[Path], BufferedIOBase]] = {
    b"\x1f\x8b": GzipFile,
    b"BZh": BZ2File,
    b"\xfd7zXZ\0": _xz,
}
