"""What is wrong with the fields that staff give a content type."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from cms import content
from cms.content import LONGEST_COMPARED
from cms.content_types import Audience, ContentType, Field, Use, possible
from cms.errors import Fault, InvalidContent
from cms.field_kinds import KINDS, Limits

MOST_FIELDS = 200
DEEPEST_GROUP = 3
LONGEST_NAME = 63
USES: tuple[Use, ...] = get_args(Use)
# Lists, imports and the entry itself have other meanings for these.
_RESERVED = frozenset(
    {
        *("id", "type", "locale", "translations", "section", "slug", "path", "revision", "published_revision", "state"),
        *("owner", "byline", "source", "external_id", "schedule", "created_at", "changed_at", "first_published_at"),
        *("published_at", "trashed_at", "saved", "saved_at", "saved_by", "on_behalf_of", "request", "note", "draft"),
        *("autosave", "fields", "topic", "year"),
    }
)
# Search, feeds, SEO and imports look for these by name.
_WELL_KNOWN: Mapping[str, tuple[str, ...]] = {
    "title": ("text",),
    "summary": ("text", "long_text"),
    "alt": ("text", "long_text"),
    "topics": ("topics",),
    "cover": ("reference",),
    "seo": ("group",),
    "source_fields": ("object",),
}
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def faults(fields: Sequence[Field], places: Sequence[int], *, types: Collection[str]) -> list[Fault]:
    """What is wrong with a type's fields, which stand at `places` of what was given. `types` are all there are."""
    return [*_type_faults(fields), *_faults(fields, places, types=types)]


def is_compared_text(field: Field) -> bool:
    """Whether lists filter or sort by this text: then it is short enough for an index."""
    used = any(field.audience(use) != "nobody" for use in ("filterable", "sortable"))
    return used and field.kind in ("text", "url", "email") and field.name != "title"


def read_alone(field: Field, value: Any) -> Any:
    """One field's value as it is kept. Raises `InvalidContent`."""
    return content.read(ContentType("alone", (field,)), {field.name: value}).fields[field.name]


def _type_faults(fields: Sequence[Field]) -> Iterator[Fault]:
    total = sum(1 for _ in _all(fields))
    if total > MOST_FIELDS:
        yield Fault("/fields", "too_many", f"A type has at most {MOST_FIELDS} fields, those in groups counted.")
    if sum(1 for field in fields if field.kind == "upload") > 1:
        yield Fault("/fields", "too_many", "A type has one field for a file at most. Refer to `file` entries instead.")


