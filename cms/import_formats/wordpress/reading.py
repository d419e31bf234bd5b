"""An export of WordPress, opened: one file, or several that are one site's."""

import os
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

from cms.import_formats.item import Asset, Author, Item, Options, Origin, Problem, SourceUnreadable, Target
from cms.import_formats.safe_values import Refused
from cms.import_formats.wordpress import cutting, elements, menus
from cms.import_formats.wordpress.addresses import Addresses, candidates
from cms.import_formats.wordpress.cutting import Element
from cms.import_formats.wordpress.posts import Posts
from cms.import_formats.wordpress.survey import GONE, INTERNAL, Attachment, Survey, external_id
from cms.import_formats.wordpress.words import names

START = 64 * 1024
MOST_FILES = 10_000
_NO_ROWS = INTERNAL | {"attachment", "nav_menu_item", "wp_navigation"}
_UPLOADS = ("wp-content/uploads", "uploads")
_SITE = re.compile(
    r"<(?:link|wp:base_blog_url|wp:base_site_url)>\s*(?:<!\[CDATA\[)?\s*(https?://[^\s<>\]]{1,500})", re.IGNORECASE
)
_PICTURES = names(".jpg .jpeg .jpe .png .gif .webp .avif .svg .bmp .ico .tif .tiff .heic")


def read(source: Path, options: Options) -> "WordPress":
    """Opens a file, or a folder of files with perhaps the uploads beside them. Raises `SourceUnreadable`."""
    if not source.exists():
        raise SourceUnreadable(str(source), "is not there")
    root = source if source.is_dir() else source.parent
    uploads = _uploads(root, source, options.choices.get("uploads", ""))
    files = [source] if source.is_file() else [path for path in _files(source, but=uploads) if looks_right(path)]
    if not files:
        raise SourceUnreadable(str(source), "holds no export of WordPress (an XML file with posts)")
    preambles = [cutting.preamble(path) for path in files]
    for path, preamble in zip(files, preambles, strict=True):
        if "<!DOCTYPE" in preamble or "<!ENTITY" in preamble:
            said = "declares a document type with entities, which WordPress never does: take the <!DOCTYPE …> out"
            raise SourceUnreadable(path.name, said)
        if not _is_export(preamble):
            raise SourceUnreadable(path.name, "is no export of WordPress: it has no elements of wp:")
    addresses = Addresses(url for preamble in preambles for url in _SITE.findall(preamble))
    return WordPress(root, files, addresses, uploads, options)


def recognise(source: Path) -> int:
    """A file that says so in its first lines, or a folder with one."""
    if source.is_file():
        return 95 if looks_right(source) else 0
    paths = islice(_files(source, but=None), 200) if source.is_dir() else iter(())
    return 95 if any(looks_right(path) for path in paths) else 0


def looks_right(path: Path) -> bool:
    """Whether the first 64 kB are those of an export."""
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except OSError:
        return False
    if b"<" not in start[:1024]:
        return False
    return _is_export(start.replace(b"\0", b"").decode("utf-8", "replace"))


