"""What every import format keeps to, whatever it reads."""

import json
import pickle
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import pytest
from openpyxl import Workbook

from cms.import_formats import FORMATS, Item, Options, Problem, Reading, SourceUnreadable
from cms.import_formats.item import LONGEST_EXTERNAL_ID
from tests.cms import exports_at_hand, wordpress_at_hand


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


def web_pages(place: Path) -> Path:
    for name in ("a", "b", "c"):
        (place / f"{name}.html").write_text(
            f"<title>Page {name}</title><meta name=odd content=kept><nav>Home</nav><p>Text of {name}.</p>"
        )
    (place / "d.html").write_text("<title>Page d</title><nav>Home</nav>")
    return place


ROWS: list[Sequence[str | None]] = [
    ["id", "title", "body", "odd"],
    *([name, f"Page {name}", f"Text of {name}.", "kept"] for name in ("a", "b", "c")),
    ["d", None, None, "kept"],
]


def a_table(place: Path) -> Path:
    path = place / "rows.csv"
    path.write_text("".join(",".join(cell or "" for cell in row) + "\n" for row in ROWS))
    return path


def a_workbook(place: Path) -> Path:
    book = Workbook()
    for row in ROWS:
        book.worksheets[0].append(list(row))
    book.save(place / "rows.xlsx")
    return place / "rows.xlsx"


# Each source has three good items a, b, c, with something that only the source knows, and a bad one after them.
SOURCES: dict[str, Callable[[Path], Path]] = {
    "jsonl": a_file,
    "csv": a_table,
    "xlsx": a_workbook,
    "markdown": a_folder,
    "html": web_pages,
    "ghost": exports_at_hand.ghost,
    "strapi": exports_at_hand.strapi,
    "directus": exports_at_hand.directus,
    "contentful": exports_at_hand.contentful,
    "feed": exports_at_hand.feed,
    "wordpress": wordpress_at_hand.three_pages,
}


def test_every_format_is_tried_here() -> None:
    # Our own exports are brought whole, line by line: tests/cms/test_site_digest.py.
    assert SOURCES.keys() == FORMATS.keys() - {"sitedesk"}


@pytest.fixture(params=[name for name in FORMATS if name in SOURCES])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(name: str, tmp_path: Path) -> Path:
    return SOURCES[name](tmp_path)


@pytest.fixture
def reading(name: str, source: Path) -> Reading:
    return FORMATS[name].read(source, Options(locale="ru"))


def good(reading: Reading) -> list[Item]:
    return [found for found in reading.items() if isinstance(found, Item) and found.fields["title"].startswith("Page ")]


def test_items_come_in_the_same_order_each_time(reading: Reading) -> None:
    assert list(reading.items()) == list(reading.items())


def test_an_item_has_an_id_of_its_own_and_a_title(reading: Reading) -> None:
    items = good(reading)
    assert [item.fields["title"] for item in items] == ["Page a", "Page b", "Page c"]
    assert len({item.external_id for item in items}) == 3
    assert all(0 < len(item.external_id) <= LONGEST_EXTERNAL_ID for item in items)


def test_a_body_says_its_format(reading: Reading) -> None:
    body = good(reading)[0].fields["body"]
    assert body["format"] in ("html", "markdown", "doc")
    assert "Text of a." in (json.dumps(body["value"]) if body["format"] == "doc" else body["value"])


def test_what_is_unknown_is_kept(reading: Reading) -> None:
    assert all("kept" in json.dumps([item.source_fields, item.raw]) for item in good(reading))


def test_the_locale_of_the_import_is_for_items_without_one(reading: Reading) -> None:
    assert {item.locale for item in good(reading)} == {"ru"}


def test_a_bad_item_is_a_problem_in_its_place_and_stops_nothing(reading: Reading) -> None:
    bad = list(reading.items())[-1]
    assert len(good(reading)) == 3
    assert isinstance(bad, Problem)
    assert not bad.warning
    assert bad.file
    assert bad.reason


def test_what_is_stored_is_plain_and_can_be_told_to_another_process(reading: Reading) -> None:
    for found in reading.items():
        assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own
        if isinstance(found, Item):
            json.dumps(found.source_fields)


def test_the_count_is_what_comes(reading: Reading) -> None:
    rows = [found for found in reading.items() if isinstance(found, Item) or not found.warning]
    assert reading.count() in (None, len(rows))


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


def test_a_reading_that_was_just_opened_knows_what_addresses_mean(name: str, source: Path, reading: Reading) -> None:
    addresses = [
        (item.origin.file, address)
        for item in good(reading)
        for address in (*item.old_paths, item.external_id, f"/{item.external_id}/", f"{item.external_id}.png")
    ]
    list(reading.assets())
    for file, address in addresses:
        just_opened = FORMATS[name].read(source, Options(locale="ru"))
        assert just_opened.target(file, address) == reading.target(file, address)


def test_a_source_is_recognised_as_what_it_is(name: str, source: Path) -> None:
    sure = {other: format.recognise(source) for other, format in FORMATS.items()}
    assert max(sure, key=lambda other: sure[other]) == name, sure
    assert 0 < sure[name] <= 100


def test_the_mapping_that_is_proposed_changes_nothing(name: str, source: Path, reading: Reading) -> None:
    proposed = {told: meaning for item in good(reading) for told, meaning in item.mapped.items()}
    again = FORMATS[name].read(source, Options(locale="ru", mapping=proposed))
    assert list(again.items()) == list(reading.items())


def test_choices_say_each_value_once(name: str) -> None:
    assert all(len(set(values)) == len(values) for values in FORMATS[name].choices.values())


@pytest.mark.parametrize("name", FORMATS)
def test_a_source_that_is_not_there_says_so(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="nowhere"):
        FORMATS[name].read(tmp_path / "nowhere", Options())


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_not_there_or_empty_is_recognised_as_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for path in ("nowhere", "empty", "folder"):
        assert FORMATS[name].recognise(tmp_path / path) == 0
