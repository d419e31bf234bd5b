"""The content types, as data. Each compiles to a Pydantic model that refuses what it does not name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, create_model
from pydantic import Field as ModelField

from cms.errors import NotFound
from cms.field_kinds import KINDS


@dataclass(frozen=True, eq=False)
class Field:
    """One field. `types`: what a reference may point at; `fields`: what a group holds; `public`: goes to visitors."""

    name: str
    kind: str
    required: bool = False
    public: bool = True
    types: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()


@dataclass(frozen=True, eq=False)
class ContentType:
    """A name and its fields. `routable`: its entries have a slug and a path. `single`: one per site."""

    name: str
    fields: tuple[Field, ...]
    routable: bool = True
    single: bool = False

    def field(self, name: str) -> Field | None:
        """The field of that name, if the type has it."""
        return _by_name(self).get(name)


@cache
def _by_name(content_type: ContentType) -> dict[str, Field]:
    return {field.name: field for field in content_type.fields}


_TEXTS = ("news", "article", "page")

_SEO = Field(
    "seo",
    "group",
    fields=(
        Field("title", "text"),
        Field("description", "long_text"),
        Field("image", "reference", types=("image",)),
        Field("noindex", "boolean"),
    ),
)

_TEXT_FIELDS = (
    Field("title", "text", required=True),
    Field("summary", "long_text"),
    Field("body", "rich_text"),
    Field("cover", "reference", types=("image",)),
    Field("topics", "topics"),
    Field("related", "references", types=_TEXTS),
    Field("attachments", "references", types=("file",)),
    _SEO,
    Field("source_fields", "object", public=False),
)


def _menu_items(*, depth: int) -> Field:
    inner = (_menu_items(depth=depth - 1),) if depth > 1 else ()
    links = (
        Field("label", "text"),
        Field("entry", "reference"),
        Field("section", "text"),
        Field("url", "url"),
    )
    return Field("items", "groups", fields=links + inner)


BUILT_IN: Mapping[str, ContentType] = {
    built_in.name: built_in
    for built_in in (
        ContentType("news", _TEXT_FIELDS),
        ContentType("article", _TEXT_FIELDS),
        ContentType("page", _TEXT_FIELDS),
        ContentType(
            "image",
            (
                Field("title", "text", required=True),
                Field("alt", "text"),
                Field("caption", "long_text"),
                Field("credit", "text"),
                Field("licence", "text"),
                Field("focal_point", "group", fields=(Field("x", "number"), Field("y", "number"))),
                Field("file", "upload"),
                Field("topics", "topics"),
                Field("source_fields", "object", public=False),
            ),
            routable=False,
        ),
        ContentType(
            "file",
            (
                Field("title", "text", required=True),
                Field("description", "long_text"),
                Field("file", "upload"),
                Field("topics", "topics"),
                Field("source_fields", "object", public=False),
            ),
            routable=False,
        ),
        ContentType("menu", (Field("title", "text", required=True), _menu_items(depth=3)), routable=False),
        ContentType(
            "structure",
            (Field("title", "text", required=True), Field("sections", "sections")),
            routable=False,
            single=True,
        ),
        ContentType(
            "settings",
            (
                Field("title", "text", required=True),
                Field("locales", "topics"),
                Field("default_locale", "text"),
            ),
            routable=False,
            single=True,
        ),
    )
}


def find(name: str) -> ContentType:
    """The content type of that name. Raises `NotFound`."""
    try:
        return BUILT_IN[name]
    except KeyError:
        raise NotFound("content type", name) from None


@cache
def model(content_type: ContentType) -> type[BaseModel]:
    """The Pydantic model of a type's fields."""
    return _compile(content_type.name.capitalize(), content_type.fields)


def _compile(name: str, fields: tuple[Field, ...]) -> type[BaseModel]:
    members: dict[str, Any] = {field.name: _member(name, field) for field in fields}
    compiled: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **members)
    return compiled


def _member(owner: str, field: Field) -> tuple[Any, Any]:
    annotation = _annotation(owner, field)
    if field.required:
        return annotation, ...
    return annotation | None, None


def _annotation(owner: str, field: Field) -> Any:
    if field.kind == "group":
        return _compile(f"{owner}{field.name.capitalize()}", field.fields)
    if field.kind == "groups":
        item: Any = _compile(f"{owner}{field.name.capitalize()}", field.fields)
        return Annotated[list[item], ModelField(max_length=1_000)]
    return KINDS[field.kind].annotation(field)


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
