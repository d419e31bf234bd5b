"""What a banner must not say, in a draft and when it is published; and what its HTML loses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from cms import path_patterns, placements, showing_times, site, structure
from cms.banner_html import cleaned
from cms.content_types import ContentType
from cms.errors import Fault, InvalidContent
from cms.rich_text.document import MalformedRichText
from cms.snapshots import Snapshot
from cms.tables.entries import Entry, Revision

CREATIVES = ("image", "text", "html")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEVICES = ("desktop", "mobile", "tablet")
MOST_HOURS = 20

_HOUR = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_TRACKING_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True)
class Checked:
    """A content whose HTML is clean, what is wrong with it, and what the HTML lost."""

    snapshot: Snapshot
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


def checked(session: Session, content_type: ContentType, snapshot: Snapshot) -> Checked:
    """Look at a banner, or at the placements of the structure; other types' contents come back as they are."""
    if content_type.name == "structure":
        said = snapshot.fields.get("placements") or ()
        return Checked(snapshot, tuple(placements.faults(said, at="/fields/placements")))
    if content_type.name != "banner":
        return Checked(snapshot)
    snapshot, html_faults, warnings = _with_clean_html(snapshot)
    fields = {name: value for name, value in snapshot.fields.items() if value is not None}
    known = [str(one["name"]) for one in structure.newest_placements(session)]
    faults = (
        *html_faults,
        *_creative_faults(fields),
        *_placement_faults(fields, known),
        *_time_faults(fields),
        *_targeting_faults(fields.get("targeting") or {}, site.locales(session).all),
        *_cap_faults(fields.get("cap") or {}),
        *_tracking_faults(fields.get("tracking") or ()),
    )
    return Checked(snapshot, faults, warnings)


def refuse_unready(entry: Entry, revision: Revision) -> None:
    """Raises `InvalidContent` when a banner that shall be live has nothing to show."""
    if entry.type == "banner" and not creatives(revision.fields):
        said = "A banner shows an image, a text or HTML: give one of them, then publish."
        raise InvalidContent([Fault("/fields/creative", "no_creative", said)])


def creatives(fields: Mapping[str, Any]) -> list[str]:
    """Which of the three creatives are given."""
    creative = fields.get("creative") or {}
    return [name for name in CREATIVES if creative.get(name)]


def _with_clean_html(snapshot: Snapshot) -> tuple[Snapshot, list[Fault], tuple[Fault, ...]]:
    creative = snapshot.fields.get("creative") or {}
    at = "/fields/creative/html"
    if not creative.get("html"):
        return snapshot, [], ()
    try:
        found = cleaned(creative["html"])
    except MalformedRichText as error:
        return snapshot, [Fault(at, "malformed_html", f"{error}.")], ()
    kept = replace(snapshot, fields={**snapshot.fields, "creative": {**creative, "html": found.html}})
    if not found.removed:
        return kept, [], ()
    lost = ", ".join(found.removed[:_SHOWN])
    more = f" and {len(found.removed) - _SHOWN} more" if len(found.removed) > _SHOWN else ""
    said = f"The HTML of a banner has no place for this, it was removed: {lost}{more}."
    return kept, [], (Fault(at, "html_removed", said),)


_SHOWN = 20


def _creative_faults(fields: Mapping[str, Any]) -> Iterator[Fault]:
    given = creatives(fields)
    if len(given) > 1:
        said = f"A banner shows one thing. Here are {' and '.join(given)}: set all but one to null."
        yield Fault("/fields/creative", "several_creatives", said)
    if fields.get("link") and fields.get("entry"):
        said = "A banner leads to one place: give a link or an entry, and set the other to null."
        yield Fault("/fields/link", "several_targets", said)


def _placement_faults(fields: Mapping[str, Any], known: list[str]) -> Iterator[Fault]:
    for index, name in enumerate(fields.get("placements") or ()):
        if name not in known:
            offered = f"There are: {', '.join(known)}." if known else "There are none yet."
            said = f"The site structure has no placement '{name[:100]}'. {offered}"
            yield Fault(f"/fields/placements/{index}", "unknown_placement", said)


def _time_faults(fields: Mapping[str, Any]) -> Iterator[Fault]:
    yield from showing_times.faults(fields)
    yield from _unknown(fields.get("days") or (), DAYS, at="/fields/days", code="unknown_day")
    hours = fields.get("hours") or ()
    if len(hours) > MOST_HOURS:
        yield Fault("/fields/hours", "too_many", f"A banner has at most {MOST_HOURS} spans of hours.")
    for index, span in enumerate(hours):
        yield from _hour_faults(span, at=f"/fields/hours/{index}")


def _hour_faults(span: Mapping[str, str], *, at: str) -> Iterator[Fault]:
    for name in ("from", "to"):
        if not _HOUR.fullmatch(span[name]):
            yield Fault(f"{at}/{name}", "malformed_hour", "Write the hour as 09:00, from 00:00 to 23:59.")
    if span["from"] == span["to"]:
        said = "From and to are the same hour: leave the span out for the whole day. One over midnight is fine."
        yield Fault(f"{at}/to", "order", said)


def _targeting_faults(targeting: Mapping[str, Any], locales: tuple[str, ...]) -> Iterator[Fault]:
    at = "/fields/targeting"
    yield from path_patterns.faults(targeting, at=at)
    yield from _unknown(targeting.get("devices") or (), DEVICES, at=f"{at}/devices", code="unknown_device")
    yield from _unknown(targeting.get("locales") or (), locales, at=f"{at}/locales", code="unknown_locale")


def _unknown(values: Any, known: tuple[str, ...], *, at: str, code: str) -> Iterator[Fault]:
    for index, one in enumerate(values):
        if one not in known:
            yield Fault(f"{at}/{index}", code, f"'{one[:100]}' is none of: {', '.join(known)}.")


def _cap_faults(cap: Mapping[str, Any]) -> Iterator[Fault]:
    views, per = cap.get("views"), cap.get("per")
    if views is not None and views != int(views):
        yield Fault("/fields/cap/views", "not_whole", "Views are counted: give a whole number.")
    if (views is None) != (per is None):
        missing = "views" if views is None else "per"
        said = "A cap says how many views in which time: give both, or set both to null."
        yield Fault(f"/fields/cap/{missing}", "missing", said)


def _tracking_faults(tracking: Any) -> Iterator[Fault]:
    for index, one in enumerate(tracking):
        if not _TRACKING_NAME.fullmatch(one["name"]):
            said = "The name of a parameter has latin letters, digits and _ . - only, such as utm_source."
            yield Fault(f"/fields/tracking/{index}/name", "malformed_name", said)
