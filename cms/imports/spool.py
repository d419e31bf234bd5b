"""What the analysis has read of a source, in one file beside it: dry run and run read this, not the source.

Rows have numbers from 1 in the source's order, so that going on is a seek. Each item has the id of its entry before
any is made, so that rows can refer to one another. The file is private to this machine and this program.
"""

import os
import pickle
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import orjson

from cms.identity import new_id
from cms.import_formats import Asset, Author, Item, Options, Problem
from cms.section_tree import MAX_LEVELS

Value = TypeVar("Value")

_COMMIT_EVERY = 1_000
_CHUNK = 500
_REMEMBERED = 10_000
_LEVEL = 1

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE items (
    number INTEGER PRIMARY KEY, external_id TEXT UNIQUE, entry_id TEXT, digest TEXT,
    unpublished INTEGER NOT NULL DEFAULT 0, known INTEGER NOT NULL DEFAULT 0, data BLOB
);
CREATE TABLE people (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE sections (path TEXT PRIMARY KEY, name TEXT NOT NULL, section_id TEXT) WITHOUT ROWID;
CREATE TABLE assets (
    number INTEGER PRIMARY KEY, external_id TEXT NOT NULL UNIQUE, entry_id TEXT NOT NULL,
    there INTEGER NOT NULL DEFAULT 0, data BLOB NOT NULL
);
CREATE TABLE old_paths (number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, item INTEGER NOT NULL);
"""
_INDEXES = "CREATE INDEX ix_items_entry ON items (entry_id); CREATE INDEX ix_assets_entry ON assets (entry_id);"


@dataclass(frozen=True)
class Read:
    """What was read, and how: enough to open it again. `links_inside` as of a `Reading`."""

    format: str
    path: Path
    options: Options
    links_inside: bool


@dataclass(frozen=True, slots=True)
class SpooledRow:
    """One row. `digest`: what came in before; `unpublished`: that it has never been live."""

    number: int
    row: Item | Problem
    entry_id: str | None
    digest: str | None
    unpublished: bool


@dataclass(frozen=True, slots=True)
class SpooledAsset:
    """One file; `there`: it came in, as the entry of this id."""

    number: int
    asset: Asset
    entry_id: str
    there: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the database has of a row: `digest` of what was brought, None when it is to be read in any case."""

    entry_id: str
    digest: str | None
    unpublished: bool


@contextmanager
def written(path: Path) -> Iterator["SpoolWriter"]:
    """A new spool. It stands at `path` when the block has ended well, and not before."""
    # Who was left behind by a process that was killed finds its part gone, and cannot put it in the place of this one.
    for left in path.parent.glob(f"{path.name}.*.part"):
        left.unlink(missing_ok=True)
    part = path.with_name(f"{path.name}.{new_id()}.part")
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        # Nobody looks at it before it is whole, and what is not whole is thrown away.
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _TABLES)
        writer = SpoolWriter(connection)
        yield writer
        writer.finish()
    _sync(part)
    part.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class SpoolWriter:
    """Takes what a source holds, in its order."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._number = 0
        self._connection.execute("BEGIN")

    def add(self, row: Item | Problem) -> Item | Problem:
        """Take a row. Gives what was taken: a problem, if an earlier row has the item's external id, or if its section
        cannot be."""
        self._number += 1
        if isinstance(row, Item) and len(row.section) > MAX_LEVELS:
            row = _refused(row, "section", "too_deep", f"Sections are at most {MAX_LEVELS} levels deep.")
        elif isinstance(row, Item) and not self._insert(row):
            row = _refused(row, None, "duplicate", f"An earlier row has the external id {row.external_id!r}.")
        if isinstance(row, Problem):
            self._connection.execute("INSERT INTO items (number, data) VALUES (?, ?)", (self._number, _packed(row)))
        if self._number % _COMMIT_EVERY == 0:
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN")
        return row

    def _insert(self, item: Item) -> bool:
        taken = self._connection.execute(
            "INSERT INTO items (number, external_id, entry_id, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (self._number, item.external_id, new_id(), _packed(item)),
        )
        if not taken.rowcount:
            return False
        for depth in range(1, len(item.section) + 1):
            name = item.section_names[depth - 1] if len(item.section_names) >= depth else ""
            self._section(item.section[:depth], name)
        for author in item.byline:
            self.add_person(author)
        for path in item.old_paths:
            self._connection.execute("INSERT OR IGNORE INTO old_paths (path, item) VALUES (?, ?)", (path, self._number))
        return True

    def _section(self, path: tuple[str, ...], name: str) -> None:
        self._connection.execute(
            "INSERT INTO sections (path, name) VALUES (?, ?)"
            " ON CONFLICT (path) DO UPDATE SET name = excluded.name WHERE name = ''",
            (_key(path), name),
        )

    def add_person(self, author: Author) -> None:
        """Take a person; the first who has a key is who it means."""
        self._connection.execute(
            "INSERT OR IGNORE INTO people (key, data) VALUES (?, ?)", (author.key, pickle.dumps(author))
        )

    def add_asset(self, asset: Asset) -> None:
        """Take a file; the first that has an external id is what it means."""
        self._connection.execute(
            "INSERT OR IGNORE INTO assets (external_id, entry_id, data) VALUES (?, ?, ?)",
            (asset.external_id, new_id(), pickle.dumps(asset)),
        )

    def keep(self, read: Read) -> None:
        """Note how it was read."""
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES ('read', ?)", (pickle.dumps(read),))

    def finish(self) -> None:
        """All is taken."""
        self._connection.execute("COMMIT")
        self._connection.executescript(_INDEXES)


class Spool:
    """A whole spool, opened for reading, and by who works on the job for noting ids. Close it."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        address = f"{path.absolute().as_uri()}?mode={'rw' if writable else 'ro'}"
        self._connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous=FULL")
        self.item = lru_cache(_REMEMBERED)(self._item)
        self.asset = lru_cache(_REMEMBERED)(self._asset)
        self.holds = lru_cache(_REMEMBERED)(self._holds)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- how much there is ---

    def read(self) -> Read:
        """How the source was read."""
        [value] = self._connection.execute("SELECT value FROM facts WHERE name = 'read'").fetchone()
        read: Read = pickle.loads(value)  # noqa: S301 - our own file
        return read

    def count(self, table: str) -> int:
        """How many rows there are of items (problems in their places included), people, sections, assets, old_paths."""
        [count] = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own words
        return int(count)

    # --- rows ---

    def rows(self, *, after: int = 0) -> Iterator[SpooledRow]:
        """Rows whose numbers follow, in their order."""
        cursor = self._connection.execute(f"{_ROW} WHERE number > ? ORDER BY number", (after,))
        return map(_spooled, cursor)

    def row(self, number: int) -> SpooledRow | None:
        """The row of a number, as long as it is kept."""
        found = self._connection.execute(f"{_ROW} WHERE number = ? AND data IS NOT NULL", (number,)).fetchone()
        return _spooled(found) if found else None

    def external_ids(self) -> Iterator[str]:
        """The external ids of items and then of files that are there, each in the order of the alphabet."""
        for table, there in (("items", "external_id IS NOT NULL"), ("assets", "there")):
            wanted = f"SELECT external_id FROM {table} WHERE {there} ORDER BY external_id"  # noqa: S608
            yield from (row[0] for row in self._connection.execute(wanted))

    def numbers(self, external_ids: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Number and entry of items, by their external ids."""
        found = {}
        for some in _chunks(external_ids):
            marks = ",".join("?" * len(some))
            wanted = f"SELECT external_id, number, entry_id FROM items WHERE external_id IN ({marks})"  # noqa: S608
            found.update({id: (number, entry) for id, number, entry in self._connection.execute(wanted, some)})
        return found

    def _item(self, external_id: str) -> str | None:
        """The id of the entry of an item, by its external id or one of its old paths."""
        wanted = "SELECT entry_id FROM items WHERE external_id = ?"
        row = self._connection.execute(wanted, (external_id,)).fetchone() or self._at_old_path(external_id)
        return str(row[0]) if row else None

    def _at_old_path(self, path: str) -> Any:
        if not path.startswith("/"):
            return None
        other = path[:-1] if path.endswith("/") and len(path) > 1 else f"{path}/"
        wanted = "SELECT entry_id FROM old_paths JOIN items ON items.number = item WHERE path IN (?, ?) LIMIT 1"
        return self._connection.execute(wanted, (path, other)).fetchone()

    def _asset(self, external_id: str) -> str | None:
        """The id of the entry of a file that is there."""
        wanted = "SELECT entry_id FROM assets WHERE external_id = ? AND there"
        row = self._connection.execute(wanted, (external_id,)).fetchone()
        return str(row[0]) if row else None

    def _holds(self, entry_id: str) -> bool:
        """Whether an item will be the entry of this id, or a file."""
        wanted = "SELECT 1 FROM items WHERE entry_id = ?1 UNION ALL SELECT 1 FROM assets WHERE entry_id = ?1 AND there"
        return self._connection.execute(wanted, (entry_id,)).fetchone() is not None

    # --- what else there is ---

    def people(self, *, after: int = 0) -> Iterator[tuple[int, Author]]:
        """Persons with their numbers."""
        cursor = self._connection.execute("SELECT number, data FROM people WHERE number > ? ORDER BY number", (after,))
        return ((number, pickle.loads(data)) for number, data in cursor)  # noqa: S301 - our own file

    def sections(self) -> dict[tuple[str, ...], str]:
        """The names of sections by their paths, those above before those below."""
        rows = self._connection.execute("SELECT path, name FROM sections")
        return dict(sorted((tuple(orjson.loads(path)), name) for path, name in rows))

    def section_ids(self) -> dict[tuple[str, ...], str]:
        """The ids of sections by their paths, once they are settled."""
        rows = self._connection.execute("SELECT path, section_id FROM sections WHERE section_id IS NOT NULL")
        return {tuple(orjson.loads(path)): id for path, id in rows}

    def assets(self, *, after: int = 0) -> Iterator[SpooledAsset]:
        """Files with their numbers."""
        wanted = "SELECT number, data, entry_id, there FROM assets WHERE number > ? ORDER BY number LIMIT ?"
        # In pieces: who reads them notes meanwhile which are there.
        while some := self._connection.execute(wanted, (after, _CHUNK)).fetchall():
            for number, data, entry_id, there in some:
                yield SpooledAsset(number, pickle.loads(data), entry_id, bool(there))  # noqa: S301 - our own file
                after = number

    def old_paths(self, *, after: int = 0) -> Iterator[tuple[int, str, int, str]]:
        """Old paths: a number, the path, the item's number and its entry's id."""
        wanted = "SELECT o.number, o.path, o.item, i.entry_id FROM old_paths o JOIN items i ON i.number = o.item"
        return iter(self._connection.execute(f"{wanted} WHERE o.number > ? ORDER BY o.number", (after,)))

    # --- what the work on the job finds out ---

    def unsettled(self) -> Iterator[list[str]]:
        """The external ids of all items, in pieces."""
        after = ""
        wanted = "SELECT external_id FROM items WHERE external_id > ? ORDER BY external_id LIMIT ?"
        while some := [row[0] for row in self._connection.execute(wanted, (after, _CHUNK))]:
            yield some
            after = some[-1]

    def settle(self, known: Mapping[str, Known], *, among: Iterable[str]) -> None:
        """Note which of some items came in before, and as which entries."""
        change = "UPDATE items SET entry_id = coalesce(?, entry_id), digest = ?, unpublished = ?, known = ?"
        values = []
        for id in among:
            found = known.get(id)
            values.append((found.entry_id, found.digest, found.unpublished, 1, id) if found else (None, None, 0, 0, id))
        self._connection.executemany(f"{change} WHERE external_id = ?", values)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """What is noted in the block stands when it has ended well."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        self.item.cache_clear()
        self.asset.cache_clear()
        self.holds.cache_clear()

    def settle_sections(self, ids: Mapping[tuple[str, ...], str]) -> None:
        """Note the ids of sections by their paths."""
        values = ((id, _key(path)) for path, id in ids.items())
        self._connection.executemany("UPDATE sections SET section_id = ? WHERE path = ?", values)

    def settle_assets(self, entries: Mapping[str, str | None]) -> None:
        """Note of files, by their external ids, as which entries they came in; None: one did not."""
        change = "UPDATE assets SET entry_id = coalesce(?, entry_id), there = ? WHERE external_id = ?"
        self._connection.executemany(change, ((entry, entry is not None, id) for id, entry in entries.items()))
        self.asset.cache_clear()

    def trim(self, kept: Iterable[int]) -> None:
        """Forget what rows held but for those of some numbers."""
        with self.noting():
            self._connection.execute("CREATE TEMP TABLE kept (number INTEGER PRIMARY KEY)")
            self._connection.executemany("INSERT OR IGNORE INTO kept VALUES (?)", ((number,) for number in kept))
            self._connection.execute("UPDATE items SET data = NULL WHERE number NOT IN (SELECT number FROM kept)")
        self._connection.execute("DROP TABLE kept")
        self._connection.execute("VACUUM")


_ROW = "SELECT number, data, entry_id, digest, unpublished FROM items"


def _spooled(found: tuple[int, bytes, str | None, str | None, int]) -> SpooledRow:
    number, data, entry_id, digest, unpublished = found
    row = pickle.loads(zlib.decompress(data))  # noqa: S301 - our own file
    return SpooledRow(number, row, entry_id, digest, bool(unpublished))


def _refused(item: Item, field: str | None, code: str, said: str) -> Problem:
    place = item.origin
    return Problem(place.file, place.line, field, code, said, external_id=item.external_id, raw=item.raw)


def _packed(row: Item | Problem) -> bytes:
    return zlib.compress(pickle.dumps(row, pickle.HIGHEST_PROTOCOL), _LEVEL)


def _key(path: tuple[str, ...]) -> str:
    return orjson.dumps(path).decode()


def _chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    rest = iter(values)
    while some := list(islice(rest, _CHUNK)):
        yield some
