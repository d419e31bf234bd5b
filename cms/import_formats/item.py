"""What every import format yields, whatever its files look like."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from cms.errors import Refusal

LONGEST_EXTERNAL_ID = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """Where it was read: a path within the source, and a line counted from 1 where lines are items."""

    file: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """A person to name in a byline; `key` is what the source calls them and is the same wherever they are meant."""

    key: str
    name: str
    email: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One entry to be. `section` has slugs from the root, `section_names` a name for each; `fields` are plain values.

    `fields["body"]` is `{"format": "html" | "markdown", "value": str}`;
    `fields["cover"]` is an address for `Reading.target`.
    """

    origin: Origin
    external_id: str
    fields: dict[str, Any]
    locale: str | None = None
    section: tuple[str, ...] = ()
    section_names: tuple[str, ...] = ()
    slug: str | None = None
    byline: tuple[Author, ...] = ()
    first_published_at: datetime | None = None
    draft: bool = False
    source_fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What was refused, or with `warning` what was left as it is; `code` is stable, `reason` is for the reader."""

    file: str
    line: int | None
    field: str | None
    code: str
    reason: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Asset:
    """A local file that an item refers to; `path` is inside the source."""

    external_id: str
    path: Path


@dataclass(frozen=True, slots=True)
class Target:
    """What an address within the source stands for."""

    kind: Literal["item", "asset"]
    external_id: str
    fragment: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """`locale` is for items that do not name their own; `fields` are names that mean just that field."""

    locale: str | None = None
    fields: frozenset[str] = frozenset()


class Reading(Protocol):
    """One source, opened. Everything can be asked for again and comes in the same order.

    `links_inside` tells whether its items may link to one another or to its files by `target`.
    """

    links_inside: bool

    def items(self) -> Iterator[Item | Problem]:
        """Items one by one; a bad one is a `Problem` in its place."""

    def count(self) -> int | None:
        """How many things `items` will yield, where that is cheap to know."""

    def people(self) -> Iterator[Author]:
        """Those whom the source describes in files of their own."""

    def assets(self) -> Iterator[Asset]:
        """Files that items refer to, each once."""

    def asset(self, external_id: str) -> Asset | None:
        """The file that a `Target` names."""

    def target(self, origin_file: str, url: str) -> Target | Problem | None:
        """What `url` means in `origin_file`; None for what is not of this source, a warning for what leads nowhere."""


@dataclass(eq=False)
class SourceUnreadable(Refusal):
    """The file or folder is not there, or not of the kind that the format reads."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
