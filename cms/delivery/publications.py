"""Finding publications: one, a list, those that others refer to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, undefer

from cms.columns import EQUALITY, ORDER, WORDS, FieldColumns, asked_types
from cms.content_types import ContentType
from cms.delivery.live_structure import live_tree
from cms.json_columns import among
from cms.listing import Asked, Column, page
from cms.pictures import media_url
from cms.rich_text import Target
from cms.section_tree import SectionTree
from cms.tables.publications import Publication, ShownFile

# How the site hangs together has calls of its own; it is no content to list. Nor are banners and counters: whether one
# may be shown or loaded is a matter of the hour, the page and the switch that stops counters.
_LISTED = Publication.type.not_in(("structure", "settings", "banner", "counter"))


@dataclass(frozen=True)
class Listing:
    """A page of publications."""

    publications: Sequence[Publication]
    next: str | None
    total: int | None


def listing(session: Session, asked: Asked, *, documents: bool = False) -> Listing:
    """The publications that were asked for, the newest first if no order was named. Raises `BadQuery`."""
    wanted = select(Publication).where(_LISTED)
    if documents:
        wanted = wanted.options(undefer(Publication.fields))
    columns = _columns(asked_types(session, asked), live_tree(session))
    ids = select(Publication.entry_id).where(_LISTED)
    found = page(session, wanted, asked, columns=columns, id=Publication.__table__.c.entry_id, ids=ids)
    return Listing([row[0] for row in found.rows], found.next, found.total)


NEWEST_FIRST = (("published_at", True),)


def _columns(types: Iterable[ContentType], tree: SectionTree) -> Mapping[str, Column]:
    p = Publication.__table__.c
    section = Column(p.section, "text", EQUALITY | {"below"}, within=lambda one: below(tree, one))
    return FieldColumns(types, own={**_OWN, "section": section}, fields=p.compared, type_column=p.type, public=True)


def below(tree: SectionTree, section_id: str) -> list[str]:
    """A section of the tree and all that are below it."""
    found, open_ids = [], [section_id] if section_id in tree else []
    while open_ids:
        section = tree.section(open_ids.pop())
        if section is not None:
            found.append(section.id)
            open_ids += section.children
    return found


_OWN: Mapping[str, Column] = {
    "id": Column(Publication.__table__.c.entry_id, "text", EQUALITY),
    "type": Column(Publication.__table__.c.type, "name", EQUALITY, sortable=True),
    "locale": Column(Publication.__table__.c.locale, "text", EQUALITY, sortable=True),
    "slug": Column(Publication.__table__.c.slug, "text", WORDS),
    "title": Column(Publication.__table__.c.title, "text", WORDS, sortable=True),
    "published_at": Column(Publication.__table__.c.published_at, "instant", ORDER, sortable=True, index="own"),
    "first_published_at": Column(Publication.__table__.c.first_published_at, "instant", ORDER, sortable=True),
}


def one(session: Session, entry_id: str, *, documents: bool = False) -> Publication | None:
    """The publication of an entry, if it is live."""
    wanted = select(Publication).where(Publication.entry_id == entry_id, _LISTED)
    return session.scalar(wanted.options(undefer(Publication.fields)) if documents else wanted)


def several(session: Session, ids: Iterable[str], *, documents: bool = False) -> Sequence[Publication]:
    """The publications of some entries, of those that are live, in the order of their ids."""
    wanted = select(Publication).where(among(Publication.entry_id, sorted(set(ids))), _LISTED)
    wanted = wanted.order_by(Publication.entry_id)
    return session.scalars(wanted.options(undefer(Publication.fields)) if documents else wanted).all()


def texts(session: Session, ids: Iterable[str]) -> Sequence[Any]:
    """What search looks at, of those entries that are live."""
    p = Publication
    wanted = select(p.entry_id, p.type, p.locale, p.section, p.title, p.published_at, p.searched)
    return session.execute(wanted.where(p.entry_id.in_(sorted(set(ids))))).all()


def ids_after(session: Session, after: str, limit: int) -> Sequence[str]:
    """The ids of all publications, in order, page by page."""
    wanted = select(Publication.entry_id).where(Publication.entry_id > after).order_by(Publication.entry_id)
    return session.scalars(wanted.limit(limit)).all()


def cards(session: Session, ids: Iterable[str]) -> Sequence[Any]:
    """Where some entries are, of those that are live: id, type, locale, section, slug, published_at."""
    p = Publication
    wanted = select(p.entry_id, p.type, p.locale, p.section, p.slug, p.published_at)
    return session.execute(wanted.where(p.entry_id.in_(sorted(set(ids))), _LISTED)).all()


def titled(session: Session, ids: Iterable[str]) -> Sequence[Any]:
    """What some entries are called and where they are, of those that are live."""
    p = Publication
    wanted = select(p.entry_id, p.title, p.locale, p.section, p.slug)
    return session.execute(wanted.where(p.entry_id.in_(sorted(set(ids))), _LISTED)).all()


def public_uploads(session: Session, hashes: Iterable[str]) -> frozenset[str]:
    """Which of some files, named by their SHA-256, a live entry shows or has shown."""
    return frozenset(session.scalars(_SHOWN_FILES.where(among(ShownFile.sha256, sorted(set(hashes))))))


def public_file(session: Session, sha256: str) -> Mapping[str, Any] | None:
    """What a live entry tells of these bytes, its name for them among it; of those it has replaced, what it told."""
    file: Mapping[str, Any] | None = session.scalar(
        _SHOWN_FILES.with_only_columns(ShownFile.file)
        .where(ShownFile.sha256 == sha256)
        .order_by(ShownFile.entry_id)
        .limit(1)
    )
    return file


# An entry that is not live shows nothing: its rows go when it is taken down.
_SHOWN_FILES = select(ShownFile.sha256).join(Publication, Publication.entry_id == ShownFile.entry_id)


@dataclass(frozen=True)
class Around:
    """What some publications need of others: which of those they refer to are live, where those are that have an
    address or bytes, and their translations (group → locale → id)."""

    live: frozenset[str]
    targets: Mapping[str, Target]
    translations: Mapping[str, Mapping[str, str]]


def around(
    session: Session, publications: Iterable[Publication], *, tree: SectionTree, besides: Iterable[str] = ()
) -> Around:
    """One statement for all, however many. `besides`: ids that may be referred to by others than these."""
    targets = {target for publication in publications for target in publication.targets} | set(besides)
    groups = {publication.translation_group for publication in publications}
    p = Publication
    rows = session.execute(
        select(p.entry_id, p.locale, p.section, p.slug, p.file, p.translation_group)
        .where(or_(among(p.entry_id, targets), p.translation_group.in_(groups)))
        # The same answer is the same bytes, for those who compare its ETag.
        .order_by(p.entry_id)
    ).all()
    translations: dict[str, dict[str, str]] = {}
    for row in rows:
        translations.setdefault(row.translation_group, {})[row.locale] = row.entry_id
    referred = [row for row in rows if row.entry_id in targets]
    found = {row.entry_id: _target(row, tree) for row in referred}
    addressed = {id: target for id, target in found.items() if target is not None}
    return Around(frozenset(found), addressed, translations)


def _target(row: Any, tree: SectionTree) -> Target | None:
    if row.file is not None:
        return Target(media_url(row.file), row.file["width"], row.file["height"], row.file.get("alt"), row.file)
    path = row.slug and tree.path(row.section, locale=row.locale, slug=row.slug)
    return Target(path) if path else None
