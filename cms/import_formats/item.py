"""What every import format yields, whatever its files look like."""

from collections.abc import Callable, Iterator, Mapping
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
class Link:
    """A reference to another row of the source, anywhere in an item's fields: it becomes that entry's id.

    `kind` and `external_id` as in `Target`."""

    kind: Literal["item", "asset"]
    external_id: str


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier content of an item, whole, as the source keeps it. `fields` as in `Item`; `by` wrote it `at` then."""

    fields: dict[str, Any]
    at: datetime | None = None
    by: Author | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One entry to be. `section` has slugs from the root, `section_names` a name for each; `fields` are plain values.

    `fields["body"]` is `{"format": "html" | "markdown" | "doc", "value": …}`;
    `fields["cover"]` is an address for `Reading.target`, or a `Link`; a `Link` may stand in any other field, too.
    `type`: what it is, where the source tells; the job's type otherwise.
    `old_paths`: where it stood in the source, as paths from the root (`/2008/06/hello/`, `/?p=12`): links to them find
    it, and they are redirected to it.
    `mapped`: the source's names for what was taken, with the meaning or field that each was taken for.
    `raw`: the row as it was written, where a row can be sent again alone.
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
    type: str | None = None
    created_at: datetime | None = None
    changed_at: datetime | None = None
    old_paths: tuple[str, ...] = ()
    history: tuple[Past, ...] = ()
    mapped: Mapping[str, str] = field(default_factory=dict)
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What was refused, or with `warning` what was left as it is; `code` is stable, `reason` is for the reader."""

    file: str
    line: int | None
    field: str | None
    code: str
    reason: str
    warning: bool = False
    external_id: str | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that an item refers to: `path` inside the source, or `url` on the network; the path is tried first.

    `fields` are those of the image or file entry that the source tells: alt, caption, credit, title."""

    external_id: str
    path: Path | None
    url: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """What an address within the source stands for. `external_id` is an item's own, one of its old paths, or an
    asset's; where there is no such row, those of `otherwise` are tried in turn."""

    kind: Literal["item", "asset"]
    external_id: str
    fragment: str | None = None
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """`locale` is for items that do not name their own; `fields` are names that mean just that field.

    `mapping`: the source's names (of nested values with dots between) with what each is taken for: a meaning of
    `known_fields`, a field of the type, or "" for what is only kept among the source fields. `type` is the job's.
    `choices`: what a format lets staff choose, by its own names."""

    locale: str | None = None
    fields: frozenset[str] = frozenset()
    mapping: Mapping[str, str] = field(default_factory=dict)
    type: str = "article"
    choices: Mapping[str, str] = field(default_factory=dict)


class Reading(Protocol):
    """One source, opened. Everything can be asked for again and comes in the same order.

    `links_inside` tells whether its items may link to one another or to its files by `target`.
    """

    links_inside: bool

    def items(self) -> Iterator[Item | Problem]:
        """Items one by one; a bad one is a `Problem` in its place."""

    def count(self) -> int | None:
        """How many rows `items` will yield, warnings not among them, where that is cheap to know."""

    def people(self) -> Iterator[Author]:
        """Those whom the source describes in files of their own."""

    def assets(self) -> Iterator[Asset]:
        """Files that items refer to, each once."""

    def asset(self, external_id: str) -> Asset | None:
        """The file that a `Target` names."""

    def target(self, origin_file: str, url: str) -> Target | Problem | None:
        """What `url` means in `origin_file`; None for what is not of this source, a warning for what leads nowhere."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of source. `recognise` looks at a file or an unpacked folder and tells how sure it is that it is one: 0
    (no) to 100 (it says so itself), cheaply. `choices`: what staff may choose, by name, with the values allowed; the
    first is usual. `mappable`: names of fields are the source's own, and a mapping tells what they mean."""

    label: str
    read: Callable[[Path, Options], Reading]
    recognise: Callable[[Path], int]
    mappable: bool = False
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(eq=False)
class SourceUnreadable(Refusal):
    """The file or folder is not there, or not of the kind that the format reads."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
