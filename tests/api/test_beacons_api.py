"""Beacons: what front ends tell, at what rate, and what of it counts."""

import json
from typing import Any

import httpx
import pytest

from api.beacon_limit import A_SECOND, AT_ONCE, BeaconLimit
from api.tally import MOST_KEPT, Tally
from cms.delivery.noise import Missed
from tests.api.banners_at_hand import a_banner, a_placement
from tests.api.desk import data_of, faults_of, fresh, refused
from tests.api.serving import Site
from tests.api.test_banner_statistics_api import figures
from tests.api.test_missing_paths_api import counted
from tests.cast import HeldClock


def tell(site: Site, *paths: dict[str, Any], address: str = "198.19.0.1", **headers: str) -> httpx.Response:
    named = {"X-Forwarded-For": address, "User-Agent": "Mozilla/5.0", **headers}
    return site.visitor.post("beacons", json={"missing_paths": list(paths)}, headers=named)


def taken(answer: httpx.Response) -> tuple[int, int]:
    told = data_of(answer, 202)["missing_paths"]
    return told["accepted"], told["ignored"]


def test_a_missing_path_is_counted_with_where_the_visitor_came_from(site: Site) -> None:
    path = f"/{fresh('beacon')}"
    told = {"path": f"{path}/?utm_source=mail", "referrer": "https://example.org/a?token=1", "locale": "en"}
    assert taken(tell(site, told)) == (1, 0)
    row = counted(site, path)
    assert (row["referrer"], row["locale"], row["hits"]) == ("https://example.org/a", "en", 1)


def test_what_leads_somewhere_is_not_counted(site: Site) -> None:
    entry, gone = site.publisher.live(), site.publisher.live()
    site.publisher.take_down(gone, answer="gone")
    paths = [{"path": one} for one in ("/", entry["path"], f"{entry['path']}?x=1", gone["path"])]
    assert taken(tell(site, *paths)) == (0, 4)


def test_noise_is_only_a_figure(site: Site) -> None:
    before = _left_out(site)
    assert taken(tell(site, {"path": "/wp-login.php"}, {"path": "/.env"})) == (0, 2)
    assert taken(tell(site, {"path": f"/{fresh()}"}, **{"User-Agent": "Googlebot/2.1"})) == (0, 1)
    assert _left_out(site) == before + 3


def _left_out(site: Site) -> float:
    lines = site.anyone.get("/metrics").text.splitlines()
    [line] = [one for one in lines if one.startswith('sitedesk_missing_paths_left_out{reason="noise"}')]
    return float(line.rpartition(" ")[2])


def test_an_unknown_locale_is_nobody_s_fault(site: Site) -> None:
    assert taken(tell(site, {"path": f"/{fresh('beacon')}", "locale": "xx"})) == (1, 0)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"missing_paths": [], "impressions": []}, "/impressions"),
        ({"missing_paths": [{"path": "x"}]}, "/missing_paths/0/path"),
        ({"missing_paths": [{"path": "/x" * 3_000}]}, "/missing_paths/0/path"),
        ({"missing_paths": [{"path": "/x", "cookie": "y"}]}, "/missing_paths/0/cookie"),
        ({"missing_paths": [{"path": "/x"}] * 101}, "/missing_paths"),
        ({"missing_paths": "/x"}, "/missing_paths"),
    ],
)
def test_what_is_no_beacon_is_refused(site: Site, body: dict[str, Any], pointer: str) -> None:
    headers = {"X-Forwarded-For": "198.19.0.2"}
    assert pointer in faults_of(refused(site.visitor.post("beacons", json=body, headers=headers), 422))


@pytest.mark.parametrize("path", ["/%", "/%ff", "/%00", "/\u202e", "/a\\b", "/" + "💥" * 900, "//x", "/?", "/#"])
def test_strange_paths_harm_nothing(site: Site, path: str) -> None:
    assert sum(taken(tell(site, {"path": path, "referrer": path}))) == 1
    assert site.visitor.get("resolve", params={"path": path}).status_code in (200, 400, 404)


