"""Tables whose first row names the columns: what is the same for text files and workbooks."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from cms.import_formats.item import Asset, Author, Item, Options, Origin, Problem
from cms.import_formats.known_fields import MEANINGS, SYNONYMS
from cms.import_formats.known_values import plain_name
from cms.import_formats.row_items import Rows, is_on_network
from cms.import_formats.safe_values import Refused, safe

Cell = str | int | float | bool | date | datetime | time | timedelta | None

# Above the header there may be the name of the table, and for whom it was made.
MOST_ROWS_ABOVE = 20
MOST_COLUMNS = 1_000
# What a spreadsheet would take for a formula is written with an apostrophe before it.
ESCAPED = re.compile(r"'+[=+\-@\t\r\n]")
_NO_IDS = (
    "Rows without an id are known by their slug, or by their title and date: when that changes, the row is another one."
    " Choose `id_column` if there is a column that says which row it is."
)
KNOWN = frozenset(chain.from_iterable(SYNONYMS.values()))


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line that it begins on, its cells, and how it was written."""

    line: int
    cells: Sequence[Cell]
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that is none."""

    line: int
    code: str
    reason: str
    raw: str | None = None


Found = Record | Broken


@dataclass(frozen=True, slots=True)
class Table:
    """One file: what problems call it, and its rows, which may be asked for again."""

    file: str
    rows: Callable[[], Iterator[Found]]


class Tables:
    """Tables of one source, one after another. `folder`: where the pictures lie that rows name."""

    links_inside = False

    def __init__(self, tables: Sequence[Table], options: Options, *, folder: Path | None = None) -> None:
        self._tables = tables
        self._options = options
        self._folder = folder
        self._covers: bool | None = None
        Rows(options)

    def items(self) -> Iterator[Item | Problem]:
        """One for each row below the header that is not empty; at last a warning, if rows have no ids of their own."""
        rows = Rows(self._options, makes_ids=True)
        covers = False
        for table in self._tables:
            for found in self._found(table):
                item = found if isinstance(found, Problem) else self._item(rows, table, *found)
                covers = covers or (isinstance(item, Item) and "cover" in item.fields)
                yield item
        self._covers = covers
        if rows.made_ids:
            yield Problem(self._tables[0].file, None, None, "no_ids", _NO_IDS, warning=True)

    def count(self) -> int:
        """The rows below the headers that are not empty."""
        return sum(1 for table in self._tables for _ in self._found(table))

    def people(self) -> Iterator[Author]:
        """None: bylines say all that is known."""
        return iter(())

    def assets(self) -> Iterator[Asset]:
        """The pictures that rows name: on the network, or beside the table."""
        if self._covers is False:
            return
        rows = Rows(self._options, makes_ids=True)
        seen: set[str] = set()
        for table in self._tables:
            for found in self._found(table):
                asset = None if isinstance(found, Problem) else self._cover(rows, found[1])
                if asset is not None and asset.external_id not in seen:
                    seen.add(asset.external_id)
                    yield asset

    def asset(self, external_id: str) -> Asset | None:
        """A picture, by its address."""
        if is_on_network(external_id):
            return Asset(external_id, None, external_id)
        path = _inside(self._folder, external_id) if self._folder else None
        return Asset(external_id, path) if path else None

    def target(self, origin_file: str, url: str) -> None:
        """None: a row has no address that others could use."""

    def _found(self, table: Table) -> Iterator[Problem | tuple[Record, dict[str, Cell]]]:
        """Rows with their values by name."""
        rows = table.rows()
        first = list(islice(rows, MOST_ROWS_ABOVE))
        at = header_at(first, known=known_of(self._options))
        header = first[at] if at is not None else None
        if at is None or not isinstance(header, Record):
            yield Problem(table.file, 1, None, "no_header", "There is no row that names the columns.")
            yield from (_problem(table, one) for one in first if isinstance(one, Broken))
            return
        names = names_of(header.cells)
        for one in chain(first[at + 1 :], rows):
            found = one if isinstance(one, Broken) else _named(one, names)
            if isinstance(found, Broken):
                yield _problem(table, found)
            elif found and isinstance(one, Record):
                yield one, found

    def _item(self, rows: Rows, table: Table, record: Record, values: Mapping[str, Cell]) -> Item | Problem:
        raw = _as_json(values) if record.raw is None else record.raw
        try:
            return rows.item(self._values(values), Origin(table.file, record.line), raw=raw)
        except Refused as refused:
            return Problem(table.file, record.line, refused.field, refused.code, refused.reason, raw=raw)

    def _cover(self, rows: Rows, values: Mapping[str, Cell]) -> Asset | None:
        try:
            cover = rows.cover(self._values(values))
        except Refused:
            return None
        if cover is None or cover.url is not None:
            return cover
        found = self.asset(cover.external_id)
        return Asset(found.external_id, found.path, None, cover.fields) if found else None

    def _values(self, values: Mapping[str, Cell]) -> dict[str, Any]:
        own = self._options.fields - MEANINGS.keys()
        read = {name: _plain(cell) for name, cell in values.items()}
        return safe({name: _unpacked(value) if name in own else value for name, value in read.items()})


def known_of(options: Options) -> frozenset[str]:
    """Names that a header may have: those that mean something, and those that the options name."""
    chosen = options.choices.get("id_column")
    said = {plain_name(name) for name in (*options.mapping, *options.fields, *filter(None, [chosen]))}
    return KNOWN | said


def header_at(rows: Sequence[Found], *, known: frozenset[str]) -> int | None:
    """Where the header is among the first rows: the first with most names that are known, else the first full one."""
    scored = [(_known_names(row, known), -at) for at, row in enumerate(rows) if isinstance(row, Record)]
    best, at = max(scored, default=(0, 0))
    if best:
        return -at
    widths = Counter(_filled(row) for row in rows if isinstance(row, Record) and _filled(row))
    usual = max(widths, default=0)
    return next(
        (at for at, row in enumerate(rows) if isinstance(row, Record) and usual and _filled(row) >= usual), None
    )


def known_names(cells: Sequence[Cell], known: frozenset[str] = KNOWN) -> int:
    """How many cells are names of fields."""
    return sum(isinstance(cell, str) and plain_name(cell[:200]) in known for cell in cells)


def _known_names(row: Record, known: frozenset[str]) -> int:
    return known_names(row.cells[:MOST_COLUMNS], known)


def _filled(row: Record) -> int:
    return sum(not _is_empty(cell) for cell in row.cells)


def names_of(header: Sequence[Cell]) -> list[str]:
    """The names of columns, each once: a column without a name, or with that of an earlier one, gets its own."""
    names: list[str] = []
    taken: Counter[str] = Counter()
    for number, cell in enumerate(header, start=1):
        name = "" if _is_empty(cell) else " ".join(str(_plain(cell)).split())[:200]
        name = name or f"column {number}"
        taken[name] += 1
        names.append(name if taken[name] == 1 else f"{name} ({taken[name]})")
    while names and _is_empty(header[len(names) - 1]):
        names.pop()
    return names


def _named(record: Record, names: Sequence[str]) -> dict[str, Cell] | Broken:
    """Values by name, without empty ones; nothing for an empty row."""
    cells = list(record.cells)
    while len(cells) > len(names) and _is_empty(cells[-1]):
        cells.pop()
    if all(_is_empty(cell) for cell in cells):
        return {}
    if len(cells) != len(names):
        said = f"The row has {len(cells)} cells, and the header {len(names)}. Is there a quotation mark too many?"
        return Broken(record.line, "wrong_cell_count", said, record.raw)
    return {name: cell for name, cell in zip(names, cells, strict=True) if not _is_empty(cell)}


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _plain(cell: Cell) -> Any:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, timedelta):
        return str(cell)
    return cell[1:] if isinstance(cell, str) and ESCAPED.match(cell) else cell


def _as_json(values: Mapping[str, Cell]) -> str | None:
    """The row of a workbook as a line of JSON, which can be sent again alone."""
    try:
        return orjson.dumps({name: _plain(cell) for name, cell in values.items()}).decode()
    except TypeError:
        return None


def _unpacked(value: Any) -> Any:
    """A list or an object that was written into a cell."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _problem(table: Table, broken: Broken) -> Problem:
    return Problem(table.file, broken.line, None, broken.code, broken.reason, raw=broken.raw)


def _inside(folder: Path, relative: str) -> Path | None:
    """A file below the folder; None where there is none, or it is a link that leads out."""
    try:
        path = (folder / relative).resolve()
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None
