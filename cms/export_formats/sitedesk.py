"""Our own shape: everything that people made, one JSON object a line, to make an equal site of.

`line` tells what it is: site, person, type, type_revision, file, entry, revision, redirect, departure, shown_file,
file_entry, stopped_counter, banner_day, end. Members are the columns of our tables; what can be told from the rest is
left out. An entry's line has its revisions, the newest last; where they are large, its older ones follow in lines of
their own. Nothing that opens a door is told: no passwords, sessions or keys.

As `sitedesk` a zip of `site.jsonl` and the bytes of files, `media/<sha256>`; as `jsonl` the lines alone.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, undefer

from cms.clock import written
from cms.content_types import leaves
from cms.custom_types import site_types
from cms.database import Base
from cms.export_formats.protocol import (
    Exported,
    ExportedRevision,
    ExportFormat,
    ExportOptions,
    Kept,
    Piece,
    Site,
)
from cms.json_columns import among
from cms.tables.banner_views import BannerDay
from cms.tables.entries import Departure, Entry, Revision, StoredFile
from cms.tables.people import Person
from cms.tables.publications import Publication, Redirect, Schedule, ShownFile, StoppedCounter
from cms.tables.types import CustomType, TypeRevision

VERSION = 1
MAIN = "site.jsonl"
# Revisions beyond so many bytes stand in lines of their own, so that a line stays small enough to be read whole.
_IN_ONE_LINE = 4 * 1024 * 1024
_AT_ONCE = 500

# How often redirects answered is what the public does, not what people made.
_LEFT_OUT: dict[type[Base], frozenset[str]] = {
    Redirect: frozenset({"hits", "last_hit_at"}),
    StoredFile: frozenset({"entry_id"}),
    CustomType: frozenset({"digest"}),
}
ENTRY_COLUMNS = (
    "id",
    "type",
    "translation_group",
    "revision",
    "published_revision",
    "first_published_at",
    "published_at",
    "created_at",
    "created_by",
    "changed_at",
    "trashed_at",
    "source_name",
    "source_id",
    "source_digest",
    "source_revision",
)


class SiteLines:
    """Writes the lines. `sorted_keys`: members in the order of their names, so that equal contents are equal bytes
    whatever order their members were stored in."""

    def __init__(self, site: Site, options: ExportOptions, *, media: bool, sorted_keys: bool = False) -> None:
        self._site = site
        self._options = options
        self._media = media
        self._order = orjson.OPT_SORT_KEYS if sorted_keys else 0

    def start(self) -> Iterator[Piece]:
        """The site, people, types; and with everything all files, the settings and the structure.

        Each line stands behind those that it needs."""
        site = self._site
        about = {"version": VERSION, "name": site.name, "url": site.url, "locales": list(site.locales)}
        about |= {"everything": self._options.everything, "entries": self._options.total}
        yield self._line("site", about)
        yield from self._rows("person", Person, Person.id)
        if self._options.everything:
            yield from self._files(StoredFile.sha256.is_not(None))
            # Types have names in the locales that the settings name.
            yield from self._singles("settings")
        yield from self._rows("type", CustomType, CustomType.name)
        yield from self._rows("type_revision", TypeRevision, TypeRevision.type, TypeRevision.number)
        if self._options.everything:
            yield from self._singles("structure")

    def entry(self, one: Exported) -> Iterator[Piece]:
        """An entry with its history; with a filter, the files that it holds before it."""
        if self._options.everything:
            if not one.content_type.single:
                yield from self._entry(one.id)
            return
        found = sorted({sha256 for row in self._site.revisions(one.id) for sha256 in self._held(one.type, row)})
        for start in range(0, len(found), _AT_ONCE):
            some = found[start : start + _AT_ONCE]
            yield from self._files(among(StoredFile.sha256, _with_pictures(self._site.session, some)))
        yield from self._entry(one.id)

    def end(self) -> Iterator[Piece]:
        """What refers to entries: redirects, and what is remembered of places, files and views."""
        if self._options.everything:
            yield from self._rows("redirect", Redirect, Redirect.id)
            yield from self._rows("departure", Departure, Departure.section, Departure.entry_id)
            yield from self._rows("shown_file", ShownFile, ShownFile.sha256, ShownFile.entry_id)
            made_for = select(StoredFile.sha256, StoredFile.entry_id).where(StoredFile.entry_id.is_not(None))
            for row in self._site.session.execute(made_for.order_by(StoredFile.sha256)).yield_per(_AT_ONCE):
                yield self._line("file_entry", {"sha256": row.sha256, "entry_id": row.entry_id})
            yield from self._rows("stopped_counter", StoppedCounter, StoppedCounter.counter)
            yield from self._rows("banner_day", BannerDay, BannerDay.banner_id, BannerDay.placement, BannerDay.day)
        yield self._line("end", {"entries": self._options.total})

    # --- lines ---

    def _line(self, kind: str, values: dict[str, Any]) -> bytes:
        return orjson.dumps({"line": kind, **values}, option=self._order | orjson.OPT_APPEND_NEWLINE)

    def _rows(self, kind: str, table: type[Base], *keys: Any) -> Iterator[Piece]:
        left_out = _LEFT_OUT.get(table, frozenset())
        for row in self._site.session.scalars(select(table).order_by(*keys)).yield_per(_AT_ONCE):
            yield self._line(kind, columns_of(row, left_out))

    def _files(self, which: ColumnElement[bool]) -> Iterator[Piece]:
        # A page's picture before the document that it shows.
        order = (StoredFile.picture.is_not(None), StoredFile.sha256)
        wanted = select(StoredFile).where(which).order_by(*order).options(undefer(StoredFile.text))
        for row in self._site.session.scalars(wanted).yield_per(_AT_ONCE):
            yield self._line("file", columns_of(row, _LEFT_OUT[StoredFile]))
            if self._media:
                yield Kept(f"media/{row.sha256}", row.sha256)

    def _singles(self, type_name: str) -> Iterator[Piece]:
        for id in self._site.session.scalars(select(Entry.id).where(Entry.type == type_name)).all():
            yield from self._entry(id)

    def _entry(self, id: str) -> Iterator[Piece]:
        wanted = select(Entry, Publication, Schedule).where(Entry.id == id)
        wanted = wanted.outerjoin(Publication, Publication.entry_id == Entry.id)
        wanted = wanted.outerjoin(Schedule, Schedule.entry_id == Entry.id)
        entry, publication, schedule = self._site.session.execute(wanted).one()
        values = {name: _plain(getattr(entry, name)) for name in ENTRY_COLUMNS}
        values["publication"] = publication and {"changed_at": written(publication.changed_at)}
        values["schedule"] = schedule and columns_of(schedule, frozenset({"entry_id"}))
        needed = {entry.published_revision, schedule.revision if schedule else None}
        inside, outside = self._revisions(entry, {number for number in needed if number is not None})
        values["revisions"] = inside
        yield self._line("entry", values)
        for number in outside:
            one = self._site.session.get_one(Revision, (id, number))
            yield self._line("revision", {"entry_id": id, **revision_values(one)})

    def _revisions(self, entry: Entry, needed: set[int]) -> tuple[list[dict[str, Any]], list[int]]:
        """Those that stand in the entry's line, in order, and the numbers of the others."""
        inside: list[dict[str, Any]] = []
        outside: list[int] = []
        size = 0
        for number in range(entry.revision, 0, -1):
            if size < _IN_ONE_LINE or number in needed:
                values = revision_values(self._site.session.get_one(Revision, (entry.id, number)))
                size += len(orjson.dumps(values))
                if size < _IN_ONE_LINE or number in needed or number == entry.revision:
                    inside.append(values)
                    continue
            outside.append(number)
        return inside[::-1], outside[::-1]

    def _held(self, type_name: str, revision: ExportedRevision) -> Iterator[str]:
        of = site_types.as_it_was(self._site.session, type_name, revision.type_revision)
        return (
            value["sha256"] for field, _, value in leaves(of.fields, revision.fields, at="") if field.kind == "upload"
        )


def revision_values(one: Revision) -> dict[str, Any]:
    """A revision's columns, without the entry's id."""
    return columns_of(one, frozenset({"entry_id"}))


def columns_of(row: Base, left_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A row's columns as JSON can hold them."""
    names = (column.key for column in row.__mapper__.column_attrs)
    return {name: _plain(getattr(row, name)) for name in names if name not in left_out}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return written(value)
    return value.isoformat() if isinstance(value, date) else value


def _with_pictures(session: Session, sha256: Sequence[str]) -> list[str]:
    pictures = select(StoredFile.picture).where(among(StoredFile.sha256, sha256), StoredFile.picture.is_not(None))
    return sorted({*sha256, *(one for one in session.scalars(pictures) if one is not None)})


FORMAT = ExportFormat(
    "Everything, to import again: people, types, structure, history and files",
    suffix="zip",
    media_type="application/zip",
    open=lambda site, options: SiteLines(site, options, media=True),
    folder=True,
    main=MAIN,
    whole=True,
)
LINES = ExportFormat(
    "The same without the files' bytes: JSON, one object a line",
    suffix="jsonl",
    media_type="application/x-ndjson",
    open=lambda site, options: SiteLines(site, options, media=False),
    whole=True,
)
