"""The newest pages as feeds tell of them: of a type, of a section, of all, or as staff have put a feed together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import rich_text
from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.delivery.live_structure import LiveSite
from cms.delivery.publications import around, below
from cms.json_columns import among
from cms.section_tree import in_locale
from cms.site import Feed, Settings
from cms.tables.publications import Publication

ALL = "all"


@dataclass(frozen=True)
class Item:
    """A page in a feed: absolute addresses, texts as they are, `html` the full text."""

    id: str
    url: str
    title: str
    locale: str
    summary: str | None
    html: str | None
    authors: tuple[tuple[str, str | None], ...]
    topics: tuple[str, ...]
    first_published_at: datetime
    published_at: datetime


@dataclass(frozen=True)
class Read:
    """A feed's title, its locale if it has one, and its newest items."""

    title: str
    locale: str | None
    items: Sequence[Item]

    @property
    def changed(self) -> datetime | None:
        """When the newest item was published."""
        return max((item.published_at for item in self.items), default=None)


def named(session: Session, settings: Settings, name: str) -> Feed | None:
    """The feed of that name: one of the settings, `all`, or that of a type whose entries have pages."""
    own = next((feed for feed in settings.feeds if feed.name == name), None)
    if own is not None or name == ALL:
        return own or Feed(ALL)
    content_type = site_types.all_of(session).get(name)
    return Feed(name, types=(name,)) if content_type is not None and content_type.routable else None


def read(session: Session, feed: Feed, *, live: LiveSite, settings: Settings, base: str) -> Read:
    """The newest entries of a feed, few statements however many. `base`: what paths are put behind."""
    found = _newest(session, feed, live)
    publications = [one for one, _ in found]
    others = around(session, publications, tree=live.tree)
    types = {one.type: site_types.find(session, one.type) for one in publications}
    items = [_item(one, path, types[one.type], others.targets, base) for one, path in found]
    section = live.tree.section(feed.section) if feed.section is not None else None
    about = in_locale(section.name, feed.locale or settings.locales.default) if section is not None else None
    title = feed.title or " — ".join(word for word in (settings.name or urlsplit(base).netloc, about) if word)
    return Read(title, feed.locale, items)


def within(feed: Feed, *, section: str | None, locale: str | None) -> Feed:
    """The same feed, of one section or in one locale only."""
    return replace(feed, section=section or feed.section, locale=locale or feed.locale)


def _newest(session: Session, feed: Feed, live: LiveSite) -> list[tuple[Publication, str]]:
    p = Publication
    wanted = select(p).where(p.slug.is_not(None))
    if feed.types:
        wanted = wanted.where(p.type.in_(feed.types))
    if feed.locale is not None:
        wanted = wanted.where(p.locale == feed.locale)
    if feed.section is not None:
        wanted = wanted.where(among(p.section, below(live.tree, feed.section)))
    # Read as far as is needed: what has no path, because its section is not live, does not count.
    rows = wanted.order_by(p.published_at.desc(), p.entry_id).execution_options(yield_per=feed.limit)
    with session.scalars(rows) as newest:
        paths = ((one, live.tree.path(one.section, locale=one.locale, slug=one.slug)) for one in newest)
        return list(islice(((one, path) for one, path in paths if path is not None), feed.limit))


def _item(one: Publication, path: str, of: ContentType, targets: Mapping[str, Any], base: str) -> Item:
    texts = [field.name for field in of.fields if field.kind == "rich_text" and field.public]
    written = [one.rendered[name] for name in texts if one.rendered.get(name)]
    html = "\n".join(rich_text.join_html(pieces, targets, locale=one.locale) for pieces in written)
    url = base + path
    return Item(
        id=one.entry_id,
        url=url,
        title=one.title,
        locale=one.locale,
        summary=one.rendered.get("summary") or None,
        html=_absolute(html, url) if html else None,
        authors=tuple((person["name"], person.get("url")) for person in one.byline),
        topics=tuple(one.rendered.get("topics") or ()),
        first_published_at=one.first_published_at,
        published_at=one.published_at,
    )


def _absolute(html: str, url: str) -> str:
    """The same HTML with addresses that hold wherever it is read."""
    parser = LexborHTMLParser(html)
    for attribute in ("href", "src", "poster", "cite"):
        for node in parser.css(f"[{attribute}]"):
            node.attrs[attribute] = urljoin(url, node.attributes[attribute] or "")
    return parser.body.inner_html or "" if parser.body is not None else ""
