"""Rows of systems whose content types staff made: what each field means is guessed from its name and kind, unless the
mapping tells."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from cms.import_formats.item import Author, Item, Link, Options, Origin
from cms.import_formats.known_fields import SYNONYMS
from cms.import_formats.known_values import MOST_TOPICS, READERS, instant
from cms.import_formats.nested_values import EMPTY, value_at
from cms.import_formats.row_items import MARKUP
from cms.import_formats.safe_values import Refused, safe
from cms.import_formats.whole_document import key_of

# Names that such systems have besides, in lower case and without - and _.
_ALSO: Mapping[str, tuple[str, ...]] = {
    "title": ("heading", "posttitle", "pagetitle"),
    "slug": ("uid", "urlslug", "permalinkslug"),
    "summary": ("shortdescription", "lead", "teaser", "standfirst", "abstract", "subtitle"),
    "body": ("richtext", "copy", "article", "bodytext", "longdescription", "blocks", "maincontent", "postbody"),
    "first_published_at": ("publishdate", "publisheddate", "publicationdate", "publishedon", "datepublished"),
    "topics": ("category", "topic", "tag", "tagslist"),
    "byline": ("writer", "writers", "authorname", "usercreated"),
    "cover": (
        "coverimage",
        "heroimage",
        "featuredimage",
        "featureimage",
        "thumbnail",
        "photo",
        "picture",
        "mainimage",
        "banner",
    ),
    "related": ("relatedposts", "relatedarticles", "relatedentries"),
    "created_at": ("datecreated", "createdat", "created"),
    "changed_at": ("dateupdated", "updatedat", "datemodified"),
}
# Meanings that only values of one kind can have.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "body": ("rich", "long", "text"),
    "cover": ("file",),
    "slug": ("text",),
    "title": ("text",),
    "summary": ("text", "long"),
    "first_published_at": ("text",),
    "created_at": ("text",),
    "changed_at": ("text",),
    "related": ("reference",),
}
_INSTANTS = frozenset({"first_published_at", "created_at", "changed_at"})
_NOT_GUESSED = frozenset({"external_id", "locale", "section", "draft", "status", "type", "alt"})
_MEANINGS = tuple(name for name in SYNONYMS if name not in _NOT_GUESSED)


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that stands for another thing of the source: a person, a file, an entry. `link` where it can be one,
    `label` what is left of it where it cannot."""

    label: str
    link: Link | None = None
    person: Author | None = None


def guesses(kinds: Mapping[str, str], *, title: str | None = None) -> dict[str, str]:
    """What each field is likely to mean, by name; where several mean the same, the first that has a value counts.

    `kinds` are text, long, rich, file, reference, id and other; `title`: what the system itself shows as the title."""
    found: dict[str, str] = {title: "title"} if title in kinds and title is not None else {}
    for meaning in dict.fromkeys((*_MEANINGS, *_ALSO)):
        names = [_bare(name) for name in (meaning, *SYNONYMS.get(meaning, ()), *_ALSO.get(meaning, ()))]
        fitting = [
            name
            for name, kind in kinds.items()
            if name not in found and _bare(name) in names and kind in _KINDS.get(meaning, (kind,))
        ]
        ranked = sorted(fitting, key=lambda name: (kinds[name] != "rich", names.index(_bare(name))))
        found |= dict.fromkeys(ranked, meaning)
    found |= {name: "body" for name, kind in kinds.items() if kind == "rich" and name not in found}
    for meaning, kind in (("cover", "file"), ("body", "long")):
        name = next((one for one, its in kinds.items() if its == kind and one not in found), None)
        if meaning not in found.values() and name is not None:
            found[name] = meaning
    return found


