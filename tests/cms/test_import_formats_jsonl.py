"""JSON Lines: a row a line, and what is wrong with a row."""

import gzip
import json
import lzma
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Author, Item, Options, Problem, SourceUnreadable

SHARED_TMP = [HealthCheck.function_scoped_fixture]


def results(place: Path, *lines: bytes) -> list[Item | Problem]:
    path = place / "rows.jsonl"
    path.write_bytes(b"\n".join(lines))
    return list(FORMATS["jsonl"].read(path, Options()).items())


def one(place: Path, **values: Any) -> Item | Problem:
    [result] = results(place, json.dumps({"external_id": "x", "title": "X"} | values).encode())
    return result


def item(place: Path, **values: Any) -> Item:
    result = one(place, **values)
    assert isinstance(result, Item), result
    return result


def problem(place: Path, **values: Any) -> tuple[str | None, str]:
    result = one(place, **values)
    assert isinstance(result, Problem)
    return result.field, result.code


def code(result: Item | Problem) -> str:
    return result.code if isinstance(result, Problem) else "item"


def test_a_row_becomes_an_item(tmp_path: Path) -> None:
    found = item(
        tmp_path,
        slug="x-ray",
        intro="Short",
        body_html="<p>Long</p>",
        published_at="2026-01-31T12:00:00+03:00",
        section="company/news",
        tags=["a", "b", "a"],
        lang="pt_BR",
        odd=1,
    )
    assert found.fields == {
        "title": "X",
        "summary": "Short",
        "body": {"format": "html", "value": "<p>Long</p>"},
        "topics": ["a", "b"],
    }
    assert (found.slug, found.section, found.locale) == ("x-ray", ("company", "news"), "pt-BR")
    assert found.first_published_at == datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert found.source_fields == {"odd": 1}


def test_a_number_will_do_as_an_id(tmp_path: Path) -> None:
    [found] = results(tmp_path, b'{"id": 7, "name": "X"}')
    assert isinstance(found, Item)
    assert found.external_id == "7"


def test_of_two_synonyms_one_is_taken_and_the_other_kept(tmp_path: Path) -> None:
    found = item(tmp_path, summary="one", description="two")
    assert (found.fields["summary"], found.source_fields) == ("one", {"description": "two"})


def test_the_format_of_a_body_is_seen_from_its_text(tmp_path: Path) -> None:
    assert item(tmp_path, body="a <p>b</p>").fields["body"]["format"] == "html"
    assert item(tmp_path, body="a *b*").fields["body"]["format"] == "markdown"
    assert item(tmp_path, body={"format": "markdown", "value": "<p>"}).fields["body"]["format"] == "markdown"


def test_authors_may_be_names_or_objects(tmp_path: Path) -> None:
    authors = ["Anna", {"name": "Boris", "email": "b@example.org", "url": "javascript:x"}]
    assert item(tmp_path, authors=authors).byline == (
        Author("Anna", "Anna"),
        Author("b@example.org", "Boris", "b@example.org", None),
    )


