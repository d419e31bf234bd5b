"""The shapes of answers, for the documentation; tests hold answers against them. Absent is null, never left out."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic import Field as Member


class Shape(BaseModel):
    """All keys are always there, and no others."""

    model_config = ConfigDict(extra="forbid")


class Person(Shape):
    id: str
    name: str
    email: str | None
    department: str | None
    url: str | None


class Colleague(Person):
    """A person with the role in which they sign in, if they do."""

    role: str | None


class Actor(Shape):
    kind: Literal["person", "key", "system"]
    id: str
    name: str


class Attribution(Shape):
    at: str
    by: Actor
    on_behalf_of: Person | None
    request: int | None
    note: str | None


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


class Usages(Shape):
    used_by: list[Usage]
    uses: list[Usage]


class Me(Shape):
    kind: Literal["person", "key"]
    id: str
    name: str
    role: str
    scopes: list[str] | None
    may: dict[str, str]
    csrf_token: str | None
    expires_at: str | None


class Key(Shape):
    id: str
    name: str
    role: str
    scopes: list[str] | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None


class NewKey(Key):
    token: str | None


class Event(Shape):
    id: str
    kind: str
    entry: str | None
    type: str | None
    locale: str | None
    revision: int | None
    details: dict[str, Any]
    at: str
    by: Actor
    on_behalf_of: Person | None
    request: int | None
    note: str | None


class Field(Shape):
    name: str
    kind: str
    required: bool
    public: bool
    types: list[str]
    choices: list[str]
    fields: "list[Field]"


class Type(Shape):
    name: str
    routable: bool
    single: bool
    fields: list[Field]


class TypeWithSchema(Type):
    schema_: dict[str, Any] = Member(alias="schema")


Limits = dict[str, int | dict[str, int]]


class Author(Shape):
    id: str
    name: str
    url: str | None


class Seo(Shape):
    title: str | None
    description: str | None
    image: str | None
    noindex: bool


class PublishedEntry(Shape):
    """An entry as visitors see it."""

    id: str
    type: str
    locale: str
    translations: dict[str, str]
    path: str | None
    slug: str | None
    section: str | None
    revision: int
    first_published_at: str
    published_at: str
    byline: list[Author]
    seo: Seo
    fields: dict[str, Any]


class Section(Shape):
    id: str
    name: dict[str, str]
    slug: str | dict[str, str] | None
    path: str | None
    children: "list[Section]"


class Structure(Shape):
    revision: int
    locale: str
    sections: list[Section]


class FoundSection(Shape):
    id: str | None
    name: dict[str, str]
    slug: str | dict[str, str] | None
    path: str | None
    children: list[str]


class ResolvedEntry(Shape):
    kind: Literal["entry"]
    locale: str
    entry: PublishedEntry


class ResolvedSection(Shape):
    kind: Literal["section"]
    locale: str
    section: FoundSection


class ResolvedRedirect(Shape):
    kind: Literal["redirect"]
    locale: str
    status: int
    to: str


class ResolvedGone(Shape):
    kind: Literal["gone"]
    locale: str
    status: int
    explanation: str | None


class Marked(Shape):
    """A text and the ranges in it that matched, counted in code points."""

    text: str
    ranges: list[tuple[int, int]]


class Snippet(Marked):
    field: str


class Card(Shape):
    id: str
    type: str
    locale: str
    path: str | None
    published_at: str | None


class StaffCard(Card):
    state: str


class Hit(Shape):
    entry: Card
    score: float
    title: Marked
    snippets: list[Snippet]


class StaffHit(Shape):
    entry: StaffCard
    score: float
    title: Marked
    snippets: list[Snippet]


class Suggestion(Shape):
    text: str


class Fault(Shape):
    """One thing wrong with one value: `pointer` is a JSON pointer, or names a header or `?parameter`."""

    pointer: str
    code: str
    message: str


class Problem(BaseModel):
    """What every error answers (RFC 9457). Some have further members, such as `current` and `changed` of a 412."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None
    errors: list[Fault]


# What each call gives, by its operation's id; a list of one: a list.
ANSWERS: Mapping[str, Any] = {
    "delivery_list_entries": [PublishedEntry],
    "delivery_read_entry": PublishedEntry,
    "delivery_resolve_path": ResolvedEntry | ResolvedSection | ResolvedRedirect | ResolvedGone,
    "delivery_read_structure": Structure,
    "delivery_search_entries": [Hit],
    "delivery_suggest": [Suggestion],
    "editor_sign_in_person": Me,
    "editor_read_me": Me,
    "editor_list_entries": [Entry],
    "editor_list_revisions": [Revision],
    "editor_compare_revisions": Diff,
    "editor_read_usages": Usages,
    "editor_list_types": [Type],
    "editor_read_type": TypeWithSchema,
    "editor_list_people": [Colleague],
    "editor_add_person": Colleague,
    "editor_read_person": Colleague,
    "editor_change_person": Colleague,
    "editor_set_user": Colleague,
    "editor_list_keys": [Key],
    "editor_make_key": NewKey,
    "editor_revoke_key": Key,
    "editor_read_audit": [Event],
    "editor_search_entries": [StaffHit],
    "editor_read_limits": Limits,
    **dict.fromkeys(
        (
            "editor_create_entry",
            "editor_bring_entry",
            "editor_read_entry",
            "editor_change_entry",
            "editor_trash_entry",
            "editor_restore_entry",
            "editor_read_revision",
            "editor_restore_revision",
            "editor_publish_entry",
            "editor_unpublish_entry",
            "editor_schedule_entry",
            "editor_cancel_schedule",
            "editor_read_structure",
            "editor_change_structure",
            "editor_publish_structure",
            "editor_upload_file",
        ),
        Entry,
    ),
}


def schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON Schema of each call's data, by operation, and the schemas that they share, by name."""
    kinds = {name: shape[0] if isinstance(shape, list) else shape for name, shape in {**ANSWERS, "": Problem}.items()}
    adapters: list[tuple[str, Literal["serialization"], TypeAdapter[Any]]] = [
        (name, "serialization", TypeAdapter(kind)) for name, kind in kinds.items()
    ]
    made, shared = TypeAdapter.json_schemas(adapters, ref_template="#/components/schemas/{model}")
    by_name = {name: schema for (name, _), schema in made.items()}
    data = {
        name: {"type": "array", "items": by_name[name]} if isinstance(shape, list) else by_name[name]
        for name, shape in ANSWERS.items()
    }
    return data, shared.get("$defs", {})
