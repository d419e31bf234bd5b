"""What is written in an entry: values read by their type, merged as a patch, searched for words and references.

Pure: needs no database, so that an import can read articles in another process.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cms import content_types, menu_items, rich_text, section_tree
from cms.content_types import ContentType, Field, leaves
from cms.errors import Fault, InvalidContent
from cms.field_kinds import KINDS
from cms.pointers import existing, json_pointer
from cms.rich_text import MalformedRichText, Resolve

Reference = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True)
class Derived:
    """What values tell of themselves: every reference (JSON pointer, entry's id, types that belong there), what the
    staff's search looks at, and what lists filter and sort by."""

    references: tuple[Reference, ...]
    searched: dict[str, Any]
    compared: dict[str, Any]


@dataclass(frozen=True)
class Read:
    """Checked values, complete (what was not given is null), and what of them did not fit."""

    fields: dict[str, Any]
    warnings: tuple[Fault, ...] = ()


def read(
    content_type: ContentType,
    given: Mapping[str, Any],
    *,
    resolve: Resolve | None = None,
    stored: Mapping[str, Any] | None = None,
) -> Read:
    """Check values against their type; rich text comes out as documents, defaults stand for what was not given.
    Raises `InvalidContent`.

    Documents that stand in `stored` were read before and stay as they are, whatever the rules are now."""
    faults: list[Fault] = []
    warnings: list[Fault] = []
    known = frozenset(id(value) for field, _, value in leaves(content_type.fields, stored or {}, at=""))
    prepared = _with_documents(content_type.fields, given, _Reading("/fields", resolve, known, faults, warnings))
    documents = {
        field.name: prepared[field.name]
        for field in content_type.fields
        if field.kind == "rich_text" and prepared.get(field.name) is not None
    }
    # A document is checked already; the model would only copy it, node by node.
    prepared.update((name, {}) for name in documents)
    try:
        checked = content_types.model(content_type).model_validate(prepared)
    except ValidationError as error:
        faults += [_fault(one, prepared) for one in error.errors(include_url=False, include_context=False)]
    if faults:
        raise InvalidContent(faults)
    return Read(checked.model_dump(mode="json") | documents, tuple(warnings))


@dataclass(frozen=True)
class _Reading:
    at: str
    resolve: Resolve | None
    known: frozenset[int]
    faults: list[Fault]
    warnings: list[Fault]

    def below(self, name: str | int) -> "_Reading":
        return _Reading(f"{self.at}/{name}", self.resolve, self.known, self.faults, self.warnings)


def _with_documents(fields: tuple[Field, ...], given: Mapping[str, Any], reading: _Reading) -> dict[str, Any]:
    prepared = {field.name: field.default for field in fields if field.default is not None} | dict(given)
    for field in fields:
        value = prepared.get(field.name)
        if value is not None and field.kind in _PREPARED:
            prepared[field.name] = _PREPARED[field.kind](field, value, reading.below(field.name))
    return prepared


def _document(_field: Field, value: Any, reading: _Reading) -> Any:
    if id(value) in reading.known:
        return value
    try:
        parsed = rich_text.read(value, resolve=reading.resolve)
    except MalformedRichText as error:
        reading.faults.append(Fault(reading.at, "malformed_rich_text", str(error)))
        return {}
    reading.warnings.extend(Fault(reading.at, misfit.code, misfit.message) for misfit in parsed.misfits)
    return parsed.document


def _group(field: Field, value: Any, reading: _Reading) -> Any:
    return _with_documents(field.fields, value, reading) if isinstance(value, dict) else value


def _groups(field: Field, value: Any, reading: _Reading) -> Any:
    if not isinstance(value, list):
        return value
    return [_group(field, item, reading.below(index)) for index, item in enumerate(value)]


_PREPARED = {"rich_text": _document, "group": _group, "groups": _groups}


def _fault(error: Any, given: Mapping[str, Any]) -> Fault:
    steps = existing(error["loc"], given, missing=error["type"] == "missing")
    message = error["msg"].removeprefix("Value error, ")
    code = "unknown_field" if error["type"] == "extra_forbidden" else error["type"]
    return Fault("/fields" + json_pointer(steps), code, message)


def merge(content_type: ContentType, current: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396) of fields. Rich text is one value: it is replaced, never merged into."""
    return _merge(content_type.fields, current, patch)


def _merge(fields: tuple[Field, ...], current: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    groups = {field.name: field for field in fields if field.kind == "group"}
    merged = dict(current)
    for name, value in patch.items():
        group = groups.get(name)
        if group and isinstance(value, dict):
            merged[name] = _merge(group.fields, current.get(name) or {}, value)
        else:
            merged[name] = value
    return merged


def derive(content_type: ContentType, fields: Mapping[str, Any]) -> Derived:
    """What follows from checked values alone."""
    return Derived(
        tuple(references(content_type, fields)),
        searched(content_type, fields, public=False),
        compared(content_type, fields),
    )


# Stands among the types that a reference may have for: it points at a section of the site, not at an entry.
SECTION = "(section)"


def references(content_type: ContentType, fields: Mapping[str, Any]) -> Iterator[Reference]:
    """Every reference: its JSON pointer, the id of an entry or a section, and the types it may have (none: any
    entry; `SECTION`: a section)."""
    for field, pointer, value in leaves(content_type.fields, fields, at="/fields"):
        found = _REFERENCES.get(field.kind)
        if found is not None:
            yield from found(field, pointer, value)


def _in_list(field: Field, pointer: str, value: list[str]) -> Iterator[Reference]:
    return ((f"{pointer}/{index}", one, field.types) for index, one in enumerate(value))


def _in_text(_field: Field, pointer: str, value: Any) -> Iterator[Reference]:
    return ((pointer, reference.entry, _TYPES_IN_TEXT[reference.kind]) for reference in rich_text.references(value))


def _in_menu(_field: Field, pointer: str, value: list[Mapping[str, Any]]) -> Iterator[Reference]:
    for place, item in menu_items.walk(value, at=pointer):
        if item.get("entry") is not None:
            yield f"{place}/entry", item["entry"], ()
        if item.get("section") is not None:
            yield f"{place}/section", item["section"], (SECTION,)


_REFERENCES: Mapping[str, Callable[[Field, str, Any], Iterable[Reference]]] = {
    "reference": lambda field, pointer, value: ((pointer, value, field.types),),
    "references": _in_list,
    "rich_text": _in_text,
    "menu_items": _in_menu,
    "section": lambda _, pointer, value: ((pointer, value, (SECTION,)),),
    "section_list": lambda _, pointer, value: (
        (f"{pointer}/{index}", one, (SECTION,)) for index, one in enumerate(value)
    ),
    "sections": lambda _, pointer, value: section_tree.references(value, at=pointer),
}
_TYPES_IN_TEXT: Mapping[str, tuple[str, ...]] = {"image": ("image",), "file": ("file", "image"), "link": ()}


def compared(content_type: ContentType, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values that lists filter and sort by, without the documents beside them."""
    return {
        field.name: fields[field.name]
        for field in content_type.fields
        if fields.get(field.name) is not None and _is_compared(content_type, field, fields[field.name])
    }


def _is_compared(content_type: ContentType, field: Field, value: Any) -> bool:
    # Fields of types that staff made have indexes; a line from before its field had one may be too long for it.
    too_long = content_type.revision is not None and field.kind in _LINES and len(value) > LONGEST_COMPARED
    return bool(KINDS[field.kind].operators) and not too_long


_LINES = frozenset({"text", "url", "email"})
# PostgreSQL's indexes take no more: 2,704 bytes, of four for a character at most.
LONGEST_COMPARED = 600


def searched(content_type: ContentType, fields: Mapping[str, Any], *, public: bool) -> dict[str, Any]:
    """What a search looks at besides the title: `summary`, `topics`, and all other words as `text`."""
    known = {
        name: fields.get(name)
        for name in ("summary", "alt", "topics")
        if (field := content_type.field(name)) is not None and field.offers("searchable", public=public)
    }
    text = "\n".join(_words(_visible(content_type.fields, public=public), fields, public=public))
    summary = known.get("summary") or known.get("alt") or ""
    return {"summary": summary, "topics": known.get("topics") or [], "text": text}


def _words(fields: tuple[Field, ...], values: Mapping[str, Any], *, public: bool) -> Iterator[str]:
    for field, _, value in leaves(fields, values, at=""):
        if field.name in ("title", "summary", "topics") or not field.offers("searchable", public=public):
            continue
        if field.kind == "rich_text":
            yield rich_text.to_text(value)
        elif field.kind == "menu_items":
            yield from menu_items.labels(value)
        elif field.kind == "localized":
            yield from value.values()
        elif field.kind in ("text", "long_text"):
            yield value


def _visible(fields: tuple[Field, ...], *, public: bool) -> tuple[Field, ...]:
    return tuple(field for field in fields if field.public) if public else fields
