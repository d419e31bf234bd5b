"""The tree of sections, and what a plan tells."""

from typing import Literal

from pydantic import Field as Member

from api.shapes.problems import Fault
from api.shapes.shape import Shape


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


class Placement(Shape):
    """A slot on the front end that shows banners. Sizes are in CSS pixels."""

    name: str
    label: str | None
    description: str | None
    width: float | None
    height: float | None
    emergency: bool


class Structure(Shape):
    revision: int
    locale: str
    sections: list[Section]
    placements: list[Placement]


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
    warnings: "list[Fault]"
