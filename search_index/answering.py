"""How a search is answered, the same for every engine; the engine's reader does the looking up."""

from __future__ import annotations

from typing import Literal

from search_index.analysis import fold
from search_index.engine import Hit, Query, Results
from search_index.highlight import Marker, mark, marker, snippets
from search_index.plans import Found, Plan, Reader, Row, Understanding, understand
from search_index.words import Word, Words, read

_TITLES_LOOKED_AT = 50


def answer(query: Query, reader: Reader) -> Results:
    """All the words; else corrected ones; else any of them."""
    words = read(query.text)
    if not words.pieces:
        return _results(Plan(), reader.find(Plan(), query) if words.is_blank else _nothing(query))
    understood = understand(words, reader, locale=query.locale)
    found = _nothing(query) if understood.unknown else reader.find(understood.plan, query)
    if found.total == 0 and len(understood.plan.required) + understood.unknown > 1 and understood.plan.required:
        return _answer_any(words, understood, query, reader)
    return _results(understood.plan, found, words=words, understood=understood)


def complete(typed: str, reader: Reader, *, locale: str | None, limit: int) -> list[str]:
    """Titles to offer while a visitor types."""
    prefixes = tuple(dict.fromkeys(fold(word.text) for piece in read(typed).pieces for word in piece.words))
    if not prefixes:
        return []
    titles = reader.titles(prefixes, locale=locale, limit=max(limit, _TITLES_LOOKED_AT))
    beginning = fold_text(typed.strip())
    return sorted(dict.fromkeys(titles), key=lambda title: not fold_text(title).startswith(beginning))[:limit]


def fold_text(text: str) -> str:
    """Text as titles are compared: lower-case, with е for ё."""
    return text.lower().replace("ё", "е")


def _answer_any(words: Words, understood: Understanding, query: Query, reader: Reader) -> Results:
    plan = understood.loosened()
    return _results(plan, reader.find(plan, query), words=words, understood=understood)


def _nothing(query: Query) -> Found:
    return Found([], 0, dict.fromkeys(query.facets, ()))


def _results(
    plan: Plan, found: Found, *, words: Words | None = None, understood: Understanding | None = None
) -> Results:
    marks = marker(plan)
    corrections = understood.corrections if understood else {}
    return Results(
        hits=tuple(_hit(row, marks) for row in found.rows),
        total=found.total,
        total_is_exact=understood.is_exact if understood else True,
        facets=found.facets,
        did_you_mean=_respelt(words.text, corrections) if words and corrections else None,
        match=_match(plan, corrections),
    )


def _match(plan: Plan, corrections: dict[Word, str]) -> Literal["all", "corrected", "any"]:
    return "any" if plan.match_any else "corrected" if corrections else "all"


def _hit(row: Row, marks: Marker) -> Hit:
    return Hit(row.id, row.score, mark(row.title, marks), snippets(row.summary, row.body, marker=marks))


def _respelt(text: str, corrections: dict[Word, str]) -> str:
    """The query as typed, with the corrected words in place, capitals kept."""
    for word, correction in sorted(corrections.items(), key=lambda item: -item[0].start):
        spelt = correction.capitalize() if word.text[:1].isupper() else correction
        text = text[: word.start] + spelt + text[word.end :]
    return text
