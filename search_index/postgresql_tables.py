"""The tables of the PostgreSQL engine and the verbs that fill them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR, insert

from search_index import analysis
from search_index.preparation import Prepared

Item = TypeVar("Item")

VERSION = 1_000 + analysis.VERSION
BATCH = 200
_LAST_POSITION = 16_383  # PostgreSQL keeps no later positions in a tsvector
_MAX_POSITIONS = 255  # and no more of them for one word
_MAX_VECTOR = 900_000  # and no more bytes than 2^20 in all
_WEIGHTS = {"title_tokens": "A", "summary_tokens": "B", "body_tokens": ""}


@dataclass(frozen=True, slots=True)
class Tables:
    """Documents, the number of documents for each word, and one row with the position."""

    metadata: sa.MetaData
    documents: sa.Table
    words: sa.Table
    state: sa.Table


def tables(prefix: str) -> Tables:
    """The tables whose names begin with the prefix."""
    metadata = sa.MetaData()
    exact = sa.Text(collation="C")
    documents = sa.Table(
        f"{prefix}_documents",
        metadata,
        sa.Column("id", exact, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("tokens", TSVECTOR, nullable=False),
        sa.Column("title_words", TSVECTOR, nullable=False),
        sa.Column("words", ARRAY(exact), nullable=False),
        sa.Column("labels", ARRAY(exact), nullable=False),
        sa.Column("moment", sa.BigInteger, nullable=False),
    )
    words = sa.Table(
        f"{prefix}_words",
        metadata,
        sa.Column("word", exact, primary_key=True),
        sa.Column("documents", sa.Integer, nullable=False),
    )
    state = sa.Table(
        f"{prefix}_state",
        metadata,
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    return Tables(metadata, documents, words, state)


def add_indexes(connection: sa.Connection, documents: sa.Table) -> None:
    """After the rows, which is faster; PostgreSQL names them, as the table will be renamed."""
    quoted = connection.dialect.identifier_preparer.format_table(documents)
    for column in ("tokens", "title_words", "labels"):
        connection.execute(sa.text(f"CREATE INDEX ON {quoted} USING gin ({column})"))
    connection.execute(sa.text(f"CREATE INDEX ON {quoted} (moment DESC)"))


def remember(connection: sa.Connection, state: sa.Table, position: int) -> None:
    connection.execute(state.delete())
    connection.execute(state.insert().values(version=VERSION, position=position))


def load(connection: sa.Connection, documents: sa.Table, prepared: Iterable[Prepared]) -> None:
    """Add in batches; the caller sees to it that none is there yet."""
    for batch in batches(prepared, BATCH):
        connection.execute(documents.insert(), [_values(document) for document in batch])


def count_words(connection: sa.Connection, made: Tables) -> None:
    """Count every word of every document into the empty table of words."""
    each = sa.func.unnest(made.documents.c.words).table_valued("word").render_derived(name="each")
    counted = sa.select(each.c.word, sa.func.count()).select_from(made.documents.join(each, sa.true()))
    counted = counted.group_by(each.c.word)
    connection.execute(made.words.insert().from_select(["word", "documents"], counted))


def recount(connection: sa.Connection, words: sa.Table, changes: Mapping[str, int]) -> None:
    """Add to the counts, and drop words that no document has any longer."""
    rows = [{"word": word, "documents": change} for word, change in sorted(changes.items()) if change]
    for batch in batches(rows, 5_000):
        added = insert(words).values(batch)
        total = words.c.documents + added.excluded.documents
        connection.execute(added.on_conflict_do_update(index_elements=["word"], set_={"documents": total}))
    if any(change < 0 for change in changes.values()):
        connection.execute(words.delete().where(words.c.documents <= 0))


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _values(prepared: Prepared) -> dict[str, object]:
    return {
        "id": prepared.id,
        "title": prepared.title,
        "summary": prepared.summary,
        "body": prepared.body,
        "tokens": _vector({weight: getattr(prepared, field) for field, weight in _WEIGHTS.items()}),
        "title_words": _vector({"": sorted(prepared.title_words)}),
        "words": sorted(prepared.words),
        "labels": [f"{name}={value}" for name, values in prepared.labels.items() for value in values],
        "moment": prepared.moment,
    }


def _vector(tokens_by_weight: Mapping[str, Sequence[str]]) -> str:
    """A tsvector literal; tokens are letters and digits, so quotes around them need no escaping."""
    positions: dict[str, list[str]] = {}
    at = size = 0
    for weight, tokens in tokens_by_weight.items():
        at += 1  # a gap, so that no phrase spans two fields
        for token in tokens:
            at += 1
            known = positions.get(token)
            if known is None:
                size += 4 * len(token) + 8
                if size > _MAX_VECTOR:
                    continue
                known = positions[token] = []
            if (len(known) < _MAX_POSITIONS and at <= _LAST_POSITION) or not known:
                size += 2
                known.append(f"{min(at, _LAST_POSITION)}{weight}")
    return " ".join(f"'{token}':{','.join(places)}" for token, places in positions.items())
