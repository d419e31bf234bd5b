"""The keys that exports of every kind use for the same things, and how each is read."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cms.import_formats.item import Author
from cms.import_formats.safe_values import Refused

LONGEST_TITLE = 1_000
MOST_TOPICS = 200
MOST_AUTHORS = 100

# The first of the synonyms that has a value is taken; the others are kept as source fields.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "external_id": ("external_id", "id"),
    "title": ("title", "name", "headline"),
    "slug": ("slug",),
    "summary": ("summary", "description", "excerpt", "intro"),
    "body": ("body", "body_html", "body_markdown", "content", "text"),
    "first_published_at": ("first_published_at", "published_at", "publishdate", "published", "date"),
    "section": ("section",),
    "topics": ("topics", "tags", "keywords", "categories"),
    "locale": ("locale", "lang", "language"),
    "byline": ("byline", "authors", "author"),
    "cover": ("cover", "image"),
    "draft": ("draft",),
}

FLAGS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
EMPTY: tuple[Any, ...] = (None, "", [], {})


class Given:
    """A row's values sorted into those with a known meaning and the rest."""

    def __init__(
        self, values: dict[str, Any], *, meanings: tuple[str, ...], fields: frozenset[str] = frozenset()
    ) -> None:
        values = _with_draft(values)
        by_name = {name.lower(): name for name in reversed(values) if values[name] not in EMPTY}
        self.names: dict[str, str] = {}
        for meaning in meanings:
            synonyms = (name for name in SYNONYMS[meaning] if name == meaning or name not in fields)
            name = next((by_name[name] for name in synonyms if name in by_name), None)
            if name is not None:
                self.names[meaning] = name
        # Of an object with an address, only the address is taken: its other parts stay to be seen.
        cover = self.names.get("cover")
        taken = {name for name in self.names.values() if name != cover or isinstance(values[name], str)}
        self.rest = {name: value for name, value in values.items() if name not in taken}
        self._values = values

    def read(self, meaning: str) -> Any:
        """The value as its reader makes it, None when absent. Raises `Refused` with the name that the source used."""
        name = self.names.get(meaning)
        if name is None:
            return None
        try:
            return READERS[meaning](self._values[name])
        except Refused as refused:
            raise Refused(refused.code, refused.reason, field=name, line=refused.line) from None

    def raw(self, meaning: str) -> Any:
        """The value as the source has it, None when absent."""
        return self._values.get(self.names.get(meaning, ""))


# Jekyll has a flag where others have a date.
def _with_draft(values: dict[str, Any]) -> dict[str, Any]:
    flag = FLAGS.get(str(values.get("published")).lower())
    if flag is None:
        return values
    return {"draft": not flag} | {name: value for name, value in values.items() if name != "published"}


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
    """A list of texts, or one text with commas; each once, in order."""
    members = value.split(",") if isinstance(value, str) else value
    if not isinstance(members, list) or len(members) > MOST_TOPICS:
        raise Refused("not_topics", f"This must be a list of at most {MOST_TOPICS} texts.")
    return [topic for topic in dict.fromkeys(text(member) for member in members) if topic]


def instant(value: Any) -> datetime:
    """An ISO 8601 date or instant as an instant in UTC; without a zone it is taken as UTC."""
    try:
        moment = datetime.fromisoformat(_iso(text(value)))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("bad_date", "This must be a date such as 2026-01-31 or 2026-01-31T09:00:00+03:00.") from None


# Jekyll and Hugo write "2026-01-31 09:00:00 +0300".
def _iso(written: str) -> str:
    if len(written) > 64 or (written.isdigit() and len(written) != 8):
        raise ValueError
    return re.sub(r"\s+(UTC|[+-]\d\d:?\d\d)$", lambda zone: zone[1].replace("UTC", "Z"), written)


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
    """Names or keys of persons, or objects with a name; each once."""
    members = value if isinstance(value, list) else [value]
    if len(members) > MOST_AUTHORS:
        raise Refused("too_many_authors", f"A byline has at most {MOST_AUTHORS} authors.")
    found = [author(member) for member in members if member not in EMPTY]
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
    found = FLAGS.get(str(value).lower())
    if found is None:
        raise Refused("not_a_flag", "This must be true or false.")
    return found


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
    "first_published_at": instant,
    "section": section,
    "topics": topics,
    "locale": locale,
    "byline": byline,
    "cover": cover,
    "draft": draft,
}
