"""The boxes of an AVIF: where metadata stands in it, so that it can be painted over without decoding."""

import struct
from collections.abc import Iterator
from mmap import mmap

# What takes their place: an empty TIFF, and white space.
EMPTY_EXIF = b"\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0\0"
EMPTY_XMP = b" "

MAX_BOXES = 10_000
_SHOWN = frozenset(b"ftyp meta mdat moov moof mfra idat sidx styp ssix pdin prft".split())

Bytes = mmap | bytes
Box = tuple[bytes, int, int]
Secret = tuple[int, int, bytes]


def secrets(content: Bytes) -> tuple[list[Secret], int]:
    """Start, end and filling of every stretch of metadata, in order, and where the last box ends."""
    found: list[Secret] = []
    end = furthest = 0
    for name, start, end_of_box in _boxes(content, 0, len(content)):
        if name in (b"uuid", b"free", b"skip"):
            found.append((start, end_of_box, b"\0"))
        elif name == b"meta":
            hidden, furthest = _items(content, start + 4, end_of_box)
            found += hidden
        elif name == b"moov":
            found += [(at, stop, b"\0") for kind, at, stop in _deep(content, start, end_of_box) if kind in _TOLD]
        elif name not in _SHOWN:
            break
        end = end_of_box
    if furthest > end:
        raise ValueError("its parts lie outside of its boxes")
    return sorted(found), end


_TOLD = frozenset((b"udta", b"uuid", b"meta"))


def _deep(content: Bytes, start: int, end: int) -> Iterator[Box]:
    for name, at, stop in _boxes(content, start, end):
        if name == b"trak":
            yield from _boxes(content, at, stop)
        else:
            yield name, at, stop


def _boxes(content: Bytes, at: int, end: int) -> Iterator[Box]:
    """Name, start and end of the content of each box from here on."""
    for _ in range(MAX_BOXES):
        if at + 8 > end:
            return
        size, name = struct.unpack(">I4s", content[at : at + 8])
        header = 8
        if size == 1:
            size, header = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        size = size or end - at
        if size < header or at + size > end:
            return
        yield name, at + header, at + size
        at += size


def _items(content: Bytes, start: int, end: int) -> tuple[list[Secret], int]:
    """The metadata among the items, and where the last item ends."""
    parts = {name: (at, stop) for name, at, stop in _boxes(content, start, end)}
    if b"iinf" not in parts or b"iloc" not in parts:
        return [], 0
    wanted = dict(_metadata_items(content, *parts[b"iinf"]))
    base = parts.get(b"idat", (0, 0))[0]
    places = [each for each in _places(content, *parts[b"iloc"], idat=base) if each[1] + each[2] <= len(content)]
    found = [
        (at, at + size, EMPTY_EXIF if wanted[item] == b"Exif" and size >= len(EMPTY_EXIF) else EMPTY_XMP)
        for item, at, size in places
        if item in wanted and size
    ]
    shown = [(at, at + size) for item, at, size in places if item not in wanted]
    if any(at < end and start < stop for at, stop, _ in found for start, end in shown):
        raise ValueError("its parts overlap")
    return found, max((end for _, end in shown), default=0)


def _metadata_items(content: Bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    count = 2 if content[start] == 0 else 4
    for name, at, _ in _boxes(content, start + 4 + count, end):
        wide = 4 if content[at] == 3 else 2
        kind = content[at + 6 + wide : at + 10 + wide]
        if name == b"infe" and content[at] >= 2 and kind in (b"Exif", b"mime", b"uri "):
            yield int.from_bytes(content[at + 4 : at + 4 + wide], "big"), kind


class _Reader:
    def __init__(self, content: Bytes, at: int, end: int) -> None:
        self._content, self._at, self._end = content, at, end

    def take(self, size: int) -> int:
        start, self._at = self._at, self._at + size
        if self._at > self._end:
            raise ValueError("its item locations are cut short")
        return int.from_bytes(self._content[start : self._at], "big")


def _places(content: Bytes, start: int, end: int, *, idat: int) -> Iterator[tuple[int, int, int]]:
    """Item, offset and length of every extent that `iloc` tells of."""
    reader = _Reader(content, start, end)
    version = reader.take(4) >> 24
    sizes = reader.take(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(min(reader.take(4 if version == 2 else 2), MAX_BOXES)):
        item = reader.take(4 if version == 2 else 2)
        method = reader.take(2) & 15 if version else 0
        reader.take(2)
        base = reader.take(base_size) + (idat if method == 1 else 0)
        for _ in range(min(reader.take(2), MAX_BOXES)):
            if version:
                reader.take(index_size)
            offset = reader.take(offset_size)
            yield item, base + offset, reader.take(length_size)
