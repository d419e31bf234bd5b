"""What is at a path: an entry, a section, a redirect, a sign that it is gone, or nothing.

What is live at a path wins over every rule. Then a path is walked step by step, each step being a section that stands
there or stood there once; what is found in the end, wherever it is now, is one hop away (decision 0007).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, case, func, literal_column, null, select, text, union_all
from sqlalchemy.orm import Session, aliased

from cms.delivery.live_structure import LiveSite, Place
from cms.paths import before_query, normal
from cms.site import Locales
from cms.tables.publications import Publication, Redirect

LONGEST_PATH = 2_000
GONE = 410
# A chain of rules is followed to its end, so that a visitor makes one hop; longer ones are mistakes.
MOST_HOPS = 30
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
    asked = (locale,) if locale is not None else tuple(dict.fromkeys((locales.default, *locales.all)))
    looks = _looks(session, site, normal(path), asked)
    standing = next((found for look in looks if (found := look.standing()) is not None), None)
    if standing is not None:
        return standing
    return next((found for look in looks if (found := _followed(look, look.rule()).found) is not None), None)


def stands(session: Session, path: str, *, site: LiveSite, locales: Iterable[str]) -> bool:
    """Whether something is live at the path itself, in any of the locales, so that rules for it wait."""
    return any(look.stands() for look in _looks(session, site, normal(path), tuple(locales)))


def end(session: Session, stored: Any, *, site: LiveSite, locale: str) -> Found | None:
    """Where a stored rule leads in the end, whatever is at its path; None: nowhere now."""
    return _followed(_Look(session, site, locale, normal(stored.path)), _rule(stored)).found


def loop(session: Session, path: str, *, site: LiveSite, locale: str) -> tuple[str, ...]:
    """The places that the rules for a path lead through when they lead back; none when they lead somewhere."""
    [look] = _looks(session, site, normal(path), (locale,))
    return _followed(look, look.rule()).round


@dataclass(frozen=True)
class _Followed:
    """Where rules led: what was found in the end, or the places on the way when they went round."""

    found: Found | None
    round: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rule:
    """One thing that answers a path: a stored rule, or what a section left. `rest`: what of the path lies below;
    `place`: where the entry is live (locale, section, slug), if that is known."""

    id: str
    status: int
    entry: str | None = None
    place: Place | None = None
    section: str | None = None
    url: str | None = None
    explanation: str | None = None
    rest: str = ""


class _Look:
    """One path in one locale. What the database has for it is shared with the looks in other locales."""

    def __init__(self, session: Session, site: LiveSite, locale: str, path: str) -> None:
        self.session, self.site, self.locale, self.path = session, site, locale, path
        steps = path.strip("/").split("/") if path != "/" else []
        self.steps = steps if len(steps) <= _MOST_STEPS else None
        self.above = self._walk((self.steps or [])[:-1])
        self.rows: Sequence[Any] = ()

    def stands(self) -> bool:
        """Whether something is live at the path itself."""
        return self._here() is not None or self.path == "/" or self._at_home() is not None

    def standing(self) -> Found | None:
        """What is live at the path itself."""
        home = self._at_home()
        if home is not None:
            return Found(self.locale, publication=self.session.get_one(Publication, home.id))
        here = self._here()
        return Found(self.locale, section=here) if here is not None or self.path == "/" else None

    def _here(self) -> str | None:
        return self.site.tree.at(self.path, locale=self.locale)

    def _at_home(self) -> Any:
        """The publication that stands in the section which has the path of the steps before."""
        if not self.steps:
            return None
        parent = self.site.tree.at("/" + "/".join(self.steps[:-1]), locale=self.locale)
        return next((row for row in self._in_candidates() if row.section == parent), None)

    def rule(self) -> _Rule | None:
        """What answers for the path besides: staff's rule for it, what stood there, staff's rule for all below."""
        stored = self._stored()
        exact = next((one for one in stored if one.slug is None and one.path == self.path), None)
        if exact is not None:
            return _of(exact)
        moved = next(iter(self._in_candidates()), None)
        if moved is not None:
            return _Rule(self.above.get(moved.section) or "", 301, moved.id, (moved.locale, moved.section, moved.slug))
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
            # What was taken down with a section that had taken in another's entries was live in both.
            found += [(one, left.rule) for one in (left.section, *former.successors(left.section, tree))]
        return found

    def _in_candidates(self) -> list[Any]:
        """What is live under the last step in any of the sections that the steps before may mean."""
        found = [row for row in self.rows if row.live and row.locale == self.locale and row.section in self.above]
        if len(found) > 1:
            order = list(self.above)
            found.sort(key=lambda row: order.index(row.section))
        return found

    def _stored(self) -> list[Any]:
        """Staff's rules for the path and for all above it, and what entries left at the place; the latest first."""
        found = [row for row in self.rows if not row.live and row.locale in (self.locale, None) and self._holds(row)]
        # A rule for one locale goes before one for every locale.
        return sorted(sorted(found, key=lambda row: str(row.id), reverse=True), key=lambda row: row.locale is None)

    def _holds(self, row: Any) -> bool:
        return row.prefix or row.path == self.path if row.slug is None else row.section in self.above

    def _section_left(self) -> _Rule | None:
        tree, former = self.site.tree, self.site.former
        candidates = self._walk(self.steps or [])
        for section, rule in candidates.items():
            if section in tree:
                return _Rule(rule or "", 301, section=section)
        gone = next((former.removed[one] for one in candidates if one is not None and one in former.removed), None)
        return None if gone is None else _Rule(gone.rule, GONE, explanation=gone.explanation)


