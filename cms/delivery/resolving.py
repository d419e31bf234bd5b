"""What is at a path: an entry, a section, a redirect, a sign that it is gone, or nothing.

What is live at a path wins over every rule. Then a path is walked step by step, each step being a section that stands
there or stood there once; what is found in the end, wherever it is now, is one hop away (decision 0007).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from cms.delivery.live_structure import LiveSite
from cms.site import Locales
from cms.tables.publications import Publication, Redirect

LONGEST_PATH = 2_000
GONE = 410
# A chain of rules is followed to its end, so that a visitor makes one hop; longer ones are mistakes.
_MOST_HOPS = 30
# Beyond the deepest section and the entry in it, there is nothing.
_MOST_STEPS = 40


@dataclass(frozen=True)
class Found:
    """What a path leads to: a publication, a section (None: the root), another path, or with status 410 nothing any
    more. `rule`: the id of the redirect that answered, if one did."""

    locale: str
    publication: Publication | None = None
    section: str | None = None
    moved_to: str | None = None
    status: int = 200
    explanation: str | None = None
    rule: str | None = None

    @property
    def gone(self) -> bool:
        """Whether there was something once that will not come back."""
        return self.status == GONE


def resolve(session: Session, path: str, *, site: LiveSite, locales: Locales, locale: str | None) -> Found | None:
    """What is at a path, in the locale that is asked for or else in the first that has something there."""
    path = normal(path)
    asked = (locale,) if locale is not None else tuple(dict.fromkeys((locales.default, *locales.all)))
    looks = [_Look(session, site, one, path) for one in asked]
    standing = next((found for look in looks if (found := look.standing()) is not None), None)
    if standing is not None:
        return standing
    return next((found for look in looks if (found := _followed(look).found) is not None), None)


def normal(path: str) -> str:
    """A path as rules and places name it: with a slash before, and none behind."""
    return "/" + path.strip("/")


def loop(session: Session, path: str, *, site: LiveSite, locale: str) -> tuple[str, ...]:
    """The places that the rules for a path lead through when they lead back; none when they lead somewhere."""
    return _followed(_Look(session, site, locale, normal(path))).round


@dataclass(frozen=True)
class _Followed:
    """Where rules led: what was found in the end, or the places on the way when they went round."""

    found: Found | None
    round: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rule:
    """One thing that answers a path: a stored rule, or what a section left. `rest`: what of the path lies below."""

    id: str
    status: int
    entry: str | None = None
    section: str | None = None
    url: str | None = None
    explanation: str | None = None
    rest: str = ""


class _Look:
    """One path in one locale, with what was found out about it."""

    def __init__(self, session: Session, site: LiveSite, locale: str, path: str) -> None:
        self.session, self.site, self.locale, self.path = session, site, locale, path
        steps = path.strip("/").split("/") if path != "/" else []
        self.steps = steps if len(steps) <= _MOST_STEPS else None
        self.above = self._walk((self.steps or [])[:-1])
        self._publications: Sequence[Publication] | None = None

    def standing(self) -> Found | None:
        """What is live at the path itself."""
        tree = self.site.tree
        here = tree.at(self.path, locale=self.locale)
        parent = tree.at("/" + "/".join(self.steps[:-1]), locale=self.locale) if self.steps else None
        for publication in self._in_candidates():
            if publication.section == parent:
                return Found(self.locale, publication=publication)
        return Found(self.locale, section=here) if here is not None or self.path == "/" else None

    def rule(self) -> _Rule | None:
        """What answers for the path besides: staff's rule for it, what stood there, staff's rule for all below."""
        stored = self._stored()
        exact = next((one for one in stored if one.slug is None and one.path == self.path), None)
        if exact is not None:
            return _of(exact)
        moved = next(iter(self._in_candidates()), None)
        if moved is not None:
            return _Rule(self.above.get(moved.section) or "", 301, entry=moved.entry_id)
        left = next((one for one in stored if one.slug is not None), None)
        if left is not None:
            return _of(left)
        prefix = max((one for one in stored if one.slug is None), key=lambda one: len(one.path), default=None)
        return self._section_left() or (prefix and _of(prefix, rest=self.path[len(prefix.path.rstrip("/")) :]))

    def _walk(self, steps: Sequence[str]) -> dict[str | None, str | None]:
        """The sections that the steps may mean, the likeliest first, each with the last rule on the way to it."""
        level: dict[str | None, str | None] = {None: None}
        for slug in steps:
            below: dict[str | None, str | None] = {}
            for section, rule in level.items():
                for one, by in self._below(section, slug):
                    below.setdefault(one, by or rule)
            level = below
        return level

    def _below(self, section: str | None, slug: str) -> list[tuple[str, str | None]]:
        tree, former = self.site.tree, self.site.former
        above = "" if section is None else tree.path(section, locale=self.locale)
        here = tree.at(f"{above}/{slug}", locale=self.locale) if above is not None else None
        found: list[tuple[str, str | None]] = [] if here is None else [(here, None)]
        for left in former.at(section, slug, locale=self.locale):
            found.append((left.section, left.rule))
            successor = former.successor(left.section, tree)
            if successor is not None and successor != left.section:
                found.append((successor, left.rule))
        return found

    def _in_candidates(self) -> Sequence[Publication]:
        """What is live under the last step in any of the sections that the steps before may mean."""
        if self._publications is None:
            self._publications = self._find() if self.steps and self.above else ()
        return self._publications

    def _find(self) -> Sequence[Publication]:
        wanted = select(Publication).where(
            Publication.locale == self.locale,
            Publication.slug == (self.steps or [""])[-1],
            _among(Publication.section, self.above),
        )
        order = list(self.above)
        return sorted(self.session.scalars(wanted), key=lambda one: order.index(one.section))

    def _stored(self) -> Sequence[Redirect]:
        """Staff's rules for the path and for all above it, and what entries left at the place; the latest first."""
        if self.steps is None:
            return ()
        above = ["/" + "/".join(self.steps[:count]) for count in range(len(self.steps))]
        r = Redirect
        by_path = and_(r.slug.is_(None), or_(r.path == self.path, and_(r.path.in_(above), r.prefix.is_(True))))
        by_place: ColumnElement[bool] = false()
        if self.steps and self.above:
            by_place = and_(r.slug == self.steps[-1], _among(r.section, self.above), r.prefix.is_(False))
        wanted = select(r).where(or_(r.locale == self.locale, r.locale.is_(None)), or_(by_path, by_place))
        # A rule for one locale goes before one for every locale.
        return sorted(self.session.scalars(wanted.order_by(r.id.desc())), key=lambda one: one.locale is None)

    def _section_left(self) -> _Rule | None:
        tree, former = self.site.tree, self.site.former
        candidates = self._walk(self.steps or [])
        for section, rule in candidates.items():
            if section in tree:
                return _Rule(rule or "", 301, section=section)
        gone = next((former.removed[one] for one in candidates if one is not None and one in former.removed), None)
        return gone and _Rule(gone.rule, GONE, explanation=gone.explanation)


