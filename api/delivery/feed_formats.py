"""A feed as bytes: RSS 2.0, Atom 1.0 (RFC 4287) and JSON Feed 1.1."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import orjson

from api.delivery.xml_writing import XmlWriter, allowed
from cms.clock import written
from cms.delivery.feeds import Item, Read

# What an empty feed says of its last change; Atom wants an instant.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Addresses:
    """Where the feed is, and the site that it tells of."""

    feed: str
    home: str
    site_name: str


@dataclass(frozen=True)
class Format:
    """One way to write a feed."""

    media_type: str
    write: Callable[[Read, Addresses], bytes]


def _rss(feed: Read, at: Addresses) -> bytes:
    writer = XmlWriter()
    with writer.element("rss", _RSS), writer.element("channel"):
        writer.text("title", feed.title)
        writer.text("link", at.home)
        writer.text("description", feed.title)
        writer.text("language", feed.locale)
        writer.empty("atom:link", {"rel": "self", "type": "application/rss+xml", "href": at.feed})
        writer.text("lastBuildDate", format_datetime(feed.changed) if feed.changed else None)
        for item in feed.items:
            _rss_item(writer, item)
    return writer.taken()


_RSS = {
    "version": "2.0",
    "xmlns:atom": "http://www.w3.org/2005/Atom",
    "xmlns:dc": "http://purl.org/dc/elements/1.1/",
    "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
}


def _rss_item(writer: XmlWriter, item: Item) -> None:
    with writer.element("item"):
        writer.text("title", item.title)
        writer.text("link", item.url)
        writer.text("guid", f"urn:uuid:{item.id}", {"isPermaLink": "false"})
        writer.text("pubDate", format_datetime(item.first_published_at))
        for name, _ in item.authors:
            writer.text("dc:creator", name)
        for topic in item.topics:
            writer.text("category", topic)
        writer.text("description", item.summary)
        writer.text("content:encoded", item.html)


def _atom(feed: Read, at: Addresses) -> bytes:
    writer = XmlWriter()
    language = {"xml:lang": feed.locale} if feed.locale else {}
    with writer.element("feed", {"xmlns": "http://www.w3.org/2005/Atom", **language}):
        writer.text("id", f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, at.feed)}")
        writer.text("title", feed.title)
        writer.text("updated", written(feed.changed or _NEVER))
        _author(writer, at.site_name, at.home)
        writer.empty("link", {"rel": "self", "type": "application/atom+xml", "href": at.feed})
        writer.empty("link", {"rel": "alternate", "type": "text/html", "href": at.home})
        for item in feed.items:
            _atom_entry(writer, item)
    return writer.taken()


def _atom_entry(writer: XmlWriter, item: Item) -> None:
    with writer.element("entry", {"xml:lang": item.locale}):
        writer.text("id", f"urn:uuid:{item.id}")
        writer.text("title", item.title)
        writer.text("published", written(item.first_published_at))
        writer.text("updated", written(item.published_at))
        for name, url in item.authors:
            _author(writer, name, url)
        writer.empty("link", {"rel": "alternate", "type": "text/html", "href": item.url})
        for topic in item.topics:
            writer.empty("category", {"term": topic})
        writer.text("summary", item.summary, {"type": "text"})
        writer.text("content", item.html, {"type": "html"})


def _author(writer: XmlWriter, name: str, url: str | None) -> None:
    with writer.element("author"):
        writer.text("name", name)
        writer.text("uri", url)


def _json(feed: Read, at: Addresses) -> bytes:
    told = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": at.home,
        "feed_url": at.feed,
        "language": feed.locale,
        "authors": [{"name": at.site_name, "url": at.home}],
        "items": [_json_item(item) for item in feed.items],
    }
    return orjson.dumps(_without_null(told))


def _json_item(item: Item) -> dict[str, Any]:
    # An item has a text in one form at least.
    text = {"content_html": allowed(item.html)} if item.html else {"content_text": allowed(item.summary or item.title)}
    told = {
        "id": f"urn:uuid:{item.id}",
        "url": item.url,
        "title": allowed(item.title),
        "summary": allowed(item.summary) if item.summary else None,
        "date_published": written(item.first_published_at),
        "date_modified": written(item.published_at),
        "authors": [_without_null({"name": name, "url": url}) for name, url in item.authors] or None,
        "tags": list(item.topics) or None,
        "language": item.locale,
    }
    return _without_null(told | text)


def _without_null(told: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Feed, unlike our own answers, leaves out what it does not know."""
    return {name: value for name, value in told.items() if value is not None}


FORMATS: Mapping[str, Format] = {
    "rss": Format("application/rss+xml", _rss),
    "atom": Format("application/atom+xml", _atom),
    "json": Format("application/feed+json", _json),
}
