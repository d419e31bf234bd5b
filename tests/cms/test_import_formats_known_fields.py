"""What names mean: by themselves, in two languages, and as a mapping says."""

import json
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Author, Item, Options, Problem, dates
from cms.import_formats.known_fields import MEANINGS, SYNONYMS, Given
from cms.import_formats.known_values import plain_name
from cms.import_formats.row_items import MEANINGS as OF_ROWS
from cms.import_formats.safe_values import Refused


def one(place: Path, row: dict[str, Any], **options: Any) -> Item:
    path = place / "rows.jsonl"
    path.write_text(json.dumps({"id": "x", "title": "X"} | row))
    [found] = FORMATS["jsonl"].read(path, Options(**options)).items()
    assert isinstance(found, Item), found
    return found


def refused(place: Path, row: dict[str, Any], **options: Any) -> tuple[str | None, str]:
    path = place / "rows.jsonl"
    path.write_text(json.dumps({"id": "x", "title": "X"} | row))
    [found] = FORMATS["jsonl"].read(path, Options(**options)).items()
    assert isinstance(found, Problem), found
    return found.field, found.code


def test_every_meaning_is_explained_and_every_synonym_means_one_thing() -> None:
    assert MEANINGS.keys() == SYNONYMS.keys() == set(OF_ROWS)
    names = list(chain.from_iterable(SYNONYMS.values()))
    assert len(names) == len(set(names))
    assert all(plain_name(name) == name for name in names)


def test_russian_names_are_known(tmp_path: Path) -> None:
    row = {
        "Заголовок": "Часы работы",
        "Анонс": "Коротко",
        "Полный текст": "<p>Длинно</p>",
        "Дата публикации": "31.01.2026",
        "Дата изменения": "1 февраля 2026",
        "Рубрика": "Новости",
        "Ключевые слова": "часы; январь",
        "Автор": "Анна; Борис",
        "Язык": "ru",
        "Статус": "Черновик",
        "Тип": "Новость",
        "Ссылка": "https://example.org/news/hours/?id=7",
    }
    found = one(tmp_path, {"id": "x", "title": None} | row)
    assert (found.fields["title"], found.fields["summary"], found.fields["topics"]) == (
        "Часы работы",
        "Коротко",
        ["часы", "январь"],
    )
    assert found.fields["body"] == {"format": "html", "value": "<p>Длинно</p>"}
    assert found.first_published_at == datetime(2026, 1, 31, tzinfo=UTC)
    assert found.changed_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert (found.section, found.section_names, found.locale) == (("novosti",), ("Новости",), "ru")
    assert [author.name for author in found.byline] == ["Анна", "Борис"]
    assert (found.draft, found.type, found.old_paths) == (True, "news", ("/news/hours/?id=7",))
    assert found.source_fields == {"title": None}
    assert found.mapped == {"id": "external_id"} | {
        "Заголовок": "title",
        "Анонс": "summary",
        "Полный текст": "body",
        "Дата публикации": "first_published_at",
        "Дата изменения": "changed_at",
        "Рубрика": "section",
        "Ключевые слова": "topics",
        "Автор": "byline",
        "Язык": "locale",
        "Статус": "status",
        "Тип": "type",
        "Ссылка": "old_paths",
    }


@pytest.mark.parametrize(
    ("status", "draft"),
    [("publish", False), ("Опубликовано", False), (1, False), ("private", True), ("на модерации", True), (0, True)],
)
def test_a_state_says_whether_it_is_a_draft(status: Any, draft: bool, tmp_path: Path) -> None:
    assert one(tmp_path, {"status": status}).draft is draft


@pytest.mark.parametrize("published", [True, False, "yes", "нет"])
def test_what_is_found_says_the_same_as_a_mapping(published: Any, tmp_path: Path) -> None:
    row = {"headline": "A", "опубликовано": published, "photo": {"url": "a.png"}, "state": "draft"}
    found = one(tmp_path, row)
    assert found.draft is (published in (False, "нет"))
    again = one(tmp_path, row, mapping=found.mapped)
    assert (again.fields, again.draft, again.source_fields) == (found.fields, found.draft, found.source_fields)


