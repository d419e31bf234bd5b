"""The Delivery API: lists, one entry, what is sent along, and how long it may be kept."""

from typing import Any

import httpx
import pytest

from tests.api.desk import data_of, fresh, plain, refused
from tests.api.serving import Site

NOWHERE = "01900000-0000-7000-8000-000000000000"


def ids(answer: httpx.Response) -> list[str]:
    return [one["id"] for one in data_of(answer)]


def some(site: Site, count: int, **given: Any) -> tuple[str, list[str]]:
    """A topic, and the entries that have it, the oldest first."""
    topic = fresh("topic")
    return topic, [site.publisher.live(topics=[topic], **given)["id"] for _ in range(count)]


def test_an_entry_has_the_shape_of_the_contract(site: Site) -> None:
    shown = data_of(site.visitor.get(f"entries/{site.publisher.live(body=plain('*Hello*'))['id']}"))
    assert list(shown) == [
        "id",
        "type",
        "locale",
        "translations",
        "path",
        "slug",
        "section",
        "revision",
        "first_published_at",
        "published_at",
        "byline",
        "seo",
        "fields",
    ]
    assert shown["fields"]["body"] == "<p><em>Hello</em></p>"
    assert (shown["seo"]["title"], shown["seo"]["noindex"]) == (shown["fields"]["title"], False)


def test_the_list_gives_the_newest_first(site: Site) -> None:
    topic, made = some(site, 3)
    answer = site.visitor.get("entries", params={"filter[topics]": topic})
    assert ids(answer) == made[::-1]
    assert answer.json().keys() == {"data", "meta", "links"}
    assert answer.json()["links"] == {"next": None}


def test_pages_follow_one_another_without_gap_or_repetition(site: Site) -> None:
    topic, made = some(site, 7)
    address: str | None = f"/delivery/v1/entries?filter[topics]={topic}&page[size]=3&sort=published_at"
    pages = []
    while address is not None:
        answer = site.anyone.get(address)
        pages.append(ids(answer))
        address = answer.json()["links"]["next"]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [id for page in pages for id in page] == made


def test_a_page_stays_where_it_was_when_newer_entries_come(site: Site) -> None:
    topic, made = some(site, 4)
    first = site.visitor.get("entries", params={"filter[topics]": topic, "page[size]": 2})
    site.publisher.live(topics=[topic])
    assert ids(site.anyone.get(first.json()["links"]["next"])) == made[1::-1]


def test_all_are_counted_on_demand(site: Site) -> None:
    topic, _ = some(site, 3)
    asked = {"filter[topics]": topic, "page[size]": "1"}
    assert site.visitor.get("entries", params=asked).json()["meta"] == {}
    assert site.visitor.get("entries", params={**asked, "total": "true"}).json()["meta"] == {"total": 3}


def test_equal_keys_are_ordered_by_id(site: Site) -> None:
    topic, made = some(site, 5, title=fresh("same"))
    found = []
    answer = site.visitor.get("entries", params={"filter[topics]": topic, "sort": "-title", "page[size]": 2})
    while True:
        found += ids(answer)
        if answer.json()["links"]["next"] is None:
            break
        answer = site.anyone.get(answer.json()["links"]["next"])
    assert found == sorted(made)


