"""How the visitor's words are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_index.engine import QueryTooLong
from search_index.words import read


def summary(text: str) -> list[tuple[str, str, bool]]:
    return [(piece.kind, " ".join(word.text for word in piece.words), piece.excluded) for piece in read(text).pieces]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("новости офиса", [("term", "новости", False), ("term", "офиса", False)]),
        ('"права доступа" «к данным»', [("phrase", "права доступа", False), ("phrase", "к данным", False)]),
        ("„права доступа“ “к данным”", [("phrase", "права доступа", False), ("phrase", "к данным", False)]),
        ('"одно"', [("term", "одно", False)]),
        ("контей*", [("prefix", "контей", False)]),
        ("да -нет -«ни за что»", [("term", "да", False), ("term", "нет", True), ("phrase", "ни за что", True)]),
        ("веб-сайт - два", [("term", "веб", False), ("term", "сайт", False), ("term", "два", False)]),
        ('не "закрыто', [("term", "не", False), ("term", "закрыто", False)]),
        ("a AND (b OR c)^2", [("term", w, False) for w in ("a", "AND", "b", "OR", "c", "2")]),
        ('"" «!» *', []),
    ],
)
def test_terms_phrases_prefixes_and_exclusions_are_told_apart(text: str, pieces: list[tuple[str, str, bool]]) -> None:
    assert summary(text) == pieces


@given(st.text(max_size=600))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        words = read(text)
    except QueryTooLong:
        return
    for piece in words.pieces:
        assert piece.words
        assert all(words.text[word.start : word.end] == word.text for word in piece.words)
