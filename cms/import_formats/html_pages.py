"""A folder of web pages as a site or a browser saved them, or one such page.

Folders are sections, as in `markdown`: `news/hello.html` and `news/hello/index.html` are the item "news/hello" in the
section "news". What stands around the text (navigation, header, footer, scripts) does not come in.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cms.import_formats import html_main_text
from cms.import_formats.folder import Folder, link_warning, printable, slug_of
from cms.import_formats.html_main_text import WebPage
from cms.import_formats.item import LONGEST_EXTERNAL_ID, Asset, Author, Format, Item, Options, Origin, Problem, Target
from cms.import_formats.known_values import LONGEST_TITLE, MOST_AUTHORS, MOST_TOPICS, instant
from cms.import_formats.local_links import local_path
from cms.import_formats.safe_values import Refused, safe

PAGE_SUFFIXES = (".html", ".htm", ".xhtml")
_PUBLISHED = (
    *("article:published_time", "datepublished", "og:published_time", "date", "dc.date", "dcterms.created", "pubdate"),
    *("publish-date", "time"),
)
_CHANGED = ("article:modified_time", "datemodified", "og:updated_time", "last-modified", "dcterms.modified")
_SUMMARY = ("description", "og:description", "dc.description")
_TOPICS = ("keywords", "article:tag", "news_keywords", "dc.subject")
_AUTHORS = ("author", "rel-author", "dc.creator", "article:author")
_COVER = ("og:image", "og:image:url", "image")
_TAKEN = frozenset({*_PUBLISHED, *_CHANGED, *_SUMMARY, *_TOPICS, *_AUTHORS, *_COVER, "og:title", "og:url"})
# They tell browsers and robots how to treat the page, and nothing of what it says.
_OF_NO_USE = re.compile(
    r"viewport|theme-color|generator|robots|googlebot|.*verification.*|csrf.*|twitter:.*|og:.*|msapp.*|apple-.*"
)
_MAY_BE_PAGE = re.compile(r"(?:^|/)[^./]*$|\.(?:x?html?|php|aspx?)$", re.IGNORECASE)
_MOST_KEPT = 50
_LOOKED_AT = 20
_CANONICAL = re.compile(rb"""<link\b[^<>]{0,300}?\bcanonical\b[^<>]{0,300}""", re.IGNORECASE)
_HREF = re.compile(rb"""href\s{0,9}=\s{0,9}["'](https?://[^"'\s<>]{4,300})""", re.IGNORECASE)


def read(source: Path, options: Options) -> "HtmlPages":
    """Opens a folder or a page. Raises `SourceUnreadable`."""
    return HtmlPages(Folder(source, PAGE_SUFFIXES), options)


class HtmlPages:
    """Pages, and the files that they show or link to."""

    links_inside = True

    def __init__(self, folder: Folder, options: Options) -> None:
        self._folder = folder
        self._options = options
        self._page_ids = {page: folder.external_id(page) for page in folder.pages}
        self._by_external_id = {self._page_ids[page]: page for page in reversed(folder.pages)}
        self._hosts = frozenset(_hosts(folder))
        self._section_names: dict[str, str] = {}

    def items(self) -> Iterator[Item | Problem]:
        """One for each page, in the order of their paths."""
        for page in self._folder.pages:
            try:
                yield self._item(page)
            except Refused as refused:
                yield Problem(printable(page), None, refused.field, refused.code, refused.reason)

    def count(self) -> int:
        """The pages."""
        return len(self._page_ids)

    def people(self) -> Iterator[Author]:
        """None: bylines say all that is known."""
        return iter(())

    def assets(self) -> Iterator[Asset]:
        """The files, other than pages, that pages show or link to; each once, in the order of the pages."""
        named = (self.target(page, url) for page in self._folder.pages for url in self._addresses(page))
        return self._folder.assets(named)

    def asset(self, external_id: str) -> Asset | None:
        """The file, if it is there and within the folder."""
        return self._folder.asset(external_id)

    def target(self, origin_file: str, url: str) -> Target | Problem | None:
        """A page or a file of this folder, also by the site's own address; a warning for what leads nowhere."""
        place = local_path(origin_file, self._without_host(url))
        if place is None:
            return None
        path, fragment = place
        if path == ".." or path.startswith("../"):
            return link_warning(origin_file, "outside_folder", f"The address {url[:200]!r} leads out of the folder.")
        if path in self._folder.files and path not in self._page_ids:
            if self._folder.path(path):
                return Target("asset", path, fragment)
            said = f"The address {url[:200]!r} is a link that leads out of the folder."
            return link_warning(origin_file, "outside_folder", said)
        page = path if path in self._page_ids else self._by_external_id.get(re.sub(r"\.x?html?$", "", path))
        if page is None and path == ".":
            page = self._by_external_id.get("index")
        if page is not None:
            return Target("item", self._page_ids[page], fragment)
        return self._elsewhere(origin_file, url, path, fragment)

    def _elsewhere(self, origin_file: str, url: str, path: str, fragment: str | None) -> Target | Problem:
        """Where pages say what their addresses were, one of those may be meant."""
        if not self._hosts or not _MAY_BE_PAGE.search(path):
            return link_warning(
                origin_file, "missing_target", f"The address {url[:200]!r} leads to nothing in the folder."
            )
        bare = re.sub(r"\.x?html?$", "", f"/{path}")
        return Target("item", f"/{path}", fragment, tuple(dict.fromkeys([f"{bare}/", bare, f"{bare}.html"])))

    def _without_host(self, url: str) -> str:
        """An address on the site that the pages were saved from, from its root."""
        url = url.strip()
        if not self._hosts or not url.lower().startswith(("http://", "https://", "//")):
            return url
        try:
            parts = urlsplit(url)
        except ValueError:
            return url
        if parts.netloc.lower() not in self._hosts:
            return url
        return parts._replace(scheme="", netloc="", path=parts.path or "/").geturl()

    def _addresses(self, page: str) -> Iterator[str]:
        try:
            read = html_main_text.read(self._folder.data(page))
        except Refused:
            return
        yield from filter(None, [self._cover(page, read)])
        yield from read.addresses

    def _item(self, page: str) -> Item:
        external_id = self._external_id(page)
        read = html_main_text.read(self._folder.data(page))
        *folders, name = external_id.split("/")
        optional: dict[str, Any] = {"summary": _first(read.told, _SUMMARY), "topics": _topics(read.told)}
        optional |= {"cover": self._cover(page, read), "body": {"format": "html", "value": read.body}}
        return Item(
            origin=Origin(page),
            external_id=external_id,
            fields=safe(
                {"title": _short(read.title) or name, **{field: value for field, value in optional.items() if value}}
            ),
            locale=self._locale(read.language),
            section=tuple(map(slug_of, folders)),
            section_names=tuple(self._section_name("/".join(folders[: end + 1])) for end in range(len(folders))),
            slug=slug_of(name),
            byline=_byline(read.told),
            first_published_at=_date(read.told, _PUBLISHED),
            changed_at=_date(read.told, _CHANGED),
            source_fields=safe(_left(read.told)),
            old_paths=tuple(path for path in [_old_path(page, read)] if path != "/"),  # a site's home stays its home
        )

    def _external_id(self, page: str) -> str:
        external_id = self._page_ids[page]
        if not external_id.isprintable() or printable(page) != page:
            raise Refused("bad_name", "The file's name is not readable text.")
        if len(external_id) > LONGEST_EXTERNAL_ID:
            raise Refused("too_long", f"A path has at most {LONGEST_EXTERNAL_ID} characters.")
        first = self._by_external_id[external_id]
        if first != page:
            raise Refused("duplicate", f"{first} has the same external id, {external_id!r}.")
        return external_id

    def _cover(self, page: str, read: WebPage) -> str | None:
        """The picture that the page gives to those who share it, where it is among the files."""
        address = _first(read.told, _COVER)
        found = self.target(page, address) if address else None
        return address if isinstance(found, Target) and found.kind == "asset" else None

    def _locale(self, language: str) -> str | None:
        """What the page says, as exactly as the import's own locale where both are one language."""
        usual = self._options.locale
        said = language.replace("_", "-").partition("-")[0].lower()
        if not re.fullmatch(r"[a-z]{2,3}", said):
            return usual
        return usual if usual and usual.lower().partition("-")[0] == said else said

    def _section_name(self, folder: str) -> str:
        if folder not in self._section_names:
            self._section_names[folder] = self._index_title(folder) or posixpath.basename(folder)
        return self._section_names[folder]

    def _index_title(self, folder: str) -> str:
        index = self._folder.indexes.get(folder)
        if index is None:
            return ""
        try:
            return _short(html_main_text.read(self._folder.data(index)).title)[:200]
        except Refused:
            return ""


def _hosts(folder: Folder) -> Iterator[str]:
    """The sites that the first pages say they belong to."""
    for page in folder.pages[:_LOOKED_AT]:
        try:
            start = folder.data(page)[:65_536]
        except Refused:
            continue
        link = _CANONICAL.search(start)
        address = _HREF.search(link[0] + b'"') if link else None
        if address:
            try:
                yield urlsplit(address[1].decode("utf-8", "replace")).netloc.lower()
            except ValueError:
                continue


def _old_path(page: str, read: WebPage) -> str:
    """Where the page stood: as it says itself, or as its file does."""
    try:
        said = urlsplit(read.canonical)
    except ValueError:
        said = urlsplit("")
    if said.path.startswith("/") and said.path.isprintable() and len(said.path) <= LONGEST_EXTERNAL_ID:
        return f"{said.path}?{said.query}" if said.query else said.path
    path = f"/{page}"
    return re.sub(r"(?<=/)index\.x?html?$", "", path)


def _first(told: Mapping[str, list[str]], names: tuple[str, ...]) -> str | None:
    return next((told[name][0] for name in names if name in told), None)


def _topics(told: Mapping[str, list[str]]) -> list[str]:
    found = [told[name] for name in _TOPICS if name in told][:1]
    topics = (topic.strip() for values in found for value in values for topic in value.split(","))
    return list(islice(dict.fromkeys(topic for topic in topics if topic), MOST_TOPICS))


def _byline(told: Mapping[str, list[str]]) -> tuple[Author, ...]:
    """Names; an address is none."""
    named = ([name for name in told.get(key, []) if "://" not in name] for key in _AUTHORS)
    names = dict.fromkeys(_short(name) for name in next(filter(None, named), []))
    return tuple(Author(name, name) for name in islice(names, MOST_AUTHORS) if name)


def _date(told: Mapping[str, list[str]], names: tuple[str, ...]) -> datetime | None:
    """The first date that can be read: a wrong one must not keep a page out."""
    for name in names:
        for value in told.get(name, []):
            try:
                return instant(value)
            except Refused:
                continue
    return None


def _left(told: Mapping[str, list[str]]) -> dict[str, Any]:
    kept = {name: values for name, values in told.items() if name not in _TAKEN and not _OF_NO_USE.fullmatch(name)}
    first = islice(kept.items(), _MOST_KEPT)
    return {name: values[0] if len(values) == 1 else values[:_MOST_KEPT] for name, values in first}


def _short(title: str) -> str:
    return " ".join(title.split())[:LONGEST_TITLE]


def _recognise(source: Path) -> int:
    """A page, or a folder that is mostly of pages."""
    if source.is_file():
        return 50 if _is_page(source) else 0
    if not source.is_dir():
        return 0
    files = list(islice((path for path in source.rglob("*") if path.is_file()), 2_000))
    return 50 if any(_is_page(path) for path in files if path.name.lower().endswith(PAGE_SUFFIXES)) else 0


def _is_page(path: Path) -> bool:
    """Called as a page is, with something like markup in it: other things are called .html, too."""
    if not path.name.lower().endswith(PAGE_SUFFIXES):
        return False
    with path.open("rb") as file:
        start = file.read(4_096)
    return b"<" in start


FORMAT = Format("Web pages: a folder of HTML files", read, _recognise)
