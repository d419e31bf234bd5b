"""The keys that exports of every kind use for the same things."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Any

from cms.import_formats.known_values import READERS, STATES, TYPES, flag, instant, plain_name
from cms.import_formats.nested_values import EMPTY, has, put, value_at, without
from cms.import_formats.safe_values import Refused

# What a mapping may take a name of the source for, besides the fields of the type; said to people.
MEANINGS: Mapping[str, str] = {
    "external_id": "The row's own id in the source, the same in every run.",
    "title": "The title.",
    "slug": "The last part of the address.",
    "summary": "The summary: a few sentences.",
    "body": "The text itself, as HTML or Markdown.",
    "first_published_at": "When it was first published.",
    "created_at": "When it was made.",
    "changed_at": "When it was last changed.",
    "section": "The section that it stands in: names or slugs from the root, with / between.",
    "topics": "Topics: a list, or one text with commas.",
    "locale": "The language, such as ru.",
    "byline": "Who it is by: one name or several.",
    "cover": "The address of its picture.",
    "alt": "What its picture shows, in words.",
    "draft": "Whether it is a draft: yes or no.",
    "status": "Its state in words: published, or anything else for a draft.",
    "type": "What it is: news, article, page or another type of this site.",
    "old_paths": "Addresses that it had before: they are redirected to it.",
}

# The first of the synonyms that has a value is taken; the others are kept as source fields. Names are compared without
# case, with "_" for spaces and hyphens.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "external_id": ("external_id", "id", "ид", "идентификатор"),
    "title": ("title", "name", "headline", "заголовок", "название", "наименование"),
    "slug": ("slug", "чпу"),
    "summary": (
        *("summary", "description", "excerpt", "intro"),
        *("анонс", "краткое_описание", "аннотация", "лид", "описание"),
    ),
    "body": (
        *("body", "body_html", "body_markdown", "content", "text"),
        *("текст", "полный_текст", "содержание", "содержимое", "тело"),
    ),
    "first_published_at": (
        *("first_published_at", "published_at", "publishdate", "published", "date"),
        *("publish_date", "date_published", "pub_date", "pubdate", "дата_публикации", "опубликовано", "дата"),
    ),
    "created_at": ("created_at", "created", "date_created", "дата_создания", "создано"),
    "changed_at": (
        *("changed_at", "updated_at", "modified_at", "updated", "modified", "changed", "lastmod", "last_modified"),
        *("date_updated", "date_modified", "updated_date", "updateddate", "дата_изменения", "изменено", "обновлено"),
    ),
    "section": ("section", "раздел", "рубрика"),
    "topics": (
        *("topics", "tags", "keywords", "categories"),
        *("теги", "метки", "темы", "ключевые_слова", "рубрики", "категории"),
    ),
    "locale": ("locale", "lang", "language", "язык"),
    "byline": ("byline", "authors", "author", "автор", "авторы"),
    "cover": ("cover", "image", "обложка", "картинка", "изображение"),
    "alt": ("alt", "cover_alt", "image_alt", "подпись_к_картинке"),
    "draft": ("draft", "черновик"),
    "status": ("status", "статус", "state", "состояние"),
    "type": ("type", "content_type", "post_type", "тип"),
    "old_paths": (
        *("old_paths", "old_path", "old_url", "aliases", "redirect_from", "permalink"),
        *("старый_адрес", "ссылка", "адрес"),
    ),
}

_MEANT: Mapping[str, tuple[str, int]] = {
    name: (meaning, rank) for meaning, names in SYNONYMS.items() for rank, name in enumerate(names)
}

# A type of staff's may have fields of these names, which are then just that.
_YIELDING = frozenset({"created_at", "changed_at", "alt", "status", "type", "old_paths"})
_INSTANTS = frozenset({"first_published_at", "created_at", "changed_at"})
_FLAG_OF_JEKYLL = ("published", "опубликовано")


class Given:
    """A row's values sorted into those with a known meaning, those for fields of the type, and the rest.

    `mapping` as in `Options`: it goes before the synonyms. Naive dates are of `zone`. `names`: the source's name by
    meaning; `fields`: values by the field that the mapping names; `mapped` as in `Item`."""

    def __init__(
        self,
        values: dict[str, Any],
        *,
        meanings: tuple[str, ...],
        fields: frozenset[str] = frozenset(),
        mapping: Mapping[str, str] | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        said = {name: use for name, use in (mapping or {}).items() if has(values, name)}
        named = next((name for name in values if plain_name(name) in _FLAG_OF_JEKYLL and name not in said), None)
        self._flag = named if named is not None and flag(values[named]) is not None else None
        values = _with_draft(values, self._flag)
        meanings = tuple(meaning for meaning in meanings if meaning not in _YIELDING or meaning not in fields)
        self._values = values
        self._zone = zone
        self.names: dict[str, str] = {}
        self.fields: dict[str, Any] = {}
        self._taken: set[str] = set()
        self._take_said(said, meanings, fields=fields)
        self._guess(said, meanings, fields=fields)
        self.rest = self._left()

    @property
    def mapped(self) -> dict[str, str]:
        """The source's names for what was taken, with the meaning or field that each was taken for."""
        told = {name: use for use, name in self.names.items()}
        if self._flag and told.pop("draft", None):
            # As a mapping it says the same: what is published is no draft.
            told[self._flag] = "status"
        return self._said_fields | told

    @property
    def is_draft(self) -> bool:
        """Whether the row says that it is a draft, by a flag or by its state. Raises `Refused`."""
        draft = self.read("draft")
        return bool(self.read("status") if draft is None else draft)

    def read(self, meaning: str) -> Any:
        """The value as its reader makes it, None when absent. Raises `Refused` with the name that the source used."""
        name = self.names.get(meaning)
        if name is None:
            return None
        value = value_at(self._values, name)
        try:
            return instant(value, zone=self._zone) if meaning in _INSTANTS else READERS[meaning](value)
        except Refused as refused:
            raise Refused(refused.code, refused.reason, field=name, line=refused.line) from None

    def raw(self, meaning: str) -> Any:
        """The value as the source has it, None when absent."""
        name = self.names.get(meaning)
        return None if name is None else value_at(self._values, name)

    def _take_said(self, said: Mapping[str, str], meanings: tuple[str, ...], *, fields: frozenset[str]) -> None:
        self._said_fields: dict[str, str] = {}
        for name, use in said.items():
            value = value_at(self._values, name)
            if value in EMPTY or not use:
                continue
            if use in meanings:
                self.names.setdefault(use, name)
            elif (use in fields or use not in MEANINGS) and put(self.fields, use, value):
                self._said_fields[name] = use
                self._taken.add(name)

    def _guess(self, said: Mapping[str, str], meanings: tuple[str, ...], *, fields: frozenset[str]) -> None:
        settled = set(said.values())
        likely: dict[str, tuple[int, str]] = {}
        for name, value in self._values.items():
            meaning, rank = _MEANT.get(plain_name(name), ("", 0))
            if meaning not in meanings or meaning in settled or name in said or value in EMPTY:
                continue
            own_field = plain_name(name) != meaning and plain_name(name) in fields
            if not own_field and _likely(plain_name(name), meaning, value):
                likely[meaning] = min(likely.get(meaning, (rank, name)), (rank, name), key=lambda one: one[0])
        if "draft" in likely or "draft" in self.names:
            likely.pop("status", None)
        self.names |= {meaning: name for meaning, (_, name) in likely.items()}

    def _left(self) -> dict[str, Any]:
        # Of an object with an address, only the address is taken: its other parts stay to be seen.
        cover = self.names.get("cover")
        taken = self._taken.union(
            name for name in self.names.values() if name != cover or isinstance(self.raw("cover"), str)
        )
        rest: Mapping[str, Any] = {name: value for name, value in self._values.items() if name not in taken}
        for name in sorted(taken - self._values.keys()):
            rest = without(rest, name)
        return dict(rest)


