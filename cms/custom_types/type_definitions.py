"""A content type as JSON: read from what staff give and checked, kept, and read back."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StrictInt,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic import Field as Member

from cms import content_types
from cms.built_in_types import BUILT_IN
from cms.content import LONGEST_COMPARED
from cms.content_types import Audience, ContentType, Field
from cms.custom_types.type_faults import (
    LONGEST_NAME,
    MOST_FIELDS,
    NAME,
    USES,
    faults,
    is_compared_text,
    read_alone,
)
from cms.errors import Fault, InvalidContent
from cms.field_kinds import Limits
from cms.pointers import existing, json_pointer
from cms.section_tree import in_every_locale

MOST_TYPES = 200
MOST_CHOICES = 500

# What staff may make fields of: the others belong to types that are built in.
STAFF_KINDS = (
    "text",
    "long_text",
    "rich_text",
    "number",
    "boolean",
    "date",
    "instant",
    "choice",
    "topics",
    "url",
    "email",
    "reference",
    "references",
    "group",
    "groups",
    "upload",
    "object",
)
# Every type has these by itself.
_GIVEN_BY_US = (("seo", "group"), ("source_fields", "object"))
_TITLE = Field("title", "text", required=True)


# --- what is kept ---


def written(field: Field, *, inside: bool = False) -> dict[str, Any]:
    """A field as JSON, every key there; `inside` a group nothing is filtered or sorted."""
    uses: dict[str, str] = {use: field.audience(use) for use in USES}
    if inside:
        uses |= {"filterable": "nobody", "sortable": "nobody"}
    return {
        "name": field.name,
        "kind": field.kind,
        "label": dict(field.label),
        "help": dict(field.help),
        "required": field.required,
        "public": field.public,
        "default": field.default,
        "limits": {name: getattr(field.limits, name) for name in Limits.__dataclass_fields__},
        "types": list(field.types),
        "choices": list(field.choices),
        **uses,
        "fields": [written(inner, inside=True) for inner in field.fields],
    }


def of_definition(name: str, definition: Mapping[str, Any], *, revision: int) -> ContentType:
    """The type that a kept definition tells of."""
    return content_types.custom(
        name,
        tuple(_field(one) for one in definition["fields"]),
        routable=definition["routable"],
        label=definition["label"],
        revision=revision,
    )


def _field(kept: Mapping[str, Any]) -> Field:
    return Field(
        **{
            **kept,
            "types": tuple(kept["types"]),
            "choices": tuple(kept["choices"]),
            "limits": Limits(**kept["limits"]),
            "fields": tuple(_field(inner) for inner in kept["fields"]),
        }
    )


# --- what is given ---

_Texts = Annotated[
    dict[str, Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]],
    BeforeValidator(in_every_locale),
    Member(max_length=100),
]
_Choice = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
_TypeName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
_Count = Annotated[StrictInt, Member(ge=0, le=50_000)]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _GivenLimits(_Given):
    min: StrictInt | float | str | None = None
    max: StrictInt | float | str | None = None
    min_length: _Count | None = None
    max_length: _Count | None = None
    min_items: _Count | None = None
    max_items: _Count | None = None


class _GivenField(_Given):
    name: str
    kind: Literal[STAFF_KINDS]  # type: ignore[valid-type]
    label: _Texts = Member(default_factory=dict)
    help: _Texts = Member(default_factory=dict)
    required: StrictBool = False
    public: StrictBool = True
    default: Any = None
    limits: _GivenLimits = _GivenLimits()
    types: Annotated[list[_TypeName], Member(max_length=MOST_TYPES)] = Member(default_factory=list)
    choices: Annotated[list[_Choice], Member(max_length=MOST_CHOICES)] = Member(default_factory=list)
    filterable: Audience | None = None
    sortable: Audience | None = None
    searchable: Audience | None = None
    fields: Annotated[list["_GivenField"], Member(max_length=MOST_FIELDS)] = Member(default_factory=list)


class _GivenType(_Given):
    label: _Texts = Member(default_factory=dict)
    routable: StrictBool = True
    fields: Annotated[list[_GivenField], Member(max_length=MOST_FIELDS)]


_GIVEN: TypeAdapter[_GivenType] = TypeAdapter(_GivenType)


def read(name: str, given: Mapping[str, Any], *, types: Collection[str], locales: tuple[str, ...]) -> dict[str, Any]:
    """What staff give (`label`, `routable`, `fields`) as a definition to keep. Raises `InvalidContent`.

    `types` are the names of all types there are; a label for every locale is kept for each of `locales`."""
    if not NAME.fullmatch(name) or name in BUILT_IN or name == "person":
        said = "A type is called by a-z, 0-9 and _, at most 63 of them, a letter first, and not as a built-in type."
        raise InvalidContent([Fault("/name", "bad_name", said)])
    own = [one for one in _listed(given.get("fields")) if not _is_ours(one)]
    # The faults' pointers are those of what was given.
    places = [at for at, one in enumerate(_listed(given.get("fields"))) if not _is_ours(one)]
    try:
        read = _GIVEN.validate_python({**given, "fields": own} if isinstance(given.get("fields"), list) else given)
    except ValidationError as error:
        raise InvalidContent([_fault(one, {**given, "fields": own}, places) for one in error.errors()]) from None
    fields = [_as_field(one, locales) for one in read.fields]
    if wrong := faults(fields, places, types={*types, name}):
        raise InvalidContent(wrong)
    if all(one.name != "title" for one in fields):
        fields.insert(0, _TITLE)
    return {
        "label": _in_locales(read.label, locales),
        "routable": read.routable,
        "fields": [written(_with_read_default(_bounded(one))) for one in fields],
    }


def _bounded(field: Field) -> Field:
    """Texts that lists compare are short enough for an index."""
    if not is_compared_text(field) or field.limits.max_length is not None:
        return field
    return replace(field, limits=replace(field.limits, max_length=LONGEST_COMPARED))


def _listed(fields: Any) -> list[Any]:
    return fields if isinstance(fields, list) else []


def _is_ours(given: Any) -> bool:
    """What a GET gave may be sent back, with the fields that every type has."""
    return isinstance(given, dict) and (given.get("name"), given.get("kind")) in _GIVEN_BY_US


def _fault(error: Any, given: Mapping[str, Any], places: list[int]) -> Fault:
    steps = existing(error["loc"], given, missing=error["type"] == "missing")
    if len(steps) > 1 and isinstance(steps[1], int):
        steps[1] = places[steps[1]]
    code = "unknown_field" if error["type"] == "extra_forbidden" else error["type"]
    return Fault(json_pointer(steps), code, error["msg"].removeprefix("Value error, "))


def _in_locales(texts: Mapping[str, str], locales: tuple[str, ...]) -> dict[str, str]:
    everywhere = texts.get("*")
    spelt = dict.fromkeys(locales, everywhere) if everywhere else {}
    return {name: text for name, text in {**spelt, **texts}.items() if name != "*" and text is not None}


def _as_field(given: _GivenField, locales: tuple[str, ...]) -> Field:
    return Field(
        name=given.name,
        kind=given.kind,
        required=given.required,
        public=given.public,
        types=tuple(dict.fromkeys(given.types)),
        choices=tuple(dict.fromkeys(given.choices)),
        fields=tuple(_as_field(inner, locales) for inner in given.fields),
        label=_in_locales(given.label, locales),
        help=_in_locales(given.help, locales),
        default=given.default,
        limits=Limits(**given.limits.model_dump()),
        filterable=given.filterable,
        sortable=given.sortable,
        searchable=given.searchable,
    )


def _with_read_default(field: Field) -> Field:
    """The default as it will be kept in entries."""
    default = None if field.default is None else read_alone(field, field.default)
    return replace(field, default=default, fields=tuple(_with_read_default(one) for one in field.fields))
