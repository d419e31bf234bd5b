"""Live menus: their links resolved to where their targets are now. What is not live is left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cms import menu_items
from cms.json_columns import among
from cms.pictures import media_url
from cms.section_tree import Section, SectionTree, in_locale
from cms.site import Locales
from cms.tables.publications import Publication

# However many sections "and its children" asks for, an answer has no more items.
MOST_SHOWN = 5_000


@dataclass(frozen=True)
class Menu:
    """A live menu as its editors published it. `targets`: the ids of entries that it leads to."""

    entry_id: str
    name: str
    title: str
    locale: str
    items: Sequence[Mapping[str, Any]]
    targets: Sequence[str]


def live_menus(session: Session, *, locale: str, locales: Locales) -> list[Menu]:
    """The menus of a locale by name; where it has none of a name, that of the site's default locale."""
    p = Publication
    rows = session.execute(
        select(p.entry_id, p.title, p.locale, p.rendered, p.targets)
        .where(p.type == "menu", p.locale.in_((locale, locales.default)))
        .order_by(p.entry_id)
    )
    found: dict[str, Menu] = {}
    for row in rows:
        name = row.rendered.get("name") or menu_items.name_from(row.title)
        if name not in found or (found[name].locale != locale and row.locale == locale):
            found[name] = Menu(row.entry_id, name, row.title, row.locale, row.rendered.get("items") or (), row.targets)
    return [found[name] for name in sorted(found)]


def resolved(
    session: Session, menus: Sequence[Menu], *, tree: SectionTree, locale: str
) -> tuple[list[list[dict[str, Any]]], set[str]]:
    """The items of each menu, and the ids of entries that they lead to. One statement."""
    ids = sorted({target for menu in menus for target in menu.targets})
    targets = _targets(session, ids, tree=tree, locale=locale)
    resolvings = [_Resolving(tree, locale, targets) for _ in menus]
    shown = [resolving.items(menu.items) for resolving, menu in zip(resolvings, menus, strict=True)]
    return shown, {id for resolving in resolvings for id in resolving.led_to}


@dataclass(frozen=True)
class _Target:
    """Where a link to an entry leads: to the entry itself, to its translation, or to the bytes of a file."""

    id: str
    title: str
    path: str | None
    url: str | None


def _targets(session: Session, ids: Sequence[str], *, tree: SectionTree, locale: str) -> dict[str, _Target]:
    p = Publication
    columns = (p.entry_id, p.title, p.locale, p.section, p.slug, p.file, p.translation_group)
    named = among(p.entry_id, ids)
    twins = (p.locale == locale) & p.translation_group.in_(select(p.translation_group).where(named))
    rows = session.execute(select(*columns).where(or_(named, twins))).all() if ids else ()
    found = {row.entry_id: target for row in rows if (target := _target(row, tree)) is not None}
    translations = {row.translation_group: row.entry_id for row in rows if row.locale == locale}
    standing_in = {row.entry_id: found.get(translations.get(row.translation_group, "")) for row in rows}
    leading = {row.entry_id: standing_in[row.entry_id] or found.get(row.entry_id) for row in rows}
    return {id: target for id, target in leading.items() if target is not None}


def _target(row: Any, tree: SectionTree) -> _Target | None:
    url = media_url(row.file) if row.file is not None else None
    path = row.slug and tree.path(row.section, locale=row.locale, slug=row.slug)
    return _Target(row.entry_id, row.title, path, url) if path or url else None


class _Resolving:
    """One menu in one locale; counts what it gives, and notes which entries it leads to."""

    def __init__(self, tree: SectionTree, locale: str, targets: Mapping[str, _Target]) -> None:
        self.tree, self.locale, self.targets = tree, locale, targets
        self.left = MOST_SHOWN
        self.led_to: set[str] = set()

    def items(self, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [shown for item in items if (shown := self._item(item)) is not None]

    def _item(self, item: Mapping[str, Any]) -> dict[str, Any] | None:
        if item.get("entry") is not None:
            return self._to_entry(item, self.targets.get(item["entry"]))
        if item.get("section") is not None:
            return self._to_section(item, self.tree.section(item["section"]))
        below = self.items(item.get("items") or ())
        if item.get("url") is not None:
            return self._shown("url", self._label(item) or item["url"], url=item["url"], items=below)
        return self._shown("heading", self._label(item) or "", items=below) if below else None

    def _to_entry(self, item: Mapping[str, Any], target: _Target | None) -> dict[str, Any] | None:
        if target is None:
            return None
        self.led_to.add(target.id)
        below = self.items(item.get("items") or ())
        label = self._label(item) or target.title
        url = None if target.path else target.url
        return self._shown("entry", label, path=target.path, url=url, entry=target.id, items=below)

    def _to_section(self, item: Mapping[str, Any], section: Section | None) -> dict[str, Any] | None:
        if section is None:
            return None
        below = [*self._below(section, item.get("depth") or 0), *self.items(item.get("items") or ())]
        return self._of_section(section, self._label(item), below)

    def _below(self, section: Section, depth: int) -> list[dict[str, Any]]:
        """The sections below one, but for those that are set to stay out of menus."""
        found = [self.tree.section(child) for child in section.children] if depth else []
        shown = [child for child in found if child is not None and child.settings.get("in_menus", True)]
        listed = []
        for child in shown:
            if self.left <= 0:
                break
            listed.append(self._of_section(child, None, self._below(child, depth - 1)))
        return listed

    def _of_section(self, section: Section, label: str | None, below: list[dict[str, Any]]) -> dict[str, Any]:
        path = self.tree.path(section.id, locale=self.locale)
        name = label or in_locale(section.name, self.locale) or section.id
        return self._shown("section", name, path=path, section=section.id, items=below)

    def _label(self, item: Mapping[str, Any]) -> str | None:
        label = item.get("label")
        return in_locale(label, self.locale) if label else None

    def _shown(self, kind: str, label: str, **said: Any) -> dict[str, Any]:
        self.left -= 1
        return {"label": label, "kind": kind, **dict.fromkeys(("path", "url", "entry", "section")), **said}
