"""What staff should know of banners: those that end soon or lead nowhere, pictures too heavy, placements left empty."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import site
from cms.clock import written
from cms.delivery import resolving
from cms.delivery.banners import Banner, banner_of, live_banners
from cms.delivery.live_structure import Placement, live_site
from cms.delivery.publications import public_file
from cms.errors import Fault
from cms.json_columns import among
from cms.paths import before_query
from cms.snapshots import Snapshot
from cms.structure import newest_placements
from cms.tables.entries import Entry, Revision
from cms.tables.publications import Publication

SOON = timedelta(days=3)
HEAVY_BYTES = 500_000
# Screens of double density have a use for so many pixels on each side.
_DENSEST = 2
# Beyond it a picture is cut or leaves a gap that one sees.
_OTHER_ASPECT = 0.05


@dataclass(frozen=True)
class Warning:
    """Something about a live banner, or about a placement; `pointer` is into the banner, empty where there is none."""

    banner: str | None
    title: str | None
    placement: str | None
    pointer: str
    code: str
    message: str


def of(session: Session, entry: Entry, snapshot: Snapshot, *, at: datetime) -> tuple[Fault, ...]:
    """Warnings about one content of a banner, by the newest placements; about other types' contents none."""
    if entry.type != "banner":
        return ()
    said = banner_of(entry.id, "", snapshot.locale, 0, snapshot.fields)
    slots = [
        Placement(one["name"], width=one.get("width"), height=one.get("height")) for one in newest_placements(session)
    ]
    found = dict.fromkeys((one.pointer, one.code, one.message) for one in _about(session, [said], slots, at=at))
    return tuple(Fault(*one) for one in found)


def of_the_site(session: Session, *, at: datetime) -> list[Warning]:
    """Warnings about all live banners, those that end first before all others, and about placements."""
    live = live_site(session)
    banners = list(live_banners(session).values())
    ending = sorted((one for one in banners if one.ends_at is not None), key=lambda one: str(one.ends_at))
    others = [one for one in banners if one.ends_at is None]
    placements = list(live.placements.values())
    return [*_about(session, [*ending, *others], placements, at=at), *_empty(banners, placements, at=at)]


def _about(
    session: Session, banners: Iterable[Banner], placements: Iterable[Placement], *, at: datetime
) -> Iterator[Warning]:
    banners, by_name = list(banners), {one.name: one for one in placements}
    files = _files(session, [one.image for one in banners if one.image])
    for banner in banners:
        yield from _end(banner, at)
        yield from _link(session, banner)
        file = files.get(banner.image or "")
        if file is not None:
            yield from _picture(banner, file, [by_name[name] for name in banner.placements if name in by_name])


def _warn(banner: Banner, pointer: str, code: str, message: str, placement: str | None = None) -> Warning:
    return Warning(banner.id, banner.title, placement, pointer, code, message)


def _end(banner: Banner, at: datetime) -> Iterator[Warning]:
    if banner.ends_at is None:
        return
    ends = written(banner.ends_at)
    if banner.is_over(at):
        said = f"The banner ended at {ends} and is not shown any more: take it down, or give it another end."
        yield _warn(banner, "/fields/ends_at", "ended", said)
    elif banner.ends_at - at <= SOON:
        yield _warn(banner, "/fields/ends_at", "ends_soon", f"The banner ends at {ends}.")


# --- links ---


def _link(session: Session, banner: Banner) -> Iterator[Warning]:
    if banner.entry is not None:
        if not _is_reachable(session, banner.entry):
            said = "The entry that the banner leads to is not published, or has no path: visitors get no link."
            yield _warn(banner, "/fields/entry", "link_missing", said)
    elif banner.link is not None and (path := _own_path(session, banner.link)) and not _leads(session, path):
        said = f"There is nothing at {path[:200]}: correct the link, or make a redirect."
        yield _warn(banner, "/fields/link", "link_missing", said)


def _is_reachable(session: Session, entry_id: str) -> bool:
    p = Publication
    row = session.execute(select(p.section, p.slug, p.locale, p.file).where(p.entry_id == entry_id)).first()
    if row is None:
        return False
    tree = live_site(session).tree
    return row.file is not None or bool(row.slug and tree.path(row.section, locale=row.locale, slug=row.slug))


def _own_path(session: Session, link: str) -> str | None:
    """The path that a link names on this site; None: it leads elsewhere."""
    if link.startswith("/"):
        return link
    own = site.settings(session).url
    if own is None or not (link + "/").startswith(own + "/"):
        return None
    return link[len(own) :] or "/"


# What is served by others than the tree of sections.
_SERVED = ("/feeds/", "/assets/", "/sitemap", "/robots.txt")


def _leads(session: Session, path: str) -> bool:
    path = before_query(path)
    steps = path.split("/")
    if steps[1] == "media":
        return len(steps) > 2 and public_file(session, steps[2]) is not None
    if path.startswith(_SERVED):
        return True
    found = resolving.resolve(
        session, path[: resolving.LONGEST_PATH], site=live_site(session), locales=site.locales(session), locale=None
    )
    return found is not None and not found.gone


# --- pictures ---


def _files(session: Session, images: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
    """What is known of the files of images: of those that are live as they are shown, of others as they were saved."""
    ids = sorted(set(images))
    if not ids:
        return {}
    newest = (
        select(Entry.id, Revision.fields)
        .join(Revision, (Revision.entry_id == Entry.id) & (Revision.number == Entry.revision))
        .where(among(Entry.id, ids))
    )
    saved = {row.id: row.fields.get("file") for row in session.execute(newest)}
    live = select(Publication.entry_id, Publication.file).where(among(Publication.entry_id, ids))
    shown = {row.entry_id: row.file for row in session.execute(live)}
    return {id: file for id, file in {**saved, **shown}.items() if file}


def _picture(banner: Banner, file: Mapping[str, Any], placements: Iterable[Placement]) -> Iterator[Warning]:
    at = "/fields/creative/image"
    if (file.get("size") or 0) > HEAVY_BYTES:
        said = f"The file has {file['size'] // 1_000} kB: give one of {HEAVY_BYTES // 1_000} kB at most."
        yield _warn(banner, at, "creative_heavy", said)
    width, height = int(file.get("width") or 0), int(file.get("height") or 0)
    for slot in placements if width and height else ():
        if (slot.width and width > _DENSEST * slot.width) or (slot.height and height > _DENSEST * slot.height):
            said = (
                f"The picture has {width} × {height} pixels, more than twice the size of “{slot.name}”: {_size(slot)}."
            )
            yield _warn(banner, at, "creative_heavy", said, slot.name)
        if slot.width and slot.height and abs(width * slot.height / (height * slot.width) - 1) > _OTHER_ASPECT:
            said = f"The picture has {width} × {height} pixels, another shape than “{slot.name}”: {_size(slot)}."
            yield _warn(banner, at, "size_mismatch", said, slot.name)


def _size(slot: Placement) -> str:
    return " × ".join("any" if side is None else f"{side:g}" for side in (slot.width, slot.height))


# --- placements ---


def _empty(banners: Iterable[Banner], placements: Iterable[Placement], *, at: datetime) -> Iterator[Warning]:
    on = [one for one in banners if one.is_on(at)]
    for slot in placements:
        # Those for emergencies are empty on good days.
        if not slot.emergency and not any(slot.name in one.placements or one.id == slot.house for one in on):
            said = f"The placement “{slot.name}” shows nothing: publish a banner for it, or give it a house banner."
            yield Warning(None, None, slot.name, "", "placement_empty", said)
