"""What is at a path: an entry, a section, a redirect, a sign that it is gone, or nothing."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.delivery.live_structure import LiveSite
from cms.section_tree import SectionTree
from cms.site import Locales
from cms.tables.publications import Publication, Redirect

LONGEST_PATH = 2_000
# A chain of rules is followed to its end, so that a visitor makes one hop; longer ones are loops or mistakes.
_LONGEST_CHAIN = 20


@dataclass(frozen=True)
class Found:
    """What a path leads to; exactly one of the four is there, with the locale it was found in."""

    locale: str
    publication: Publication | None = None
    section: str | None = None
    moved_to: str | None = None
    status: int = 200
    gone: Redirect | None = None


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


def _ruled(session: Session, path: str, *, tree: SectionTree, locale: str) -> Found | None:
    status = 0
    seen = {path}
    for _ in range(_LONGEST_CHAIN):
        rule, rest = _rule(session, path, locale=locale)
        if rule is None:
            return None
        if rule.status == 410:
            return Found(locale, gone=rule, status=410)
        status = status or rule.status
        target = _target(session, rule, rest, tree=tree, locale=locale)
        if isinstance(target, Found):
            return target
        if target is None or target in seen:
            return None
        if not target.startswith("/") or _standing(session, target, tree=tree, locale=locale) is not None:
            return Found(locale, moved_to=target, status=status)
        seen.add(target)
        path = target
    return None


def _rule(session: Session, path: str, *, locale: str) -> tuple[Redirect | None, str]:
    """The rule for the path itself, or for the nearest section above it, with what of the path lies below."""
    steps = path.split("/")
    candidates = ["/".join(steps[:count]) for count in range(len(steps), 1, -1)]
    rules = session.scalars(select(Redirect).where(Redirect.locale == locale, Redirect.path.in_(candidates))).all()
    by_path = {rule.path: rule for rule in rules if rule.path == path or rule.target_section is not None}
    found = next((by_path[one] for one in candidates if one in by_path), None)
    return found, path[len(found.path) :] if found else ""


def _target(session: Session, rule: Redirect, rest: str, *, tree: SectionTree, locale: str) -> str | Found | None:
    if rule.target_url is not None:
        return rule.target_url
    if rule.target_section is not None:
        above = tree.path(rule.target_section, locale=locale)
        return None if above is None else above.rstrip("/") + rest
    publication = session.get(Publication, rule.target_entry)
    if publication is not None:
        return tree.path(publication.section, locale=publication.locale, slug=publication.slug)
    return _after_taking_down(session, rule, locale=locale)


def _after_taking_down(session: Session, rule: Redirect, *, locale: str) -> str | Found | None:
    """The entry that the rule led to was taken down: what its own path answers holds for the old path, too."""
    later = session.scalar(select(Redirect).where(Redirect.about_entry == rule.target_entry, Redirect.id != rule.id))
    if later is None:
        return None
    return Found(locale, gone=later, status=410) if later.status == 410 else later.path
