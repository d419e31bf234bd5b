"""The parts of a picture's file, walked through without decoding: which ones show it, which only tell about it, and
what stands behind its end."""

import mmap
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from media.avif_boxes import secrets
from media.child import refuse

MAX_PARTS = 2_000_000
# What is told of them has to fit into one answer of the child.
MAX_PIECES = 50_000

# A stretch of the file as [start, end], or bytes to put there, in hexadecimal.
Piece = list[int] | str
Bytes = mmap.mmap | bytes


@dataclass(slots=True)
class Anatomy:
    """`frames`; where the picture ends in the file; `pieces`, of which a copy without metadata is made, None where
    there is nothing to leave out; `lossless` of a WebP."""

    frames: int = 1
    end: int = 0
    lossless: bool = False
    pieces: list[Piece] | None = None
    _kept: list[Piece] = field(default_factory=list, repr=False)

    def keep(self, start: int, end: int) -> None:
        last = self._kept[-1] if self._kept else None
        if isinstance(last, list) and last[1] == start:
            last[1] = end
        else:
            self._kept.append([start, end])

    def put(self, content: bytes) -> None:
        self._kept.append(content.hex())

    def finish(self, total: int) -> None:
        if self._kept == [[0, total]]:
            return
        if len(self._kept) > MAX_PIECES:
            # Kept as it is, it would tell visitors all that stands between them.
            refuse("unreadable", "it has too many parts")
        self.pieces = self._kept