@pytest.fixture(scope="module")
def three(site: Site) -> str:
    """A word that is the topic of three entries and begins their titles; they end in a, b and c."""
    word = fresh("word")
    for letter, type, locale in (("a", "news", "ru"), ("b", "news", "en"), ("c", "article", "ru")):
        site.publisher.live(type, title=f"{word} {letter}", locale=locale, topics=[word])
    return word


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"filter[title]": "{} b"}, "b"),
        ({"filter[title][ne]": "{} b"}, "ac"),
        ({"filter[title][in]": "{0} a,{0} c"}, "ac"),
        ({"filter[title][nin]": "{0} a,{0} c"}, "b"),
        ({"filter[title][lt]": "{} b"}, "a"),
        ({"filter[title][lte]": "{} b"}, "ab"),
        ({"filter[title][gt]": "{} b"}, "c"),
        ({"filter[title][gte]": "{} b"}, "bc"),
        ({"filter[title][contains]": "{} B"}, "b"),
        ({"filter[title][starts]": "{}"}, "abc"),
        ({"filter[title][contains]": "%"}, ""),
        ({"filter[title][contains]": "_"}, ""),
        ({"filter[cover][exists]": "false"}, "abc"),
        ({"filter[cover][exists]": "true"}, ""),
        ({"type": "news"}, "ab"),
        ({"filter[type][in]": "news,article"}, "abc"),
        ({"filter[type][ne]": "news"}, "c"),
        ({"locale": "en"}, "b"),
        ({"filter[topics][in]": "{},other"}, "abc"),
        ({"filter[published_at][gt]": "2020-01-01T00:00:00Z"}, "abc"),
        ({"filter[published_at][lt]": "2020-01-01"}, ""),
        ({"filter[first_published_at][gte]": "2020-01-01T00:00:00+03:00"}, "abc"),
    ],
)
def test_lists_are_filtered_as_the_grammar_says(site: Site, three: str, asked: dict[str, str], found: str) -> None:
    given = {name: value.format(three) for name, value in asked.items()}
    answer = site.visitor.get("entries", params={"filter[topics]": three, **given, "sort": "title"})
    assert "".join(one["fields"]["title"][-1] for one in data_of(answer)) == found


def test_only_the_fields_asked_for_are_sent(site: Site) -> None:
    entry = site.publisher.live(summary="S", body=plain("B"))
    shown = data_of(site.visitor.get(f"entries/{entry['id']}", params={"fields": "title,summary"}))
    assert shown["fields"].keys() == {"title", "summary"}
    assert shown["id"] == entry["id"]


def test_what_is_referred_to_is_sent_along(site: Site) -> None:
    cover = site.publisher.live("image")
    related = site.publisher.live("article", cover=cover["id"])
    press = site.editor.person()
    entry = site.publisher.live(related=[related["id"]], byline=[press["id"]])
    asked = {"include": "related.cover,byline"}
    included = site.visitor.get(f"entries/{entry['id']}", params=asked).json()["included"]
    assert included.keys() == {related["id"], cover["id"], press["id"]}
    assert included[press["id"]] == {"id": press["id"], "name": press["name"], "url": None}
    listed = site.visitor.get("entries", params={"filter[id]": entry["id"], **asked})
    assert listed.json()["included"] == included


def test_what_is_not_live_is_neither_named_nor_sent_along(site: Site) -> None:
    draft, live = site.editor.write("article"), site.publisher.live("article")
    entry = site.publisher.live(related=[draft["id"], live["id"]], cover=None)
    answer = site.visitor.get(f"entries/{entry['id']}", params={"include": "related"})
    assert data_of(answer)["fields"]["related"] == [live["id"]]
    assert answer.json()["included"].keys() == {live["id"]}
    assert draft["id"] not in answer.text


def test_rich_text_comes_in_the_form_asked_for(site: Site) -> None:
    entry = site.publisher.live(body=plain("Office is **closed**."))
    for form, shown in (("html", "<strong>"), ("markdown", "**closed**"), ("text", "is closed.")):
        assert (
            shown in data_of(site.visitor.get(f"entries/{entry['id']}", params={"rich_text": form}))["fields"]["body"]
        )
    assert data_of(site.visitor.get(f"entries/{entry['id']}?rich_text=doc"))["fields"]["body"]["type"] == "doc"


def test_a_translation_is_named_when_it_is_live(site: Site) -> None:
    russian = site.publisher.live()
    english = site.editor.write(locale="en", translation_of=russian["id"])
    assert data_of(site.visitor.get(f"entries/{russian['id']}"))["translations"] == {}
    site.publisher.publish(english)
    assert data_of(site.visitor.get(f"entries/{russian['id']}"))["translations"] == {"en": english["id"]}