def test_no_cookie_is_set_and_nothing_is_kept_by_caches(site: Site) -> None:
    answer = tell(site)
    assert taken(answer) == (0, 0)
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_one_address_tells_so_much_and_others_go_on(site: Site) -> None:
    seen = {"kind": "click", "banner": "nobody", "placement": "nowhere", "view": "view-0001"}
    full = {"banners": [seen] * 100}
    headers = {"X-Forwarded-For": "198.19.0.3", "User-Agent": "Mozilla/5.0"}
    answers = [site.visitor.post("beacons", json=full, headers=headers) for _ in range(AT_ONCE // 101 + 20)]
    assert {answer.status_code for answer in answers[: AT_ONCE // 101]} == {202}
    answer = next(answer for answer in answers if answer.status_code != 202)
    refused(answer, 429, "too_many_requests")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert tell(site, address="198.19.0.4").status_code == 202


def test_who_waits_may_go_on(clock: HeldClock) -> None:
    limit = BeaconLimit(clock)
    assert [limit.wait("192.0.2.1", things=AT_ONCE // 2) for _ in range(2)] == [0, 0]
    assert limit.wait("192.0.2.1", things=2 * A_SECOND) == 2
    clock.pass_by(seconds=1)
    assert limit.wait("192.0.2.1", things=A_SECOND) == 0
    assert limit.wait("192.0.2.1") == 1
    clock.pass_by(hours=1)
    assert limit.wait("192.0.2.1", things=AT_ONCE) == 0
    assert limit.wait("192.0.2.1") == 1
    assert limit.wait("192.0.2.2") == 0


# --- banners ---


def seen(site: Site, body: dict[str, Any], **headers: str) -> httpx.Response:
    named = {"X-Forwarded-For": "198.19.0.5", "User-Agent": "Mozilla/5.0", **headers}
    return site.visitor.post("beacons", json=body, headers=named)


def news_of(banner: dict[str, Any], kind: str = "impression", **said: str) -> dict[str, str]:
    placement = banner["fields"]["placements"][0]
    return {"kind": kind, "banner": banner["id"], "placement": placement, "view": fresh("view-"), **said}


def test_what_became_of_banners_is_counted_once(site: Site) -> None:
    banner = a_banner(site, a_placement(site))
    told = [news_of(banner, kind) for kind in ("impression", "viewable", "click")]
    assert data_of(seen(site, {"banners": [*told, *told]}), 202) == {
        "missing_paths": {"accepted": 0, "ignored": 0},
        "banners": {"accepted": 3, "ignored": 3},
    }
    assert data_of(seen(site, {"banners": told}), 202)["banners"] == {"accepted": 0, "ignored": 3}
    assert figures(site, banner) == (1, 1, 1)


def test_only_live_banners_in_their_placements_are_counted(site: Site) -> None:
    name, other = a_placement(site), a_placement(site)
    banner = a_banner(site, name)
    draft = site.publisher.write("banner", placements=[name])
    told = [news_of(banner), news_of(banner, placement=other), news_of(draft), news_of({**banner, "id": "x"})]
    assert data_of(seen(site, {"banners": told}), 202)["banners"] == {"accepted": 1, "ignored": 3}


def test_robots_see_nothing(site: Site) -> None:
    banner = a_banner(site, a_placement(site))
    for agent in ("Mozilla/5.0 (compatible; YandexBot/3.0)", "Mozilla/5.0 HeadlessChrome/140.0.0.0 Safari/537.36"):
        answer = seen(site, {"banners": [news_of(banner)]}, **{"User-Agent": agent})
        assert data_of(answer, 202)["banners"] == {"accepted": 0, "ignored": 1}
    assert figures(site, banner) == (0, 0, 0)


def test_nothing_at_all_may_be_told(site: Site) -> None:
    assert data_of(seen(site, {}), 202)["banners"] == {"accepted": 0, "ignored": 0}


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"view": "short"}, "/banners/0/view"),
        ({"view": "x" * 65}, "/banners/0/view"),
        ({"view": "with space"}, "/banners/0/view"),
        ({"view": "newline-\n"}, "/banners/0/view"),
        ({"kind": "hover"}, "/banners/0/kind"),
        ({"banner": ""}, "/banners/0/banner"),
        ({"visitor": "me"}, "/banners/0/visitor"),
    ],
)
def test_what_is_no_news_of_a_banner_is_refused(site: Site, said: dict[str, str], pointer: str) -> None:
    told = {"kind": "click", "banner": "x", "placement": "y", "view": "view-0001", **said}
    assert pointer in faults_of(refused(seen(site, {"banners": [told]}), 422))


def as_text(site: Site, body: bytes, content_type: str = "text/plain;charset=UTF-8") -> httpx.Response:
    headers = {"Content-Type": content_type, "X-Forwarded-For": "198.19.0.6", "User-Agent": "Mozilla/5.0"}
    return site.visitor.post("beacons", content=body, headers=headers)


def test_browsers_may_send_it_as_text(site: Site) -> None:
    banner = a_banner(site, a_placement(site))
    body = json.dumps({"banners": [news_of(banner)]}).encode()
    assert data_of(as_text(site, body), 202)["banners"] == {"accepted": 1, "ignored": 0}
    assert data_of(as_text(site, b"{}", "TEXT/PLAIN"), 202)["banners"] == {"accepted": 0, "ignored": 0}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"a": "\\u0000"}', 422),
        (b"[" * 100 + b"]" * 100, 422),
        (b"x" * (4 * 2**20 + 1), 413),
        (b"1", 422),
    ],
)
def test_text_is_inspected_as_json_is(site: Site, body: bytes, status: int) -> None:
    refused(as_text(site, body), status)


def test_text_is_taken_nowhere_else(site: Site) -> None:
    headers = {"Content-Type": "text/plain"}
    refused(site.administrator.post("entries", content=b"{}", headers=headers), 415)
    refused(as_text(site, b"{}", "text/plain; charset=latin1"), 415)


# --- the tally ---


def test_the_tally_is_taken_once(clock: HeldClock) -> None:
    tally = Tally(clock)
    for _ in range(2):
        tally.hit("rule")
        tally.miss("/a/?b", locale="ru")
    counts = tally.take()
    assert (counts.hits, counts.missed) == ({"rule": (2, clock())}, {"/a": Missed(2, clock(), "ru", None)})
    assert not tally.take()


def test_what_could_not_be_written_is_kept(clock: HeldClock) -> None:
    tally = Tally(clock)
    tally.hit("rule")
    tally.miss("/a")
    counts = tally.take()
    later = clock.pass_by(minutes=1)
    tally.hit("rule")
    tally.miss("/a")
    tally.give_back(counts)
    again = tally.take()
    assert (again.hits, again.missed) == ({"rule": (2, later)}, {"/a": Missed(2, later)})


def test_the_tally_has_bounds(clock: HeldClock) -> None:
    tally = Tally(clock)
    for number in range(MOST_KEPT + 5):
        tally.miss(f"/{number}")
        tally.hit(str(number))
    assert (tally.left_out["too many"], len(tally.take().hits)) == (5, MOST_KEPT)


def test_no_rule_is_no_hit(clock: HeldClock) -> None:
    tally = Tally(clock)
    tally.hit(None)
    tally.hit("")
    assert not tally.take()
