"""What the settings of the site must not say: what names nothing, or would make public answers that lead nowhere."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.errors import Fault
from cms.section_tree import SLUG
from cms.snapshots import Snapshot

_HOST = re.compile(r"(?=.{1,253}(:|$))[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?", re.I)


def faults(session: Session, content_type: ContentType, snapshot: Snapshot) -> list[Fault]:
    """What is wrong with the settings; nothing is with other types' contents."""
    if content_type.name != "settings":
        return []
    said = {name: value for name, value in snapshot.fields.items() if value is not None}
    return [*_address_faults(said), *_pattern_faults(said), *_host_faults(said), *_feed_faults(session, said)]


def _address_faults(said: Mapping[str, Any]) -> Iterator[Fault]:
    parts = urlsplit(said.get("site_url") or "")
    if parts.query or parts.fragment or "@" in parts.netloc:
        told = "Give the address that paths are put behind, such as https://www.example.org."
        yield Fault("/fields/site_url", "malformed_address", told)


def _pattern_faults(said: Mapping[str, Any]) -> Iterator[Fault]:
    pattern = said.get("title_pattern") or ""
    if pattern and "{title}" not in pattern:
        told = "The pattern names {title}, and {site} or {section} if you like: “{title} — {site}”."
        yield Fault("/fields/title_pattern", "no_title", told)
    if "{site}" in pattern and not said.get("site_name"):
        yield Fault("/fields/site_name", "missing", "The title pattern names {site}: give the site a name.")


def _host_faults(said: Mapping[str, Any]) -> Iterator[Fault]:
    for index, host in enumerate(said.get("redirect_hosts") or ()):
        if not _HOST.fullmatch(_in_ascii(host)):
            told = "Give a host alone, such as shop.example.org, without https:// and without a path."
            yield Fault(f"/fields/redirect_hosts/{index}", "malformed_host", told)


def _in_ascii(host: str) -> str:
    """A host whose name may be in another alphabet, as it is looked up; as it is, when it is none."""
    name, colon, port = host.partition(":")
    try:
        return name.encode("idna").decode("ascii") + colon + port
    except UnicodeError:
        return host


def _feed_faults(session: Session, said: Mapping[str, Any]) -> Iterator[Fault]:
    feeds = said.get("feeds") or []
    names = [feed["name"] for feed in feeds]
    for index, feed in enumerate(feeds):
        at = f"/fields/feeds/{index}"
        if not re.fullmatch(SLUG, feed["name"]) or len(feed["name"]) > 100:
            told = "A feed is called by lower-case latin letters, digits and . _ ~ -, at most 100."
            yield Fault(f"{at}/name", "malformed_name", told)
        if feed["name"] in names[:index]:
            yield Fault(f"{at}/name", "name_taken", f"Another feed is called '{feed['name']}'. Choose another name.")
        yield from _unknown_types(session, feed.get("types") or (), at)
        if feed.get("locale") and said.get("locales") and feed["locale"] not in said["locales"]:
            yield Fault(f"{at}/locale", "unknown_locale", "The site has no such locale.")


def _unknown_types(session: Session, names: Iterable[str], at: str) -> Iterator[Fault]:
    types = site_types.all_of(session)
    for index, name in enumerate(names):
        if name not in types or not types[name].routable:
            told = f"There is no type '{name[:100]}' whose entries have pages."
            yield Fault(f"{at}/types/{index}", "unknown_type", told)