def dissect(path: Path, name: str, *, most_frames: int) -> Anatomy:
    """The parts of a file of this format by Pillow's name. Refuses `too_many_frames` after having counted as many, and
    `polyglot`: another file behind the picture that programs would find there."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = Anatomy()
        WALKS[name](content, found, most_frames)
        found.end = min(found.end, len(content))
        _refuse_foreign(content, found.end, name)
        found.finish(len(content))
        return found


def _jpeg(content: Bytes, found: Anatomy, _: int) -> None:
    found.keep(0, 2)
    at = 2
    for _ in range(MAX_PARTS):
        start = content.find(b"\xff", at)
        while 0 <= start < len(content) - 1 and content[start + 1] == 0xFF:
            start += 1
        if start < 0 or start + 2 > len(content):
            break
        marker = content[start + 1]
        if marker == 0xD9:
            found.keep(start, start + 2)
            found.end = start + 2
            return
        at = start + 2 if marker in _BARE else start + 2 + int.from_bytes(content[start + 2 : start + 4], "big")
        if marker == 0xDA:
            # Coded lines follow: 0xFF stands for itself when 0 follows, and restart markers belong to them.
            following = _MARKER.search(content, at)
            at = following.start() if following else len(content)
        if _shows(marker, content[start + 4 : start + 18], at - start):
            found.keep(start, min(at, len(content)))
    # It has no end; the decoder tells whether all lines are there.
    found.end = len(content)


_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


def _shows(marker: int, start: bytes, size: int) -> bool:
    if marker == 0xE0:
        # A longer one holds a small picture, maybe of what was cut away.
        return start.startswith(b"JFIF\0") and size <= 18
    if marker == 0xE2:
        return start.startswith(b"ICC_PROFILE\0")
    if marker == 0xEE:
        return start.startswith(b"Adobe")
    return not (0xE1 <= marker <= 0xEF or marker == 0xFE)


def _png(content: Bytes, found: Anatomy, _: int) -> None:
    found.keep(0, 8)
    end = 8
    for start, name, end in _chunks(content, 8, len(content), ">I4s", order="big", extra=12):
        if name in _PNG_SHOWN:
            found.keep(start, end)
        if name == b"IEND":
            found.end = end
            return
    if end < len(content):
        # Known before all the lines up to there are decoded.
        refuse("unreadable", "it ends in the middle of a part")
    found.end = end


_PNG_SHOWN = frozenset(b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD pHYs acTL fcTL fdAT".split())


def _webp(content: Bytes, found: Anatomy, most_frames: int) -> None:
    end = min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    chunks = list(_chunks(content, 12, end, "<4sI", order="little", extra=8))
    kept = [each for each in chunks if each[1] in _WEBP_SHOWN]
    found.frames = max(1, sum(name == b"ANMF" for _, name, _ in chunks))
    found.lossless = any(name == b"VP8L" for _, name, _ in chunks)
    found.end = max((chunk_end for *_, chunk_end in chunks), default=end)
    if len(kept) == len(chunks):
        found.keep(0, found.end)
        return
    found.put(b"RIFF" + struct.pack("<I", 4 + sum(end - start for start, _, end in kept)) + b"WEBP")
    for start, name, chunk_end in kept:
        if name == b"VP8X":
            # The flags tell of chunks that are left out.
            found.put(content[start : start + 8] + bytes([content[start + 8] & ~_METADATA_FLAGS]))
            start += 9
        found.keep(start, chunk_end)


_WEBP_SHOWN = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_METADATA_FLAGS = 0x08 | 0x04


def _chunks(
    content: Bytes, at: int, stop: int, header: str, *, order: str, extra: int
) -> Iterator[tuple[int, bytes, int]]:
    """Start, name and end of each whole chunk; those of RIFF are padded to an even length."""
    for _ in range(MAX_PARTS):
        if at + 8 > stop:
            return
        one, other = struct.unpack(header, content[at : at + 8])
        name, size = (one, other) if isinstance(one, bytes) else (other, one)
        end = at + extra + size + (size % 2 if order == "little" else 0)
        if at + extra + size > stop:
            return
        yield at, name, min(end, stop)
        at = end
    refuse("unreadable", "it has too many parts")


def _gif(content: Bytes, found: Anatomy, most_frames: int) -> None:
    found.frames = 0
    at = 13 + _table(content, 10)
    found.keep(0, at)
    left = MAX_PARTS
    while at < len(content) and left > 0:
        start, kind = at, content[at]
        if kind == 0x3B:
            found.keep(start, start + 1)
            found.end = start + 1
            break
        if kind == 0x2C:
            found.frames += 1
            if found.frames > most_frames:
                refuse("too_many_frames", f"it has more than {most_frames} frames")
            at += 11 + _table(content, at + 9)
        elif kind == 0x21:
            at += 2
        else:
            # Stray bytes, which programs step over.
            following = _GIF_PART.search(content, at)
            at = following.start() if following else len(content)
            continue
        at, left = _sub_blocks(content, at, left)
        if kind == 0x2C or _moves(content[start + 1 : start + 14]):
            found.keep(start, min(at, len(content)))
    found.frames = max(1, found.frames)
    # It may lack its end; the decoder tells whether the picture is whole.
    found.end = found.end or len(content)


_GIF_PART = re.compile(rb"[!,;]")


def _table(content: Bytes, at: int) -> int:
    flags = content[at] if at < len(content) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(content: Bytes, at: int, left: int) -> tuple[int, int]:
    while at < len(content) and content[at] and left > 0:
        at += 1 + content[at]
        left -= 1
    if left <= 0:
        refuse("unreadable", "it has too many parts")
    return at + 1, left - 1


def _moves(extension: bytes) -> bool:
    return extension[:1] == b"\xf9" or (extension[:1] == b"\xff" and extension[2:13] in _LOOPS)


_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def _avif(content: Bytes, found: Anatomy, _: int) -> None:
    at = 0
    hidden, found.end = secrets(content)
    for start, end, filling in hidden:
        painted = filling[: end - start].ljust(end - start, filling[-1:])
        if start < at or content[start:end] == painted:
            continue
        found.keep(at, start)
        found.put(painted)
        at = end
    found.keep(at, found.end)


WALKS: dict[str, Callable[[Bytes, Anatomy, int], None]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "GIF": _gif,
    "AVIF": _avif,
}


def _refuse_foreign(content: Bytes, end: int, name: str) -> None:
    if _ends_as_zip(content):
        refuse("polyglot", "it is a picture and a zip archive at once")
    behind = content[end : end + _LOOKED_AT].lstrip(b"\0 \t\r\n")
    if not behind or (name == "JPEG" and _of_cameras(behind, content)):
        return
    found = next((what for pattern, what in _FOREIGN.items() if pattern.search(behind)), None)
    if found is None and len(behind) > 16 and not _BINARY.search(behind):
        found = "text"
    if found:
        refuse("polyglot", f"behind the picture there is {found}")


_LOOKED_AT = 1 << 20
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]")
_FOREIGN = {
    re.compile(rb"PK\x03\x04"): "a zip archive",
    re.compile(rb"%PDF-"): "a PDF",
    re.compile(rb"<(?:\?php|\?=|script|html|!doctype|svg|iframe|body|img)", re.IGNORECASE): "markup or a script",
    re.compile(rb"\A(?:#!|\x7fELF|MZ)"): "a program",
    re.compile(rb"\A(?:Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x1f\x8b\x08|BZh|\xfd7zXZ)"): "an archive",
}


def _of_cameras(behind: bytes, content: Bytes) -> bool:
    """More pictures of the same shot, a motion photo's film, Samsung's own notes."""
    return behind.startswith(b"\xff\xd8\xff") or b"ftyp" in behind[:8] or content[-4:] == b"SEFT"


def _ends_as_zip(content: Bytes) -> bool:
    """A zip is read from its end: its directory must be where its last part says."""
    at = content.rfind(b"PK\x05\x06", max(0, len(content) - 65_557))
    if at < 0 or at + 22 > len(content):
        return False
    size = int.from_bytes(content[at + 12 : at + 16], "little")
    return content[max(0, at - size) : max(0, at - size) + 4] == b"PK\x01\x02" or not size