def _looks(session: Session, site: LiveSite, path: str, locales: tuple[str, ...]) -> list[_Look]:
    """One path in some locales. One statement for all of them."""
    looks = [_Look(session, site, locale, path) for locale in locales]
    steps = looks[0].steps
    if steps is not None:
        sections = {section or "" for look in looks for section in look.above} if steps else set()
        asked = {
            "slug": steps[-1] if steps else "",
            "locales": locales,
            "or_all": ("", *locales),
            # An empty list would be another statement.
            "sections": tuple(sections) or ("-",),
            "paths": ("/", *("/" + "/".join(steps[:count]) for count in range(1, len(steps) + 1))),
        }
        rows = session.execute(_AT, asked).all()
        for look in looks:
            look.rows = rows
    return looks


def _at_a_path() -> Any:
    """What is live under a path's last step, staff's rules for the path and all above it, what entries left there."""
    p, r, to = Publication, Redirect, aliased(Publication)
    # As the unique indexes have them, so that they are used.
    section, locale = func.coalesce(p.section, text("''")), func.coalesce(r.locale, text("''"))
    yes: Any = literal_column("1")
    no: Any = literal_column("0")
    none = null()
    sections: Any = bindparam("sections", expanding=True)
    own = (r.id, r.locale, r.section, r.slug, r.path, r.status, r.target_entry, r.target_section, r.target_url)
    live = select(
        yes.label("live"),
        *(p.entry_id.label("id"), p.locale, p.section, p.slug),
        *((no if column is r.status else none).label(column.key) for column in own[4:]),
        none.label("explanation"),
        no.label("prefix"),
        *(none.label(name) for name in ("to_locale", "to_section", "to_slug")),
    ).where(p.slug == bindparam("slug"), p.locale.in_(bindparam("locales", expanding=True)), section.in_(sections))
    rules = select(
        no, *own, r.explanation, case((r.prefix.is_(True), yes), else_=no), to.locale, to.section, to.slug
    ).join(to, to.entry_id == r.target_entry, isouter=True)
    of_staff = rules.where(
        r.slug.is_(None),
        locale.in_(bindparam("or_all", expanding=True)),
        r.path.in_(bindparam("paths", expanding=True)),
    )
    left = rules.where(
        r.slug == bindparam("slug"), func.coalesce(r.section, text("''")).in_(sections), r.prefix.is_(False)
    )
    return union_all(live, of_staff, left)


_AT = _at_a_path()


def _of(row: Any, *, rest: str = "") -> _Rule:
    place = (row.to_locale, row.to_section, row.to_slug) if row.to_slug is not None else None
    return _rule(row, place=place, rest=rest)


def _rule(stored: Any, *, place: Place | None = None, rest: str = "") -> _Rule:
    return _Rule(
        stored.id,
        stored.status,
        stored.target_entry,
        place,
        stored.target_section,
        stored.target_url,
        stored.explanation,
        rest,
    )


# --- following rules to their end ---


def _followed(look: _Look, first: _Rule | None) -> _Followed:
    rule = first
    way = [look.path]
    used: set[str] = set()
    while first is not None and rule is not None and len(way) <= MOST_HOPS:
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
    return _to_entry(look, rule)


def _to_url(look: _Look, url: str, rest: str) -> Found | _Hop:
    plain = before_query(url)
    query = url[len(plain) :]
    to = (plain.rstrip("/") if rest else plain) + rest
    if not url.startswith("/"):
        return Found(look.locale, moved_to=to + query)
    there = _to_path(look, normal(to))
    if isinstance(there, _Hop):
        return there
    return Found(look.locale, moved_to=normal(to) + query)


def _to_path(look: _Look, path: str) -> Found | _Hop | None:
    """What a path on this site leads on to; None: we know nothing of it."""
    [there] = _looks(look.session, look.site, path, (look.locale,))
    if there.stands():
        return Found(look.locale, moved_to=path)
    rule = there.rule()
    return None if rule is None else _Hop(path, rule)


def _to_section(look: _Look, section: str, rest: str) -> Found | _Hop | None:
    tree, former = look.site.tree, look.site.former
    path = tree.path(former.successor(section, tree) or section, locale=look.locale)
    if path is None:
        gone = former.removed.get(section)
        return None if gone is None else Found(look.locale, status=GONE, explanation=gone.explanation)
    return _to_path(look, normal(path + rest)) if rest else Found(look.locale, moved_to=path)


def _to_entry(look: _Look, rule: _Rule) -> Found | _Hop | None:
    place = rule.place or look.session.execute(_PLACE, {"entry": rule.entry}).first()
    if place is not None:
        locale, section, slug = place
        path = look.site.tree.path(section, locale=locale or look.locale, slug=slug)
        return None if path is None else Found(look.locale, moved_to=path)
    # The entry was taken down: what it left at its last place holds for the older ones, too.
    later = look.session.scalar(select(Redirect).where(Redirect.about == rule.entry).order_by(Redirect.id.desc()))
    return None if later is None else _Hop(later.path, _rule(later))


_PLACE = select(Publication.locale, Publication.section, Publication.slug).where(
    Publication.entry_id == bindparam("entry"), Publication.slug.is_not(None)
)
