"""What a definition of a type may say: kinds, names, limits, defaults, and who may filter, sort and search."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from cms import content, saving
from cms.built_in_types import BUILT_IN
from cms.content_types import ContentType
from cms.custom_types import site_types, type_definitions
from cms.custom_types.type_definitions import of_definition, written
from cms.database import Database
from cms.errors import InvalidContent
from cms.field_kinds import KINDS
from tests.cast import Colleague, newest_fields
from tests.cms.vacancies import a_vacancy, put

LOCALES = ("ru", "en")


def made(*fields: Any, name: str = "vacancy", **said: Any) -> ContentType:
    definition = type_definitions.read(name, {"fields": list(fields), **said}, types=BUILT_IN, locales=LOCALES)
    return of_definition(name, definition, revision=1)


def faults(*fields: Any, **said: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidContent) as refused:
        made(*fields, **said)
    return [(fault.pointer, fault.code) for fault in refused.value.faults]


def text(**said: Any) -> dict[str, Any]:
    return {"name": "city", "kind": "text", **said}


# --- what every type has ---


def test_every_type_has_a_title_and_what_sources_bring() -> None:
    assert [field.name for field in made(text()).fields] == ["title", "city", "seo", "source_fields"]
    assert [field.name for field in made(text(), routable=False).fields] == ["title", "city", "source_fields"]
    assert made().fields[1] is BUILT_IN["news"].field("seo")


def test_what_a_get_gave_may_be_sent_back() -> None:
    first = made(text(label="City", limits={"max_length": 5}), {"name": "n", "kind": "number", "default": 2})
    again = made(*(written(field) for field in first.fields))
    assert [written(field) for field in again.fields] == [written(field) for field in first.fields]


def test_a_definition_is_read_once(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        put(session, by=olga.by())
    with database.reading() as one, database.reading() as other:
        assert site_types.find(one, "vacancy") is site_types.find(other, "vacancy")


def test_the_stamp_changes_with_the_types(session: Session, olga: Colleague) -> None:
    stamps = [site_types.stamp(session)]
    for label in ("City", "Town"):
        put(session, by=olga.by(), city={"label": label})
        stamps.append(site_types.stamp(session))
    assert len(set(stamps)) == 3


def test_a_label_for_every_locale_is_kept_for_each() -> None:
    field = made(text(label="City", help={"*": "Where", "en": "Where to"})).field("city")
    assert field is not None
    assert (field.label, field.help) == ({"ru": "City", "en": "City"}, {"ru": "Where", "en": "Where to"})


# --- names ---


@pytest.mark.parametrize("name", ["", "City", "1city", "_city", "ci-ty", "c" * 64, "город", "c ity", "city\n", "c'ty"])
def test_a_bad_name_is_refused(name: str) -> None:
    assert faults(text(name=name)) == [("/fields/0/name", "bad_name")]
    assert faults(name=name) == [("/name", "bad_name")]


@pytest.mark.parametrize("name", ["id", "type", "locale", "section", "slug", "state", "published_at", "request"])
def test_a_reserved_name_is_refused(name: str) -> None:
    assert faults(text(name=name)) == [("/fields/0/name", "reserved")]


@pytest.mark.parametrize("name", ["news", "structure", "person"])
def test_a_type_is_not_called_as_one_that_is_built_in(name: str) -> None:
    assert faults(name=name) == [("/name", "bad_name")]


@pytest.mark.parametrize("name", ["json", "copy", "model_config", "model_dump", "schema", "dict", "validate", "items"])
def test_a_field_may_be_called_as_python_or_pydantic_call_things(name: str) -> None:
    kind = made(text(name=name), {"name": "inner", "kind": "group", "fields": [text(name=name)]})
    given = {"title": "A", name: "B", "inner": {name: "C"}}
    read = content.read(kind, given).fields
    assert (read[name], read["inner"]) == ("B", {name: "C"})


def test_a_name_is_used_once_at_each_level() -> None:
    assert faults(text(), text()) == [("/fields/1/name", "name_twice")]
    group = {"name": "group", "kind": "group", "fields": [text(), text()]}
    assert faults(text(), group) == [("/fields/1/fields/1/name", "name_twice")]


# --- what is wrong ---


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ({"kind": "sections"}, ("/fields/0/kind", "literal_error")),
        ({"kind": "nonsense"}, ("/fields/0/kind", "literal_error")),
        ({"nonsense": 1}, ("/fields/0/nonsense", "unknown_field")),
        ({"required": "yes"}, ("/fields/0/required", "bool_type")),
        ({"label": 5}, ("/fields/0/label", "dict_type")),
        ({"types": ["news"]}, ("/fields/0/types", "not_possible")),
        ({"kind": "reference", "types": ["nothing"]}, ("/fields/0/types/0", "unknown_type")),
        ({"choices": ["a"]}, ("/fields/0/choices", "not_possible")),
        ({"kind": "choice"}, ("/fields/0/choices", "missing")),
        ({"fields": [text()]}, ("/fields/0/fields", "not_possible")),
        ({"kind": "group"}, ("/fields/0/fields", "missing")),
        ({"limits": {"min": 1}}, ("/fields/0/limits/min", "not_possible")),
        ({"limits": {"max_length": 601}}, ("/fields/0/limits/max_length", "out_of_range")),
        ({"limits": {"min_length": 5, "max_length": 4}}, ("/fields/0/limits/min_length", "out_of_range")),
        ({"limits": {"min_length": -1}}, ("/fields/0/limits/min_length", "greater_than_equal")),
        ({"kind": "number", "limits": {"min": "1"}}, ("/fields/0/limits/min", "wrong_kind")),
        ({"kind": "number", "limits": {"min": 2, "max": 1.5}}, ("/fields/0/limits/min", "out_of_range")),
        ({"kind": "date", "limits": {"max": "soon"}}, ("/fields/0/limits/max", "wrong_kind")),
        (
            {"kind": "date", "limits": {"min": "2026-02-01", "max": "2026-01-01"}},
            ("/fields/0/limits/min", "out_of_range"),
        ),
        ({"kind": "number", "default": "x"}, ("/fields/0/default", "value_error")),
        ({"limits": {"max_length": 1}, "default": "xx"}, ("/fields/0/default", "too_long")),
        ({"kind": "rich_text", "default": "x"}, ("/fields/0/default", "not_possible")),
        ({"public": False, "filterable": "everyone"}, ("/fields/0/filterable", "not_public")),
        ({"public": False, "searchable": "everyone"}, ("/fields/0/searchable", "not_public")),
        ({"kind": "rich_text", "sortable": "staff"}, ("/fields/0/sortable", "not_possible")),
        ({"kind": "topics", "sortable": "everyone"}, ("/fields/0/sortable", "not_possible")),
        ({"kind": "number", "searchable": "staff"}, ("/fields/0/searchable", "not_possible")),
        ({"name": "title", "kind": "number", "required": True}, ("/fields/0/kind", "wrong_kind")),
        ({"name": "title"}, ("/fields/0", "title")),
        ({"name": "cover"}, ("/fields/0/kind", "wrong_kind")),
        ({"name": "topics"}, ("/fields/0/kind", "wrong_kind")),
        ({"name": "seo"}, ("/fields/0/kind", "wrong_kind")),
        ({"name": "source_fields"}, ("/fields/0/kind", "wrong_kind")),
        ({"kind": "group", "fields": [text(kind="upload")]}, ("/fields/0/fields/0/kind", "not_possible")),
        ({"kind": "group", "fields": [text(sortable="staff")]}, ("/fields/0/fields/0/sortable", "not_possible")),
    ],
)
def test_what_makes_no_sense_is_refused(field: dict[str, Any], wrong: tuple[str, str]) -> None:
    assert faults({**text(), **field}) == [wrong]


def test_pointers_are_those_of_what_was_given() -> None:
    ours = [written(field) for field in made().fields if field.name == "seo"]
    assert faults(*ours, text(kind="nonsense")) == [("/fields/1/kind", "literal_error")]


def test_groups_are_three_deep_at_most() -> None:
    field: dict[str, Any] = text()
    for _ in range(3):
        field = {"name": "group", "kind": "groups", "fields": [field]}
    assert made(field).field("group") is not None
    assert faults({"name": "group", "kind": "group", "fields": [field]})[0][1] == "too_deep"


def test_a_type_has_two_hundred_fields_at_most() -> None:
    fields = [text(name=f"city_{number}") for number in range(201)]
    assert len(made(*fields[:200]).fields) == 203
    assert faults(*fields)[0][1] == "too_long"
    assert faults(*fields[:199], {"name": "g", "kind": "group", "fields": [text()]}) == [("/fields", "too_many")]


def test_there_is_one_file_at_most() -> None:
    assert faults(text(name="a", kind="upload"), text(name="b", kind="upload")) == [("/fields", "too_many")]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "kind", "*"]), inner),
    max_leaves=5,
)
MEMBERS = st.dictionaries(st.sampled_from([*written(BUILT_IN["news"].fields[0])]), ANYTHING, max_size=4)
LIMITS = st.dictionaries(st.sampled_from(["min", "max", "max_length", "min_items"]), ANYTHING, max_size=2)


@given(field=ANYTHING | MEMBERS, kind=st.sampled_from([*KINDS]), limits=LIMITS, named=st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_is_given_is_read_or_refused(field: Any, kind: str, limits: dict[str, Any], named: bool) -> None:
    if named and isinstance(field, dict):
        field = {"limits": limits, **field, "name": "city", "kind": kind}
    try:
        kept = made(field)
    except InvalidContent:
        return
    assert made(*(written(one) for one in kept.fields)).fields


# --- values ---


def test_a_default_stands_for_what_is_not_given(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by(), city={"default": "Kazan"}, remote={"default": False})
    entry = a_vacancy(session, by=olga.by())
    assert (newest_fields(session, entry)["city"], newest_fields(session, entry)["remote"]) == ("Kazan", False)
    said = a_vacancy(session, by=olga.by(), city=None, remote=True)
    assert (newest_fields(session, said)["city"], newest_fields(session, said)["remote"]) == (None, True)


def test_a_default_is_not_put_back_by_a_save(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by(), city={"default": "Kazan"})
    entry = a_vacancy(session, by=olga.by(), city=None)
    saving.save(session, entry, {"fields": {"salary": 1}}, expected=1, by=olga.by())
    assert newest_fields(session, entry)["city"] is None


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        ({"kind": "number", "limits": {"min": 0, "max": 1.5}}, [0, 1, 1.5], [-1, 1.6, 2]),
        ({"kind": "date", "limits": {"min": "2026-01-01"}}, ["2026-01-01"], ["2025-12-31"]),
        (
            {"kind": "instant", "limits": {"max": "2026-01-01T00:00:00Z"}},
            ["2026-01-01T03:00:00+03:00"],
            ["2026-01-02T00:00:00Z"],
        ),
        ({"kind": "text", "limits": {"min_length": 2, "max_length": 3}}, ["ab", "ёжи", ""], ["a", "abcd"]),
        ({"kind": "text"}, ["x" * 600], ["x" * 601]),
        ({"kind": "text", "filterable": "nobody", "sortable": "nobody"}, ["x" * 1_000], ["x" * 1_001]),
        ({"kind": "topics", "limits": {"min_items": 1, "max_items": 2}}, [["a"], ["a", "b"]], [[], ["a", "b", "c"]]),
        ({"kind": "choice", "choices": ["a", "b"]}, ["a"], ["c", ""]),
    ],
)
def test_limits_hold(field: dict[str, Any], right: list[Any], wrong: list[Any]) -> None:
    kind = made({"name": "thing", **field}) if field["kind"] != "topics" else made({**field, "name": "topics"})
    name = "topics" if field["kind"] == "topics" else "thing"
    for value in right:
        content.read(kind, {"title": "A", name: value})
    for value in wrong:
        with pytest.raises(InvalidContent) as refused:
            content.read(kind, {"title": "A", name: value})
        assert [fault.pointer for fault in refused.value.faults] == [f"/fields/{name}"]