def test_a_locale_narrows_one_entry_too(site: Site) -> None:
    entry = site.publisher.live()
    assert site.visitor.get(f"entries/{entry['id']}?locale=ru").status_code == 200
    refused(site.visitor.get(f"entries/{entry['id']}?locale=en"), 404, "not_found")
    refused(site.visitor.get(f"entries/{entry['id']}?locale=xx"), 400, "unknown_locale")


def test_how_the_site_hangs_together_is_not_listed(site: Site) -> None:
    for type in ("structure", "settings"):
        (entry,) = data_of(site.reader.get("entries", params={"type": type}))
        assert ids(site.visitor.get("entries", params={"type": type})) == []
        refused(site.visitor.get(f"entries/{entry['id']}"), 404)


# --- caches ---


def test_an_answer_may_be_kept_and_says_what_it_depends_on(site: Site) -> None:
    cover = site.publisher.live("image")
    entry = site.publisher.live(cover=cover["id"])
    headers = site.visitor.get(f"entries/{entry['id']}").headers
    assert headers["cache-control"].startswith("public, max-age=")
    assert "stale-while-revalidate=" in headers["cache-control"]
    assert {"structure", f"entry:{entry['id']}", f"entry:{cover['id']}"} <= set(headers["cache-tag"].split(","))
    assert headers["etag"].startswith('"')
    assert headers["last-modified"].endswith(" GMT")
    listed = site.visitor.get("entries", params={"type": "news", "filter[id]": entry["id"]}).headers
    assert {"type:news", f"entry:{entry['id']}"} <= set(listed["cache-tag"].split(","))


def every_answer(site: Site) -> list[str]:
    """An address of each kind, whose answer stays the same while the indexes still follow."""
    entry = site.publisher.live()
    return [
        f"entries/{entry['id']}",
        "entries",
        f"resolve?path={entry['path']}",
        "structure",
        f"search?q={fresh('nowhere')}",
        f"search/suggest?q={fresh('nowhere')}",
    ]


def test_who_has_an_answer_is_not_sent_it_again(site: Site) -> None:
    for path in every_answer(site):
        etag = site.visitor.get(path).headers["etag"]
        for said in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            answer = site.visitor.get(path, headers={"If-None-Match": said})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
            assert "cache-control" in answer.headers
        assert site.visitor.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_tells_what_get_would(site: Site) -> None:
    for path in every_answer(site):
        told, given = site.visitor.head(path), site.visitor.get(path)
        assert (told.status_code, told.content) == (200, b"")
        for name in ("etag", "content-length", "content-type", "cache-tag"):
            assert told.headers[name] == given.headers[name]


def test_a_new_publication_has_a_new_etag(site: Site) -> None:
    entry = site.publisher.live()
    before = site.visitor.get(f"entries/{entry['id']}").headers["etag"]
    site.publisher.publish(site.editor.change(entry, summary="New"))
    assert site.visitor.get(f"entries/{entry['id']}").headers["etag"] != before


def test_a_visitor_gets_no_cookie(site: Site) -> None:
    for path in every_answer(site):
        assert "set-cookie" not in site.visitor.get(path).headers