def test_a_guess_that_does_not_fit_its_value_is_none(tmp_path: Path) -> None:
    row = {
        "status": {"code": 7},
        "state": "Texas",
        "type": "blog",
        "permalink": "my page",
        "updated": "often",
        "created": True,
        "alt": ["a"],
    }
    found = one(tmp_path, row)
    assert found.source_fields == row
    assert (found.draft, found.type, found.old_paths, found.changed_at) == (False, None, (), None)


def test_a_mapping_goes_before_the_synonyms(tmp_path: Path) -> None:
    row = {"headline": "Not this", "Тема письма": "This", "text": "Body", "lead": "Lead"}
    found = one(tmp_path, row, mapping={"Тема письма": "title", "lead": "body", "text": "summary"})
    assert found.fields == {"title": "This", "summary": "Body", "body": {"format": "markdown", "value": "Lead"}}
    assert found.source_fields == {"headline": "Not this", "title": "X"}
    assert found.mapped == {"id": "external_id", "Тема письма": "title", "lead": "body", "text": "summary"}


def test_a_mapping_reaches_into_nested_values(tmp_path: Path) -> None:
    row = {
        "attributes": {"headline": "Nested", "note": 1},
        "author": {"data": [{"name": "Anna"}, {"name": "Boris"}]},
        "dates": ["2026-01-31", "2026-02-01"],
        "seo.text": "Short",
    }
    mapping = {
        "attributes.headline": "title",
        "author.data.name": "byline",
        "dates.0": "first_published_at",
        "seo.text": "summary",
    }
    found = one(tmp_path, row, mapping=mapping)
    assert (found.fields["title"], found.fields["summary"]) == ("Nested", "Short")
    assert found.byline == (Author("Anna", "Anna"), Author("Boris", "Boris"))
    assert found.first_published_at == datetime(2026, 1, 31, tzinfo=UTC)
    assert found.source_fields["attributes"] == {"note": 1}
    assert found.source_fields["dates"] == row["dates"]


def test_a_mapping_to_nothing_keeps_the_value_among_the_source_fields(tmp_path: Path) -> None:
    found = one(tmp_path, {"image": "a.png"}, mapping={"image": ""})
    assert (found.fields, found.source_fields) == ({"title": "X"}, {"image": "a.png"})


def test_a_mapping_may_name_fields_of_the_type(tmp_path: Path) -> None:
    fields = frozenset({"title", "salary", "seo", "status"})
    mapping = {"pay": "salary", "meta": "seo.description", "phase": "status"}
    row = {"pay": 100, "meta": "Found", "phase": "open", "status": "draft"}
    found = one(tmp_path, row, fields=fields, mapping=mapping)
    assert found.fields == {"title": "X", "salary": 100, "seo": {"description": "Found"}, "status": "open"}
    assert found.source_fields == {"status": "draft"}
    assert found.mapped == {"id": "external_id", "title": "title"} | mapping


def test_a_mapping_of_a_name_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    assert one(tmp_path, {"intro": "Short"}, mapping={"lead": "summary"}).fields["summary"] == "Short"


def test_a_value_that_a_mapping_names_must_fit(tmp_path: Path) -> None:
    assert refused(tmp_path, {"changed": "often"}, mapping={"changed": "changed_at"}) == ("changed", "bad_date")
    assert refused(tmp_path, {"a": {"b": 1}}, mapping={"a": "summary"}) == ("a", "not_text")
    assert one(tmp_path, {"phase": "in the works"}, mapping={"phase": "status"}).draft


