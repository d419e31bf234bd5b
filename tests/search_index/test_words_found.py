"""Every engine finds the same entries for the same words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from search_index import Engine, Query
from tests.search_index.site import DOCUMENTS, doc, ids

Hold = Callable[..., Engine]


@pytest.mark.parametrize("word", ["новость", "новости", "новостей", "НОВОСТЯМИ", "Новость"])
def test_every_form_of_a_russian_word_finds_the_same_entries(site: Engine, word: str) -> None:
    assert sorted(ids(site, word)) == ["office", "prices", "tree"]


@pytest.mark.parametrize("word", ["run", "running", "runs", "RUN"])
def test_every_form_of_an_english_word_finds_the_same_entries(site: Engine, word: str) -> None:
    assert ids(site, word) == ["running"]


@pytest.mark.parametrize("word", ["ёлка", "елка", "ЁЛКИ", "елкой", "е\u0308лка"])
def test_yo_and_ye_are_one_letter(site: Engine, word: str) -> None:
    assert ids(site, word) == ["tree"]


def test_english_words_inside_russian_entries_are_found_by_any_form(holding: Hold) -> None:
    engine = holding(doc("a", "Как устроены containers"))
    assert ids(engine, "container") == ["a"]
    assert ids(engine, "container", locale="ru") == ["a"]


def test_other_languages_are_indexed_as_written(holding: Hold) -> None:
    engine = holding(doc("de", "Running Sushi", locale="de"), doc("en", "Running", locale="en"))
    assert ids(engine, "running", locale="de") == ["de"]
    assert ids(engine, "runs", locale="de") == []
    assert sorted(ids(engine, "running")) == ["de", "en"]


def test_a_stress_mark_or_soft_hyphen_does_not_part_a_word(holding: Hold) -> None:
    engine = holding(doc("a", "за\u0301мок", "пере\u00adпланировка"))
    assert ids(engine, "замок") == ids(engine, "перепланировка") == ["a"]


def test_all_words_must_be_there(site: Engine) -> None:
    assert ids(site, "цены марта") == ["prices"]


def test_words_may_stand_in_different_fields(site: Engine) -> None:
    assert ids(site, "docker контейнер") == ["server"]


def test_when_no_entry_has_all_words_those_with_any_are_found_and_it_is_said(site: Engine) -> None:
    results = site.search(Query(text="docker цены"))
    assert sorted(hit.id for hit in results.hits) == ["prices", "server"]
    assert results.match == "any"


def test_a_phrase_is_found_in_its_order_only(site: Engine) -> None:
    assert ids(site, '"права доступа"') == ids(site, "«доступа к данным»") == ["server"]
    assert ids(site, '"доступа права"') == []


def test_a_phrase_may_be_inflected(site: Engine) -> None:
    assert ids(site, '"праву доступ"') == ["server"]


def test_a_phrase_does_not_span_two_fields(holding: Hold) -> None:
    engine = holding(doc("a", "Красный", "дом", summary="кирпичный"))
    assert ids(engine, '"красный кирпичный"') == ids(engine, '"кирпичный дом"') == []


def test_a_prefix_finds_every_word_that_begins_so(site: Engine) -> None:
    assert ids(site, "контей*") == ["server"]
    assert sorted(ids(site, "ново*")) == ["office", "prices", "tree"]


def test_a_prefix_nothing_begins_with_finds_nothing(site: Engine) -> None:
    assert ids(site, "яяя*") == []


def test_an_excluded_word_or_phrase_leaves_entries_out(site: Engine) -> None:
    assert sorted(ids(site, "новости -ёлка")) == ["office", "prices"]
    assert sorted(ids(site, 'новости -"новости компании"')) == ["office", "prices"]


def test_exclusion_alone_finds_all_the_rest(site: Engine) -> None:
    assert "tree" not in ids(site, "-ёлка")
    assert len(ids(site, "-ёлка")) == len(DOCUMENTS) - 1


def test_exclusion_holds_among_hundreds_of_entries(holding: Hold) -> None:
    engine = holding(*(doc(f"d{n}", "Отчёт", "бюджет " * (n % 17) + ("черновик" if n % 3 else "")) for n in range(600)))
    results = engine.search(Query(text="отчёт бюджет -черновик", limit=5))
    assert results.total == sum(n % 17 > 0 and n % 3 == 0 for n in range(600))


def test_excluding_a_word_nobody_uses_excludes_nothing(site: Engine) -> None:
    assert len(ids(site, "-кукарямба")) == len(DOCUMENTS)


@pytest.mark.parametrize(
    ("typo", "meant"), [("новсти", "новости"), ("кантейнеры", "контейнеры"), ("runing", "running")]
)
def test_a_typo_finds_what_was_meant_and_says_so(site: Engine, typo: str, meant: str) -> None:
    results = site.search(Query(text=typo))
    assert [hit.id for hit in results.hits] == ids(site, meant)
    assert (results.did_you_mean, results.match) == (meant, "corrected")


def test_a_correction_keeps_the_rest_of_the_query_and_its_capital(site: Engine) -> None:
    assert site.search(Query(text='Новсти "права доступа"')).did_you_mean == 'Новости "права доступа"'


def test_a_typo_within_a_phrase_is_mended(site: Engine) -> None:
    results = site.search(Query(text='"права достпа"'))
    assert [hit.id for hit in results.hits] == ["server"]
    assert results.did_you_mean == '"права доступа"'


def test_a_typo_in_another_form_of_the_word_is_mended_by_its_stem(site: Engine) -> None:
    assert ids(site, "администратарами") == ids(site, "администратора")


def test_right_words_need_no_suggestion(site: Engine) -> None:
    assert site.search(Query(text="новости")).did_you_mean is None


def test_short_words_and_numbers_are_not_guessed(holding: Hold) -> None:
    engine = holding(doc("a", "Цех 20251"))
    assert ids(engine, "цет") == ids(engine, "20252 ") == []


def test_words_of_removed_entries_are_no_longer_suggested(site: Engine) -> None:
    site.apply([], ["server"], position=11)
    results = site.search(Query(text="кантейнеры"))
    assert (results.hits, results.did_you_mean) == ((), None)


def test_an_unfinished_last_word_finds_what_it_may_become(site: Engine) -> None:
    assert ids(site, "настройка серв") == ["server"]
    assert ids(site, "контейн") == ["server"]


def test_an_unfinished_word_is_no_misspelling(site: Engine) -> None:
    assert site.search(Query(text="контейн")).did_you_mean is None


def test_empty_text_finds_everything_newest_first(site: Engine) -> None:
    assert ids(site, "  ") == ["office", "tree", "prices", "running", "server", "draft"]


@pytest.mark.parametrize("text", ["???", "((((", "-", '"', '""', "*", "«»"])
def test_punctuation_alone_finds_nothing(site: Engine, text: str) -> None:
    assert ids(site, text) == []


def test_titles_rank_first(holding: Hold) -> None:
    body = doc("body", "Другое", "Бюджет. " * 30, summary="Ещё")
    engine = holding(body, doc("summary", "Другое", "Текст", summary="Бюджет"), doc("title", "Наш бюджет на год"))
    assert ids(engine, "бюджет") == ["title", "summary", "body"]


def test_newest_first_when_asked(site: Engine) -> None:
    assert ids(site, "новости", sort="newest") == ["office", "tree", "prices"]
