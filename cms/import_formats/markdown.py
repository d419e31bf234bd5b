"""A folder of Markdown pages: folders are sections, a folder's index page stands for the folder itself.

`css/display/index.md` and `css/display.md` are the item "css/display" in section "css" with the slug "display";
`css/index.md` is the item "css", without a section; its title is also the name of the section "css".
"""

import posixpath
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from markdown_it import MarkdownIt

from cms.import_formats import authors
from cms.import_formats.folder import PAGE_SUFFIXES, Folder, slug_of
from cms.import_formats.front_matter import Page, taken_apart
from cms.import_formats.item import LONGEST_EXTERNAL_ID, Asset, Author, Format, Item, Options, Origin, Problem, Target
from cms.import_formats.known_fields import LONGEST_TITLE, Given
from cms.import_formats.local_links import FENCE, addresses, local_path
from cms.import_formats.safe_values import Refused

MEANINGS = ("title", "slug", "summary", "first_published_at", "topics", "locale", "byline", "cover", "draft")
HEADING = re.compile(r"^ {0,3}#[ \t]+(?P<title>[^\n]*)(?:\n|\Z)", re.MULTILINE)
INLINE = MarkdownIt("commonmark", {"html": False})


def read(source: Path, options: Options) -> "MarkdownFolder":
    """Opens a folder. Raises `SourceUnreadable`."""
    return MarkdownFolder(Folder(source), options)


class MarkdownFolder:
    """Pages, the persons they are by, and the files that they show or link to."""

    links_inside = True

    def __init__(self, folder: Folder, options: Options) -> None:
        self._folder = folder
        self._options = options
        self._person_pages, self._people = authors.described(folder)
        self._pages = [page for page in folder.pages if page not in self._person_pages]
        self._page_ids = {page: folder.external_id(page) for page in folder.pages}
        self._by_external_id = {self._page_ids[page]: page for page in reversed(folder.pages)}
        self._section_names: dict[str, str] = {}

    def items(self) -> Iterator[Item | Problem]:
        """One for each page that does not describe a person, in the order of their paths."""
        for page in self._pages:
            try:
                yield self._item(page)
            except Refused as refused:
                yield Problem(_printable(page), refused.line, refused.field, refused.code, refused.reason)

    def count(self) -> int:
        """The pages that do not describe a person."""
        return len(self._pages)

    def people(self) -> Iterator[Author]:
        """Everyone whom the folder describes, whether or not a byline names them."""
        return iter(self._people.values())

    def assets(self) -> Iterator[Asset]:
        """The files, other than pages, that pages show or link to; each once, in the order of the pages."""
        seen = set()
        for page in self._pages:
            for url in self._addresses(page):
                target = self.target(page, url)
                if isinstance(target, Target) and target.kind == "asset" and target.external_id not in seen:
                    seen.add(target.external_id)
                    yield from filter(None, [self.asset(target.external_id)])

    def asset(self, external_id: str) -> Asset | None:
        """The file, if it is there and within the folder."""
        path = self._folder.path(external_id) if external_id in self._folder.files else None
        return Asset(external_id, path) if path else None

    def target(self, origin_file: str, url: str) -> Target | Problem | None:
        """An item or a file of this folder; a warning for what is outside, missing, or a person's page."""
        place = local_path(origin_file, url)
        if place is None:
            return None
        path, fragment = place
        if path == ".." or path.startswith("../"):
            return _warning(origin_file, "outside_folder", f"The address {url[:200]!r} leads out of the folder.")
        if path in self._folder.files and path not in self._page_ids:
            return self._asset_target(origin_file, path, url=url, fragment=fragment)
        page = path if path in self._page_ids else self._by_external_id.get(re.sub(r"\.html?$", "", path))
        if page is None:
            return _warning(origin_file, "missing_target", f"The address {url[:200]!r} leads to nothing in the folder.")
        if page in self._person_pages:
            return _warning(
                origin_file, "links_to_person", f"The address {url[:200]!r} is a person's, who has no page."
            )
        return Target("item", self._page_ids[page], fragment)

    def _asset_target(self, origin_file: str, path: str, *, url: str, fragment: str | None) -> Target | Problem:
        if self._folder.path(path):
            return Target("asset", path, fragment)
        return _warning(
            origin_file, "outside_folder", f"The address {url[:200]!r} is a link that leads out of the folder."
        )

    def _addresses(self, page: str) -> Iterator[str]:
        try:
            read = self._read(page)
            cover = Given(read.values, meanings=("cover",), fields=self._options.fields).read("cover")
        except Refused:
            return
        yield from filter(None, [cover])
        yield from addresses(read.body)

    def _read(self, page: str) -> Page:
        return taken_apart(self._folder.text(page))

    def _item(self, page: str) -> Item:
        external_id = self._external_id(page)
        read = self._read(page)
        given = Given(read.values, meanings=MEANINGS, fields=self._options.fields)
        try:
            return self._composed(external_id, read, given=given, origin=Origin(page))
        except Refused as refused:
            line = refused.line or read.lines.get(refused.field or "")
            raise Refused(refused.code, refused.reason, refused.field, line) from None

    def _external_id(self, page: str) -> str:
        external_id = self._page_ids[page]
        if not external_id.isprintable() or _printable(page) != page:
            raise Refused("bad_name", "The file's name is not readable text.")
        if len(external_id) > LONGEST_EXTERNAL_ID:
            raise Refused("too_long", f"A path has at most {LONGEST_EXTERNAL_ID} characters.")
        first = self._by_external_id[external_id]
        if first != page:
            raise Refused("duplicate", f"{first} has the same external id, {external_id!r}.")
        return external_id

    def _composed(self, external_id: str, read: Page, *, given: Given, origin: Origin) -> Item:
        *folders, name = external_id.split("/")
        title, body = _title(read, given)
        optional = {"summary": plain(given.read("summary") or ""), "topics": given.read("topics")}
        optional |= {
            "cover": given.read("cover"),
            "body": {"format": "markdown", "value": body} if body.strip() else None,
        }
        return Item(
            origin=origin,
            external_id=external_id,
            fields={"title": title or name, **{field: value for field, value in optional.items() if value}},
            locale=given.read("locale") or self._options.locale,
            section=tuple(map(slug_of, folders)),
            section_names=tuple(self._section_name("/".join(folders[: end + 1])) for end in range(len(folders))),
            slug=given.read("slug") or slug_of(name),
            byline=self._byline(given, name),
            first_published_at=given.read("first_published_at"),
            draft=bool(given.read("draft")),
            source_fields=given.rest,
        )

    def _byline(self, given: Given, name: str) -> tuple[Author, ...]:
        """The authors with all that is known of them. A page of nothing but text, called as a person is, is theirs."""
        signed = (self._people[name],) if name in self._people and not (given.names or given.rest) else ()
        named = given.read("byline") or signed
        return tuple(self._people.get(author.key, author) for author in named)

    def _section_name(self, folder: str) -> str:
        if folder not in self._section_names:
            self._section_names[folder] = self._index_title(folder) or posixpath.basename(folder)
        return self._section_names[folder]

    def _index_title(self, folder: str) -> str:
        index = self._folder.indexes.get(folder)
        if index is None:
            return ""
        try:
            read = self._read(index)
            return _title(read, Given(read.values, meanings=("title",)))[0]
        except Refused:
            return ""


