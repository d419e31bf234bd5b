"""An export as WordPress writes it (WXR 1.2): its importer takes posts, pages, authors, categories and files from it.

Posts have numbers there. Each gets one made of its id, so that an export stopped and resumed says the same of it.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import phpserialize
from slugify import slugify

from cms import rich_text
from cms.export_formats import texts
from cms.export_formats.protocol import (
    Destination,
    Exported,
    ExportedPerson,
    ExportFormat,
    ExportOptions,
    Piece,
    Site,
)

TYPES = {"article": "post", "news": "post", "page": "page"}
_HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0"
 xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:wfw="http://wellformedweb.org/CommentAPI/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
"""
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class WordPressWriter:
    """Writes posts and pages, each after the authors, categories and files that it needs: readers take each once."""

    def __init__(self, site: Site, options: ExportOptions) -> None:
        self._site = site

    def start(self) -> Iterator[Piece]:
        """The channel, and what is told of the site."""
        site = self._site
        home = site.url or ""
        told = _element("title", site.name or home) + _element("link", home) + _element("description", "")
        told += _element("language", site.default_locale) + _element("wp:wxr_version", "1.2")
        told += _element("wp:base_site_url", home) + _element("wp:base_blog_url", home)
        yield (_HEAD + told).encode()

    def entry(self, one: Exported) -> Iterator[Piece]:
        """A post or page; of an image or a file its address. What has neither page nor bytes has no place here."""
        if one.files:
            target = self._site.destination(one.id)
            yield from self._attachments([target] if target else [])
        elif one.content_type.routable:
            yield "".join(map(_author, one.byline)).encode()
            yield _categories(one).encode()
            yield from self._attachments(self._shown(one))
            yield self._post(one).encode()

    def end(self) -> Iterator[Piece]:
        """The end of the channel."""
        yield b"</channel>\n</rss>\n"

    def _shown(self, one: Exported) -> list[Destination]:
        """Images and files that a post shows."""
        ids = [one.fields.get("cover")]
        for value in one.fields.values():
            if isinstance(value, Mapping) and value.get("type") == "doc":
                ids += [reference.entry for reference in rich_text.references(dict(value))]
        found = (self._site.destination(id) for id in dict.fromkeys(ids) if isinstance(id, str))
        return [target for target in found if target is not None and target.file is not None]

    def _attachments(self, targets: list[Destination]) -> Iterator[Piece]:
        for target in targets:
            url = self._site.file_address(target.file) if target.file else None
            if url is not None:
                yield _attachment(target, url).encode()

    def _post(self, one: Exported) -> str:
        parts = _element("title", one.title) + _element("link", self._address(one))
        parts += _element("pubDate", format_datetime(one.first_published_at or one.created_at))
        parts += "".join(_element("dc:creator", _login(person)) for person in one.byline[:1])
        parts += f'<guid isPermaLink="false">urn:uuid:{one.id}</guid>\n' + _element("description", "")
        parts += _element("content:encoded", self._body(one)) + _element("excerpt:encoded", _text(one, "summary"))
        parts += _element("wp:post_id", str(_number(one.id)))
        parts += _dates("wp:post_date", one.first_published_at or one.created_at)
        parts += _dates("wp:post_modified", one.changed_at)
        parts += _element("wp:comment_status", "closed") + _element("wp:ping_status", "closed")
        parts += _element("wp:post_name", one.slug or "") + _element("wp:status", "publish" if one.is_live else "draft")
        parts += _element("wp:post_parent", "0") + _element("wp:menu_order", "0")
        parts += _element("wp:post_type", TYPES.get(one.type, one.type)) + _element("wp:post_password", "")
        parts += _element("wp:is_sticky", "1" if _source(one).get("sticky") is True else "0")
        return f"<item>\n{parts}{''.join(_terms(one))}{''.join(self._meta(one))}</item>\n"

    def _address(self, one: Exported) -> str:
        return one.url or one.path or f"{self._site.url or ''}/?p={_number(one.id)}"

    def _body(self, one: Exported) -> str:
        body = one.fields.get("body")
        return texts.html(self._site, body, locale=one.locale) if isinstance(body, Mapping) else ""

    def _meta(self, one: Exported) -> Iterator[str]:
        """The cover, the words for search engines, earlier slugs, and what the source of an import told."""
        cover = one.fields.get("cover")
        if isinstance(cover, str):
            yield _custom_field("_thumbnail_id", str(_number(cover)))
        seo = one.fields.get("seo")
        said = seo if isinstance(seo, Mapping) else {}
        for name, key in (("title", "_yoast_wpseo_title"), ("description", "_yoast_wpseo_metadesc")):
            if said.get(name):
                yield _custom_field(key, str(said[name]))
        slugs = (path.rstrip("/").rpartition("/")[2] for path in one.old_paths)
        yield from (_custom_field("_wp_old_slug", slug) for slug in dict.fromkeys(slugs) if slug and slug != one.slug)
        for key, value in _source(one).items():
            if key != "sticky":
                yield _custom_field(key, _php(value))


