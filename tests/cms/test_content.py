"""What is written in an entry: read by kind, merged as a patch, every fault with its place."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms import content, content_types
from cms.built_in_types import BUILT_IN
from cms.content_types import ContentType, Field
from cms.errors import InvalidContent
from cms.field_kinds import KINDS, moment_text
from tests.cast import MORNING, NOBODY_ID, words

NEWS = BUILT_IN["news"]
OF_EVERY_KIND = ContentType(
    "every",
    tuple(
        Field(kind, kind, choices=("red", "green"), fields=(Field("x", "number"), Field("y", "text", required=True)))
        for kind in KINDS
    ),
)


def read(**given: Any) -> dict[str, Any]:
    return content.read(OF_EVERY_KIND, given).fields


def faults(content_type: ContentType, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidContent) as refused:
        content.read(content_type, given)
    return [(fault.pointer, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("text", "  Office hours ", "Office hours"),
        ("text", "", ""),
        ("long_text", " two\nlines ", " two\nlines "),
        ("number", 7, 7),
        ("number", -2.5, -2.5),
        ("boolean", False, False),
        ("date", "2026-11-30", "2026-11-30"),
        ("instant", "2026-11-30T10:00:00+03:00", "2026-11-30T07:00:00.000000Z"),
        ("instant", "2026-11-30T10:00:00.5Z", "2026-11-30T10:00:00.500000Z"),
        ("choice", "red", "red"),
        ("topics", [" hr ", "it", "hr"], ["hr", "it"]),
        ("url", "https://example.org/a?b#c", "https://example.org/a?b#c"),
        ("email", "olga@example.org", "olga@example.org"),
        ("reference", NOBODY_ID, NOBODY_ID),
        ("references", [NOBODY_ID, NOBODY_ID], [NOBODY_ID, NOBODY_ID]),
        ("group", {"y": "a"}, {"x": None, "y": "a"}),
        ("groups", [{"y": "a", "x": 1}], [{"x": 1, "y": "a"}]),
        ("object", {"any": ["thing", 1]}, {"any": ["thing", 1]}),
        ("folder", " /press// 2026/ ", "press/2026"),
        ("folder", "/".join("abcdefghij"), "a/b/c/d/e/f/g/h/i/j"),
        ("folder", "//", None),
    ],
)
def test_a_value_of_its_kind_is_kept(kind: str, value: Any, kept: Any) -> None:
    assert read(**{kind: value})[kind] == kept


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_kept_as_null(kind: str) -> None:
    assert read()[kind] is None
    assert read(**{kind: None})[kind] is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 7),
        ("text", "x" * 1_001),
        ("text", "a\0b"),
        ("text", ["a"]),
        ("folder", "press/../secret"),
        ("folder", "a\nb"),
        ("folder", "/".join("abcdefghijk")),
        ("folder", "x" * 201),
        ("long_text", "x" * 50_001),
        ("number", "7"),
        ("number", True),
        ("number", float("nan")),
        ("number", float("inf")),
        ("number", 2**53 + 1),
        ("number", 10**400),
        ("boolean", 1),
        ("boolean", "true"),
        ("date", 20261130),
        ("date", "30.11.2026"),
        ("date", "2026-13-01"),
        ("date", "2026-11-30T10:00:00Z"),
        ("instant", "2026-11-30T10:00:00"),
        ("instant", 1_700_000_000),
        ("instant", "0001-01-01T00:00:00+23:59"),
        ("choice", "blue"),
        ("topics", "hr"),
        ("topics", [""]),
        ("topics", ["x"] * 201),
        ("topics", [None]),
        ("url", "javascript:alert(1)"),
        ("url", "//example.org"),
        ("url", "http://["),
        ("url", "http://"),
        ("email", "olga"),
        ("reference", "hours"),
        ("reference", NOBODY_ID.upper().replace("0", "A")),
        ("references", [7]),
        ("references", [NOBODY_ID] * 1_001),
        ("rich_text", "words"),
        ("rich_text", {"format": "pdf", "value": ""}),
        ("rich_text", {"format": "doc", "value": {"type": "paragraph"}}),
        ("group", "x"),
        ("group", {}),
        ("groups", {"y": "a"}),
        ("groups", [{"y": "a"}] * 1_001),
        ("object", ["x"]),
        ("sections", [{"slug": "x"}]),
        ("upload", "x"),
    ],
)
def test_a_value_of_another_kind_is_refused_at_its_place(kind: str, value: Any) -> None:
    assert faults(OF_EVERY_KIND, {kind: value})[0][0].startswith(f"/fields/{kind}")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"title": "x", "seo": {"noindex": 1}}, "/fields/seo/noindex"),
        ({"title": "x", "seo": {"colour": 1}}, "/fields/seo/colour"),
        ({"title": "x", "related": [NOBODY_ID, "y"]}, "/fields/related/1"),
        ({"title": "x", "body": "words"}, "/fields/body"),
        ({}, "/fields/title"),
        ({"title": "x", "Title": "y"}, "/fields/Title"),
        pytest.param(
            {"title": "x", "a/b~c": 1},
            "/fields/a~1b~0c",
        ),
        pytest.param(
            {"title": "x", "ti[tle": 1},
            "/fields/ti[tle",
        ),
    ],
)
def test_a_fault_points_at_its_place(given: dict[str, Any], pointer: str) -> None:
    assert [one for one, _ in faults(NEWS, given)] == [pointer]


def test_a_fault_deep_in_a_menu_is_found() -> None:
    items = [{"label": "A"}, {"label": "B", "items": [{"label": "C", "url": "ftp://x"}]}]
    assert faults(BUILT_IN["menu"], {"title": "x", "items": items}) == [("/fields/items/1/items/0/url", "value_error")]


def test_a_menu_is_only_so_deep() -> None:
    item: dict[str, Any] = {"label": "x"}
    for _ in range(4):
        item = {"label": "x", "items": [item]}
    assert content.read(BUILT_IN["menu"], {"title": "x", "items": [item]}).fields["items"]
    deeper = {"title": "x", "items": [{"label": "x", "items": [item]}]}
    assert faults(BUILT_IN["menu"], deeper) == [("/fields/items", "too_deep")]


def test_what_of_a_text_does_not_fit_is_a_warning_at_its_field() -> None:
    given = {"title": "x", "body": {"format": "html", "value": "<p>a</p><script>b</script>"}}
    assert {fault.pointer for fault in content.read(NEWS, given).warnings} == {"/fields/body"}


def test_what_was_read_reads_as_itself() -> None:
    once = content.read(NEWS, {"title": "x", "body": words("One *two*"), "seo": {"noindex": True}}).fields
    assert content.read(NEWS, once | {"body": {"format": "doc", "value": once["body"]}}).fields == once


@pytest.mark.parametrize("content_type", [*BUILT_IN.values(), OF_EVERY_KIND], ids=lambda one: one.name)
def test_every_type_has_a_schema_that_refuses_other_members(content_type: ContentType) -> None:
    schema = content_types.model(content_type).model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() == {field.name for field in content_type.fields}


def test_instants_sort_as_their_texts_do() -> None:
    later = [MORNING.replace(microsecond=number) for number in (0, 1, 500_000)]
    assert sorted(later) == sorted(later, key=moment_text)


def test_every_reference_is_found_with_the_types_that_belong_there() -> None:
    other = NOBODY_ID.replace("0000", "0001")
    fields = content.read(
        NEWS, {"title": "x", "cover": NOBODY_ID, "related": [other], "body": words(f"![x](entry:{other})")}
    ).fields
    assert [*content.references(NEWS, fields)] == [
        ("/fields/body", other, ("image",)),
        ("/fields/cover", NOBODY_ID, ("image",)),
        ("/fields/related/0", other, ("news", "article", "page")),
    ]


def test_search_looks_at_words_and_at_nothing_private() -> None:
    fields = content.read(
        NEWS, {"title": "Title", "body": words("One *two*"), "topics": ["hr"], "source_fields": {"x": "secret"}}
    ).fields
    assert content.searched(NEWS, fields, public=True) == {"summary": "", "topics": ["hr"], "text": "One two"}


# --- patches ---

PATCHED = ContentType(
    "patched",
    (
        Field("a", "text"),
        Field("b", "topics"),
        Field("c", "group", fields=(Field("a", "text"), Field("d", "group", fields=(Field("a", "text"),)))),
    ),
)
SCALARS = st.none() | st.sampled_from(["one", "two", "three"])
INNER = st.fixed_dictionaries({}, optional={"a": SCALARS})
GROUP = st.none() | st.fixed_dictionaries({}, optional={"a": SCALARS, "d": st.none() | INNER})
LISTS = st.none() | st.lists(st.sampled_from(["x", "y"]), max_size=2, unique=True)
VALUES = st.fixed_dictionaries({}, optional={"a": SCALARS, "b": LISTS, "c": GROUP})


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(one) for name, one in value.items() if one is not None}


@given(before=VALUES, patch=VALUES)
def test_a_patch_is_a_json_merge_patch(before: dict[str, Any], patch: dict[str, Any]) -> None:
    stored = content.read(PATCHED, before).fields
    merged = content.merge(PATCHED, stored, patch)
    assert without_nulls(merged) == without_nulls(merge_patch(without_nulls(stored), patch))
    assert content.read(PATCHED, merged).fields == content.read(PATCHED, merge_patch(before, patch)).fields


@given(before=VALUES, patch=VALUES)
def test_a_patch_twice_is_a_patch_once(before: dict[str, Any], patch: dict[str, Any]) -> None:
    once = content.merge(PATCHED, before, patch)
    assert content.merge(PATCHED, once, patch) == once


def test_a_patch_leaves_what_it_was_made_against() -> None:
    before = {"a": "one", "c": {"a": "two"}}
    content.merge(PATCHED, before, {"c": {"a": "three"}})
    assert before == {"a": "one", "c": {"a": "two"}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*KINDS, "x"]), JSON, max_size=4))
def test_whatever_is_given_is_read_or_refused(given: dict[str, Any]) -> None:
    try:
        content.read(OF_EVERY_KIND, given)
    except InvalidContent as refused:
        assert refused.faults  # noqa: PT017 - either way is right


def test_an_address_that_opens_a_file_for_staff_loses_what_opens_it() -> None:
    address = f"/media/{'ab' * 32}/plan.pdf"
    signed = f"{address}?signature=98781aea"
    banner = content.read(BUILT_IN["banner"], {"title": "x", "link": signed}).fields
    menu = content.read(BUILT_IN["menu"], {"title": "x", "items": [{"label": "Plan", "url": signed}]}).fields
    assert (banner["link"], menu["items"][0]["url"]) == (address, address)
