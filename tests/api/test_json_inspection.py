"""Which JSON texts the boundary lets through, and what it says of the others."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.json_inspection import find_json_fault

DEPTH = 64

clean_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
clean_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | clean_text,
    lambda inner: st.lists(inner) | st.dictionaries(clean_text, inner),
)
any_json = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


def code_of(text: str | bytes) -> str | None:
    fault = find_json_fault(text.encode() if isinstance(text, str) else text, depth=DEPTH)
    return fault.code if fault else None


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775807",
        "-9223372036854775808",
        "0.12345678901234567890123",
        "1e-400",
        r'"a \\u0000 b"',
        r'"\\\\ud800"',
        r'"\ud83d\ude00"',
        '"{[{[ not brackets \\" ]"',
        " [1, 2 ]\n",
        "[" * 64 + "]" * 64,
        "[" + "[]," * 1000 + "[]]",
        '{"a":1,"a":2}',
    ],
)
def test_what_can_be_stored_passes(text: str) -> None:
    assert code_of(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("9223372036854775808", "integer_out_of_range"),
        ("-9223372036854775809", "integer_out_of_range"),
        ("9" * 100_000, "integer_out_of_range"),
        ("9" * 100_000 + ".5", "number_too_long"),
        ("1e" + "9" * 5_000, "number_too_long"),
        ("1e999", "number_not_finite"),
        ("NaN", "number_not_finite"),
        ("[-Infinity]", "number_not_finite"),
        (r'"\u0000"', "nul_character"),
        (r'"\\\u0000"', "nul_character"),
        (r'{"\u0000": 1}', "nul_character"),
        (r'"\ud800"', "lone_surrogate"),
        (r'"\udc00 \ud800"', "lone_surrogate"),
        (r'"\ud83d\ud83d\ude00"', "lone_surrogate"),
        (r'"\ud83d\\\ude00"', "lone_surrogate"),
        ("[" * 65 + "]" * 65, "too_deep"),
        ("[" * 300 + "]" * 300, "too_deep"),
        ('{"a":' * 300 + "1" + "}" * 300, "too_deep"),
        ("[" * 1_000_000, "too_deep"),
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("[1,]", "malformed_json"),
        ('"' + '\\"' * 100_000, "malformed_json"),
        ('"' * 100_001, "malformed_json"),
    ],
)
def test_what_cannot_be_stored_is_named(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_other_encodings_are_malformed(encoding: str) -> None:
    assert code_of('{"a": "\\u0000"}'.encode(encoding)) == "malformed_json"


def test_a_byte_that_is_not_utf8_is_malformed() -> None:
    assert code_of(b'"\xff"') == "malformed_json"


def test_a_raw_nul_is_malformed() -> None:
    assert code_of(b'"\x00"') == "malformed_json"


def test_the_fault_says_where_it_is() -> None:
    fault = find_json_fault(rb'{"fields": {"a/b~c": [1, "\u0000"]}}', depth=DEPTH)
    assert fault
    assert fault.pointer == "/fields/a~1b~0c/1"


def test_a_number_that_is_overwritten_by_a_later_one_is_not_a_fault() -> None:
    assert code_of('{"a": 99999999999999999999, "a": 1}') is None


@given(clean_json)
def test_every_clean_document_passes(document: Any) -> None:
    assert code_of(json.dumps(document)) is None
    assert code_of(json.dumps(document, ensure_ascii=False)) is None


@given(any_json)
@settings(deadline=None)
def test_a_document_passes_exactly_when_all_in_it_can_be_stored(document: Any) -> None:
    text = json.dumps(document)
    assert (code_of(text) is None) == storable(json.loads(text))


@given(st.binary() | st.text(alphabet='[]{}",:\\u0dD8cC9eE.-+ \n').map(str.encode))
@settings(deadline=None)
def test_no_bytes_make_it_fail_and_what_passes_can_be_read(body: bytes) -> None:
    if find_json_fault(body, depth=DEPTH) is None:
        assert storable(json.loads(body))


def storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and value.encode("utf-8", "replace").decode() == value
    if isinstance(value, dict):
        return all(storable(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(map(storable, value))
    return value is None or -(2**63) <= value < 2**63 or (isinstance(value, float) and abs(value) < float("inf"))
