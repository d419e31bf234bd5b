"""What a content type is. Each compiles to a Pydantic model that refuses what it does not name."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, create_model
from pydantic import Field as ModelField

from cms.field_kinds import KINDS, NO_LIMITS, Limits, limit
from cms.section_tree import Robots

Audience = Literal["nobody", "staff", "everyone"]
Use = Literal["filterable", "sortable", "searchable"]

# The types that are in use at one time, and some that were a moment ago.
_REMEMBERED = 512


@dataclass(frozen=True, eq=False)
class Field:
    """One field. `types`: what a reference may point at; `fields`: what a group holds; `public`: goes to visitors.

    `label` and `help` are texts by locale ("*": every other). `filterable`, `sortable` and `searchable` say by whom;
    None: by all who may see it."""

    name: str
    kind: str
    required: bool = False
    public: bool = True
    types: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()
    label: Mapping[str, str] = dataclasses.field(default_factory=dict)
    help: Mapping[str, str] = dataclasses.field(default_factory=dict)
    default: Any = None
    limits: Limits = NO_LIMITS
    filterable: Audience | None = None
    sortable: Audience | None = None
    searchable: Audience | None = None

    def audience(self, use: Use) -> Audience:
        """Who may use the field so: nobody, where its kind has no such use."""
        if not possible(self.kind, use):
            return "nobody"
        said: Audience | None = getattr(self, use)
        return said or ("everyone" if self.public else "staff")

    def offers(self, use: Use, *, public: bool) -> bool:
        """Whether the public, or staff, may use the field so."""
        return self.audience(use) == "everyone" or (not public and self.audience(use) == "staff")


def possible(kind: str, use: Use) -> bool:
    """Whether a field of this kind can be filtered, sorted or searched at all."""
    of = KINDS[kind]
    return {"filterable": bool(of.operators), "sortable": of.sortable, "searchable": of.searched}[use]


@dataclass(frozen=True, eq=False)
class ContentType:
    """A name and its fields. `routable`: its entries have a slug and a path. `single`: one per site.

    `revision` counts the definitions of a type that staff made; types that are built in have none."""

    name: str
    fields: tuple[Field, ...]
    routable: bool = True
    single: bool = False
    label: Mapping[str, str] = dataclasses.field(default_factory=dict)
    revision: int | None = None

    def field(self, name: str) -> Field | None:
        """The field of that name, if the type has it."""
        return _by_name(self).get(name)


@lru_cache(_REMEMBERED)
def _by_name(content_type: ContentType) -> dict[str, Field]:
    return {field.name: field for field in content_type.fields}


# Every type has these by itself; the first, if its entries have pages.
SEO = Field(
    "seo",
    "group",
    fields=(
        Field("title", "text"),
        Field("description", "long_text"),
        Field("canonical", "address"),
        Field("robots", "choice", choices=get_args(Robots)),
        Field("image", "reference", types=("image",)),
        Field("noindex", "boolean"),
    ),
)

SOURCE_FIELDS = Field("source_fields", "object", public=False)


def custom(
    name: str, fields: tuple[Field, ...], *, routable: bool, label: Mapping[str, str], revision: int
) -> ContentType:
    """A type that staff made of some fields, with those that every type has."""
    seo = (SEO,) if routable else ()
    return ContentType(name, (*fields, *seo, SOURCE_FIELDS), routable, label=label, revision=revision)


@lru_cache(_REMEMBERED)
def model(content_type: ContentType) -> type[BaseModel]:
    """The Pydantic model of a type's fields. Its members go by their aliases: a field may be called `json`."""
    return _compile(content_type.name.capitalize(), content_type.fields)


def _compile(name: str, fields: tuple[Field, ...]) -> type[BaseModel]:
    members: dict[str, Any] = {f"field_{number}": _member(name, one) for number, one in enumerate(fields)}
    config = ConfigDict(extra="forbid", serialize_by_alias=True)
    compiled: type[BaseModel] = create_model(name, __config__=config, **members)
    return compiled


def _member(owner: str, field: Field) -> tuple[Any, Any]:
    annotation = _annotation(owner, field)
    if field.required:
        return annotation, ModelField(alias=field.name)
    return annotation | None, ModelField(None, alias=field.name)


def _annotation(owner: str, field: Field) -> Any:
    annotation = KINDS[field.kind].annotation(field)
    if field.kind in ("group", "groups"):
        annotation = _compile(f"{owner}{field.name.capitalize()}", field.fields)
    if field.kind == "groups":
        annotation = Annotated[list[annotation], ModelField(max_length=1_000)]  # type: ignore[valid-type]
    return limit(annotation, field)


def leaves(fields: tuple[Field, ...], values: Mapping[str, Any], *, at: str) -> Iterator[tuple[Field, str, Any]]:
    """Every value that is not null with its field and JSON pointer; groups are entered, not given themselves."""
    for field in fields:
        value = values.get(field.name)
        if value is None:
            continue
        pointer = f"{at}/{field.name}"
        if field.kind == "group":
            yield from leaves(field.fields, value, at=pointer)
        elif field.kind == "groups":
            for index, item in enumerate(value):
                yield from leaves(field.fields, item, at=f"{pointer}/{index}")
        else:
            yield field, pointer, value
