"""`/go/…`: a click is counted on its way, and leads where the banner leads now; nobody can make it lead elsewhere."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.delivery.go_links import _in_ascii, opened, token
from api.problems import Problem
from tests.api.banners_at_hand import a_banner, a_placement, shown
from tests.api.desk import faults_of, fresh, refused
from tests.api.serving import Site
from tests.api.test_banner_statistics_api import figures

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
SECRET = b"x" * 32
BANNER = "01900000-0000-7000-8000-00000000a001"


def click(site: Site, go: str, *, method: str = "GET", view: str | None = None, **headers: str) -> httpx.Response:
    named = {**BROWSER, "X-Forwarded-For": "198.19.3.1", **headers}
    return site.anyone.request(method, go, params={"view": view} if view else {}, headers=named)


def a_link(site: Site, **given: Any) -> tuple[dict[str, Any], str]:
    """A live banner and its /go link."""
    name = a_placement(site)
    banner = a_banner(site, name, **given)
    return banner, shown(site, name)[0]["link"]["go"]


def test_a_click_leads_to_the_link_and_is_counted(site: Site) -> None:
    banner, go = a_link(site, link="https://shop.example/a?b=1#c", tracking=[{"name": "utm_source", "value": "site"}])
    answer = click(site, go)
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://shop.example/a?b=1&utm_source=site#c"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "strict-origin"
    assert "set-cookie" not in answer.headers
    click(site, go)
    assert figures(site, banner) == (0, 0, 2)


def test_the_same_click_is_counted_once(site: Site) -> None:
    banner, go = a_link(site, link="/x")
    view = fresh("view-")
    assert {click(site, go, view=view).status_code for _ in range(3)} == {302}
    told = {"kind": "click", "banner": banner["id"], "placement": banner["fields"]["placements"][0], "view": view}
    site.visitor.post("beacons", json={"banners": [told]}, headers={**BROWSER, "X-Forwarded-For": "198.19.3.2"})
    assert figures(site, banner) == (0, 0, 1)


def test_robots_and_browsers_that_look_ahead_are_led_and_not_counted(site: Site) -> None:
    banner, go = a_link(site, link="/x")
    assert click(site, go, **{"User-Agent": "Googlebot/2.1"}).status_code == 302
    assert click(site, go, **{"Sec-Purpose": "prefetch;prerender"}).status_code == 302
    assert click(site, go, method="HEAD").status_code == 302
    assert click(site, go, view="short").status_code == 302
    click(site, go)
    assert figures(site, banner) == (0, 0, 1)


def test_a_click_follows_the_banner(site: Site) -> None:
    banner, go = a_link(site, link="/old")
    assert click(site, go).headers["location"] == "/old"
    changed = site.publisher.change(banner, link="/new")
    assert click(site, go).headers["location"] == "/old"
    site.publisher.publish(changed)
    assert click(site, go).headers["location"] == "/new"
    site.publisher.take_down(site.publisher.read(banner))
    refused(click(site, go), 404, "not_found")


def test_a_link_in_any_alphabet_is_a_header(site: Site) -> None:
    assert click(site, a_link(site, link="/распродажа?q=да")[1]).headers["location"].startswith("/%D1%80")
    _, go = a_link(site, link="https://пример.рф/путь")
    assert click(site, go).headers["location"] == "https://xn--e1afmkfd.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C"


def test_a_link_with_a_broken_host_is_refused_and_one_from_before_leads_nowhere(site: Site) -> None:
    banner, go = a_link(site, link="/x")
    problem = refused(
        site.publisher.call("PATCH", f"entries/{banner['id']}", seen=banner, json={"fields": {"link": "http://[::1"}}),
        422,
    )
    assert list(faults_of(problem)) == ["/fields/link"]
    with pytest.raises(Problem):
        _in_ascii("http://[::1")
    assert click(site, go).headers["location"] == "/x"


def test_a_banner_without_a_link_has_no_go(site: Site) -> None:
    name = a_placement(site)
    banner = a_banner(site, name)
    assert shown(site, name)[0]["link"] == {"url": None, "go": None, "rel": ""}
    made = token(site.parts.secret, banner["id"], name)
    refused(click(site, f"/go/{made}"), 404)


@pytest.mark.parametrize("made_up", ["x", "https:evil.example", "%00", "A" * 500, "AAAA", "a=b", "é"])
def test_what_we_did_not_make_leads_nowhere(site: Site, made_up: str) -> None:
    assert click(site, f"/go/{made_up}").status_code in (400, 404)


def test_a_token_of_another_placement_or_banner_is_none(site: Site) -> None:
    _, go = a_link(site, link="/x")
    raw = bytearray(urlsafe_b64decode(go.removeprefix("/go/") + "=="))
    for at in (0, 10, len(raw) - 1):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        refused(click(site, f"/go/{urlsafe_b64encode(changed).decode().rstrip('=')}"), 404)


@given(st.from_regex(r"[a-z0-9][a-z0-9._~-]{0,99}", fullmatch=True))
def test_tokens_can_be_read_back(placement: str) -> None:
    made = token(SECRET, BANNER, placement)
    assert opened(SECRET, made) == (BANNER, placement)
    with pytest.raises(Problem):
        opened(b"y" * 32, made)


@given(st.text(max_size=200))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Problem):
        opened(SECRET, text)
