"""How sitedesk.js decides which banner is shown, shows it, and tells of it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stub import CMS, FRONT, Stub, banner, targeting

# A Monday; ten in the morning in London, one in the afternoon in Moscow.
NOON = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
VIEW_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


@pytest.fixture
def stub(page: Page) -> Stub:
    page.clock.install(time=NOON)
    return Stub(page).install()


def shown(page: Page, placement: str = "top") -> str | None:
    """The id of the banner that a placement shows, decided while the page loaded."""
    found = page.locator(f"#{placement} .sitedesk-banner")
    return found.get_attribute("data-banner") if found.count() else None


# --- where it comes from ---


def test_banners_in_the_page_are_shown_without_asking(stub: Stub) -> None:
    page = stub.show("top", data={"banners": {"top": [banner()]}, "counters": []})
    expect(page.locator("#top")).to_have_text("b1")
    assert stub.asked == []


def test_other_placements_are_asked_for_in_one_call_with_the_path(stub: Stub) -> None:
    stub.banners = [banner(), banner("b2", placement="side")]
    page = stub.show("top", "side", path="/a/б", data={"counters": []}, script='data-locale="ru"')
    expect(page.locator("#top")).to_have_text("b1")
    expect(page.locator("#side")).to_have_text("b2")
    [asked] = stub.asked
    assert asked == "/delivery/v1/banners?placement=top%2Cside&path=%2Fa%2F%25D0%25B1&locale=ru"


def test_what_cannot_wait_is_asked_for_whatever_the_page_says(stub: Stub) -> None:
    old, new = banner("old", emergency=True), banner("new", emergency=True)
    stub.banners = [new]
    page = stub.show("top", data={"banners": {"top": [old]}, "counters": []})
    expect(page.locator("#top [role=alert]")).to_have_text("new")


def test_an_emergency_placement_that_was_empty_is_asked_for_too(stub: Stub) -> None:
    stub.banners = [banner(emergency=True)]
    page = stub.show("top", data={"banners": {"top": []}, "counters": []}, emergency="")
    expect(page.locator("#top")).to_have_text("b1")


def test_what_the_page_has_is_shown_when_the_api_is_down(stub: Stub, complaints: list[str]) -> None:
    stub.down = True
    page = stub.show("top", "side", data={"banners": {"top": [banner(emergency=True)]}})
    expect(page.locator("#top")).to_have_text("b1")
    assert shown(page, "side") is None
    assert all("net::ERR_FAILED" in one for one in complaints)
    complaints.clear()


# --- which one ---


def seen_by(stub: Stub, *banners: dict[str, Any], **more: Any) -> str | None:
    return shown(stub.show("top", data={"banners": {"top": list(banners)}, "counters": []}, **more))


def at(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


WHEN: list[tuple[dict[str, Any], bool]] = [
    ({"starts_at": at(NOON)}, True),
    ({"starts_at": at(NOON + timedelta(minutes=1))}, False),
    ({"ends_at": at(NOON + timedelta(minutes=1))}, True),
    ({"ends_at": at(NOON)}, False),
    ({"days": ["mon"]}, True),
    ({"days": ["sat", "sun"]}, False),
    ({"hours": [{"from": "09:00", "to": "13:30"}]}, True),
    ({"hours": [{"from": "09:00", "to": "13:00"}]}, False),
    ({"hours": [{"from": "09:00", "to": "11:00"}], "zone": "Europe/London"}, True),
    ({"hours": [{"from": "06:00", "to": "07:00"}, {"from": "12:59", "to": "13:01"}]}, True),
    ({"hours": [{"from": "22:00", "to": "06:00"}]}, False),
    ({"days": ["mon"], "hours": [{"from": "12:00", "to": "02:00"}]}, True),
    ({"days": ["sun"], "hours": [{"from": "20:00", "to": "14:00"}]}, True),
    ({"days": ["mon"], "hours": [{"from": "20:00", "to": "14:00"}]}, False),
    ({"zone": "Mars/Olympus"}, False),
]


def test_dates_days_and_hours_decide_by_the_clock_of_the_zone(stub: Stub) -> None:
    found = fitting(stub, [banner(**when) for when, _ in WHEN])
    assert list(zip((when for when, _ in WHEN), found, strict=True)) == WHEN


AIMS: list[tuple[dict[str, list[str]], bool]] = [
    ({"topics": ["heating"]}, True),
    ({"topics": ["cooling", "slots"]}, True),
    ({"topics": ["cooling"]}, False),
    ({"locales": ["ru", "en"]}, True),
    ({"locales": ["en"]}, False),
    ({"devices": ["desktop"]}, True),
    ({"devices": ["mobile", "tablet"]}, False),
]


def test_the_page_and_the_device_decide(stub: Stub) -> None:
    aimed = [banner(targeting=targeting(**aim)) for aim, _ in AIMS]
    found = fitting(stub, aimed, script='data-locale="ru" data-topics="homes, heating"', topics="slots")
    assert list(zip((aim for aim, _ in AIMS), found, strict=True)) == AIMS


def fitting(stub: Stub, banners: list[dict[str, Any]], **more: Any) -> list[bool]:
    """Which of some banners are shown, each in a placement of its own."""
    placed = {f"place{number}": [{**one, "placement": f"place{number}"}] for number, one in enumerate(banners)}
    page = stub.show(*placed, data={"banners": placed, "counters": []}, **more)
    return [shown(page, name) is not None for name in placed]


@pytest.mark.parametrize(("width", "device"), [(390, "mobile"), (820, "tablet")])
def test_what_is_touched_is_a_phone_or_a_tablet(chromium: Browser, width: int, device: str) -> None:
    size = {"width": width, "height": 1_100}
    with chromium.new_context(has_touch=True, is_mobile=True, viewport=size, screen=size) as context:  # type: ignore[arg-type]
        stub = Stub(context.new_page()).install()
        every = [banner(one, targeting=targeting(devices=[one])) for one in ("desktop", "mobile", "tablet")]
        assert seen_by(stub, *every) == device


def test_the_highest_priority_goes_first_and_the_house_last(stub: Stub) -> None:
    paid, better = banner("paid"), banner("better", priority=5)
    house = banner("house", house=True, priority=9, weight=1_000)
    assert seen_by(stub, paid, better, house) == "better"
    assert seen_by(stub, paid, house) == "paid"
    assert seen_by(stub, house, banner(ends_at=at(NOON))) == "house"


def test_weights_are_shares(stub: Stub) -> None:
    seen: list[str | None] = []
    for chance in (0.24, 0.26):
        stub.page.add_init_script(f"Math.random = () => {chance}")
        seen.append(seen_by(stub, banner("light", weight=1), banner("heavy", weight=3)))
    assert seen == ["light", "heavy"]


def test_a_banner_is_shown_so_often_in_such_a_time(stub: Stub) -> None:
    capped = [banner(per, cap={"views": 2, "per": per}) for per in ("hour", "day", "week", "month")]
    assert [fitting(stub, capped) for _ in range(3)] == [[True] * 4, [True] * 4, [False] * 4]
    for days, some in ((1 / 24, 1), (1, 2), (7, 3), (30, 4)):
        stub.page.clock.install(time=NOON + timedelta(days=days, minutes=1))
        assert fitting(stub, capped)[some - 1 :] == [True] + [False] * (4 - some)


def test_a_session_ends_with_its_tab(stub: Stub) -> None:
    capped = banner(cap={"views": 1, "per": "session"})
    assert [seen_by(stub, capped) for _ in range(2)] == ["b1", None]
    other = Stub(stub.page.context.new_page()).install()
    assert seen_by(other, capped) == "b1"


# --- while the page is open ---


def test_what_ends_while_it_is_shown_makes_room(stub: Stub) -> None:
    ending = banner(ends_at=at(NOON + timedelta(minutes=10)))
    page = stub.show("top", data={"banners": {"top": [ending, banner("house", house=True)]}, "counters": []})
    expect(page.locator("#top")).to_have_text("b1")
    page.clock.run_for(timedelta(minutes=10, seconds=1) // timedelta(milliseconds=1))
    expect(page.locator("#top")).to_have_text("house")


def test_what_begins_takes_the_place_of_the_house(stub: Stub) -> None:
    coming = banner(hours=[{"from": "13:05", "to": "14:00"}])
    page = stub.show("top", data={"banners": {"top": [coming, banner("house", house=True)]}, "counters": []})
    expect(page.locator("#top")).to_have_text("house")
    page.clock.run_for("05:01")
    expect(page.locator("#top")).to_have_text("b1")
    page.clock.run_for("55:01")
    expect(page.locator("#top")).to_have_text("house")


def test_an_empty_placement_is_empty(stub: Stub) -> None:
    page = stub.show(
        "top", data={"banners": {"top": [banner(ends_at=at(NOON + timedelta(seconds=5)))]}, "counters": []}
    )
    expect(page.locator("#top")).to_have_text("b1")
    page.clock.run_for("00:06")
    expect(page.locator("#top > *")).to_have_count(0)


# --- what it looks like ---


def test_an_image_comes_in_many_widths_from_the_api_s_host(stub: Stub) -> None:
    image = {
        "id": "i",
        "url": "/media/x/a.jpg",
        "width": 1200,
        "height": 240,
        "alt": "Дом",
        "color": "#123456",
        "srcset": "/media/x/fit_320_auto/s/a.jpg 320w, /media/x/fit_640_auto/s/a.jpg 640w",
        "placeholder": None,
    }
    page = stub.show("top", data={"banners": {"top": [banner(creative={"kind": "image", "image": image})]}})
    found = page.get_by_role("img", name="Дом")
    expect(found).to_have_attribute("src", f"{CMS}/media/x/a.jpg")
    expect(found).to_have_attribute(
        "srcset", f"{CMS}/media/x/fit_320_auto/s/a.jpg 320w, {CMS}/media/x/fit_640_auto/s/a.jpg 640w"
    )
    expect(found).to_have_attribute("sizes", re.compile(r"^\d+px$"))
    expect(found).to_have_css("background-color", "rgb(18, 52, 86)")


def test_html_stands_in_a_sandbox_with_the_link_over_it(stub: Stub, complaints: list[str]) -> None:
    creative = {"kind": "html", "html": "<b>Hi</b><script>parent.broken = 1</script>", "sandbox": "allow-popups"}
    link = {"url": "/offer", "go": "/go/t", "rel": "sponsored"}
    page = stub.show("top", data={"banners": {"top": [banner(creative=creative, link=link)]}, "counters": []})
    expect(page.frame_locator("#top iframe").locator("b")).to_have_text("Hi")
    expect(page.locator("#top iframe")).to_have_attribute("sandbox", "allow-popups")
    expect(page.locator("#top a.sitedesk-over")).to_have_attribute("href", "/offer")
    assert page.evaluate("window.broken") is None
    assert all("sandboxed" in one for one in complaints)
    complaints.clear()


def test_words_are_words_and_the_label_says_who_pays(stub: Stub) -> None:
    said = "<img src=x onerror=alert(1)>"
    paid = banner(creative={"kind": "text", "text": said}, label="Реклама", advertiser="ООО <b>", erid="2Vt")
    page = stub.show("top", data={"banners": {"top": [paid]}, "counters": []})
    expect(page.locator("#top .sitedesk-text")).to_have_text(said)
    expect(page.locator("#top .sitedesk-label")).to_have_text("Реклама · ООО <b> · erid: 2Vt")
    expect(page.locator("#top img")).to_have_count(0)


LINKS: list[tuple[str | None, str | None, str | None]] = [
    ("https://bank.example.org/x", "/go/tok.en", f"{CMS}/go/tok.en?view="),
    ("/products?utm_source=top", "/go/token", "/products?utm_source=top"),
    ("https://bank.example.org/x", None, "https://bank.example.org/x"),
    ("javascript:alert(1)", None, None),
    ("data:text/html,x", None, None),
    (None, None, None),
]


def test_a_link_leads_over_the_server_when_it_leaves_the_site(stub: Stub) -> None:
    links = [{"url": url, "go": go, "rel": "sponsored"} for url, go, _ in LINKS]
    fitting(stub, [banner(link=link) for link in links])
    for number, (_, _, leads) in enumerate(LINKS):
        found = stub.page.locator(f"#place{number} a.sitedesk-link")
        assert found.count() == (leads is not None)
        if leads is not None:
            assert str(found.get_attribute("href")).startswith(leads)
            expect(found).to_have_attribute("rel", "sponsored")


def test_what_is_no_address_takes_no_other_banner_along(stub: Stub) -> None:
    broken = banner(link={"url": "http://[", "go": None, "rel": ""})
    assert fitting(stub, [broken, banner()]) == [False, True]


# --- what is told ---


def test_an_impression_is_told_once_and_a_second_in_sight_once(stub: Stub) -> None:
    page = stub.show("top", data={"banners": {"top": [banner()]}, "counters": []})
    expect(page.locator("#top")).to_have_text("b1")
    page.wait_for_timeout(200)
    page.clock.run_for("00:10")
    page.evaluate("scrollTo(0, 10)")
    page.clock.run_for("00:10")
    told = stub.listen(2)
    assert [one["kind"] for one in told] == ["impression", "viewable"]
    assert {(one["banner"], one["placement"]) for one in told} == {("b1", "top")}
    [view] = {one["view"] for one in told}
    assert VIEW_ID.fullmatch(view)


def test_what_is_below_the_fold_is_shown_but_not_seen(stub: Stub) -> None:
    page = stub.show("top", data={"banners": {"top": [banner()]}, "counters": []})
    page.evaluate("document.getElementById('top').style.marginTop = '5000px'")
    page.wait_for_timeout(200)
    page.clock.run_for("00:10")
    assert [one["kind"] for one in stub.listen(1)] == ["impression"]


def test_beacons_go_together_and_when_the_page_is_left(stub: Stub) -> None:
    every = {"top": [banner()], "side": [banner("b2", placement="side")]}
    page = stub.show("top", "side", data={"banners": every, "counters": []}, script="data-missing")
    expect(page.locator("#side")).to_have_text("b2")
    assert stub.told == []
    # The browser would send it after the page has gone, when nobody here could answer.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    stub.listen(2)
    [told] = stub.told
    assert [one["banner"] for one in told["banners"]] == ["b1", "b2"]
    assert told["missing_paths"] == [{"path": "/", "referrer": None, "locale": None}]


def test_a_click_on_a_page_of_the_site_is_told_at_once(stub: Stub) -> None:
    link = {"url": "/offer", "go": "/go/t", "rel": ""}
    page = stub.show("top", data={"banners": {"top": [banner(link=link)]}, "counters": []})
    page.locator("#top a").click()
    page.wait_for_url(FRONT + "/offer")
    told = stub.listen(2)
    assert [one["kind"] for one in told[:2]] == ["impression", "click"]
    assert told[0]["view"] == told[1]["view"]


def test_every_view_has_an_id_of_its_own(stub: Stub) -> None:
    for _ in range(2):
        stub.show("top", data={"banners": {"top": [banner()]}, "counters": []})
        stub.page.clock.run_for("00:03")
    assert len({one["view"] for one in stub.listen(2, "impression")}) == 2


# --- pages that change without loading ---


def test_a_front_end_of_one_page_says_where_it_is(stub: Stub) -> None:
    page = stub.show("top", data={"banners": {"top": [banner()]}, "counters": []})
    stub.banners = [banner("b2", targeting=targeting(topics=["homes"]))]
    page.evaluate("Sitedesk.page('/next', {topics: ['homes'], missing: true})")
    expect(page.locator("#top")).to_have_text("b2")
    page.clock.run_for("00:03")
    assert sorted(one.split("?")[0] for one in stub.asked) == ["/delivery/v1/banners", "/delivery/v1/counters"]
    assert all("path=%2Fnext" in one for one in stub.asked)
    assert [one["banner"] for one in stub.listen(2, "impression")] == ["b1", "b2"]
    assert stub.told[-1]["missing_paths"] == [{"path": "/next", "referrer": None, "locale": None}]