def _author(person: ExportedPerson) -> str:
    parts = _element("wp:author_login", _login(person)) + _element("wp:author_email", person.email or "")
    return f"<wp:author>{parts}{_element('wp:author_display_name', person.name)}</wp:author>\n"


def _login(person: ExportedPerson) -> str:
    return f"{slugify(person.name, max_length=40) or 'author'}-{person.id[-12:]}"


def _categories(one: Exported) -> str:
    """The sections from the root to where it stands. A category's slug has all above it, for each is there once."""
    written = ""
    for depth, name in enumerate(one.section_names, start=1):
        slug, parent = "-".join(one.section_path[:depth]), "-".join(one.section_path[: depth - 1])
        parts = _element("wp:term_id", str(_number(f"section {slug}"))) + _element("wp:category_nicename", slug)
        parts += _element("wp:category_parent", parent) + _element("wp:cat_name", name)
        written += f"<wp:category>{parts}</wp:category>\n"
    return written


def _terms(one: Exported) -> Iterator[str]:
    if one.section_names:
        yield _term("category", "-".join(one.section_path), one.section_names[-1])
    topics = one.fields.get("topics")
    for topic in topics if isinstance(topics, list) else []:
        yield _term("post_tag", slugify(str(topic), max_length=200) or str(_number(str(topic))), str(topic))
    if len(one.byline) > 1:
        yield from (_term("author", f"cap-{_login(person)}", person.name) for person in one.byline)


def _term(taxonomy: str, slug: str, name: str) -> str:
    return f"<category domain={quoteattr(taxonomy)} nicename={quoteattr(slug)}>{_data(name)}</category>\n"


def _attachment(target: Destination, url: str) -> str:
    fields = target.fields
    parts = _element("title", target.title) + _element("link", url)
    parts += f'<guid isPermaLink="false">urn:uuid:{target.id}</guid>\n'
    parts += _element("content:encoded", str(fields.get("description") or ""))
    parts += _element("excerpt:encoded", str(fields.get("caption") or ""))
    parts += _element("wp:post_id", str(_number(target.id))) + _element("wp:status", "inherit")
    parts += _element("wp:post_parent", "0") + _element("wp:post_type", "attachment")
    parts += _element("wp:attachment_url", url)
    alt = fields.get("alt")
    return f"<item>\n{parts}{_custom_field('_wp_attachment_image_alt', str(alt)) if alt else ''}</item>\n"


def _custom_field(key: str, value: str) -> str:
    return f"<wp:postmeta>{_element('wp:meta_key', key)}{_element('wp:meta_value', value)}</wp:postmeta>\n"


def _dates(name: str, at: datetime) -> str:
    said = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return _element(name, said) + _element(f"{name}_gmt", said)


def _source(one: Exported) -> Mapping[str, Any]:
    found = one.fields.get("source_fields")
    return found if isinstance(found, Mapping) else {}


def _text(one: Exported, name: str) -> str:
    value = one.fields.get(name)
    return escape(value) if isinstance(value, str) else ""


def _php(value: object) -> str:
    """A value as a custom field holds it: text as it is, all else as PHP writes it down."""
    if isinstance(value, str):
        return value
    try:
        return str(phpserialize.dumps(value).decode())
    except (TypeError, ValueError, RecursionError):
        return str(value)


def _number(id: str) -> int:
    """A post's number, the same in every export: of 48 bits, so that no two of a site are the same."""
    return int.from_bytes(hashlib.blake2b(id.encode(), digest_size=6).digest())


def _element(name: str, text: str) -> str:
    return f"<{name}>{_data(text)}</{name}>\n"


def _data(text: str) -> str:
    text = _NOT_XML.sub("\ufffd", text)
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>" if text else ""


FORMAT = ExportFormat(
    "An export of WordPress (WXR), with files as addresses",
    suffix="xml",
    media_type="application/rss+xml",
    open=WordPressWriter,
    types=("news", "article", "page"),
)
