"""Who may do what: roles with rights by action and content type, narrowed by the scopes of a key.

A section may give an actor another role than their own, higher or lower; it holds for all sections below, too.
"""

from collections.abc import Mapping
from dataclasses import replace

from cms.attribution import Actor
from cms.errors import Forbidden
from cms.section_tree import SectionTree
from cms.tables.entries import Entry

# Each role may do what the roles before it may. "own": only with entries that the actor made; "counter": with entries
# of that type alone.
_READER = {"read": "*"}
_AUTHOR = {**_READER, "create": "content", "save": "own", "trash": "own"}
_EDITOR = {**_AUTHOR, "save": "content", "trash": "content"}
_PUBLISHER = {**_EDITOR, **dict.fromkeys(("publish", "redirects", "import", "export"), "content"), "stop": "counter"}
# Beside the others: who answers for what is counted, and for nothing else on the site.
_ANALYST = {**_READER, **dict.fromkeys(("create", "save", "trash", "publish", "stop"), "counter")}
_ADMINISTRATOR = dict.fromkeys((*_PUBLISHER, "people", "keys", "audit", "types", "sweep"), "*")

ROLES: Mapping[str, Mapping[str, str]] = {
    "reader": _READER,
    "author": _AUTHOR,
    "editor": _EDITOR,
    "publisher": _PUBLISHER,
    "analyst": _ANALYST,
    "administrator": _ADMINISTRATOR,
}

ACTIONS = tuple(_ADMINISTRATOR)
# How the site hangs together, and what runs on every page of it, is not content: only administrators change it, and
# counters those who are there for them.
_NOT_CONTENT = frozenset({"structure", "settings", "counter"})
# What acts wherever it says itself: a role that somebody has in one section counts for nothing here.
SITE_WIDE = _NOT_CONTENT | {"banner"}


def permit(actor: Actor, action: str, *, type: str = "", entry: Entry | None = None) -> None:
    """Raises `Forbidden` unless the actor may do this with this type, or with this entry."""
    type = entry.type if entry is not None else type
    own = entry is not None and entry.created_by == actor.id
    if not _role_allows(actor.role, action, type, own=own) or not _scopes_allow(actor.scopes, action, type):
        raise Forbidden(action, type)


def roles_that_may(action: str, type: str) -> list[str]:
    """The roles that may do this with any entry of a type."""
    return [role for role in ROLES if _role_allows(role, action, type, own=False)]


def within(actor: Actor, tree: SectionTree, section: str | None) -> Actor:
    """The actor with the role that they have in a section: the one that the nearest section up names for them."""
    role = tree.setting(section, "access").get(actor.id)
    return actor if role is None else replace(actor, role=role)


def _role_allows(role: str, action: str, type: str, *, own: bool) -> bool:
    allowed = ROLES.get(role, {}).get(action)
    if allowed == "own":
        return own and type not in _NOT_CONTENT
    return allowed in ("*", type) or (allowed == "content" and type not in _NOT_CONTENT)


def _scopes_allow(scopes: tuple[str, ...] | None, action: str, type: str) -> bool:
    """A scope is an action, or `action:type`."""
    return scopes is None or action in scopes or f"{action}:{type}" in scopes
