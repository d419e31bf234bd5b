"""An unpacked Strapi export: schemas, entities and links as lines of JSON, and the uploaded files.

Strapi 5 keeps a row for the draft and one for what is published: they are one item, under the document's id, and in
another locale than the site's default one under `id:locale`. Rows of Strapi 4 are items of their own, `article:12`."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from cms.import_formats import strapi_texts
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
from cms.import_formats.whole_document import inside, members, moment, words

LONGEST_LINE = 8 * 1024 * 1024
_FILES = "plugin::upload.file"
_FILE = re.compile(r"/uploads/[^/?#\s]+")
_ON_THE_NETWORK = re.compile(r"https?://[^\s?#]+\.(?:jpe?g|png|gif|webp|avif|svg|pdf)", re.IGNORECASE)
_NAMES = ("name", "title", "fullName", "username", "label", "slug")
_OWN = frozenset({"id", "documentId", "createdAt", "updatedAt", "publishedAt", "locale", "createdBy", "updatedBy"})
_KINDS = {
    **dict.fromkeys(("string", "uid", "email", "date", "datetime", "enumeration"), "text"),
    **dict.fromkeys(("richtext", "blocks", "dynamiczone", "customField"), "rich"),
    "text": "long",
    "media": "file",
    "relation": "reference",
}


class Row(NamedTuple):
    """A line of entities: where it stands, and what it holds; None for what cannot be read."""

    file: str
    line: int
    type: str
    id: str
    data: dict[str, Any] | None


def read(source: Path, options: Options) -> "StrapiExport":
    """Opens the folder of an export. Raises `SourceUnreadable`."""
    if not source.exists():
        raise SourceUnreadable(str(source), "is not there")
    root = _root(source)
    if root is None:
        said = "is no unpacked Strapi export; make one with: strapi export --no-encrypt"
        raise SourceUnreadable(str(source), said)
    return StrapiExport(root, options)


class StrapiExport:
    """The entries of the chosen content types, in the order of the export."""

    links_inside = True

    def __init__(self, root: Path, options: Options) -> None:
        self._root = root
        self._options = options
        self._base = options.choices.get("base_url", "").rstrip("/")

    # --- what the export holds ---

    @cached_property
    def _schemas(self) -> dict[str, dict[str, Any]]:
        found = (_json(line) for _, _, line in _lines(self._root / "schemas"))
        return {words(one.get("uid")): one for one in map(members, found) if isinstance(one, dict)}

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(row.type for row in self._rows())

    @cached_property
    def _chosen(self) -> frozenset[str]:
        known = {name: self._schemas.get(name, {}) for name in self._counts if name.startswith("api::")}
        named = self._options.choices.get("content_type", "")
        if named:
            return frozenset(_uid(one.strip(), known, self._root.name) for one in named.split(","))
        texts = [name for name, schema in known.items() if _is_text(schema)] or list(known)
        return frozenset(sorted(texts, key=lambda name: (-self._counts[name], name))[:1])

    @cached_property
    def _default_locale(self) -> str:
        for _, _, line in _lines(self._root / "configuration"):
            told = members(members(_json(line)).get("value"))
            if told.get("key") == "plugin_i18n_default_locale":
                return words(told.get("value")).strip('"') or "en"
        return "en"

    @cached_property
    def _published(self) -> frozenset[tuple[str, str]]:
        """The documents, with their locales, of which there is a published row."""
        rows = (row for row in self._rows() if row.type in self._chosen and row.data is not None)
        return frozenset(_document(row) for row in rows if _document(row)[0] and (row.data or {}).get("publishedAt"))

    @cached_property
    def _related(self) -> dict[tuple[str, str], dict[str, list[tuple[float, str, str]]]]:
        """What each row is linked with: by field, the place in order, the other's type and its id."""
        found: dict[tuple[str, str], dict[str, list[tuple[float, str, str]]]] = {}
        for _, _, line in _lines(self._root / "links"):
            link = members(_json(line))
            left, right = members(link.get("left")), members(link.get("right"))
            for one, other in ((left, right), (right, left)):
                field, kind = words(one.get("field")), words(one.get("type"))
                if field and kind in self._chosen:
                    position = one.get("pos")
                    place = float(position) if isinstance(position, int | float) else 0.0
                    linked = found.setdefault((kind, words(one.get("ref"))), {}).setdefault(field, [])
                    linked.append((place, words(other.get("type")), words(other.get("ref"))))
        return found

    @cached_property
    def _others(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What texts may be linked with, by type and id: only what is needed of each."""
        wanted = {
            words(field.get("target")) for name in self._chosen for field in _attributes(self._schemas.get(name, {}))
        }
        wanted.add(_FILES)
        return {(row.type, row.id): _needed(row) for row in self._rows() if row.type in wanted and row.data is not None}

    @cached_property
    def _guesses(self) -> dict[str, dict[str, str]]:
        return {name: guesses(_kinds(self._schemas.get(name, {}))) for name in self._chosen}

    # --- reading ---

    def items(self) -> Iterator[Item | Problem]:
        """One for each document and locale, or a problem in its place."""
        seen: set[str] = set()
        for row in self._wanted():
            try:
                item = self._item(row, seen)
            except Refused as refused:
                key = row.id.encode("utf-8", "backslashreplace").decode()[:500] or None
                yield Problem(row.file, row.line, refused.field, refused.code, refused.reason, external_id=key)
            else:
                seen.add(item.external_id)
                yield item

    def count(self) -> int:
        """The documents, once for each locale, and the lines that cannot be read."""
        return sum(1 for _ in self._wanted())

    def people(self) -> Iterator[Author]:
        """None besides those in bylines."""
        return iter(())

    def assets(self) -> Iterator[Asset]:
        """All uploaded files, whether or not a text shows them."""
        seen = set()
        for (kind, _), told in self._others.items():
            url = words(told.get("url"))
            found = self.asset(url) if kind == _FILES and url not in seen else None
            if found is not None:
                seen.add(url)
                said = {"title": told.get("name"), "alt": told.get("alternativeText"), "caption": told.get("caption")}
                yield Asset(url, found.path, found.url, {name: words(one) for name, one in said.items() if words(one)})

    def asset(self, external_id: str) -> Asset | None:
        """A file by its address in Strapi."""
        if external_id.startswith(("https://", "http://")):
            return Asset(external_id, None, external_id)
        if not external_id.startswith("/uploads/"):
            return None
        path = inside(self._root, f"assets{external_id}")
        url = self._base + external_id if self._base else None
        return Asset(external_id, path, url) if path or url else None

    def target(self, origin_file: str, url: str) -> Target | None:
        """A file by its address."""
        url = url.strip()
        if self._base and url.startswith(self._base + "/"):
            url = url[len(self._base) :]
        found = _FILE.match(url) or _ON_THE_NETWORK.match(url)
        return Target("asset", found[0]) if found else None

    def _rows(self) -> Iterator[Row]:
        for file, number, line in _lines(self._root / "entities"):
            found = members(_json(line))
            data = found.get("data")
            readable = isinstance(data, dict)
            yield Row(file, number, words(found.get("type")), words(found.get("id")), data if readable else None)

    def _wanted(self) -> Iterator[Row]:
        for row in self._rows():
            if row.data is None or (row.type in self._chosen and not self._is_superseded(row)):
                yield row

    def _is_superseded(self, row: Row) -> bool:
        """Whether it is the draft of what is published, too."""
        document = _document(row)
        return bool(document[0]) and not (row.data or {}).get("publishedAt") and document in self._published

    def _item(self, row: Row, seen: set[str]) -> Item:
        if row.data is None:
            raise Refused("not_json", "The line is no entity: it is not JSON, too long, or has no data.")
        schema = self._schemas.get(row.type, {})
        data = safe(row.data)
        fields = {name: value for name, value in data.items() if name not in _OWN}
        values = {name: self._value(name, value, schema) for name, value in fields.items()}
        values |= self._linked(row)
        drafts = members(schema.get("options")).get("draftAndPublish") is True
        usual = {
            "title": first_text(values, _NAMES),
            "locale": our_locale(words(data.get("locale")), self._options) or self._options.locale,
            "draft": drafts and not data.get("publishedAt"),
            "type": _type_of(row.type) if self._options.type == "article" else None,
            "created_at": moment(data, "createdAt"),
            "changed_at": moment(data, "updatedAt"),
            "first_published_at": moment(data, "publishedAt"),
        }
        return composed(
            {name: value for name, value in values.items() if value not in EMPTY},
            key=self._key(row.type, row.id, data),
            seen=seen,
            origin=Origin(row.file, row.line),
            options=self._options,
            guessed=self._guesses[row.type],
            usual=usual,
        )

    def _key(self, kind: str, id: str, data: Mapping[str, Any]) -> str:
        document, locale = words(data.get("documentId")), words(data.get("locale"))
        if not document:
            return f"{_short(kind)}:{id}" if id else ""
        return f"{document}:{locale}" if locale and locale != self._default_locale else document

    def _value(self, name: str, value: Any, schema: Mapping[str, Any]) -> Any:
        kind = words(members(members(schema.get("attributes")).get(name)).get("type"))
        if kind in ("blocks", "dynamiczone") and isinstance(value, list):
            return {"format": "html", "value": strapi_texts.html(value)}
        return value

    def _linked(self, row: Row) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field, linked in self._related.get((row.type, row.id), {}).items():
            references = [self._reference(kind, ref) for _, kind, ref in sorted(linked, key=lambda one: one[0])]
            found[field.partition(".")[0]] = list(filter(None, references))
        return found

    def _reference(self, kind: str, ref: str) -> Reference | None:
        told = self._others.get((kind, ref))
        if told is None:
            return None
        if kind == _FILES:
            url = words(told.get("url"))
            return Reference(url, Link("asset", url) if self.asset(url) else None)
        label = first_text(told, _NAMES) or ref
        link = Link("item", self._key(kind, ref, told)) if kind in self._chosen else None
        email, url = first_text(told, ("email",)), first_text(told, ("website", "url"))
        web = url if url.startswith(("https://", "http://")) else None
        return Reference(label, link, Author(f"{_short(kind)}:{ref}", label[:1_000], email or None, web))


def _lines(folder: Path) -> Iterator[tuple[str, int, bytes | None]]:
    """File, number and text of each line that is not blank; None for one that is too long."""
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        if not path.is_file() or path.is_symlink():
            continue
        with path.open("rb") as file:
            yield from ((f"{folder.name}/{path.name}", number, line) for number, line in _lines_of(file))


def _lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        too_long = len(line) == LONGEST_LINE and not line.endswith(b"\n")
        rest = line
        while too_long and rest and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE)
        if too_long or line.strip():
            yield number, None if too_long else line


def _json(line: bytes | None) -> Any:
    try:
        return orjson.loads(line or b"")
    except orjson.JSONDecodeError:
        return None


def _document(row: Row) -> tuple[str, str]:
    data = row.data or {}
    return words(data.get("documentId")), words(data.get("locale"))


def _needed(row: Row) -> dict[str, Any]:
    names = (*_NAMES, "email", "website", "url", "alternativeText", "caption", "documentId", "locale")
    data = row.data or {}
    return {name: value for name in names if isinstance(value := data.get(name), str)}


def _attributes(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in members(schema.get("attributes")).values() if isinstance(one, dict)]


def _kinds(schema: Mapping[str, Any]) -> dict[str, str]:
    attributes = members(schema.get("attributes"))
    return {
        name: _KINDS.get(words(members(told).get("type")), "other")
        for name, told in attributes.items()
        if name not in _OWN
    }


def _is_text(schema: Mapping[str, Any]) -> bool:
    """Whether its entries are something to read: they have a title, and a text that is longer than a line."""
    kinds = _kinds(schema)
    return "title" in guesses(kinds).values() and bool({"rich", "long"} & set(kinds.values()))


def _uid(wanted: str, known: Mapping[str, Mapping[str, Any]], where: str) -> str:
    for uid, schema in known.items():
        info = members(schema.get("info"))
        if wanted in (uid, _short(uid), info.get("singularName"), info.get("pluralName"), info.get("displayName")):
            return uid
    raise SourceUnreadable(where, f"has no content type {wanted!r}; it has {', '.join(sorted(known)) or 'none'}")


def _short(uid: str) -> str:
    return uid.rpartition(".")[2] or uid


def _type_of(uid: str) -> str | None:
    name = _short(uid).lower()
    return name if name in ("page", "news") else None


def _root(source: Path) -> Path | None:
    """The folder with the entities in it: the source's, or one just below it."""
    if not source.is_dir():
        return None
    below = sorted(path for path in source.iterdir() if path.is_dir())[:20]
    return next((one for one in (source, *below) if _is_export(one)), None)


def _is_export(folder: Path) -> bool:
    return (folder / "entities").is_dir() and ((folder / "schemas").is_dir() or (folder / "metadata.json").is_file())


def _recognise(source: Path) -> int:
    return 95 if _root(source) else 0


FORMAT = Format(
    "A Strapi export", read, _recognise, mappable=True, choices={"content_type": (), "base_url": (), "locales": ()}
)
