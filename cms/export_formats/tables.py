"""A table (CSV) of all entries that have a text: a row each, the columns that the import knows, and those of types that
staff made. What a spreadsheet would take for a formula and carry out gets an apostrophe before it."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from cms.clock import written
from cms.content_types import ContentType, Field
from cms.custom_types import site_types
from cms.export_formats import texts
from cms.export_formats.protocol import Exported, ExportFormat, ExportOptions, Piece, Site

# With an apostrophe before it already, it gets one more: whoever reads takes one away.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARK = b"\xef\xbb\xbf"
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
_NOT_OWN = frozenset({"title", "summary", "body", "cover", "topics", "seo", "source_fields"})

_COLUMNS: Mapping[str, Callable[[Exported], Any]] = {
    "id": lambda one: one.id,
    "content_type": lambda one: one.type,
    "locale": lambda one: one.locale,
    "section": lambda one: "/".join(one.section_path),
    "slug": lambda one: one.slug,
    "path": lambda one: one.path,
    "state": lambda one: one.state,
    "title": lambda one: one.title,
    "summary": lambda one: one.fields.get("summary"),
    "topics": lambda one: one.fields.get("topics"),
    "byline": lambda one: [person.name for person in one.byline],
    "first_published_at": lambda one: one.first_published_at,
    "published_at": lambda one: one.published_at,
    "created_at": lambda one: one.created_at,
    "changed_at": lambda one: one.changed_at,
    "old_paths": lambda one: list(one.old_paths),
}


class TableWriter:
    """Writes a header, and a row for each entry of a type with pages or of staff's own."""

    def __init__(self, site: Site, options: ExportOptions) -> None:
        self._site = site
        self._delimiter = _DELIMITERS[options.choices.get("delimiter", "comma")]
        self._marked = options.choices.get("mark", "yes") == "yes"
        self._own = _own_columns(site)

    def start(self) -> Iterator[Piece]:
        """The names of the columns."""
        header = self._line([*_COLUMNS, "cover", "body_html", *self._own.values()])
        yield _MARK + header if self._marked else header

    def entry(self, one: Exported) -> Iterator[Piece]:
        """A row."""
        if not has_row(one.content_type):
            return
        known = [_plain(read(one)) for read in _COLUMNS.values()]
        held = {name: self._value(one, name) for name in ("cover", "body", *self._own)}
        yield self._line([_cell(value) for value in (*known, *held.values())])

    def end(self) -> Iterator[Piece]:
        """Nothing."""
        return iter(())

    def _value(self, one: Exported, name: str) -> Any:
        field, value = one.content_type.field(name), one.fields.get(name)
        return None if field is None or value is None else self._told(field, value, one.locale)

    def _told(self, field: Field, value: Any, locale: str) -> Any:
        if field.kind == "rich_text":
            return texts.html(self._site, value, locale=locale)
        if field.kind == "reference":
            return self._address(value)
        if field.kind == "references":
            return [self._address(id) for id in value]
        return _plain(value)

    def _address(self, id: str) -> str:
        found = self._site.destination(id)
        return (texts.public_address(self._site, found) if found else None) or id

    def _line(self, cells: list[str]) -> bytes:
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=self._delimiter, lineterminator="\r\n").writerow(cells)
        return line.getvalue().encode()


def has_row(content_type: ContentType) -> bool:
    """Whether entries of that type are rows: those with pages, and those of types that staff made."""
    return content_type.routable or content_type.revision is not None


def _own_columns(site: Site) -> dict[str, str]:
    """The fields that only some types have, with the names of their columns."""
    types = (one for one in site_types.all_of(site.session).values() if has_row(one))
    names = dict.fromkeys(field.name for one in types for field in one.fields if field.name not in _NOT_OWN)
    taken = {*_COLUMNS, "cover", "body_html"}
    return {name: f"fields.{name}" if name in taken else name for name in names}


def _plain(value: Any) -> Any:
    return written(value) if isinstance(value, datetime) else value


def _cell(value: Any) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # A number is no formula.
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else _listed(value)
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def _listed(value: Any) -> str:
    """Texts with semicolons between, where they can be told apart again; JSON otherwise."""
    if isinstance(value, list) and all(isinstance(member, str) and _is_simple(member) for member in value):
        return "; ".join(value) if len(value) > 1 or "," not in value[0] else _json(value)
    return _json(value)


def _is_simple(text: str) -> bool:
    return bool(text) and text == text.strip() and not text.startswith("[") and not {";", "\n"} & set(text)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


FORMAT = ExportFormat(
    "A table (CSV)",
    "csv",
    "text/csv; charset=utf-8",
    TableWriter,
    choices={"mark": ("yes", "no"), "delimiter": tuple(_DELIMITERS)},
)
