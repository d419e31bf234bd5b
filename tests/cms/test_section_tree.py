"""The tree of sections as a value: every section has one path, and every path one section."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.section_tree import SectionNode, SectionTree, in_locale, measure, refuse_twins

TREE = SectionTree(
    [
        {
            "id": "company",
            "slug": {"ru": "kompaniya", "en": "company"},
            "name": {"ru": "Компания"},
            "children": [{"id": "news", "slug": "news", "name": {"*": "News"}, "children": []}],
        },
        {"id": "help", "slug": "help", "name": {"*": "Help"}},
    ]
)


@pytest.mark.parametrize(
    ("section", "locale", "slug", "path"),
    [
        ("news", "ru", None, "/kompaniya/news"),
        ("news", "en", None, "/company/news"),
        ("news", "en", "hours", "/company/news/hours"),
        (None, "ru", "hours", "/hours"),
        (None, "ru", None, "/"),
        ("nowhere", "ru", "hours", None),
    ],
)
def test_a_path_is_made_of_the_ancestors_slugs(
    section: str | None, locale: str, slug: str | None, path: str | None
) -> None:
    assert TREE.path(section, locale=locale, slug=slug) == path


@pytest.mark.parametrize(
    ("path", "section"),
    [("/company/news", "news"), ("/kompaniya/news", None), ("/help", "help"), ("/", None), ("", None), ("help", None)],
)
def test_a_section_is_found_by_its_path_in_its_locale(path: str, section: str | None) -> None:
    assert TREE.at(path, locale="en") == section


def test_a_section_knows_its_parents_and_children() -> None:
    company, news = TREE.section("company"), TREE.section("news")
    assert company is not None
    assert news is not None
    assert (company.children, news.parents, TREE.roots) == (("news",), ("company",), ("company", "help"))


def test_sections_come_parents_first() -> None:
    assert [section.id for section in TREE] == ["company", "news", "help"]


@pytest.mark.parametrize(
    ("value", "locale", "word"),
    [
        ("one", "ru", "one"),
        ({"ru": "один", "en": "one"}, "en", "one"),
        ({"*": "any", "en": "one"}, "ru", "any"),
        ({"en": "one"}, "ru", "one"),
        ({}, "ru", None),
    ],
)
def test_a_word_falls_back_to_the_one_for_all_and_then_to_any(value: Any, locale: str, word: str | None) -> None:
    assert in_locale(value, locale) == word


def test_a_tree_is_measured_with_ids_that_occur_twice() -> None:
    node = SectionNode.model_validate({"id": "a", "slug": "a", "name": "A"})
    above = SectionNode.model_validate({"id": "b", "slug": "b", "name": "B", "children": [node]})
    assert measure([above, node]) == (3, 2, ["a"])


# --- whatever the tree ---

SLUGS = st.sampled_from(["a", "b", "c"])
NODES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.builds(dict, slug=SLUGS | st.dictionaries(st.sampled_from(["ru", "en", "*"]), SLUGS, min_size=1)),
    lambda below: st.builds(dict, slug=SLUGS, children=st.lists(below, max_size=3)),
    max_leaves=12,
)


def numbered(nodes: list[dict[str, Any]], prefix: str = "s") -> list[dict[str, Any]]:
    return [
        {
            "id": f"{prefix}{index}",
            "slug": node["slug"],
            "name": {"*": "x"},
            "children": numbered(node.get("children", []), f"{prefix}{index}-"),
        }
        for index, node in enumerate(nodes)
    ]


def has_twins(nodes: list[dict[str, Any]], locale: str) -> bool:
    slugs = [in_locale(node["slug"], locale) for node in nodes]
    return len(set(slugs)) < len(slugs) or any(has_twins(node["children"], locale) for node in nodes)


@given(st.lists(NODES, max_size=4).map(numbered), st.sampled_from(["ru", "en", "de"]))
def test_in_a_tree_that_is_accepted_path_and_section_are_inverse(nodes: list[dict[str, Any]], locale: str) -> None:
    try:
        refuse_twins([SectionNode.model_validate(node) for node in nodes])
    except ValueError:
        return
    assert not has_twins(nodes, locale)
    tree = SectionTree(nodes)
    for section in tree:
        path = tree.path(section.id, locale=locale)
        assert path is not None
        assert tree.at(path, locale=locale) == section.id


@given(st.lists(NODES, max_size=4).map(numbered))
def test_a_childs_path_begins_with_its_parents(nodes: list[dict[str, Any]]) -> None:
    tree = SectionTree(nodes)
    for section in tree:
        for child in section.children:
            above, below = (tree.path(one, locale="ru") or "" for one in (section.id, child))
            assert below.startswith(f"{above}/")
            assert below.count("/") == above.count("/") + 1


@given(st.lists(NODES, max_size=4).map(numbered))
def test_a_tree_is_refused_exactly_when_siblings_share_a_path(nodes: list[dict[str, Any]]) -> None:
    twins = any(has_twins(nodes, locale) for locale in ("ru", "en", "de"))
    try:
        refuse_twins([SectionNode.model_validate(node) for node in nodes])
    except ValueError:
        assert twins
    else:
        assert not twins
