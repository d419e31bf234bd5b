"""Content types as data: their fields, and the JSON Schema of what they take."""

from typing import Any

import jsonschema_rs
import pytest

from tests.api.desk import data_of, fresh, plain, refused
from tests.api.serving import Site

TYPES = ("news", "article", "page", "image", "file")


def schema(site: Site, type: str) -> dict[str, Any]:
    found: dict[str, Any] = data_of(site.reader.get(f"types/{type}"))["schema"]
    return found


def rich(site: Site) -> dict[str, Any]:
    """A value for every field that a text has."""
    image, file, related = (site.editor.write(type)["id"] for type in ("image", "file", "article"))
    return {
        "title": fresh("title"),
        "summary": "Summary",
        "body": plain("**Words**"),
        "cover": image,
        "topics": ["office", "people"],
        "related": [related],
        "attachments": [file],
        "seo": {"title": "T", "description": None, "image": image, "noindex": True},
        "source_fields": {"anything": [1, {"deep": None}]},
    }


def test_all_types_are_listed_with_their_fields(site: Site) -> None:
    listed = {one["name"]: one for one in data_of(site.reader.get("types"))}
    assert listed.keys() >= {*TYPES, "menu", "structure", "settings"}
    fields = {field["name"]: field for field in listed["news"]["fields"]}
    assert (fields["title"]["kind"], fields["title"]["required"]) == ("text", True)
    assert (fields["cover"]["kind"], fields["cover"]["types"]) == ("reference", ["image"])
    assert fields["source_fields"]["public"] is False
    assert (listed["image"]["routable"], listed["structure"]["single"]) == (False, True)


def test_a_type_that_does_not_exist_is_not_found(site: Site) -> None:
    for type in ("nonsense", "News", "__class__"):
        refused(site.reader.get(f"types/{type}"), 404, "not_found")


@pytest.mark.parametrize("type", [*TYPES, "menu", "structure", "settings"])
def test_the_schema_of_a_type_is_a_json_schema(site: Site, type: str) -> None:
    found = schema(site, type)
    jsonschema_rs.meta.validate(found)
    assert found["additionalProperties"] is False
    named = [field["name"] for field in data_of(site.reader.get(f"types/{type}"))["fields"]]
    assert list(found["properties"]) == named


def test_the_schema_accepts_what_post_accepts(site: Site) -> None:
    fields = rich(site)
    jsonschema_rs.validate(schema(site, "news"), fields)
    made = site.editor.write("news", **fields)
    assert made["fields"]["topics"] == ["office", "people"]


def test_the_schema_accepts_what_a_get_gives(site: Site) -> None:
    for type, entry in {"news": site.editor.write("news", **rich(site)), "image": site.editor.write("image")}.items():
        jsonschema_rs.validate(schema(site, type), entry["fields"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": None},
        {"title": 7},
        {"title": "x" * 1_001},
        {"summary": ["x"]},
        {"summary": "x" * 50_001},
        {"topics": "office"},
        {"topics": [""]},
        {"related": "x"},
        {"seo": {"noindex": "yes"}},
        {"seo": {"nonsense": 1}},
        {"nonsense": 1},
        {"source_fields": "x"},
    ],
)
def test_the_schema_and_post_refuse_alike(site: Site, wrong: dict[str, Any]) -> None:
    fields = {"title": "T", **wrong}
    assert not jsonschema_rs.is_valid(schema(site, "news"), fields)
    refused(site.editor.post("entries", json={"type": "news", "locale": "ru", "fields": fields}), 422, "invalid_body")
