"""What a visitor may have meant by a path that leads nowhere: what is live under the same or nearly the same slug."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from rapidfuzz import fuzz
from slugify import slugify
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.section_tree import MAX_SLUG, SectionTree
from cms.tables.publications import Publication

MOST = 5
# From here on two slugs look like one misspelt. 100 is the same.
_NEARLY = 80
_LOOKED_AT = 200
_LONGEST_STEP = 200
_MOST_WORDS = 8


def near_slugs(session: Session, path: str, *, tree: SectionTree, locale: str) -> list[dict[str, str]]:
    """`{title, path}` of live entries whose slug is or nearly is the path's last step, the likeliest first."""
    slug = last_step(path)
    if not slug:
        return []
    p = Publication
    wanted = select(p.title, p.locale, p.section, p.slug)
    # The slugs beside it in the alphabet: a slip of the finger rarely takes it far. For the others there is search.
    rows = [
        *session.execute(wanted.where(p.slug >= slug).order_by(p.slug, p.entry_id).limit(_LOOKED_AT)),
        *session.execute(wanted.where(p.slug < slug).order_by(p.slug.desc(), p.entry_id).limit(_LOOKED_AT)),
    ]
    likeness = {row: fuzz.ratio(slug, row.slug) for row in rows}
    likely = [row for row, alike in likeness.items() if alike >= _NEARLY]
    likely.sort(key=lambda row: (-likeness[row], row.locale != locale, row.slug))
    return _cards(likely, tree)[:MOST]


def last_step(path: str) -> str:
    """The last step of a path as a slug would have it: `/a/Office%20Hours.html` → `office-hours`."""
    step = unquote(path.rstrip("/").rpartition("/")[2][:_LONGEST_STEP])
    stem, dot, extension = step.rpartition(".")
    return slugify(stem if dot and extension.lower() in _EXTENSIONS else step, max_length=MAX_SLUG)


def words(path: str) -> str:
    """The words of a path, to search for."""
    return " ".join(last_step(path).split("-")[:_MOST_WORDS])


_EXTENSIONS = frozenset({"html", "htm", "php", "asp", "aspx", "jsp"})


def _cards(rows: Sequence[Any], tree: SectionTree) -> list[dict[str, str]]:
    paths = ((row.title, tree.path(row.section, locale=row.locale, slug=row.slug)) for row in rows)
    return [{"title": title, "path": path} for title, path in paths if path is not None]
