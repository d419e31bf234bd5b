"""Real exports of WordPress, counted to the last post; and the same files broken in every way."""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms import rich_text
from cms.import_formats import FORMATS, Item, Options, Problem, Reading, SourceUnreadable, Target

DATA = Path(__file__).parents[3] / "shared" / "data" / "wxr"
THEME = "themeunittestdata.wordpress.xml"
BLOCKS = "64-block-test-data.xml"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real exports are not there")


@cache
def opened(name: str = "") -> Reading:
    return FORMATS["wordpress"].read(DATA / name, Options(locale="en"))


@cache
def rows(name: str) -> list[Item | Problem]:
    return list(opened(name).items())


def items(name: str) -> dict[str, Item]:
    return {found.external_id: found for found in rows(name) if isinstance(found, Item)}


def document(name: str, id: str) -> rich_text.Parsed:
    reading = opened(name)

    def resolve(_kind: str, url: str) -> str | None:
        target = reading.target(name, url)
        names = (target.external_id, *target.otherwise) if isinstance(target, Target) else ()
        known = target is not None and any(map(reading.asset, names))
        return "00000000-0000-0000-0000-000000000000" if known else None

    return rich_text.from_html(items(name)[id].fields["body"]["value"], resolve)


@pytest.mark.parametrize(
    ("name", "kinds", "told", "files", "people"),
    [
        (
            THEME,
            {"article": 58, "page": 21, "menu": 6},
            {"block_left_out": 3, "scheduled": 1, "password": 1, "no_title": 1, "menu_archive": 1, "menu_too_deep": 1},
            38,
            2,
        ),
        (
            BLOCKS,
            {"article": 61, "page": 1, "menu": 1},
            {"block_left_out": 30, "menu_block_left_out": 1, "slug_changed": 1},
            9,
            2,
        ),
        ("wxr-comprehensive.xml", {"article": 1, "page": 1}, {}, 0, 2),
        ("wxr-simple.xml", {"article": 1}, {"block_left_out": 1}, 0, 1),
    ],
)
def test_every_post_is_accounted_for(
    name: str, kinds: dict[str, int], told: dict[str, int], files: int, people: int
) -> None:
    reading = opened(name)
    assert Counter(item.type for item in items(name).values()) == kinds
    assert Counter(row.code for row in rows(name) if isinstance(row, Problem)) == told
    assert reading.count() == len(items(name))
    assert (len(list(reading.assets())), len(list(reading.people()))) == (files, people)


def test_all_files_are_one_import() -> None:
    found = list(opened().items())
    assert Counter(row.type for row in found if isinstance(row, Item)) == {"article": 121, "page": 23, "menu": 7}
    assert not [row for row in found if isinstance(row, Problem) and not row.warning]


def test_every_body_is_taken_whole() -> None:
    for name in (THEME, BLOCKS):
        for item in items(name).values():
            text = item.fields["body"]["value"] if "body" in item.fields else ""
            assert not re.search(r"<!-- /?wp:|\[/?(caption|gallery|audio|video|embed)\b(?!<)", text), item.external_id
            parsed = rich_text.from_html(text, None)
            assert {misfit.code for misfit in parsed.misfits} <= {
                "attribute_dropped",
                "element_dropped",
                "embed_not_allowed",
                "external_image",
                "formatting_in_caption",
                "formatting_in_code",
                "image_link_dropped",
                "unsafe_link",  # an address that begins with "ttps:"
            }


def test_the_gallery_shows_every_picture_of_its_post() -> None:
    gallery = document(THEME, "555").document["content"]
    assert [node["type"] for node in gallery[:20]] == ["image"] * 20
    assert gallery[3]["attrs"]["caption"] == "Bell on wharf in San Francisco"


def test_a_caption_belongs_to_its_picture() -> None:
    (image,) = document(THEME, "1163").document["content"]
    assert (image["attrs"]["alt"], image["attrs"]["caption"]) == ("Bell on Wharf", "Bell on wharf in San Francisco")


def test_a_video_stands_where_its_address_did() -> None:
    embed, text = document(THEME, "1161").document["content"]
    assert embed["attrs"]["url"] == "https://www.youtube.com/embed/SQEQr7c0-dw"
    assert text["content"][0]["text"] == "Learn more about "


def test_every_picture_of_the_same_site_is_a_file() -> None:
    for name in (THEME, BLOCKS):
        for id, item in items(name).items():
            misfits = document(name, id).misfits if "body" in item.fields else ()
            assert not [one for one in misfits if one.code == "external_image" and "wpthemetestdata" in one.message]


def test_comments_and_covers_are_kept() -> None:
    found = items(THEME)
    assert sum(len(item.source_fields.get("comments", ())) for item in found.values()) == 33
    assert sum("cover" in item.fields for item in found.values()) == 6


def test_a_menu_has_all_its_items() -> None:
    def size(tree: list[dict[str, Any]]) -> int:
        return sum(1 + size(node.get("items", [])) for node in tree)

    menus = [item for item in items(THEME).values() if item.type == "menu"]
    assert sum(size(menu.fields["items"]) for menu in menus) == 70


@cache
def whole(name: str) -> bytes:
    return (DATA / name).read_bytes()


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_broken_file_is_refused_or_read_in_part(data: st.DataObject, tmp_path: Path) -> None:
    name = data.draw(st.sampled_from([THEME, BLOCKS, "wxr-comprehensive.xml", "wxr-simple.xml"]))
    start = data.draw(st.integers(0, max(0, len(whole(name)) - 30_000)))
    text = whole(name)[:1_900] + whole(name)[start : start + 30_000]
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + data.draw(_BREAKS) + text[place + data.draw(st.integers(0, 200)) :]
    path = tmp_path / "broken.xml"
    path.write_bytes(text)
    try:
        reading = FORMATS["wordpress"].read(path, Options())
    except SourceUnreadable:
        return
    found = list(reading.items())
    assert all(row.reason for row in found if isinstance(row, Problem))
    assert reading.count() == len([row for row in found if isinstance(row, Item) or not row.warning])
    assert list(reading.items()) == found
    assert all(asset.external_id for asset in reading.assets())


_MARKS = (
    *("<item>", "</item>", "<![CDATA[", "]]>", "<!--", "-->", "<!-- wp:x -->", "[gallery", "]", "&lol;", "\0", '"'),
    *("<wp:post_id>", "<!DOCTYPE", "<wp:postmeta>", "a:1:{", "<pre>", "&#0;", "&#xFFFF;"),
)
_BREAKS = st.one_of(st.binary(max_size=20), st.sampled_from([mark.encode() for mark in _MARKS]))
