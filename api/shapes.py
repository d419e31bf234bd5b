"""The shapes of answers, for the documentation; tests hold answers against them. Absent is null, never left out."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic import Field as Member

Audience = Literal["nobody", "staff", "everyone"]


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


class SectionUsage(Shape):
    section: str
    pointer: str
    live: bool


class Usages(Shape):
    """Which entries use this one, and which entries and sections it uses."""

    used_by: list[Usage]
    uses: list[Usage]
    sections: list[SectionUsage]


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


class FieldLimits(Shape):
    min: float | str | None
    max: float | str | None
    min_length: int | None
    max_length: int | None
    min_items: int | None
    max_items: int | None


class Field(Shape):
    """A field of a content type. `filterable`, `sortable` and `searchable` say by whom."""

    name: str
    kind: str
    label: dict[str, str]
    help: dict[str, str]
    required: bool
    public: bool
    default: Any
    limits: FieldLimits
    types: list[str]
    choices: list[str]
    filterable: Audience
    sortable: Audience
    searchable: Audience
    fields: "list[Field]"


class Type(Shape):
    """A content type. `revision` counts the definitions of one that staff made."""

    name: str
    label: dict[str, str]
    routable: bool
    single: bool
    revision: int | None
    fields: list[Field]


class InvalidEntry(Shape):
    entry: str
    pointer: str
    code: str
    message: str


class InvalidEntries(Shape):
    total: int
    first: list[InvalidEntry]


class DroppedValue(Shape):
    entry: str
    field: str
    value: Any


class DroppedValues(Shape):
    total: int
    fields: dict[str, int]
    first: list[DroppedValue]


class TypeReport(Shape):
    """What a change of a type does; `confirm` is the number of entries that must be named to do it."""

    entries: int
    confirm: int
    invalid: InvalidEntries
    dropped: DroppedValues


class TypeWithSchema(Type):
    schema_: dict[str, Any] = Member(alias="schema")


Limits = dict[str, int | dict[str, int]]


class RedirectTarget(Shape):
    """Where a redirect leads: to one of the first three. `path`: the path or address that it leads to now."""

    entry: str | None
    section: str | None
    url: str | None
    path: str | None


class Redirect(Shape):
    """A redirect as staff see it. `about`: what stood here and was taken away; `shadowed`: something is live here."""

    id: str
    locale: str | None
    path: str
    prefix: bool
    status: int
    to: RedirectTarget
    explanation: str | None
    source: Literal["automatic", "manual", "import"]
    about: str | None
    hits: int
    last_hit_at: str | None
    created_at: str
    changed_at: str
    shadowed: bool


class RefusedRow(Shape):
    line: int
    code: str
    message: str


class ImportedRedirects(Shape):
    """What became of the rows of a file."""

    total: int
    made: int
    changed: int
    same: int
    refused: list[RefusedRow]


class Guess(Shape):
    entry: str | None
    section: str | None
    title: str
    path: str
    reason: Literal["old slug", "similar slug", "search"]
    score: float


class MissingPath(Shape):
    """A path that visitors did not find. `guesses`: null where they were not asked for."""

    id: str
    path: str
    locale: str | None
    hits: int
    first_at: str
    last_at: str
    referrer: str | None
    state: Literal["open", "ignored", "redirected"]
    redirect: str | None
    guesses: list[Guess] | None


class HeldRedirect(Shape):
    """A redirect as front ends hold it."""

    id: str
    locale: str | None
    path: str
    prefix: bool
    status: int
    to: str | None
    explanation: str | None
    updated_at: str


class Taken(Shape):
    accepted: int
    ignored: int


class TakenBeacons(Shape):
    missing_paths: Taken


class Author(Shape):
    id: str
    name: str
    url: str | None


Robots = Literal["index, follow", "noindex, follow", "index, nofollow", "noindex, nofollow"]


class Seo(Shape):
    """What an entry, its sections or the settings say; `canonical` is absolute when the site's address is known."""

    title: str | None
    description: str | None
    canonical: str | None
    robots: Robots
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


class Listing(Shape):
    """How a section lists its entries."""

    types: list[str]
    sort: str
    page_size: int
    below: bool


class Section(Shape):
    id: str
    name: dict[str, str]
    slug: str | dict[str, str] | None
    path: str | None
    index_entry: str | None
    default_type: str | None
    listing: Listing | None
    in_menus: bool
    in_sitemap: bool
    children: "list[Section]"


class Structure(Shape):
    revision: int
    locale: str
    sections: list[Section]


