"""A Contentful export: one JSON document with entries, assets, content types and locales.

An entry of a chosen type comes once for each locale that it has a title in: under its own id in the space's default
locale, as `id:locale` in any other."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from cms.import_formats import contentful_texts
from cms.import_formats.item import (
    Asset,
    Author,
    Format,
    Item,
    Link,
    Options,
    Origin,
    Problem,
    SourceUnreadable,
    Target,
)
from cms.import_formats.nested_values import EMPTY
from cms.import_formats.safe_values import Refused, safe
from cms.import_formats.typed_content import Reference, composed, first_text, guesses, our_locale
from cms.import_formats.whole_document import (
    document_in,
    inside,
    members,
    moment,
    opened,
    read_document,
    rows,
    words,
)

# Where the files of all spaces are: //images.ctfassets.net/<space>/<asset>/<token>/<name>.
_FILE = re.compile(r"(?:https?:)?//[a-z]+(?:\.[a-z]+)?\.(?:ctfassets\.net|contentful\.com)/[^/?#]+/([^/?#]+)/[^/?#]+/")
_ENTRY = re.compile(r"/contentful-entry/([^/?#]+)/([^/?#]+)")
_MOST_EMBEDDED = 200
_NAMES = ("name", "fullName", "title", "displayName", "label", "internalName", "slug")
_KINDS = {"Symbol": "text", "Text": "long", "RichText": "rich", "Date": "text", "Integer": "other", "Number": "other"}


def read(source: Path, options: Options) -> "ContentfulExport":
    """Opens a file, or a folder that has one in it. Raises `SourceUnreadable`."""
    return ContentfulExport(source, opened(source, _looks_right, kind="Contentful export"), options)


class ContentfulExport:
    """The entries of the chosen types in the order of the export; those that were archived are left out, and told."""

    links_inside = True

    def __init__(self, source: Path, document: Path, options: Options) -> None:
        self._root = source if source.is_dir() else source.parent
        self._path = document
        self._file = document.name
        self._options = options

    # --- what the document holds ---

    @cached_property
    def _document(self) -> Mapping[str, Any]:
        return members(read_document(self._path))

    @cached_property
    def _locales(self) -> list[str]:
        """The space's locales, the default one first."""
        told = rows(self._document.get("locales"))
        ordered = sorted(told, key=lambda one: one.get("default") is not True)
        return [code for one in ordered if (code := words(one.get("code")))] or ["en-US"]

    @cached_property
    def _types(self) -> dict[str, dict[str, Any]]:
        return {_id(one): one for one in rows(self._document.get("contentTypes"))}

    @cached_property
    def _entries(self) -> dict[str, dict[str, Any]]:
        return {_id(one): one for one in rows(self._document.get("entries"))}

    @cached_property
    def _assets(self) -> dict[str, dict[str, Any]]:
        return {_id(one): one for one in rows(self._document.get("assets"))}

    @cached_property
    def _tags(self) -> dict[str, str]:
        return {_id(one): words(one.get("name")) for one in rows(self._document.get("tags"))}

    @cached_property
    def _chosen(self) -> frozenset[str]:
        named = self._options.choices.get("content_type", "")
        if named:
            return self._named_types([one.strip() for one in named.split(",")])
        counts = Counter(_type_of(one) for one in self._entries.values())
        texts = [name for name, one in self._types.items() if _is_text(one)] or list(counts)
        return frozenset(sorted(texts, key=lambda name: -counts[name])[:1])

    def _named_types(self, wanted: list[str]) -> frozenset[str]:
        ids = {**{words(one.get("name")): id for id, one in self._types.items()}, **{id: id for id in self._types}}
        unknown = [one for one in wanted if one not in ids]
        if unknown:
            said = f"has no content type {unknown[0]!r}; it has {', '.join(sorted(self._types)) or 'none'}"
            raise SourceUnreadable(self._file, said)
        return frozenset(ids[one] for one in wanted)

    @cached_property
    def _guesses(self) -> dict[str, dict[str, str]]:
        found = {}
        for name in self._chosen:
            told = self._types.get(name, {})
            fields = {words(one.get("id")): _kind(one) for one in rows(told.get("fields"))}
            found[name] = guesses(fields, title=words(told.get("displayField")) or None)
        return found

    # --- reading ---

    def items(self) -> Iterator[Item | Problem]:
        """One for each entry and locale, or a problem in its place."""
        seen: set[str] = set()
        for entry, locale in self._rows():
            external_id = self._external_id(_id(entry), locale)
            try:
                if _is_archived(entry):
                    said = "It is archived in Contentful, and left out."
                    yield self._problem("archived", said, external_id, warning=True)
                else:
                    item = self._item(entry, locale, seen)
                    seen.add(item.external_id)
                    yield item
            except Refused as refused:
                yield self._problem(refused.code, refused.reason, external_id, field=refused.field)

    def count(self) -> int:
        """Entries that are not archived, once for each locale."""
        return sum(1 for entry, _ in self._rows() if not _is_archived(entry))

    def people(self) -> Iterator[Author]:
        """None besides those in bylines."""
        return iter(())

    def assets(self) -> Iterator[Asset]:
        """The files of the space, with their titles and descriptions, whether or not a text shows them."""
        for asset_id in self._assets:
            found = self.asset(asset_id)
            if found is not None:
                yield found

    def asset(self, external_id: str) -> Asset | None:
        """A file by its id: from the folder that `--download-assets` fills, or from the network."""
        told = members(self._assets.get(external_id, {}).get("fields"))
        file = members(self._in(told.get("file"), self._locales[0]))
        address = words(file.get("url")) or words(file.get("upload"))
        url = f"https:{address}" if address.startswith("//") else address
        if not url.startswith(("https://", "http://")) or not external_id:
            return None
        path = inside(self._root, url.partition("://")[2])
        return Asset(external_id, path, url, self._said_of(told))

    def target(self, origin_file: str, url: str) -> Target | None:
        """A file of Contentful's by its address, or an entry as our own HTML names it."""
        file = _FILE.match(url.strip())
        if file:
            return Target("asset", file[1])
        entry = _ENTRY.fullmatch(url.strip().partition("#")[0])
        return Target("item", f"{entry[1]}:{entry[2]}", otherwise=(entry[1],)) if entry else None

    def _rows(self) -> Iterator[tuple[dict[str, Any], str]]:
        for entry in rows(self._document.get("entries")):
            if _type_of(entry) in self._chosen:
                yield from ((entry, locale) for locale in self._locales_of(entry))

    def _locales_of(self, entry: Mapping[str, Any]) -> list[str]:
        """Those in which its title is written; the default one where that cannot be told."""
        name = next((one for one, meaning in self._guesses[_type_of(entry)].items() if meaning == "title"), "")
        written = members(members(entry.get("fields")).get(name))
        return [one for one in self._locales if written.get(one) not in EMPTY] or self._locales[:1]

    def _external_id(self, entry_id: str, locale: str) -> str:
        return entry_id if locale == self._locales[0] else f"{entry_id}:{locale}"

    def _item(self, entry: dict[str, Any], locale: str, seen: set[str]) -> Item:
        told, kind = members(entry.get("sys")), _type_of(entry)
        fields = safe(members(entry.get("fields")))
        values = {name: self._value(self._in(value, locale), locale) for name, value in fields.items()}
        tags = [self._tags.get(_id(tag), _id(tag)) for tag in rows(members(entry.get("metadata")).get("tags"))]
        usual = {
            "topics": tags,
            "title": first_text(values, _NAMES),
            "locale": self._options.locale if len(self._locales) == 1 else our_locale(locale, self._options),
            "draft": told.get("publishedVersion") is None and told.get("publishedAt") is None,
            "type": "page" if "page" in kind.lower() and self._options.type == "article" else None,
            "created_at": moment(told, "createdAt"),
            "changed_at": moment(told, "updatedAt"),
            "first_published_at": moment(told, "firstPublishedAt") or moment(told, "publishedAt"),
        }
        return composed(
            {name: value for name, value in values.items() if value not in EMPTY},
            key=self._external_id(_id(entry), locale) if _id(entry) else "",
            seen=seen,
            origin=Origin(self._file),
            options=self._options,
            guessed=self._guesses[kind],
            usual=usual,
        )

    def _in(self, value: Any, locale: str) -> Any:
        """A field's value in a locale, or in the default one where it is written in that only."""
        written = members(value)
        return written.get(locale) if written.get(locale) is not None else written.get(self._locales[0])

    def _value(self, value: Any, locale: str) -> Any:
        if isinstance(value, list):
            return [self._value(member, locale) for member in value]
        if not isinstance(value, dict):
            return value
        if value.get("nodeType") == "document":
            return {"format": "html", "value": contentful_texts.html(value, self._embedded(locale))}
        return self._reference(value, locale) if _linked_id(value) else value

    def _reference(self, value: Mapping[str, Any], locale: str) -> Reference:
        linked = _linked_id(value)
        if members(value.get("sys")).get("linkType") == "Asset":
            return Reference(linked, Link("asset", linked) if self.asset(linked) else None)
        entry = self._entries.get(linked)
        if entry is None:
            return Reference(linked)
        label = self._label(entry, locale)
        link = Link("item", self._key_in(entry, locale)) if _type_of(entry) in self._chosen else None
        told = {name: self._in(one, locale) for name, one in members(entry.get("fields")).items()}
        url = first_text(told, ("website", "url", "homepage"))
        email = first_text(told, ("email",)) or None
        person = Author(linked, label, email, url if url.startswith(("https://", "http://")) else None)
        return Reference(label, link, person if len(label) <= 1_000 else None)

    def _key_in(self, entry: Mapping[str, Any], locale: str) -> str:
        return self._external_id(_id(entry), locale if locale in self._locales_of(entry) else self._locales[0])

    def _label(self, entry: Mapping[str, Any], locale: str) -> str:
        fields = {name: self._in(value, locale) for name, value in members(entry.get("fields")).items()}
        shown = words(self._types.get(_type_of(entry), {}).get("displayField"))
        return first_text(fields, (*([shown] if shown else []), *_NAMES)) or _id(entry)

    def _embedded(self, locale: str) -> contentful_texts.Embedded:
        # Entries that hold one another many times would make a text without end.
        left = iter(range(_MOST_EMBEDDED))
        return contentful_texts.Embedded(
            asset=lambda one: self._asset_shown(one, locale),
            entry=lambda one: self._entry_shown(one, locale) if next(left, None) is not None else None,
            address=lambda one: self._address(one, locale),
        )

    def _asset_shown(self, asset_id: str, locale: str) -> contentful_texts.Shown | None:
        found = self.asset(asset_id)
        if found is None:
            return None
        told = members(self._assets[asset_id].get("fields"))
        kind = words(members(self._in(told.get("file"), locale)).get("contentType"))
        title, description = (words(self._in(told.get(name), locale)) for name in ("title", "description"))
        return contentful_texts.Shown(found.url or "", title, description, is_image=kind.startswith("image/"))

    def _entry_shown(self, entry_id: str, locale: str) -> contentful_texts.Inside | None:
        entry = self._entries.get(entry_id)
        if entry is None:
            return None
        fields = {name: self._in(value, locale) for name, value in members(entry.get("fields")).items()}
        return contentful_texts.Inside(self._label(entry, locale), fields)

    def _address(self, entry_id: str, locale: str) -> str:
        """Where a link to an entry leads in our own HTML; "" where it does not come in."""
        entry = self._entries.get(entry_id)
        comes = entry is not None and _type_of(entry) in self._chosen and not _is_archived(entry)
        return f"/contentful-entry/{entry_id}/{locale}" if comes else ""

    def _said_of(self, told: Mapping[str, Any]) -> dict[str, str]:
        title, description = (words(self._in(told.get(name), self._locales[0])) for name in ("title", "description"))
        return {name: text for name, text in (("title", title), ("alt", description)) if text}

    def _problem(
        self, code: str, reason: str, external_id: str, *, field: str | None = None, warning: bool = False
    ) -> Problem:
        key = external_id.encode("utf-8", "backslashreplace").decode().replace("\0", "")[:500]
        return Problem(self._file, None, field, code, reason, warning=warning, external_id=key or None)


