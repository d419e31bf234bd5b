"""What can be done to the tree of sections: the operations, as models that refuse what they do not name."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from cms.errors import Fault, InvalidContent
from cms.placements import Placement, Said
from cms.pointers import existing, json_pointer
from cms.section_tree import Name, SectionId, Settings, Slug, in_every_locale

_Names = Annotated[dict[str, Name], BeforeValidator(in_every_locale), Field(min_length=1)]
_Slugs = Slug | Annotated[dict[str, Slug], Field(min_length=1)]
_Position = Annotated[int, Field(ge=0)] | None


class Impossible(Exception):
    """An operation that cannot be done: a code, the words, and where in the operation."""

    def __init__(self, code: str, message: str, at: str = "") -> None:
        super().__init__(code, message)
        self.code, self.message, self.at = code, message, at


class _Operation(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Add(_Operation):
    """A new section below `parent` (None: the root). Operations after it can name it by an `id` of one's own."""

    op: Literal["add"]
    parent: str | None
    slug: _Slugs
    name: _Names
    position: _Position = None
    id: SectionId | None = None


class Rename(_Operation):
    """Another slug, another name, or both."""

    op: Literal["rename"]
    section: str
    slug: _Slugs | None = None
    name: _Names | None = None


class Move(_Operation):
    """A section, with all below it, below another parent or to another position."""

    op: Literal["move"]
    section: str
    parent: str | None
    position: _Position = None


class Reorder(_Operation):
    """The sections below `parent` in another order; all of them must be named."""

    op: Literal["reorder"]
    parent: str | None
    sections: list[str]


class Merge(_Operation):
    """A section's entries and the sections below it go to another one, which stands in for it from then on."""

    op: Literal["merge"]
    section: str
    into: str


class MoveTo(BaseModel):
    """Where the entries of a removed section go."""

    model_config = ConfigDict(extra="forbid")

    move_to: str


class Remove(_Operation):
    """A section with all below it, and what becomes of the entries that stand in them."""

    op: Literal["remove"]
    section: str
    entries: MoveTo | Literal["gone", "trash"] | None = None


class Set(_Operation, Settings):
    """Other settings of a section; null stands for what it is by itself."""

    op: Literal["set"]
    section: str

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, said: Any) -> Any:
        fields = Settings.model_fields
        return {
            name: fields[name].get_default(call_default_factory=True) if value is None and name in fields else value
            for name, value in said.items()
        }


class AddPlacement(_Operation, Placement):
    """A new placement, after the others."""

    op: Literal["add_placement"]


class SetPlacement(_Operation, Said):
    """What is said differently of a placement, its name too; null takes a word back."""

    op: Literal["set_placement"]
    placement: str


class RemovePlacement(_Operation):
    """A placement that the site no longer has. Banners go on naming it, and are not shown there."""

    op: Literal["remove_placement"]
    placement: str


Operation = Annotated[
    Add | Rename | Move | Reorder | Merge | Remove | Set | AddPlacement | SetPlacement | RemovePlacement,
    Field(discriminator="op"),
]
_OPERATION: TypeAdapter[Any] = TypeAdapter(Operation)


def read(said: dict[str, Any], *, at: str) -> Any:
    """An operation as it was given, checked. Raises `InvalidContent` with pointers below `at`."""
    try:
        return _OPERATION.validate_python(said)
    except ValidationError as error:
        raise InvalidContent([_fault(one, said, at) for one in error.errors()]) from None


def _fault(error: Any, said: dict[str, Any], at: str) -> Fault:
    steps = existing(error["loc"], said, missing=error["type"] == "missing")
    return Fault(at + json_pointer(steps), error["type"], error["msg"].removeprefix("Value error, "))
