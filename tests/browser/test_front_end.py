"""The example front end in a browser, before a real Sitedesk with its sample site."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from examples.site.app import create_site
from tests.api.desk import data_of, fresh
from tests.api.serving import running
from tests.browser.front import Front, waited

ARTICLE = "/produktsiya/kak-rabotaet-teplovoy-nasos"


def loaded(page: Page) -> set[str]:
    """Which of the sample's counters are on the page."""
    return set(page.evaluate("Object.keys(window.sitedeskSample || {})"))


# --- pages ---


def test_the_front_page_shows_the_news_with_pictures(front: Front, page: Page) -> None:
    page.goto(front.url)
    expect(page).to_have_title("Таволга")
    expect(page.locator(".cards li")).to_have_count(7)
    picture = page.locator(".cards img").first
    assert "/fill_640x360_auto/" in str(picture.get_attribute("src"))
    page.wait_for_function("(one) => one.complete && one.naturalWidth > 0", arg=picture.element_handle())


def test_an_article_has_a_cover_in_many_widths_and_says_what_it_is(front: Front, page: Page) -> None:
    page.goto(front.url + ARTICLE)
    cover = page.locator("figure img")
    assert str(cover.get_attribute("srcset")).count("w,") >= 3
    expect(cover).to_have_attribute("style", "background-color: #d7e1e4")
    page.wait_for_function("(one) => one.complete && one.naturalWidth > 0", arg=cover.element_handle())
    assert "/fit_" in cover.evaluate("(one) => one.currentSrc")
    expect(page.locator("link[rel=canonical]")).to_have_attribute("href", ARTICLE)
    expect(page.locator("meta[name=description]")).to_have_count(1)
    expect(page.locator("link[hreflang=en]")).to_have_attribute("href", "/products/how-a-heat-pump-works")
    expect(page.locator(".breadcrumbs")).to_have_text("Таволга › Продукция › Как тепловой насос греет дом")
    expect(page.locator("header a[aria-current=page]")).to_have_text("Как это работает")


