"""The keys that exports of every kind use for the same things, and how each is read."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson

from cms.import_formats import dates
from cms.import_formats.item import Author
from cms.import_formats.nested_values import EMPTY, has, put, value_at, without
from cms.import_formats.safe_values import Refused

LONGEST_TITLE = 1_000
LONGEST_OLD_PATH = 2_000
MOST_TOPICS = 200
MOST_AUTHORS = 100
MOST_OLD_PATHS = 100

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

FLAGS = {
    **dict.fromkeys(("true", "yes", "on", "1", "да", "истина"), True),
    **dict.fromkeys(("false", "no", "off", "0", "нет", "ложь"), False),
}
# Whether a state in words is a draft.
STATES = {
    **dict.fromkeys(("published", "publish", "public", "live", "active", "changed", "sent"), False),
    **dict.fromkeys(("опубликовано", "опубликован", "опубликована", "активен", "активно", "на_сайте"), False),
    **dict.fromkeys(("draft", "private", "archived", "archive", "pending", "inactive", "hidden", "disabled"), True),
    **dict.fromkeys(("unpublished", "scheduled", "future", "trash", "trashed", "review", "in_review"), True),
    **dict.fromkeys(("черновик", "архив", "в_архиве", "на_модерации", "на_проверке", "скрыто", "скрыт"), True),
    **dict.fromkeys(("не_опубликовано", "неактивен", "неактивно", "удалено", "закрыто"), True),
}
TYPES = {
    **dict.fromkeys(("article", "post", "статья"), "article"),
    **dict.fromkeys(("news", "новость", "новости"), "news"),
    **dict.fromkeys(("page", "страница"), "page"),
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
        flag = next((name for name in values if plain_name(name) in _FLAG_OF_JEKYLL and name not in said), None)
        self._flag = flag if flag is not None and _flag(values[flag]) is not None else None
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


@lru_cache(4_096)
def plain_name(name: str) -> str:
    """A name as names are compared: "Дата публикации" as "дата_публикации"."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower()).replace("ё", "е")


# Jekyll has a flag where others have a date.
def _with_draft(values: dict[str, Any], flag: str | None) -> dict[str, Any]:
    if flag is None:
        return values
    return {"draft": not _flag(values[flag])} | {name: value for name, value in values.items() if name != flag}


def _flag(value: Any) -> bool | None:
    return FLAGS.get(str(value).strip().lower()) if isinstance(value, str | int) else None


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
    return _flag(value) is not None or (isinstance(value, str) and plain_name(value) in STATES)


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


