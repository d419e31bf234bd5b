"""What every search engine takes, gives and promises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

FILTERS = ("type", "locale", "section", "topic", "year", "state", "owner")
FACETS = ("type", "section", "topic", "year")
MAX_LIMIT = 100
MAX_OFFSET = 10_000

Range = tuple[int, int]


class IndexUnavailable(Exception):
    """The index is missing, broken or out of reach; a rebuild mends the first two."""


@dataclass(eq=False)
class QueryTooLong(Exception):
    """The visitor typed more than `limit` of `unit` ("characters" or "words")."""

    limit: int
    unit: Literal["characters", "words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One entry as plain text, without markup; `id` is unique within the index."""

    id: str
    type: str
    locale: str
    title: str
    summary: str = ""
    body: str = ""
    section: str | None = None
    topics: tuple[str, ...] = ()
    published_at: datetime | None = None
    state: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What the visitor asks for.

    `filters` maps names of `FILTERS` to the values wanted: several values of one name mean any of them. `locale`
    narrows to entries of that locale. `facets` names what to count, under all filters. Empty text finds everything,
    newest first. A limit, offset or name out of range raises ValueError.
    """

    text: str = ""
    locale: str | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    limit: int = 20
    offset: int = 0
    facets: tuple[str, ...] = ()
    sort: Literal["relevance", "newest"] = "relevance"

    def __post_init__(self) -> None:
        if not (1 <= self.limit <= MAX_LIMIT and 0 <= self.offset <= MAX_OFFSET):
            raise ValueError(f"limit is 1 to {MAX_LIMIT}, offset 0 to {MAX_OFFSET}")
        unknown = {*self.filters, *self.facets}.difference(FILTERS)
        if unknown:
            raise ValueError(f"unknown filter or facet: {', '.join(sorted(unknown))}")

    @property
    def wanted_labels(self) -> dict[str, tuple[str, ...]]:
        """All filters that apply, the locale among them."""
        wanted = {name: tuple(values) for name, values in self.filters.items() if values}
        if self.locale is None:
            return wanted
        allowed = wanted.get("locale", (self.locale,))
        return {**wanted, "locale": (self.locale,) if self.locale in allowed else ("",)}


@dataclass(frozen=True, slots=True)
class Marked:
    """Plain text and the [start, end) ranges in it that matched, in Unicode code points."""

    text: str
    ranges: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class Snippet:
    """About 200 code points of `field` ("summary" or "body") around the best match."""

    field: str
    text: str
    ranges: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry found. Scores compare within one answer of one engine only."""

    id: str
    score: float
    title: Marked
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """What was found.

    `match` tells how: "all" the words, "corrected" words (then `did_you_mean` is the query as understood), or, where
    no entry has them all, "any" of them. Facets are (value, count), the most frequent first.
    """

    hits: tuple[Hit, ...]
    total: int
    total_is_exact: bool = True
    facets: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    did_you_mean: str | None = None
    match: Literal["all", "corrected", "any"] = "all"


class Engine(Protocol):
    """A search index that follows the event log. Any number of threads may search while one writes."""

    def position(self) -> int | None:
        """The event up to which the index tells; None when it is missing or broken: rebuild it."""

    def apply(self, put: Iterable[Document], remove: Iterable[str], *, position: int) -> None:
        """Remove, then put or replace, and remember the position: all at once and durably, or not at all."""

    def rebuild(self, documents: Iterable[Document], *, position: int) -> None:
        """Build anew beside the old index, which answers meanwhile, and swap; a crash leaves the old one.

        Identifiers must differ. Name the position reached before the documents are read: what is applied to the old
        index meanwhile goes with it, so a follower asks for `position()` again and goes on from there.
        """

    def search(self, query: Query) -> Results:
        """Hits, best first. Raises QueryTooLong, IndexUnavailable."""

    def suggest(self, typed: str, *, locale: str | None = None, limit: int = 8) -> list[str]:
        """Titles with words that begin as the typed ones do, those that begin so themselves first."""

    def close(self) -> None:
        """Let go of files and connections."""
