"""What is at a path: an entry, a section, a redirect, a sign that it is gone, or nothing."""

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.delivery.live_structure import LiveSite
from cms.section_tree import SectionTree
from cms.site import Locales
from cms.tables.publications import Publication, Redirect

LONGEST_PATH = 2_000
# A chain of rules is followed to its end, so that a visitor makes one hop; longer ones are mistakes.
_MOST_PLACES = 30


@dataclass(frozen=True)
class Found:
    """What a path leads to; exactly one of the four is there, with the locale it was found in."""

    locale: str
    publication: Publication | None = None
    section: str | None = None
    moved_to: str | None = None
    status: int = 200
    gone: Redirect | None = None


@dataclass(frozen=True)
class Place:
    """A path in one locale."""

    locale: str
    path: str


def resolve(session: Session, path: str, *, site: LiveSite, locales: Locales, locale: str | None) -> Found | None:
    """What is at a path, in the locale that is asked for or else in the first that has something there."""
    path = "/" + path.strip("/")
    tried = (locale,) if locale is not None else (locales.default, *locales.all)
    for one in dict.fromkeys(tried):
        found = _standing(session, path, tree=site.tree, locale=one) or _ruled(
            session, path, tree=site.tree, locale=one
        )
        if found is not None:
            return found
    return None


def _standing(session: Session, path: str, *, tree: SectionTree, locale: str) -> Found | None:
    above, _, slug = path.rpartition("/")
    section = tree.at(above, locale=locale) if above else None
    if slug and (section is not None or not above):
        publication = session.scalar(
            select(Publication).where(
                Publication.locale == locale,
                Publication.section.is_(None) if section is None else Publication.section == section,
                Publication.slug == slug,
            )
        )
        if publication is not None:
            return Found(locale, publication=publication)
    here = tree.at(path, locale=locale)
    return Found(locale, section=here) if here is not None or path == "/" else None


def goes_round(session: Session, path: str, *, tree: SectionTree, locale: str) -> bool:
    """Whether the rules for a path lead back to where a visitor has been."""
    return _followed(session, path, tree=tree, locale=locale) == _ROUND


def _ruled(session: Session, path: str, *, tree: SectionTree, locale: str) -> Found | None:
    found = _followed(session, path, tree=tree, locale=locale)
    return found if isinstance(found, Found) else None


def _followed(session: Session, path: str, *, tree: SectionTree, locale: str) -> Found | Literal["round"] | None:
    status = 0
    waiting, seen = [(Place(locale, path), False)], {path}
    while waiting and len(seen) <= _MOST_PLACES:
        here, named = waiting.pop(0)
        rule, rest = _rule(session, here)
        if rule is None and named:
            # A path that an editor named and we do not know is the front end's own.
            return Found(locale, moved_to=here.path, status=status)
        if rule is None:
            continue
        if rule.status == 410:
            return Found(locale, gone=rule, status=410)
        status = status or rule.status
        targets = _targets(session, rule, rest, tree=tree)
        if targets and targets[0].path == path:
            return _ROUND
        for target in (one for one in targets if one.path not in seen):
            if not target.path.startswith("/") or _standing(session, target.path, tree=tree, locale=target.locale):
                return Found(locale, moved_to=target.path, status=status)
            seen.add(target.path)
            waiting.append((target, rule.target_url is not None))
    return None


_ROUND: Final = "round"


def _rule(session: Session, place: Place) -> tuple[Redirect | None, str]:
    """The rule for the path itself, or for the nearest section above it, with what of the path lies below."""
    path = place.path
    steps = path.split("/")
    candidates = ["/".join(steps[:count]) for count in range(len(steps), 1, -1)]
    rules = session.scalars(select(Redirect).where(Redirect.locale == place.locale, Redirect.path.in_(candidates)))
    by_path = {rule.path: rule for rule in rules if rule.path == path or rule.target_section is not None}
    found = next((by_path[one] for one in candidates if one in by_path), None)
    return found, path[len(found.path) :] if found else ""


def _targets(session: Session, rule: Redirect, rest: str, *, tree: SectionTree) -> list[Place]:
    """Where a rule leads, the likeliest place first."""
    if rule.target_url is not None:
        return [Place(rule.locale, rule.target_url)]
    if rule.target_section is not None:
        return _below(session, rule, rest, tree=tree)
    publication = session.get(Publication, rule.target_entry)
    if publication is None:
        return _after_taking_down(session, rule)
    path = tree.path(publication.section, locale=publication.locale, slug=publication.slug)
    return [] if path is None or publication.slug is None else [Place(publication.locale, path)]


def _below(session: Session, rule: Redirect, rest: str, *, tree: SectionTree) -> list[Place]:
    above = tree.path(rule.target_section, locale=rule.locale)
    if above is None:
        return []
    # What moved within the section between two of its own moves left its rule below a path in between.
    former = select(Redirect.path).where(
        Redirect.locale == rule.locale, Redirect.target_section == rule.target_section, Redirect.id != rule.id
    )
    paths = [above.rstrip("/"), *(session.scalars(former.order_by(Redirect.id.desc())) if rest else ())]
    return [Place(rule.locale, path + rest) for path in paths]


def _after_taking_down(session: Session, rule: Redirect) -> list[Place]:
    """The entry that the rule led to was taken down: what its own path answers holds for the old path, too."""
    later = session.scalar(select(Redirect).where(Redirect.about_entry == rule.target_entry, Redirect.id != rule.id))
    return [] if later is None else [Place(later.locale, later.path)]