def text(value: Any) -> str:
    """Text or a number as text, without spaces around it."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise Refused("not_text", "This must be text.")


def title(value: Any) -> str:
    """One line of text."""
    line = " ".join(text(value).split())
    if len(line) > LONGEST_TITLE:
        raise Refused("too_long", f"A title has at most {LONGEST_TITLE} characters.")
    return line


def topics(value: Any) -> list[str]:
    """A list of texts, or one text with commas or semicolons; each once, in order."""
    members = _members(value, ",") if isinstance(value, str) else value
    if not isinstance(members, list) or len(members) > MOST_TOPICS:
        raise Refused("not_topics", f"This must be a list of at most {MOST_TOPICS} texts.")
    return [topic for topic in dict.fromkeys(text(member) for member in members) if topic]


def _members(written: str, comma: str = ";") -> list[Any]:
    """The members of a list in one text: JSON, lines, or with semicolons between, else with `comma`."""
    if written.lstrip().startswith("["):
        try:
            listed = orjson.loads(written)
        except orjson.JSONDecodeError:
            listed = None
        if isinstance(listed, list):
            return listed
    return re.split(r"[;\n]" if re.search(r"[;\n]", written) else re.escape(comma), written)


def instant(value: Any, *, zone: tzinfo = UTC) -> datetime:
    """A date or instant, as `dates.instant` reads it, in UTC; without a zone it is of `zone`."""
    return dates.instant(text(value), zone=zone)


def section(value: Any) -> tuple[str, ...]:
    """Slugs from the root, written as a path or a list."""
    parts = value if isinstance(value, list) else text(value).split("/")
    return tuple(part for part in map(text, parts) if part)


def locale(value: Any) -> str:
    """A language tag such as ru or pt-BR."""
    tag = text(value).replace("_", "-")
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", tag):
        raise Refused("bad_locale", "This must be a language such as ru or pt-BR.")
    return tag


def byline(value: Any) -> tuple[Author, ...]:
    """Names or keys of persons, or objects with a name; or one text, with semicolons between names; each once."""
    members = _members(value) if isinstance(value, str) else value if isinstance(value, list) else [value]
    if len(members) > MOST_AUTHORS:
        raise Refused("too_many_authors", f"A byline has at most {MOST_AUTHORS} authors.")
    named = (member.strip() if isinstance(member, str) else member for member in members)
    found = [author(member) for member in named if member not in EMPTY]
    return tuple({person.key: person for person in found}.values())


def author(value: Any, *, key: str | None = None) -> Author:
    """A person from a name, or from an object with a name and perhaps a key, an email and a url."""
    if not isinstance(value, Mapping):
        name = title(value)
        return Author(key or name, name)
    given = {part: title(value[part]) for part in ("key", "id", "name", "email", "url") if value.get(part) not in EMPTY}
    name = given.get("name") or key or ""
    key = key or given.get("key") or given.get("id") or given.get("email") or name
    if not key:
        raise Refused("nameless_author", "An author needs a name.")
    url = given.get("url", "")
    return Author(key, name or key, given.get("email"), url if url.startswith(("https://", "http://")) else None)


def draft(value: Any) -> bool:
    """A flag, also as YAML writes it."""
    found = _flag(value)
    if found is None:
        raise Refused("not_a_flag", "This must be true or false.")
    return found


def status(value: Any) -> bool:
    """A state in words as whether it is a draft: what nobody knows is one."""
    flag = _flag(value)
    return STATES.get(plain_name(text(value)), True) if flag is None else not flag


def type_name(value: Any) -> str:
    """The name of a content type; a post is an article."""
    name = plain_name(text(value))
    return TYPES.get(name, name)


def old_paths(value: Any) -> tuple[str, ...]:
    """Paths from the root, with their queries, from paths and whole addresses; each once."""
    members = value if isinstance(value, list) else re.split(r"[;\s]+", text(value))
    if len(members) > MOST_OLD_PATHS:
        raise Refused("too_many_paths", f"An item has at most {MOST_OLD_PATHS} old addresses.")
    return tuple(path for path in dict.fromkeys(map(_old_path, members)) if path)


def _old_path(value: Any) -> str:
    written = text(value)
    try:
        parts = urlsplit(written)
    except ValueError:
        raise Refused("bad_path", "This must be an address or a path such as /2008/06/hello/.") from None
    if len(written) > LONGEST_OLD_PATH or parts.scheme not in ("", "http", "https"):
        raise Refused("bad_path", "This must be an address or a path such as /2008/06/hello/.")
    path = f"/{parts.path.lstrip('/')}" + (f"?{parts.query}" if parts.query else "")
    return "" if path == "/" else path


def cover(value: Any) -> str:
    """An image's address, or an object that has one."""
    if not isinstance(value, Mapping):
        return text(value)
    address = next(
        (value[part] for part in ("src", "url", "path", "image", "desktop", "mobile") if value.get(part)), None
    )
    if address is None:
        raise Refused("no_address", "A cover needs the address of an image.")
    return text(address)


READERS: Mapping[str, Callable[[Any], Any]] = {
    "external_id": text,
    "title": title,
    "slug": text,
    "summary": text,
    "section": section,
    "topics": topics,
    "locale": locale,
    "byline": byline,
    "cover": cover,
    "alt": text,
    "draft": draft,
    "status": status,
    "type": type_name,
    "old_paths": old_paths,
}
