"""What visitors asked for and did not find: counted, guessed at, ignored, or turned into a redirect."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import unquote

from rapidfuzz import fuzz, process
from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.orm import Session

from cms import events, redirect_rules, site
from cms.attribution import By
from cms.columns import EQUALITY, ORDER, WORDS
from cms.delivery import resolving
from cms.delivery.guesses import last_step
from cms.delivery.live_structure import live_site
from cms.delivery.noise import Missed
from cms.delivery.publications import titled
from cms.errors import Fault, InvalidContent, NotFound, WrongState
from cms.identity import new_id
from cms.listing import Asked, Column, Condition, Page, page
from cms.redirect_rules import Kept, Rule
from cms.section_tree import in_locale
from cms.showing import instant
from cms.tables.entries import Revision
from cms.tables.missing import MissingPath
from cms.tables.publications import Publication

# Of paths that wait for somebody: beyond it, those with the fewest hits go, the oldest first.
MOST_OPEN = 10_000
MOST_GUESSES = 5
_BATCH = 500

Reason = Literal["old slug", "similar slug", "search"]
# Finds live entries by words, in a locale or in all: their ids and scores, the best first.
Search = Callable[[str, str | None], Sequence[tuple[str, float]]]


@dataclass(frozen=True)
class Guess:
    """What may be meant by a path: an entry or a section that is live. `score` is from 0 to 1."""

    entry: str | None
    section: str | None
    title: str
    path: str
    reason: Reason
    score: float


def count(session: Session, missed: Mapping[str, Missed]) -> None:
    """Add to what is missing, by path in normal form. What had a redirect and is missed again is open again."""
    paths = sorted(missed)
    known: dict[str, MissingPath] = {}
    for start in range(0, len(paths), _BATCH):
        wanted = select(MissingPath).where(MissingPath.path.in_(paths[start : start + _BATCH]))
        known |= {row.path: row for row in session.scalars(wanted)}
    for path, row in known.items():
        one = missed[path]
        row.hits += one.hits
        row.last_at = max(row.last_at, one.last_at)
        row.locale = one.locale or row.locale
        row.referrer = one.referrer or row.referrer
        if row.state == "redirected":
            row.state, row.redirect_id = "open", None
    session.flush()
    new = [_new(path, missed[path]) for path in paths if path not in known]
    if new:
        session.execute(insert(MissingPath), new)
        _forget_the_least(session)


def _new(path: str, one: Missed) -> dict[str, Any]:
    return {
        "id": new_id(),
        "path": path,
        "locale": one.locale,
        "hits": one.hits,
        "first_at": one.last_at,
        "last_at": one.last_at,
        "referrer": one.referrer,
        "state": "open",
        "redirect_id": None,
    }


def _forget_the_least(session: Session) -> None:
    m = MissingPath
    total = session.scalar(select(func.count()).select_from(m).where(m.state == "open")) or 0
    if total > MOST_OPEN:
        least = select(m.id).where(m.state == "open").order_by(m.hits, m.last_at, m.id).limit(total - MOST_OPEN)
        session.execute(delete(m).where(m.id.in_(least)).execution_options(synchronize_session=False))


# --- what staff do ---


def find(session: Session, id: str) -> MissingPath:
    """The missing path of that id. Raises `NotFound`."""
    row = session.get(MissingPath, id)
    if row is None:
        raise NotFound("missing path", id)
    return row


def redirect(session: Session, row: MissingPath, rule: Rule, *, by: By) -> Kept:
    """Make a rule for the path. Raises `InvalidContent`, `RuleExists`."""
    if rule.to is None and rule.status != resolving.GONE:
        said = "Say where it should lead: choose one of the path's guesses, or another entry, section or path."
        raise InvalidContent([Fault("/to", "missing", said)])
    kept = redirect_rules.create(session, replace(rule, path=row.path), by=by)
    # A rule for another locale than the visitors' answers them, too, as staff see it.
    row.state, row.redirect_id = "redirected", kept.redirect.id
    session.flush()
    return kept


def mark(session: Session, row: MissingPath, state: str, *, by: By) -> None:
    """Ignore a path from now on, or open it again. Raises `WrongState`."""
    if row.state == "redirected":
        raise WrongState("redirect_exists", "There is a redirect for this path. Remove it first.")
    if row.state != state:
        row.state = state
        session.flush()
        events.record(session, f"missing_path.{_SAID[state]}", by=by, path=row.path)


_SAID = {"ignored": "ignored", "open": "reopened"}


def remove(session: Session, row: MissingPath, *, by: By) -> None:
    """Forget a path until it is missed again."""
    session.delete(row)
    session.flush()
    events.record(session, "missing_path.removed", by=by, path=row.path)


# --- finding and showing ---


def listing(session: Session, asked: Asked) -> Page:
    """Rows of (missing path,), the most missed first, those that are open unless asked otherwise. What has come to
    lead somewhere since is left out of the open ones, so that a page may be short. Raises `BadQuery`."""
    if not any(condition.field in ("state", "id") for condition in asked.conditions):
        asked = replace(asked, conditions=(*asked.conditions, Condition("state", "eq", ("open",))))
    asked = asked if asked.sort else replace(asked, sort=(("hits", True),))
    while True:
        found = page(session, select(MissingPath), asked, columns=_COLUMNS, id=_MISSING.id)
        kept = [row for row in found.rows if row[0].state != "open" or not leads(session, row[0])]
        if kept or found.next is None:
            return Page(kept, found.next, found.total)
        asked = replace(asked, after=found.next)


def leads(session: Session, row: MissingPath) -> bool:
    """Whether the path leads somewhere by now."""
    locales = site.locales(session)
    # A locale that the settings have no more is looked at as any other.
    asked = row.locale if row.locale in locales.all else None
    return resolving.resolve(session, row.path, site=live_site(session), locales=locales, locale=asked) is not None


_MISSING = MissingPath.__table__.c
_COLUMNS: Mapping[str, Column] = {
    "id": Column(_MISSING.id, "text", EQUALITY),
    "path": Column(_MISSING.path, "text", WORDS, sortable=True),
    "state": Column(_MISSING.state, "text", EQUALITY),
    "hits": Column(_MISSING.hits, "number", ORDER, sortable=True),
    "first_at": Column(_MISSING.first_at, "instant", ORDER, sortable=True),
    "last_at": Column(_MISSING.last_at, "instant", ORDER, sortable=True),
}


def show(row: MissingPath, guesses: Iterable[Guess] | None = None) -> dict[str, Any]:
    """A missing path as staff see it; without guesses, there is null."""
    return {
        "id": row.id,
        "path": row.path,
        "locale": row.locale,
        "hits": row.hits,
        "first_at": instant(row.first_at),
        "last_at": instant(row.last_at),
        "referrer": row.referrer,
        "state": row.state,
        "redirect": row.redirect_id,
        "guesses": None if guesses is None else [vars(one) for one in guesses],
    }


# --- guessing ---


# Slugs are alike when so many of a hundred of their letters are.
_ALIKE = 75
_MOST_SLUGS = 50_000
_FEW = 20


def guesses(session: Session, row: MissingPath, *, search: Search) -> list[Guess]:
    """What may be meant by a path, the best first: what has the slug, had it, has one like it, or has the words."""
    slug = last_step(row.path)
    found: dict[tuple[str | None, str | None], Guess] = {}
    for one in (*_sections(session, row, slug), *_entries(session, row, slug, search)):
        place = (one.entry, one.section)
        if place not in found or found[place].score < one.score:
            found[place] = one
    return sorted(found.values(), key=lambda one: (-one.score, one.path))[:MOST_GUESSES]


def _sections(session: Session, row: MissingPath, slug: str) -> Iterator[Guess]:
    tree, default = live_site(session).tree, site.locales(session).default
    for section in tree if slug else ():
        locale = row.locale or default
        score = fuzz.ratio(slug, in_locale(section.slug, locale) or "") / 100
        path = tree.path(section.id, locale=locale)
        if score * 100 >= _ALIKE and path is not None:
            title = in_locale(section.name, locale) or path
            yield Guess(None, section.id, title, path, "similar slug", round(score, 3))


def _entries(session: Session, row: MissingPath, slug: str, search: Search) -> Iterator[Guess]:
    told: list[tuple[str, Reason, float]] = []
    if slug:
        told += [(id, "old slug", 0.95) for id in _once_had(session, slug)]
        told += [(id, "similar slug", score) for id, score in _alike(session, slug)]
    words = " ".join(re.findall(r"\w{2,}", unquote(row.path)))[:200]
    hits = search(words, row.locale) if words else ()
    best = max((score for _, score in hits), default=1.0) or 1.0
    told += [(id, "search", 0.7 * score / best) for id, score in hits]
    cards = {card.entry_id: card for card in titled(session, (id for id, _, _ in told))}
    tree = live_site(session).tree
    for id, reason, score in told:
        card = cards.get(id)
        path = card and card.slug and tree.path(card.section, locale=card.locale, slug=card.slug)
        if card is not None and path:
            other = 0.9 if row.locale not in (None, card.locale) else 1.0
            yield Guess(id, None, card.title, path, reason, round(score * other, 3))


def _once_had(session: Session, slug: str) -> Sequence[str]:
    """Live entries of which an earlier revision had the slug."""
    return session.scalars(
        select(Revision.entry_id)
        .join(Publication, Publication.entry_id == Revision.entry_id)
        .where(Revision.slug == slug, Publication.slug != slug)
        .distinct()
        .order_by(Revision.entry_id)
        .limit(_FEW)
    ).all()


def _alike(session: Session, slug: str) -> list[tuple[str, float]]:
    p = Publication
    # Slugs of quite another length cannot be alike.
    near: ColumnElement[bool] = func.length(p.slug).between(len(slug) * 0.6, len(slug) * 1.7)
    wanted = select(p.slug, p.entry_id).where(near).order_by(p.slug, p.entry_id)
    rows = session.execute(wanted.limit(_MOST_SLUGS)).all()
    scored = process.extract(slug, [row.slug for row in rows], scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=_FEW)
    return [(rows[index].entry_id, score / 100) for _, score, index in scored]