class PathChange(Shape):
    entry: str
    title: str
    type: str
    locale: str
    published: bool
    from_: str | None = Member(alias="from")
    to: str | None


class PathChanges(Shape):
    """`published` are of entries that visitors can read, `drafts` of all others."""

    total: int
    published: int
    drafts: int
    first: list[PathChange]
    next: str | None


class SectionChange(Shape):
    """A section's own path; no `locale`: in every locale."""

    section: str
    from_: str | None = Member(alias="from")
    to: str | None
    locale: str | None


class SectionChanges(Shape):
    total: int
    first: list[SectionChange]


class PlannedRedirect(Shape):
    """A rule that a section will leave, for itself and all below it."""

    locale: str | None
    from_: str = Member(alias="from")
    to: str | None
    section: str
    status: int
    prefix: bool


class AddressCollision(Shape):
    locale: str
    slug: str
    section: str
    entries: list[str]


class InboundLink(Shape):
    entry: str
    title: str
    pointer: str
    target: str


class InboundLinks(Shape):
    total: int
    first: list[InboundLink]


class WithoutSection(Shape):
    total: int
    published: int
    drafts: int
    first: list[str]


class MoveTo(Shape):
    move_to: str


class RemovedSection(Shape):
    """A section that goes, how much stands in it, and what becomes of that; null: nobody said."""

    section: str
    name: str | None
    published: int
    drafts: int
    entries: MoveTo | Literal["gone", "trash"] | None


class Plan(Shape):
    """What operations on the tree would do."""

    revision: int
    paths: PathChanges
    sections: SectionChanges
    redirects: list[PlannedRedirect]
    collisions: list[AddressCollision]
    menus: list[InboundLink]
    inbound_links: InboundLinks
    without_section: WithoutSection
    removed: list[RemovedSection]
    problems: "list[Fault]"


class FoundSection(Shape):
    id: str | None
    name: dict[str, str]
    slug: str | dict[str, str] | None
    path: str | None
    children: list[str]


class MenuName(Shape):
    name: str
    title: str
    locale: str


class MenuLink(Shape):
    """A link of a menu; `path` is on this site. A heading leads nowhere by itself."""

    label: str
    kind: Literal["entry", "section", "url", "heading"]
    path: str | None
    url: str | None
    entry: str | None
    section: str | None
    items: "list[MenuLink]"


class Menu(MenuName):
    items: list[MenuLink]


class Crumb(Shape):
    name: str | None
    path: str | None
    section: str | None
    entry: str | None


class Alternate(Shape):
    locale: str
    path: str
    url: str | None


class PageListing(Shape):
    """The first entries of a section; `next` is where the others are."""

    entries: list[PublishedEntry]
    next: str | None


class Page(Shape):
    """All that one page needs. An entry has the section that it stands in, a section the entry that stands for it."""

    kind: Literal["entry", "section", "redirect", "gone"]
    locale: str
    path: str
    entry: PublishedEntry | None
    section: FoundSection | None
    listing: PageListing | None
    breadcrumbs: list[Crumb]
    menus: dict[str, list[MenuLink]]
    banners: dict[str, Any]
    counters: list[Any]
    seo: Seo | None
    alternates: list[Alternate]
    status: int
    to: str | None
    explanation: str | None


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
    "delivery_list_menus": [MenuName],
    "delivery_read_menu": Menu,
    "delivery_read_page": Page,
    "delivery_search_entries": [Hit],
    "delivery_suggest": [Suggestion],
    "editor_sign_in_person": Me,
    "editor_read_me": Me,
    "editor_list_entries": [Entry],
    "editor_list_revisions": [Revision],
    "editor_compare_revisions": Diff,
    "editor_read_usages": Usages,
    "editor_plan_structure": Plan,
    "editor_list_types": [Type],
    "editor_read_type": TypeWithSchema,
    "editor_put_type": TypeWithSchema | TypeReport,
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
    "editor_list_redirects": [Redirect],
    "editor_create_redirect": Redirect,
    "editor_read_redirect": Redirect,
    "editor_change_redirect": Redirect,
    "editor_import_redirects": ImportedRedirects,
    "editor_list_missing_paths": [MissingPath],
    "editor_read_missing_path": MissingPath,
    "editor_change_missing_path": MissingPath,
    "editor_redirect_missing_path": Redirect,
    "delivery_list_redirects": [HeldRedirect],
    "delivery_take_beacons": TakenBeacons,
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
