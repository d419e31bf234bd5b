"""How text becomes tokens."""

from __future__ import annotations

import pytest
import Stemmer
from hypothesis import given
from hypothesis import strategies as st

from search_index.analysis import MAX_TOKEN, WORD, clean, fold, stem, tokens, variants
from search_index.highlight import probe


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("Ёлки у дома", "ru", ["елк", "у", "дом"]),
        ("The Running men", "en-GB", ["the", "run", "men"]),
        ("Запуск Docker-контейнеров", "ru-RU", ["запуск", "docker", "контейнер"]),
        ("Running Sushi", "de", ["running", "sushi"]),
        ("snake_case, C++ и 1С:Бухгалтерия", "ru", ["snake", "case", "c", "и", "1с", "бухгалтер"]),
        ("", "ru", []),
    ],
)
def test_words_are_folded_and_stemmed_by_locale_and_script(text: str, locale: str, expected: list[str]) -> None:
    assert tokens(text, locale=locale) == expected


@pytest.mark.parametrize("word", ["новостями", "елками", "прекраснейшего", "сотрудничавший"])
def test_stems_are_the_reference_stemmers(word: str) -> None:
    assert stem(word) == Stemmer.Stemmer("russian").stemWord(word)


def test_a_word_of_no_named_locale_may_stand_stemmed_or_as_written() -> None:
    assert variants("Running", locale=None) == ("run", "running")
    assert variants("Running", locale="en") == ("run",)
    assert variants("Running", locale="de") == ("running",)


def test_cleaning_composes_and_drops_what_nobody_sees() -> None:
    assert clean("и\u0306од за\u0301мок пере\u00adнос \x00\ud800") == "йод замок перенос "


@given(st.text(max_size=200))
def test_tokens_of_any_text_are_short_and_folded(text: str) -> None:
    for token in tokens(clean(text), locale="ru"):
        assert 0 < len(token) <= MAX_TOKEN
        assert "ё" not in token


@given(
    st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20)
    | st.text(alphabet="абвгдеёжзийклмнопрстуфхцчшщьыъэюя", min_size=1)
)
def test_every_word_begins_with_what_its_highlight_looks_for(word: str) -> None:
    assert fold(word).startswith(probe(stem(word)))
    assert WORD.fullmatch(word)
