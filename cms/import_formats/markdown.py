"""A folder of Markdown pages: folders are sections, a folder's index page stands for the folder itself.

`css/display/index.md` and `css/display.md` are the item "css/display" in section "css" with the slug "display";
`css/index.md` is the item "css", without a section; its title is also the name of the section "css".

What Hugo, Jekyll and Astro do otherwise is in `layouts`, what they let authors write between words in `template_tags`.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from cms.import_formats import authors, layouts, template_tags
from cms.import_formats.folder import INDEXES, NO_PAGES, PAGE_SUFFIXES, Folder, link_warning, printable, slug_of
from cms.import_formats.front_matter import Page, taken_apart
from cms.import_formats.item import LONGEST_EXTERNAL_ID, Asset, Author, Format, Item, Options, Origin, Problem, Target
from cms.import_formats.known_fields import Given
from cms.import_formats.known_values import LONGEST_TITLE, instant
from cms.import_formats.layouts import Place
from cms.import_formats.local_links import FENCE, addresses, local_path
from cms.import_formats.players import linked_in_markdown
from cms.import_formats.safe_values import Refused
from cms.import_formats.template_tags import Converted

MEANINGS = (
    *("title", "slug", "summary", "first_published_at", "created_at", "changed_at", "topics", "locale", "byline"),
    *("cover", "draft", "status", "type"),
)
# Folders and layouts tell these; front matter only where a mapping says so, or in a plain folder.
MAPPED_ONLY = ("section", "old_paths")
PASSED_OVER = NO_PAGES | {"node_modules"}
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
        self._layout = layouts.of(folder, options.choices.get("layout", "auto"))
        self._person_pages, self._people = authors.described(folder)
        pages = layouts.pages(self._layout, folder)
        self._pages = [page for page in pages if page not in self._person_pages]
        self._places = {page: layouts.place(self._layout, folder, page) for page in pages}
        self._page_ids = {page: place.external_id for page, place in self._places.items()}
        self._by_external_id = {self._page_ids[page]: page for page in reversed(pages)}
        self._by_name: dict[str, list[str]] = {}
        self._section_names: dict[str, str] = {}

    def items(self) -> Iterator[Item | Problem]:
        """One for each page that does not describe a person, in the order of their paths; after it, what was left out
        of it."""
        for page in self._pages:
            try:
                item, converted = self._item(page)
            except Refused as refused:
                yield Problem(printable(page), refused.line, refused.field, refused.code, refused.reason)
            else:
                yield item
                yield from (_left_out(item, name) for name in converted.dropped)

    def count(self) -> int:
        """The pages that do not describe a person."""
        return len(self._pages)

    def people(self) -> Iterator[Author]:
        """Everyone whom the folder describes, whether or not a byline names them."""
        return iter(self._people.values())

    def assets(self) -> Iterator[Asset]:
        """The files, other than pages, that pages show or link to; each once, in the order of the pages."""
        named = (self.target(page, url) for page in self._pages for url in self._addresses(page))
        return self._folder.assets(named)

    def asset(self, external_id: str) -> Asset | None:
        """The file, if it is there and within the folder."""
        return self._folder.asset(external_id)

    def target(self, origin_file: str, url: str) -> Target | Problem | None:
        """An item or a file of this folder; a warning for what is outside, missing, or a person's page.

        Where pages have addresses that their paths do not tell, an address from the root may be any of theirs."""
        place = local_path(origin_file, url)
        if place is None:
            return None
        path, fragment = place
        if path == ".." or path.startswith("../"):
            return link_warning(origin_file, "outside_folder", f"The address {url[:200]!r} leads out of the folder.")
        from_root = url.lstrip().startswith("/")
        for tried in layouts.rooted(self._layout, path) if from_root else self._beside(origin_file, url, path):
            if tried in self._folder.files and tried not in self._page_ids and tried not in self._person_pages:
                return self._asset_target(origin_file, tried, url=url, fragment=fragment)
            page = self._page_at(tried)
            if page in self._person_pages:
                said = f"The address {url[:200]!r} is a person's, who has no page."
                return link_warning(origin_file, "links_to_person", said)
            if page is not None:
                return Target("item", self._page_ids[page], fragment)
        return self._elsewhere(origin_file, url, f"/{path}" if from_root else "", fragment)

    def _beside(self, origin_file: str, url: str, path: str) -> Iterator[str]:
        """A generator gives each page a folder of its own, which an address may be read from."""
        yield path
        if self._layout.name != "plain":
            own_folder = local_path(f"{posixpath.splitext(origin_file)[0]}/index.md", url)
            yield from [own_folder[0]] if own_folder else []

    def _page_at(self, path: str) -> str | None:
        if path in self._page_ids or path in self._person_pages:
            return path
        path = re.sub(r"\.html?$", "", path)
        if path == "." and self._layout.name != "plain":
            return self._by_external_id.get("_index") or self._by_external_id.get("index")
        for base in self._layout.bases:
            found = self._by_external_id.get(path.removeprefix(base)) if path.startswith(base) else None
            if found is not None:
                return found
        return None

    def _elsewhere(self, origin_file: str, url: str, path: str, fragment: str | None) -> Target | Problem:
        if self._layout.name == "plain" or not path:
            said = f"The address {url[:200]!r} leads to nothing in the folder."
            return link_warning(origin_file, "missing_target", said)
        bare = path.rstrip("/").removesuffix(".html")
        forms = dict.fromkeys([f"{bare}/", bare or "/", f"{bare}.html", f"{bare}/index.html"])
        first, *others = sorted(forms, key=lambda form: form != path)
        return Target("item", first, fragment, tuple(others))

    def _asset_target(self, origin_file: str, path: str, *, url: str, fragment: str | None) -> Target | Problem:
        if self._folder.path(path):
            return Target("asset", path, fragment)
        return link_warning(
            origin_file, "outside_folder", f"The address {url[:200]!r} is a link that leads out of the folder."
        )

    def _addresses(self, page: str) -> Iterator[str]:
        try:
            read, _ = self._read(page)
            cover = self._given(read.values).read("cover")
        except Refused:
            return
        yield from filter(None, [cover])
        yield from addresses(read.body)

    def _read(self, page: str) -> tuple[Page, Converted]:
        """A page, and what its body is without the generator's own tags."""
        read = taken_apart(self._folder.text(page))
        converted = self._without_tags(page, read)
        return replace(read, body=linked_in_markdown(converted.body)), converted

    def _without_tags(self, page: str, read: Page) -> Converted:
        def find(reference: str) -> str | None:
            return self._referred(page, reference)

        if page.lower().endswith(".mdx"):
            return template_tags.from_mdx(read.body)
        if self._layout.name == "hugo":
            return template_tags.from_hugo(read.body, find)
        if self._layout.name == "jekyll":
            return template_tags.from_jekyll(read.body, find, read.values)
        return Converted(read.body)

    def _referred(self, page: str, reference: str) -> str | None:
        """The page that a generator's own reference means: by its path, or by its name where no other has it."""
        start = posixpath.dirname(page)
        tried = [posixpath.normpath(posixpath.join(start, reference)), reference.strip("/")]
        for path in [*tried, *(f"{base}{tried[1]}" for base in self._layout.bases)]:
            found = self._page_at(path) or self._page_at(posixpath.splitext(path)[0])
            if found is not None:
                return found
        if not self._by_name:
            for other in self._places:
                stem = posixpath.splitext(posixpath.basename(other))[0]
                stem = posixpath.basename(posixpath.dirname(other)) if stem in INDEXES else stem
                self._by_name.setdefault(stem, []).append(other)
        named = self._by_name.get(posixpath.splitext(posixpath.basename(reference))[0], [])
        return named[0] if len(named) == 1 else None

    def _given(self, values: Mapping[str, Any]) -> Given:
        """The values by their meanings, those with the names that generators and themes use among them."""
        given = self._sorted(values, {})
        more = layouts.more_meanings(given.rest, given.names)
        return self._sorted(values, more) if more else given

    def _sorted(self, values: Mapping[str, Any], more: Mapping[str, str]) -> Given:
        mapping = {**more, **self._options.mapping}
        told = {"section"} if self._layout.name == "plain" and isinstance(values.get("section"), str) else set()
        meanings = (*MEANINGS, *(name for name in MAPPED_ONLY if name in told or name in mapping.values()))
        return Given(dict(values), meanings=meanings, fields=self._options.fields, mapping=mapping)

    def _item(self, page: str) -> tuple[Item, Converted]:
        external_id = self._external_id(page)
        read, converted = self._read(page)
        try:
            return self._composed(external_id, read, origin=Origin(page)), converted
        except Refused as refused:
            line = refused.line or read.lines.get(refused.field or "")
            raise Refused(refused.code, refused.reason, refused.field, line) from None

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

    def _composed(self, external_id: str, read: Page, *, origin: Origin) -> Item:
        place = self._places[origin.file]
        filed, filed_as = self._filed(read.values)
        old_paths, told_by = self._old_paths(place, read.values, filed)
        taken = dict.fromkeys(sorted(told_by), "old_paths") | ({filed_as: self._filed_for} if filed_as else {})
        values = layouts.with_tags(self._layout, read.values)
        given = self._given({name: value for name, value in values.items() if name not in taken})
        title, body = _title(read, given)
        sections, topics = self._sorted_in(place, given, filed)
        optional = {"summary": plain(given.read("summary") or ""), "topics": topics, "cover": given.read("cover")}
        optional["body"] = {"format": "markdown", "value": body} if body.strip() else None
        return Item(
            origin=origin,
            external_id=external_id,
            fields=given.fields
            | {"title": title or place.name}
            | {field: value for field, value in optional.items() if value},
            locale=given.read("locale") or place.locale or self._options.locale,
            section=tuple(slug_of(slug) for slug, _ in sections),
            section_names=tuple(name for _, name in sections),
            slug=given.read("slug") or slug_of(place.name),
            byline=self._byline(given, place.name),
            first_published_at=given.read("first_published_at") or (instant(place.date) if place.date else None),
            changed_at=given.read("changed_at"),
            created_at=given.read("created_at"),
            draft=place.draft or given.is_draft,
            source_fields=given.rest,
            type=self._type(given),
            old_paths=tuple(dict.fromkeys([*old_paths, *(given.read("old_paths") or ())])),
            mapped=given.mapped | taken,
        )

    def _type(self, given: Given) -> str | None:
        """A generator's "post" says how a page looks: the import's own type is meant."""
        return None if given.raw("type") == "post" else given.read("type")

    @property
    def _filed_for(self) -> str:
        return "section" if self._options.choices.get("categories") == "sections" else "topics"

    def _filed(self, values: Mapping[str, Any]) -> tuple[list[str], str | None]:
        return layouts.categories(self._layout, self._not_mapped_else(values, self._filed_for))

    def _not_mapped_else(self, values: Mapping[str, Any], usual: str) -> dict[str, Any]:
        """The values but those that a mapping takes for something else: one that says the usual changes nothing."""
        mapping = self._options.mapping
        return {name: value for name, value in values.items() if mapping.get(name, usual) == usual}

    def _sorted_in(self, place: Place, given: Given, filed: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
        """The sections, each with its folder's name and its own, and the topics."""
        within = [place.folders[: end + 1] for end in range(len(place.folders))]
        sections = [(path[-1], self._section_name(place.base + "/".join(path))) for path in within]
        said = given.read("section") or ()
        if said and [slug_of(name) for name in said] != [slug_of(slug) for slug, _ in sections]:
            sections = [(name, name) for name in said]
        topics = given.read("topics") or []
        if self._filed_for == "section" and filed:
            sections, filed = [*sections, (filed[0], filed[0])], filed[1:]
        return sections, list(dict.fromkeys([*topics, *filed]))

    def _old_paths(
        self, place: Place, values: Mapping[str, Any], filed: list[str]
    ) -> tuple[tuple[str, ...], frozenset[str]]:
        """Where the page stood, and the names of the values that tell it."""
        free = self._not_mapped_else(values, "old_paths")
        own, said = layouts.own(self._layout, place, free, filed)
        own = None if own == "/" else own  # a site's home stays its home
        declared, names = layouts.declared(self._layout, free, own)
        told = names | {said} if said and own else names
        return tuple(dict.fromkeys([*([own] if own else []), *declared])), frozenset(told)

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
            read = taken_apart(self._folder.text(index))
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


def _left_out(item: Item, name: str) -> Problem:
    said = f"{name!r} is the generator's own and means nothing here: it was left out, the text within stays."
    file = item.origin.file
    return Problem(file, None, "body", "template_tag_dropped", said, warning=True, external_id=item.external_id)


def _recognise(source: Path) -> int:
    """A page, or a folder with pages in it."""
    if source.is_file():
        return 60 if source.name.lower().endswith(PAGE_SUFFIXES) else 0
    if not source.is_dir():
        return 0
    looked_at = list(islice(_shown(source), 2_000))
    pages = sum(path.name.lower().endswith(PAGE_SUFFIXES) for path in looked_at)
    rendered = sum(path.name.lower().endswith((".html", ".htm")) for path in looked_at)
    return 60 if pages and pages * 4 >= rendered else 40 if pages else 0


def _shown(folder: Path) -> Iterator[Path]:
    """Its files, those that lie highest first; what a generator made or keeps is passed over."""
    inside = sorted(folder.iterdir())
    yield from (path for path in inside if path.is_file())
    for path in inside:
        if path.is_dir() and not path.is_symlink() and not path.name.startswith(".") and path.name not in PASSED_OVER:
            yield from _shown(path)


FORMAT = Format(
    "A folder of Markdown pages",
    read,
    _recognise,
    mappable=True,
    choices={"layout": ("auto", *layouts.LAYOUTS), "categories": ("topics", "sections")},
)
