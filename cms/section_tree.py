"""The tree of sections as a value: checked, searched by path, asked for the path of a section.

Pure: the editor's tree and the public's are the same code over different revisions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from cms.identity import new_id

MAX_LEVELS = 12
MAX_SECTIONS = 10_000
# Lower-case and safe in a path as it stands; python-slugify makes nothing else.
SLUG = r"^[a-z0-9][a-z0-9._~-]*$"
MAX_SLUG = 200

Slug = Annotated[str, StringConstraints(pattern=SLUG, max_length=MAX_SLUG)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
SectionId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
_Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[-a-z0-9_]+$")]
Robots = Literal["index, follow", "noindex, follow", "index, nofollow", "noindex, nofollow"]


def in_every_locale(value: object) -> object:
    # "*" stands for every locale that has no word of its own.
    return {"*": value} if isinstance(value, str) else value


class Listing(BaseModel):
    """How a section lists its entries: of which types, in what order, how many on a page, and how deep below it."""

    model_config = ConfigDict(extra="forbid")

    types: Annotated[list[_Word], Field(max_length=50)] = Field(default_factory=list)
    sort: _Word = "-published_at"
    page_size: Annotated[int, Field(ge=1, le=100)] = 20
    below: bool = True


class SectionSeo(BaseModel):
    """What entries of a section tell search engines when they say nothing of their own."""

    model_config = ConfigDict(extra="forbid")

    title: Name | None = None
    description: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    image: SectionId | None = None
    robots: Robots | None = None


class Settings(BaseModel):
    """What a section is set to. All but `access`, `in_menus`, `in_sitemap` and `index_entry` holds for the sections
    below it, too, until one of them says otherwise; so does `access`, actor by actor."""

    model_config = ConfigDict(extra="forbid")

    # The entry that is shown at the section's own path.
    index_entry: SectionId | None = None
    default_type: _Word | None = None
    listing: Listing | None = None
    seo: SectionSeo | None = None
    # The role that a person or a key has here, by their id.
    access: Annotated[dict[SectionId, _Word], Field(max_length=1_000)] = Field(default_factory=dict)
    in_menus: bool = True
    in_sitemap: bool = True
    # After how many days what was published here wants to be looked at again.
    review_days: Annotated[int, Field(ge=1, le=3_660)] | None = None


class SectionNode(Settings):
    """A section: a stable id, a slug and a name per locale (or one for all), and the sections below it."""

    model_config = ConfigDict(extra="forbid")

    id: SectionId = Field(default_factory=new_id)
    slug: Slug | Annotated[dict[str, Slug], Field(min_length=1)]
    name: Annotated[dict[str, Name], BeforeValidator(in_every_locale), Field(min_length=1)]
    children: list[Self] = Field(default_factory=list)

    @model_validator(mode="after")
    def _siblings_have_own_slugs(self) -> Self:
        refuse_twins(self.children)
        return self


def refuse_twins(siblings: Sequence[SectionNode]) -> None:
    """No two siblings with one slug in one locale. Raises `ValueError`."""
    seen: dict[tuple[str, str], SectionNode] = {}
    locales = {locale for node in siblings if isinstance(node.slug, dict) for locale in node.slug} | {"*"}
    for node in siblings:
        for locale in locales:
            slug = in_locale(node.slug, locale)
            if slug is not None and seen.setdefault((locale, slug), node) is not node:
                raise ValueError(f"two sections beside each other have the slug '{slug}'")


def in_locale(value: str | Mapping[str, str], locale: str) -> str | None:
    """A word that may differ by locale, falling back to the one for all and then to any."""
    if isinstance(value, str):
        return value
    return value.get(locale) or value.get("*") or next(iter(value.values()), None)


Fate = Literal["moved", "gone", "trash"]


class RemovedSection(BaseModel):
    """What is left of a section that was removed: who stands in for it (`into`), and what becomes of its entries."""

    model_config = ConfigDict(extra="forbid")

    section: SectionId
    name: Annotated[dict[str, Name], BeforeValidator(in_every_locale), Field(min_length=1)]
    into: SectionId | None = None
    entries: Fate | None = None

    @model_validator(mode="after")
    def _moves_somewhere(self) -> Self:
        if self.into == self.section:
            raise ValueError("a removed section cannot stand in for itself")
        if self.entries == "moved" and self.into is None:
            raise ValueError("name the section that takes the entries, as 'into'")
        return self


@dataclass(frozen=True)
class Removed:
    """A section that is no longer in the tree: its name, who stands in for it, and what becomes of its entries."""

    name: Mapping[str, str]
    into: str | None
    entries: Fate | None


@dataclass(frozen=True)
class Section:
    """One section within its tree. `parents` are ids from the root down."""

    id: str
    slug: str | Mapping[str, str]
    name: Mapping[str, str]
    parents: tuple[str, ...]
    children: tuple[str, ...]
    settings: Mapping[str, Any]


class SectionTree:
    """Sections by id and by path. Made once per revision of the structure and never changed.

    `removed` has what is told of sections that the tree no longer has; to the public it tells nothing."""

    def __init__(self, sections: list[dict[str, Any]], removed: Iterable[Mapping[str, Any]] = ()) -> None:
        self.roots = tuple(str(node["id"]) for node in sections)
        self.removed: Mapping[str, Removed] = {
            one["section"]: Removed(one["name"], one.get("into"), one.get("entries")) for one in removed
        }
        self._sections: dict[str, Section] = {}
        self._paths: dict[str, dict[str, str]] = {}
        self._by_path: dict[str, dict[str, str]] = {}
        for section in _flatten(sections, ()):
            self._sections[section.id] = section

    def __contains__(self, section_id: object) -> bool:
        return section_id in self._sections

    def __iter__(self) -> Iterator[Section]:
        return iter(self._sections.values())

    def __len__(self) -> int:
        return len(self._sections)

    def section(self, section_id: str) -> Section | None:
        """The section with that id."""
        return self._sections.get(section_id)

    def successor(self, section_id: str) -> str | None:
        """The section of this tree that stands in for one that was removed, or the section itself."""
        seen: set[str] = set()
        while section_id not in self and section_id not in seen:
            seen.add(section_id)
            removed = self.removed.get(section_id)
            if removed is None or removed.into is None:
                return None
            section_id = removed.into
        return section_id if section_id in self else None

    def fate(self, section_id: str) -> tuple[Fate | None, str | None]:
        """What becomes of the entries of a removed section, and which section of this tree takes them."""
        seen: set[str] = set()
        while section_id not in seen and (removed := self.removed.get(section_id)) is not None:
            seen.add(section_id)
            if removed.entries != "moved" or removed.into is None:
                return removed.entries, None
            if removed.into in self:
                return "moved", removed.into
            section_id = removed.into
        return None, None

    def removed_since(self, before: "SectionTree") -> list[str]:
        """The sections that an earlier tree had, or that were made after it, and that were removed since, in order."""
        known = dict.fromkeys([*(section.id for section in before), *self.removed])
        return [id for id in known if id not in self and id not in before.removed]

    def setting(self, section_id: str | None, name: str) -> Any:
        """What a section is set to, by itself or by the nearest section above that says so.

        `seo` is put together member by member, `access` actor by actor. What is each section's own is not inherited."""
        section = None if section_id is None else self._sections.get(section_id)
        if section is None:
            return _DEFAULTS[name]
        if name not in INHERITED:
            return section.settings.get(name, _DEFAULTS[name])
        above = (self._sections[one] for one in reversed(section.parents))
        said = [found for one in (section, *above) if (found := one.settings.get(name)) is not None]
        if name in _JOINED:
            return {member: value for one in reversed(said) for member, value in one.items() if value is not None}
        return said[0] if said else _DEFAULTS[name]

    def path(self, section_id: str | None, *, locale: str, slug: str | None = None) -> str | None:
        """`/section/…/slug`, or the section's own path. None when the section is not in this tree."""
        prefix = "" if section_id is None else self._all(locale).get(section_id)
        if prefix is None:
            return None
        return f"{prefix}/{slug}" if slug is not None else prefix or "/"

    def at(self, path: str, *, locale: str) -> str | None:
        """The id of the section at a path."""
        self._all(locale)
        return self._by_path[locale].get(path)

    def _all(self, locale: str) -> dict[str, str]:
        paths = self._paths.get(locale)
        if paths is None:
            paths = {}
            for section in self._sections.values():  # parents come before their children
                above = paths[section.parents[-1]] if section.parents else ""
                paths[section.id] = f"{above}/{in_locale(section.slug, locale)}"
            self._by_path[locale] = {path: section_id for section_id, path in paths.items()}
            self._paths[locale] = paths
        return paths