def _among(column: Any, sections: Collection[str | None]) -> ColumnElement[bool]:
    named = [one for one in sections if one is not None]
    inside: ColumnElement[bool] = column.in_(named) if named else false()
    return or_(inside, column.is_(None)) if None in sections else inside


def _of(stored: Redirect, *, rest: str = "") -> _Rule:
    return _Rule(
        stored.id,
        stored.status,
        stored.target_entry,
        stored.target_section,
        stored.target_url,
        stored.explanation,
        rest,
    )


# --- following rules to their end ---


def _followed(look: _Look) -> _Followed:
    first = rule = look.rule()
    way = [look.path]
    used: set[str] = set()
    while first is not None and rule is not None and len(way) <= _MOST_HOPS:
        used.add(rule.id)
        hop = _hop(look, rule)
        if not isinstance(hop, _Hop):
            return _Followed(hop and replace(hop, status=hop.status if hop.gone else first.status, rule=first.id))
        way.append(hop.named)
        if hop.rule.id in used:
            return _Followed(None, tuple(way))
        rule = hop.rule
    return _Followed(None)


@dataclass(frozen=True)
class _Hop:
    """The next rule on the way, and the place that it holds for."""

    named: str
    rule: _Rule


def _hop(look: _Look, rule: _Rule) -> Found | _Hop | None:
    if rule.status == GONE:
        return Found(look.locale, status=GONE, explanation=rule.explanation)
    if rule.url is not None:
        return _to_url(look, rule.url, rule.rest)
    if rule.section is not None:
        return _to_section(look, rule.section, rule.rest)
    return _to_entry(look, rule.entry)


def _to_url(look: _Look, url: str, rest: str) -> Found | _Hop:
    if not url.startswith("/"):
        return Found(look.locale, moved_to=url.rstrip("/") + rest if rest else url)
    return _to_path(look, normal(url + rest)) or Found(look.locale, moved_to=url.rstrip("/") + rest or "/")


def _to_path(look: _Look, path: str) -> Found | _Hop | None:
    """What a path on this site leads on to; None: we know nothing of it."""
    there = _Look(look.session, look.site, look.locale, path)
    if there.standing() is not None:
        return Found(look.locale, moved_to=path)
    rule = there.rule()
    return None if rule is None else _Hop(path, rule)


def _to_section(look: _Look, section: str, rest: str) -> Found | _Hop | None:
    tree, former = look.site.tree, look.site.former
    path = tree.path(former.successor(section, tree) or section, locale=look.locale)
    if path is None:
        gone = former.removed.get(section)
        return gone and Found(look.locale, status=GONE, explanation=gone.explanation)
    return _to_path(look, normal(path + rest)) if rest else Found(look.locale, moved_to=path)


def _to_entry(look: _Look, entry_id: str | None) -> Found | _Hop | None:
    p = Publication
    row = look.session.execute(select(p.locale, p.section, p.slug).where(p.entry_id == entry_id)).first()
    if row is not None and row.slug is not None:
        path = look.site.tree.path(row.section, locale=row.locale, slug=row.slug)
        return None if path is None else Found(look.locale, moved_to=path)
    # The entry was taken down: what it left at its last place holds for the older ones, too.
    later = look.session.scalar(select(Redirect).where(Redirect.about == entry_id).order_by(Redirect.id.desc()))
    return later and _Hop(later.path, _of(later))
