"""What the calls that give entries have in common: the form that is asked for, what stands at a path, and tags."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Request
from sqlalchemy.orm import Session

from api import picture_addresses, query
from api.delivery.serving import parts_of
from cms import site
from cms.content_types import ContentType
from cms.custom_types import site_types
from cms.delivery import presenting, resolving
from cms.delivery.live_structure import live_site
from cms.delivery.menus import Menu
from cms.delivery.presenting import Shape
from cms.delivery.resolving import Found
from cms.errors import BadQuery
from cms.section_tree import SectionTree

FORM = ("rich_text", "fields", "include")
RICH_TEXT_FORMS = ("html", "doc", "markdown", "text")
_MOST_TAGGED = 30
_MOST_IN_MENUS = 100


def path_of(given: Mapping[str, str]) -> str:
    """The path that is asked for. Raises `BadQuery`."""
    path = given.get("path", "")
    if not path.startswith("/") or len(path) > resolving.LONGEST_PATH:
        raise BadQuery("path", "malformed_path", "Give a path that starts with '/'.")
    return path


def found_at(request: Request, session: Session, path: str, *, locale: str | None) -> Found | None:
    """What is at a path, counted: a rule that answered as a hit, nothing as a miss."""
    parts = parts_of(request)
    found = resolving.resolve(session, path, site=live_site(session), locales=site.locales(session), locale=locale)
    if found is None:
        parts.tally.miss(path, locale=locale, agent=request.headers.get("user-agent", ""))
    else:
        parts.tally.hit(found.rule)
    return found


def shape_of(
    request: Request, session: Session, given: Mapping[str, str], types: Sequence[ContentType] | None
) -> Shape:
    """What entries of some types (None: all) are to look like. Raises `BadQuery`."""
    form = query.one_of(given.get("rich_text"), RICH_TEXT_FORMS, name="rich_text")
    pictures = picture_addresses.pictures(parts_of(request).secret)
    if "include" not in given and "fields" not in given:
        return Shape(form, pictures=pictures)
    every = tuple(site_types.all_of(session).values())
    types = every if types is None else types
    include = presenting.read_include(given["include"], types, deeper_types=every) if "include" in given else ()
    fields = presenting.read_fields(given["fields"], types) if "fields" in given else None
    return Shape(form, fields, include, pictures)


def section(tree: SectionTree, section_id: str | None, *, locale: str) -> dict[str, Any]:
    """A section as it stands at a path; None stands for the root."""
    found = tree.section(section_id) if section_id is not None else None
    return {
        "id": section_id,
        "name": dict(found.name) if found else {},
        "slug": found and found.slug,
        "path": tree.path(section_id, locale=locale),
        "children": list(found.children if found else tree.roots),
    }


def type_tags(types: Sequence[ContentType]) -> Sequence[str]:
    """What a list depends on."""
    # A header of two hundred names is more than proxies take.
    return [f"type:{one.name}" for one in types] if len(types) <= _MOST_TAGGED else ["type:*"]


def entry_tags(entries: Iterable[Mapping[str, Any]], included: Iterable[str] = ()) -> list[str]:
    """The entries that an answer shows."""
    return [f"entry:{one['id']}" for one in entries] + [f"entry:{id}" for id in included]


def menu_tags(menus: Iterable[Menu], led_to: Iterable[str]) -> list[str]:
    """The menus that an answer shows, what they lead to, and what they would lead to if it were live."""
    found = list(menus)
    ids = dict.fromkeys([*(one for menu in found for one in (menu.entry_id, *menu.targets)), *sorted(led_to)])
    # A header of more names than this is more than proxies take.
    entries = [f"entry:{one}" for one in ids] if len(ids) <= _MOST_IN_MENUS else ["type:*"]
    return [*entries, "type:menu"]