def test_a_page_in_english_is_in_english(front: Front, page: Page) -> None:
    page.goto(front.url)
    page.get_by_role("link", name="EN").click()
    page.wait_for_url("**/?locale=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("header nav").first).to_contain_text("Products")
    page.locator(".cards a").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_page_that_is_the_same_is_not_sent_again(front: Front) -> None:
    first = httpx.get(front.url + ARTICLE)
    again = httpx.get(front.url + ARTICLE, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"


def test_redirects_and_what_is_gone_are_honoured(front: Front) -> None:
    desk = front.site.publisher
    moved, gone = desk.live(slug=fresh("moved")), desk.live(slug=fresh("gone"))
    desk.take_down(moved, answer="redirect", to="/novosti")
    desk.take_down(gone, answer="gone", explanation="Акция <кончилась>")
    answer = httpx.get(front.url + moved["path"])
    assert (answer.status_code, answer.headers["location"]) == (301, "/novosti")
    answer = httpx.get(front.url + gone["path"])
    assert answer.status_code == 410
    assert "Акция &lt;кончилась&gt;" in answer.text


def test_without_the_sitedesk_there_is_still_an_answer() -> None:
    with running(create_site("http://127.0.0.1:9")) as url:
        answer = httpx.get(url)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_hostile_words_stay_words(front: Front, page: Page) -> None:
    said = "</script><script>window.broken = 1</script>"
    entry = front.site.publisher.live(title=said, summary=said, slug=fresh("hostile"), topics=[said])
    page.goto(front.url + entry["path"])
    expect(page.locator("h1")).to_have_text(said)
    assert page.evaluate("window.broken") is None
    front.site.publisher.take_down(entry)


@pytest.mark.parametrize("query", ["locale=xx", "locale=%00", "path=/x", "locale=" + "x" * 200])
def test_a_query_that_means_nothing_breaks_nothing(front: Front, query: str) -> None:
    assert httpx.get(f"{front.url}/?{query}").status_code in (200, 404)


# --- counters ---


def test_no_counter_runs_before_consent_and_none_after_refusal(front: Front, page: Page) -> None:
    page.goto(front.url)
    expect(page.locator("#consent")).to_be_visible()
    assert loaded(page) == {"necessary"}
    page.get_by_role("button", name="Только необходимое").click()
    expect(page.locator("#consent")).to_be_hidden()
    page.goto(front.url + ARTICLE)
    expect(page.locator("#consent")).to_be_hidden()
    assert loaded(page) == {"necessary"}


def test_each_counter_runs_after_its_consent(front: Front, page: Page) -> None:
    page.goto(front.url)
    page.get_by_role("button", name="Статистику").click()
    assert loaded(page) == {"necessary", "analytics"}
    page.get_by_role("button", name="Изменить согласие").click()
    page.get_by_role("button", name="Всё").click()
    assert loaded(page) == {"necessary", "analytics", "marketing"}
    page.goto(front.url + ARTICLE)
    assert loaded(page) == {"necessary", "analytics", "marketing"}


def test_consent_can_be_taken_back(front: Front, page: Page) -> None:
    page.goto(front.url)
    page.get_by_role("button", name="Всё").click()
    page.get_by_role("button", name="Изменить согласие").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Только необходимое").click()
    assert loaded(page) == {"necessary"}


def test_nobody_leaves_a_cookie(front: Front, page: Page) -> None:
    page.goto(front.url)
    page.get_by_role("button", name="Всё").click()
    page.wait_for_load_state("networkidle")
    assert page.context.cookies() == []


# --- banners ---


def test_the_sample_s_banners_are_shown(front: Front, page: Page) -> None:
    page.goto(front.url)
    top = page.locator(".top img")
    page.wait_for_function("(one) => one.complete && one.naturalWidth > 0", arg=top.element_handle())
    expect(page.locator("aside .sitedesk-text")).to_contain_text("Монтажникам")
    expect(page.locator(".notice")).to_be_hidden()


def test_where_nothing_else_fits_the_house_has_its_say(front: Front, page: Page) -> None:
    page.goto(front.url + "/products/how-a-heat-pump-works")
    expect(page.locator("aside img")).to_have_attribute("alt", "Белый тепловой насос в кругах тепла. «Таволга»: "
                                                       "тепловые насосы из Ольховска")  # fmt: skip


def test_an_impression_is_counted_once_and_viewable_after_a_second(front: Front, page: Page) -> None:
    with front.banner() as banner:
        page.goto(front.url)
        expect(page.locator(f"[data-banner='{banner['id']}']")).to_be_visible()
        page.wait_for_timeout(1_200)
        page.goto("about:blank")
        counted = front.statistics(banner, impressions=1, viewable=1)
        assert counted == {"impressions": 1, "viewable": 1, "clicks": 0}
        page.goto(front.url)
        page.goto("about:blank")
        assert front.statistics(banner, impressions=2)["impressions"] == 2


def test_a_click_is_followed_to_the_page_and_counted(front: Front, page: Page) -> None:
    with front.banner(link="/karera", tracking=[{"name": "utm_source", "value": "side"}]) as banner:
        page.goto(front.url)
        page.locator(f"[data-banner='{banner['id']}'] a").click()
        page.wait_for_url(f"{front.url}/karera?utm_source=side")
        assert front.statistics(banner, impressions=1, clicks=1)["clicks"] == 1


def test_a_click_that_leaves_the_site_goes_over_the_server(front: Front, page: Page) -> None:
    with front.banner(link=f"{front.kept_url}/karera") as banner:
        page.goto(front.url)
        link = page.locator(f"[data-banner='{banner['id']}'] a")
        assert str(link.get_attribute("href")).startswith(f"{front.site.url}/go/")
        link.click()
        page.wait_for_url(f"{front.kept_url}/karera")
        counted = front.statistics(banner, impressions=1, clicks=1)
        assert (counted["impressions"], counted["clicks"]) == (1, 1)


def test_html_in_a_sandbox_keeps_to_the_policy(front: Front, page: Page) -> None:
    html = '<p style="color: red">Скидка <b>10 %</b></p><script>parent.broken = 1</script>'
    with front.banner(creative={"html": html}, link="/karera") as banner:
        page.goto(front.url)
        root = page.locator(f"[data-banner='{banner['id']}']")
        expect(root.locator("iframe").content_frame.locator("b")).to_have_text("10 %")
        assert page.evaluate("window.broken") is None
        root.locator("a").click()
        page.wait_for_url(f"{front.url}/karera")


def test_a_banner_that_ends_vanishes_from_an_open_page(front: Front, page: Page) -> None:
    ends = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
    with front.banner(ends_at=ends) as banner:
        page.goto(front.url)
        shown = page.locator(f"[data-banner='{banner['id']}']")
        expect(shown).to_have_count(1)
        expect(shown).to_have_count(0)
        page.reload()
        expect(shown).to_have_count(0)


def test_an_emergency_notice_appears_on_pages_that_browsers_have_kept(front: Front, page: Page) -> None:
    page.goto(front.kept_url + "/karera")
    page.get_by_role("link", name="О компании").click()
    page.wait_for_url("**/o-kompanii")
    before = front.asked["/karera"]
    with front.banner("notice", creative={"text": "Сегодня мы закрыты"}):
        page.get_by_role("link", name="Карьера", exact=True).click()
        page.wait_for_url("**/karera")
        expect(page.locator(".notice [role=alert]")).to_have_text("Сегодня мы закрыты")
    assert front.asked["/karera"] == before
    page.get_by_role("link", name="О компании").click()
    page.wait_for_url("**/o-kompanii")
    expect(page.locator(".notice")).to_be_hidden()


# --- what nobody found ---


def test_a_missing_path_is_reported_with_where_the_visitor_came_from(
    front: Front, page: Page, complaints: list[str]
) -> None:
    path = f"/{fresh('missing')}/nasos"
    page.goto(front.url)
    page.evaluate("(to) => { location.href = to }", path)
    page.wait_for_url("**" + path)
    expect(page.locator("h1")).to_have_text("Такой страницы нет")
    page.goto(front.url)

    def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = data_of(front.site.publisher.get("missing-paths", params={"filter[path]": path}))
        return found

    [row] = waited(read, bool)
    assert (row["hits"], row["referrer"], row["locale"]) == (1, f"{front.url}/", "ru")
    assert len(complaints) == 1
    assert "404" in complaints.pop()