def plain(markdown: str) -> str:
    """One line of Markdown as the words in it. Long text stays as it is."""
    if len(markdown) > LONGEST_TITLE:
        return markdown
    children = INLINE.parseInline(markdown)[0].children or []
    return "".join(" " if child.type.endswith("break") else child.content for child in children).strip() or markdown


def _title(read: Page, given: Given) -> tuple[str, str]:
    """The title, empty when the page has none, and the body without it."""
    title = given.read("title")
    if title:
        return plain(title), read.body
    heading = _first_heading(read.body)
    words = plain(_without_closing(heading["title"])) if heading else ""
    if heading is None or not words or len(words) > LONGEST_TITLE:
        return "", read.body
    return words, read.body[: heading.start()] + read.body[heading.end() :].lstrip("\n")


def _first_heading(body: str) -> re.Match[str] | None:
    blanked = FENCE.sub(lambda fence: " " * len(fence[0]), body)
    return HEADING.search(blanked)


def _without_closing(heading: str) -> str:
    bare = heading.rstrip().rstrip("#")
    return bare.strip() if not bare or bare[-1] in " \t" else heading.strip()


def _warning(origin_file: str, code: str, reason: str) -> Problem:
    return Problem(_printable(origin_file), None, "body", code, reason, warning=True)


# A file's name may hold bytes that are no text; Python keeps them as halves of surrogate pairs.
def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def _recognise(source: Path) -> int:
    """A folder with pages in it."""
    if not source.is_dir():
        return 0
    return 60 if any(path.suffix.lower() in PAGE_SUFFIXES for path in islice(source.rglob("*"), 1_000)) else 0


FORMAT = Format("A folder of Markdown pages", read, _recognise)
