"""What front ends get: entries, menus, pages, what is at a path."""

from typing import Any, Literal

from api.shapes.banners import Banner
from api.shapes.counters import PublicCounter
from api.shapes.shape import Shape
from cms.section_tree import Robots


class Author(Shape):
    id: str
    name: str
    url: str | None


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
    banners: dict[str, list[Banner]]
    counters: list[PublicCounter]
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
