"""Archives as they are sent for an import: unpacked into a folder, or refused with the reason.

Nothing that an archive says about itself is believed: what comes out of it is measured while it comes.
"""

import lzma
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Protocol, Self, cast

from cms.import_formats.compressions import decompressed, is_compressed
from cms.import_formats.item import SourceUnreadable

MOST_FILES = 200_000
MOST_BYTES = 20 * 1024**3
HIGHEST_RATIO = 200
# A small archive of a few repetitive pages is no bomb.
RATIO_COUNTS_FROM = 32 * 1024**2
LONGEST_NAME = 1_000
DEEPEST = 64

# A folder of one of these names has a meaning for its layout, so it is not the folder around a whole site.
_MEANT = frozenset({"content", "src", "_posts", "_drafts", "static", "public", "people", "authors"})
_LEFT_OUT = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
# What tar says about a file beside its content: a name or a date, never this long.
_LARGEST_HEADER = 8 * 1024
_SPECIAL_HEADERS = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_PIECE = 1024 * 1024
_CENTRAL = struct.Struct("<4s24xHHH12x")
_END = struct.Struct("<4s8xLL2x")
_END_64 = struct.Struct("<4s36xQQ")
_LOCATOR_64_SIZE = 20


class _Refusal(Exception):
    """What the archive is refused for."""


class _Source(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class _Metered:
    """What is read through it is counted, and ends where the limits are."""

    def __init__(self, archive: Path) -> None:
        self._most = min(MOST_BYTES, max(RATIO_COUNTS_FROM, HIGHEST_RATIO * archive.stat().st_size))
        self._read = 0
        self._source: _Source | None = None

    def of(self, source: _Source) -> Self:
        """The same count goes on with another file."""
        self._source = source
        return self

    def read(self, size: int = _PIECE) -> bytes:
        """The next bytes. Raises `_Refusal` when it were too many."""
        piece = self._source.read(min(size, _PIECE)) if self._source else b""
        self._read += len(piece)
        if self._read > self._most:
            raise _Refusal(
                f"holds more than {HIGHEST_RATIO} times its own size, or more than {MOST_BYTES // 1024**3} GB"
            )
        return piece


Member = tuple[str, _Source]


def is_archive(file: Path) -> bool:
    """Whether `unpack` knows such a file by its first bytes."""
    return file.is_file() and _members_of(file) is not None


def unpack(archive: Path, into: Path) -> None:
    """All files of a zip or tar (plain, gz, bz2, xz), or the one file under a compression, into a folder.

    Archives inside stay as they are, modes and owners are not kept. Raises `SourceUnreadable`; what came out before
    is taken away again.
    """
    members = _members_of(archive)
    if members is None:
        raise SourceUnreadable(archive.name, "is no zip or tar archive")
    into.mkdir(parents=True, exist_ok=True)
    try:
        _write_all(members(archive), into)
    except BaseException as error:
        shutil.rmtree(into, ignore_errors=True)
        reason = _reason(error)
        if reason is None:
            raise
        raise SourceUnreadable(archive.name, reason) from error


def top(folder: Path) -> Path:
    """The folder that everything lies in: where an unpacked archive has one folder and nothing else, that one."""
    inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    alone = inside[0] if len(inside) == 1 else folder
    return alone if alone.is_dir() and alone.name not in _MEANT else folder


def _reason(error: BaseException) -> str | None:
    if isinstance(error, _Refusal):
        return str(error)
    if isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        return "has a file and a folder of the same name"
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot be unpacked: {error.strerror}"
    damaged = (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError)
    if isinstance(error, (*damaged, NotImplementedError, RuntimeError, struct.error, OverflowError, LookupError)):
        return f"is damaged or was cut off ({str(error)[:200] or type(error).__name__})"
    return None


def _write_all(members: Iterator[Member], into: Path) -> None:
    for name, source in members:
        parts = _parts(name)
        if not parts or parts[0] == "__MACOSX" or parts[-1] in _LEFT_OUT or parts[-1].startswith("._"):
            continue
        path = into.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            while piece := source.read(_PIECE):
                file.write(piece)


def _parts(name: str) -> list[str]:
    """A member's path, part by part. Raises `_Refusal` for what is not a plain path inside."""
    shown = name[:200].encode("utf-8", "backslashreplace").decode()
    if not _is_text(name):
        raise _Refusal(f"has a file whose name is not readable text: {shown!r}")
    if name.startswith("/") or re.match(r"[A-Za-z]:[/\\]", name) or "\\" in name:
        raise _Refusal(f"has a path that is absolute or has a backslash: {shown!r}")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _Refusal(f"has a path that leads out of it: {shown!r}")
    if len(name.encode()) > LONGEST_NAME or len(parts) > DEEPEST:
        raise _Refusal(f"has a path longer than {LONGEST_NAME} bytes or deeper than {DEEPEST} folders: {shown!r}")
    return parts


def _is_text(name: str) -> bool:
    return not any(char < " " or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in name)


def _counted(number: int) -> None:
    if number > MOST_FILES:
        raise _Refusal(f"has more than {MOST_FILES:,} files")


# --- zip ---


def _zip_members(archive: Path) -> Iterator[Member]:
    with archive.open("rb") as file:
        _count_ahead(file)
    meter = _Metered(archive)
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            _refuse_special(info)
            if not info.is_dir():
                with opened.open(info) as source:
                    yield _zip_name(info), meter.of(source)
            else:
                _parts(_zip_name(info))


# zipfile makes an object of each entry before the first can be looked at: ten million small ones take all memory.
def _count_ahead(file: IO[bytes]) -> None:
    size = file.seek(0, 2)
    start = max(0, size - 2**16 - _END.size)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) < end + _END.size:
        raise _Refusal("is damaged or was cut off (it has no end)")
    length = _directory_size(file, tail[end:], at=start + end)
    place, number = length[0], 0
    while place < length[1]:
        file.seek(place)
        head = file.read(_CENTRAL.size)
        if len(head) < _CENTRAL.size or head[:4] != b"PK\1\2":
            break
        _, name, extra, comment = _CENTRAL.unpack(head)
        place += 46 + name + extra + comment
        number += 1
        _counted(number)


