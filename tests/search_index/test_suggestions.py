"""Every engine offers titles as one types."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from search_index import Engine, QueryTooLong
from tests.search_index.site import at, doc

Hold = Callable[..., Engine]


@pytest.mark.parametrize("typed", ["н", "нов", "Новость о рас", "расп нов", "офиса"])
def test_titles_with_words_that_begin_so_are_offered(site: Engine, typed: str) -> None:
    assert "Новость о расписании офиса" in site.suggest(typed)


def test_yo_and_ye_are_one_letter_in_suggestions(site: Engine) -> None:
    assert site.suggest("елк") == site.suggest("Ёлк") == ["Ёлка в главном зале"]


def test_titles_that_begin_as_typed_come_first(holding: Hold) -> None:
    engine = holding(
        doc("a", "Наш офис", published_at=at(2026)), doc("b", "Офис открыт"), doc("c", "Офис открыт", locale="en")
    )
    assert engine.suggest("офи") == ["Офис открыт", "Наш офис"]


def test_suggestions_keep_to_a_locale_and_a_limit(site: Engine) -> None:
    assert site.suggest("r", locale="ru") == []
    assert site.suggest("r", locale="en") == ["Running club"]
    assert len(site.suggest("н", limit=1)) == 1


@pytest.mark.parametrize("typed", ["", "  ", "*", "яяя", "нов ёлк"])
def test_nothing_is_offered_for_nothing(site: Engine, typed: str) -> None:
    assert site.suggest(typed) == []


def test_too_much_typing_is_refused(site: Engine) -> None:
    with pytest.raises(QueryTooLong):
        site.suggest("а" * 513)
