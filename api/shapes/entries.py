"""Entries as staff see them, their history and usages."""

from typing import Any, Literal

from pydantic import BaseModel
from pydantic import Field as Member

from api.shapes.people import Attribution, Person
from api.shapes.shape import Shape


class Schedule(Shape):
    publish_at: str | None
    unpublish_at: str | None
    zone: str
    revision: int
    failure: str | None


class Source(Shape):
    name: str
    external_id: str


class Entry(Shape):
    """An entry as staff see it."""

    id: str
    type: str
    locale: str
    translations: dict[str, str]
    section: str | None
    slug: str | None
    path: str | None
    revision: int
    published_revision: int | None
    state: Literal["draft", "published", "changed", "scheduled", "unpublished", "trashed"]
    fields: dict[str, Any]
    owner: Person | None
    byline: list[Person]
    source: Source | None
    schedule: Schedule | None
    created_at: str
    changed_at: str
    first_published_at: str | None
    published_at: str | None
    trashed_at: str | None
    saved: Attribution


class Revision(Shape):
    revision: int
    saved: Attribution
    autosave: bool
    published: str | None
    live: bool
    restored_from: int | None


class FieldDiff(BaseModel):
    """Texts have `runs`, rich text `blocks`, lists and groups `items`: each with its `op`."""

    pointer: str
    kind: str


class Diff(Shape):
    from_: int = Member(alias="from")
    to: int
    fields: list[FieldDiff]


class Usage(Shape):
    entry: str
    pointer: str
    live: bool


class SectionUsage(Shape):
    section: str
    pointer: str
    live: bool


class Usages(Shape):
    """Which entries use this one, and which entries and sections it uses."""

    used_by: list[Usage]
    uses: list[Usage]
    sections: list[SectionUsage]
