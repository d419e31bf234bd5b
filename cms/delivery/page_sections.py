"""The sections that a page stands in, for what is shown in some sections and below them: banners and counters."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from cms.database import remembered
from cms.delivery.live_structure import LiveSite
from cms.paths import before_query, normal
from cms.section_tree import MAX_LEVELS, SectionTree


def section_at(tree: SectionTree, path: str, locales: Iterable[str]) -> str | None:
    """The section that a path is the path of, or the lowest that it leads through, whether anything is there or not;
    None: the root. Of several locales the first counts that has one."""
    locales = tuple(locales)
    steps = normal(before_query(path)).strip("/").split("/")[:MAX_LEVELS]
    above = ("/" + "/".join(steps[:count]) for count in range(len(steps), 0, -1))
    return next((id for at in above for one in locales if (id := tree.at(at, locale=one)) is not None), None)


def with_parents(session: Session, live: LiveSite, section: str | None) -> frozenset[str]:
    """A section and all above it, and those that were removed and that one of them stands in for."""
    found = live.tree.section(section) if section is not None else None
    if found is None:
        return frozenset()
    here = (found.id, *found.parents)
    taken_in = remembered(session, "taken in sections", lambda: _taken_in(live))
    return frozenset((*here, *(one for into in here for one in taken_in.get(into, ()))))


def _taken_in(live: LiveSite) -> dict[str, list[str]]:
    """The removed sections by the one that stands in for them."""
    found: dict[str, list[str]] = {}
    for removed in live.former.removed:
        into = live.former.successor(removed, live.tree)
        if into is not None:
            found.setdefault(into, []).append(removed)
    return found