# --- refusals ---


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"nonsense": "1"}, "unknown_parameter"),
        ({"Page[size]": "1"}, "unknown_parameter"),
        ({"page": "1"}, "unknown_parameter"),
        ({"filter[nonsense]": "1"}, "unknown_field"),
        ({"filter[source_fields]": "1"}, "unknown_field"),
        ({"filter[state]": "draft"}, "unknown_field"),
        ({"filter[owner]": NOWHERE}, "unknown_field"),
        ({"filter[__class__]": "1"}, "unknown_field"),
        ({"filter[seo.title]": "1"}, "unknown_field"),
        ({"filter[]": "1"}, "malformed_filter"),
        ({"filter[title": "1"}, "malformed_filter"),
        ({"filter[title][]": "1"}, "malformed_filter"),
        ({"filter[title][eq][ne]": "1"}, "malformed_filter"),
        ({"filter[title'--]": "1"}, "malformed_filter"),
        ({"filter[title][like]": "1"}, "unknown_operator"),
        ({"filter[body][contains]": "x"}, "unknown_operator"),
        ({"filter[section][contains]": "x"}, "unknown_operator"),
        ({"filter[title]": "x" * 1_001}, "too_long"),
        ({"filter[published_at][gt]": "yesterday"}, "not_an_instant"),
        ({"filter[published_at][gt]": "0001-01-01T00:00:00+14:00"}, "not_an_instant"),
        ({"filter[cover][exists]": "maybe"}, "not_a_boolean"),
        ({"type": "nonsense"}, "unknown_type"),
        ({"locale": "xx"}, "unknown_locale"),
        ({"sort": "nonsense"}, "unknown_sort"),
        ({"sort": "source_fields"}, "unknown_sort"),
        ({"sort": "title,locale,type,slug"}, "too_many"),
        ({"page[size]": "0"}, "out_of_range"),
        ({"page[size]": "101"}, "out_of_range"),
        ({"page[size]": "-1"}, "out_of_range"),
        ({"page[size]": "١"}, "out_of_range"),
        ({"page[after]": "x"}, "malformed_cursor"),
        ({"page[after]": ""}, "malformed_cursor"),
        ({"page[after]": "W10"}, "malformed_cursor"),
        ({"total": "yes"}, "not_a_boolean"),
        ({"fields": "source_fields"}, "unknown_field"),
        ({"include": "nonsense"}, "unknown_include"),
        ({"include": "related.related.cover"}, "too_deep"),
        ({"include": "related.source_fields"}, "unknown_include"),
        ({"rich_text": "pdf"}, "unknown_value"),
    ],
)
def test_a_query_that_is_not_understood_is_refused(site: Site, asked: dict[str, str], code: str) -> None:
    answer = site.visitor.get("entries", params=asked)
    refused(answer, 400, code)
    assert answer.headers["cache-control"] == "no-store"


def test_a_parameter_given_twice_is_refused(site: Site) -> None:
    refused(site.visitor.get("entries?type=news&type=article"), 400, "given_twice")


def test_too_many_filters_are_refused(site: Site) -> None:
    names = ("title", "slug")
    operators = ("eq", "ne", "lt", "lte", "gt", "gte", "contains", "starts", "exists", "in", "nin")
    asked = {f"filter[{name}][{operator}]": "true" for name in names for operator in operators}
    refused(site.visitor.get("entries", params=asked), 400, "too_many")


def test_a_cursor_of_another_query_is_refused(site: Site) -> None:
    topic, _ = some(site, 3)
    asked = {"filter[topics]": topic, "page[size]": "1"}
    cursor = httpx.URL(site.visitor.get("entries", params=asked).json()["links"]["next"]).params["page[after]"]
    for other in ({"filter[topics]": "other"}, {"sort": "title"}, {"filter[topics][in]": topic}):
        params = {"page[after]": cursor, "page[size]": "1", **({} if "filter[topics]" in other else asked), **other}
        problem = refused(site.visitor.get("entries", params=params), 400)
        assert problem["code"] in ("foreign_cursor", "malformed_cursor")
    refused(site.reader.get("entries", params={**asked, "page[after]": cursor}), 400)


def test_only_get_and_head_are_taken(site: Site) -> None:
    entry = site.publisher.live()
    for path in ("entries", f"entries/{entry['id']}", "structure", "search", "resolve"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            refused(site.visitor.request(method, path, json={}), 405, "method_not_allowed")


def test_an_unknown_address_is_a_problem_too(site: Site) -> None:
    for path in ("nonsense", "entries/x/y", "entries/" + NOWHERE, "../v1/nonsense", "menus/main/x"):
        refused(site.visitor.get(path), 404, "not_found")
