"""What every import format keeps to, whatever it reads."""

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from cms.import_formats import FORMATS, Item, Options, Problem, Reading, SourceUnreadable


def a_folder(place: Path) -> Path:
    for name in ("a", "b", "c"):
        (place / f"{name}.md").write_text(f"---\ntitle: Page {name}\nodd: kept\n---\nText of {name}.\n")
    (place / "d.md").write_bytes(b"\xff\xfe")
    return place


def a_file(place: Path) -> Path:
    rows = [
        {"id": name, "title": f"Page {name}", "body": f"Text of {name}.", "odd": "kept"} for name in ("a", "b", "c")
    ]
    path = place / "rows.jsonl"
    path.write_text("\n".join([*map(json.dumps, rows), "{"]))
    return path


# Each source has three good items a, b, c and a bad one after them.
SOURCES: dict[str, Callable[[Path], Path]] = {"jsonl": a_file, "markdown": a_folder}


def test_every_format_is_tried_here() -> None:
    assert SOURCES.keys() == FORMATS.keys()


@pytest.fixture(params=FORMATS)
def reading(request: pytest.FixtureRequest, tmp_path: Path) -> Reading:
    name: str = request.param
    return FORMATS[name].read(SOURCES[name](tmp_path), Options(locale="ru"))


def test_items_come_in_the_same_order_each_time(reading: Reading) -> None:
    assert list(reading.items()) == list(reading.items())


def test_an_item_has_an_id_of_its_own_and_a_title(reading: Reading) -> None:
    items = [item for item in reading.items() if isinstance(item, Item)]
    assert [(item.external_id, item.fields["title"]) for item in items] == [(x, f"Page {x}") for x in ("a", "b", "c")]


def test_a_body_says_its_format(reading: Reading) -> None:
    item = next(reading.items())
    assert isinstance(item, Item)
    assert item.fields["body"]["format"] == "markdown"
    assert item.fields["body"]["value"].strip() == "Text of a."


def test_what_is_unknown_is_kept(reading: Reading) -> None:
    assert all(item.source_fields == {"odd": "kept"} for item in reading.items() if isinstance(item, Item))


def test_the_locale_of_the_import_is_for_items_without_one(reading: Reading) -> None:
    assert {item.locale for item in reading.items() if isinstance(item, Item)} == {"ru"}


def test_a_bad_item_is_a_problem_in_its_place_and_stops_nothing(reading: Reading) -> None:
    *good, bad = reading.items()
    assert len(good) == 3
    assert isinstance(bad, Problem)
    assert bad.file
    assert bad.reason


def test_the_count_is_what_comes(reading: Reading) -> None:
    assert reading.count() == len(list(reading.items()))


def test_items_are_read_one_at_a_time(reading: Reading) -> None:
    assert len(list(islice(reading.items(), 1))) == 1


def test_another_site_is_no_target(reading: Reading) -> None:
    for url in (
        "https://example.org/",
        "//example.org/a.png",
        "mailto:desk@example.org",
        "#part",
        "",
        "http://[broken",
    ):
        assert reading.target("a.md", url) is None


@pytest.mark.parametrize("name", FORMATS)
def test_a_source_that_is_not_there_says_so(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="nowhere"):
        FORMATS[name].read(tmp_path / "nowhere", Options())
