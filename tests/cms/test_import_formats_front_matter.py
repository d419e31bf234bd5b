"""Front matter in YAML, TOML and JSON, well meant and not."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cms.import_formats.front_matter import taken_apart
from cms.import_formats.safe_values import Refused


def refusal(text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        taken_apart(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: A\ntags: [x]\n---\nBody\n",
        "---\ntitle: A\ntags: [x]\n...\nBody\n",
        "\ufeff---  \ntitle: A\ntags:\n- x\n--- \nBody\n",
        '+++\ntitle = "A"\ntags = ["x"]\n+++\nBody\n',
        '{\n"title": "A",\n"tags": ["x"]\n}\nBody\n',
        '{"title": "A", "tags": ["x"]}\n\nBody\n',
    ],
)
def test_all_three_kinds_are_read(text: str) -> None:
    page = taken_apart(text)
    assert (page.values, page.body) == ({"title": "A", "tags": ["x"]}, "Body\n")


def test_a_page_without_front_matter_is_all_body() -> None:
    for text in ("", "Text", "-- -", "---- \n", "--- text\n", "{% raw %}", "{: .class}", "+++a"):
        assert (taken_apart(text).values, taken_apart(text).body) == ({}, text)


def test_yaml_scalars_stay_the_text_they_were() -> None:
    block = "a: no\nb: 012\nc: 1.10\nd: 2026-01-31\ne: ~\nf:\ng: 1e3\nh: 0x1F\ni: 12:30:45\nj: !!int 7"
    values = taken_apart(f"---\n{block}\n---\n").values
    assert values == dict(
        zip("abcdefghij", ["no", "012", "1.10", "2026-01-31", "~", "", "1e3", "0x1F", "12:30:45", "7"], strict=True)
    )


def test_toml_dates_become_text() -> None:
    assert taken_apart("+++\na = 2026-01-31\nb = 09:00:00\n+++\n").values == {"a": "2026-01-31", "b": "09:00:00"}


def test_empty_front_matter_is_none() -> None:
    assert taken_apart("---\n---\nBody").body == "Body"
    assert taken_apart("---\n# only a comment\n---\nBody").values == {}


def test_the_lines_of_yaml_keys_are_told() -> None:
    assert taken_apart("---\n\na: 1\nb:\n  c: 2\n---\n").lines == {"a": 3, "b": 4}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{two}: &{two} [{','.join([f'*{one}'] * 9)}]\n" for one, two in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"---\n{BOMB}---\n", "yaml_alias"),
        ("---\na: &a [*a]\n---\n", "yaml_alias"),
        ("---\ntitle: A\n", "front_matter_unclosed"),
        ("---", "front_matter_unclosed"),
        ("+++\ntitle = 1\n", "front_matter_unclosed"),
        ("---\na: " + "x" * 70_000 + "\n---\n", "front_matter_too_large"),
        ('{"a": "' + "x" * 70_000 + '"}', "front_matter_too_large"),
        ("---\na: [b\n---\n", "bad_front_matter"),
        ("---\n- a\n---\n", "bad_front_matter"),
        ("---\ntext\n---\n", "bad_front_matter"),
        ("---\n[a]: b\n---\n", "bad_front_matter"),
        ("---\na: \x01\n---\n", "bad_front_matter"),
        ("---\na: " + "[" * 60_000 + "\n---\n", "too_deep"),
        ("---\na: " + "{b: " * 10_000 + "\n---\n", "too_deep"),
        ('---\na: "\\0"\n---\n', "nul"),
        ('---\na: "\\ud800"\n---\n', "bad_front_matter"),
        ("+++\na = \n+++\n", "bad_front_matter"),
        ("+++\na = " + "[" * 30_000 + "\n+++\n", "bad_front_matter"),
        ("+++\n" + ".".join("a" * 30_000) + " = 1\n+++\n", "too_deep"),
        ("+++\na = nan\n+++\n", "number_out_of_range"),
        ("+++\na = 9223372036854775808\n+++\n", "number_out_of_range"),
        ("+++\na = 1" + "0" * 5000 + "\n+++\n", "bad_front_matter"),
        ('{"a": NaN}', "bad_front_matter"),
        ('{"a": 1' + "0" * 5000 + "}", "bad_front_matter"),
        ('{"a":' + "[" * 60_000, "bad_front_matter"),
        ('{"a": "\\ud800"}', "lone_surrogate"),
        ('{"a": ', "bad_front_matter"),
    ],
)
def test_bad_front_matter_is_refused(text: str, code: str) -> None:
    assert refusal(text).code == code


def test_a_refusal_names_the_line_and_the_field() -> None:
    assert refusal("---\ntitle: A\ntags: [b\nmore: c\n---\n").line == 4
    assert refusal('+++\na = 1\nb = "\n+++\n').line == 3
    found = refusal('---\ntitle: A\nodd: "\\0"\n---\n')
    assert (found.field, found.line) == ("odd", 3)


def answered(text: str) -> dict[str, Any]:
    try:
        return dict(taken_apart(text).values)
    except Refused:
        return {}


PIECES = [
    "a",
    "b: ",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "|",
    ">",
    "'",
    '"',
    "!!x ",
    "? ",
    "# ",
    "<<: ",
    "=",
]


@given(
    st.sampled_from(["---", "+++", "{"]), st.lists(st.sampled_from([*PIECES, ".", "\\u", "\t", "1", "é"])).map("".join)
)
@example("---", '"\\ud83d\\ude00": 1')
def test_whatever_stands_there_is_read_or_refused(fence: str, block: str) -> None:
    json.dumps(answered(f"{fence}\n{block}\n{fence}\n"), allow_nan=False, ensure_ascii=False).encode()


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    answered(text)
    answered(f"---\n{text}\n---\n")


@given(st.dictionaries(st.text(), st.text()))
def test_what_json_says_is_what_is_read(values: dict[str, str]) -> None:
    clean = {name: value for name, value in values.items() if "\0" not in name + value}
    assert taken_apart(json.dumps(clean)).values == clean
