"""Reading rows of a spool ahead of the database: values checked and converted, in a process of its own.

Converting rich text is half of an import's work and needs no database, so it runs on the other core. The parent hands
over a `Task` on standard input and gets batches of rows on standard output, both pickled: each is the other's own code.
"""

import gc
import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from cms import content
from cms.content import Derived
from cms.content_types import ContentType
from cms.custom_types.carrying import cast
from cms.errors import Fault, InvalidContent
from cms.import_formats import FORMATS, Author, Item, Link, Origin, Problem, Reading, SourceUnreadable, Target
from cms.imports.spool import Read, Spool, SpooledRow
from cms.rendering import Rendered, render
from cms.rich_text import Resolve

# A process of its own costs half a second to start.
_WORTH_A_PROCESS = 300


class ReadingFailed(Exception):
    """The reading process ended before its work was done."""


@dataclass(frozen=True)
class Task:
    """Which rows to read: those of a spool after number `after`. `types`: those that rows may have, by name; `type`:
    of rows that name none; `publish`: what was never live is read even where it is the same."""

    spool: Path
    types: Mapping[str, ContentType]
    type: str
    publish: bool
    after: int = 0


@dataclass(frozen=True)
class PreparedPast:
    """An earlier content whose values have been read."""

    fields: dict[str, Any]
    derived: Derived
    at: datetime | None
    by: Author | None
    note: str | None


