"""Ghost exports: posts, pages, their texts in all of Ghost's ways to keep them, and their files."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Asset, Author, Item, Link, Problem, SourceUnreadable, Target
from tests.cms.exports_at_hand import ghost, ghost_export, item, items, reading

POST = {"id": "p1", "title": "Hello", "slug": "hello", "html": "<p>Text</p>", "status": "published", "type": "post"}


def one(place: Path, *, data: dict[str, Any] | None = None, choices: dict[str, str] | None = None, **post: Any) -> Any:
    path = ghost_export(place, {"posts": [{**POST, **post}], **(data or {})})
    return item("ghost", path, **(choices or {}))


def html(place: Path, **post: Any) -> str:
    return str(one(place, **{"html": None, **post}).fields["body"]["value"])


def lexical(*children: dict[str, Any]) -> str:
    return json.dumps({"root": {"type": "root", "children": list(children)}})


def words(text: str, bits: int = 0) -> dict[str, Any]:
    return {"type": "extended-text", "text": text, "format": bits}


def test_a_post_becomes_an_article_with_all_that_ghost_knows(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        custom_excerpt="Short",
        created_at="2024-01-01T10:00:00.000Z",
        published_at="2024-01-02T10:00:00.000Z",
        updated_at=1704276000000,
        data={
            "tags": [{"id": "t1", "name": "News"}, {"id": "t2", "name": "#hidden"}, {"id": "t3", "name": "Office"}],
            "posts_tags": [
                {"post_id": "p1", "tag_id": "t3", "sort_order": 1},
                {"post_id": "p1", "tag_id": "t1", "sort_order": 0},
                {"post_id": "p1", "tag_id": "t2", "sort_order": 2},
                {"post_id": "p1", "tag_id": "gone"},
            ],
            "users": [
                {"id": "u1", "slug": "anna", "name": "Anna", "email": "a@example.org", "website": "https://a.x/"}
            ],
            "posts_authors": [{"post_id": "p1", "author_id": "u1"}],
            "posts_meta": [{"post_id": "p1", "meta_title": "For engines"}],
        },
    )
    assert (found.external_id, found.slug, found.type, found.draft) == ("p1", "hello", None, False)
    assert found.fields == {
        "title": "Hello",
        "summary": "Short",
        "body": {"format": "html", "value": "<p>Text</p>"},
        "topics": ["News", "Office"],
    }
    assert found.byline == (Author("anna", "Anna", "a@example.org", "https://a.x/"),)
    assert found.first_published_at == datetime(2024, 1, 2, 10, tzinfo=UTC)
    assert (found.created_at, found.changed_at) == (
        datetime(2024, 1, 1, 10, tzinfo=UTC),
        datetime(2024, 1, 3, 10, tzinfo=UTC),
    )
    assert found.source_fields == {"meta_title": "For engines", "internal_tags": ["#hidden"]}
    assert found.old_paths == ("/hello/",)


def test_an_old_export_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    post = {"id": 1, "title": "Old", "slug": "old", "markdown": "*Text*", "page": 1, "author_id": 7}
    document = {"meta": {"version": "003"}, "data": {"posts": [post], "users": [{"id": 7, "name": "Anna"}]}}
    path.write_text(json.dumps(document))
    found = item("ghost", path)
    assert (found.external_id, found.type, found.fields["body"]) == (
        "1",
        "page",
        {"format": "markdown", "value": "*Text*"},
    )
    assert found.byline == (Author("7", "Anna"),)


@pytest.mark.parametrize(
    ("status", "draft"), [("published", False), ("draft", True), ("scheduled", True), ("sent", True), (None, True)]
)
def test_only_what_is_published_is_no_draft(tmp_path: Path, status: str | None, draft: bool) -> None:
    found = one(tmp_path, status=status)
    assert (found.draft, found.old_paths) == (draft, () if draft else ("/hello/",))


def test_what_only_members_read_comes_as_a_draft_with_a_warning(tmp_path: Path) -> None:
    read = reading("ghost", ghost_export(tmp_path, {"posts": [{**POST, "visibility": "paid"}]}))
    found, warning = read.items()
    assert not isinstance(found, Problem)
    assert found.draft
    assert isinstance(warning, Problem)
    assert (warning.code, warning.warning, warning.external_id) == ("members_only", True, "p1")
    assert read.count() == 1


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/{year}/{month}/{day}/{slug}/", "/2024/01/02/hello/"),
        ("/{primary_tag}/{slug}/", "/news/hello/"),
        ("/{year}/{month}/{slug}/", "/2024/01/hello/"),
    ],
)
def test_old_paths_follow_the_permalinks_of_the_site(tmp_path: Path, pattern: str, path: str) -> None:
    found = one(
        tmp_path,
        published_at="2024-01-02T10:00:00.000Z",
        data={"tags": [{"id": "t", "name": "News", "slug": "news"}], "posts_tags": [{"post_id": "p1", "tag_id": "t"}]},
        choices={"permalinks": pattern},
    )
    assert found.old_paths == (path,)


# --- texts ---


def test_lexical_becomes_html(tmp_path: Path) -> None:
    text = lexical(
        {"type": "extended-heading", "tag": "h2", "children": [words("Head")]},
        {"type": "paragraph", "children": [
            words("a<b", 1), words(" c", 2), {"type": "linebreak"},
            {"type": "link", "url": "__GHOST_URL__/about/", "children": [words("us")]},
        ]},
        {"type": "list", "listType": "number", "start": 3, "children": [
            {"type": "listitem", "children": [words("one")]},
            {"type": "listitem", "children": [{"type": "list", "listType": "bullet", "children": [
                {"type": "listitem", "children": [words("in")]}]}]},
        ]},
        {"type": "extended-quote", "children": [words("said")]},
        {"type": "horizontalrule"},
        {"type": "unknown", "children": [words("kept")]},
    )  # fmt: skip
    assert html(tmp_path, lexical=text) == (
        '<h2>Head</h2><p><strong>a&lt;b</strong><em> c</em><br><a href="/about/">us</a></p>'
        '<ol start="3"><li>one</li><li><ul><li>in</li></ul></li></ol>'
        "<blockquote><p>said</p></blockquote><hr>kept"
    )


@pytest.mark.parametrize(
    ("card", "written"),
    [
        (
            {"type": "image", "src": "__GHOST_URL__/content/images/a.png", "alt": "A", "caption": "<b>C</b>"},
            '<figure><img src="/content/images/a.png" alt="A"><figcaption><b>C</b></figcaption></figure>',
        ),
        ({"type": "html", "html": "<div>x</div>"}, "<div>x</div>"),
        ({"type": "markdown", "markdown": "**x**"}, "<p><strong>x</strong></p>\n"),
        (
            {"type": "codeblock", "code": "a < b", "language": "python"},
            '<pre><code class="language-python">a &lt; b</code></pre>',
        ),
        (
            {"type": "bookmark", "url": "https://x.org/", "metadata": {"title": "X", "description": "D"}},
            '<p><a href="https://x.org/">X</a><br>D</p>',
        ),
        ({"type": "callout", "calloutText": "Note"}, "<blockquote><p>Note</p></blockquote>"),
        ({"type": "toggle", "heading": "More", "content": "<p>Text</p>"}, "<h3>More</h3><p>Text</p>"),
        ({"type": "button", "buttonUrl": "/x", "buttonText": "Go"}, '<p><a href="/x">Go</a></p>'),
        (
            {"type": "gallery", "images": [{"src": "/content/images/a.png"}, {"src": "/content/images/b.png"}]},
            '<figure><img src="/content/images/a.png"></figure><figure><img src="/content/images/b.png"></figure>',
        ),
        ({"type": "paywall"}, ""),
    ],
)
def test_each_card_becomes_what_it_shows(tmp_path: Path, card: dict[str, Any], written: str) -> None:
    before = {"type": "paragraph", "children": [words("x")]}
    assert html(tmp_path, lexical=lexical(before, card)) == "<p>x</p>" + written


def test_mobiledoc_becomes_html(tmp_path: Path) -> None:
    document = {
        "version": "0.3.1",
        "markups": [["strong"], ["a", ["href", "https://x.org/"]], ["script"]],
        "atoms": [["soft-return", "", {}]],
        "cards": [["image", {"src": "/content/images/a.png"}], ["hr", {}]],
        "sections": [
            [1, "h2", [[0, [], 0, "Head"]]],
            [1, "p", [[0, [0], 0, "bold "], [0, [1], 2, "link"], [1, [], 0, 0], [0, [2], 1, "plain <"]]],
            [3, "ul", [[[0, [], 0, "one"]], [[0, [], 0, "two"]]]],
            [10, 0],
            [10, 1],
            [10, 99],
            [2, "/content/images/b.png"],
        ],
    }
    assert html(tmp_path, mobiledoc=json.dumps(document)) == (
        '<h2>Head</h2><p><strong>bold <a href="https://x.org/">link</a></strong><br>plain &lt;</p>'
        '<ul><li>one</li><li>two</li></ul><figure><img src="/content/images/a.png"></figure><hr>'
        '<figure><img src="/content/images/b.png"></figure>'
    )


def test_a_text_of_nothing_but_markdown_stays_markdown(tmp_path: Path) -> None:
    document = {"cards": [["card-markdown", {"markdown": "# Head"}]], "sections": [[10, 0]]}
    assert one(tmp_path, html=None, mobiledoc=json.dumps(document)).fields["body"] == {
        "format": "markdown",
        "value": "# Head",
    }


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "{}", '{"root": 1}', '{"root": {"children": [1, {}]}}'])
def test_a_text_that_cannot_be_read_is_a_problem_or_empty(tmp_path: Path, text: str) -> None:
    for name in ("lexical", "mobiledoc"):
        path = ghost_export(tmp_path, {"posts": [{**POST, "html": None, name: text}]})
        [found] = reading("ghost", path).items()
        assert found.code == "not_json" if isinstance(found, Problem) else "body" not in found.fields


def test_a_text_that_is_nested_too_deep_is_a_problem(tmp_path: Path) -> None:
    node: dict[str, Any] = {"type": "paragraph", "children": []}
    for _ in range(200):
        node = {"type": "paragraph", "children": [node]}
    [found] = reading(
        "ghost", ghost_export(tmp_path, {"posts": [{**POST, "html": None, "lexical": lexical(node)}]})
    ).items()
    assert isinstance(found, Problem)
    assert (found.code, found.external_id) == ("too_deep", "p1")


# --- files and links ---


def test_files_beside_the_export_are_found(tmp_path: Path) -> None:
    place = tmp_path / "content" / "images" / "2024"
    place.mkdir(parents=True)
    (place / "a.png").write_bytes(b"a")
    (place / "b.png").write_bytes(b"b")
    post = {
        **POST,
        "feature_image": "__GHOST_URL__/content/images/size/w600/2024/a.png",
        "html": '<img src="__GHOST_URL__/content/images/2024/b.png"><img src="__GHOST_URL__/content/images/c.png">',
    }
    meta = [{"post_id": "p1", "feature_image_alt": "The office"}]
    ghost_export(tmp_path, {"posts": [post], "posts_meta": meta})
    read = reading("ghost", tmp_path)
    assert list(read.assets()) == [
        Asset("content/images/2024/a.png", place / "a.png", None, {"alt": "The office"}),
        Asset("content/images/2024/b.png", place / "b.png"),
    ]
    [found] = items("ghost", tmp_path)
    assert found.fields["cover"] == Link("asset", "content/images/2024/a.png")
    lost = reading("ghost", tmp_path).target("x.json", "/content/images/c.png")
    assert isinstance(lost, Problem)
    assert (lost.code, lost.warning) == ("missing_target", True)


def test_files_come_from_the_site_where_it_is_named(tmp_path: Path) -> None:
    post = {**POST, "feature_image": "https://blog.x/content/images/a.png", "html": '<a href="https://blog.x/b/">b</a>'}
    path = ghost_export(tmp_path, {"posts": [post]})
    read = reading("ghost", path, site_url="https://blog.x/")
    assert list(read.assets()) == [Asset("content/images/a.png", None, "https://blog.x/content/images/a.png")]
    assert read.target("x", "https://blog.x/content/images/a.png") == Target("asset", "content/images/a.png")
    assert read.target("x", "https://blog.x/b/#part") == Target("item", "/b/", "part", ("/b",))


def test_a_cover_on_another_site_is_fetched_from_there(tmp_path: Path) -> None:
    path = ghost_export(tmp_path, {"posts": [{**POST, "feature_image": "https://other.x/a.png"}]})
    assert list(reading("ghost", path).assets()) == [Asset("https://other.x/a.png", None, "https://other.x/a.png")]
    assert item("ghost", path).fields["cover"] == Link("asset", "https://other.x/a.png")


def test_links_to_posts_find_them_by_their_old_paths(tmp_path: Path) -> None:
    read = reading("ghost", ghost_export(tmp_path, {"posts": [POST]}))
    assert read.target("x", "__GHOST_URL__/hello/") == Target("item", "/hello/", None, ("/hello",))
    assert read.target("x", "/hello?x=1#y") == Target("item", "/hello/", "y", ("/hello",))
    assert read.target("x", "https://other.x/hello/") is None


def test_a_link_out_of_the_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "content").mkdir()
    (inner / "content" / "images").symlink_to(tmp_path)
    ghost_export(inner, {"posts": []})
    assert reading("ghost", inner).asset("content/images/secret") is None
    assert reading("ghost", inner).asset("content/images/../../../secret") is None


# --- what is no good export ---


def test_bad_posts_are_problems_in_their_places(tmp_path: Path) -> None:
    posts: list[Any] = [
        {**POST, "id": None},
        {**POST, "published_at": "soon"},
        POST,
        POST,
        {**POST, "id": "x", "title": "a\0b"},
        {**POST, "id": "y", "updated_at": 1e300},
        "no object",
    ]
    found = list(reading("ghost", ghost_export(tmp_path, {"posts": posts})).items())
    assert [one.code if isinstance(one, Problem) else "item" for one in found] == [
        "missing",
        "bad_date",
        "item",
        "duplicate",
        "nul",
        "number_out_of_range",
    ]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"db": 1}', b'{"a": 1}', b"\xff\xfe"])
def test_what_is_no_export_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(SourceUnreadable):
        reading("ghost", path)
    assert FORMATS["ghost"].recognise(path) == 0


def test_a_broken_export_says_so_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b'{"db": [{"meta": {}, "data": {')
    with pytest.raises(SourceUnreadable, match="not JSON"):
        list(reading("ghost", path).items())


def test_it_is_recognised(tmp_path: Path) -> None:
    path = ghost(tmp_path)
    assert FORMATS["ghost"].recognise(path) == FORMATS["ghost"].recognise(tmp_path) == 95


MEMBERS = st.sampled_from(["type", "children", "sections", "root", "text", "src", "url"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MEMBERS, inner, max_size=4), max_leaves=20
)
NAMES = st.sampled_from(["id", "title", "slug", "html", "lexical", "mobiledoc", "feature_image", "published_at"])


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES, name=NAMES)
def test_whatever_stands_in_a_post_is_an_item_or_a_problem(tmp_path: Path, value: Any, name: str) -> None:
    text = json.dumps(value) if name in ("lexical", "mobiledoc") else value
    data = {"posts": [{**POST, "html": None, name: text}], "tags": value, "posts_tags": [value], "users": [value]}
    read = reading("ghost", ghost_export(tmp_path, data))
    list(read.assets())
    list(read.people())
    assert sum(isinstance(one, Item) or not one.warning for one in read.items()) == read.count()