def _directory_size(file: IO[bytes], end: bytes, *, at: int) -> tuple[int, int]:
    """From where to where the list of files reaches."""
    size = _END.unpack_from(end)[1]
    file.seek(max(0, at - _LOCATOR_64_SIZE - 56))
    before = file.read(56 + _LOCATOR_64_SIZE)
    if before[56:60] == b"PK\6\7" and before[:4] == b"PK\6\6":
        stop = at - _LOCATOR_64_SIZE - 56
        return max(0, stop - _END_64.unpack_from(before)[1]), stop
    return max(0, at - size), at


def _refuse_special(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 1:
        raise _Refusal("is encrypted: send it without a password")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _Refusal(f"has a link or a device in it: {_zip_name(info)[:200]!r}")


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Without the flag for UTF-8 a name has whatever bytes its system had; zipfile read them as cp437."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    return _guessed(info.filename.encode("cp437")) or info.filename


def _guessed(name: bytes) -> str | None:
    """A name that is not said to be UTF-8; None when it is none of the usual encodings."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        read = [name.decode(encoding, "replace") for encoding in ("cp866", "cp1251")]
    best = max(read, key=_russian)
    return best if _russian(best) > 0 else None


def _russian(text: str) -> int:
    """How much more of it is Russian letters than other signs past ASCII; small ones weigh more."""
    letters = sum(2 if char.islower() else 1 for char in text if "А" <= char <= "я" or char in "ёЁ")
    return letters - 3 * sum(1 for char in text if not char.isascii() and not ("А" <= char <= "я" or char in "ёЁ№«»—"))


# --- tar ---


class _Header(tarfile.TarInfo):
    """A damaged header ends the reading; tarfile alone takes it for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """As tarfile does, with the limits of headers."""
        if not any(buf) and len(buf) == tarfile.BLOCKSIZE:
            return super().frombuf(buf, encoding, errors)
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.TarError as error:
            raise _Refusal(f"is damaged or was cut off ({error})") from error
        if header.type in _SPECIAL_HEADERS and header.size > _LARGEST_HEADER:
            raise _Refusal("has a header that is too long")
        return header


def _tar_members(archive: Path) -> Iterator[Member]:
    meter = _Metered(archive)
    with closing(decompressed(archive)) as stream:
        yield from _tar_files(meter.of(stream))
        while meter.read():
            pass  # what follows has a checksum, too


def _tar_files(stream: _Metered) -> Iterator[Member]:
    with tarfile.open(
        fileobj=cast("IO[bytes]", stream),  # it is only ever read from
        mode="r|",
        tarinfo=_Header,
        encoding="utf-8",
        errors="surrogateescape",
    ) as opened:
        for number, info in enumerate(opened, start=1):
            _counted(number)
            opened.members.clear()  # type: ignore[attr-defined] # it keeps them all
            name = _tar_name(info)
            source = opened.extractfile(info) if info.isreg() and not info.issparse() else None
            if source is not None:
                yield name, source
            elif info.isdir():
                _parts(name)
            else:
                raise _Refusal(f"has a link or a device in it: {name[:200]!r}")


def _tar_name(info: tarfile.TarInfo) -> str:
    if "\ud800" <= max(info.name, default="") <= "\udfff" or not _is_text(info.name):
        return _guessed(info.name.encode("utf-8", "surrogateescape")) or info.name
    return info.name


# --- compressed files, and which kind a file is ---


def _one_member(archive: Path) -> Iterator[Member]:
    """A file that is only compressed is called as it was before."""
    name = archive.stem if archive.suffix.lower() in (".gz", ".bz2", ".xz") else archive.name
    with closing(decompressed(archive)) as stream:
        yield name, _Metered(archive).of(stream)


def _members_of(file: Path) -> Callable[[Path], Iterator[Member]] | None:
    """How its files come out, by its first bytes; None for what is no archive."""
    with file.open("rb") as opened:
        start = opened.read(tarfile.BLOCKSIZE)
    if start.startswith((b"PK\3\4", b"PK\5\6")):
        return _zip_members
    if _is_tar(start):
        return _tar_members
    if not is_compressed(start):
        return None
    return _tar_members if _is_tar(_first_block(file)) else _one_member


def _first_block(file: Path) -> bytes:
    try:
        with closing(decompressed(file)) as stream:
            return stream.read(tarfile.BLOCKSIZE)
    except (EOFError, OSError, zlib.error, lzma.LZMAError):
        return b""


def _is_tar(block: bytes) -> bool:
    """By its mark, or by a checksum that is right: the oldest tars have no mark."""
    if block[257:262] == b"ustar":
        return True
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True