SETTINGS = tuple(Settings.model_fields)
INHERITED = frozenset({"default_type", "listing", "seo", "access", "review_days"})
_JOINED = frozenset({"seo", "access"})
# What visitors are not told: it names staff, and how they work.
_PRIVATE = frozenset({"access", "review_days"})
_DEFAULTS: Mapping[str, Any] = {**Settings().model_dump(mode="json"), "seo": {}}


def _flatten(nodes: list[dict[str, Any]], parents: tuple[str, ...]) -> Iterator[Section]:
    for node in nodes:
        children = node.get("children") or []
        yield Section(
            id=node["id"],
            slug=node["slug"],
            name=node["name"],
            parents=parents,
            children=tuple(child["id"] for child in children),
            settings={name: node[name] for name in SETTINGS if node.get(name) is not None},
        )
        yield from _flatten(children, (*parents, node["id"]))


def copied(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sections that may be changed, of a revision that may not."""
    return [{**node, "children": copied(node.get("children") or [])} for node in nodes]


def public(nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sections as visitors may know them."""
    return [
        {**{name: value for name, value in node.items() if name not in _PRIVATE}, "children": public(below)}
        for node in nodes
        for below in (node.get("children") or [],)
    ]


def stored(node: SectionNode) -> dict[str, Any]:
    """A section as it is kept: without the settings that are as they are by themselves."""
    said = {name: value for name in SETTINGS if (value := getattr(node, name)) != Settings.model_fields[name].default}
    return {
        "id": node.id,
        "slug": node.slug,
        "name": node.name,
        **{name: _plain(value) for name, value in said.items() if value not in (None, {})},
        "children": [stored(child) for child in node.children],
    }


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def references(nodes: Sequence[Mapping[str, Any]], *, at: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The entries that sections refer to: JSON pointer, id, and the types that belong there (none: any)."""
    for index, node in enumerate(nodes):
        place = f"{at}/{index}"
        if node.get("index_entry") is not None:
            yield f"{place}/index_entry", node["index_entry"], ()
        if (node.get("seo") or {}).get("image") is not None:
            yield f"{place}/seo/image", node["seo"]["image"], ("image",)
        yield from references(node.get("children") or [], at=f"{place}/children")


def measure(nodes: Sequence[SectionNode]) -> tuple[int, int, list[str]]:
    """How many sections, how many levels, and which ids occur twice."""
    ids: list[str] = []
    deepest = 0
    open_nodes = [(node, 1) for node in nodes]
    while open_nodes:
        node, level = open_nodes.pop()
        ids.append(node.id)
        deepest = max(deepest, level)
        open_nodes.extend((child, level + 1) for child in node.children)
    seen: set[str] = set()
    return len(ids), deepest, [one for one in ids if one in seen or seen.add(one)]  # type: ignore[func-returns-value]
