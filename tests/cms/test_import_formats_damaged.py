"""Damaged exports of other systems: read as far as they go, or refused with the reason; never more than that."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Item, Options, Problem, SourceUnreadable
from tests.cms import exports_at_hand

MAKERS: Mapping[str, Callable[[Path], Path]] = {
    "ghost": exports_at_hand.ghost,
    "strapi": exports_at_hand.strapi,
    "directus": exports_at_hand.directus,
    "contentful": exports_at_hand.contentful,
    "feed": exports_at_hand.feed,
}
# Where, how much is cut out (in thousandths of the file and in bytes), and what is put there.
PIECES = st.sampled_from(
    [b"", b"{", b"}", b"[", b"]", b'"', b",", b"null", b"1e999", b'"\\ud800"', b"\0", b"\xff", b"<a>"]
)
CUTS = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 40), PIECES), min_size=1, max_size=3)


def damaged(path: Path, cuts: list[tuple[int, int, bytes]]) -> None:
    data = path.read_bytes()
    for place, length, put in cuts:
        start = len(data) * place // 1000
        data = data[:start] + put + data[start + length :]
    path.write_bytes(data)


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=CUTS, which=st.integers(0, 2))
def test_a_damaged_export_is_read_as_far_as_it_goes(
    name: str, tmp_path: Path, cuts: list[tuple[int, int, bytes]], which: int
) -> None:
    source = MAKERS[name](tmp_path)
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    damaged(files[which % len(files)], cuts)
    FORMATS[name].recognise(source)
    try:
        reading = FORMATS[name].read(source, Options(locale="ru"))
        found = list(reading.items())
        assert reading.count() == sum(isinstance(one, Item) or not one.warning for one in found)
        list(reading.assets())
        list(reading.people())
    except SourceUnreadable:
        return
    for one in found:
        assert isinstance(one, Problem) or one.external_id
        text = one.reason if isinstance(one, Problem) else one.fields["title"]
        text.encode()


@pytest.mark.parametrize("name", MAKERS)
def test_a_good_export_has_three_items(name: str, tmp_path: Path) -> None:
    found = FORMATS[name].read(MAKERS[name](tmp_path), Options()).items()
    assert sum(isinstance(one, Item) for one in found) == 3
