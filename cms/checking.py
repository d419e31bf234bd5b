"""What a content must not have: unknown locales, sections, persons or files, or targets that do not belong there."""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import banner_rules, counter_rules, settings_rules, site, structure, usages
from cms.content import SECTION, Reference
from cms.content_types import ContentType, leaves
from cms.errors import Fault, InvalidContent
from cms.section_tree import MAX_SLUG, SLUG
from cms.snapshots import Snapshot
from cms.tables.entries import StoredFile
from cms.tables.people import Person


@dataclass(frozen=True)
class Checked:
    """A content that may be stored, and what of it leads nowhere."""

    snapshot: Snapshot
    warnings: tuple[Fault, ...]


def checked(
    session: Session,
    content_type: ContentType,
    snapshot: Snapshot,
    *,
    references: Iterable[Reference],
    coming: Container[str] = (),
) -> Checked:
    """Look at a content with the database's eyes. Raises `InvalidContent`, `InUse`."""
    faults = [*_locale_faults(session, snapshot), *_person_faults(session, snapshot)]
    if not content_type.routable:
        snapshot = replace(snapshot, slug=None)
    elif snapshot.slug is not None and not re.fullmatch(SLUG, snapshot.slug[: MAX_SLUG + 1]):
        faults.append(Fault("/slug", "malformed_slug", "A slug has lower-case latin letters, digits and . _ ~ - only."))
    elif snapshot.slug is not None and len(snapshot.slug) > MAX_SLUG:
        faults.append(Fault("/slug", "too_long", f"A slug has at most {MAX_SLUG} characters."))
    section, section_warnings = structure.settled(session, snapshot.section)
    if section is not None and not section_warnings and not structure.is_known(session, section):
        faults.append(Fault("/section", "unknown_section", "There is no such section in the site structure."))
    snapshot, upload_faults = _with_uploads(session, content_type, replace(snapshot, section=section))
    snapshot, structure_faults = structure.checked(session, content_type, snapshot)
    faults += settings_rules.faults(session, content_type, snapshot)
    faults += counter_rules.faults(session, content_type, snapshot)
    banner = banner_rules.checked(session, content_type, snapshot)
    snapshot, faults = banner.snapshot, [*faults, *banner.faults]
    unknown = [one for one in references if one[1] not in coming]
    reference_faults, warnings = _reference_faults(session, content_type, unknown)
    faults += [*upload_faults, *structure_faults, *reference_faults]
    if faults:
        raise InvalidContent(faults)
    return Checked(snapshot, section_warnings + warnings + banner.warnings)


def _locale_faults(session: Session, snapshot: Snapshot) -> Iterable[Fault]:
    known = site.locales(session).all
    if snapshot.locale not in known:
        offered = ", ".join(known)
        yield Fault("/locale", "unknown_locale", f"The site has no such locale. It has: {offered}.")


def _person_faults(session: Session, snapshot: Snapshot) -> Iterable[Fault]:
    named = {*snapshot.byline, *([snapshot.owner_id] if snapshot.owner_id else [])}
    if not named:
        return
    known = set(session.scalars(select(Person.id).where(Person.id.in_(named))))
    if snapshot.owner_id and snapshot.owner_id not in known:
        yield Fault("/owner", "unknown_person", "There is no such person.")
    for index, person in enumerate(snapshot.byline):
        if person not in known:
            yield Fault(f"/byline/{index}", "unknown_person", "There is no such person.")


def _with_uploads(session: Session, content_type: ContentType, snapshot: Snapshot) -> tuple[Snapshot, list[Fault]]:
    faults = []
    fields = snapshot.fields
    for found, pointer, value in leaves(content_type.fields, snapshot.fields, at="/fields"):
        if found.kind != "upload":
            continue
        stored = session.get(StoredFile, str(value.get("sha256")))
        if stored is None:
            faults.append(
                Fault(pointer, "unknown_file", "No such file was received. Send it to POST /editor/v1/media.")
            )
        elif content_type.name in _OF_ONE_KIND and stored.kind != content_type.name:
            faults.append(Fault(pointer, "other_kind", f"These bytes are of type '{stored.kind}'."))
        else:
            file = described(stored, name=value.get("name")) | _first_page(session, stored)
            fields = {**fields, found.name: file}
    return replace(snapshot, fields=fields), faults


def described(stored: StoredFile, *, name: object = None) -> dict[str, Any]:
    """The value of an upload field: what is known of a stored file."""
    return {
        "sha256": stored.sha256,
        "name": name if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME else stored.name,
        "media_type": stored.media_type,
        "size": stored.size,
        "width": stored.width,
        "height": stored.height,
        "placeholder": stored.placeholder,
        "color": stored.color,
        "frames": stored.frames,
        "pages": stored.pages,
    }


_LONGEST_NAME = 255
# Types whose entries are their bytes: who refers to an image counts on a picture.
_OF_ONE_KIND = frozenset({"image", "file"})


def _first_page(session: Session, stored: StoredFile) -> dict[str, Any]:
    picture = session.get(StoredFile, stored.picture) if stored.picture is not None else None
    return {"picture": described(picture)} if picture is not None else {}


def _reference_faults(
    session: Session, content_type: ContentType, wanted: list[Reference]
) -> tuple[list[Fault], tuple[Fault, ...]]:
    faults = _section_faults(session, wanted)
    wanted = [one for one in wanted if one[2] != (SECTION,)]
    types = usages.types(session, (target for _, target, _ in wanted)) if wanted else {}
    warnings: list[Fault] = []
    for pointer, target, allowed in wanted:
        in_text = (found := content_type.field(pointer.split("/")[2])) is not None and found.kind == "rich_text"
        if target not in types:
            fault = Fault(pointer, "missing_target", f"There is no entry {target}.")
            (warnings if in_text else faults).append(fault)
        elif allowed and types[target] not in allowed:
            said = f"The entry {target} is of type {types[target]}; here belongs: {', '.join(allowed)}."
            (warnings if in_text else faults).append(Fault(pointer, "wrong_type", said))
    return faults, tuple(warnings)


def _section_faults(session: Session, wanted: list[Reference]) -> list[Fault]:
    pointed = [(pointer, target) for pointer, target, allowed in wanted if allowed == (SECTION,)]
    tree = structure.newest_tree(session) if pointed else ()
    said = "There is no such section in the site structure."
    return [Fault(pointer, "unknown_section", said) for pointer, target in pointed if target not in tree]
