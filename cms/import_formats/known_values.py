"""What the values of known fields are, however they are written."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson

from cms.import_formats import dates
from cms.import_formats.item import Author
from cms.import_formats.nested_values import EMPTY
from cms.import_formats.safe_values import Refused

LONGEST_TITLE = 1_000
LONGEST_OLD_PATH = 2_000
MOST_TOPICS = 200
MOST_AUTHORS = 100
MOST_OLD_PATHS = 100

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


@lru_cache(4_096)
def plain_name(name: str) -> str:
    """A name as names are compared: "Дата публикации" as "дата_публикации"."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower()).replace("ё", "е")


def flag(value: Any) -> bool | None:
    """Yes or no in words; None for anything else."""
    return FLAGS.get(str(value).strip().lower()) if isinstance(value, str | int) else None


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
    found = flag(value)
    if found is None:
        raise Refused("not_a_flag", "This must be true or false.")
    return found


def status(value: Any) -> bool:
    """A state in words as whether it is a draft: what nobody knows is one."""
    told = flag(value)
    return STATES.get(plain_name(text(value)), True) if told is None else not told


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
