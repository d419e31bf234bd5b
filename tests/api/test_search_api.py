"""Searching, public and staff: what is found, what is marked, and what never shows."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.desk import Desk, data_of, fresh, plain, refused
from tests.api.serving import Site


def search(desk: Desk, q: str, **asked: Any) -> httpx.Response:
    answer = desk.get("search", params={"q": q, **asked})
    assert answer.status_code == 200, answer.text
    return answer


def found(desk: Desk, q: str, **asked: Any) -> list[str]:
    return [hit["entry"]["id"] for hit in data_of(search(desk, q, **asked))]


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "the index did not follow"
        time.sleep(0.02)


def indexed(site: Site, **given: Any) -> dict[str, Any]:
    """A live entry that the public search has seen."""
    mark = fresh("mark")
    entry = site.publisher.live(**{**given, "summary": f"{given.get('summary', '')} {mark}"})
    eventually(lambda: found(site.visitor, mark) == [entry["id"]])
    return entry


@pytest.mark.parametrize(
    ("title", "locale", "asked"),
    [
        ("Новости недели", "ru", ("новость", "новости", "новостей", "НОВОСТЯМИ")),
        ("Ёлка в зале", "ru", ("елка", "ёлки", "елкой")),
        ("Opening offices", "en", ("office", "OFFICES", "opened")),
    ],
)
def test_inflections_of_a_word_find_the_same(site: Site, title: str, locale: str, asked: tuple[str, ...]) -> None:
    word = fresh("word")
    entry = indexed(site, title=f"{title} {word}", locale=locale)
    for q in asked:
        assert found(site.visitor, f"{q} {word}", locale=locale) == [entry["id"]], q


def test_a_typo_is_forgiven_and_the_right_word_told(site: Site) -> None:
    entry = indexed(site, title="Электрификация павильона")
    answer = search(site.visitor, "электрификоция")
    assert entry["id"] in [hit["entry"]["id"] for hit in data_of(answer)]
    assert "электрификаци" in answer.json()["meta"]["did_you_mean"].lower()


def test_a_phrase_finds_words_that_stand_together(site: Site) -> None:
    first, second = fresh("first"), fresh("second")
    site.publisher.live(body=plain(f"{second} and then {first}"))
    together = indexed(site, body=plain(f"{first} {second}"))
    assert found(site.visitor, f'"{first} {second}"') == [together["id"]]


def test_a_prefix_finds_what_begins_so(site: Site) -> None:
    word = fresh("prefix")
    entry = indexed(site, title=word)
    assert found(site.visitor, f"{word[:-2]}*") == [entry["id"]]


def test_the_title_counts_most(site: Site) -> None:
    word = fresh("word")
    body = site.publisher.live(body=plain(f"Some words about {word} and other things"))
    title = indexed(site, title=f"About {word}")
    assert found(site.visitor, word) == [title["id"], body["id"]]


def test_ranges_count_code_points(site: Site) -> None:
    word = fresh("word")
    indexed(site, title=f"😀👩‍👩‍👧 Ёж и {word}", body=plain(f"𝔘𝔫𝔦𝔠𝔬𝔡𝔢 😀 {word} е\u0301"))
    (hit,) = data_of(search(site.visitor, word))
    for marked in (hit["title"], *hit["snippets"]):
        assert [marked["text"][start:end] for start, end in marked["ranges"]] == [word] * len(marked["ranges"])
    assert hit["title"]["ranges"]


def test_a_hit_is_data_and_never_markup(site: Site) -> None:
    word = fresh("word")
    entry = indexed(site, title=f"<b>{word}</b>", body=plain(f"Words around {word} here"))
    (hit,) = data_of(search(site.visitor, word))
    assert hit.keys() == {"entry", "score", "title", "snippets"}
    assert hit["entry"] == {name: entry[name] for name in ("id", "type", "locale", "path", "published_at")}
    assert hit["title"]["text"] == f"<b>{word}</b>"
    assert {"field", "text", "ranges"} == hit["snippets"][0].keys()


def test_facets_count_what_was_found(site: Site) -> None:
    word, topic = fresh("word"), fresh("topic")
    (section,) = site.administrator.sections(fresh("section"))
    for type in ("news", "news", "article"):
        site.publisher.live(type, title=word, topics=[topic], section=section)
    eventually(lambda: len(found(site.visitor, word)) == 3)
    meta = search(site.visitor, word).json()["meta"]
    assert (meta["total"], meta["total_is_exact"]) == (3, True)
    assert meta["facets"]["type"] == [{"value": "news", "count": 2}, {"value": "article", "count": 1}]
    assert meta["facets"]["section"] == [{"value": section, "count": 3}]
    assert meta["facets"]["topic"] == [{"value": topic, "count": 3}]
    assert [one["count"] for one in meta["facets"]["year"]] == [3]


def test_a_search_is_filtered(site: Site) -> None:
    word = fresh("word")
    news = site.publisher.live(title=word)
    article = indexed(site, title=f"{word} too", locale="en")
    assert found(site.visitor, word, locale="en") == [article["id"]]
    assert set(found(site.visitor, word, type="news,article")) == {news["id"], article["id"]}
    assert found(site.visitor, word, **{"filter[type]": "article"}) == []
    assert found(site.visitor, word, **{"filter[type][in]": "page"}) == []
    assert len(found(site.visitor, word, year=news["published_at"][:4])) == 2


def test_hits_come_in_pages(site: Site) -> None:
    word = fresh("word")
    made = [site.publisher.live(title=f"{word} {number}")["id"] for number in range(5)]
    eventually(lambda: len(found(site.visitor, word)) == 5)
    answer = search(site.visitor, word, **{"page[size]": 2, "sort": "-published_at"})
    hits = data_of(answer)
    while answer.json()["links"]["next"]:
        answer = site.anyone.get(answer.json()["links"]["next"])
        hits += data_of(answer)
    assert sorted(hit["entry"]["id"] for hit in hits) == made


def test_titles_are_suggested_as_one_types(site: Site) -> None:
    word = fresh("suggest")
    indexed(site, title=f"{word} now")
    assert data_of(site.visitor.get("search/suggest", params={"q": word[:-1]})) == [{"text": f"{word} now"}]
    assert data_of(site.visitor.get("search/suggest", params={"q": word[:-1], "locale": "en"})) == []


def test_what_is_published_is_found_and_what_is_taken_down_is_not(site: Site) -> None:
    word = fresh("word")
    entry = indexed(site, title=word)
    taken = site.publisher.take_down(entry)
    assert found(site.visitor, word) == []
    site.publisher.publish(site.editor.change(taken, title=f"{word} again"))
    eventually(lambda: found(site.visitor, f"{word} again") == [entry["id"]])


def test_a_draft_is_found_by_staff_alone(site: Site) -> None:
    word, old = fresh("draftword"), fresh("liveword")
    entry = indexed(site, title=old)
    site.editor.change(entry, title=word, body=plain(f"Secret {word}"))
    eventually(lambda: found(site.reader, word) == [entry["id"]])
    hit = data_of(search(site.reader, word))[0]
    assert (hit["entry"]["state"], hit["title"]["text"]) == ("changed", word)
    assert found(site.visitor, word) == []
    assert data_of(site.visitor.get("search/suggest", params={"q": word[:-2]})) == []
    assert found(site.visitor, old) == [entry["id"]]


def test_staff_filter_by_state(site: Site) -> None:
    word = fresh("word")
    draft, live = site.editor.write(title=word), site.publisher.live(title=f"{word} too")
    eventually(lambda: set(found(site.reader, word)) == {draft["id"], live["id"]})
    eventually(lambda: found(site.reader, word, state="published") == [live["id"]])
    assert found(site.reader, word, state="draft") == [draft["id"]]


def test_a_key_searches_only_the_types_in_its_scopes(site: Site) -> None:
    word = fresh("word")
    news, article = site.editor.write(title=word), site.editor.write("article", title=word)
    eventually(lambda: set(found(site.reader, word)) == {news["id"], article["id"]})
    script = site.key("reader", "read:news")
    answer = search(script, word)
    assert [hit["entry"]["id"] for hit in data_of(answer)] == [news["id"]]
    assert answer.json()["meta"]["total"] == 1
    assert answer.json()["meta"]["facets"]["type"] == [{"value": "news", "count": 1}]
    assert found(script, word, type="article") == []


ODD = [
    "",
    " ",
    '"',
    '"' * 500,
    "(" * 500,
    "*",
    "-",
    "- -x",
    "a* b* c*",
    "AND OR NOT",
    "title:x",
    "' OR 1=1 --",
    "%",
    "\\",
    "<script>",
    "😀",
    "\u202e",
    "е" * 512,
    "ё ё ё",
    "𝔘",
    "&|!:*",
    "a&b|!c:*",
    "/regex/",
    "~5",
    "^^",
    "[a TO z]",
    "{x}",
    "ß",
    "ﬁ",
    "İ",
]


@pytest.mark.parametrize("q", ODD)
def test_whatever_is_typed_is_only_words(site: Site, q: str) -> None:
    for desk in (site.visitor, site.reader):
        search(desk, q)
        assert desk is site.reader or desk.get("search/suggest", params={"q": q}).status_code == 200


@pytest.mark.parametrize("q", ["x" * 513, "a " * 33])
def test_too_much_to_search_for_is_refused(site: Site, q: str) -> None:
    for desk in (site.visitor, site.reader):
        refused(desk.get("search", params={"q": q}), 400, "query_too_long")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"nonsense": "1"}, "unknown_parameter"),
        ({"filter[title]": "x"}, "unknown_field"),
        ({"filter[owner]": "x"}, "unknown_field"),
        ({"filter[type][ne]": "x"}, "unknown_operator"),
        ({"filter[topic][in]": "x," * 300}, "too_long"),
        ({"filter[topic]": "x" * 1_001}, "too_long"),
        ({"sort": "title"}, "unknown_sort"),
        ({"sort": "published_at"}, "unknown_sort"),
        ({"locale": "xx"}, "unknown_locale"),
        ({"page[size]": "101"}, "out_of_range"),
        ({"page[after]": "-1"}, "malformed_cursor"),
        ({"page[after]": "99999"}, "malformed_cursor"),
        ({"page[after]": "x"}, "malformed_cursor"),
        ({"rich_text": "html"}, "unknown_parameter"),
    ],
)
def test_a_search_that_is_not_understood_is_refused(site: Site, asked: dict[str, str], code: str) -> None:
    for desk in (site.visitor, site.reader):
        refused(desk.get("search", params=asked), 400, code)


def test_the_public_does_not_filter_by_state(site: Site) -> None:
    for asked in ({"state": "draft"}, {"filter[state]": "draft"}, {"filter[state][in]": "draft,published"}):
        refused(site.visitor.get("search", params=asked), 400)
