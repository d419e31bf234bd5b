"""How site generators lay out their folders: which files are pages, and what a page's place says of it."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from cms.import_formats.folder import Folder, slug_of
from cms.import_formats.front_matter import taken_apart
from cms.import_formats.known_values import topics
from cms.import_formats.safe_values import Refused

Name = Literal["hugo", "jekyll", "astro", "plain"]
DATED = re.compile(r"(\d{4}-\d{2}-\d{2})-(.+)", re.DOTALL)
_LANGUAGE = re.compile(r"(.+)\.([a-z]{2}(?:-[a-zA-Z]{2})?)")
_OTHER_ADDRESSES = frozenset({"aliases", "alias", "redirect_from", "redirects", "old_paths", "old_path", "old_url"})
_LONGEST_ADDRESS = 1_000
# Keys with the meaning that generators and their themes give them, where no usual one is there.
_MEANINGS: Mapping[str, str] = {
    **dict.fromkeys(("pubdate", "pubdatetime", "publishdate", "publish_date"), "first_published_at"),
    **dict.fromkeys(("lastmod", "updateddate", "moddatetime", "last_modified_at", "updated"), "changed_at"),
    **dict.fromkeys(("heroimage", "featured_image", "featuredimage", "feature_image", "thumbnail"), "cover"),
}
_STYLES: Mapping[str, str] = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "none": "/:categories/:title:output_ext",
}
_JEKYLLS_OWN = frozenset({"_includes", "_layouts", "_sass", "_plugins", "_data", "_site", "vendor", "assets"})
_ABOUT_THE_FOLDER = frozenset({"readme", "license", "contributing", "changelog", "code_of_conduct", "security"})


@dataclass(frozen=True, slots=True)
class Place:
    """What a page's path says: `folders` are its sections' own, below `base`; `name` is without date and language."""

    external_id: str
    base: str
    folders: tuple[str, ...]
    name: str
    date: str | None = None
    locale: str | None = None
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A generator's habits. `bases` are the folders of its pages, `files` those that a link from the root is looked
    for in; `permalink` is how Jekyll was told to make addresses."""

    name: Name
    bases: tuple[str, ...] = ("",)
    files: tuple[str, ...] = ("static", "public")
    permalink: str = ""
    listed: frozenset[str] = field(default=frozenset())


def of(folder: Folder, chosen: str) -> Layout:
    """The layout that staff chose, or the one that the folder shows."""
    name = chosen if chosen in LAYOUTS else _found(folder)
    layout = LAYOUTS[name]
    if layout.name == "jekyll":
        return Layout("jekyll", files=layout.files, permalink=_permalink(folder))
    return layout


def pages(layout: Layout, folder: Folder) -> list[str]:
    """The files that are pages, in reading order."""
    return [page for page in folder.pages if _is_page(layout, page)]


def place(layout: Layout, folder: Folder, page: str) -> Place:
    """Where a page belongs."""
    base = next((base for base in layout.bases if page.startswith(base)), "")
    home = base and posixpath.dirname(page) == base.rstrip("/") and folder.external_id(page) == base.rstrip("/")
    external_id = (posixpath.splitext(page)[0] if home else folder.external_id(page)).removeprefix(base)
    *folders, whole = external_id.split("/")
    name, locale = _language(layout, whole)
    dated = DATED.fullmatch(name)
    date, name = (dated[1], dated[2]) if dated else (None, name)
    if layout.name == "jekyll":
        folders, draft = _jekyll_folders(folders)
        return Place(external_id, "", tuple(folders), name, date, locale, draft)
    return Place(external_id, base, tuple(folders), name, date, locale)


def more_meanings(values: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, str]:
    """Names of values that stand for a meaning that no usual name was found for."""
    more: dict[str, str] = {}
    for name in values:
        meaning = _MEANINGS.get(name.lower())
        if meaning and meaning not in found and meaning not in more.values() and isinstance(values[name], str):
            more[name] = meaning
    return more


