"""Every engine filters, counts and pages alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from search_index import FACETS, Engine, Query
from tests.search_index.site import DOCUMENTS, at, doc, ids

Hold = Callable[..., Engine]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"type": ("article",)}, ["prices", "server"]),
        ({"section": ("sport", "tech")}, ["running", "server"]),
        ({"topic": ("people",)}, ["office", "running", "tree"]),
        ({"year": ("2024",)}, ["running", "server"]),
        ({"locale": ("en",)}, ["running"]),
        ({"state": ("draft",), "owner": ("olga",)}, ["draft"]),
        ({"type": ("news",), "topic": ("people",), "year": ("2025", "2026")}, ["office", "tree"]),
        ({"section": ("nowhere",)}, []),
        ({"section": ()}, [document.id for document in DOCUMENTS]),
    ],
)
def test_filters_narrow_by_every_name_and_any_of_its_values(
    site: Engine, filters: dict[str, tuple[str, ...]], found: list[str]
) -> None:
    assert sorted(ids(site, filters=filters)) == sorted(found)


def test_filters_narrow_a_search_by_words(site: Engine) -> None:
    assert ids(site, "новости", filters={"type": ("article",)}) == ["prices"]


def test_a_locale_narrows_to_its_entries(site: Engine) -> None:
    assert ids(site, locale="en") == ["running"]
    assert ids(site, locale="en", filters={"locale": ("ru",)}) == []


def test_facets_count_what_was_found(site: Engine) -> None:
    facets = site.search(Query(text="новости", facets=FACETS)).facets
    assert facets == {
        "type": (("news", 2), ("article", 1)),
        "section": (("company", 2), ("sales", 1)),
        "topic": (("people", 2), ("money", 1), ("office", 1)),
        "year": (("2025", 2), ("2026", 1)),
    }


def test_facets_count_under_the_filters_without_any_words(site: Engine) -> None:
    facets = site.search(Query(filters={"section": ("company",)}, facets=("topic",))).facets
    assert facets == {"topic": (("people", 2), ("office", 1))}


def test_facets_of_nothing_are_empty(site: Engine) -> None:
    assert site.search(Query(text="кукарямба", facets=("type",))).facets == {"type": ()}


def test_values_with_spaces_commas_and_signs_stay_whole(holding: Hold) -> None:
    engine = holding(doc("a", topics=("R&D, наука", "a=b", "x y")), doc("b", topics=("x",)))
    assert ids(engine, filters={"topic": ("R&D, наука",)}) == ids(engine, filters={"topic": ("a=b",)}) == ["a"]
    assert ids(engine, filters={"topic": ("x",)}) == ["b"]
    assert ("a=b", 1) in engine.search(Query(facets=("topic",))).facets["topic"]


def test_pages_follow_one_another_and_know_the_total(site: Engine) -> None:
    pages = [site.search(Query(limit=2, offset=offset)) for offset in (0, 2, 4, 6)]
    assert [hit.id for page in pages for hit in page.hits] == [
        "office",
        "tree",
        "prices",
        "running",
        "server",
        "draft",
    ]
    assert {page.total for page in pages} == {6}


def test_pages_of_a_ranked_search_do_not_overlap(holding: Hold) -> None:
    engine = holding(*(doc(f"d{n}", "Бюджет", "слово " * n) for n in range(1, 8)))
    found = [*ids(engine, "бюджет", limit=4), *ids(engine, "бюджет", limit=4, offset=4)]
    assert sorted(found) == sorted(set(found))
    assert len(found) == 7


def test_years_are_counted_in_utc(holding: Hold) -> None:
    engine = holding(doc("a", published_at=at(1969)), doc("b"))
    assert ids(engine, filters={"year": ("1969",)}) == ["a"]
    assert ids(engine) == ["a", "b"]


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"filters": {"body": ("x",)}}, {"facets": ("id",)}]
)
def test_a_query_out_of_bounds_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Query(**wrong)  # type: ignore[arg-type]
