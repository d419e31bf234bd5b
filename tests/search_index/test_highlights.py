"""Every engine shows the same words marked in the same places."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from search_index import Engine, Marked, Query, Snippet
from tests.search_index.site import doc

Hold = Callable[..., Engine]


def marked(shown: Marked | Snippet) -> list[str]:
    return [shown.text[start:end] for start, end in shown.ranges]


def test_titles_and_snippets_mark_every_form_of_the_word(site: Engine) -> None:
    hit = site.search(Query(text="офисы")).hits[0]
    assert marked(hit.title) == ["офиса"]
    assert {snippet.field: marked(snippet) for snippet in hit.snippets} == {"summary": ["офиса"], "body": ["офис"]}


def test_a_corrected_word_is_marked(site: Engine) -> None:
    hit = site.search(Query(text="кантейнеры")).hits[0]
    assert marked(hit.snippets[0]) == ["контейнеры"]


def test_a_phrase_is_marked_as_one_and_only_where_it_stands(holding: Hold) -> None:
    engine = holding(doc("a", "Права", "Права есть. Право доступа одно, а доступа нет."))
    hit = engine.search(Query(text='"права доступа"')).hits[0]
    assert (marked(hit.title), marked(hit.snippets[0])) == ([], ["Право доступа"])


def test_ranges_count_code_points_and_text_is_never_markup(holding: Hold) -> None:
    engine = holding(doc("a", "😀 İ <b>Ёлка</b> & 𝕏"))
    hit = engine.search(Query(text="елка")).hits[0]
    assert hit.title == Marked("😀 İ <b>Ёлка</b> & 𝕏", ((7, 11),))


def test_a_snippet_shows_the_place_with_most_of_the_words(holding: Hold) -> None:
    filler = "Прочий текст без нужных слов. " * 40
    engine = holding(doc("a", "Т", f"Бюджет. {filler} Здесь бюджет отдела продаж. {filler}"))
    snippet = engine.search(Query(text="бюджет отдел")).hits[0].snippets[0]
    assert marked(snippet) == ["бюджет", "отдела"]
    assert len(snippet.text) <= 200


def test_without_matches_in_the_text_its_beginning_is_shown(site: Engine) -> None:
    hit = site.search(Query(text="docker")).hits[0]
    assert hit.snippets == (
        Snippet("body", "Запустите контейнеры и проверьте права доступа к данным. Сервер перезапускается сам."),
    )


@pytest.mark.parametrize("text", ["новости", "прав*", '"права доступа"', "ёлка зал", "running -river", ""])
def test_ranges_lie_within_their_texts_in_order(site: Engine, text: str) -> None:
    for hit in site.search(Query(text=text)).hits:
        texts: list[Marked | Snippet] = [hit.title, *hit.snippets]
        for shown in texts:
            ends = [0, *(end for pair in shown.ranges for end in pair), len(shown.text)]
            assert ends == sorted(ends)