def _id(value: Mapping[str, Any]) -> str:
    return words(members(value.get("sys")).get("id"))


def _type_of(entry: Mapping[str, Any]) -> str:
    return _id(members(members(entry.get("sys")).get("contentType")))


def _is_archived(entry: Mapping[str, Any]) -> bool:
    return bool(members(entry.get("sys")).get("archivedAt"))


def _linked_id(value: Mapping[str, Any]) -> str:
    return _id(value) if members(value.get("sys")).get("type") == "Link" else ""


def _kind(field: Mapping[str, Any]) -> str:
    told = members(field.get("items")) if field.get("type") == "Array" else field
    if told.get("type") == "Link":
        return "file" if told.get("linkType") == "Asset" else "reference"
    return _KINDS.get(words(field.get("type")), "other")


def _is_text(content_type: Mapping[str, Any]) -> bool:
    """Whether entries of a type are something to read: a title, and a long text."""
    kinds = {_kind(field) for field in rows(content_type.get("fields"))}
    return bool(words(content_type.get("displayField"))) and bool(kinds & {"rich", "long"})


def _looks_right(start: bytes) -> bool:
    return (
        start.startswith(b"{")
        and re.search(rb'"(?:contentTypes|entries|assets|locales)"\s*:\s*\[', start) is not None
        and b'"sys"' in start
    )


def _recognise(source: Path) -> int:
    return 95 if source.exists() and document_in(source, _looks_right) else 0


FORMAT = Format("A Contentful export", read, _recognise, mappable=True, choices={"content_type": (), "locales": ()})