def _all(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _all(field.fields)


def _faults(fields: Sequence[Field], places: Sequence[int], *, types: Collection[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for field, place in zip(fields, places, strict=True):
        at = f"/fields/{place}"
        if field.name in seen:
            yield Fault(f"{at}/name", "name_twice", f"There are two fields '{field.name[:LONGEST_NAME]}'.")
        seen.add(field.name)
        yield from _outer_faults(field, at)
        yield from _field_faults(field, at, types=types, depth=1)


def _outer_faults(field: Field, at: str) -> Iterator[Fault]:
    if field.name in _RESERVED:
        yield Fault(f"{at}/name", "reserved", f"Every entry has a '{field.name}' of its own: choose another name.")
    kinds = _WELL_KNOWN.get(field.name)
    if kinds is not None and field.kind not in kinds:
        said = f"Search, feeds and imports know a '{field.name}': it is of kind {' or '.join(kinds)}."
        yield Fault(f"{at}/kind", "wrong_kind", said)
    if field.name == "title" and not (field.required and field.public):
        yield Fault(at, "title", "The title is required and public.")


def _field_faults(field: Field, at: str, *, types: Collection[str], depth: int) -> Iterator[Fault]:
    if not NAME.fullmatch(field.name):
        said = "A field is called by a-z, 0-9 and _, at most 63 of them, a letter first."
        yield Fault(f"{at}/name", "bad_name", said)
        return
    yield from _use_faults(field, at, inside=depth > 1)
    yield from _target_faults(field, at, types=types)
    own = [*_choice_faults(field, at), *_limit_faults(field, at)]
    yield from own
    yield from _group_faults(field, at, types=types, depth=depth)
    if field.default is not None and not own:
        yield from _default_faults(field, at)


def _use_faults(field: Field, at: str, *, inside: bool) -> Iterator[Fault]:
    for use in USES:
        said: Audience | None = getattr(field, use)
        if said in (None, "nobody"):
            continue
        if not possible(field.kind, use):
            told = f"A field of kind {field.kind} is not {use}: leave it out, or say nobody."
            yield Fault(f"{at}/{use}", "not_possible", told)
        elif inside and use != "searchable":
            yield Fault(f"{at}/{use}", "not_possible", f"A field inside a group is not {use}: say nobody.")
        elif said == "everyone" and not field.public:
            yield Fault(f"{at}/{use}", "not_public", f"The field is not public: it is {use} for staff or nobody.")


def _target_faults(field: Field, at: str, *, types: Collection[str]) -> Iterator[Fault]:
    if field.types and field.kind not in ("reference", "references"):
        yield Fault(f"{at}/types", "not_possible", "Only references point at types: leave it out.")
    for index, one in enumerate(field.types):
        if one not in types:
            yield Fault(f"{at}/types/{index}", "unknown_type", f"There is no content type '{one}'.")


def _choice_faults(field: Field, at: str) -> Iterator[Fault]:
    if field.kind == "choice" and not field.choices:
        yield Fault(f"{at}/choices", "missing", "Name what there is to choose from.")
    if field.kind != "choice" and field.choices:
        yield Fault(f"{at}/choices", "not_possible", "Only a field of kind choice has choices: leave it out.")


def _limit_faults(field: Field, at: str) -> Iterator[Fault]:
    offered = KINDS[field.kind].limits
    wrong = False
    for name in Limits.__dataclass_fields__:
        value = getattr(field.limits, name)
        if value is None:
            continue
        if name not in offered:
            wrong = True
            yield Fault(f"{at}/limits/{name}", "not_possible", f"A field of kind {field.kind} has no {name}.")
        elif name in ("min", "max") and not _is_of_kind(field, value):
            wrong = True
            yield Fault(f"{at}/limits/{name}", "wrong_kind", f"This is no {field.kind}.")
    longest = field.limits.max_length
    if not wrong and longest is not None and longest > LONGEST_COMPARED and is_compared_text(field):
        said = f"A text that is filtered or sorted by has at most {LONGEST_COMPARED} characters: or say nobody."
        yield Fault(f"{at}/limits/max_length", "out_of_range", said)
    for least, most in (("min", "max"), ("min_length", "max_length"), ("min_items", "max_items")):
        low, high = getattr(field.limits, least), getattr(field.limits, most)
        if not wrong and low is not None and high is not None and _comparable(field, low) > _comparable(field, high):
            yield Fault(f"{at}/limits/{least}", "out_of_range", f"It is more than {most}.")


def _is_of_kind(field: Field, value: Any) -> bool:
    try:
        _comparable(field, value)
    except InvalidContent:
        return False
    return True


def _comparable(field: Field, value: Any) -> Any:
    # Dates and instants as they are kept sort as text.
    plain = Field(field.name, field.kind)
    return read_alone(plain, value) if field.kind in ("number", "date", "instant") else value


def _group_faults(field: Field, at: str, *, types: Collection[str], depth: int) -> Iterator[Fault]:
    if field.kind not in ("group", "groups"):
        if field.fields:
            yield Fault(f"{at}/fields", "not_possible", "Only groups hold fields: leave it out.")
        return
    if not field.fields:
        yield Fault(f"{at}/fields", "missing", "Name the fields that the group holds.")
    if depth > DEEPEST_GROUP:
        yield Fault(f"{at}/fields", "too_deep", f"Groups are at most {DEEPEST_GROUP} deep.")
        return
    seen: set[str] = set()
    for index, inner in enumerate(field.fields):
        below = f"{at}/fields/{index}"
        if inner.name in seen:
            yield Fault(f"{below}/name", "name_twice", f"There are two fields '{inner.name[:LONGEST_NAME]}'.")
        seen.add(inner.name)
        if inner.kind == "upload":
            yield Fault(f"{below}/kind", "not_possible", "A file stands outside of groups. Refer to a `file` entry.")
        yield from _field_faults(inner, below, types=types, depth=depth + 1)


def _default_faults(field: Field, at: str) -> Iterator[Fault]:
    if not KINDS[field.kind].defaults:
        yield Fault(f"{at}/default", "not_possible", f"A field of kind {field.kind} has no default.")
        return
    try:
        read_alone(field, field.default)
    except InvalidContent as refusal:
        yield from (Fault(f"{at}/default", fault.code, fault.message) for fault in refusal.faults)
