"""Whether rules about paths lead round in a circle, for a hundred thousand of them at once: without the database.

Only rules that lead from a path to a path on this site can. What is live on the way is not looked at.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from cms.delivery.resolving import MOST_HOPS
from cms.paths import before_query, normal

# Rules that lead below a new one: more are not looked at for loops, which only end in "not found".
MOST_LOOKED_AT = 200


@dataclass(frozen=True)
class Link:
    """From a path (with `prefix`, all below it too) in a locale (None: every one) to a path, or out of sight (None)."""

    locale: str | None
    path: str
    prefix: bool
    url: str | None


class Links:
    """Links that hold together, one for each locale and path. No circle among them."""

    def __init__(self, locales: Iterable[str]) -> None:
        self._locales = tuple(locales)
        self._links: dict[tuple[str | None, str], Link] = {}
        self._leading_below: defaultdict[str, list[str]] = defaultdict(list)

    def put(self, link: Link) -> None:
        """Add a link, or take it instead of the one from its path."""
        self._links[link.locale, link.path] = link
        if link.url is not None:
            for above in paths_above(before_query(link.url)):
                if len(self._leading_below[above]) < MOST_LOOKED_AT:
                    self._leading_below[above].append(link.path)

    def put_unless_round(self, link: Link) -> tuple[str, ...]:
        """Add a link if it closes no circle; else the way round."""
        before = self._links.get((link.locale, link.path))
        self._links[link.locale, link.path] = link
        way = self._round(link)
        if not way:
            self.put(link)
        elif before is None:
            del self._links[link.locale, link.path]
        else:
            self._links[link.locale, link.path] = before
        return way

    def _round(self, link: Link) -> tuple[str, ...]:
        if link.url is None:
            return ()
        starts = [link.path, *(self._leading_below[link.path] if link.prefix else ())]
        for locale in self._locales if link.locale is None else (link.locale,):
            for start in starts:
                if way := self._followed(start, locale):
                    return way
        return ()

    def _followed(self, path: str, locale: str) -> tuple[str, ...]:
        way, used = [path], set()
        while len(way) <= MOST_HOPS:
            # The root is always live.
            link = self._at(path, locale) if path != "/" or len(way) == 1 else None
            if link is None or link.url is None:
                return ()
            if link in used:
                return tuple(way)
            used.add(link)
            rest = path[len(link.path.rstrip("/")) :] if path != link.path else ""
            path = normal(before_query(link.url).rstrip("/") + rest)
            way.append(path)
        return ()

    def _at(self, path: str, locale: str) -> Link | None:
        here = self._links.get((locale, path)) or self._links.get((None, path))
        if here is not None:
            return here
        for above in reversed(paths_above(path)):
            for link in (self._links.get((locale, above)), self._links.get((None, above))):
                if link is not None and link.prefix:
                    return link
        return None


def paths_above(path: str) -> list[str]:
    """All paths above a path, from the root down."""
    return [path[: slash.start()] or "/" for slash in re.finditer("/", path)]
