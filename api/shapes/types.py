"""Content types, and what a change of one does."""

from typing import Any, Literal

from pydantic import Field as Member

from api.shapes.shape import Shape

Audience = Literal["nobody", "staff", "everyone"]


class FieldLimits(Shape):
    min: float | str | None
    max: float | str | None
    min_length: int | None
    max_length: int | None
    min_items: int | None
    max_items: int | None


class Field(Shape):
    """A field of a content type. `filterable`, `sortable` and `searchable` say by whom."""

    name: str
    kind: str
    label: dict[str, str]
    help: dict[str, str]
    required: bool
    public: bool
    default: Any
    limits: FieldLimits
    types: list[str]
    choices: list[str]
    filterable: Audience
    sortable: Audience
    searchable: Audience
    fields: "list[Field]"


class Type(Shape):
    """A content type. `revision` counts the definitions of one that staff made."""

    name: str
    label: dict[str, str]
    routable: bool
    single: bool
    revision: int | None
    fields: list[Field]


class InvalidEntry(Shape):
    entry: str
    pointer: str
    code: str
    message: str


class InvalidEntries(Shape):
    total: int
    first: list[InvalidEntry]


class DroppedValue(Shape):
    entry: str
    field: str
    value: Any


class DroppedValues(Shape):
    total: int
    fields: dict[str, int]
    first: list[DroppedValue]


class TypeReport(Shape):
    """What a change of a type does; `confirm` is the number of entries that must be named to do it."""

    entries: int
    confirm: int
    invalid: InvalidEntries
    dropped: DroppedValues


class TypeWithSchema(Type):
    schema_: dict[str, Any] = Member(alias="schema")
