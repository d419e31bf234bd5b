"""Text in, hits out: one protocol, several engines."""

from search_index.engine import (
    FACETS,
    FILTERS,
    Document,
    Engine,
    Hit,
    IndexUnavailable,
    Marked,
    Query,
    QueryTooLong,
    Results,
    Snippet,
)
from search_index.opening import DEFAULT_SCHEME, open_engine

__all__ = [
    "DEFAULT_SCHEME",
    "FACETS",
    "FILTERS",
    "Document",
    "Engine",
    "Hit",
    "IndexUnavailable",
    "Marked",
    "Query",
    "QueryTooLong",
    "Results",
    "Snippet",
    "open_engine",
]
