"""Placements and banners on the shared site: each test has its own."""

from typing import Any

from tests.api.desk import Desk, data_of, fresh
from tests.api.serving import Site


def a_placement(site: Site, **said: Any) -> str:
    """The name of a new placement, live."""
    name = fresh("slot")
    restructure(site.administrator, {"op": "add_placement", "name": name, **said})
    return name


def restructure(desk: Desk, *operations: dict[str, Any]) -> None:
    """Change the structure and publish it."""
    tree = data_of(desk.get("structure"))
    changed = desk.call("POST", "structure/changes", seen=tree, json={"operations": list(operations)})
    data_of(desk.call("PUT", "structure/publication", seen=data_of(changed)))


def a_banner(site: Site, *placements: str, **given: Any) -> dict[str, Any]:
    """One that visitors may see, with a text unless another creative is given."""
    told = {"creative": {"text": fresh("Зима ")}, **given}
    return site.publisher.live("banner", placements=list(placements), **told)


def shown(site: Site, placement: str, **asked: str) -> list[dict[str, Any]]:
    """What visitors may see in a placement."""
    found: list[dict[str, Any]] = data_of(site.visitor.get("banners", params={"placement": placement, **asked}))
    return found