def categories(layout: Layout, values: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """What the page is filed under beside its topics, and under which name it says so. Raises `Refused`."""
    name = next((name for name in values if name.lower() in ("categories", "category")), None)
    if layout.name == "plain" or name is None or not values[name]:
        return [], None
    try:
        return topics(_in_words(layout, values[name])), name
    except Refused as refused:
        raise Refused(refused.code, refused.reason, field=name) from None


def with_tags(layout: Layout, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, tags that Jekyll would part at their blanks as a list."""
    return {name: _in_words(layout, value) if name == "tags" else value for name, value in values.items()}


def _in_words(layout: Layout, value: Any) -> Any:
    return value.split() if layout.name == "jekyll" and isinstance(value, str) and "," not in value else value


# --- old addresses ---


def declared(layout: Layout, values: Mapping[str, Any], own: str | None) -> tuple[list[str], frozenset[str]]:
    """Addresses that front matter gives a page beside its own, and the names that were read.

    Hugo reads one without a slash in front from the folder of the page's own."""
    parent = posixpath.dirname(own.rstrip("/")) if own and layout.name == "hugo" else "/"
    found: list[str] = []
    names = set()
    for name, value in values.items():
        if name.lower() in _OTHER_ADDRESSES and value:
            given = value if isinstance(value, list) else [value]
            paths = [path for path in (address(one, parent=parent) for one in given) if path]
            if len(paths) == len(given):
                found += paths
                names.add(name)
    return found, frozenset(names)


def address(value: object, *, parent: str = "/") -> str | None:
    """An address as a path from the root; None for what is none."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ADDRESS or not value.isprintable():
        return None
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    path = posixpath.join(parent, parts.path)
    whole = posixpath.normpath(path).replace("//", "/")
    whole += "/" if path.endswith("/") and whole != "/" else ""
    return None if set(whole) & set("{}*") else f"{whole}?{parts.query}" if parts.query else whole


def own(layout: Layout, place: Place, values: Mapping[str, Any], filed: list[str]) -> tuple[str | None, str | None]:
    """Where the page stood in its site, as far as can be told, and the name of the value that said so."""
    said = next((name for name in ("permalink", "url") if name in values), None)
    template = values[said] if said else layout.permalink
    if said and not (isinstance(template, str) and (template.startswith("/") or layout.name != "plain")):
        return None, None
    if place.draft or (layout.name == "plain" and not said):
        return None, None
    if layout.name == "jekyll":
        return _jekyll_address(place, template, values, filed, said=bool(said)), said
    if said:
        return address(template), said
    slug = values.get("slug") if isinstance(values.get("slug"), str) else None
    *folders, name = place.external_id.lower().split("/")
    language = [place.locale.lower()] if place.locale else []
    name = name.removesuffix(f".{language[0]}") if language else name
    parts = [*language, *folders, slug or ("" if name in ("_index", "index") and not folders else name)]
    return address("/" + "/".join(parts).rstrip("/") + "/"), None


def _jekyll_address(
    place: Place, template: str, values: Mapping[str, Any], filed: list[str], *, said: bool
) -> str | None:
    if place.date is None and not said:
        path = "/".join([*place.folders, place.name])
        ending = "/" if template.endswith("/") else ".html"
        return address("/" if path == "index" else f"/{path.removesuffix('/index')}{ending}")
    day = str(values.get("date") or place.date or "")[:10]
    year, month, number = day.split("-") if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else ("", "", "")
    slug = values.get("slug")
    parts = {
        "categories": "/".join(slug_of(name) for name in [*place.folders, *filed]),
        "year": year,
        "month": month,
        "day": number,
        "i_month": month.lstrip("0"),
        "i_day": number.lstrip("0"),
        "short_year": year[2:],
        "title": slug if isinstance(slug, str) else place.name,
        "slug": slug if isinstance(slug, str) else slug_of(place.name),
        "output_ext": ".html",
    }
    filled = re.sub(r":([a-z_]+)", lambda found: parts.get(found[1], "{"), template)
    return address(re.sub("/{2,}", "/", "/" + filled))


# --- finding out ---


def _found(folder: Folder) -> Name:
    tops = {file.partition("/")[0] for file in folder.files}
    content = any(page.startswith("content/") for page in folder.pages)
    if any(top.startswith("astro.config.") for top in tops) or any(p.startswith("src/content/") for p in folder.pages):
        return "astro"
    if "_config.yml" in tops or tops & {"_posts", "_drafts"} or any("/_posts/" in page for page in folder.pages):
        return "jekyll"
    configured = any(re.fullmatch(r"(hugo|config)\.(toml|ya?ml|json)", top) for top in tops)
    around = tops & {"archetypes", "layouts", "themes", "static", "config"}
    alone = tops <= {"content", "README.md", "LICENSE", "LICENSE.md"}
    return "hugo" if content and (configured or around or alone) else "plain"


def _permalink(folder: Folder) -> str:
    try:
        text = folder.text("_config.yml") if "_config.yml" in folder.files else ""
        told = taken_apart(f"---\n{text.removeprefix('---')}\n---\n").values.get("permalink")
    except Refused:
        told = None
    style = told if isinstance(told, str) and told else "date"
    return _STYLES.get(style, style if style.startswith("/") else _STYLES["date"])


def _is_page(layout: Layout, page: str) -> bool:
    top = page.partition("/")[0]
    if layout.name == "plain":
        return True
    if layout.name == "jekyll":
        about = "/" not in page and posixpath.splitext(page)[0].lower() in _ABOUT_THE_FOLDER
        return top not in _JEKYLLS_OWN and not about
    return page.startswith(layout.bases)


def _language(layout: Layout, name: str) -> tuple[str, str | None]:
    found = _LANGUAGE.fullmatch(name) if layout.name == "hugo" else None
    return (found[1], found[2]) if found else (name, None)


def _jekyll_folders(folders: list[str]) -> tuple[list[str], bool]:
    """Folders that begin with "_" are collections; those of posts, drafts and pages are no sections."""
    shown = [name for name in folders if name not in ("_posts", "_drafts", "_pages")]
    return [name.removeprefix("_") or name for name in shown], "_drafts" in folders


LAYOUTS: Mapping[str, Layout] = {
    "hugo": Layout("hugo", bases=("content/",), files=("static", "assets", "content")),
    "jekyll": Layout("jekyll", files=("assets", "static")),
    "astro": Layout("astro", bases=("src/content/", "src/pages/"), files=("public", "src")),
    "plain": Layout("plain"),
}


def rooted(layout: Layout, path: str) -> Iterator[str]:
    """Where a path from the site's root may lie in the folder."""
    yield path
    yield from (f"{base}{path}" for base in layout.bases if base)
    yield from (f"{folder}/{path}" for folder in layout.files)
