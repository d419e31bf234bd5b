"""What the settings of the site must not say: what names nothing, or would make public answers that lead nowhere."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    by_themselves = (_address_faults, _pattern_faults, _host_faults, _preset_faults)
    return [*(fault for rule in by_themselves for fault in rule(said)), *_feed_faults(session, said)]


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
        yield from _name_faults(names, index, at, what="feed")
        yield from _unknown_types(session, feed.get("types") or (), at)
        if feed.get("locale") and said.get("locales") and feed["locale"] not in said["locales"]:
            yield Fault(f"{at}/locale", "unknown_locale", "The site has no such locale.")


def _name_faults(names: Sequence[str], index: int, at: str, *, what: str) -> Iterator[Fault]:
    """What is wrong with one of the names of feeds or presets."""
    name = names[index]
    if not re.fullmatch(SLUG, name) or len(name) > 100:
        told = f"A {what} is called by lower-case latin letters, digits and . _ ~ -, at most 100."
        yield Fault(f"{at}/name", "malformed_name", told)
    if name in names[:index]:
        yield Fault(f"{at}/name", "name_taken", f"Another {what} is called '{name}'. Choose another name.")


def _unknown_types(session: Session, names: Iterable[str], at: str) -> Iterator[Fault]:
    types = site_types.all_of(session)
    for index, name in enumerate(names):
        if name not in types or not types[name].routable:
            told = f"There is no type '{name[:100]}' whose entries have pages."
            yield Fault(f"{at}/types/{index}", "unknown_type", told)


def _preset_faults(said: Mapping[str, Any]) -> Iterator[Fault]:
    presets = said.get("image_presets") or []
    names = [preset["name"] for preset in presets]
    if len(presets) > _MOST_PRESETS:
        told = f"At most {_MOST_PRESETS}: every image comes with the addresses of all."
        yield Fault("/fields/image_presets", "too_many", told)
    for index, preset in enumerate(presets):
        at = f"/fields/image_presets/{index}"
        yield from _name_faults(names, index, at, what="preset")
        yield from _side_faults(preset, at)


def _side_faults(preset: Mapping[str, Any], at: str) -> Iterator[Fault]:
    sides = [name for name in ("width", "height") if preset.get(name) is not None]
    if not sides:
        yield Fault(f"{at}/width", "missing", "Give a width, a height or both, in pixels.")
    elif len(sides) == 1 and preset.get("fit") == "fill":
        missing = "height" if sides == ["width"] else "width"
        yield Fault(f"{at}/{missing}", "missing", "To fill a frame, give its width and its height.")
    for name in ("width", "height", "quality"):
        if preset.get(name) is not None and preset[name] != int(preset[name]):
            yield Fault(f"{at}/{name}", "not_whole", "Give a whole number.")


_MOST_PRESETS = 30
