"""Patterns of paths: what they mean, and what is no pattern."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.path_patterns import LONGEST_PATTERN, fault, matches, matches_any


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/", "/"),
        ("/**", "/"),
        ("/**", "/a/b/c"),
        ("/news", "/news"),
        ("/news", "/news/"),
        ("/news/", "/news"),
        ("/news", "/news?utm_source=mail#top"),
        ("/news/*", "/news/hello"),
        ("/news/**", "/news"),
        ("/news/**", "/news/2026/hello"),
        ("/**/hello", "/hello"),
        ("/**/hello", "/news/2026/hello"),
        ("/a/**/b/*/c", "/a/x/y/b/z/c"),
        ("/news/2026-*", "/news/2026-11"),
        ("/news/*-2026-*-x", "/news/a-2026-b-x"),
        ("/новости/*", "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/часы"),
        ("/*", "/a"),
    ],
)
def test_a_pattern_means_a_path(pattern: str, path: str) -> None:
    assert fault(pattern) is None
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/", "/a"),
        ("/*", "/"),
        ("/*", "/a/b"),
        ("/news", "/news/hello"),
        ("/news/*", "/news"),
        ("/news/*", "/news/a/b"),
        ("/news/**", "/newspaper"),
        ("/**/hello", "/hello/world"),
        ("/news/2026-*", "/news/2025-11"),
        ("/a*a", "/a"),
        ("/News", "/news"),
    ],
)
def test_a_pattern_does_not_mean_a_path(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


def test_one_of_some_patterns_is_enough() -> None:
    assert matches_any(["/a", "/b/**"], "/b/c")
    assert not matches_any(["/a", "/b/**"], "/c")
    assert not matches_any([], "/c")


@pytest.mark.parametrize("pattern", ["", "news", "*", "/news?x=1", "/news#top", "/a**", "/a/**b", "/***", "/" * 501])
def test_what_is_no_pattern_is_told(pattern: str) -> None:
    assert fault(pattern)


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6))
def test_a_path_is_a_pattern_of_itself_and_everything_is_meant_by_the_whole_site(steps: list[str]) -> None:
    path = "/" + "/".join(steps)
    assert matches(path, path)
    assert matches("/**", path)
    assert matches(path.rstrip("/") + "/**", path)


@given(st.text(max_size=60), st.text(max_size=60))
def test_anything_is_compared_without_an_error(pattern: str, path: str) -> None:
    matches(pattern, path)
    fault(pattern)


def test_no_pattern_takes_long() -> None:
    pattern = ("/**/*a*a*a*a" * 60)[:LONGEST_PATTERN]
    began = time.process_time()
    assert not matches(pattern, "/" + "a" * 900 + "/a" * 500 + "/b")
    assert time.process_time() - began < 5
