"""What sections may be set to: types that there are, entries that there are, roles for actors that are known."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import usages
from cms.custom_types import site_types
from cms.errors import Fault
from cms.json_columns import among
from cms.rights import ROLES
from cms.section_tree import SETTINGS, SectionTree, references
from cms.tables.people import ApiKey, Person

Said = tuple[str, Mapping[str, Any]]


def faults(session: Session, said: Iterable[Said]) -> list[Fault]:
    """What is wrong with settings that are well formed, each given with its JSON pointer."""
    said = list(said)
    return [*_type_faults(session, said), *_access_faults(session, said)]


def reference_faults(session: Session, said: Iterable[Said]) -> list[Fault]:
    """References of settings to entries that are not there, or that do not belong there."""
    used = [
        (pointer + place.removeprefix("/0"), target, allowed)
        for pointer, settings in said
        for place, target, allowed in references([settings], at="")
    ]
    types = usages.types(session, (target for _, target, _ in used)) if used else {}
    return [
        Fault(pointer, "missing_target", f"There is no entry {target}.")
        if target not in types
        else Fault(pointer, "wrong_type", f"The entry {target} is no {allowed[0]} but of type {types[target]}.")
        for pointer, target, allowed in used
        if target not in types or (allowed and types[target] not in allowed)
    ]


def changed(nodes: Iterable[Mapping[str, Any]], before: SectionTree, *, at: str) -> Iterable[Said]:
    """The settings of sections as they are kept, where they are not as they were."""
    for index, node in enumerate(nodes):
        pointer = f"{at}/{index}"
        settings = {name: node[name] for name in SETTINGS if node.get(name) is not None}
        known = before.section(node["id"])
        if settings and (known is None or known.settings != settings):
            yield pointer, settings
        yield from changed(node["children"], before, at=f"{pointer}/children")


def _type_faults(session: Session, said: list[Said]) -> Iterable[Fault]:
    for pointer, settings in said:
        named = [(f"{pointer}/default_type", settings["default_type"])] if settings.get("default_type") else []
        listed = (settings.get("listing") or {}).get("types") or ()
        named += [(f"{pointer}/listing/types/{index}", one) for index, one in enumerate(listed)]
        for place, name in named:
            if name not in site_types.all_of(session):
                yield Fault(place, "unknown_type", f"There is no content type '{name}'.")


def _access_faults(session: Session, said: list[Said]) -> Iterable[Fault]:
    granted = [(pointer, settings["access"]) for pointer, settings in said if settings.get("access")]
    known = _known_actors(session, {actor for _, access in granted for actor in access})
    for pointer, access in granted:
        for actor, role in access.items():
            if actor not in known:
                yield Fault(f"{pointer}/access/{actor}", "unknown_actor", "There is no such person and no such key.")
            if role not in ROLES:
                offered = ", ".join(ROLES)
                yield Fault(
                    f"{pointer}/access/{actor}", "unknown_role", f"There is no such role. There are: {offered}."
                )


def _known_actors(session: Session, ids: set[str]) -> set[str]:
    if not ids:
        return set()
    wanted = sorted(ids)
    return {
        id for actors in (Person, ApiKey) for id in session.scalars(select(actors.id).where(among(actors.id, wanted)))
    }
