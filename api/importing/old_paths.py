"""Where rows stood in their source: each such path leads to the row's entry from now on."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.importing.work import Row, Work, give_way, opened, result
from cms import events, redirect_rules, site, structure
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.errors import Fault, InvalidContent
from cms.identity import new_id
from cms.imports.importing import Brought
from cms.json_columns import among
from cms.redirect_rules import Rule
from cms.tables.entries import Entry
from cms.tables.publications import Redirect

_TOGETHER = 100

Told = Iterator[dict[str, Any]]
# A number, the path, the item's number, its entry's id.
_OldPath = tuple[int, str, int, str]


def redirect_old_paths(work: Work) -> Told:
    """A rule for each old path of what came in, unless something is there already."""
    with opened(work) as spool:
        base, total = spool.count("items") + spool.count("assets"), spool.count("old_paths")
        waiting = spool.old_paths(after=work.checkpoint["at"])
        while some := list(islice(waiting, _TOGETHER)):
            _redirect(work, some, base=base)
            yield {"progress": some[-1][0], "of": total, "doing": "redirects"}


def _redirect(work: Work, some: Sequence[_OldPath], *, base: int) -> None:
    by = work.by()
    with work.parts.database.writing() as session:
        entries = _entries(session, some)
        rules = _rules(session, some)
        new: list[Redirect] = []
        results: list[Row] = []
        for old in some:
            entry = entries.get(old[3])
            told = None if entry is None else _settled(session, old, entry, rules, new, at=by.at)
            if told is not None:
                results.append(_row(base + old[0], old, told))
        if new:
            session.add_all(new)
            session.flush()
            redirect_rules.close_missing(session, new)
            events.record(session, "redirects.imported", by=by, made=len(new), changed=0)
        checkpoint = work.at(some[-1][0])
        counts = work.keep(session, results, checkpoint=checkpoint)
    work.counts, work.checkpoint = counts, checkpoint
    give_way(work.parts.database)


def _row(number: int, old: _OldPath, told: Brought) -> Row:
    return result(number, told, file=old[1], line=None, external_id=old[1], kind="redirect", dry=False)


def _entries(session: Session, some: Sequence[_OldPath]) -> dict[str, Entry]:
    ids = sorted({old[3] for old in some})
    wanted = select(Entry).where(among(Entry.id, ids), Entry.trashed_at.is_(None))
    return {entry.id: entry for entry in session.scalars(wanted)}


def _rules(session: Session, some: Sequence[_OldPath]) -> dict[str, str | None]:
    """The entries that rules for these paths lead to; None: they lead elsewhere."""
    paths = sorted({normal for old in some if (normal := _normal(old[1])) is not None})
    r = Redirect
    wanted = select(r.path, r.target_entry).where(r.slug.is_(None), among(r.path, paths))
    return {row.path: row.target_entry for row in session.execute(wanted)}


def _normal(path: str) -> str | None:
    """None for what a rule cannot be about, such as a query string: links inside the source still find it."""
    try:
        return redirect_rules.checked_path(path)
    except InvalidContent:
        return None


def _settled(
    session: Session, old: _OldPath, entry: Entry, rules: dict[str, str | None], new: list[Redirect], *, at: Any
) -> Brought | None:
    path = _normal(old[1])
    if path is None or path in _own_paths(session, entry):
        return None
    if path in rules:
        if rules[path] == entry.id:
            return None
        return _left(entry, "redirect_exists", f"There is a redirect for {path} already: it was left as it is.")
    if resolving.stands(session, path, site=live_site(session), locales=site.locales(session).all):
        return _left(entry, "path_taken", f"Something is live at {path} already: no redirect was made.")
    columns = redirect_rules.columns_of(session, Rule(path, to=entry.id), entries={entry.id})
    rule = Redirect(id=new_id(), source="import", hits=0, created_at=at, changed_at=at, **columns)
    new.append(rule)
    rules[path] = entry.id
    return Brought("made", rule.id)


def _own_paths(session: Session, entry: Entry) -> set[str | None]:
    tree = structure.newest_tree(session)
    return {tree.path(entry.section, locale=entry.locale, slug=entry.slug)} if entry.slug is not None else set()


def _left(entry: Entry, code: str, said: str) -> Brought:
    return Brought("same", entry.id, warnings=(Fault("", code, said),))