def test_a_published_flag_is_a_draft_flag(tmp_path: Path) -> None:
    found = item(tmp_path, published=False, date="2026-01-31")
    assert (found.draft, found.first_published_at) == (True, datetime(2026, 1, 31, tzinfo=UTC))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"external_id": None}, ("external_id", "missing")),
        ({"external_id": "x" * 501}, ("external_id", "too_long")),
        ({"external_id": True}, ("external_id", "not_text")),
        ({"title": ""}, ("title", "missing")),
        ({"title": ["X"]}, ("title", "not_text")),
        ({"title": "x" * 1001}, ("title", "too_long")),
        ({"published_at": "soon"}, ("published_at", "bad_date")),
        ({"date": "0001-01-01T00:00:00+10:00"}, ("date", "bad_date")),
        ({"date": "2026" + " " * 100_000 + "x"}, ("date", "bad_date")),
        ({"lang": "по-русски"}, ("lang", "bad_locale")),
        ({"tags": {"a": 1}}, ("tags", "not_topics")),
        ({"tags": [["a"]]}, ("tags", "not_text")),
        ({"author": [{"email": ""}]}, ("author", "nameless_author")),
        ({"author": ["a"] * 101}, ("author", "too_many_authors")),
        ({"body": 7}, ("body", "not_text")),
        ({"draft": "maybe"}, ("draft", "not_a_flag")),
        ({"cover": {"alt": "x"}}, ("cover", "no_address")),
        ({"odd": 2**63}, ("odd", "number_out_of_range")),
        ({"odd": 10**30}, ("odd", "number_out_of_range")),
        ({"odd": ["a\0"]}, ("odd", "nul")),
        ({"odd": json.loads("[" * 65 + "]" * 65)}, ("odd", "too_deep")),
    ],
)
def test_a_bad_value_is_refused_by_field(values: dict[str, Any], expected: tuple[str, str], tmp_path: Path) -> None:
    assert problem(tmp_path, **values) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b'{"title": "\xff"}', "not_utf8"),
        (b'{"id": "a", "title": "\\ud800"}', "not_json"),
        (b"[" * 5000, "not_json"),
        (b'{"a\\u0000": 1}', "nul"),
        (b'{"id": "a", "title": "A", "odd": "' + b"x" * (4 * 1024 * 1024) + b'"}', "too_long"),
    ],
)
def test_a_bad_line_refuses_only_itself(line: bytes, expected: str, tmp_path: Path) -> None:
    found = results(tmp_path, b'{"id": "1", "title": "1"}', line, b'{"id": "2", "title": "2"}')
    assert [code(result) for result in found] == ["item", expected, "item"]
    assert isinstance(found[1], Problem)
    assert (found[1].file, found[1].line) == ("rows.jsonl", 2)


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    found = results(
        tmp_path, b'\xef\xbb\xbf{"id": "1", "title": "1"}\r', b"\r", b"", b'{"id": "2", "title": "2"}\r', b""
    )
    assert [result.origin.line for result in found if isinstance(result, Item)] == [1, 4]


def test_an_id_that_comes_twice_is_refused_the_second_time(tmp_path: Path) -> None:
    found = results(tmp_path, b'{"id": "1", "title": "1"}', b'{"id": 1, "title": "2"}')
    assert [code(result) for result in found] == ["item", "duplicate"]


def test_an_id_of_a_refused_row_is_free_for_a_good_one(tmp_path: Path) -> None:
    found = results(tmp_path, b'{"id": "1"}', b'{"id": 1, "title": "2"}')
    assert [code(result) for result in found] == ["missing", "item"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "value", "format", "url"]), inner)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["id", "title", "body", "date", "section", "tags", "lang", "author", "image", "draft", "published"]
)


@settings(suppress_health_check=SHARED_TMP, deadline=None)
@given(row=st.dictionaries(NAMES | st.text(max_size=3), VALUES))
@example(row={"published": {"a": 1}, "draft": []})
def test_any_object_is_an_item_or_a_problem(row: dict[str, Any], tmp_path: Path) -> None:
    [found] = results(tmp_path, json.dumps(row).encode())
    if isinstance(found, Item):
        json.dumps([found.fields, found.source_fields], allow_nan=False, ensure_ascii=False).encode()


@settings(suppress_health_check=SHARED_TMP, deadline=None)
@given(lines=st.lists(st.binary()))
def test_any_bytes_are_problems(lines: list[bytes], tmp_path: Path) -> None:
    assert all(isinstance(result, Problem) for result in results(tmp_path, *lines))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_packed_file_is_read_and_one_that_is_cut_off_is_refused(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    rows = b"".join(
        b'{"id": %d, "title": "%s"}\n' % (number, secrets.token_hex(50).encode()) for number in range(5_000)
    )
    path = tmp_path / "rows.jsonl.packed"
    path.write_bytes(pack(rows))
    assert FORMATS["jsonl"].recognise(path) == 60
    assert len(list(FORMATS["jsonl"].read(path, Options()).items())) == 5_000
    path.write_bytes(pack(rows)[:-50_000])
    with pytest.raises(SourceUnreadable, match="ended before"):
        FORMATS["jsonl"].read(path, Options())


def test_a_packed_file_that_unpacks_to_too_much_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cms.import_formats.packed.SMALL", 1_000_000)
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(b'{"id": 1, "title": "A"}\n' + b" " * 20_000_000))
    *_, last = FORMATS["jsonl"].read(tmp_path / "rows.jsonl.gz", Options()).items()
    assert code(last) == "unreadable"