def _bare(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def composed(
    values: Mapping[str, Any],
    *,
    key: str,
    seen: Set[str],
    origin: Origin,
    options: Options,
    guessed: Mapping[str, str],
    usual: Mapping[str, Any],
) -> Item:
    """An item of a row's values. `usual` are members of `Item`, and fields, for what the row itself does not tell.
    `key`: the row's own id, which must be none of those `seen`. Raises `Refused`."""
    meant = {name: meaning for name, meaning in guessed.items() if meaning not in options.mapping.values()}
    taken: dict[str, tuple[str, Any]] = {}
    for name, meaning in {**meant, **options.mapping}.items():
        value = value_at(values, name)
        if meaning and value not in EMPTY and meaning not in taken:
            taken[meaning] = (name, _read(meaning, value, name))
    top = {name for meaning, (name, _) in taken.items() if meaning != "alt"}
    rest = {name: plain(value) for name, value in values.items() if name not in top and value not in EMPTY}
    found = {meaning: value for meaning, (_, value) in taken.items() if value not in EMPTY}
    told = {**usual, **found}
    if not told.get("title"):
        raise Refused("missing", "An item needs a title: say in the mapping which field is the title.", field="title")
    state = told.pop("status", None)
    told["draft"] = told.get("draft") if state is None or "draft" in found else state
    item = Item(origin, key_of(told.pop("external_id", None) or key, "id", seen), {})
    outer = {name: told.pop(name) for name in list(told) if name in _OUTER}
    outer["locale"] = outer.get("locale") or options.locale
    told = _nested({name: value for name, value in told.items() if value not in EMPTY and name != "alt"})
    mapped = {name: meaning for meaning, (name, _) in taken.items()}
    return replace(item, fields=told, source_fields=safe(rest), mapped=mapped, **outer)


def _nested(told: Mapping[str, Any]) -> dict[str, Any]:
    """Fields, those inside groups of the type, such as `seo.title`, in their groups. Raises `Refused`."""
    fields: dict[str, Any] = {}
    for name, value in told.items():
        *groups, last = name.split(".")
        inside = fields
        for group in groups:
            if group in told:
                raise Refused("bad_mapping", f"Both {group} and {name} are in the mapping: leave one out.", field=name)
            inside = inside.setdefault(group, {})
        inside[last] = value
    return fields


_OUTER = frozenset(Item.__dataclass_fields__) - {"fields", "origin", "external_id", "mapped", "source_fields"}


def plain(value: Any) -> Any:
    """A value with what its references are called in their places."""
    if isinstance(value, Reference):
        return value.label
    if isinstance(value, list):
        return [plain(member) for member in value]
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    return value


def _read(meaning: str, value: Any, name: str) -> Any:
    try:
        special = _SPECIAL.get(meaning)
        if special is not None:
            return special(value)
        if meaning in _INSTANTS:
            return instant(plain(value))
        reader = READERS.get(meaning)
        return reader(plain(value)) if reader is not None else _linked(value)
    except Refused as refused:
        raise Refused(refused.code, refused.reason, field=name, line=refused.line) from None


def _linked(value: Any) -> Any:
    """For a field of the type: references as links."""
    if isinstance(value, Reference):
        return value.link or value.label
    return [_linked(member) for member in value] if isinstance(value, list) else plain(value)


def _members(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, list) else (value,)


def _byline(value: Any) -> tuple[Author, ...]:
    people: list[Author] = []
    for member in _members(value):
        if isinstance(member, Reference):
            people += [member.person] if member.person else READERS["byline"](member.label)
        elif member not in EMPTY:
            people += READERS["byline"](member)
    return tuple({person.key: person for person in people}.values())


def _topics(value: Any) -> list[str]:
    if isinstance(value, str):
        return list(READERS["topics"](value))
    names = [name for member in _members(value) if (name := _topic(member))]
    return list(READERS["topics"](names[:MOST_TOPICS]))


def _topic(member: Any) -> str:
    if isinstance(member, Mapping):
        return next(
            (one for name in ("name", "title", "label", "slug") if isinstance(one := member.get(name), str)), ""
        )
    label = plain(member)
    return label if isinstance(label, str) else ""


def _cover(value: Any) -> Any:
    value = next(_members(value), None)
    return value.link if isinstance(value, Reference) else READERS["cover"](value)


def _body(value: Any) -> dict[str, str] | None:
    if isinstance(value, Mapping) and value.keys() == {"format", "value"}:
        return dict(value)
    if not isinstance(value, str):
        raise Refused("not_text", "A body must be text.")
    return {"format": "html" if MARKUP.search(value) else "markdown", "value": value} if value.strip() else None


def _related(value: Any) -> list[Link]:
    return [one.link for one in _members(value) if isinstance(one, Reference) and one.link is not None]


_SPECIAL = {"byline": _byline, "topics": _topics, "cover": _cover, "body": _body, "related": _related}


def our_locale(code: str, options: Options) -> str:
    """What a locale of the source is called here: by the choice `locales`, as in `en-US=en, ru-RU=ru`."""
    pairs = (pair.partition("=") for pair in options.choices.get("locales", "").split(","))
    return {theirs.strip(): ours.strip() for theirs, _, ours in pairs}.get(code) or code


def first_text(values: Mapping[str, Any], names: Iterable[str]) -> str:
    """The first of these that is a text with something in it."""
    found = (values.get(name) for name in names)
    return next((one.strip() for one in found if isinstance(one, str) and one.strip()), "")
