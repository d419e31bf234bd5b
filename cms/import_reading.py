"""Reading a source ahead of the database: rows whose values are checked and converted, in a process of its own.

Converting rich text is half of an import's work and needs no database, so it runs on the other core. The parent hands
over a `Task` on standard input and gets batches of rows on standard output, both pickled: each is the other's own code.
"""

import gc
import hashlib
import pickle
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

import orjson

from cms import content
from cms.content import Derived
from cms.content_types import ContentType
from cms.custom_types.carrying import cast
from cms.errors import Fault, InvalidContent
from cms.import_formats import FORMATS, Item, Options, Problem, Reading, Target
from cms.rendering import Rendered, render
from cms.rich_text import Resolve

# A process of its own costs half a second to start.
_WORTH_A_PROCESS = 300


class ReadingFailed(Exception):
    """The reading process ended before its work was done."""


@dataclass(frozen=True)
class Task:
    """What to read, and what its links lead to: ids of entries by the source's own ids.

    `digests` are those of rows that came in before and need no work while they are the same, but for those whose
    entries are `unpublished` and shall not be."""

    format: str
    path: Path
    options: Options
    content_type: ContentType
    entries: Mapping[str, str]
    assets: Mapping[str, str]
    digests: Mapping[str, str]
    unpublished: Container[str]


@dataclass(frozen=True)
class Prepared:
    """An item whose values have been read: nothing slow is left to do with it."""

    item: Item
    fields: dict[str, Any]
    derived: Derived
    rendered: Rendered
    digest: str
    warnings: tuple[Fault, ...]
    problems: tuple[Problem, ...] = ()


Row = Prepared | Problem | Literal["same"]


def rows(task: Task, *, batch: int, expected: int) -> Iterator[list[Row]]:
    """All rows of a source in batches, read by another process where that pays. Raises `ReadingFailed`."""
    if expected < _WORTH_A_PROCESS:
        yield from _batches(task, batch)
        return
    # Not -m: what the child pickles must name this module, not its __main__.
    command = [sys.executable, "-c", "from cms.import_reading import main; main()", str(batch)]
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
            received: list[Row] | None = pickle.load(source)  # noqa: S301 - from our own child
        except EOFError as error:
            raise ReadingFailed("it ended early; out of memory?") from error
        if received is None:
            return
        yield received


def _batches(task: Task, size: int) -> Iterator[list[Row]]:
    reading = read(task)
    while batch := list(islice(reading, size)):
        yield batch


def read(task: Task) -> Iterator[Row]:
    """All rows of a source, in this process."""
    reading = FORMATS[task.format].read(task.path, task.options)
    linked = _fingerprint([sorted(task.entries), sorted(task.assets)]) if reading.links_inside else ""
    for item in reading.items():
        yield item if isinstance(item, Problem) else _row(task, reading, item, linked)


def _row(task: Task, reading: Reading, item: Item, linked: str) -> Row:
    content_type = task.content_type
    digest = _digest(item, of=content_type, linked=linked)
    if task.digests.get(item.external_id) == digest and (item.draft or item.external_id not in task.unpublished):
        return "same"
    problems: list[Problem] = []
    resolve = _resolver(task, reading, item, problems)
    try:
        return prepare(content_type, item, digest=digest, resolve=resolve, problems=problems)
    except InvalidContent as refusal:
        fault = refusal.faults[0]
        return Problem(item.origin.file, item.origin.line, fault.pointer, fault.code, fault.message)


def prepare(
    content_type: ContentType, item: Item, *, digest: str, resolve: Resolve | None = None, problems: list[Problem]
) -> Prepared:
    """Read an item's values. What its links meet on the way is added to `problems`. Raises `InvalidContent`."""
    given, rest = _sorted_out(content_type, item)
    if isinstance(given.get("cover"), str):
        given["cover"] = resolve("image", given["cover"]) if resolve else None
    if rest:
        given["source_fields"] = rest
    read = content.read(content_type, given, resolve=resolve)
    return Prepared(
        replace(item, fields={}, source_fields={}),
        read.fields,
        content.derive(content_type, read.fields),
        render(content_type, read.fields),
        digest,
        read.warnings,
        tuple(problems),
    )


def _sorted_out(content_type: ContentType, item: Item) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a type has fields for, and the rest. A type that staff made finds its fields under their own names."""
    if content_type.revision is None:
        return dict(item.fields), item.source_fields
    given: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in {**item.source_fields, **item.fields}.items():
        field = content_type.field(name)
        if field is None or field.name == "source_fields":
            rest[name] = value
        else:
            # An address of a cover is resolved later; a text stands in front matter for numbers and dates.
            given[name] = value if name == "cover" else cast(field, value)
    return given, rest


def _resolver(task: Task, reading: Reading, item: Item, problems: list[Problem]) -> Resolve:
    def resolve(_kind: str, url: str) -> str | None:
        target = reading.target(item.origin.file, url)
        if isinstance(target, Problem):
            problems.append(target)
        if not isinstance(target, Target):
            return None
        return (task.entries if target.kind == "item" else task.assets).get(target.external_id)

    return resolve


def _digest(item: Item, *, of: ContentType, linked: str) -> str:
    """A row's fingerprint. `linked` stands for what its links could lead to: when that changes, it is read again."""
    authors = [author.key for author in item.byline]
    kind = [of.name] if of.revision is None else [of.name, of.revision]
    place = [*kind, item.locale, item.section, item.slug, item.first_published_at, item.draft]
    return _fingerprint([linked, place, authors, item.fields, item.source_fields])


def _fingerprint(value: object) -> str:
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str), digest_size=16).hexdigest()


def main() -> None:
    """The reading process. Its documents have no cycles: the collector would only slow it down."""
    gc.disable()
    task: Task = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    for batch in _batches(task, int(sys.argv[1])):
        pickle.dump(batch, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()
    pickle.dump(None, sys.stdout.buffer)
    sys.stdout.buffer.flush()
