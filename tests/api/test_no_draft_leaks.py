"""No draft byte reaches the public: drafts full of marked words, and every public address asked in many ways."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.desk import Desk, data_of, fresh, if_match, plain
from tests.api.routes import document_of
from tests.api.serving import Site
from tests.api.test_search_api import eventually, found
from tests.media.bytes_at_hand import picture

MARK = "zqx"


def marked() -> str:
    """A word that must never be seen in public: `MARK` and letters that stem to nothing else."""
    return MARK + fresh("w")


def texts(site: Site, type: str) -> dict[str, Any]:
    """A marked word in every field of a type that holds text, by the type's own description."""
    described = data_of(site.reader.get(f"types/{type}"))["fields"]
    return {field["name"]: value for field in described if (value := _value(field)) is not None}


def _value(field: dict[str, Any]) -> Any:
    if field["kind"] == "group":
        return {inner["name"]: value for inner in field["fields"] if (value := _value(inner)) is not None}
    if field["kind"] == "groups":
        return [{inner["name"]: value for inner in field["fields"] if (value := _value(inner)) is not None}]
    make = _KINDS.get(field["kind"])
    return make() if make else None


_KINDS: dict[str, Any] = {
    "text": marked,
    "long_text": marked,
    "rich_text": lambda: plain(f"# {marked()}\n\n{marked()} **{marked()}** [{marked()}](https://{marked()}.example)"),
    "topics": lambda: [marked()],
    "folder": marked,
    "url": lambda: f"https://{marked()}.example/",
    "object": lambda: {marked(): marked()},
    "menu_items": lambda: [
        {"label": marked(), "url": f"/{marked()}"},
        {
            "label": {"ru": marked(), "en": marked()},
            "items": [{"label": marked(), "url": f"https://{marked()}.example"}],
        },
    ],
}
TYPES = ("news", "article", "page", "image", "file", "menu")


def addresses(site: Site) -> list[str]:
    """Every public address that the OpenAPI document names, with what a curious visitor would try."""
    paths = [
        path for path, calls in document_of(site)["paths"].items() if "get" in calls and not path.startswith("/editor")
    ]
    return [*paths, "/openapi.json", "/docs", "/docs/problems"]


QUERIES: dict[str, tuple[str, ...]] = {
    "/delivery/v1/entries": (
        "page[size]=100",
        "page[size]=100&rich_text=doc",
        "page[size]=100&rich_text=markdown&include=cover,related,byline&total=true",
        "page[size]=100&sort=title",
        "type=menu",
        "filter[title][contains]=" + MARK,
        "filter[slug][contains]=" + MARK,
    ),
    "/delivery/v1/search": (
        "q=" + MARK,
        f"q={MARK}*&page[size]=100",
        "page[size]=100",
        "page[size]=100&sort=-published_at",
        "filter[type]=image",
    ),
    "/delivery/v1/search/suggest": ("q=" + MARK, "q=" + MARK[:2], "q=" + MARK[0], "q="),
    "/delivery/v1/structure": ("", "locale=en"),
    "/delivery/v1/resolve": ("path=/", "path=/" + MARK),
    "/delivery/v1/page": ("path=/", "path=/&rich_text=doc&include=cover,related", "path=/" + MARK, "path=/x/" + MARK),
    "/delivery/v1/menus": ("", "locale=en"),
    "/delivery/v1/menus/{name}": ("", "locale=en"),
    "/feeds/{name}.{format}": ("", "locale=ru"),
}


def crawl(site: Site, ids: list[str]) -> Iterator[tuple[str, str]]:
    """Addresses and what they answer, errors too, headers and all."""
    for path in addresses(site):
        for query in QUERIES.get(path, ("",)):
            for filled in _filled(path, ids):
                answer = site.anyone.get(f"{filled}?{query}" if query else filled)
                yield str(answer.url), f"{answer.headers}\n{answer.text}"


def _filled(path: str, ids: list[str]) -> list[str]:
    if path.startswith("/feeds/"):
        return [f"/feeds/{name}.{form}" for name in ("all", *TYPES, MARK) for form in ("rss", "atom", "json")]
    if path.startswith("/sitemap-"):
        return ["/sitemap-1.xml", f"/sitemap-{MARK}.xml"]
    if "{" not in path:
        return [path]
    return [path.replace("{id}", id).replace("{sha256}", "0" * 64).replace("{name}", "x") for id in ids]


def assert_nothing_leaks(site: Site, ids: list[str]) -> None:
    for address, told in crawl(site, ids):
        # What the visitor typed may be given back: the address of the next page, the name of a parameter.
        assert MARK + "w" not in told.lower(), address


def caught_up(site: Site, desk: Desk) -> None:
    """Wait until both indexes have followed everything so far: they take events in order."""
    last = site.publisher.live(title=fresh("last"))
    eventually(lambda: found(site.visitor, last["fields"]["title"]) == [last["id"]])
    eventually(lambda: found(desk, last["fields"]["title"]) == [last["id"]])


