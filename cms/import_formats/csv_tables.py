"""Tables as text: a row a line, cells with commas, semicolons, tabs or bars between."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

from cms.import_formats import text_encoding
from cms.import_formats.item import Format, Options, SourceUnreadable
from cms.import_formats.row_items import CHOICES
from cms.import_formats.safe_values import Refused
from cms.import_formats.tables import (
    MOST_ROWS_ABOVE,
    Broken,
    Found,
    Record,
    Table,
    Tables,
    header_at,
    known_names,
    known_of,
)
from cms.import_formats.text_encoding import NO_TEXT, NO_TEXT_MARK

LONGEST_CELL = 4 * 1024 * 1024
LONGEST_RECORD = 8 * 1024 * 1024
SUFFIXES = (".csv", ".tsv", ".tab")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}

_SAMPLE = 256 * 1024
_ROWS = 100
# Excel's own line above everything, such as "sep=;".
_SEPARATOR = "sep="
_MOST_FILES = 1_000

# The module has one limit for all readers, and 128 kB is less than an article may have.
csv.field_size_limit(LONGEST_CELL)


def read(source: Path, options: Options) -> Tables:
    """Opens a file, or a folder of several and the pictures that they name. Raises `SourceUnreadable`."""
    if not source.is_dir():
        return Tables([_table(source, options)], options, folder=source.parent if source.is_file() else None)
    files = _files(source)
    if not files:
        raise SourceUnreadable(str(source), "has no file whose name ends in .csv or .tsv")
    return Tables([_table(file, options) for file in files], options, folder=source)


def heading(source: Path, options: Options) -> str:
    """The row that names the columns, as it is written in the first file. Raises `SourceUnreadable`.

    Above rows as `Item.raw` and `Problem.raw` give them, it makes a table that can be read again."""
    file = _files(source)[0] if source.is_dir() else source
    rows = [row for row in islice(_table(file, options).rows(), MOST_ROWS_ABOVE) if isinstance(row, Record)]
    at = header_at(rows, known=known_of(options))
    row = rows[at] if at is not None else None
    return (row.raw or "") if isinstance(row, Record) else ""


def _files(folder: Path) -> list[Path]:
    inside = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return [path for path in inside if path.is_file() and not path.is_symlink()][:_MOST_FILES]


def _table(file: Path, options: Options) -> Table:
    try:
        encoding = options.choices.get("encoding", "auto")
        encoding = text_encoding.found_out(file) if encoding == "auto" else encoding
        # A mark at the start is no part of the first name, whoever has said what the encoding is.
        encoding = "utf-8-sig" if encoding == "utf-8" else encoding
        delimiter = DELIMITERS.get(options.choices.get("delimiter", "auto")) or _delimiter(_beginning(file, encoding))
    except OSError as error:
        raise SourceUnreadable(str(file), error.strerror or "cannot be read") from error
    return Table(file.name, partial(_rows, file, encoding, delimiter))


def _rows(file: Path, encoding: str, delimiter: str) -> Iterator[Found]:
    with file.open(encoding=encoding, errors=NO_TEXT_MARK, newline="") as text:
        yield from _records(text, delimiter)


def _records(text: IO[str], delimiter: str) -> Iterator[Found]:
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Broken(lines.first, "not_csv", _reason(error), lines.taken())
        except Refused as refused:
            yield Broken(lines.first, refused.code, refused.reason)
            lines.taken()
        else:
            first, raw = lines.first, lines.taken()
            if NO_TEXT in raw:
                said = "The row has bytes that are no text in the encoding of the file."
                yield Broken(first, "bad_encoding", said, raw.replace(NO_TEXT, "\ufffd"))
            elif not (first == 1 and raw.lower().startswith(_SEPARATOR) and len(raw) == len(_SEPARATOR) + 1):
                yield Record(first, cells, raw)


class _Lines:
    """The lines of a file one by one, and those that the last record took."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._read = 0
        self._lines: list[str] = []
        self._length = 0

    @property
    def first(self) -> int:
        """The number of the line that the record begins on, from 1."""
        return self._read - len(self._lines) + 1 if self._lines else self._read

    def taken(self) -> str:
        """What the record is written as, without the end of its last line."""
        raw = "".join(self._lines)
        self._lines.clear()
        self._length = 0
        return raw.rstrip("\r\n")

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_RECORD)
        if not line:
            raise StopIteration
        self._read += 1
        self._length += len(line)
        if self._length >= LONGEST_RECORD:
            self._skip(line)
            self._lines.clear()
            self._length = 0
            raise Refused("too_long", f"A row has at most {LONGEST_RECORD // 1024 // 1024} MB.")
        self._lines.append(line)
        return line

    def _skip(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(LONGEST_RECORD)


def _reason(error: csv.Error) -> str:
    said = str(error)
    if "field larger" in said:
        return f"A cell has at most {LONGEST_CELL // 1024 // 1024} MB. Is a quotation mark not closed?"
    if "unexpected end" in said:
        return "A quotation mark is not closed."
    return "After a quotation mark that closes a cell there must be a delimiter. Double those within the text."


def _beginning(file: Path, encoding: str) -> str:
    with file.open(encoding=encoding, errors=NO_TEXT_MARK, newline="") as text:
        return text.read(_SAMPLE)


def _delimiter(sample: str) -> str:
    first = sample[: len(_SEPARATOR) + 1]
    if first.lower().startswith(_SEPARATOR) and first[-1:] in DELIMITERS.values():
        return first[-1]
    return max(DELIMITERS.values(), key=lambda delimiter: _score(sample, delimiter))


def _score(sample: str, delimiter: str) -> tuple[int, float, int]:
    """How well a delimiter fits: names that are known, the share of rows as wide as most are, and how wide that is."""
    rows = _sampled(sample, delimiter)
    widths = Counter(len(row) for row in rows)
    width = max(widths, key=lambda one: (widths[one], one), default=0)
    if width < 2:
        return 0, 0.0, 0
    return max(map(known_names, rows[:MOST_ROWS_ABOVE])), widths[width] / len(rows), width


def _sampled(sample: str, delimiter: str) -> Sequence[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    with suppress(csv.Error):
        rows.extend(row for row in islice(reader, _ROWS) if row)
    # The last one may be cut off in the middle.
    return rows[:-1] if len(rows) > 1 and len(sample) == _SAMPLE else rows


def _recognise(source: Path) -> int:
    """A file whose rows have the same number of cells and whose header has names that are known; a folder of such."""
    if source.is_dir():
        files = _files(source)
        return min(map(_recognise, files), default=0) and 40
    if not source.is_file():
        return 0
    sample = _beginning(source, text_encoding.found_out(source))
    if not sample.strip() or NO_TEXT in sample[:4_096] or "\0" in sample[:4_096] or sample.lstrip()[0] in "{[<":
        return 0
    known, share, _ = _score(sample, _delimiter(sample))
    if source.suffix.lower() in SUFFIXES:
        return 70 if share >= 0.5 or known else 30
    return 45 if known >= 2 and share >= 0.8 and source.suffix.lower() not in (".md", ".markdown", ".mdx") else 0


FORMAT = Format(
    "A table as text (CSV, TSV)",
    read,
    _recognise,
    mappable=True,
    choices={"encoding": text_encoding.CHOICES, "delimiter": ("auto", *DELIMITERS), **CHOICES},
)
