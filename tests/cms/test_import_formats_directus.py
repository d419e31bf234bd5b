"""Items of Directus as JSON and as CSV."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Asset, Author, Item, Link, Options, Problem, SourceUnreadable, Target
from tests.cms.exports_at_hand import directus, directus_items, item, items, reading

FILE = "8cbb43fe-4cdf-4991-8352-c461779cec02"
OTHER = "1cbb43fe-4cdf-4991-8352-c461779cec02"
HERE = "https://cms.x"
ROW = {"id": 1, "title": "Hello", "status": "published"}


def one(place: Path, options: Options | None = None, **given: Any) -> Item:
    return item("directus", directus_items(place, [{**ROW, **given}]), options, base_url=HERE)


def test_an_item_becomes_an_article_with_what_is_nested_in_it(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        slug="hello",
        content="<p>Text</p>",
        image=FILE,
        author={"id": "u1", "first_name": "Anna", "last_name": "Lee", "email": "a@example.org"},
        tags=[{"id": 1, "tags_id": {"id": 4, "name": "News"}}, {"id": 2, "tags_id": {"name": "Office"}}],
        date_created="2024-01-01T10:00:00Z",
        date_updated="2024-01-03T10:00:00Z",
        date_published="2024-01-02T10:00:00Z",
        user_created=OTHER,
        odd={"deep": 1},
    )
    assert (found.external_id, found.slug, found.draft) == ("1", "hello", False)
    assert found.fields == {
        "title": "Hello",
        "body": {"format": "html", "value": "<p>Text</p>"},
        "cover": Link("asset", FILE),
        "topics": ["News", "Office"],
    }
    assert [(who.name, who.email) for who in found.byline] == [("Anna Lee", "a@example.org")]
    assert (found.created_at, found.first_published_at, found.changed_at) == tuple(
        datetime(2024, 1, day, 10, tzinfo=UTC) for day in (1, 2, 3)
    )
    assert found.source_fields == {"odd": {"deep": 1}, "user_created": OTHER}


@pytest.mark.parametrize(
    ("status", "draft"), [("published", False), ("draft", True), ("archived", True), (None, False)]
)
def test_only_what_is_published_is_no_draft(tmp_path: Path, status: str | None, draft: bool) -> None:
    assert one(tmp_path, status=status).draft == draft


def test_a_mapping_reaches_into_what_is_nested(tmp_path: Path) -> None:
    options = Options(mapping={"author.first_name": "byline", "meta.lead": "summary", "headline": "title"}, choices={})
    found = one(tmp_path, options, author={"first_name": "Anna"}, meta={"lead": "Short"}, headline="Other")
    assert found.byline == (Author("Anna", "Anna"),)
    assert (found.fields["title"], found.fields["summary"]) == ("Other", "Short")


def test_files_are_on_the_server_that_is_named(tmp_path: Path) -> None:
    rows = [
        {**ROW, "cover": {"id": FILE, "filename_download": "a.png"}, "body": f"![]({HERE}/assets/{OTHER}?width=3)"},
        {**ROW, "id": 2, "cover": FILE},
    ]
    path = directus_items(tmp_path, rows)
    read = reading("directus", path, base_url=HERE + "/")
    assert list(read.assets()) == [Asset(id, None, f"{HERE}/assets/{id}") for id in (FILE, OTHER)]
    assert read.target("x", f"/assets/{OTHER}?width=3") == Target("asset", OTHER)
    assert read.target("x", f"{HERE}/assets/{OTHER}") == Target("asset", OTHER)
    unnamed = reading("directus", path)
    assert list(unnamed.assets()) == []
    warning = unnamed.target("x", f"/assets/{OTHER}")
    assert isinstance(warning, Problem)
    assert "base_url" in warning.reason
    assert "cover" not in items("directus", path)[1].fields


def test_an_answer_of_the_api_is_read_too(tmp_path: Path) -> None:
    assert item("directus", directus_items(tmp_path, {"data": [ROW]})).fields["title"] == "Hello"
    assert FORMATS["directus"].recognise(tmp_path / "articles.json") == 30


def test_bad_items_are_problems_in_their_places(tmp_path: Path) -> None:
    rows = [ROW, ROW, {"id": 2}, {**ROW, "id": None}, 3, {**ROW, "id": 4, "date_created": "soon"}, {**ROW, "id": 5}]
    found = list(reading("directus", directus_items(tmp_path, rows)).items())
    assert [one.code if isinstance(one, Problem) else "item" for one in found] == [
        "item", "duplicate", "missing", "missing", "not_an_object", "bad_date", "item",
    ]  # fmt: skip


@pytest.mark.parametrize("content", ["", "{}", '{"data": {}}', "[1", '[{"a": ', '{"db": [{"a": 1}]}'])
def test_what_is_no_array_of_items_says_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(SourceUnreadable):
        list(reading("directus", path).items())


def test_its_csv_is_read_as_any_table(tmp_path: Path) -> None:
    path = tmp_path / "articles.csv"
    path.write_text(
        "id,status,title,content,date_created,date_updated,user_created\n"
        f"1,published,Hello,<p>Text</p>,2024-01-01T10:00:00Z,,{OTHER}\n"
        f"2,draft,Other,Words,2024-01-01T10:00:00Z,2024-01-02T10:00:00Z,{OTHER}\n"
    )
    first, second = items("csv", path)
    assert (first.external_id, first.fields["title"], first.fields["body"]["format"]) == ("1", "Hello", "html")
    assert (first.draft, second.draft) == (False, True)
    assert second.changed_at == datetime(2024, 1, 2, 10, tzinfo=UTC)


def test_it_is_recognised(tmp_path: Path) -> None:
    assert FORMATS["directus"].recognise(directus(tmp_path)) == 30


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_an_item_is_an_item_or_a_problem(tmp_path: Path, data: st.DataObject) -> None:
    names = st.sampled_from(["id", "name", "first_name", "tags_id", "filename_disk", "url"])
    leaves = st.none() | st.integers() | st.floats() | st.text(max_size=4) | st.just(FILE)
    values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))
    field = data.draw(
        st.sampled_from(["id", "title", "body", "image", "author", "tags", "status", "date_created", "related"])
    )
    path = directus_items(tmp_path, [{**ROW, field: data.draw(values)}, {"id": 2, field: data.draw(values)}])
    read = reading("directus", path, base_url=HERE)
    list(read.assets())
    assert len(list(read.items())) == read.count() == len(json.loads(path.read_text()))


def test_a_number_of_hundreds_of_digits_is_told(tmp_path: Path) -> None:
    path = tmp_path / "articles.json"
    path.write_text('[{"id": 1, "title": "\\ud800", "sort": ' + "9" * 400 + "}]")
    [problem] = reading("directus", path).items()
    assert isinstance(problem, Problem)
    assert problem.code in ("lone_surrogate", "number_out_of_range")
