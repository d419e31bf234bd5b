"""Items of one Directus collection, as its JSON export and its API give them: an array, or one under `data`."""

import re
from collections.abc import Iterator, Set
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from cms.import_formats.item import (
    Asset,
    Author,
    Format,
    Item,
    Link,
    Options,
    Origin,
    Problem,
    SourceUnreadable,
    Target,
)
from cms.import_formats.nested_values import EMPTY
from cms.import_formats.row_items import MARKUP
from cms.import_formats.safe_values import Refused, safe
from cms.import_formats.typed_content import Reference, composed, first_text, guesses
from cms.import_formats.whole_document import document_in, items_of, members, moment, opened, read_document, rows, words

_ID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_WHOLE_ID = re.compile(_ID)
_FILE = re.compile(rf"(?:https?://[^/\s]+)?/assets/({_ID})")
_FILE_MEMBERS = frozenset({"filename_disk", "filename_download"})
_FILE_NAMES = re.compile(r"image|cover|photo|picture|thumbnail|banner|hero|file|avatar|logo", re.IGNORECASE)
_OWN = frozenset({"status", "sort", "date_created", "date_updated", "user_updated"})
_LOOKED_AT = 200
_LONG = 256


def read(source: Path, options: Options) -> "DirectusItems":
    """Opens a file, or a folder that has one in it. Raises `SourceUnreadable`."""
    return DirectusItems(opened(source, _looks_right, kind="JSON array of items"), options)


class DirectusItems:
    """The items in their own order. Files are on the server that `base_url` names."""

    links_inside = True

    def __init__(self, path: Path, options: Options) -> None:
        self._path = path
        self._options = options
        self._base = options.choices.get("base_url", "").rstrip("/")

    @cached_property
    def _items(self) -> list[Any]:
        document = read_document(self._path)
        found = document.get("data") if isinstance(document, dict) else document
        if not isinstance(found, list):
            raise SourceUnreadable(str(self._path), "is no array of items, nor has one under data")
        return found

    @cached_property
    def _guesses(self) -> dict[str, str]:
        kinds: dict[str, str] = {}
        for row in islice(rows(self._items), _LOOKED_AT):
            for name, value in row.items():
                kind = _kind(name, value)
                if kind and (name not in kinds or kind == "rich"):
                    kinds[name] = kind
        return guesses({name: kind for name, kind in kinds.items() if name not in _OWN and name != "id"})

    def items(self) -> Iterator[Item | Problem]:
        """One for each member of the array."""
        return items_of(self._path.name, self._items, self._item)

    def count(self) -> int:
        """The members of the array."""
        return len(self._items)

    def people(self) -> Iterator[Author]:
        """None besides those in bylines."""
        return iter(())

    def assets(self) -> Iterator[Asset]:
        """The files that items show or link to, each once."""
        seen = set()
        for row in rows(self._items):
            for name, value in row.items():
                for external_id in _files(name, value):
                    found = self.asset(external_id) if external_id not in seen else None
                    if found is not None:
                        seen.add(external_id)
                        yield found

    def asset(self, external_id: str) -> Asset | None:
        """A file by its id, where the server is known."""
        if not self._base or not _WHOLE_ID.fullmatch(external_id):
            return None
        return Asset(external_id, None, f"{self._base}/assets/{external_id}")

    def target(self, origin_file: str, url: str) -> Target | Problem | None:
        """A file by its address."""
        found = _FILE.match(url.strip())
        if not found:
            return None
        if self._base:
            return Target("asset", found[1].lower())
        said = "The file is on the Directus server: choose base_url, such as https://cms.example.org."
        return Problem(origin_file, None, "body", "missing_target", said, warning=True)

    def _item(self, row: Any, seen: Set[str]) -> Item:
        if not isinstance(row, dict):
            raise Refused("not_an_object", "An item must be a JSON object.")
        row = safe(row)
        values = {name: self._value(name, value) for name, value in row.items() if name not in _OWN and name != "id"}
        status = words(row.get("status"))
        usual = {
            "title": first_text(values, ("title", "name", "headline", "heading", "label")),
            "locale": self._options.locale,
            "draft": status not in ("", "published"),
            "created_at": moment(row, "date_created"),
            "changed_at": moment(row, "date_updated"),
        }
        return composed(
            {name: value for name, value in values.items() if value not in EMPTY},
            key=words(row.get("id")),
            seen=seen,
            origin=Origin(self._path.name),
            options=self._options,
            guessed=self._guesses,
            usual=usual,
        )

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(name, _inner(member)) for member in value]
        file = _file_id(name, value)
        if file:
            return Reference(file, Link("asset", file) if self.asset(file) else None)
        return _named(value) if isinstance(value, dict) else value


def _kind(name: str, value: Any) -> str:
    """What a value is, as `guesses` calls it; "" where it says nothing."""
    if value in EMPTY:
        return ""
    if _file_id(name, value):
        return "file"
    if not isinstance(value, str):
        return "other"
    if _WHOLE_ID.fullmatch(value):
        return "id"
    if len(value) > _LONG or "\n" in value or MARKUP.search(value):
        return "rich" if MARKUP.search(value) else "long"
    return "text"


def _file_id(name: str, value: Any) -> str:
    """The id of a file; "" for what is none."""
    if isinstance(value, dict) and value.keys() & _FILE_MEMBERS:
        value = value.get("id")
    elif not (isinstance(value, str) and _FILE_NAMES.search(name)):
        return ""
    return value.lower() if isinstance(value, str) and _WHOLE_ID.fullmatch(value) else ""


def _files(name: str, value: Any) -> Iterator[str]:
    for member in map(_inner, value) if isinstance(value, list) else (value,):
        file = _file_id(name, member)
        if file:
            yield file
        elif isinstance(member, str):
            yield from (found[1].lower() for found in _FILE.finditer(member))


def _inner(member: Any) -> Any:
    """What a row of a junction table leads to."""
    told = [value for name, value in members(member).items() if name.endswith("_id") and isinstance(value, dict)]
    return told[0] if len(told) == 1 else member


def _named(value: dict[str, Any]) -> dict[str, Any]:
    """A person has a first and a last name in Directus."""
    whole = " ".join(filter(None, (words(value.get(name)) for name in ("first_name", "last_name"))))
    return {"name": whole, **value} if whole and "name" not in value else value


def _looks_right(start: bytes) -> bool:
    return re.match(rb'(?:\{\s*"data"\s*:\s*)?\[\s*\{\s*"', start) is not None


def _recognise(source: Path) -> int:
    return 30 if source.exists() and document_in(source, _looks_right) else 0


FORMAT = Format("Items of a Directus collection", read, _recognise, mappable=True, choices={"base_url": ()})
