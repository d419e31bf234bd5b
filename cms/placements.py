"""Placements, the named slots of front ends that show banners, as values: what may be said of one.

Pure: they are a field of the structure, `placements`; what the public sees of them is in `cms.delivery.live_structure`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from cms.errors import Fault
from cms.identity import is_id
from cms.section_tree import SLUG

MOST_PLACEMENTS = 200
LONGEST_NAME = 100


def _entry(value: str) -> str:
    if not is_id(value):
        raise ValueError("is not an entry's id")
    return value


PlacementName = Annotated[str, StringConstraints(pattern=SLUG, max_length=LONGEST_NAME)]
_Side = Annotated[int, Field(ge=1, le=10_000, strict=True)]
_Line = Annotated[str, StringConstraints(max_length=1_000, strip_whitespace=True, pattern=r"^[^\x00]*$")]
_Words = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]


class Said(BaseModel):
    """What may be said of a placement. Sizes are in CSS pixels; `house`: the banner that it shows when there is no
    other; `emergency`: what it shows is live at once everywhere."""

    model_config = ConfigDict(extra="forbid")

    name: PlacementName | None = None
    label: _Line | None = None
    description: _Words | None = None
    width: _Side | None = None
    height: _Side | None = None
    house: Annotated[str, AfterValidator(_entry)] | None = None
    emergency: bool | None = None


class Placement(Said):
    """A whole placement."""

    name: PlacementName


MEMBERS = tuple(Said.model_fields)


def faults(placements: Iterable[Mapping[str, Any]], *, at: str) -> Iterator[Fault]:
    """What is wrong with the names of placements, and with how many they are."""
    names: list[str] = []
    for index, one in enumerate(placements):
        pointer = f"{at}/{index}/name"
        name = str(one.get("name") or "")
        if not re.fullmatch(SLUG, name) or len(name) > LONGEST_NAME:
            said = f"A placement is called by lower-case latin letters, digits and . _ ~ -, at most {LONGEST_NAME}."
            yield Fault(pointer, "malformed_name", said)
        elif name in names:
            yield Fault(pointer, "name_taken", f"Another placement is called '{name}'. Choose another name.")
        names.append(name)
    if len(names) > MOST_PLACEMENTS:
        yield Fault(at, "too_many", f"A site has at most {MOST_PLACEMENTS} placements.")
