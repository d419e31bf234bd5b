"""The first look at a source: all of it goes into a spool, with what staff should know before it comes in.

It runs in a process of its own, where that pays: a source is read by one core, and may need time and memory that the
server must not lend it.
"""

import os
import pickle
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from cms.import_formats import FORMATS, Item, Link, Options, Problem, SourceUnreadable
from cms.imports import spool
from cms.imports.spool import Read, SpoolWriter

_SHOWN_PROBLEMS = 100
_MOST_FIELDS = 500
_SAMPLES = 3
_LONGEST_SAMPLE = 120
_TELL_EVERY = 100
# Seconds.
_PATIENCE = 1.0
# Below it, a process of its own costs more than it spares.
_SMALL_FILE = 500_000
_SMALL_FOLDER = 100


class AnalysisFailed(Exception):
    """The reading process ended before its work was done."""


@dataclass(frozen=True)
class Survey:
    """What is to be read, and where the spool shall stand."""

    format: str
    path: Path
    options: Options
    target: Path


def survey(wanted: Survey, *, going_on: Callable[[], object]) -> Iterator[int | dict[str, Any]]:
    """Read a source into a spool. Tells how many rows have been read, and at last the analysis.

    `going_on` is called now and then and may raise to stop. Raises `SourceUnreadable`, `AnalysisFailed`."""
    told = _in_this_process(wanted) if _is_small(wanted.path) else _in_a_process(wanted)
    try:
        for one in told:
            going_on()
            yield one
    finally:
        told.close()


def _is_small(path: Path) -> bool:
    if path.is_file():
        return path.stat().st_size < _SMALL_FILE
    files = (one for one in path.rglob("*") if one.is_file())
    return sum(1 for _ in zip(range(_SMALL_FOLDER), files, strict=False)) < _SMALL_FOLDER


def _in_a_process(wanted: Survey) -> Any:
    # Not -m: what the child pickles must name this module, not its __main__.
    command = [sys.executable, "-c", "from cms.imports.analysis import main; main()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:  # noqa: S603
        if reader.stdin is None or reader.stdout is None:
            raise AnalysisFailed("no pipes")
        try:
            with suppress(BrokenPipeError):
                pickle.dump(wanted, reader.stdin)
                reader.stdin.close()
            yield from _received(reader.stdout)
        finally:
            reader.kill()


def _received(source: IO[bytes]) -> Iterator[int | dict[str, Any]]:
    last = 0
    while True:
        # A page that takes long must not keep the job from being stopped.
        if not select.select([source], [], [], _PATIENCE)[0]:
            yield last
            continue
        try:
            told = pickle.load(source)  # noqa: S301 - from our own child
        except EOFError as error:
            raise AnalysisFailed("the reading process ended early; out of memory?") from error
        if isinstance(told, SourceUnreadable):
            raise told
        yield told
        if isinstance(told, dict):
            return
        last = told


def main() -> None:
    """The reading process."""
    # Visitors and editors come first.
    os.nice(10)
    wanted: Survey = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    try:
        for told in _in_this_process(wanted):
            _tell(told)
    except SourceUnreadable as error:
        _tell(error)


def _tell(told: object) -> None:
    pickle.dump(told, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _in_this_process(wanted: Survey) -> Any:
    reading = FORMATS[wanted.format].read(wanted.path, wanted.options)
    seen = _Seen()
    with spool.written(wanted.target) as writer:
        for author in reading.people():
            writer.add_person(author)
        for number, row in enumerate(reading.items(), start=1):
            seen.add(_taken(writer, row))
            if number % _TELL_EVERY == 0:
                yield number
        for number, asset in enumerate(reading.assets(), start=1):
            writer.add_asset(asset)
            if number % _TELL_EVERY == 0:
                yield seen.rows
        writer.keep(Read(wanted.format, wanted.path, wanted.options, reading.links_inside))
    with spool.Spool(wanted.target) as whole:
        found = {"sections": "sections", "people": "people", "files": "assets", "old_paths": "old_paths"}
        counts = {name: whole.count(table) for name, table in found.items()}
    yield seen.told(wanted, counts)


def _taken(writer: SpoolWriter, row: Item | Problem) -> Item | Problem:
    # A warning of the source as a whole is no row of it.
    if isinstance(row, Problem) and row.warning:
        return row
    return writer.add(row)


class _Seen:
    """What the rows have shown."""

    def __init__(self) -> None:
        self.rows = 0
        self._entries = 0
        self._types: Counter[str] = Counter()
        self._problems = 0
        self._first: list[dict[str, Any]] = []
        self._fields: dict[str, dict[str, Any]] = {}

    def add(self, row: Item | Problem) -> None:
        """Look at one more."""
        self.rows += 1
        if isinstance(row, Problem):
            self._problems += 1
            if len(self._first) < _SHOWN_PROBLEMS:
                self._first.append({name: value for name, value in asdict(row).items() if name != "raw"})
            return
        self._entries += 1
        self._types[row.type or ""] += 1
        for name, meaning in row.mapped.items():
            self._fill(name, meaning, _value_of(row, meaning))
        for name, value in row.source_fields.items():
            self._fill(name, None, value)

    def _fill(self, name: str, meaning: str | None, value: object) -> None:
        if name not in self._fields and len(self._fields) >= _MOST_FIELDS:
            return
        field = self._fields.setdefault(name, {"name": name, "meaning": meaning, "filled": 0, "samples": []})
        field["meaning"] = field["meaning"] or meaning
        if value in (None, "", [], {}):
            return
        field["filled"] += 1
        sample = _sample(value)
        if len(field["samples"]) < _SAMPLES and sample and sample not in field["samples"]:
            field["samples"].append(sample)

    def told(self, wanted: Survey, counts: Mapping[str, int]) -> dict[str, Any]:
        """The analysis as JSON."""
        format = FORMATS[wanted.format]
        fields = list(self._fields.values())
        return {
            "format": wanted.format,
            "label": format.label,
            "mappable": format.mappable,
            "rows": self.rows,
            "entries": self._entries,
            "types": {name or wanted.options.type: count for name, count in self._types.items()},
            **counts,
            "problems": {"total": self._problems, "first": self._first},
            "fields": fields,
            "mapping": {field["name"]: field["meaning"] for field in fields if field["meaning"]},
            "choices": {
                name: {"offered": list(offered), "chosen": wanted.options.choices.get(name, next(iter(offered), None))}
                for name, offered in format.choices.items()
            },
        }


def _value_of(item: Item, meaning: str) -> object:
    if meaning == "byline":
        return [author.name for author in item.byline]
    value = item.fields.get(meaning, getattr(item, meaning, None))
    if isinstance(value, Link):
        return value.external_id
    return value.get("value") if isinstance(value, dict) and "format" in value else value


def _sample(value: object) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(str(one) for one in value[:10])
    return " ".join(str(value)[: _LONGEST_SAMPLE * 2].split())[:_LONGEST_SAMPLE]
