"""What leaves the site: entries in the order of their ids, as export formats are given them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from cms import site as site_settings
from cms import structure
from cms.content_types import ContentType, leaves
from cms.custom_types import site_types
from cms.delivery.live_structure import live_tree
from cms.errors import Fault, InvalidContent
from cms.export_formats import (
    Destination,
    Exported,
    ExportedFile,
    ExportedPerson,
    ExportedRevision,
    ExportFormat,
)
from cms.identity import is_id
from cms.json_columns import among
from cms.pictures import media_url
from cms.section_tree import SectionTree, in_locale
from cms.snapshots import fields_of_today
from cms.states import STATE, STATES, state
from cms.tables.entries import Entry, Revision
from cms.tables.people import Person
from cms.tables.publications import Redirect, Schedule
from cms.transfers import rows as transferred_rows

# Ids in one filter: more is a filter of another kind.
MOST_IDS = 1_000
_REMEMBERED = 2_000
_PUBLIC_STATES = ("published", "changed", "scheduled")


@dataclass(frozen=True)
class Wanted:
    """Which entries are exported; an empty filter leaves nothing out. Sections count with all below them.

    `content`: newest (the newest revisions, drafts too) or published (what visitors see, and nothing else).
    Without `states`, the trash is left out, unless `whole`."""

    types: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    since: datetime | None = None
    content: str = "newest"
    whole: bool = False

    @property
    def is_everything(self) -> bool:
        """Whether no filter is set."""
        return self == Wanted(whole=True)


def read_wanted(session: Session, given: Mapping[str, Any], *, of: ExportFormat) -> Wanted:
    """A filter of `types, sections, locales, states, ids, changed_since, content`. Raises `InvalidContent`."""
    faults: list[Fault] = []
    known = {"types", "sections", "locales", "states", "ids", "changed_since", "content"}
    faults += [
        Fault(f"/filter/{name}", "unknown_filter", f"There are: {', '.join(sorted(known))}.")
        for name in sorted(given.keys() - known)
    ]
    tree = structure.newest_tree(session)
    allowed: Mapping[str, Any] = {
        "types": site_types.all_of(session),
        "sections": tree,
        "locales": site_settings.locales(session).all,
        "states": STATES,
    }
    lists = {name: _texts(given.get(name), name, faults) for name in (*allowed, "ids")}
    for name, values in allowed.items():
        faults += [
            Fault(f"/filter/{name}/{index}", "unknown", f"The site has no such thing: {one[:100]!r}.")
            for index, one in enumerate(lists[name])
            if one not in values
        ]
    faults += [
        Fault(f"/filter/ids/{index}", "not_an_id", "This is no entry's id.")
        for index, one in enumerate(lists["ids"])
        if not is_id(one)
    ]
    since = _since(given.get("changed_since"), faults)
    content = given.get("content") or "newest"
    if content not in ("newest", "published"):
        faults.append(Fault("/filter/content", "unknown", "The content is 'newest' or 'published'."))
    if of.whole and content == "published":
        said = "This format tells every revision. Choose another format for what is published alone."
        faults.append(Fault("/filter/content", "not_offered", said))
    if faults:
        raise InvalidContent(faults)
    return Wanted(**lists, since=since, content=content, whole=of.whole)


def _texts(value: Any, name: str, faults: list[Fault]) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        faults.append(Fault(f"/filter/{name}", "not_a_list", "Give a list of texts."))
        return ()
    if len(value) > MOST_IDS:
        faults.append(Fault(f"/filter/{name}", "too_many", f"A filter has at most {MOST_IDS} members."))
        return ()
    return tuple(dict.fromkeys(value))


def _since(value: Any, faults: list[Fault]) -> datetime | None:
    if value is None:
        return None
    try:
        return transferred_rows.instant(value)
    except ValueError as error:
        faults.append(Fault("/filter/changed_since", "bad_date", str(error)))
        return None


# --- which ---


def count(session: Session, wanted: Wanted, *, types: Sequence[str] = ()) -> int:
    """How many entries are exported. `types`: those that the format can hold."""
    return session.scalar(select(func.count()).select_from(_ids(session, wanted, types).subquery())) or 0


def _ids(session: Session, wanted: Wanted, types: Sequence[str]) -> Select[str]:
    named = wanted.types or tuple(types)
    ids = select(Entry.id)
    if named:
        ids = ids.where(Entry.type.in_(sorted(named)))
    if wanted.sections:
        ids = ids.where(among(Entry.section, sorted(_with_those_below(session, wanted.sections))))
    if wanted.locales:
        ids = ids.where(Entry.locale.in_(sorted(wanted.locales)))
    if wanted.ids:
        ids = ids.where(among(Entry.id, sorted(wanted.ids)))
    if wanted.since is not None:
        ids = ids.where(Entry.changed_at >= wanted.since)
    if wanted.states:
        ids = ids.where(STATE.in_(sorted(wanted.states)))
    elif not wanted.whole:
        ids = ids.where(Entry.trashed_at.is_(None))
    if wanted.content == "published":
        ids = ids.where(Entry.published_revision.is_not(None))
    return ids


def _with_those_below(session: Session, sections: Sequence[str]) -> set[str]:
    tree = structure.newest_tree(session)
    return {one.id for one in tree if {one.id, *one.parents} & set(sections)}


def entries(
    site: "ExportedSite", wanted: Wanted, *, after: str, limit: int, types: Sequence[str] = ()
) -> list[Exported]:
    """The next entries behind an id, in the order of ids. Some statements, however many."""
    session = site.session
    ids = _ids(session, wanted, types).where(Entry.id > after).order_by(Entry.id).limit(limit)
    found = list(session.scalars(ids))
    number = Entry.revision if wanted.content == "newest" else Entry.published_revision
    rows = session.execute(
        select(Entry, Revision, Schedule)
        .join(Revision, (Revision.entry_id == Entry.id) & (Revision.number == number))
        .outerjoin(Schedule, Schedule.entry_id == Entry.id)
        .where(among(Entry.id, found))
        .order_by(Entry.id)
    ).all()
    around = _Around(
        site,
        _people(session, [revision for _, revision, _ in rows]),
        _translations(session, [entry.translation_group for entry, _, _ in rows]),
        _old_paths(session, found),
    )
    return [_exported(around, entry, revision, schedule) for entry, revision, schedule in rows]


# --- what of each ---


@dataclass(frozen=True)
class _Around:
    site: "ExportedSite"
    people: Mapping[str, ExportedPerson]
    translations: Mapping[str, Mapping[str, str]]
    old_paths: Mapping[str, tuple[str, ...]]


def _people(session: Session, revisions: Sequence[Revision]) -> dict[str, ExportedPerson]:
    wanted = {one for revision in revisions for one in (*revision.byline, revision.owner_id) if one is not None}
    found = session.scalars(select(Person).where(among(Person.id, sorted(wanted)))) if wanted else ()
    return {one.id: ExportedPerson(one.id, one.name, one.email, one.department, one.url) for one in found}


def _translations(session: Session, groups: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    twins = select(Entry.translation_group, Entry.locale, Entry.id).where(
        among(Entry.translation_group, sorted(set(groups))), Entry.trashed_at.is_(None)
    )
    for group, locale, id in session.execute(twins.order_by(Entry.id)):
        found.setdefault(group, {})[locale] = id
    return found


def _old_paths(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    rules = select(Redirect.target_entry, Redirect.path).where(
        among(Redirect.target_entry, ids), Redirect.prefix.is_(False)
    )
    found: dict[str, set[str]] = {}
    for target, path in session.execute(rules):
        found.setdefault(target or "", set()).add(path)
    return {id: tuple(sorted(paths)) for id, paths in found.items()}


def _exported(around: _Around, entry: Entry, revision: Revision, schedule: Schedule | None) -> Exported:
    site = around.site
    of, fields = site.fields(entry, revision)
    is_live = entry.published_revision == revision.number
    tree = site.live_tree if is_live else site.tree
    path = revision.slug and tree.path(revision.section, locale=revision.locale, slug=revision.slug)
    slugs, names = _section(tree, revision.section, revision.locale)
    people = around.people
    return Exported(
        id=entry.id,
        type=entry.type,
        content_type=of,
        locale=revision.locale,
        title=str(fields.get("title") or ""),
        state=state(entry, schedule),
        is_live=is_live,
        slug=revision.slug,
        path=path or None,
        url=site.absolute(path or None),
        section=revision.section,
        section_path=slugs,
        section_names=names,
        revision=revision.number,
        newest_revision=entry.revision,
        published_revision=entry.published_revision,
        fields=fields,
        byline=tuple(people[one] for one in revision.byline if one in people),
        owner=people.get(revision.owner_id or ""),
        created_at=entry.created_at,
        changed_at=entry.changed_at,
        first_published_at=entry.first_published_at,
        published_at=entry.published_at,
        trashed_at=entry.trashed_at,
        source=(entry.source_name, entry.source_id or "") if entry.source_name is not None else None,
        translations={
            locale: id for locale, id in around.translations.get(entry.translation_group, {}).items() if id != entry.id
        },
        schedule=_schedule(schedule) if schedule is not None else None,
        old_paths=tuple(one for one in around.old_paths.get(entry.id, ()) if one != path),
        files=tuple(_files(of, fields)),
    )


def _section(tree: SectionTree, id: str | None, locale: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    section = None if id is None else tree.section(id)
    if section is None:
        return (), ()
    way = [found for one in (*section.parents, section.id) if (found := tree.section(one)) is not None]
    slugs = tuple(in_locale(one.slug, locale) or "" for one in way)
    return slugs, tuple(in_locale(one.name, locale) or "" for one in way)


def _schedule(planned: Schedule) -> dict[str, Any]:
    return {
        "publish_at": planned.publish_at,
        "unpublish_at": planned.unpublish_at,
        "zone": planned.zone,
        "revision": planned.revision,
    }


def _files(of: ContentType, fields: Mapping[str, Any]) -> Iterator[ExportedFile]:
    for field, _, value in leaves(of.fields, fields, at=""):
        if field.kind == "upload":
            sides = (value.get("width"), value.get("height"))
            yield ExportedFile(value["sha256"], value["name"], value["media_type"], value["size"], *sides)


# --- the site around them ---


class ExportedSite:
    """What a format may ask of the site: see `export_formats.protocol.Site`. Lives as long as its session."""

    def __init__(self, session: Session, *, server: str | None = None) -> None:
        settings = site_settings.settings(session)
        self.session = session
        self.name = settings.name
        self.url = settings.url
        self.media_url = server.rstrip("/") if server else None
        self.default_locale = settings.locales.default
        self.locales = settings.locales.all
        self._destinations: dict[str, Destination | None] = {}

    @cached_property
    def tree(self) -> SectionTree:
        """The tree as editors see it."""
        return structure.newest_tree(self.session)

    @cached_property
    def live_tree(self) -> SectionTree:
        """The tree as visitors see it."""
        return live_tree(self.session)

    def absolute(self, path: str | None) -> str | None:
        """A path with the site's address before it, where both are known."""
        return None if path is None or self.url is None else self.url + path

    def fields(self, entry: Entry, revision: Revision) -> tuple[ContentType, dict[str, Any]]:
        """A revision's fields as the type has them today, without nulls, and the type."""
        of = site_types.find(self.session, entry.type)
        fields = fields_of_today(self.session, entry, revision)
        return of, {name: value for name, value in fields.items() if value is not None}

    def destination(self, id: str) -> Destination | None:
        """The entry of that id; of one that is published what visitors see."""
        if id not in self._destinations:
            if len(self._destinations) >= _REMEMBERED:
                for oldest in list(islice(self._destinations, _REMEMBERED // 4)):
                    del self._destinations[oldest]
            self._destinations[id] = self._found(id)
        return self._destinations[id]

    def _found(self, id: str) -> Destination | None:
        number = func.coalesce(Entry.published_revision, Entry.revision)
        row = self.session.execute(
            select(Entry, Revision)
            .join(Revision, (Revision.entry_id == Entry.id) & (Revision.number == number))
            .where(Entry.id == id, Entry.trashed_at.is_(None))
        ).first()
        if row is None:
            return None
        entry, revision = row
        of, fields = self.fields(entry, revision)
        tree = self.tree if entry.published_revision is None else self.live_tree
        path = revision.slug and tree.path(revision.section, locale=revision.locale, slug=revision.slug)
        return Destination(
            id=entry.id,
            type=entry.type,
            locale=revision.locale,
            title=str(fields.get("title") or ""),
            path=path or None,
            url=self.absolute(path or None),
            fields=fields,
            file=next(_files(of, fields), None),
        )

    def revisions(self, id: str) -> Iterator[ExportedRevision]:
        """All revisions of an entry, from the first to the newest, one at a time."""
        last = 0
        while row := self.session.scalar(
            select(Revision).where(Revision.entry_id == id, Revision.number > last).order_by(Revision.number).limit(1)
        ):
            yield revision_as_exported(row)
            last = row.number

    def file_address(self, file: ExportedFile) -> str:
        """Where the bytes of a file answer, when the server's address is known; otherwise the path alone."""
        return (self.media_url or "") + media_url({"sha256": file.sha256, "name": file.name})


def revision_as_exported(row: Revision) -> ExportedRevision:
    """A revision as formats are given it."""
    values = {name: getattr(row, name) for name in _REVISION_COLUMNS}
    return ExportedRevision(**{**values, "byline": tuple(row.byline)})


_REVISION_COLUMNS = tuple(name for name in ExportedRevision.__dataclass_fields__)
