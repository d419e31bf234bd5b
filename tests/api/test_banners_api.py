"""Banners over HTTP: what front ends get, how long they may keep it, and that nothing that has ended is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.banners_at_hand import a_banner, a_placement, restructure, shown
from tests.api.desk import data_of, faults_of, fresh, refused
from tests.api.serving import Site
from tests.api.test_media_api import png


def test_banners_come_by_placement(site: Site) -> None:
    top, side = a_placement(site, label="Верх", width=1200, height=300), a_placement(site)
    banner = a_banner(site, top, side)
    answer = site.visitor.get("banners", params={"placement": f"{side},{top},nowhere,{side}"})
    assert [(one["id"], one["placement"]) for one in data_of(answer)] == [(banner["id"], side), (banner["id"], top)]
    assert answer.json()["meta"]["placements"] == {
        side: {"label": None, "width": None, "height": None, "emergency": False},
        top: {"label": "Верх", "width": 1200, "height": 300, "emergency": False},
    }
    assert shown(site, "nowhere") == []


def test_without_placements_all_are_told(site: Site) -> None:
    name = a_placement(site)
    banner = a_banner(site, name)
    answer = site.visitor.get("banners")
    assert name in answer.json()["meta"]["placements"]
    assert banner["id"] in [one["id"] for one in data_of(answer)]


def test_placements_are_told_with_the_structure(site: Site) -> None:
    house = a_banner(site)
    name = a_placement(site, label="Верх", description="Над новостями", width=1200, house=house["id"])
    [told] = [one for one in data_of(site.visitor.get("structure"))["placements"] if one["name"] == name]
    assert told == {
        "name": name, "label": "Верх", "description": "Над новостями", "width": 1200, "height": None, "emergency": False
    }  # fmt: skip
    drafted = data_of(site.reader.get("structure"))["fields"]["placements"]
    assert [one["house"] for one in drafted if one["name"] == name] == [house["id"]]


def test_a_page_comes_with_the_banners_of_every_placement(site: Site) -> None:
    name, empty = a_placement(site), a_placement(site)
    (section,) = site.administrator.sections(fresh("section"))
    entry = site.publisher.live(section=section)
    banner = a_banner(site, name, targeting={"sections": [section]})
    page = site.visitor.get("page", params={"path": entry["path"]})
    found = data_of(page)["banners"]
    assert ([one["id"] for one in found[name]], found[empty]) == ([banner["id"]], [])
    assert found[name] == shown(site, name, path=entry["path"], locale="ru")
    assert {"type:banner", f"entry:{banner['id']}"} <= set(page.headers["cache-tag"].split(","))
    assert data_of(site.visitor.get("page", params={"path": "/"}))["banners"][name] == []


def test_a_picture_comes_in_all_its_forms(site: Site) -> None:
    name = a_placement(site)
    image = site.publisher.publish(site.publisher.upload(png(), f"{fresh()}.png"))
    a_banner(site, name, creative={"image": image["id"]})
    [told] = shown(site, name)
    picture = told["creative"]["image"]
    assert picture["id"] == image["id"]
    assert site.anyone.get(picture["url"]).status_code == 200


def test_what_it_depends_on_is_tagged(site: Site) -> None:
    name = a_placement(site)
    news = site.publisher.live()
    banner = a_banner(site, name, entry=news["id"])
    tags = site.visitor.get("banners", params={"placement": name}).headers["cache-tag"].split(",")
    assert set(tags) == {"structure", "type:banner", f"entry:{banner['id']}", f"entry:{news['id']}"}


# --- how long it holds ---


def max_age(site: Site, name: str) -> tuple[int, str | None]:
    answer = site.visitor.get("banners", params={"placement": name})
    control = answer.headers["cache-control"]
    return int(control.partition("max-age=")[2].partition(",")[0]), answer.json()["meta"]["next_change"]


def test_an_answer_ends_with_the_next_change(site: Site) -> None:
    name = a_placement(site)
    ends = datetime.now(UTC) + timedelta(seconds=30)
    a_banner(site, name, ends_at=ends.isoformat())
    answer = site.visitor.get("banners", params={"placement": name})
    age, stale = (int(part.partition("=")[2]) for part in answer.headers["cache-control"].split(", ")[1:])
    assert age + stale <= 30
    assert datetime.fromisoformat(answer.json()["meta"]["next_change"]) == ends


def test_one_that_has_ended_or_not_begun_is_never_served(site: Site) -> None:
    name = a_placement(site)
    past, future = ((datetime.now(UTC) + timedelta(days=days)).isoformat() for days in (-1, 400))
    a_banner(site, name, ends_at=past)
    a_banner(site, name, starts_at=future)
    assert shown(site, name) == []
    assert max_age(site, name)[0] > 0


def test_an_emergency_is_live_at_once_and_asked_for_each_time(site: Site) -> None:
    name = a_placement(site, emergency=True)
    path = site.publisher.live()["path"]
    answer = site.visitor.get("banners", params={"placement": name})
    assert (data_of(answer), answer.headers["cache-control"]) == ([], "public, no-cache")
    banner = a_banner(site, name, creative={"text": "Офис закрыт"})
    renewed = site.visitor.get("banners", params={"placement": name}, headers={"If-None-Match": answer.headers["etag"]})
    assert [one["emergency"] for one in data_of(renewed)] == [True]
    assert site.visitor.get("page", params={"path": path}).headers["cache-control"] == "public, no-cache"
    same = site.visitor.get("banners", params={"placement": name}, headers={"If-None-Match": renewed.headers["etag"]})
    assert same.status_code == 304
    site.publisher.take_down(banner)
    assert shown(site, name) == []
    restructure(site.administrator, {"op": "remove_placement", "placement": name})


# --- drafts ---


def test_no_word_of_a_draft_is_told(site: Site) -> None:
    name, secret = a_placement(site), fresh("secret")
    site.publisher.write("banner", placements=[name], creative={"text": secret}, advertiser=secret)
    banner = a_banner(site, name)
    site.publisher.change(banner, creative={"text": secret})
    answers = [site.visitor.get("banners"), site.visitor.get("page?path=/"), site.visitor.get("structure")]
    assert not [answer for answer in answers if secret in answer.text]


def test_nothing_to_show_is_not_published(site: Site) -> None:
    draft = site.publisher.write("banner")
    answer = site.publisher.call("PUT", f"entries/{draft['id']}/publication", seen=draft)
    assert faults_of(refused(answer, 422)) == {"/fields/creative": "no_creative"}


def test_html_that_was_removed_is_told_when_it_is_saved(site: Site) -> None:
    body = {
        "type": "banner",
        "locale": "ru",
        "fields": {"title": "x", "creative": {"html": "<script>1</script><b>a</b>"}},
    }
    answer = site.editor.post("entries", json=body)
    assert data_of(answer, 201)["fields"]["creative"]["html"] == "<b>a</b>"
    assert [one["code"] for one in answer.json()["meta"]["warnings"]] == ["html_removed"]


def test_a_placement_that_goes_while_banners_name_it_is_told(site: Site) -> None:
    name = a_placement(site)
    banner = a_banner(site, name)
    tree = data_of(site.administrator.get("structure"))
    body = {"operations": [{"op": "remove_placement", "placement": name}]}
    plan = data_of(site.administrator.post("structure/plan", json=body))
    assert (plan["problems"], [one["code"] for one in plan["warnings"]]) == ([], ["placement_in_use"])
    done = site.administrator.call("POST", "structure/changes", seen=tree, json=body)
    [warning] = done.json()["meta"]["warnings"]
    assert banner["id"] in warning["message"]
    data_of(site.administrator.call("PUT", "structure/publication", seen=data_of(done)))
    assert shown(site, name) == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"nonsense": "1"}, "unknown_parameter"),
        ({"locale": "xx"}, "unknown_locale"),
        ({"path": "x"}, "malformed_path"),
        ({"path": "/" + "x" * 2_001}, "malformed_path"),
    ],
)
def test_what_is_not_asked_well_is_refused(site: Site, asked: dict[str, Any], code: str) -> None:
    refused(site.visitor.get("banners", params=asked), 400, code)


@pytest.mark.parametrize("placement", ["", ",", "%00", "a" * 3_000, "'\"<>", "🦊"])
def test_any_placement_is_answered(site: Site, placement: str) -> None:
    assert site.visitor.get("banners", params={"placement": placement}).status_code == 200


def test_banners_are_no_entries_to_list_so_that_none_is_shown_before_or_after_its_time(site: Site) -> None:
    banner = a_banner(site, a_placement(site), starts_at="2999-01-01T00:00:00Z")
    refused(site.visitor.get(f"entries/{banner['id']}"), 404)
    assert data_of(site.visitor.get("entries", params={"type": "banner"})) == []
