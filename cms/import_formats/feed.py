"""A saved feed: RSS 0.9 to 2.0, RSS 1.0 or Atom, as a file."""

import io
import re
from calendar import timegm
from collections.abc import Iterator, Mapping, Set
from datetime import UTC, datetime
from functools import cached_property
from html import escape, unescape
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from lxml import etree
from selectolax.lexbor import LexborHTMLParser

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
from cms.import_formats.known_values import MOST_TOPICS, author, instant, title, topics
from cms.import_formats.safe_values import Refused, safe
from cms.import_formats.whole_document import document_in, items_of, key_of, members, opened, rows, whole, words

LARGEST = 20 * 1024 * 1024
# The parser for feeds that are no XML tries them again and again from each "<".
LARGEST_BROKEN = 2 * 1024 * 1024
SUFFIXES = (".xml", ".rss", ".atom", ".rdf", ".feed")
_LONGEST_SUMMARY = 2_000
_MOST_AUTHORS = 20
_FEED = re.compile(rb"<(?:\w+:)?(?:rss|feed|RDF)[\s>]", re.IGNORECASE)
_WITH_ENTITIES = re.compile(rb"<!DOCTYPE[^>\[]*\[", re.IGNORECASE)
_START = re.compile(rb"<\w")
_DECLARATION = re.compile(rb"<!(?!\[CDATA\[|--)")
_WORDPRESS = b"wordpress.org/export/"
_IMAGE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)$", re.IGNORECASE)
# Bounded, because a text of nothing but beginnings must not take minutes.
_ADDRESS = re.compile(
    r"""(<[a-z][^<>]{0,2000}?\s(?:src|href|poster)\s{0,9}=\s{0,9}["'])([^"'<>]{0,2000})""", re.IGNORECASE
)
_SHOWN = re.compile(r"""<img\s[^<>]{0,2000}?\bsrc\s{0,9}=\s{0,9}["']?([^"'<>\s]{1,2000})""", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# Where the parser looks for the beginning again and again.
_LONGEST_PROLOGUE = 16 * 1024
_MOST_DECLARATIONS = 50
# Of a text whose first words are wanted.
_LOOKED_AT = 20_000


def read(source: Path, options: Options) -> "Feed":
    """Opens a file, or the first feed of a folder. Raises `SourceUnreadable`."""
    return Feed(opened(source, _looks_right, kind="RSS or Atom feed", suffixes=SUFFIXES), options)


class Feed:
    """The items of a feed in its own order; its images and enclosures are files on the network."""

    links_inside = True

    def __init__(self, path: Path, options: Options) -> None:
        self._path = path
        self._options = options

    @cached_property
    def _parsed(self) -> Mapping[str, Any]:
        data = whole(self._path, largest=LARGEST)
        bare = data.replace(b"\0", b"")
        _refuse_ruinous(bare, self._path)
        if _WITH_ENTITIES.search(bare):
            raise SourceUnreadable(str(self._path), "declares entities, which no feed needs: they are not read")
        if len(data) > LARGEST_BROKEN and not _is_xml(data):
            raise SourceUnreadable(str(self._path), "is no XML, and too large to be guessed at")
        try:
            # A stream: bytes it would take for the name of a file.
            found: Mapping[str, Any] = feedparser.parse(
                io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False
            )
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # The parser's own, of feeds that are damaged in ways that it does not expect.
            raise SourceUnreadable(str(self._path), f"cannot be taken apart: {str(error)[:200]}") from None
        return found

    @cached_property
    def _base(self) -> str:
        told = words(members(self._parsed.get("feed")).get("link"))
        return _joined(self._options.choices.get("base_url", ""), told)

    def items(self) -> Iterator[Item | Problem]:
        """One for each item of the feed."""
        return items_of(self._path.name, self._entries, self._item)

    def count(self) -> int:
        """The items of the feed."""
        return len(self._entries)

    def people(self) -> Iterator[Author]:
        """None: bylines say all that is known."""
        return iter(())

    def assets(self) -> Iterator[Asset]:
        """Enclosures and media, and the images in the texts; each once."""
        seen = set()
        for entry in self._entries:
            for url in self._files_of(entry):
                if url not in seen:
                    seen.add(url)
                    yield Asset(url, None, url)

    def asset(self, external_id: str) -> Asset | None:
        """A file by its address."""
        return Asset(external_id, None, external_id) if _is_web(external_id) else None

    def target(self, origin_file: str, url: str) -> Target | None:
        """An image by its address; what else there is on the network stays where it is."""
        return Target("asset", url) if _is_web(url) and _is_image(url, "") else None

    @cached_property
    def _by_all(self) -> dict[str, Any]:
        """In Atom, the author of the feed is the author of entries that name none."""
        told = self._parsed.get("feed") if words(self._parsed.get("version")).startswith("atom") else None
        return dict(members(told))

    @cached_property
    def _entries(self) -> list[dict[str, Any]]:
        # Plain ones: the parser's own warn when they are asked for what they do not have.
        return [dict(entry) for entry in rows(self._parsed.get("entries"))]

    def _item(self, entry: dict[str, Any], seen: Set[str]) -> Item:
        link = _joined(self._base, words(entry.get("link"))) if words(entry.get("link")) else ""
        external_id = key_of(_clean(entry.get("id")) or link, "guid", seen)
        body, summary = self._texts(entry)
        files = list(self._enclosures(entry))
        images = list(dict.fromkeys(url for url, kind in files if _is_image(url, kind)))
        others = list(dict.fromkeys(url for url, kind in files if not _is_image(url, kind)))
        fields: dict[str, Any] = {
            "title": _title(entry) or _shortened(_plain(summary or body), 100) or external_id,
            "summary": _shortened(_plain(summary), _LONGEST_SUMMARY) if body != summary else "",
            "body": {"format": "html", "value": body} if body.strip() else None,
            "topics": _topics(entry),
            "cover": Link("asset", images[0]) if images else None,
            "attachments": [Link("asset", url) for url in others],
        }
        return Item(
            origin=Origin(self._path.name),
            external_id=external_id,
            fields=_checked({name: value for name, value in fields.items() if value}),
            locale=self._options.locale,
            byline=tuple(_authors(entry)) or tuple(_authors(self._by_all)),
            first_published_at=_moment(entry, "published") or _moment(entry, "updated"),
            changed_at=_moment(entry, "updated"),
            source_fields=safe(_rest(entry, link if link != external_id else "", images[1:])),
            old_paths=self._old_paths(link),
        )

    def _texts(self, entry: Mapping[str, Any]) -> tuple[str, str]:
        """The body and the summary, both as HTML; the same where the feed has one text only."""
        summary = self._html(members(entry.get("summary_detail")), entry)
        whole_text = {"value": entry.get("yandex_full-text"), "type": "text/plain"}
        contents = [self._html(one, entry) for one in (*rows(entry.get("content")), whole_text)]
        return max(contents, key=len, default="") or summary, summary

    def _html(self, told: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
        text = told.get("value")
        if not isinstance(text, str) or not text.strip():
            return ""
        if told.get("type") == "text/plain" and "<" not in text:
            return "".join(f"<p>{escape(part, quote=False)}</p>" for part in re.split(r"\n\s*\n", text) if part.strip())
        base = words(told.get("base")) or words(entry.get("link"))
        return _with_whole_addresses(text, _joined(self._base, base))

    def _files_of(self, entry: Mapping[str, Any]) -> Iterator[str]:
        yield from (url for url, _ in self._enclosures(entry))
        body, summary = self._texts(entry)
        for found in _SHOWN.finditer(body or summary):
            url = unescape(found[1])
            if _is_web(url) and _is_image(url, ""):
                yield url

    def _enclosures(self, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Addresses, and their kinds as the feed tells them."""
        enclosures = [link for link in rows(entry.get("links")) if link.get("rel") == "enclosure"]
        media = rows(entry.get("media_content")) or rows(entry.get("media_thumbnail"))
        for one in (*enclosures, *media):
            url = _joined(self._base, words(one.get("href")) or words(one.get("url")))
            if _is_web(url):
                yield url, words(one.get("type")) or words(one.get("medium"))

    def _old_paths(self, link: str) -> tuple[str, ...]:
        if self._options.choices.get("redirects") != "from the feed's links" or not _is_web(link):
            return ()
        path = urlsplit(link).path
        return (path,) if path not in ("", "/") else ()


def _refuse_ruinous(data: bytes, path: Path) -> None:
    start = _START.search(data)
    prologue = start.start() if start else len(data)
    declarations = len(_DECLARATION.findall(data))
    if prologue > _LONGEST_PROLOGUE or declarations > _MOST_DECLARATIONS:
        raise SourceUnreadable(str(path), "has more before its first element, or more declarations, than any feed")


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    safe({name: value for name, value in fields.items() if name not in ("cover", "attachments")})
    return fields


def _title(entry: Mapping[str, Any]) -> str:
    return title(_plain(words(entry.get("title"))))


def _topics(entry: Mapping[str, Any]) -> list[str]:
    names = [words(tag.get("label")) or words(tag.get("term")) for tag in rows(entry.get("tags"))]
    return topics([_plain(name) for name in names if name][:MOST_TOPICS])


def _authors(entry: Mapping[str, Any]) -> Iterator[Author]:
    found = rows(entry.get("authors")) or rows([entry.get("author_detail")])
    emails: set[str] = set()
    for one in found[:_MOST_AUTHORS]:
        # The parser gives the first one's address to those who have none.
        email = words(one.get("email")) if words(one.get("email")) not in emails else ""
        emails.add(email)
        told = {"name": words(one.get("name")), "email": email, "url": words(one.get("href"))}
        known = safe({name: value for name, value in told.items() if value})
        if known.get("name"):
            yield author(known)


def _rest(entry: Mapping[str, Any], link: str, images: list[str]) -> dict[str, Any]:
    known = {"link": link, "comments": words(entry.get("comments")), "images": images}
    known["rights"] = words(entry.get("rights"))
    given = {
        name: value
        for name, value in entry.items()
        if isinstance(value, str) and value.strip() and name not in _TAKEN and name not in known
    }
    return {name: value for name, value in {**known, **given}.items() if value}


_TAKEN = frozenset(
    [
        "id",
        "guidislink",
        "title",
        "summary",
        "link",
        "author",
        "published",
        "updated",
        "content",
        "href",
        "media_content",
        "media_thumbnail",
        "base",
        "language",
        "yandex_full-text",
    ]
)


def _moment(entry: Mapping[str, Any], name: str) -> datetime | None:
    """As the parser reads it; what it does not know, such as Russian words, as dates of any source are read."""
    written, parsed = words(entry.get(name)), entry.get(f"{name}_parsed")
    try:
        # The parser takes Moscow's time for that of Greenwich.
        if parsed and not written.endswith("MSK"):
            return datetime.fromtimestamp(timegm(parsed), UTC)
        return instant(written) if written else None
    except (OverflowError, ValueError, OSError, TypeError, Refused):
        return None


def _clean(value: Any) -> str:
    return str(safe({"guid": words(value)})["guid"])


def _joined(base: str, address: str) -> str:
    """The address seen from the base; unchanged where that makes no sense."""
    try:
        return urljoin(base, address.strip()) if address.strip() else base
    except ValueError:
        return ""


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname) and len(url) <= 500
    except ValueError:
        return False


def _is_image(url: str, kind: str) -> bool:
    return kind.startswith("image") if kind else _IMAGE.search(urlsplit(url).path) is not None


def _with_whole_addresses(html: str, base: str) -> str:
    """HTML whose links and images lead where they did on the site."""
    if not _is_web(base):
        return html

    def whole_address(found: re.Match[str]) -> str:
        address = found[2].strip()
        if not address or address.startswith("#") or _SCHEME.match(address):
            return found[0]
        return found[1] + escape(_joined(base, unescape(address)))

    # An element may have two of them.
    return _ADDRESS.sub(whole_address, _ADDRESS.sub(whole_address, html))


def _plain(html: str) -> str:
    """The words of a line of HTML."""
    if "<" not in html and "&" not in html:
        return " ".join(html.split())
    body = LexborHTMLParser(html[:_LOOKED_AT]).body
    return " ".join(body.text(separator=" ").split()) if body is not None else ""


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0] + "…"


def _is_xml(data: bytes) -> bool:
    try:
        etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (etree.XMLSyntaxError, ValueError):
        return False
    return True


def _looks_right(start: bytes) -> bool:
    plain = start.replace(b"\0", b"")
    return _FEED.search(plain) is not None and _WORDPRESS not in plain and b"<" in plain[:200]


def _recognise(source: Path) -> int:
    """A file; or a folder with nothing else in it, because whole sites have feeds, too."""
    if source.is_dir():
        inside = [path for path in islice(source.iterdir(), 20) if not path.name.startswith(".")]
        if len(inside) != 1 or not inside[0].is_file():
            return 0
    return 80 if source.exists() and document_in(source, _looks_right, suffixes=SUFFIXES) else 0


FORMAT = Format(
    "A feed: RSS or Atom",
    read,
    _recognise,
    choices={"redirects": ("none", "from the feed's links"), "base_url": ()},
)
