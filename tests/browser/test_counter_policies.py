"""What a provider's code needs is what its policy says: each runs in a browser that lets it do nothing else."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route

from cms.counters.consent import DEFAULT_CODE
from cms.counters.making import make
from cms.counters.providers import CUSTOM, PROVIDERS

ADDRESS = "https://site.test/"
CODE = (
    "<script>\r\nfetch('https://a.example/x')</script><style>p{color:red}</style>"
    "<img src='https://b.example/1.gif' alt=''><iframe src='https://c.example/' hidden></iframe>"
)
GIVEN: dict[str, dict[str, Any]] = {
    "matomo": {"options": {"url": "https://stats.example.org/m"}},
    CUSTOM: {"counter_id": None, "code": CODE},
}
# The hosts that are asked when the code runs.
ASKED = {
    "yandex_metrica": {"mc.yandex.ru"},
    "google_analytics": {"www.googletagmanager.com"},
    "google_tag_manager": {"www.googletagmanager.com"},
    "vk_pixel": {"top-fwz1.mail.ru"},
    "top_mail_ru": {"top-fwz1.mail.ru"},
    "matomo": {"stats.example.org"},
    "plausible": {"plausible.io"},
    CUSTOM: {"a.example", "b.example", "c.example"},
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_policy_lets_the_code_run(page: Page, name: str) -> None:
    made = make(
        {"provider": name, "counter_id": PROVIDERS[name].example, "position": "body_end", **GIVEN.get(name, {})}
    )
    assert made is not None
    policy = "; ".join(["default-src 'none'", *(f"{on} {' '.join(allowed)}" for on, allowed in made.csp.items())])
    asked = set()

    def answer(route: Route) -> None:
        if route.request.url == ADDRESS:
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
            route.fulfill(body=f"<!doctype html><title>A page</title><body>{made.html}", headers=headers)
        else:
            asked.add(route.request.url.split("/")[2])
            headers = {"Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*"}
            route.fulfill(body="", headers=headers)

    page.route("**/*", answer)
    page.goto(ADDRESS, wait_until="networkidle")
    assert asked == ASKED[name]


def test_nothing_is_granted_before_a_visitor_agrees(page: Page) -> None:
    page.set_content("<p>A page</p>")
    page.evaluate(DEFAULT_CODE)
    [command, kind, said] = page.evaluate("Array.from(window.dataLayer[0])")
    assert (command, kind, said["analytics_storage"], said["ad_storage"]) == ("consent", "default", "denied", "denied")