@pytest.fixture
def drafts(site: Site) -> list[str]:
    """Drafts of every type, and drafts over what is live."""
    made = [site.administrator.write(type, **texts(site, type)) for type in TYPES]
    over = [site.administrator.live(type) for type in TYPES]
    changed = [site.administrator.change(entry, **texts(site, entry["type"])) for entry in over]
    return [entry["id"] for entry in (*made, *changed)]


def test_drafts_of_every_type_stay_inside(site: Site, drafts: list[str]) -> None:
    caught_up(site, site.reader)
    assert len(found(site.reader, MARK + "*", **{"page[size]": 100})) >= len(TYPES)
    assert_nothing_leaks(site, drafts)


def test_addresses_bylines_and_notes_of_drafts_stay_inside(site: Site) -> None:
    person = site.administrator.person(name=marked(), email=f"{marked()}@example.org", department=marked())
    live, slug = site.publisher.live(), marked()
    headers = {**if_match(live), "On-Behalf-Of": person["id"]}
    body = {"slug": slug, "byline": [person["id"]], "owner": person["id"], "note": marked()}
    data_of(site.editor.patch(f"entries/{live['id']}", json=body, headers=headers))
    tree = data_of(site.administrator.get("structure"))
    operation = {"op": "add", "parent": None, "slug": marked(), "name": marked()}
    data_of(site.administrator.call("POST", "structure/changes", seen=tree, json={"operations": [operation]}))
    caught_up(site, site.reader)
    assert_nothing_leaks(site, [live["id"]])
    assert site.visitor.get("resolve", params={"path": f"/{slug}"}).status_code == 404
    _drop_draft_sections(site)


def _drop_draft_sections(site: Site) -> None:
    tree = data_of(site.administrator.get("structure"))
    kept = [node for node in tree["fields"]["sections"] if MARK not in json.dumps(node)]
    data_of(site.administrator.call("PATCH", f"entries/{tree['id']}", seen=tree, json={"fields": {"sections": kept}}))


def test_what_was_taken_down_or_trashed_is_not_told_any_more(site: Site) -> None:
    entries = [site.administrator.live(type, **texts(site, type)) for type in TYPES]
    for number, entry in enumerate(entries):
        if number % 2:
            site.administrator.take_down(entry)
        else:
            data_of(site.administrator.call("DELETE", f"entries/{entry['id']}", seen=entry))
    caught_up(site, site.reader)
    assert_nothing_leaks(site, [entry["id"] for entry in entries])


def test_a_draft_s_picture_stays_inside(site: Site) -> None:
    file = site.editor.upload(picture("PNG"), f"{marked()}.png", title=marked(), alt=marked())["fields"]["file"]
    assert site.anyone.get(file["url"].partition("?")[0]).status_code == 404
    caught_up(site, site.reader)
    assert_nothing_leaks(site, [])


def test_included_and_related_drafts_stay_inside(site: Site) -> None:
    image, article = (site.administrator.write(type, **texts(site, type)) for type in ("image", "article"))
    html = f'<p><a href="entry:{article["id"]}">read</a> <img src="entry:{image["id"]}"></p>'
    live = site.publisher.live(
        cover=image["id"],
        related=[article["id"]],
        seo={"image": image["id"]},
        body={"format": "html", "value": html},
    )
    for query in ("include=cover,related.cover", "rich_text=doc", "rich_text=markdown", "rich_text=text"):
        told = site.visitor.get(f"entries/{live['id']}?{query}")
        assert MARK + "w" not in told.text
    assert_nothing_leaks(site, [live["id"], image["id"], article["id"]])


STEPS = st.lists(st.sampled_from(["draft", "publish", "change", "take down", "trash", "restore"]), max_size=12)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_done_only_what_was_published_shows(site: Site, steps: list[str]) -> None:
    """The public sees exactly the revision that was published last, and nothing once it is down."""
    desk = site.administrator
    entry, public = desk.write(summary=marked(), body=plain(marked())), None
    for step in steps:
        entry, public = _take(desk, step, entry, public)
    answer = site.visitor.get(f"entries/{entry['id']}")
    if public is None:
        assert answer.status_code == 404
    else:
        assert data_of(answer)["fields"]["summary"] == public
        assert answer.text.count(MARK + "w") == 0


def _take(desk: Desk, step: str, entry: dict[str, Any], public: str | None) -> tuple[dict[str, Any], str | None]:
    """One step, where it can be taken; the entry, and what of it the public should see now."""
    trashed = entry["state"] == "trashed"
    if step == "restore" and trashed:
        return data_of(desk.post(f"entries/{entry['id']}/restoration")), public
    if trashed:
        return entry, public
    if step == "publish":
        shown = fresh("public")
        open_ = desk.change(entry, summary=shown, body=None)
        return desk.publish(open_), shown
    if step == "take down" and public is not None:
        return desk.take_down(entry), None
    if step == "trash":
        return data_of(desk.call("DELETE", f"entries/{entry['id']}", seen=entry)), None
    if step == "change":
        return desk.change(entry, summary=marked(), body=plain(marked())), public
    return entry, public