def test_names_of_the_type_are_not_guessed_to_be_others() -> None:
    found = Given(
        {"description": "Own", "status": "draft"}, meanings=OF_ROWS, fields=frozenset({"description", "status"})
    )
    assert (found.names, found.rest) == ({}, {"description": "Own", "status": "draft"})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("31.01.2026", "2026-01-31T00:00:00"),
        ("1.2.2026 9:05", "2026-02-01T09:05:00"),
        ("31/01/2026, 14:05:07", "2026-01-31T14:05:07"),
        ("31 января 2026 г.", "2026-01-31T00:00:00"),
        ("31 янв 2026", "2026-01-31T00:00:00"),
        ("5 мая 2026 года в 9:30", "2026-05-05T09:30:00"),
        ("Jan 31, 2026 2:05 PM", "2026-01-31T14:05:00"),
        ("20260131", "2026-01-31T00:00:00"),
        ("Sat, 31 Jan 2026 14:05:00 +0300", "2026-01-31T11:05:00+00:00"),
        ("2026-01-31 14:05:00 +0300", "2026-01-31T11:05:00+00:00"),
    ],
)
def test_dates_are_read_as_people_write_them(written: str, expected: str) -> None:
    moment = datetime.fromisoformat(expected)
    for zone in (UTC, ZoneInfo("Europe/Moscow")):
        assert dates.instant(written, zone=zone) == (moment if moment.tzinfo else moment.replace(tzinfo=zone))


@pytest.mark.parametrize(
    "written",
    ["31.02.2026", "вчера", "май 2026", "2026", "soon", "1769860000", "", "1" * 100, "через 3 дня", "01.01.0000"],
)
def test_what_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(Refused) as refusal:
        dates.instant(written)
    assert refusal.value.code == "bad_date"


@settings(deadline=None, max_examples=50)
@given(written=st.text("0123456789 .:/-+янмартавJanuyTZ,()", max_size=30) | st.text(max_size=20))
def test_any_text_is_a_date_or_is_refused(written: str) -> None:
    try:
        assert dates.instant(written).tzinfo is UTC
    except Refused as refusal:
        assert refusal.code == "bad_date"  # noqa: PT017 - either will do


# --- documents that are lists ---


def listed(place: Path, content: str) -> list[Item | Problem]:
    path = place / "rows.json"
    path.write_text(content)
    assert FORMATS["jsonl"].recognise(path) in (25, 60)
    return list(FORMATS["jsonl"].read(path, Options()).items())


ROWS = [{"id": 1, "title": "A", "note": "ё"}, {"id": 2, "title": "B"}]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2, ensure_ascii=False),
        json.dumps({"data": ROWS}),
        json.dumps({"meta": {"data": [1], "n": -1.5e3}, "items": ROWS, "links": {}}, indent=1),
        "\ufeff" + json.dumps({"total": 2, "results": ROWS}),
        json.dumps(ROWS).replace("}, {", "}," + " " * 100_000 + "{"),
    ],
)
def test_a_document_that_holds_a_list_is_read(content: str, tmp_path: Path) -> None:
    first, second = listed(tmp_path, content)
    assert isinstance(first, Item)
    assert isinstance(second, Item)
    assert (first.external_id, first.source_fields, second.external_id) == ("1", {"note": "ё"}, "2")
    assert json.loads(first.raw or "") == ROWS[0]
    assert "\n" not in (first.raw or "")


def test_a_document_that_breaks_off_loses_only_what_follows(tmp_path: Path) -> None:
    first, bad, last = listed(tmp_path, '[{"id": 1, "title": "A"},\n 7,\n {"id": 2, "title": ')
    assert isinstance(first, Item)
    assert isinstance(bad, Problem)
    assert isinstance(last, Problem)
    assert [(one.line, one.code) for one in (bad, last)] == [(2, "not_an_object"), (3, "not_json")]


def test_a_row_that_holds_a_list_is_a_row(tmp_path: Path) -> None:
    [found] = listed(tmp_path, json.dumps({"id": 1, "title": "A", "items": [{"a": 1}]}))
    assert isinstance(found, Item)
    found_too = listed(tmp_path, "\n".join(json.dumps({"items": [{"a": 1}]}) for _ in range(2)))
    assert len(found_too) == 2


@settings(deadline=None, max_examples=50)
@given(
    rows=st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.floats() | st.integers()), min_size=1)
)
def test_a_document_says_what_its_lines_would(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.getbasetemp()
    whole, lines = place / "whole.json", place / "lines.jsonl"
    whole.write_text(json.dumps(rows), encoding="utf-8")
    lines.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    read = [list(FORMATS["jsonl"].read(path, Options()).items()) for path in (whole, lines)]
    codes = [[one.code if isinstance(one, Problem) else one.source_fields for one in found] for found in read]
    assert len(codes[0]) == len(codes[1]) == len(rows)
