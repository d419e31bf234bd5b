"""The one way to publish: a revision is rendered into the publication that the public reads, or taken from there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, inspect, select
from sqlalchemy.orm import Session

from cms import (
    addresses,
    banner_rules,
    banner_warnings,
    content,
    events,
    media_rights,
    menus,
    redirects,
    removals,
    second_person,
    structure,
    usages,
)
from cms.attribution import By
from cms.content import SECTION, Reference
from cms.custom_types import site_types
from cms.database import forget
from cms.delivery.live_structure import live_tree
from cms.errors import Fault, WrongState
from cms.redirects import NOT_FOUND, Answer, Place
from cms.rendering import Rendered, render
from cms.section_tree import SectionTree
from cms.snapshots import fields_of_today, refuse_trashed, revision_of, snapshot_of
from cms.tables.entries import Entry, Revision
from cms.tables.people import Person
from cms.tables.publications import Publication, Schedule, ShownFile


@dataclass(frozen=True)
class Published:
    """What is live now, and what of it visitors will not see (targets that are not published)."""

    publication: Publication
    path: str | None
    warnings: tuple[Fault, ...]


def publish(
    session: Session,
    entry: Entry,
    *,
    by: By,
    revision: int | Revision | None = None,
    rendered: Rendered | None = None,
    planned_at: datetime | None = None,
    published_at: datetime | None = None,
    back: bool = False,
) -> Published:
    """Make a revision live, the newest if none is named. `published_at` keeps an imported article's own first date;
    `rendered` is what `render` says of the revision, if that was done before; `back`: it comes back with its section.

    Raises `NotFound`, `AddressTaken`, `WrongState`, `SecondPersonNeeded`, and `InvalidContent` for a banner that shows
    nothing."""
    refuse_trashed(entry)
    chosen = revision if isinstance(revision, Revision) else revision_of(session, entry, revision)
    if not back:
        second_person.refuse_alone(session, entry, chosen.number, by=by)
    publication = session.get(Publication, entry.id) if entry.published_revision is not None else None
    addresses.refuse_live_twin(session, chosen)
    menus.refuse_live_twin(session, entry, chosen)
    banner_rules.refuse_unready(entry, chosen)
    structure.refuse_removed(session, chosen.section)
    before = structure.tree_in_force(session) if entry.type == "structure" else live_tree(session)
    left = redirects.place_of(publication, before) if publication is not None else None
    rendered = rendered or render(site_types.find(session, entry.type), fields_of_today(session, entry, chosen))
    values = _values(session, entry, chosen, rendered, by=by, first=published_at)
    new = publication is None
    if publication is None:
        publication = Publication(**values)
        session.add(publication)
    else:
        for name, value in values.items():
            setattr(publication, name, value)
    entry.published_revision = chosen.number
    entry.published_at = publication.published_at
    entry.first_published_at = publication.first_published_at
    path = _redirect_what_moved(session, before, publication, chosen, left=left, by=by)
    usages.note(session, entry.id, rendered.references, live=True, new=new)
    _note_shown_file(session, entry.id, rendered.file)
    _settle_schedule(session, entry)
    events.record(
        session,
        "entry.published",
        by=by,
        entry=entry,
        revision=chosen.number,
        path=path,
        old_path=left and left.path,
        planned_at=planned_at and planned_at.isoformat(),
    )
    moved = left is not None and left.path != path
    told = menus.holding(session, entry.id, said="its link follows to the new path.") if moved else ()
    told += banner_warnings.of(session, entry, snapshot_of(chosen), at=by.at)
    told += media_rights.ended(session, entry, rendered.fields, rendered.references, at=by.at)
    warnings = (*_pathless(publication, path), *left_out(session, rendered.references), *told)
    return Published(publication, path, warnings)


def unpublish(
    session: Session, entry: Entry, *, by: By, answer: Answer = NOT_FOUND, planned_at: datetime | None = None
) -> None:
    """Take an entry off the site; `answer` is what its path says from now on. Raises `WrongState`, `InvalidContent`."""
    publication = session.get(Publication, entry.id)
    if publication is None:
        raise WrongState("not_published", "The entry is not published.")
    if site_types.find(session, entry.type).single:
        raise WrongState("single_type", f"The site cannot be without its {entry.type}.")
    place = redirects.place_of(publication, live_tree(session))
    session.delete(publication)
    entry.published_revision = None
    entry.published_at = None
    session.flush()
    if place is not None:
        redirects.answer(session, entry, answer, place=place, at=by.at)
    usages.note(session, entry.id, (), live=True, new=False)
    session.execute(delete(ShownFile).where(ShownFile.entry_id == entry.id))
    _drop_planned_end(session, entry)
    events.record(
        session,
        "entry.unpublished",
        by=by,
        entry=entry,
        revision=publication.revision,
        old_path=place and place.path,
        answer=answer.kind,
        planned_at=planned_at and planned_at.isoformat(),
    )


def _values(
    session: Session, entry: Entry, chosen: Revision, rendered: Rendered, *, by: By, first: datetime | None
) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "type": entry.type,
        "locale": chosen.locale,
        "section": chosen.section,
        "slug": chosen.slug,
        "revision": chosen.number,
        "title": chosen.fields.get("title") or "",
        "translation_group": entry.translation_group,
        "first_published_at": entry.first_published_at or first or by.at,
        "published_at": first or by.at,
        "changed_at": by.at,
        "byline": public_byline(session, chosen.byline),
        **rendered.columns(),
    }


def public_byline(session: Session, ids: list[str]) -> list[dict[str, Any]]:
    """What visitors see of a byline: names and addresses, in the byline's order."""
    if not ids:
        return []
    found = {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(ids)))}
    return [{"id": one, "name": found[one].name, "url": found[one].url} for one in ids if one in found]


