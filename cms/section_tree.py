"""The tree of sections as a value: checked, searched by path, asked for the path of a section.

Pure: the editor's tree and the public's are the same code over different revisions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from cms.identity import new_id

MAX_LEVELS = 12
MAX_SECTIONS = 10_000
# Lower-case and safe in a path as it stands; python-slugify makes nothing else.
SLUG = r"^[a-z0-9][a-z0-9._~-]*$"
MAX_SLUG = 200

Slug = Annotated[str, StringConstraints(pattern=SLUG, max_length=MAX_SLUG)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


def in_every_locale(value: object) -> object:
    # "*" stands for every locale that has no word of its own.
    return {"*": value} if isinstance(value, str) else value


class SectionNode(BaseModel):
    """A section: a stable id, a slug and a name per locale (or one for all), and the sections below it."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")] = Field(
        default_factory=new_id
    )
    slug: Slug | Annotated[dict[str, Slug], Field(min_length=1)]
    name: Annotated[dict[str, _Name], BeforeValidator(in_every_locale), Field(min_length=1)]
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


@dataclass(frozen=True)
class Section:
    """One section within its tree. `parents` are ids from the root down."""

    id: str
    slug: str | Mapping[str, str]
    name: Mapping[str, str]
    parents: tuple[str, ...]
    children: tuple[str, ...]


class SectionTree:
    """Sections by id and by path. Made once per revision of the structure and never changed."""

    def __init__(self, sections: list[dict[str, Any]]) -> None:
        self.roots = tuple(str(node["id"]) for node in sections)
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


def _flatten(nodes: list[dict[str, Any]], parents: tuple[str, ...]) -> Iterator[Section]:
    for node in nodes:
        children = node.get("children") or []
        yield Section(
            id=node["id"],
            slug=node["slug"],
            name=node["name"],
            parents=parents,
            children=tuple(child["id"] for child in children),
        )
        yield from _flatten(children, (*parents, node["id"]))


def copied(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sections that may be changed, of a revision that may not."""
    return [{**node, "children": copied(node.get("children") or [])} for node in nodes]


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
