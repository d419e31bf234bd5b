"""A folder of Markdown pages with YAML front matter, and the files that they show: what site generators read.

`news/hello.md` is the entry at /news/hello; of other locales than the site's own `news/hello.en.md`. What nobody sees
has a part of its id in its name, because two drafts may have one slug. Files lie in `files`.
"""

import posixpath
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import yaml

from cms import rich_text
from cms.clock import written
from cms.content_types import Field
from cms.export_formats import texts
from cms.export_formats.protocol import (
    Destination,
    Exported,
    ExportedFile,
    ExportedPerson,
    ExportFormat,
    ExportOptions,
    Kept,
    Made,
    Piece,
    Site,
)
from cms.tables.entries import Entry

FILES = "files"
ABOUT = "README.txt"
_LONGEST_NAME = 120
# What readers of front matter take.
_LARGEST = 60 * 1024
# Folders and pages with these names mean something to those who read Markdown: others get a sign more.
_MEANT = frozenset(
    {"_site", "public", "static", "themes", "layouts", "node_modules", "content", "src", "people", "authors", FILES}
)
_INDEXES = frozenset({"_index", "index", "readme"})
_OF_FRONT_MATTER = frozenset(
    {"title", "slug", "type", "locale", "section", "date", "lastmod", "created_at", "draft", "byline", "topics"}
    | {"summary", "cover", "aliases", "body", "source_fields"}
)


class MarkdownWriter:
    """Writes one file for each entry with a page, and the bytes of images and files."""

    def __init__(self, site: Site, options: ExportOptions) -> None:
        self._site = site

    def start(self) -> Iterator[Piece]:
        """A word on what this is; with it a zip of one section is not taken for a folder around the site."""
        name = self._site.name or self._site.url or "the site"
        yield Made(ABOUT, f"Pages of {name} as Markdown with front matter; {FILES}/ has their images.\n".encode())

    def entry(self, one: Exported) -> Iterator[Piece]:
        """A page with the files that it shows; of an image or a file entry its bytes. Others have no place here."""
        yield from (Kept(_file_path(file), file.sha256) for file in one.files)
        path = _page_path(self._site, one.id) if one.content_type.routable else None
        if path is not None:
            yield from self._shown(one)
            yield Made(path, self._page(one, path).encode("utf-8", "replace"))

    def end(self) -> Iterator[Piece]:
        """Nothing."""
        return iter(())

    def _shown(self, one: Exported) -> Iterator[Kept]:
        for id in dict.fromkeys(_references(one.content_type.fields, one.fields)):
            found = self._site.destination(id)
            if found is not None and found.file is not None:
                yield Kept(_file_path(found.file), found.file.sha256)

    def _page(self, one: Exported, path: str) -> str:
        body = one.fields.get("body")
        text = self._markdown(body, one, path) if isinstance(body, Mapping) else ""
        told = {name: value for name, value in self._told(one, path).items() if value not in (None, "", [], {})}
        return f"---\n{_yaml(told)}---\n\n{text.strip()}\n"

    def _told(self, one: Exported, path: str) -> dict[str, Any]:
        """What the front matter says, the usual first."""
        told: dict[str, Any] = {
            "title": one.title,
            "slug": one.slug,
            "type": one.type,
            "locale": one.locale,
            "section": "/".join(one.section_path),
            "date": _instant(one.first_published_at),
            "lastmod": _instant(one.changed_at),
            "created_at": _instant(one.created_at),
            "draft": None if one.is_live else "true",
            "byline": [_person(person) for person in one.byline],
            "topics": one.fields.get("topics"),
            "summary": one.fields.get("summary"),
            "cover": self._address_of(one.fields.get("cover"), path),
            "aliases": list(one.old_paths),
        }
        own = {field.name: field for field in one.content_type.fields if field.name not in _OF_FRONT_MATTER}
        for name, field in own.items():
            told[name] = self._value(field, one.fields.get(name), one, path)
        source = one.fields.get("source_fields")
        return {**(source if isinstance(source, dict) else {}), **told}

    def _value(self, field: Field, value: Any, one: Exported, path: str) -> Any:
        """A field of the type's own: rich text as Markdown, references as addresses."""
        if field.kind == "rich_text" and isinstance(value, Mapping):
            return self._markdown(value, one, path)
        if field.kind == "reference":
            return self._address_of(value, path)
        if field.kind == "references" and isinstance(value, list):
            return [address for id in value if (address := self._address_of(id, path))]
        return None if field.kind == "upload" else value

    def _markdown(self, document: Mapping[str, Any], one: Exported, path: str) -> str:
        def address(target: Destination) -> str | None:
            return self._address(target, path)

        return texts.markdown(self._site, document, locale=one.locale, address=address)

    def _address_of(self, id: object, path: str) -> str | None:
        target = self._site.destination(id) if isinstance(id, str) else None
        return None if target is None else self._address(target, path)

    def _address(self, target: Destination, path: str) -> str | None:
        """Where a file or page lies, from the page at `path`; of what has no file here its own address."""
        place = _file_path(target.file) if target.file else _page_path(self._site, target.id)
        if place is None:
            return texts.public_address(self._site, target)
        return quote(posixpath.relpath(place, posixpath.dirname(path) or "."))


def _page_path(site: Site, id: str) -> str | None:
    """A page's file, told by what visitors see of it, so that all who link to it agree."""
    target, entry = site.destination(id), site.session.get(Entry, id)
    if target is None or entry is None or target.file is not None or (target.path is None and entry.slug is None):
        return None
    *folders, name = (target.path or f"/{entry.slug}").strip("/").split("/")
    if entry.published_revision is None or name in _INDEXES:
        name = f"{name}-{id[-12:]}"
    if folders and folders[0] in _MEANT:
        folders[0] += "-"
    language = "" if target.locale == site.default_locale else f".{target.locale}"
    return "/".join([*folders, f"{name}{language}.md"])


def _file_path(file: ExportedFile) -> str:
    """Equal bytes are one file, equal names are not."""
    stem, suffix = posixpath.splitext(file.name)
    kept = "".join(char if char.isalnum() or char in "-_" else "-" for char in stem)
    ending = "".join(char for char in suffix if char.isalnum() or char == ".")[:12]
    short = kept.encode()[:_LONGEST_NAME].decode("utf-8", "ignore")
    return f"{FILES}/{file.sha256[:16]}-{short or 'file'}{ending}"


def _references(fields: tuple[Field, ...], values: Mapping[str, Any]) -> Iterator[str]:
    for field in fields:
        value = values.get(field.name)
        if field.kind == "rich_text" and isinstance(value, dict):
            yield from (reference.entry for reference in rich_text.references(value))
        elif field.kind == "reference" and isinstance(value, str):
            yield value
        elif field.kind == "references" and isinstance(value, list):
            yield from value


def _person(person: ExportedPerson) -> str | dict[str, str]:
    return {"name": person.name, "url": person.url} if person.url else person.name


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else written(moment)


class _Dumper(yaml.SafeDumper):
    """Writes equal values twice: no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always."""
        return True


def _yaml(told: Mapping[str, Any]) -> str:
    """Front matter within what a reader takes; what is longest is left out where it is too long."""
    left = dict(told)
    while True:
        text = yaml.dump(left, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000)
        if len(text.encode("utf-8", "replace")) < _LARGEST or len(left) < 2:
            return text
        left.pop(max((name for name in left if name != "title"), key=lambda name: len(str(left[name]))))


FORMAT = ExportFormat(
    "Markdown pages with front matter, and their files",
    suffix="zip",
    media_type="application/zip",
    open=MarkdownWriter,
    folder=True,
)
