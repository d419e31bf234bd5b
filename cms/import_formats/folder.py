"""A folder of Markdown pages as it lies on the disk: which files are pages, and how pages are called."""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from slugify import slugify

from cms.import_formats.item import Asset, Problem, SourceUnreadable, Target
from cms.import_formats.safe_values import Refused
from cms.section_tree import MAX_SLUG, SLUG

LARGEST_PAGE = 4 * 1024 * 1024
PAGE_SUFFIXES = (".md", ".markdown", ".mdx")
# What a generator made, or makes pages with: files in them are no pages.
NO_PAGES = frozenset({"_site", "public", "static", "themes", "layouts"})
# A folder's own page. Where a folder has more than one of these, the first is; the others are pages like any.
INDEXES = ("_index", "index", "README", "readme")


class Folder:
    """The files of a folder, sorted; hidden files and folders are not seen, linked folders not entered.

    One page alone is a folder that holds nothing else. `suffixes` are those of pages."""

    def __init__(self, root: Path, suffixes: tuple[str, ...] = PAGE_SUFFIXES) -> None:
        alone = root.is_file() and root.name.lower().endswith(suffixes)
        if not alone and not root.is_dir():
            raise SourceUnreadable(str(root), "is not a folder")
        self._root = (root.parent if alone else root).resolve()
        self.files = frozenset([root.name] if alone else _walk(self._root))
        named = (file for file in self.files if file.lower().endswith(suffixes))
        self.pages = sorted((file for file in named if _may_be_page(file)), key=_reading_order)
        self.indexes = dict(self._indexes())

    def _indexes(self) -> Iterator[tuple[str, str]]:
        """Each folder that has a page of its own, with that page."""
        ranked = [(INDEXES.index(_stem(page)), page) for page in self.pages if _stem(page) in INDEXES]
        for _, page in sorted(ranked, reverse=True):
            yield posixpath.dirname(page), page

    def external_id(self, page: str) -> str:
        """A page's path without its suffix; for a folder's own page the folder's path."""
        folder = posixpath.dirname(page)
        return folder if folder and self.indexes.get(folder) == page else posixpath.splitext(page)[0]

    def path(self, file: str) -> Path | None:
        """Where the file is; None for what is no file, or is a link that leads out of the folder."""
        try:
            path = (self._root / file).resolve()
        except (OSError, RuntimeError):  # a link to itself
            return None
        return path if path.is_relative_to(self._root) and path.is_file() else None

    def asset(self, external_id: str) -> Asset | None:
        """A file by its path, if it is there and within the folder."""
        path = self.path(external_id) if external_id in self.files else None
        return Asset(external_id, path) if path else None

    def assets(self, named: Iterable[Target | Problem | None]) -> Iterator[Asset]:
        """The files among what addresses stand for; each once, in their order."""
        paths = (one.external_id for one in named if isinstance(one, Target) and one.kind == "asset")
        seen: set[str] = set()
        for path in paths:
            found = self.asset(path) if path not in seen else None
            seen.add(path)
            if found is not None:
                yield found

    def text(self, page: str) -> str:
        """A page's text, with plain line ends. Raises `Refused`."""
        return _decoded(self.data(page))

    def data(self, page: str) -> bytes:
        """A page's bytes. Raises `Refused`."""
        path = self.path(page)
        if path is None:
            raise Refused("outside_folder", "The file is no file, or a link that leads out of the folder.")
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_PAGE + 1)
        except OSError as error:
            raise Refused("unreadable", f"The file cannot be read: {error.strerror}.") from None
        if len(data) > LARGEST_PAGE:
            raise Refused("too_large", f"A page has at most {LARGEST_PAGE // 1024 // 1024} MB.")
        return data


def printable(name: str) -> str:
    """A file's name as text: it may hold bytes that are none, which Python keeps as halves of surrogate pairs."""
    return name.encode("utf-8", "backslashreplace").decode()


def link_warning(origin_file: str, code: str, reason: str) -> Problem:
    """What is told of an address in a page's text that leads nowhere."""
    return Problem(printable(origin_file), None, "body", code, reason, warning=True)


def slug_of(name: str) -> str:
    """A file's or folder's name as a slug, unchanged where it is one."""
    if re.fullmatch(SLUG, name[: MAX_SLUG + 1]) and len(name) <= MAX_SLUG:
        return name
    return slugify(name, max_length=MAX_SLUG) or "untitled"


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        relative = Path(folder).relative_to(root).as_posix()
        yield from (posixpath.normpath(f"{relative}/{name}") for name in files if not name.startswith("."))


def _may_be_page(file: str) -> bool:
    folders = file.split("/")[:-1]
    return not folders or (folders[0] not in NO_PAGES and "node_modules" not in folders)


def _refuse(error: OSError) -> None:
    raise SourceUnreadable(str(error.filename), error.strerror or "cannot be read")


def _reading_order(page: str) -> list[str]:
    *folders, name = page.split("/")
    return [*folders, "" if _stem(name) in INDEXES else name, name]


def _stem(page: str) -> str:
    return posixpath.splitext(posixpath.basename(page))[0]


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused("not_utf8", f"The file is not UTF-8 at byte {error.start + 1}.", line=line) from None
    if "\0" in text:
        raise Refused("nul", "The file has a NUL character.", line=text.count("\n", 0, text.index("\0")) + 1)
    return text.replace("\r\n", "\n").replace("\r", "\n")
