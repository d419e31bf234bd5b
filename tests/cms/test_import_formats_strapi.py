"""Strapi exports: entities of chosen types with what they are linked to, drafts, locales, blocks and components."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Asset, Author, Link, Options, Problem, SourceUnreadable, Target
from tests.cms.exports_at_hand import ARTICLE, item, items, reading, strapi, strapi_entity, strapi_export

ART = "api::article.article"


def link(left: tuple[str, int, str], right: tuple[str, int, str], **position: int) -> dict[str, Any]:
    one, other = (dict(zip(("type", "ref", "field"), side, strict=True)) for side in (left, right))
    return {"kind": "relation.basic", "left": {**one, **position}, "right": other}


def upload(id: int, url: str, **told: str) -> dict[str, Any]:
    return strapi_entity(id, "plugin::upload.file", name="office.jpg", url=url, mime="image/jpeg", **told)


def html(place: Path, **fields: Any) -> str:
    root = strapi_export(place, entities=[strapi_entity(1, documentId="d", title="T", **fields)])
    return str(item("strapi", root).fields["body"]["value"])


def test_an_entity_becomes_an_article_with_what_it_is_linked_to(tmp_path: Path) -> None:
    days = {"createdAt": 1, "publishedAt": 2, "updatedAt": 3}
    times = {name: f"2024-01-0{day}T10:00:00.000Z" for name, day in days.items()}
    entities = [
        strapi_entity(7, title="Hello", slug="hello", body="*Text*", odd="kept", **times),
        strapi_entity(8, title="Other"),
        strapi_entity(3, "api::author.author", name="Anna", email="a@example.org"),
        strapi_entity(1, "api::tag.tag", name="News"),
        strapi_entity(2, "api::tag.tag", name="Office"),
        upload(5, "/uploads/office.jpg", alternativeText="The entrance"),
    ]
    links = [
        link((ART, 7, "tags"), ("api::tag.tag", 2, "articles"), pos=2),
        link((ART, 7, "tags"), ("api::tag.tag", 1, "articles"), pos=1),
        link((ART, 7, "author"), ("api::author.author", 3, "articles")),
        link(("plugin::upload.file", 5, "related"), (ART, 7, "cover")),
        link((ART, 7, "related"), (ART, 8, "")),
        link((ART, 7, "author"), ("api::author.author", 99, "articles")),
    ]
    root = strapi_export(tmp_path, entities=entities, links=links)
    (root / "assets" / "uploads").mkdir(parents=True)
    picture = root / "assets" / "uploads" / "office.jpg"
    picture.write_bytes(b"x")
    found, other = items("strapi", root)
    assert (found.external_id, found.slug, found.draft, other.draft) == ("article:7", "hello", False, True)
    assert found.fields == {
        "title": "Hello",
        "body": {"format": "markdown", "value": "*Text*"},
        "cover": Link("asset", "/uploads/office.jpg"),
        "topics": ["News", "Office"],
        "related": [Link("item", "article:8")],
    }
    assert found.byline == (Author("author:3", "Anna", "a@example.org"),)
    assert (found.created_at, found.first_published_at, found.changed_at) == tuple(
        datetime(2024, 1, day, 10, tzinfo=UTC) for day in (1, 2, 3)
    )
    assert found.source_fields == {"odd": "kept"}
    said = {"title": "office.jpg", "alt": "The entrance"}
    assert list(reading("strapi", root).assets()) == [Asset("/uploads/office.jpg", picture, None, said)]


def test_the_draft_and_what_is_published_are_one_item(tmp_path: Path) -> None:
    entities = [
        strapi_entity(1, documentId="d1", locale="en", title="Draft of it", publishedAt=None),
        strapi_entity(2, documentId="d1", locale="en", title="Published", publishedAt="2024-01-01T00:00:00Z"),
        strapi_entity(3, documentId="d1", locale="ru", title="По-русски", publishedAt=None),
        strapi_entity(4, documentId="d2", locale="en", title="Never published", publishedAt=None),
    ]
    found = items("strapi", strapi_export(tmp_path, entities=entities))
    assert [(one.external_id, one.locale, one.fields["title"], one.draft) for one in found] == [
        ("d1", "en", "Published", False),
        ("d1:ru", "ru", "По-русски", True),
        ("d2", "en", "Never published", True),
    ]


def test_the_default_locale_is_the_site_s(tmp_path: Path) -> None:
    told = {"type": "core-store", "value": {"key": "plugin_i18n_default_locale", "value": '"ru"'}}
    entities = [strapi_entity(n, documentId="d", locale=locale, title="T") for n, locale in enumerate(("ru", "en"))]
    root = strapi_export(tmp_path, entities=entities, configuration=[told])
    assert [one.external_id for one in items("strapi", root)] == ["d", "d:en"]


def test_without_draft_and_publish_everything_is_published(tmp_path: Path) -> None:
    root = strapi_export(tmp_path, schemas=[{**ARTICLE, "options": {}}], entities=[strapi_entity(1, title="T")])
    assert not item("strapi", root).draft


def test_blocks_become_html(tmp_path: Path) -> None:
    schema = {**ARTICLE, "attributes": {"title": {"type": "string"}, "body": {"type": "blocks"}}}
    blocks = [
        {"type": "heading", "level": 2, "children": [{"type": "text", "text": "Head"}]},
        {"type": "paragraph", "children": [
            {"type": "text", "text": "a<b", "bold": True, "italic": True},
            {"type": "link", "url": "/x", "children": [{"type": "text", "text": "there"}]},
        ]},
        {"type": "list", "format": "ordered", "children": [
            {"type": "list-item", "children": [{"type": "text", "text": "one"}]},
            {"type": "list", "format": "unordered", "children": [{"type": "list-item", "children": []}]},
        ]},
        {"type": "quote", "children": [{"type": "text", "text": "said"}]},
        {"type": "code", "language": "js", "children": [{"type": "text", "text": "a < b"}]},
        {"type": "image", "image": {"url": "/uploads/a.png", "alternativeText": "A", "caption": "C"}},
    ]  # fmt: skip
    root = strapi_export(tmp_path, schemas=[schema], entities=[strapi_entity(1, title="T", body=blocks)])
    assert item("strapi", root).fields["body"]["value"] == (
        '<h2>Head</h2><p><strong><em>a&lt;b</em></strong><a href="/x">there</a></p>'
        "<ol><li>one</li><li><ul><li></li></ul></li></ol><blockquote><p>said</p></blockquote>"
        '<pre><code class="language-js">a &lt; b</code></pre>'
        '<figure><img src="/uploads/a.png" alt="A"><figcaption>C</figcaption></figure>'
    )


def test_components_of_a_dynamic_zone_become_one_text(tmp_path: Path) -> None:
    parts = [
        {"__component": "shared.rich-text", "id": 1, "title": "Head", "body": "*Text*"},
        {"__component": "shared.media", "file": {"url": "/uploads/a.png"}},
        {"__component": "shared.quote", "html": "<p>Said</p>"},
    ]
    assert html(tmp_path, parts=parts) == (
        '<h2>Head</h2><p><em>Text</em></p>\n<figure><img src="/uploads/a.png"></figure><p>Said</p>'
    )


def test_the_content_type_is_the_largest_or_chosen(tmp_path: Path) -> None:
    page = {**ARTICLE, "uid": "api::page.page", "info": {"singularName": "page", "displayName": "Page"}}
    tag = {"uid": "api::tag.tag", "info": {}, "attributes": {"name": {"type": "string"}}}
    entities = [
        strapi_entity(1, title="A"),
        strapi_entity(2, title="B"),
        strapi_entity(1, "api::page.page", title="P"),
        *(strapi_entity(number, "api::tag.tag", name="T") for number in range(5)),
    ]
    root = strapi_export(tmp_path, schemas=[tag, page, ARTICLE], entities=entities)
    assert [one.external_id for one in items("strapi", root)] == ["article:1", "article:2"]
    [found] = items("strapi", root, content_type="Page")
    assert (found.external_id, found.type) == ("page:1", "page")
    assert len(items("strapi", root, content_type="article, api::page.page")) == 3
    with pytest.raises(SourceUnreadable, match=r"api::article\.article"):
        items("strapi", root, content_type="nothing")


def test_files_on_the_network_are_fetched_from_there(tmp_path: Path) -> None:
    entities = [
        strapi_entity(1, title="T"),
        upload(1, "https://cdn.x/a.jpg"),
        upload(2, "/uploads/b.jpg"),
        upload(3, "x"),
    ]
    root = strapi_export(tmp_path, entities=entities)
    named = {"title": "office.jpg"}
    assert list(reading("strapi", root).assets()) == [Asset("https://cdn.x/a.jpg", None, "https://cdn.x/a.jpg", named)]
    read = reading("strapi", root, base_url="https://cms.x/")
    assert [one.url for one in read.assets()] == ["https://cdn.x/a.jpg", "https://cms.x/uploads/b.jpg"]
    assert read.target("x", "https://cms.x/uploads/b.jpg?x=1") == Target("asset", "/uploads/b.jpg")
    assert read.target("x", "/uploads/b.jpg") == Target("asset", "/uploads/b.jpg")
    assert read.target("x", "https://cdn.x/a.jpg") == Target("asset", "https://cdn.x/a.jpg")
    assert read.target("x", "https://cdn.x/a") is None


def test_a_mapping_says_what_a_field_means(tmp_path: Path) -> None:
    root = strapi_export(tmp_path, entities=[strapi_entity(1, title="T", odd="Short", seo={"words": "Deep"})])
    found = item("strapi", root, Options(mapping={"odd": "summary", "seo.words": "slug"}))
    assert (found.fields, found.slug) == ({"title": "T", "summary": "Short"}, "Deep")


def test_bad_lines_are_problems_in_their_places(tmp_path: Path) -> None:
    entities = [
        strapi_entity(1, title="A"),
        "{",
        "[]",
        strapi_entity(2),
        strapi_entity(1, title="A"),
        strapi_entity(3, title="B"),
    ]
    read = reading("strapi", strapi_export(tmp_path, entities=entities))
    found = list(read.items())
    assert [one.code if isinstance(one, Problem) else "item" for one in found] == [
        "item",
        "not_json",
        "not_json",
        "missing",
        "duplicate",
        "item",
    ]
    assert [one.line for one in found if isinstance(one, Problem)] == [2, 3, 4, 5]
    assert read.count() == len(found)


def test_it_is_recognised_also_one_folder_down(tmp_path: Path) -> None:
    assert FORMATS["strapi"].recognise(tmp_path) == 0
    strapi(tmp_path / "export_1")
    assert FORMATS["strapi"].recognise(tmp_path) == FORMATS["strapi"].recognise(tmp_path / "export_1") == 95
    assert len(list(reading("strapi", tmp_path).items())) == 4
    with pytest.raises(SourceUnreadable, match="no-encrypt"):
        reading("strapi", tmp_path / "export_1" / "entities")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_line_is_an_item_or_a_problem(tmp_path: Path, data: st.DataObject) -> None:
    names = st.sampled_from(
        ["type", "id", "data", "title", "body", "parts", "children", "left", "right", "ref", "field"]
    )
    leaves = (
        st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4) | st.sampled_from([ART, "cover"])
    )
    values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))
    value = data.draw(values)
    field = data.draw(st.sampled_from(["title", "body", "parts", "documentId", "locale", "publishedAt", "cover"]))
    parts: dict[str, list[Any]] = {"entities": [strapi_entity(1, **{"title": "T", field: value}), value]}
    parts[data.draw(st.sampled_from(["links", "schemas", "configuration", "entities"]))] = [value, {"left": value}]
    read = reading("strapi", strapi_export(tmp_path, **parts))
    list(read.assets())
    assert len(list(read.items())) == read.count()
