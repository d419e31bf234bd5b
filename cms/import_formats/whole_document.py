"""Sources that are one document: read whole, so they have a largest size; what is in them is a stranger's."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from cms.import_formats.item import LONGEST_EXTERNAL_ID, Item, Problem, SourceUnreadable
from cms.import_formats.known_values import instant
from cms.import_formats.safe_values import Refused

LARGEST = 200 * 1024 * 1024
BEGINNING = 64 * 1024
_DEEPEST_FOLDER = 3
_MOST_FILES = 200


def read_document(path: Path, *, largest: int = LARGEST) -> Any:
    """What the file holds. Raises `SourceUnreadable` for what is no JSON, or is larger than `largest` bytes."""
    content = whole(path, largest=largest).removeprefix(b"\xef\xbb\xbf")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return _leniently(content, path, error)


def _leniently(content: bytes, path: Path, error: orjson.JSONDecodeError) -> Any:
    """What is wrong in one value only, such as half of a surrogate pair, is then told where it stands."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise SourceUnreadable(str(path), f"is not JSON: {error.msg} in line {error.lineno}") from None


def whole(path: Path, *, largest: int) -> bytes:
    """All bytes of a file. Raises `SourceUnreadable`."""
    try:
        if path.stat().st_size > largest:
            told = f"is larger than {largest // 1024 // 1024} MB: export it in parts and import them one after another"
            raise SourceUnreadable(str(path), told)
        return path.read_bytes()
    except OSError as error:
        raise SourceUnreadable(str(path), error.strerror or "cannot be read") from error


def beginning(path: Path) -> bytes:
    """The first bytes of a file; none of what is no file."""
    try:
        with path.open("rb") as file:
            return file.read(BEGINNING).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return b""


def document_in(
    source: Path, looks_right: Callable[[bytes], bool], *, suffixes: tuple[str, ...] = (".json",)
) -> Path | None:
    """The source itself, or the first file below the folder, whose beginning looks right."""
    candidates = [source] if source.is_file() else islice(_files(source, suffixes), _MOST_FILES)
    return next((path for path in candidates if looks_right(beginning(path))), None)


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < _DEEPEST_FOLDER else []
        yield from (Path(place) / name for name in sorted(files) if name.lower().endswith(suffixes))


def opened(
    source: Path, looks_right: Callable[[bytes], bool], *, kind: str, suffixes: tuple[str, ...] = (".json",)
) -> Path:
    """The document of a source. Raises `SourceUnreadable` where there is none of that kind."""
    if not source.exists():
        raise SourceUnreadable(str(source), "is not there")
    found = document_in(source, looks_right, suffixes=suffixes)
    if found is None:
        raise SourceUnreadable(str(source), f"is no {kind}")
    return found


def inside(root: Path, relative: str) -> Path | None:
    """A file below the root; None where there is none, or it is a link that leads out."""
    try:
        path = (root / relative).resolve()
        return path if path.is_relative_to(root.resolve()) and path.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None


def rows(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; nothing of anything else."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def members(value: Any) -> Mapping[str, Any]:
    """An object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def words(value: Any) -> str:
    """A text or a number as text, without spaces around it; "" for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def key_of(value: Any, name: str, seen: Set[str]) -> str:
    """An id as an external id. Raises `Refused` for none, a long one, or one of those `seen`."""
    key = words(value)
    if not key:
        raise Refused("missing", "An item needs an id of its own, the same in every run.", field=name)
    if len(key) > LONGEST_EXTERNAL_ID:
        raise Refused("too_long", f"An external id has at most {LONGEST_EXTERNAL_ID} characters.", field=name)
    if key in seen:
        raise Refused("duplicate", f"An earlier item has the external id {key!r}.", field=name)
    return key


def items_of(file: str, rows: Iterable[Any], read: Callable[[Any, Set[str]], Item]) -> Iterator[Item | Problem]:
    """What `read` makes of each row, which it gets with the external ids before it; a problem for what it refuses."""
    seen: set[str] = set()
    for row in rows:
        try:
            item = read(row, seen)
        except Refused as refused:
            yield Problem(file, None, refused.field, refused.code, refused.reason)
        else:
            seen.add(item.external_id)
            yield item


def moment(row: Mapping[str, Any], name: str) -> datetime | None:
    """An instant, written as ISO 8601 or as milliseconds since 1970; None when absent. Raises `Refused`."""
    value = row.get(name)
    if value in (None, ""):
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        return instant(value)
    except (OverflowError, ValueError, OSError):
        raise Refused("bad_date", "The date is out of range.", field=name) from None
    except Refused as refused:
        raise Refused(refused.code, refused.reason, field=name) from None