def _redirect_what_moved(
    session: Session, before: SectionTree, publication: Publication, chosen: Revision, *, left: Place | None, by: By
) -> str | None:
    if site_types.find(session, publication.type).single:
        forget(session)
    if publication.type == "structure":
        after = structure.tree_of(chosen.fields)
        removed = {one: after.successor(one) for one in after.removed}
        # Not `live_tree` before: it keeps the rules with the tree, and these are being made.
        redirects.follow_sections(session, before, after, removed=removed, at=by.at)
        removals.carry_out(
            session,
            removals.Trees(before, after),
            by=by,
            publish=lambda entry, revision: publish(session, entry, by=by, revision=revision, back=True),
        )
        return None
    now = redirects.place_of(publication, before)
    redirects.follow_entry(session, publication.entry_id, left=left, now=now, at=by.at)
    return now and now.path


def _note_shown_file(session: Session, entry_id: str, file: Mapping[str, Any] | None) -> None:
    """The address of a file answers as long as its entry is live, also when another has taken its place; so does that
    of the picture of its first page."""
    for shown in (file, (file or {}).get("picture")):
        if shown is not None:
            session.merge(ShownFile(sha256=shown["sha256"], entry_id=entry_id, file=dict(shown)))


def _settle_schedule(session: Session, entry: Entry) -> None:
    """What was published by hand needs no publishing later; a planned end stays."""
    if inspect(entry).pending:
        return  # made in this transaction: nobody can have planned anything
    schedule = session.get(Schedule, entry.id)
    if schedule is None or schedule.publish_at is None or schedule.revision > (entry.published_revision or 0):
        return
    schedule.publish_at = None
    schedule.failure = None
    if schedule.unpublish_at is None:
        session.delete(schedule)


def _drop_planned_end(session: Session, entry: Entry) -> None:
    """What was taken down by hand has no end left to come; a planned publication stays."""
    schedule = session.get(Schedule, entry.id)
    if schedule is None:
        return
    if schedule.publish_at is None:
        session.delete(schedule)
    else:
        schedule.unpublish_at = None


def _pathless(publication: Publication, path: str | None) -> Iterable[Fault]:
    if publication.slug is not None and path is None:
        said = "Its section is not published, so it has no path yet: publish the site structure."
        yield Fault("/section", "section_not_published", said)


def unseen(session: Session, entry: Entry) -> tuple[Fault, ...]:
    """A warning for each link in the newest revision of a menu that visitors would not see; of other types nothing."""
    if entry.type != "menu":
        return ()
    fields = revision_of(session, entry).fields
    return left_out(session, content.references(site_types.find(session, entry.type), fields))


def left_out(session: Session, references: Iterable[Reference]) -> tuple[Fault, ...]:
    """A warning for each reference to an entry or a section that visitors do not see."""
    used = list(references)
    in_sections = [(pointer, target) for pointer, target, allowed in used if allowed == (SECTION,)]
    to_entries = [(pointer, target) for pointer, target, allowed in used if allowed != (SECTION,)]
    tree = live_tree(session) if in_sections else ()
    wanted = {target for _, target in to_entries}
    live = set(session.scalars(select(Publication.entry_id).where(Publication.entry_id.in_(wanted)))) if wanted else ()
    said = "The {} {} is not published: visitors do not see this reference until it is."
    return (
        *(
            Fault(pointer, "target_not_published", said.format("entry", target))
            for pointer, target in to_entries
            if target not in live
        ),
        *(
            Fault(pointer, "section_not_published", said.format("section", target))
            for pointer, target in in_sections
            if target not in tree
        ),
    )
