"""Searching, for both sides: what is asked, and hits in the shape of the API, checked before they leave."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from typing import Any

from starlette.requests import Request

from api import query
from cms.errors import BadQuery
from cms.listing import LONGEST_VALUE, MOST_VALUES
from search_index import FACETS, Engine, Hit, Query, Results

LARGEST_OFFSET = 1_000
_FILTERS = ("type", "section", "topic", "year", "state")
SEARCH_PARAMETERS = ("q", "locale", *_FILTERS[:-1])


@dataclass(frozen=True)
class SearchAsked:
    """A search as it came: its text, filters, page and order."""

    text: str
    locale: str | None
    filters: Mapping[str, tuple[str, ...]]
    size: int
    offset: int
    sort: str

    def within(self, types: AbstractSet[str] | None) -> "SearchAsked":
        """The same search among entries of some types (None: all)."""
        if types is None:
            return self
        wanted = tuple(name for name in self.filters.get("type", sorted(types)) if name in types)
        # No type has no name: nothing is found, and nothing counted.
        return replace(self, filters={**self.filters, "type": wanted or ("",)})

    def query(self) -> Query:
        """What the engine is asked."""
        return Query(
            text=self.text,
            locale=self.locale,
            filters=self.filters,
            limit=self.size,
            offset=self.offset,
            facets=tuple(FACETS),
            sort="newest" if self.sort == "newest" else "relevance",
        )


def read_search(request: Request, *, staff: bool) -> SearchAsked:
    """Read `q`, `locale`, `sort`, `filter[…]`, `page[size]`, `page[after]`. Raises `BadQuery`."""
    names = _FILTERS if staff else _FILTERS[:-1]
    parameters = query.read(request, others=frozenset({"q", "locale"}), shorthands=frozenset(names))
    filters: dict[str, tuple[str, ...]] = {}
    for condition in parameters.asked.conditions:
        if condition.field not in names:
            said = f"There is no field '{condition.field}' to filter by. There are: {', '.join(names)}."
            raise BadQuery(condition.parameter, "unknown_field", said)
        if condition.operator not in ("eq", "in"):
            raise BadQuery(condition.parameter, "unknown_operator", "A search is filtered by eq and in.")
        if len(condition.values) > MOST_VALUES or any(len(value) > LONGEST_VALUE for value in condition.values):
            said = f"At most {MOST_VALUES} values of {LONGEST_VALUE} characters."
            raise BadQuery(condition.parameter, "too_long", said)
        filters[condition.field] = condition.values
    sort = parameters.asked.sort
    if sort not in ((), (("published_at", True),)):
        raise BadQuery("sort", "unknown_sort", "A search gives the best first, or the newest with -published_at.")
    return SearchAsked(
        text=parameters.others.get("q", ""),
        locale=parameters.others.get("locale"),
        filters=filters,
        size=parameters.asked.size,
        offset=_offset(parameters.asked.after),
        sort="newest" if sort else "relevance",
    )


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > 4 or int(cursor) > LARGEST_OFFSET:
        raise BadQuery("page[after]", "malformed_cursor", f"A search shows its first {LARGEST_OFFSET} hits.")
    return int(cursor)


def search(
    engine: Engine, asked: SearchAsked, *, look_up: Callable[[Sequence[str]], Mapping[str, dict[str, Any]]]
) -> tuple[list[dict[str, Any]], dict[str, Any], str | None]:
    """Hits, meta and the next cursor. `look_up` gives what may be told of entries: hits it does not know stay here."""
    found: Results = engine.search(asked.query())
    entries = look_up([hit.id for hit in found.hits])
    hits = [_hit(hit, entries[hit.id]) for hit in found.hits if hit.id in entries]
    beyond = asked.offset + len(found.hits)
    more = found.hits and beyond < found.total and beyond <= LARGEST_OFFSET
    meta = {
        "total": found.total,
        "total_is_exact": found.total_is_exact,
        "facets": {
            name: [{"value": value, "count": count} for value, count in counts] for name, counts in found.facets.items()
        },
        "did_you_mean": found.did_you_mean,
        "match": found.match,
    }
    return hits, meta, str(beyond) if more else None


def _hit(hit: Hit, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "entry": entry,
        "score": hit.score,
        "title": asdict(hit.title),
        "snippets": [asdict(snippet) for snippet in hit.snippets],
    }
