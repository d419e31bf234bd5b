"""The operations on placements in a draft of the structure, and whom they touch."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import usages
from cms.errors import Fault
from cms.placements import MEMBERS, MOST_PLACEMENTS
from cms.tables.publications import Publication
from cms.tree_operations import AddPlacement, Impossible, RemovePlacement, SetPlacement

Placements = list[dict[str, Any]]


def add(session: Session, placements: Placements, operation: AddPlacement) -> list[str]:
    """A placement after the others. Makes no section: gives no ids. Raises `Impossible`."""
    _refuse_taken(placements, operation.name, None)
    _refuse_foreign_house(session, operation.house)
    if len(placements) >= MOST_PLACEMENTS:
        raise Impossible("too_many", f"A site has at most {MOST_PLACEMENTS} placements.")
    placements.append({name: getattr(operation, name) for name in MEMBERS})
    return []


def change(session: Session, placements: Placements, operation: SetPlacement) -> list[str]:
    """What the operation names is said differently. Raises `Impossible`."""
    found = _find(placements, operation.placement)
    said = {name: getattr(operation, name) for name in MEMBERS if name in operation.model_fields_set}
    if "name" in said:
        if said["name"] is None:
            raise Impossible("missing", "A placement has a name: give one, or leave it out.", "/name")
        _refuse_taken(placements, said["name"], found)
    _refuse_foreign_house(session, said.get("house"))
    found.update(said)
    return []


def remove(placements: Placements, operation: RemovePlacement) -> list[str]:
    """The placement is no more. Raises `Impossible`."""
    found = _find(placements, operation.placement)
    placements[:] = [one for one in placements if one is not found]
    return []


def warnings(session: Session, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[Fault]:
    """A word for each placement that goes, or is called otherwise, while live banners name it."""
    left = {str(one["name"]) for one in before} - {str(one["name"]) for one in after}
    if not left:
        return []
    p = Publication
    wanted = select(p.entry_id, p.title, p.rendered).where(p.type == "banner").order_by(p.entry_id)
    banners = session.execute(wanted).all()
    naming = {name: [one for one in banners if name in (one.rendered.get("placements") or ())] for name in sorted(left)}
    return [Fault("", "placement_in_use", _said(name, found)) for name, found in naming.items() if found]


_SHOWN = 10


def _said(name: str, banners: list[Any]) -> str:
    listed = ", ".join(f"“{one.title}” ({one.entry_id})" for one in banners[:_SHOWN])
    more = f" and {len(banners) - _SHOWN} more" if len(banners) > _SHOWN else ""
    return f"No placement is called '{name}' any more, but live banners name it: {listed}{more}. They are not shown."


def _find(placements: Placements, name: str) -> dict[str, Any]:
    found = next((one for one in placements if one["name"] == name), None)
    if found is None:
        known = ", ".join(str(one["name"]) for one in placements) or "none yet"
        said = f"There is no placement '{name[:100]}'. There are: {known}."
        raise Impossible("unknown_placement", said, "/placement")
    return found


def _refuse_taken(placements: Placements, name: str, own: Mapping[str, Any] | None) -> None:
    if any(one["name"] == name and one is not own for one in placements):
        raise Impossible("name_taken", f"Another placement is called '{name}'. Choose another name.", "/name")


def _refuse_foreign_house(session: Session, house: str | None) -> None:
    if house is None:
        return
    found = usages.types(session, [house]).get(house)
    if found is None:
        raise Impossible("missing_target", f"There is no entry {house}.", "/house")
    if found != "banner":
        raise Impossible("wrong_type", f"The entry {house} is no banner but of type {found}.", "/house")
