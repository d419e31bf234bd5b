"""Bringing what an import format reads: sections, people, and entries keyed by the source's own ids."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cms import addresses, bringing, people, publishing, saving, snapshots, structure, usages
from cms.addresses import Address
from cms.attribution import By
from cms.content_types import ContentType
from cms.errors import Fault
from cms.identity import new_id
from cms.import_formats import Author
from cms.import_reading import Prepared
from cms.saving import Draft, Source
from cms.section_tree import SectionTree, copied
from cms.tables.entries import Entry, Usage
from cms.tables.people import Person

Outcome = tuple[Literal["made", "changed", "same"], tuple[Fault, ...]]


@dataclass(frozen=True)
class Known:
    """What the database has of a source's row."""

    entry_id: str
    digest: str | None
    needs_publishing: bool


@dataclass(frozen=True)
class Settled:
    """Where the items of one source belong: the ids of its people, of its sections by their slugs, of its rows."""

    people: Mapping[str, str]
    sections: Mapping[tuple[str, ...], str]
    entries: Mapping[str, str]
    # Those of the entries' ids that exist, and those that will when the import is done.
    there: frozenset[str]
    coming: frozenset[str]


def known(session: Session, source: str) -> dict[str, Known]:
    """What a source brought before, by its own ids."""
    rows = session.execute(
        select(Entry.source_id, Entry.id, Entry.source_digest, Entry.first_published_at).where(
            Entry.source_name == source
        )
    )
    return {row.source_id: Known(row.id, row.source_digest, row.first_published_at is None) for row in rows}


# --- what is settled before the first entry ---


def settle_people(session: Session, authors: Iterable[Author], *, source: str, by: By) -> tuple[dict[str, str], int]:
    """A person for each author, made or brought up to date: ids by the source's keys, and how many were made."""
    rows = session.execute(select(Person).where(Person.source == source)).scalars()
    found = {person.external_id or "": person for person in rows}
    made = 0
    for author in authors:
        person = found.get(author.key)
        if person is None:
            made += 1
            found[author.key] = people.add(
                session, name=author.name, url=author.url, source=source, external_id=author.key, by=by
            )
        elif author.name != author.key and (person.name, person.url) != (author.name, author.url):
            people.change(session, person, {"name": author.name, "url": author.url}, by=by)
    session.flush()
    return {key: person.id for key, person in found.items()}, made


def settle_sections(
    session: Session, wanted: Mapping[tuple[str, ...], tuple[str, ...]], *, by: By, publish: bool
) -> tuple[dict[tuple[str, ...], str], int]:
    """A section for each path of slugs, given with its names: ids by path, and how many were made."""
    entry = structure.entry(session)
    fields = snapshots.revision_of(session, entry).fields
    sections: list[dict[str, Any]] = copied(fields.get("sections") or [])
    made = 0
    for path in sorted({whole[:depth] for whole in wanted for depth in range(1, len(whole) + 1)}):
        made += _ensure(sections, path, names=_names(path, wanted))
    if made:
        saving.save(session, entry, {"fields": {"sections": sections}}, expected=entry.revision, by=by)
    if publish and (made or entry.published_revision != entry.revision):
        publishing.publish(session, entry, by=by)
    tree = structure.newest_tree(session)
    return {path: _at(tree, path) for path in wanted if path}, made


def _names(path: tuple[str, ...], wanted: Mapping[tuple[str, ...], tuple[str, ...]]) -> str:
    for other, names in wanted.items():
        if other[: len(path)] == path and len(names) >= len(path) and names[len(path) - 1]:
            return names[len(path) - 1]
    return path[-1]


def _ensure(sections: list[dict[str, Any]], path: tuple[str, ...], *, names: str) -> int:
    siblings = sections
    for slug in path[:-1]:
        siblings = next(node for node in siblings if _has_slug(node, slug))["children"]
    if any(_has_slug(node, path[-1]) for node in siblings):
        return 0
    siblings.append({"id": new_id(), "slug": path[-1], "name": {"*": names}, "children": []})
    return 1


def _has_slug(node: dict[str, Any], slug: str) -> bool:
    own = node["slug"]
    return own == slug if isinstance(own, str) else slug in own.values()


def _at(tree: SectionTree, path: tuple[str, ...]) -> str:
    siblings = tree.roots
    found = ""
    for slug in path:
        sections = (section for one in siblings if (section := tree.section(one)) is not None)
        section = next(one for one in sections if _has_slug({"slug": one.slug}, slug))
        found, siblings = section.id, section.children
    return found


# --- entries ---


def look_ahead(session: Session, ready: Iterable[Prepared], settled: Settled, *, default_locale: str) -> None:
    """One statement for the addresses of a whole batch, instead of some for each row."""
    wanted = [
        Address(row.item.locale or default_locale, settled.sections.get(row.item.section), row.item.slug)
        for row in ready
        if row.item.slug is not None
    ]
    addresses.look_up(session, wanted)


def bring(
    session: Session,
    content_type: ContentType,
    prepared: Prepared,
    *,
    source: str,
    settled: Settled,
    default_locale: str,
    publish: bool,
    by: By,
) -> Outcome:
    """Make or change one entry, and publish it if that is wanted and the row is no draft. Raises `Refusal`s."""
    item = prepared.item
    draft = Draft(
        locale=item.locale or default_locale,
        fields=prepared.fields,
        section=settled.sections.get(item.section),
        slug=item.slug,
        byline=tuple(settled.people[author.key] for author in item.byline if author.key in settled.people),
        coming=settled.coming,
        derived=prepared.derived,
        warnings=prepared.warnings,
    )
    entry_id = settled.entries[item.external_id]
    entry = session.get(Entry, entry_id) if entry_id in settled.there else None
    row = Source(source, item.external_id, prepared.digest)
    brought = bringing.bring_read(session, content_type, draft, entry=entry, source=row, by=by, entry_id=entry_id)
    saved = brought.saved.entry
    if publish and not item.draft and (brought.outcome != "same" or saved.first_published_at is None):
        first = _past(item.first_published_at, by.at)
        publishing.publish(
            session,
            saved,
            by=by,
            revision=brought.saved.revision,
            rendered=prepared.rendered,
            published_at=first,
        )
    return brought.outcome, brought.saved.warnings


def _past(instant: datetime | None, now: datetime) -> datetime | None:
    """A date in the future is a source's wish, not a fact."""
    return instant if instant is not None and instant <= now else None


def loosen(session: Session, source: str, coming: Collection[str]) -> list[tuple[str, str]]:
    """Forget the fingerprints of rows that refer to what did not come: (the source's own id, JSON pointer) of each."""
    vain = usages.missing(session, coming)
    found = session.execute(
        select(Entry.id, Entry.source_id, Usage.pointer)
        .join(Usage, Usage.source_id == Entry.id)
        .where(Entry.source_name == source, Usage.target_id.in_(vain), Usage.live.is_(False))
    ).all()
    session.execute(update(Entry).where(Entry.id.in_({row.id for row in found})).values(source_digest=None))
    return [(row.source_id or "", row.pointer) for row in found]
