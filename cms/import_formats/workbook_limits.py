"""How much memory a workbook would take, measured before it is opened: what reads it lays out every cell of the
rectangle that a sheet spans, and every text once for each cell that shows it, and ends the process when there is not
enough memory."""

import re
import zipfile
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from cms.import_formats.item import SourceUnreadable

WORKBOOK = "xl/workbook.xml"
LARGEST = 64 * 1024 * 1024
LARGEST_MEMBER = 128 * 1024 * 1024
LARGEST_UNPACKED = 256 * 1024 * 1024
LARGEST_RATIO = 200
MOST_MEMBERS = 10_000
MOST_CELLS = 3_000_000
LARGEST_TEXT = 128 * 1024 * 1024

_SMALL = 8 * 1024 * 1024
_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s/>])")
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s/>])")
_TEXT = re.compile(rb"<(?:\w+:)?si(?=[\s/>])")
_AT = re.compile(rb"""\sr\s*=\s*["']\s*([A-Za-z]*)([0-9]*)\s*["']""")
_PLACE = re.compile(rb"\sr\s*=")
_SHARED = re.compile(rb"""\st\s*=\s*["']\s*s\s*["']""")
_SHOWN = re.compile(rb"""\st\s*=\s*["']s["'][^<>]*>\s*<(?:\w+:)?v>([0-9]{1,9})<""")


def refuse_large(source: Path) -> None:
    """Raises `SourceUnreadable` for what is no workbook, or takes too much memory."""
    try:
        if source.stat().st_size > LARGEST:
            raise _too_large(source, f"is larger than {_mb(LARGEST)}")
        with zipfile.ZipFile(source) as archive:
            _refuse_unpacked(source, archive)
            members = [name for name in archive.namelist() if not name.startswith(("xl/media/", "docProps/"))]
            texts = _texts(source, archive, members)
            for name in members:
                _refuse_sheet(source, archive.read(name), texts)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise SourceUnreadable(str(source), f"is no workbook that can be read: {error}") from None
    except OSError as error:
        raise SourceUnreadable(str(source), error.strerror or "cannot be read") from error


def _refuse_unpacked(source: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    names = {one.filename.lower() for one in members}
    if WORKBOOK not in names:
        raise SourceUnreadable(str(source), "is no workbook of Excel (XLSX)")
    if len(names) < len(members) or len(members) > MOST_MEMBERS:
        raise SourceUnreadable(str(source), "is no workbook that can be read: it has too many parts, or one twice")
    unpacked, packed = sum(one.file_size for one in members), sum(one.compress_size for one in members)
    if unpacked > LARGEST_UNPACKED or max(one.file_size for one in members) > LARGEST_MEMBER:
        raise _too_large(source, f"unpacks to more than {_mb(LARGEST_UNPACKED)}")
    if unpacked > _SMALL and unpacked > packed * LARGEST_RATIO:
        raise _too_large(source, f"unpacks to more than {LARGEST_RATIO} times its size")


def _texts(source: Path, archive: zipfile.ZipFile, members: Sequence[str]) -> list[int]:
    """How long each of the texts is that cells share, at most."""
    found: list[int] = []
    for name in members:
        content = archive.read(name)
        starts = [one.start() for one in _TEXT.finditer(content)]
        if starts and found:
            raise SourceUnreadable(str(source), "is no workbook that can be read: it has its texts twice")
        found = found or [end - start for start, end in pairwise([*starts, len(content)])]
    return found


def _refuse_sheet(source: Path, sheet: bytes, texts: Sequence[int]) -> None:
    if _cells(sheet) > MOST_CELLS:
        raise _too_large(source, f"spans more than {MOST_CELLS} cells")
    shown = [int(one[1]) for one in _SHOWN.finditer(sheet)]
    unclear = sum(1 for _ in _SHARED.finditer(sheet)) - len(shown)
    size = sum(texts[number] for number in shown if number < len(texts)) + unclear * max(texts, default=0)
    if size > LARGEST_TEXT:
        raise _too_large(source, f"has more than {_mb(LARGEST_TEXT)} of text")


def _cells(sheet: bytes) -> int:
    """The cells of the rectangle that a sheet spans, at most."""
    rows, cells = (sum(1 for _ in one.finditer(sheet)) for one in (_ROW, _CELL))
    places = [(one[1], one[2]) for one in _AT.finditer(sheet)]
    named = sum(bool(letters) for letters, _ in places)
    unclear = sum(1 for _ in _PLACE.finditer(sheet)) > len(places)
    width = max((_column(letters) for letters, _ in places), default=0)
    height = max((int(digits[:9] or 0) for _, digits in places), default=0)
    # Cells and rows that do not say where they are come after the ones before.
    if unclear or named < cells:
        width, height = width + cells, height + rows
    return max(width, bool(cells)) * max(height, bool(cells))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters[:4].upper():
        number = number * 26 + letter - 64
    return number


def _mb(size: int) -> str:
    return f"{size // 1024 // 1024} MB"


def _too_large(source: Path, said: str) -> SourceUnreadable:
    return SourceUnreadable(str(source), f"{said}: divide it, or save it as CSV, which has no such limit")