class WordPress:
    """Posts and pages, menus after them, and the files that they show."""

    links_inside = True

    def __init__(
        self, root: Path, files: list[Path], addresses: Addresses, uploads: Path | None, options: Options
    ) -> None:
        self._root = root
        self._files = files
        self._addresses = addresses
        self._uploads = uploads
        self._options = options

    @cached_property
    def _survey(self) -> Survey:
        survey = Survey(self._addresses)
        for number, path in enumerate(self._files):
            for element in cutting.elements(path):
                survey.add(element, file=number, name=self._name(path))
        survey.close_entries()
        return survey

    def items(self) -> Iterator[Item | Problem]:
        """Posts and pages in the order of the files, each followed by its warnings; then the menus; at the end what
        was left out."""
        yield from self._survey.troubles
        posts = Posts(self._survey, self._options)
        for number, path in enumerate(self._files):
            for element in cutting.elements(path):
                if element.kind == "item":
                    yield from self._row(posts, element, number, self._name(path))
        first = self._name(self._files[0])
        yield from menus.items(self._survey, locale=self._options.locale, file=first)
        for kind, count in sorted(self._survey.left_out.items()):
            yield Problem(first, None, None, "left_out", f"{count} of {kind!r} were left out.", warning=True)

    def count(self) -> int:
        """Posts, pages and menus, with those that will be refused; warnings are not counted."""
        return self._survey.rows + menus.count(self._survey)

    def people(self) -> Iterator[Author]:
        """Everyone whom the export describes."""
        return iter(self._survey.authors.values())

    def assets(self) -> Iterator[Asset]:
        """All attachments, and files of the same site that posts show and that are none."""
        for key, url, attachment in self._survey.files():
            yield self._asset(key, url, attachment)

    def asset(self, external_id: str) -> Asset | None:
        """The file of that key."""
        found = self._survey.file(external_id)
        return self._asset(*found) if found else None

    def target(self, origin_file: str, url: str) -> Target | Problem | None:
        """A post or a file of the same site; nothing is known here of whether it came with the export."""
        return self._addresses.target(url)

    def _row(self, posts: Posts, element: Element, file: int, name: str) -> Iterator[Item | Problem]:
        origin = Origin(name, element.line)
        try:
            post = elements.post(element)
            if (post.part("post_type") or "post") in _NO_ROWS or post.part("status") in GONE:
                return
            id = self._survey.id_at(file, element.number)
            if id is None:
                said = f"An earlier post has the id {external_id(post)[:200]!r}."
                raise Refused("duplicate", said, field="wp:post_id")
            item, warnings = posts.item(post, origin, id=id)
        except Refused as refused:
            yield Problem(name, refused.line or element.line, refused.field, refused.code, refused.reason)
            return
        yield item
        yield from warnings

    def _asset(self, key: str, url: str, attachment: Attachment | None) -> Asset:
        return Asset(key, self._path(key), url if url.startswith("http") else None, _asset_fields(key, attachment))

    def _path(self, key: str) -> Path | None:
        """The file among the uploads, or the largest copy of it that is there."""
        if self._uploads is None:
            return None
        for name in candidates(key):
            path = (self._uploads / name).resolve()
            if path.is_relative_to(self._uploads) and path.is_file():
                return path
        return None

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()


def _asset_fields(key: str, attachment: Attachment | None) -> dict[str, str]:
    if attachment is None:
        return {}
    said = {"title": attachment.title}
    if Path(key).suffix.lower() in _PICTURES:
        said |= {"alt": attachment.alt, "caption": attachment.caption}
    else:
        said |= {"description": attachment.description or attachment.caption}
    return {name: text for name, text in said.items() if text}


def _is_export(start: str) -> bool:
    return "wordpress.org/export/" in start or ("<rss" in start and "<wp:" in start)


def _uploads(root: Path, source: Path, chosen: str) -> Path | None:
    """The folder of uploads: the one that staff named, within the source, or one that is called so."""
    if chosen:
        path = (root / chosen).resolve()
        if not path.is_relative_to(root.resolve()) or not path.is_dir():
            raise SourceUnreadable(chosen, "is no folder beside the export: give its path within what is imported")
        return path
    beside = next((root / name for name in _UPLOADS if (root / name).is_dir()), None)
    if beside is None and source.is_dir():
        folders = (Path(folder) for folder, _, _ in islice(os.walk(source), MOST_FILES))
        beside = next((folder for folder in folders if folder.name == "uploads"), None)
    return beside.resolve() if beside else None


def _files(folder: Path, *, but: Path | None) -> list[Path]:
    """The XML files of a folder in the order of their names, without those among the uploads."""
    found = []
    for place, folders, inside in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if but is not None and Path(place).resolve().is_relative_to(but):
            folders.clear()
            continue
        found += [Path(place) / name for name in inside if name.lower().endswith(".xml") and not name.startswith(".")]
        if len(found) > MOST_FILES:
            break
    return sorted(path for path in found if path.is_file() and not path.is_symlink())[:MOST_FILES]
