"""One call for one page: what stands there, where it stands, what leads elsewhere, and help where there is nothing."""

from typing import Any

import pytest

from tests.api.desk import Desk, data_of, fresh, plain, refused
from tests.api.serving import Site
from tests.api.test_search_api import eventually

MEMBERS = [
    "kind", "locale", "path", "entry", "section", "listing", "breadcrumbs", "menus", "banners", "counters", "seo",
    "alternates", "status", "to", "explanation",
]  # fmt: skip


def page(site: Site, path: str, **asked: Any) -> dict[str, Any]:
    data: dict[str, Any] = data_of(site.visitor.get("page", params={"path": path, **asked}))
    assert list(data) == MEMBERS
    return data


def test_an_entry_comes_with_all_that_its_page_needs(site: Site) -> None:
    slug, name = fresh("section"), fresh("menu")
    (section,) = site.administrator.sections(slug)
    entry = site.publisher.live(section=section, body=plain("*Hello*"))
    site.administrator.live("menu", name=name, items=[{"entry": entry["id"]}])
    found = page(site, entry["path"])
    assert (found["kind"], found["status"], found["to"], found["listing"]) == ("entry", 200, None, None)
    assert found["entry"] == data_of(site.visitor.get(f"entries/{entry['id']}"))
    assert [crumb["path"] for crumb in found["breadcrumbs"]] == ["/", f"/{slug}", entry["path"]]
    assert found["section"]["id"] == section
    assert found["menus"][name] == data_of(site.visitor.get(f"menus/{name}"))["items"]
    placements = data_of(site.visitor.get("structure"))["placements"]
    assert found["banners"].keys() == {one["name"] for one in placements}
    assert found["counters"] == []
    assert found["seo"] == found["entry"]["seo"]
    assert found["alternates"] == [{"locale": "ru", "path": entry["path"], "url": None}]


def test_entries_come_in_the_form_that_is_asked_for(site: Site) -> None:
    entry = site.publisher.live(body=plain("*Hello*"), summary="Short")
    asked = {"rich_text": "markdown", "fields": "body"}
    assert page(site, entry["path"], **asked)["entry"]["fields"] == {"body": "*Hello*\n"}
    person = site.administrator.person()
    signed = site.publisher.live(byline=[person["id"]])
    answer = site.visitor.get("page", params={"path": signed["path"], "include": "byline"})
    assert answer.json()["included"][person["id"]]["name"] == person["name"]
    refused(site.visitor.get("page", params={"path": "/", "include": "nonsense"}), 400, "unknown_include")


def test_a_section_s_entries_go_on_where_the_link_says(site: Site) -> None:
    slug = fresh("section")
    (section,) = site.administrator.sections(slug)
    (below,) = site.administrator.sections(fresh("below"), parent=section)
    made = [site.publisher.live(section=one)["id"] for one in [section, below] * 12]
    found = page(site, f"/{slug}")
    assert (found["kind"], found["entry"], found["section"]["id"]) == ("section", None, section)
    shown = [one["id"] for one in found["listing"]["entries"]]
    rest = site.anyone.get(found["listing"]["next"])
    assert shown + [one["id"] for one in data_of(rest)] == made[::-1]
    assert rest.json()["links"]["next"] is None


def test_redirects_and_what_is_gone_are_data(site: Site) -> None:
    desk = site.publisher
    live, gone, moved = desk.live(), desk.live(), desk.live()
    desk.take_down(gone, answer="gone", explanation="Over")
    desk.take_down(moved, answer="redirect", to=live["id"])
    found = page(site, moved["path"])
    assert (found["kind"], found["status"], found["to"], found["path"]) == (
        "redirect", 301, live["path"], moved["path"]
    )  # fmt: skip
    found = page(site, gone["path"])
    assert (found["kind"], found["status"], found["explanation"], found["seo"]) == ("gone", 410, "Over", None)
    assert (found["entry"], found["section"], found["listing"], found["breadcrumbs"]) == (None, None, None, [])


def nothing(site: Site, path: str) -> dict[str, Any]:
    return refused(site.visitor.get("page", params={"path": path}), 404, "not_found")


def test_where_there_is_nothing_the_nearest_and_the_likeliest_are_told(site: Site) -> None:
    slug, word = fresh("section"), fresh("hours")
    (section,) = site.administrator.sections(slug)
    entry = site.publisher.live(section=section, title=f"Office {word}", slug=f"office-{word}")
    site.publisher.write(title=f"Draft {word}", slug=f"office-{word}-draft")
    assert nothing(site, f"/{slug}/old/office-{word}.html")["nearest"] == {"path": f"/{slug}", "name": slug.title()}
    suggested = nothing(site, f"/old/offise-{word}")["suggestions"]
    assert suggested[0] == {"title": entry["fields"]["title"], "path": entry["path"]}
    eventually(lambda: nothing(site, f"/old/{word}")["suggestions"] == [suggested[0]])


def test_suggestions_are_few_and_different(site: Site) -> None:
    word = fresh("word")
    for number in range(8):
        site.publisher.live(title=f"About {word}", slug=f"{word}-{number}")
    found = nothing(site, f"/{word}")["suggestions"]
    assert len({one["path"] for one in found}) == len(found) == 5


@pytest.mark.parametrize(
    "path", ["x", "", "//", "/" + "x" * 2_001, "/%", "/" + "a-" * 500, "/'\"<>", "/" + "x/" * 900, "/\u0000", "/\x7f"]
)
def test_any_path_is_answered(site: Site, path: str) -> None:
    assert site.visitor.get("page", params={"path": path}).status_code in (200, 400, 404)


def test_a_page_can_be_kept(site: Site) -> None:
    entry = site.publisher.live()
    answer = site.visitor.get("page", params={"path": entry["path"]})
    tags = set(answer.headers["cache-tag"].split(","))
    assert {"structure", "settings", f"entry:{entry['id']}", "type:menu"} <= tags
    headers = {"If-None-Match": answer.headers["etag"]}
    assert site.visitor.get("page", params={"path": entry["path"]}, headers=headers).status_code == 304


def test_unknown_parameters_and_locales_are_refused(site: Site) -> None:
    refused(site.visitor.get("page?path=/&nonsense=1"), 400, "unknown_parameter")
    refused(site.visitor.get("page?path=/&locale=xx"), 400, "unknown_locale")
    refused(site.visitor.get("page"), 400, "malformed_path")


def test_a_list_can_be_of_a_section_and_all_below(site: Site) -> None:
    (section,) = site.administrator.sections(fresh("section"))
    (below,) = site.administrator.sections(fresh("below"), parent=section)
    inside = [site.publisher.live(section=one)["id"] for one in (section, below)]
    assert ids(site.visitor, **{"filter[section][below]": section}) == inside[::-1]
    assert ids(site.visitor, **{"filter[section][below]": below}) == inside[1:]
    assert ids(site.visitor, **{"filter[section][below]": "nowhere"}) == []
    refused(site.visitor.get("entries", params={"filter[title][below]": "x"}), 400, "unknown_operator")


def ids(visitor: Desk, **asked: str) -> list[str]:
    return [one["id"] for one in data_of(visitor.get("entries", params=asked))]
