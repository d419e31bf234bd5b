"""The published tree of sections, and the placements of banners."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api import query
from api.answers import envelope, public
from api.delivery.serving import parts_of
from cms import site
from cms.delivery.live_structure import Placement, live_site
from cms.section_tree import MAX_LEVELS, SectionTree, in_locale

router = APIRouter(tags=["delivery"])


@router.get("/structure", openapi_extra=query.takes("depth", "locale"))
def read_structure(request: Request) -> Response:
    """The site tree, down to `depth` levels, with the paths of one locale; and the placements."""
    given = query.only(request, "depth", "locale")
    depth = _depth(given.get("depth"))
    parts = parts_of(request)
    with parts.database.reading() as session:
        live = live_site(session)
        locales = site.locales(session)
        locale = query.locale(given.get("locale"), locales) or locales.default
    data = {
        "revision": live.revision,
        "locale": locale,
        "sections": [_node(live.tree, one, locale=locale, depth=depth) for one in live.tree.roots],
        "placements": [_placement(one) for one in live.placements.values()],
    }
    return public(request, envelope(data), tags=["structure"], now=parts.clock(), next_change=live.next_change)


def _placement(one: Placement) -> dict[str, Any]:
    # The house banner comes with the banners, when it is live.
    return {name: value for name, value in vars(one).items() if name != "house"}


def _depth(value: str | None) -> int:
    if value is None:
        return MAX_LEVELS
    return query.number(value, "depth", among=range(1, MAX_LEVELS + 1), said=f"The depth is 1 to {MAX_LEVELS}.")


# What a section is set to, by itself or by those above it, as far as visitors may know.
_SHOWN = ("index_entry", "default_type", "listing", "in_menus", "in_sitemap")


def _node(tree: SectionTree, section_id: str, *, locale: str, depth: int) -> dict[str, Any]:
    section = tree.section(section_id)
    if section is None:  # pragma: no cover - ids come from the tree itself
        return {}
    below = section.children if depth > 1 else ()
    return {
        "id": section.id,
        "name": dict(section.name),
        "slug": in_locale(section.slug, locale) if isinstance(section.slug, str) else dict(section.slug),
        "path": tree.path(section.id, locale=locale),
        **{name: tree.setting(section.id, name) for name in _SHOWN},
        "children": [_node(tree, one, locale=locale, depth=depth - 1) for one in below],
    }
