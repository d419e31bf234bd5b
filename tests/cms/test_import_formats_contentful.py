"""Contentful exports: entries by locale, rich text, links to files and to one another."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Asset, Author, Link, Options, Problem, SourceUnreadable, Target
from tests.cms.exports_at_hand import POST, contentful, contentful_entry, contentful_export, item, items, reading

URL = "//images.ctfassets.net/space/img1/token/office.jpg"


def linked(id: str, kind: str = "Entry") -> dict[str, Any]:
    return {"sys": {"type": "Link", "linkType": kind, "id": id}}


def asset(id: str = "img1", url: str = URL, kind: str = "image/jpeg") -> dict[str, Any]:
    told = {"title": "Office", "description": "The entrance", "file": {"url": url, "contentType": kind}}
    return {"sys": {"id": id, "type": "Asset"}, "fields": {name: {"en-US": value} for name, value in told.items()}}


def document(*content: dict[str, Any]) -> dict[str, Any]:
    return {"nodeType": "document", "data": {}, "content": list(content)}


def node(kind: str, *content: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {"nodeType": kind, "data": data, "content": list(content)}


def text(value: str, *marks: str) -> dict[str, Any]:
    return {"nodeType": "text", "value": value, "marks": [{"type": mark} for mark in marks], "data": {}}


def html(place: Path, *content: dict[str, Any], **export: Any) -> str:
    entry = contentful_entry("p1", {"title": "T", "text": document(*content)})
    others = export.pop("entries", [])
    path = contentful_export(place, entries=[entry, *others], **export)
    [found] = [one for one in items("contentful", path) if one.external_id == "p1"]
    return str(found.fields["body"]["value"])


def test_an_entry_becomes_an_article_with_all_that_it_links_to(tmp_path: Path) -> None:
    fields = {
        "title": "Hello",
        "slug": "hello",
        "summary": "Short",
        "text": document(node("paragraph", text("Text"))),
        "heroImage": linked("img1", "Asset"),
        "author": linked("anna"),
        "category": [linked("news"), linked("lost")],
        "related": [linked("p2"), linked("news")],
        "odd": "kept",
    }
    times: dict[str, Any] = {"createdAt": "2024-01-01T10:00:00Z", "updatedAt": "2024-01-03T10:00:00Z"}
    published: dict[str, Any] = {
        "publishedVersion": 3,
        "firstPublishedAt": "2024-01-02T10:00:00Z",
        "publishedAt": "2024-01-03T10:00:00Z",
    }
    entries = [
        contentful_entry("p1", fields, **times, **published),
        contentful_entry("p2", {"title": "Other"}),
        contentful_entry("anna", {"name": "Anna", "email": "a@example.org", "website": "https://a.x/"}, type="person"),
        contentful_entry("news", {"name": "News"}, type="category"),
    ]
    path = contentful_export(tmp_path, entries=entries, assets=[asset()])
    found, other = items("contentful", path)
    assert (found.external_id, found.slug, found.draft, other.draft) == ("p1", "hello", False, True)
    assert found.fields == {
        "title": "Hello",
        "summary": "Short",
        "body": {"format": "html", "value": "<p>Text</p>"},
        "cover": Link("asset", "img1"),
        "topics": ["News", "lost"],
        "related": [Link("item", "p2")],
    }
    assert found.byline == (Author("anna", "Anna", "a@example.org", "https://a.x/"),)
    assert (found.created_at, found.first_published_at, found.changed_at) == tuple(
        datetime(2024, 1, day, 10, tzinfo=UTC) for day in (1, 2, 3)
    )
    assert found.source_fields == {"odd": "kept"}
    assert found.mapped["heroImage"] == "cover"


def test_each_locale_is_an_item_of_its_own(tmp_path: Path) -> None:
    locales = [{"code": "ru"}, {"code": "en-US", "default": True}]
    fields = {
        "title": {"in": {"en-US": "Hello", "ru": "Привет"}},
        "slug": {"in": {"en-US": "hello"}},
        "body": {"in": {"ru": "Текст"}},
        "related": {"in": {"en-US": [linked("p1"), linked("p2")]}},
    }
    entries = [contentful_entry("p1", fields), contentful_entry("p2", {"title": "Only English"})]
    found = items("contentful", contentful_export(tmp_path, entries=entries, locales=locales))
    assert [(one.external_id, one.locale, one.fields["title"], one.slug) for one in found] == [
        ("p1", "en-US", "Hello", "hello"),
        ("p1:ru", "ru", "Привет", "hello"),
        ("p2", "en-US", "Only English", None),
    ]
    assert found[1].fields["related"] == [Link("item", "p1:ru"), Link("item", "p2")]
    assert found[1].fields["body"]["value"] == "Текст"


def test_locales_can_be_called_as_they_are_here(tmp_path: Path) -> None:
    locales = [{"code": "en-US", "default": True}, {"code": "ru-RU"}]
    fields = {"title": {"in": {"en-US": "Hello", "ru-RU": "Привет"}}}
    path = contentful_export(tmp_path, entries=[contentful_entry("p1", fields)], locales=locales)
    found = items("contentful", path, locales="en-US=en, ru-RU = ru,")
    assert [(one.external_id, one.locale) for one in found] == [("p1", "en"), ("p1:ru-RU", "ru")]


def test_rich_text_becomes_html(tmp_path: Path) -> None:
    written = html(
        tmp_path,
        node("heading-2", text("Head")),
        node("paragraph", text("a<b", "bold", "italic"), text("\nx", "code")),
        node("unordered-list", node("list-item", node("paragraph", text("one")))),
        node("blockquote", node("paragraph", text("said"))),
        node("hr"),
        node("table", node("table-row", node("table-header-cell", node("paragraph", text("h"))))),
        node("paragraph", node("hyperlink", text("out"), uri="https://x.org/?a=1&b=2")),
        node("unknown", node("paragraph", text("kept"))),
    )
    assert written == (
        "<h2>Head</h2><p><em><strong>a&lt;b</strong></em><code><br>x</code></p><ul><li><p>one</p></li></ul>"
        "<blockquote><p>said</p></blockquote><hr><table><tr><th><p>h</p></th></tr></table>"
        '<p><a href="https://x.org/?a=1&amp;b=2">out</a></p><p>kept</p>'
    )


def test_files_and_entries_in_a_text_are_shown_or_linked(tmp_path: Path) -> None:
    written = html(
        tmp_path,
        node("embedded-asset-block", target=linked("img1", "Asset")),
        node("embedded-asset-block", target=linked("doc1", "Asset")),
        node("embedded-asset-block", target=linked("lost", "Asset")),
        node("paragraph", node("entry-hyperlink", text("see"), target=linked("p2"))),
        node("paragraph", node("entry-hyperlink", text("gone"), target=linked("lost"))),
        node("paragraph", node("asset-hyperlink", text("file"), target=linked("doc1", "Asset"))),
        node("paragraph", node("embedded-entry-inline", target=linked("p2"))),
        node("embedded-entry-block", target=linked("p2")),
        node("embedded-entry-block", target=linked("quote")),
        entries=[
            contentful_entry("p2", {"title": "Other"}),
            contentful_entry(
                "quote",
                {"name": "Q", "words": document(node("paragraph", text("said"))), "photo": linked("img1", "Asset")},
                type="quote",
            ),
        ],
        assets=[asset(), asset("doc1", "//assets.ctfassets.net/space/doc1/token/x.pdf", "application/pdf")],
    )
    image = f'<figure><img src="https:{URL}" alt="The entrance"></figure>'
    file = "https://assets.ctfassets.net/space/doc1/token/x.pdf"
    there = '<a href="/contentful-entry/p2/en-US">'
    assert written == (
        f'{image}<p><a href="{file}">Office</a></p><p>{there}see</a></p><p>gone</p><p><a href="{file}">file</a></p>'
        f"<p>{there}Other</a></p><p>{there}Other</a></p><p>said</p>{image}"
    )


def test_entries_that_hold_one_another_come_to_an_end(tmp_path: Path) -> None:
    blocks = [node("embedded-entry-block", target=linked("loop")) for _ in range(30)]
    loop = contentful_entry("loop", {"words": document(*blocks)}, type="loop")
    assert len(html(tmp_path, *blocks, entries=[loop])) < 1_000_000


def test_addresses_are_understood_by_a_reading_that_has_read_nothing(tmp_path: Path) -> None:
    read = reading("contentful", contentful(tmp_path))
    assert read.target("x", f"https:{URL}?w=300") == Target("asset", "img1")
    assert read.target("x", URL) == Target("asset", "img1")
    assert read.target("x", "https://images.eu.ctfassets.net/s/a2/t/n.png") == Target("asset", "a2")
    assert read.target("x", "/contentful-entry/p2/ru") == Target("item", "p2:ru", otherwise=("p2",))
    assert read.target("x", "https://example.org/space/img1/token/x.jpg") is None
    assert read.links_inside


def test_files_are_on_the_network_or_beside_the_export(tmp_path: Path) -> None:
    path = contentful_export(tmp_path, assets=[asset(), asset("bad", "javascript:x"), asset("none", "")])
    said = {"title": "Office", "alt": "The entrance"}
    assert list(reading("contentful", path).assets()) == [Asset("img1", None, f"https:{URL}", said)]
    beside = tmp_path / URL.removeprefix("//")
    beside.parent.mkdir(parents=True)
    beside.write_bytes(b"x")
    assert list(reading("contentful", path).assets()) == [Asset("img1", beside, f"https:{URL}", said)]


def test_what_is_archived_is_left_out_with_a_warning(tmp_path: Path) -> None:
    entries = [contentful_entry("p1", {"title": "Old"}, archivedAt="2024-01-01T00:00:00Z")]
    read = reading("contentful", contentful_export(tmp_path, entries=entries))
    [warning] = read.items()
    assert read.count() == 0
    assert isinstance(warning, Problem)
    assert (warning.code, warning.warning, warning.external_id) == ("archived", True, "p1")


def test_the_content_type_can_be_chosen(tmp_path: Path) -> None:
    entries = [
        contentful_entry("p1", {"title": "A"}),
        contentful_entry("w1", {"name": "Page", "words": "Text"}, type="webPage"),
    ]
    path = contentful_export(tmp_path, entries=entries)
    assert [one.external_id for one in items("contentful", path)] == ["p1"]
    assert [one.external_id for one in items("contentful", path, content_type="Post")] == ["p1"]
    with pytest.raises(SourceUnreadable, match="post"):
        items("contentful", path, content_type="nothing")
    page = {
        "sys": {"id": "webPage"},
        "name": "Page",
        "displayField": "name",
        "fields": [{"id": "words", "type": "Text"}],
    }
    path = contentful_export(tmp_path, entries=entries, contentTypes=[POST, page])
    both = items("contentful", path, content_type="webPage, post")
    assert [(one.external_id, one.type) for one in both] == [("p1", None), ("w1", "page")]


def test_a_mapping_says_what_a_field_means(tmp_path: Path) -> None:
    entry = contentful_entry("p1", {"title": "A", "odd": "B", "summary": "Short", "seo": {"text": "Deep"}})
    path = contentful_export(tmp_path, entries=[entry])
    mapping = {"odd": "title", "summary": "", "seo.text": "summary", "nothing": "body"}
    found = item("contentful", path, Options(mapping=mapping))
    assert found.fields == {"title": "B", "summary": "Deep"}
    assert found.source_fields["summary"] == "Short"
    assert found.mapped["seo.text"] == "summary"


def test_tags_are_topics(tmp_path: Path) -> None:
    entry = contentful_entry("p1", {"title": "A"})
    entry["metadata"] = {"tags": [{"sys": {"id": "t1"}}, {"sys": {"id": "t2"}}]}
    path = contentful_export(tmp_path, entries=[entry], tags=[{"sys": {"id": "t1"}, "name": "News"}])
    assert item("contentful", path).fields["topics"] == ["News", "t2"]


def test_it_is_recognised(tmp_path: Path) -> None:
    path = contentful(tmp_path)
    recognise = FORMATS["contentful"].recognise
    assert recognise(path) == recognise(tmp_path) == 95
    path.write_text('{"entries": []}')
    assert recognise(path) == 0


def test_half_of_a_surrogate_pair_is_told_where_it_stands(tmp_path: Path) -> None:
    path = contentful_export(
        tmp_path, entries=[contentful_entry("p1", {"title": "a"}), contentful_entry("p2", {"title": "MARK"})]
    )
    path.write_text(path.read_text().replace("MARK", "\\ud800"))
    good, bad = reading("contentful", path).items()
    assert not isinstance(good, Problem)
    assert isinstance(bad, Problem)
    assert (bad.code, bad.external_id) == ("lone_surrogate", "p2")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_an_entry_is_an_item_or_a_problem(tmp_path: Path, data: st.DataObject) -> None:
    names = st.sampled_from(["sys", "id", "type", "Link", "fields", "en-US", "nodeType", "content", "data", "target"])
    leaves = (
        st.none() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(["document", "Link", "text"])
    )
    values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))
    value = data.draw(values)
    entry = contentful_entry(
        "p1", {"title": "A", "text": document(node("x", value)) if isinstance(value, dict) else value}
    )
    name = data.draw(st.sampled_from(["entries", "assets", "contentTypes", "locales", "tags"]))
    export: dict[str, Any] = {"entries": [entry], "tags": [], name: [entry, value] if name == "entries" else value}
    path = contentful_export(tmp_path, **export)
    read = reading("contentful", path)
    list(read.assets())
    assert len(list(read.items())) == read.count()
    assert json.loads(path.read_text()) is not None
