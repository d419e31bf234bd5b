"""What search engines and social networks are told of an entry or a section: its own words, else those of the
sections above it, else those of the settings. Found out when it is read: defaults change without publishing anew."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from cms.section_tree import Section, SectionTree, in_locale
from cms.site import Settings
from cms.tables.publications import Publication

INDEX = "index, follow"
NOINDEX = "noindex, follow"


def of_entry(
    one: Publication, *, path: str | None, tree: SectionTree, settings: Settings, live: Collection[str]
) -> dict[str, Any]:
    """`{title, description, canonical, robots, image, noindex}`; `live`: which images visitors can see."""
    own, above = one.seo, _upwards(tree, one.section)
    # Publications from before patterns were known keep the entry's title here.
    title = own.get("title") if own.get("title") != one.title else None
    return {
        "title": title or (_in_pattern(one.title, above, settings, one.locale) if one.slug is not None else one.title),
        "description": own.get("description") or one.rendered.get("summary") or _said("description", above, settings),
        "canonical": _canonical(own.get("canonical"), path, settings),
        **_robots(own, above, settings),
        "image": _first_live([own.get("image"), one.rendered.get("cover"), *_images(above, settings)], live),
    }


def of_section(
    section: Section | None, *, locale: str, tree: SectionTree, settings: Settings, live: Collection[str]
) -> dict[str, Any]:
    """The same of a section's own page; None stands for the root."""
    section_id = section.id if section is not None else None
    above = _upwards(tree, section_id)
    own = _seo(section) if section is not None else {}
    title = own.get("title") if "{title}" not in (own.get("title") or "") else None
    name = in_locale(section.name, locale) if section is not None else None
    return {
        "title": title or (_in_pattern(name, above, settings, locale) if name else settings.name),
        "description": _said("description", above, settings),
        "canonical": _canonical(None, tree.path(section_id, locale=locale), settings),
        **_robots({}, above, settings),
        "image": _first_live(_images(above, settings), live),
    }


def is_hidden(own: Mapping[str, Any], section: str | None, *, tree: SectionTree, settings: Settings) -> bool:
    """Whether search engines are asked to leave it out; `own` is what the entry itself says."""
    return bool(_robots(own, _upwards(tree, section), settings)["noindex"])


def default_images(sections: Iterable[str | None], *, tree: SectionTree, settings: Settings) -> set[str]:
    """The images that may stand in for those that what stands in some sections does not have."""
    return {image for section in set(sections) for image in _images(_upwards(tree, section), settings)}


def _upwards(tree: SectionTree, section_id: str | None) -> list[Section]:
    """A section and those above it, the nearest first."""
    section = tree.section(section_id) if section_id is not None else None
    if section is None:
        return []
    above = (tree.section(one) for one in reversed(section.parents))
    return [section, *(one for one in above if one is not None)]


def _seo(section: Section) -> Mapping[str, Any]:
    return section.settings.get("seo") or {}


def _said(name: str, above: list[Section], settings: Settings) -> Any:
    return next((said for one in above if (said := _seo(one).get(name))), None) or settings.seo.get(name)


def _images(above: list[Section], settings: Settings) -> Iterator[str]:
    said = [*(_seo(one).get("image") for one in above), settings.seo.get("image")]
    return (image for image in said if image)


def _first_live(images: Iterable[str | None], live: Collection[str]) -> str | None:
    return next((image for image in images if image in live), None)


def _robots(own: Mapping[str, Any], above: list[Section], settings: Settings) -> dict[str, Any]:
    said = own.get("robots") or (NOINDEX if own.get("noindex") else None) or _said("robots", above, settings) or INDEX
    return {"robots": said, "noindex": said.startswith("noindex")}


def _canonical(own: str | None, path: str | None, settings: Settings) -> str | None:
    wanted = own or path
    if wanted is None or not wanted.startswith("/"):
        return wanted
    return settings.absolute(wanted) or wanted


def _in_pattern(title: str, above: list[Section], settings: Settings, locale: str) -> str:
    """A section may have a pattern of its own in place of a title: one that names {title}."""
    patterns = [*(_seo(one).get("title") or "" for one in above), settings.title_pattern or ""]
    pattern = next((one for one in patterns if "{title}" in one), "{title}")
    section = in_locale(above[0].name, locale) if above else None
    words = {"title": title, "site": settings.name or "", "section": section or ""}
    # In one go: a title may have braces of its own.
    return _PLACES.sub(lambda match: words[match[1]], pattern)


_PLACES = re.compile(r"\{(title|site|section)\}")