@dataclass(frozen=True)
class Prepared:
    """An item whose values have been read: nothing slow is left to do with it."""

    number: int
    item: Item
    type: str
    entry_id: str
    fields: dict[str, Any]
    derived: Derived
    rendered: Rendered
    digest: str
    warnings: tuple[Fault, ...]
    problems: tuple[Problem, ...] = ()
    history: tuple[PreparedPast, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A row that cannot come in."""

    number: int
    problem: Problem


@dataclass(frozen=True)
class Same:
    """A row that came in before and has not changed."""

    number: int
    origin: Origin
    external_id: str
    entry_id: str


Row = Prepared | Refused | Same


def rows(task: Task, *, batch: int, expected: int) -> Iterator[list[Row]]:
    """Rows in batches, read by another process where that pays. Raises `ReadingFailed`, `SourceUnreadable`."""
    if expected < _WORTH_A_PROCESS:
        yield from _batches(task, batch)
        return
    # Not -m: what the child pickles must name this module, not its __main__.
    command = [sys.executable, "-c", "from cms.imports.reading import main; main()", str(batch)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:  # noqa: S603
        if reader.stdin is None or reader.stdout is None:
            raise ReadingFailed("no pipes")
        try:
            pickle.dump(task, reader.stdin)
            reader.stdin.close()
            yield from _received(reader.stdout)
        except BrokenPipeError as error:
            raise ReadingFailed("it did not take its task") from error
        finally:
            # When the caller stops early, the reader must not wait for ever on a full pipe.
            reader.kill()


def _received(source: IO[bytes]) -> Iterator[list[Row]]:
    while True:
        try:
            received: list[Row] | SourceUnreadable | None = pickle.load(source)  # noqa: S301 - from our own child
        except EOFError as error:
            raise ReadingFailed("the reading process ended early; out of memory?") from error
        if isinstance(received, SourceUnreadable):
            raise received
        if received is None:
            return
        yield received


def _batches(task: Task, size: int) -> Iterator[list[Row]]:
    reading = read(task)
    while batch := list(islice(reading, size)):
        yield batch


def read(task: Task) -> Iterator[Row]:
    """The rows of a task, in this process."""
    with Spool(task.spool) as spool:
        reader = _Reader(task, spool)
        for spooled in spool.rows(after=task.after):
            yield reader.row(spooled)


def prepare_one(task: Task, number: int) -> Prepared | Refused | None:
    """One row of a spool, read whether or not it is the same; None when it is not kept any more."""
    with Spool(task.spool) as spool:
        spooled = spool.row(number)
        if spooled is None:
            return None
        row = _Reader(task, spool).row(replace(spooled, digest=None))
    return None if isinstance(row, Same) else row


class _Reader:
    """Makes rows of what a spool has of them."""

    def __init__(self, task: Task, spool: Spool) -> None:
        self._task = task
        self._spool = spool
        self._read: Read = spool.read()
        self._reading: Reading | None = None
        # Stands for what links could lead to: when that changes, rows are read again.
        self._linked = _fingerprint_of(spool.external_ids()) if self._read.links_inside else ""

    def row(self, spooled: SpooledRow) -> Row:
        item = spooled.row
        if isinstance(item, Problem):
            return Refused(spooled.number, item)
        name = item.type or self._task.type
        content_type = self._task.types.get(name)
        if content_type is None:
            said = f"Entries of type '{name[:100]}' are not imported here, or not by who imports this."
            return Refused(spooled.number, _problem(item, "/type", "not_imported", said))
        digest = _digest(item, of=content_type, linked=self._linked or self._missing(item))
        if spooled.digest == digest and (item.draft or not (spooled.unpublished and self._task.publish)):
            return Same(spooled.number, item.origin, item.external_id, spooled.entry_id or "")
        try:
            return self._prepared(content_type, spooled, item, digest)
        except InvalidContent as refusal:
            fault = refusal.faults[0]
            return Refused(spooled.number, _problem(item, fault.pointer, fault.code, fault.message))

    def _missing(self, item: Item) -> str:
        """Stands for what the row itself names and what did not come in: when it does, the row is read again."""
        links = {(one.kind, one.external_id) for one in _links_in(list(item.fields.values()))}
        missing = sorted(f"{kind}:{id}" for kind, id in links if self._entry_of(kind, id) is None)
        return _fingerprint(missing) if missing else ""

    def _prepared(self, content_type: ContentType, spooled: SpooledRow, item: Item, digest: str) -> Prepared:
        problems: list[Problem] = []
        resolve = self._resolver(item, problems)
        given = self._given(content_type, item, resolve, problems)
        read = content.read(content_type, given, resolve=resolve)
        # Told of the newest content alone: what earlier ones link to is history.
        history = tuple(self._past(content_type, item, number) for number in range(len(item.history)))
        return Prepared(
            number=spooled.number,
            item=replace(item, fields={}, source_fields={}, history=(), mapped={}, raw=None),
            type=content_type.name,
            entry_id=spooled.entry_id or "",
            fields=read.fields,
            derived=content.derive(content_type, read.fields),
            rendered=render(content_type, read.fields),
            digest=digest,
            warnings=read.warnings,
            problems=tuple(problems),
            history=history,
        )

    def _past(self, content_type: ContentType, item: Item, number: int) -> PreparedPast:
        past = item.history[number]
        problems: list[Problem] = []
        resolve = self._resolver(item, problems)
        given = self._given(content_type, replace(item, fields=past.fields), resolve, problems)
        fields = content.read(content_type, given, resolve=resolve).fields
        return PreparedPast(fields, content.derive(content_type, fields), past.at, past.by, past.note)

    def _given(
        self, content_type: ContentType, item: Item, resolve: Resolve, problems: list[Problem]
    ) -> dict[str, Any]:
        fields = {name: self._linked_value(value, item, problems) for name, value in item.fields.items()}
        found = {name: value for name, value in fields.items() if value is not _MISSING}
        given, rest = _sorted_out(content_type, found, item.source_fields)
        cover = item.fields.get("cover")
        if isinstance(cover, str) and "cover" in given:
            given["cover"] = resolve("image", cover)
        if rest:
            given["source_fields"] = rest
        return given

    def _linked_value(self, value: Any, item: Item, problems: list[Problem]) -> Any:
        """A value with the ids of entries in the place of links. What links to nothing is left out of lists."""
        if isinstance(value, Link):
            entry_id = self._entry_of(value.kind, value.external_id)
            if entry_id is None:
                said = f"There is no row or file {value.external_id[:200]!r} in the source that came in."
                problems.append(_problem(item, None, "missing_target", said, warning=True))
            return entry_id or _MISSING
        if isinstance(value, list | tuple):
            linked = [self._linked_value(member, item, problems) for member in value]
            return [member for member in linked if member is not _MISSING]
        if isinstance(value, dict):
            linked_members = {name: self._linked_value(member, item, problems) for name, member in value.items()}
            found = {name: member for name, member in linked_members.items() if member is not _MISSING}
            # An item of a menu that leads nowhere goes, unless it has others below it.
            return found if len(found) == len(value) or found.get("children") else _MISSING
        return value

    def _entry_of(self, kind: str, external_id: str) -> str | None:
        return self._spool.item(external_id) if kind == "item" else self._spool.asset(external_id)

    def _resolver(self, item: Item, problems: list[Problem]) -> Resolve:
        def resolve(_kind: str, url: str) -> str | None:
            if not self._read.links_inside:
                return None
            target = self._open().target(item.origin.file, url)
            if isinstance(target, Problem):
                problems.append(target)
            if not isinstance(target, Target):
                return None
            keys = (target.external_id, *target.otherwise)
            return next((id for key in keys if (id := self._entry_of(target.kind, key)) is not None), None)

        return resolve

    def _open(self) -> Reading:
        if self._reading is None:
            self._reading = FORMATS[self._read.format].read(self._read.path, self._read.options)
        return self._reading


_MISSING: Any = object()


def _links_in(value: Any) -> Iterator[Link]:
    if isinstance(value, Link):
        yield value
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _links_in(member)


def _problem(item: Item, pointer: str | None, code: str, reason: str, *, warning: bool = False) -> Problem:
    place = item.origin
    return Problem(place.file, place.line, pointer, code, reason, warning=warning, external_id=item.external_id)


def _sorted_out(
    content_type: ContentType, fields: dict[str, Any], source_fields: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a type has fields for, and the rest. A type that staff made finds its fields under their own names."""
    if content_type.revision is None:
        return dict(fields), source_fields
    given: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in {**source_fields, **fields}.items():
        field = content_type.field(name)
        if field is None or field.name == "source_fields":
            rest[name] = value
        else:
            # An address of a cover is resolved later; a text stands in front matter for numbers and dates.
            given[name] = value if name == "cover" else cast(field, value)
    return given, rest


def _digest(item: Item, *, of: ContentType, linked: str) -> str:
    """A row's fingerprint. `linked` stands for what its links could lead to: when that changes, it is read again."""
    authors = [author.key for author in item.byline]
    kind = [of.name] if of.revision is None else [of.name, of.revision]
    place = [*kind, item.locale, item.section, item.slug, item.first_published_at, item.draft]
    dates = [one for one in (item.created_at, item.changed_at) if one is not None]
    return _fingerprint([linked, place, authors, item.fields, item.source_fields, *dates])


def _fingerprint(value: object) -> str:
    return hashlib.blake2b(_canonical(value), digest_size=16).hexdigest()


def _fingerprint_of(names: Iterator[str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        digest.update(_canonical(name))
    return digest.hexdigest()


def _canonical(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str)


def main() -> None:
    """The reading process. Its documents have no cycles: the collector would only slow it down."""
    gc.disable()
    # Visitors and editors come first.
    os.nice(10)
    task: Task = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    try:
        for batch in _batches(task, int(sys.argv[1])):
            _tell(batch)
        _tell(None)
    except SourceUnreadable as error:
        _tell(error)


def _tell(told: object) -> None:
    pickle.dump(told, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.flush()
