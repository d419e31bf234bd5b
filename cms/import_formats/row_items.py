"""A row of named values as an item: rows of JSON, of tables, of whatever has names."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cms.import_formats.folder import slug_of
from cms.import_formats.item import LONGEST_EXTERNAL_ID, Asset, Item, Link, Options, Origin, SourceUnreadable
from cms.import_formats.known_fields import Given
from cms.import_formats.safe_values import Refused

MARKUP = re.compile(
    r"</?(?:p|h[1-6]|div|ul|ol|li|br|table|blockquote|pre|img|a|section|article)\b[^<>]*>", re.IGNORECASE
)
LONGEST_ADDRESS = 2_000
MEANINGS = (
    "external_id",
    "title",
    "slug",
    "summary",
    "body",
    "first_published_at",
    "created_at",
    "changed_at",
    "section",
    "topics",
    "locale",
    "byline",
    "cover",
    "alt",
    "draft",
    "status",
    "type",
    "old_paths",
)
# `zone`: of dates that name none. `id_column`: the name that holds the row's own id.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "body_format": ("auto", "html", "markdown", "text"),
    "zone": (),
    "id_column": (),
}


class Rows:
    """Makes items of rows, one after another. Raises `SourceUnreadable` for choices that make no sense.

    `makes_ids`: a row without an id is known by its slug, or by its title and date; `made_ids` counts those."""

    def __init__(self, options: Options, *, makes_ids: bool = False) -> None:
        self._options = options
        self._makes_ids = makes_ids
        self.made_ids = 0
        self._format = options.choices.get("body_format", "auto")
        self._zone = zone_of(options)
        column = options.choices.get("id_column")
        self._mapping = {**options.mapping, **({column: "external_id"} if column else {})}
        self._seen: set[str] = set()

    def item(self, values: dict[str, Any], origin: Origin, *, raw: str | None = None) -> Item:
        """The item of a row of safe values. Raises `Refused`, also for an external id that was there before."""
        given = self._given(values)
        external_id = self._external_id(given)
        title = given.read("title")
        if not title:
            raise Refused("missing", "An item needs a title.", field=given.names.get("title", "title"))
        names = given.read("section") or ()
        item = Item(
            origin=origin,
            external_id=external_id,
            fields={"title": title, **self._optional(given), **given.fields},
            locale=given.read("locale") or self._options.locale,
            section=tuple(map(slug_of, names)),
            section_names=names,
            slug=given.read("slug"),
            byline=given.read("byline") or (),
            first_published_at=given.read("first_published_at"),
            draft=given.is_draft,
            source_fields=given.rest,
            type=given.read("type"),
            created_at=given.read("created_at"),
            changed_at=given.read("changed_at"),
            old_paths=given.read("old_paths") or (),
            mapped=given.mapped,
            raw=raw,
        )
        self._seen.add(external_id)
        self.made_ids += "external_id" not in given.names
        return item

    def cover(self, values: dict[str, Any]) -> Asset | None:
        """The picture that a row names, with its address as `url` if it is on the network. Raises `Refused`."""
        given = self._given(values)
        address = given.read("cover")
        if not address:
            return None
        alt = given.read("alt")
        return Asset(address, None, address if is_on_network(address) else None, {"alt": alt} if alt else {})

    def _given(self, values: dict[str, Any]) -> Given:
        options = self._options
        return Given(values, meanings=MEANINGS, fields=options.fields, mapping=self._mapping, zone=self._zone)

    def _optional(self, given: Given) -> dict[str, Any]:
        values = {name: given.read(name) for name in ("summary", "topics", "cover")}
        values["cover"] = Link("asset", values["cover"]) if values["cover"] else None
        values["body"] = _body(given, self._format)
        return {name: value for name, value in values.items() if value}

    def _external_id(self, given: Given) -> str:
        external_id = given.read("external_id") or (_own_id(given) if self._makes_ids else None)
        name = given.names.get("external_id", "external_id")
        if not external_id:
            raise Refused("missing", "An item needs an id of its own, the same in every run.", field=name)
        if len(external_id) > LONGEST_EXTERNAL_ID:
            raise Refused("too_long", f"An external id has at most {LONGEST_EXTERNAL_ID} characters.", field=name)
        if external_id in self._seen:
            raise Refused("duplicate", f"An earlier row has the external id {external_id!r}.", field=name)
        return str(external_id)


def zone_of(options: Options) -> ZoneInfo:
    """The zone of dates that name none. Raises `SourceUnreadable` for one that there is not."""
    name = options.choices.get("zone") or "UTC"
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise SourceUnreadable("zone", f"there is no zone {name[:100]!r}: give one such as Europe/Moscow") from None


def is_on_network(url: str) -> bool:
    """Whether it is the whole address of something on the network."""
    try:
        return url.startswith(("https://", "http://")) and len(url) <= LONGEST_ADDRESS and bool(urlsplit(url).hostname)
    except ValueError:
        return False


# A row is the same row for as long as its address is, or what it is called and when it is of.
def _own_id(given: Given) -> str | None:
    slug, title = given.read("slug"), given.read("title")
    if slug or not title:
        return str(slug) if slug else None
    moment = given.read("first_published_at")
    marks = "\n".join([title, moment.isoformat() if moment else ""])
    return hashlib.blake2b(marks.encode(), digest_size=12).hexdigest()


def _body(given: Given, told: str) -> dict[str, str] | None:
    value, name = given.raw("body"), given.names.get("body")
    if value is None or name is None:
        return None
    if isinstance(value, Mapping):
        written, text = value.get("format"), value.get("value")
        if written in ("html", "markdown") and isinstance(text, str):
            return {"format": written, "value": text}
    if not isinstance(value, str):
        raise Refused(
            "not_text", "A body must be text, or an object with format (html or markdown) and value.", field=name
        )
    if told == "text":
        return {"format": "html", "value": "".join(_paragraphs(value))}
    return {"format": _format(name.lower(), value) if told == "auto" else told, "value": value}


def _paragraphs(text: str) -> Iterator[str]:
    return (f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())


def _format(name: str, body: str) -> str:
    if name in ("body_html", "body_markdown"):
        return name.removeprefix("body_")
    return "html" if MARKUP.search(body) else "markdown"
