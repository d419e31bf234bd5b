"""A document made ready for any engine: clean capped texts, tokens by field, labels to filter and count by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from search_index.analysis import clean, tokens_and_words
from search_index.engine import Document

MAX_INDEXED = 500_000
MAX_SHOWN = 50_000
MAX_LABEL = 256
UNDATED = -(2**40)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tokens of title, summary and body; the texts that snippets are cut from; `moment` in Unix seconds."""

    id: str
    title: str
    summary: str
    body: str
    title_tokens: list[str]
    summary_tokens: list[str]
    body_tokens: list[str]
    words: set[str]
    title_words: set[str]
    labels: dict[str, tuple[str, ...]]
    moment: int


def prepare(document: Document) -> Prepared:
    """All that engines store; long bodies are indexed to 500,000 characters and shown to 50,000."""
    title, summary, body = (clean(text[:MAX_INDEXED]) for text in (document.title, document.summary, document.body))
    title_tokens, title_words = tokens_and_words(title, locale=document.locale)
    summary_tokens, summary_words = tokens_and_words(summary, locale=document.locale)
    body_tokens, body_words = tokens_and_words(body, locale=document.locale)
    return Prepared(
        id=clean(document.id),
        title=title[:MAX_SHOWN],
        summary=summary[:MAX_SHOWN],
        body=body[:MAX_SHOWN],
        title_tokens=title_tokens,
        summary_tokens=summary_tokens,
        body_tokens=body_tokens,
        words=title_words | summary_words | body_words,
        title_words=title_words,
        labels=_labels(document),
        moment=_moment(document.published_at),
    )


def _labels(document: Document) -> dict[str, tuple[str, ...]]:
    published = document.published_at
    labels = {
        "type": (document.type,),
        "locale": (document.locale,),
        "section": (document.section,),
        "topic": document.topics,
        "year": (str(_in_utc(published).year) if published else None,),
        "state": (document.state,),
        "owner": (document.owner,),
    }
    return {name: tuple(dict.fromkeys(label(v) for v in values if v)) for name, values in labels.items()}


def label(value: str) -> str:
    """A filter's value as the index keeps it."""
    return clean(value[:MAX_LABEL])


def _moment(published: datetime | None) -> int:
    return int(_in_utc(published).timestamp()) if published else UNDATED


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
