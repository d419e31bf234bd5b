"""Indexes on the fields of types that staff made: expressions over `compared`, made and dropped with the fields."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from sqlalchemy import JSON, Column, ColumnElement, Index, MetaData, Table, literal_column, text
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, DropIndex

from cms.content_types import ContentType, Field
from cms.database import Text
from cms.field_kinds import KINDS
from cms.json_columns import member

PREFIX = "ix_compared_"
# Every write to a table looks at each of its indexes, and so does every plan.
MOST_INDEXED = 40
# PostgreSQL cuts off longer names.
_LONGEST = 63

# Each table with its key, and whether it is the public's.
_TABLES: Mapping[str, tuple[str, bool]] = {"publications": ("entry_id", True), "entries": ("id", False)}


@dataclass(frozen=True)
class _Wanted:
    table: str
    type: str
    field: str
    kind: str

    @property
    def name(self) -> str:
        said = f"{self.table}/{self.type}/{self.field}/{self.kind}"
        # Two pairs of names may look the same once they are joined, and a kind that changes is another index.
        told = hashlib.blake2b(said.encode(), digest_size=4).hexdigest()
        return f"{PREFIX}{self.table[0]}_{self.type}_{self.field}"[: _LONGEST - 9] + f"_{told}"


def drop(session: Session, before: ContentType | None, after: ContentType | None) -> None:
    """Drop the indexes of fields that are gone, or are compared in another way."""
    _drop(session, _wanted(before) - _wanted(after))


def drop_unfit(session: Session, before: ContentType, after: ContentType) -> None:
    """Drop the indexes that could not take the new values: a list is longer as a text than an index allows."""
    lists = {field.name for field in after.fields if KINDS[field.kind].compares_as == "list"}
    _drop(session, {one for one in _wanted(before) if one.field in lists})


def create(session: Session, before: ContentType | None, after: ContentType | None) -> None:
    """Make the indexes of fields that are new, or are compared in another way."""
    new = sorted(_wanted(after) - _wanted(before), key=lambda one: one.name)
    for one in new:
        session.execute(CreateIndex(_index(session, one), if_not_exists=True))
    if before is not None and session.get_bind().dialect.name == "postgresql":
        # Of an expression the planner knows nothing before it has looked; by itself it looks when rows change.
        for table in sorted({one.table for one in new}):
            session.execute(text(f"ANALYZE {table}"))


def _drop(session: Session, indexes: Iterable[_Wanted]) -> None:
    for one in indexes:
        session.execute(DropIndex(_index(session, one), if_exists=True))


def _wanted(content_type: ContentType | None) -> frozenset[_Wanted]:
    if content_type is None:
        return frozenset()
    return frozenset(
        _Wanted(table, content_type.name, field.name, KINDS[field.kind].compares_as)
        for table, (_, public) in _TABLES.items()
        for field in content_type.fields
        if field.name in indexed(content_type, public=public)
    )


@lru_cache(1_000)
def indexed(content_type: ContentType, *, public: bool) -> frozenset[str]:
    """The fields whose values a list of this audience finds by an index: the first that it may compare."""
    names = (field.name for field in content_type.fields if _is_compared(field, public=public))
    return frozenset(islice(names, MOST_INDEXED))


def _is_compared(field: Field, *, public: bool) -> bool:
    if field.name == "title" or (public and not field.public):
        return False
    kind = KINDS[field.kind]
    filtered = "eq" in kind.operators and kind.compares_as != "list" and field.offers("filterable", public=public)
    return filtered or field.offers("sortable", public=public)


def _index(session: Session, one: _Wanted) -> Index:
    key, _ = _TABLES[one.table]
    # Not the table of the code: an index that is made of it would belong to it for good.
    columns = (Column(key, Text), Column("type", Text), Column("compared", JSON))
    table = Table(one.table, MetaData(), *columns)
    value: ColumnElement[object] = member(table.c.compared, one.field, kind=one.kind)
    if session.get_bind().dialect.name == "postgresql":
        # As SQLite has them by itself: null is the smallest value.
        value = value.asc().nulls_first()
    of_type: ColumnElement[bool] = literal_column(f"type = '{one.type}'")
    # SQLite would prefer an index of the type, were it to see it: see `cms.listing`.
    unseen: ColumnElement[bool] = literal_column(f"+type = '{one.type}'")
    return Index(one.name, value, table.c[key], sqlite_where=unseen, postgresql_where=of_type)
