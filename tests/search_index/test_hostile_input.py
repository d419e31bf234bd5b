"""Whatever is typed or indexed, every engine answers or refuses by name."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search_index import Engine, Query, QueryTooLong
from tests.search_index.site import doc, ids

Hold = Callable[..., Engine]

OPERATORS = [
    "AND OR NOT",
    "title:новости^2~3",
    "'a' & !('b' | 'c':*) <-> <3>",
    "[a TO z}",
    "/.*(a+)+$/",
    "%_\\'; DROP TABLE search_public_documents; --",
    "нов\x00ости",
    "\ud800новости\udfff",
    "labels:type=news",
    "a" * 500,
    "İstanbul ß ﬁ Ǆ",
    "-" * 500,
    '"' * 501,
    "«" * 500,
    "* " * 250,
    "(" * 512,
    "é\u0301\u0301\u0301",
    "\x00position",
]
LETTERS = st.text(alphabet=st.characters() | st.sampled_from('ёновсти abc*-"«»“”()\x00'), max_size=80)
BRIEFLY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("text", OPERATORS)
def test_operators_of_any_engine_are_only_words(site: Engine, text: str) -> None:
    results = site.search(Query(text=text, facets=("type",)))
    assert results.total >= len(results.hits) >= 0
    assert isinstance(site.suggest(text), list)


def test_nul_and_halves_of_characters_do_not_part_a_word(site: Engine) -> None:
    assert len(ids(site, "нов\x00ос\ud800ти")) == 3


@pytest.mark.parametrize(
    ("text", "unit"), [("(" * 10_000, "characters"), ("а " * 33, "words"), ("а" * 513, "characters")]
)
def test_too_much_is_refused_with_the_limit(site: Engine, text: str, unit: str) -> None:
    with pytest.raises(QueryTooLong) as refusal:
        site.search(Query(text=text))
    assert refusal.value.unit == unit


def test_thirty_two_words_are_not_too_many(site: Engine) -> None:
    assert ids(site, "ёлка " * 32) == ["tree"]


def test_any_text_typed_is_answered(site: Engine) -> None:
    @BRIEFLY
    @given(LETTERS, st.sampled_from([None, "ru", "en", "de", "\x00", ""]))
    def check(text: str, locale: str | None) -> None:
        assert site.search(Query(text=text, locale=locale, filters={"topic": (text,)}, facets=("year",))).total >= 0
        assert len(site.search(Query(text=text)).hits) <= 20
        site.suggest(text, locale=locale)

    check()


def test_any_text_indexed_is_kept_and_found(empty: Engine) -> None:
    @BRIEFLY
    @given(LETTERS, LETTERS, LETTERS)
    def check(title: str, body: str, topic: str) -> None:
        random.seed()  # hypothesis made it the same each time, and whoosh names its files with it
        empty.apply([doc("any", f"{title} опора", body, topics=(topic,), section=topic or None)], [], position=1)
        assert ids(empty, "опора") == ["any"]

    check()


def test_any_word_of_a_document_finds_it(empty: Engine) -> None:
    @BRIEFLY
    @given(st.text(alphabet=st.characters(categories=["L", "Nd"]), min_size=1, max_size=40))
    def check(word: str) -> None:
        random.seed()
        empty.apply([doc("any", body=word)], [], position=1)
        results = empty.search(Query(text=f"{word} "))
        assert [hit.id for hit in results.hits] == ["any"]
        assert results.did_you_mean is None

    check()


def test_long_bodies_are_indexed_to_their_end(holding: Hold) -> None:
    engine = holding(doc("long", "Т", "обычное слово " * 15_000 + " изюминка"))
    assert ids(engine, "изюминка") == ["long"]


def test_bodies_beyond_all_limits_are_cut_not_refused(holding: Hold) -> None:
    different = " ".join(f"слово{n}ъ{n * 7919}" for n in range(60_000))
    engine = holding(doc("huge", "Т", different), doc("solid", "Т", "ж" * 600_000))
    assert ids(engine, "слово1ъ7919") == ["huge"]
    assert ids(engine, "ж" * 512) == ["solid"]
