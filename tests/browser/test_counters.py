"""How sitedesk.js loads counters: after consent, and so that they run."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stub import CMS, FRONT, Stub, counter

POSITIONS = ("head", "body_start", "body_end")
CATEGORIES = ("necessary", "functional", "analytics", "marketing")


def noting(category: str, **given: Any) -> dict[str, Any]:
    """A counter that notes on the page that it ran."""
    return counter(category, f"<script>window.ran = (window.ran || []).concat('{category}')</script>", **given)


ALL = [noting(category) for category in CATEGORIES]


@pytest.fixture
def stub(page: Page) -> Stub:
    return Stub(page).install()


def ran(page: Page) -> list[str]:
    """Which counters ran, in order."""
    found: list[str] = page.evaluate("window.ran || []")
    return found


def consent(page: Page, **given: bool) -> None:
    page.evaluate(f"Sitedesk.consent({json.dumps(given)})")


def test_before_consent_there_is_only_what_is_necessary(stub: Stub) -> None:
    page = stub.show(data={"counters": ALL})
    assert ran(page) == ["necessary"]
    assert page.evaluate("Sitedesk.consent()") is None
    expect(page.locator("body script")).to_have_count(1)


def test_each_category_comes_with_its_consent_and_no_other(stub: Stub) -> None:
    page = stub.show(data={"counters": ALL})
    consent(page, analytics=True, marketing=False)
    assert ran(page) == ["necessary", "analytics"]
    consent(page, marketing=True)
    assert ran(page) == ["necessary", "analytics", "marketing"]
    assert page.evaluate("Sitedesk.consent()") == {"analytics": True, "marketing": True}


def test_consent_is_remembered_and_a_counter_runs_once_on_a_page(stub: Stub) -> None:
    page = stub.show(data={"counters": ALL})
    consent(page, analytics=True)
    consent(page, analytics=True)
    assert ran(page).count("analytics") == 1
    page.reload()
    assert ran(page) == ["necessary", "analytics"]
    assert page.context.cookies() == []


def test_who_refuses_is_not_asked_by_a_counter_again(stub: Stub) -> None:
    page = stub.show(data={"counters": ALL})
    consent(page, functional=False, analytics=False, marketing=False)
    page.reload()
    assert ran(page) == ["necessary"]
    assert page.evaluate("Sitedesk.consent()") == {"functional": False, "analytics": False, "marketing": False}


def test_only_a_clear_yes_is_consent(stub: Stub) -> None:
    page = stub.show(data={"counters": ALL})
    page.evaluate('localStorage.setItem(\'sitedesk.consent\', \'{"analytics": "no", "necessary": false}\')')
    page.reload()
    assert ran(page) == ["necessary"]
    page.evaluate("localStorage.setItem('sitedesk.consent', 'null{')")
    page.reload()
    assert ran(page) == ["necessary"]


def test_consent_in_another_tab_counts_here(stub: Stub) -> None:
    page = stub.show(data={"counters": ALL})
    other = Stub(page.context.new_page()).install()
    consent(other.show(data={"counters": []}), analytics=True)
    page.wait_for_function("window.ran.includes('analytics')")


def test_counters_that_are_not_in_the_page_are_asked_for(stub: Stub) -> None:
    stub.counters = ALL
    page = stub.show(path="/a", data={"banners": {}}, script='data-locale="ru"')
    page.wait_for_function("window.ran")
    assert stub.asked == ["/delivery/v1/counters?path=%2Fa&locale=ru"]


def test_a_script_from_elsewhere_runs_before_what_follows_it(stub: Stub) -> None:
    stub.page.route(
        "https://stat.example.net/tag.js",
        lambda route: route.fulfill(content_type="text/javascript", body="window.ran = ['tag']"),
    )
    code = '<script src="https://stat.example.net/tag.js"></script><noscript><img src="/x.gif"></noscript>'
    page = stub.show(data={"counters": [counter("necessary", code)]})
    page.wait_for_function("window.ran")
    assert ran(page) == ["tag"]
    expect(page.locator("body noscript")).to_have_count(0)


def test_code_stands_where_it_is_meant_to(stub: Stub) -> None:
    every = [counter("necessary", f'<meta name="{one}">', position=one, id=one) for one in POSITIONS]
    page = stub.show("top", data={"counters": every})
    for one, where in zip(POSITIONS, ("head > :last-child", "body > :first-child", "body > :last-child"), strict=True):
        expect(page.locator(where)).to_have_attribute("name", one)


def test_a_nonce_opens_the_policy_to_them(page: Page) -> None:
    policy = "script-src 'nonce-abc'"
    stub = Stub(page)
    page.route(
        f"{FRONT}/**",
        lambda route: route.fulfill(
            content_type="text/html", body=stub.html, headers={"Content-Security-Policy": policy}
        ),
    )
    page.route(f"{CMS}/**", stub._answer)
    shown = stub.show(data={"counters": ALL}, script='nonce="abc"')
    assert ran(shown) == ["necessary"]


# --- Consent Mode ---

SIGNALS = {"analytics": ["analytics_storage"], "marketing": ["ad_storage", "ad_user_data"]}
GOOGLE = [noting(category, consent=SIGNALS.get(category, [])) for category in CATEGORIES]


def told(page: Page) -> list[Any]:
    """What Google's tags were told of consent."""
    found: list[Any] = page.evaluate("(window.dataLayer || []).map((one) => Array.from(one))")
    return found


def test_nothing_is_told_before_anything_is_agreed_to(stub: Stub) -> None:
    page = stub.show(data={"counters": GOOGLE})
    assert told(page) == []
    assert page.evaluate("'gtag' in window") is False


def test_all_is_denied_first_and_then_granted_as_agreed(stub: Stub) -> None:
    page = stub.show(data={"counters": GOOGLE})
    consent(page, analytics=True)
    every = ("analytics_storage", "ad_storage", "ad_user_data")
    assert told(page) == [
        ["consent", "default", dict.fromkeys(every, "denied")],
        ["consent", "update", {**dict.fromkeys(every, "denied"), "analytics_storage": "granted"}],
    ]
    consent(page, marketing=True)
    assert told(page)[2:] == [["consent", "update", dict.fromkeys(every, "granted")]]
    consent(page, analytics=False, marketing=False)
    assert told(page)[3:] == [["consent", "update", dict.fromkeys(every, "denied")]]


def test_counters_that_know_no_signals_tell_none(stub: Stub) -> None:
    page = stub.show(data={"counters": ALL})
    consent(page, analytics=True)
    assert told(page) == []
