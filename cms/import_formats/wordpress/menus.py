"""Menus: items in a row, each telling what it stands below, become trees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cms.import_formats.folder import slug_of
from cms.import_formats.item import Item, Link, Origin, Problem
from cms.import_formats.wordpress import blocks
from cms.import_formats.wordpress.addresses import number_of
from cms.import_formats.wordpress.survey import Survey
from cms.import_formats.wordpress.words import plain
from cms.menu_items import MAX_ITEMS, MAX_LEVELS, is_address

LONGEST_LABEL = 500


@dataclass(slots=True)
class Node:
    """An item of a menu and what stands below it; `fields` are those of our own menu items."""

    id: str
    fields: dict[str, Any]
    below: list["Node"] = field(default_factory=list)


def items(survey: Survey, *, locale: str | None, file: str) -> Iterator[Item | Problem]:
    """Every menu, each followed by what did not fit. `file`: where a menu without items is said to be."""
    for slug in sorted(survey.menus):
        origin = Origin(survey.menu_files.get(slug, file))
        writer = _Writer(survey)
        roots = writer.classic(slug)
        yield from _menu(slug, survey.menus[slug], roots, writer=writer, origin=origin, locale=locale)
    for id, title, content, name, line in survey.navigations():
        writer = _Writer(survey)
        roots = writer.navigation(content)
        yield from _menu(f"navigation-{id}", title, roots, writer=writer, origin=Origin(name, line), locale=locale)


def count(survey: Survey) -> int:
    """How many menus there are."""
    return len(survey.menus) + len(survey.navigations())


def _menu(
    slug: str, title: str, roots: list[Node], *, writer: "_Writer", origin: Origin, locale: str | None
) -> Iterator[Item | Problem]:
    external_id = f"menu:{slug}"
    tree = writer.within_limits(roots)
    fields = {"title": title or slug, "name": slug_of(slug), "items": tree}
    yield Item(origin, external_id, fields, locale=locale, type="menu")
    for code, reason in writer.warnings.items():
        yield Problem(origin.file, origin.line, "items", code, reason, warning=True, external_id=external_id)


class _Writer:
    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self.warnings: dict[str, str] = {}

    def classic(self, menu: str) -> list[Node]:
        """The roots of a menu whose items tell what they stand below."""
        rows = self._survey.menu_items(menu)
        nodes = {id: Node(id, self._classic_item(said)) for id, _, said in rows}
        parents = {id: parent for id, parent, _ in rows}
        roots = []
        for id, node in nodes.items():
            parent = parents[id]
            if parent in nodes and not _leads_back(id, parents):
                nodes[parent].below.append(node)
            else:
                roots.append(node)
        return roots

    def navigation(self, content: str) -> list[Node]:
        """The roots of a menu that the block editor made."""
        root = Node("", {})
        stack = [root]
        for kind, name, values in blocks.found(content):
            if name not in ("navigation-link", "navigation-submenu", "home-link"):
                if kind != "close":
                    self._warn("menu_block_left_out", f"The block {name} fills a menu by itself and is left out.")
                continue
            if kind == "close":
                del stack[max(1, len(stack) - 1) :]
                continue
            node = Node("", self._navigation_item(values))
            stack[-1].below.append(node)
            if kind == "open" and len(stack) < MAX_ITEMS:
                stack.append(node)
        return root.below

    def within_limits(self, roots: list[Node]) -> list[dict[str, Any]]:
        """The tree as our menus hold it: what stands too deep moves up to the last level."""
        left = MAX_ITEMS
        tree: list[dict[str, Any]] = []
        open_nodes = [(iter(roots), tree, 1)]
        while open_nodes and left:
            nodes, siblings, level = open_nodes[-1]
            node = next(nodes, None)
            if node is None:
                open_nodes.pop()
                continue
            left -= 1
            written = dict(node.fields)
            siblings.append(written)
            if node.below and level < MAX_LEVELS:
                written["items"] = []
                open_nodes.append((iter(node.below), written["items"], level + 1))
            elif node.below:
                self._warn(
                    "menu_too_deep", f"A menu has at most {MAX_LEVELS} levels: what stood deeper is on the last."
                )
                open_nodes.append((iter(node.below), siblings, level))
        if not left:
            self._warn("menu_too_long", f"A menu has at most {MAX_ITEMS} items: those after them are left out.")
        return tree

    def _classic_item(self, said: Mapping[str, str]) -> dict[str, Any]:
        label = said.get("title", "")[:LONGEST_LABEL]
        number = said.get("object_id", "").strip()
        if said.get("type") == "post_type":
            return self._to_post(number, label)
        if said.get("type") in ("taxonomy", "post_type_archive"):
            return self._heading(label or self._term_name(number) or said.get("object", ""))
        return self._to_address(said.get("url", ""), label)

    def _navigation_item(self, values: Mapping[str, Any]) -> dict[str, Any]:
        label, url = str(values.get("label") or ""), str(values.get("url") or "")
        label = plain(label)[:LONGEST_LABEL]
        number = str(values.get("id") or "")
        if values.get("kind") == "post-type" and self._survey.page(number):
            return self._to_post(number, label)
        return self._to_address(url, label)

    def _to_post(self, number: str, label: str) -> dict[str, Any]:
        own = {"label": label} if label else {}
        if self._survey.page(number):
            return own | {"entry": Link("item", number)}
        attachment = self._survey.attachment(number)
        if attachment:
            return {"label": label or attachment.title or attachment.key, "entry": Link("asset", attachment.key)}
        said = f"The menu leads to the post {number}, which is not in the export: the item stays as a heading."
        self._warn("missing_target", said)
        return {"label": label or f"({number})"}

    def _to_address(self, url: str, label: str) -> dict[str, Any]:
        url = url.strip()
        own = {"label": label} if label else {}
        local = self._survey.addresses.local(url) if url else None
        if local is not None:
            number = number_of(local) or self._post_at(local)
            if number and self._survey.page(number):
                return own | {"entry": Link("item", number)}
        if url in ("", "#"):
            return {"label": label or "—"}
        address = f"/{url}" if url.startswith("?") else url
        if is_address(address, reaching=True) and len(address) <= 2_000:
            return own | {"url": address}
        self._warn("bad_address", f"The menu leads to {url[:200]!r}, which is no address: the item stays as a heading.")
        return {"label": label or url[:LONGEST_LABEL]}

    def _post_at(self, local: str) -> str | None:
        return self._survey.post_at(local)

    def _heading(self, label: str) -> dict[str, Any]:
        said = (
            "Items that led to a category, a tag or an archive stay as headings: such pages do not come with an import."
        )
        self._warn("menu_archive", said)
        return {"label": label or "—"}

    def _term_name(self, number: str) -> str:
        slug = self._survey.category_ids.get(number, "")
        return self._survey.categories.get(slug, ("", ""))[0][:LONGEST_LABEL]

    def _warn(self, code: str, reason: str) -> None:
        self.warnings.setdefault(code, reason)


def _leads_back(id: str, parents: Mapping[str, str]) -> bool:
    """Whether an item stands below itself."""
    seen = set()
    at = id
    while at in parents:
        if at in seen:
            return True
        seen.add(at)
        at = parents[at]
    return False