# Jekyll has a flag where others have a date.
def _with_draft(values: dict[str, Any], named: str | None) -> dict[str, Any]:
    if named is None:
        return values
    return {"draft": not flag(values[named])} | {name: value for name, value in values.items() if name != named}


def _likely(name: str, meaning: str, value: Any) -> bool:
    if name in _TOLD:
        return isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,62}", value) is not None
    return meaning not in _LIKELY or _LIKELY[meaning](value)


def _is_instant(value: Any) -> bool:
    try:
        instant(value)
    except Refused:
        return False
    return True


def _is_state(value: Any) -> bool:
    return flag(value) is not None or (isinstance(value, str) and plain_name(value) in STATES)


def _is_type(value: Any) -> bool:
    return isinstance(value, str) and plain_name(value) in TYPES


def _is_path(value: Any) -> bool:
    members = value if isinstance(value, list) else [value]
    return all(isinstance(member, str) and member.strip().startswith(_PATHS) for member in members)


_PATHS = ("/", "https://", "http://")
# What is called so is the name of a type, whichever types there are.
_TOLD = frozenset({"content_type"})
# A guess must fit the value: these names also stand for other things, and a wrong guess must not refuse a row.
_LIKELY: Mapping[str, Callable[[Any], bool]] = {
    "created_at": _is_instant,
    "changed_at": _is_instant,
    "status": _is_state,
    "type": _is_type,
    "old_paths": _is_path,
    "alt": lambda value: isinstance(value, str),
}
