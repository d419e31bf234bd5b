"""Feeds, sitemap and robots.txt, read by libraries that others wrote."""

from collections.abc import Iterator
from typing import Any

import feedparser
import pytest
from usp.tree import sitemap_from_str

from api.settings import Settings
from cms.delivery import sitemap
from tests.api.desk import Desk, data_of, fresh, plain, refused
from tests.api.serving import Site, serving

BASE = "https://www.example.org"


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of this module's own, whose settings may be changed."""
    with serving(Settings(data=tmp_path_factory.mktemp("feeds") / "data")) as own:
        set_up(own, site_name="Firm & Sons", site_url=BASE)
        yield own


def set_up(site: Site, **fields: Any) -> None:
    desk = site.administrator
    (settings,) = data_of(desk.get("entries", params={"type": "settings"}))
    desk.publish(desk.change(settings, **fields))


def pages(text: str) -> dict[str, Any]:
    """The pages of a sitemap by address."""
    return {one.url: one for one in sitemap_from_str(text).all_pages()}


# --- feeds ---


def an_item(desk: Desk, **given: Any) -> dict[str, Any]:
    """A piece of news with everything that a feed tells of."""
    person = desk.person(name="Ann & Co", url="https://example.org/ann")
    body = plain("**Hello** [there](/there)")
    return desk.live(
        title=f"<b>{fresh('title')}</b> & \u0001more", summary="A < B", body=body, topics=["hr"], byline=[person["id"]],
        **given,
    )  # fmt: skip


@pytest.mark.parametrize(("form", "version"), [("rss", "rss20"), ("atom", "atom10")])
def test_a_feed_is_read_by_others(own_site: Site, form: str, version: str) -> None:
    entry = an_item(own_site.administrator)
    answer = own_site.anyone.get(f"/feeds/all.{form}")
    feed = feedparser.parse(answer.content)
    assert (feed.bozo, feed.version, feed.feed.title) == (False, version, "Firm & Sons")
    item = feed.entries[0]
    assert (item.id, item.link) == (f"urn:uuid:{entry['id']}", BASE + entry["path"])
    assert item.title == entry["fields"]["title"].replace("\u0001", "")
    assert (item.author, item.tags[0].term) == ("Ann & Co", "hr")
    assert f'<a href="{BASE}/there">there</a>' in item.content[0].value
    assert item.published_parsed
    assert answer.headers["content-type"].startswith(f"application/{form}+xml")


def test_a_json_feed_has_what_its_version_wants(own_site: Site) -> None:
    entry = an_item(own_site.administrator)
    answer = own_site.anyone.get("/feeds/news.json")
    feed = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["title"], feed["home_page_url"]) == ("Firm & Sons", f"{BASE}/")
    assert feed["feed_url"] == f"{BASE}/feeds/news.json"
    item = feed["items"][0]
    assert (item["id"], item["url"], item["summary"]) == (f"urn:uuid:{entry['id']}", BASE + entry["path"], "A < B")
    assert item["authors"] == [{"name": "Ann & Co", "url": "https://example.org/ann"}]
    assert all(value is not None for one in feed["items"] for value in one.values())
    assert all(one.keys() & {"content_html", "content_text"} for one in feed["items"])
    assert answer.headers["content-type"] == "application/feed+json"


def test_a_feed_says_who_it_is(own_site: Site) -> None:
    rss = feedparser.parse(own_site.anyone.get("/feeds/all.rss?locale=ru").content)
    assert {"rel": "self", "type": "application/rss+xml", "href": f"{BASE}/feeds/all.rss?locale=ru"} in rss.feed.links
    assert rss.feed.language == "ru"
    text = own_site.anyone.get("/feeds/all.rss").text
    assert 'isPermaLink="false"' in text
    assert "<dc:creator>" in text
    atom = feedparser.parse(own_site.anyone.get("/feeds/all.atom").content)
    assert (atom.feed.id.startswith("urn:uuid:"), atom.feed.author) == (True, "Firm & Sons")


def test_a_feed_is_of_a_section_by_its_id_or_its_path(own_site: Site) -> None:
    slug = fresh("section")
    (section,) = own_site.administrator.sections(slug)
    entry = own_site.administrator.live(section=section)
    for asked in (section, f"/{slug}"):
        items = own_site.anyone.get("/feeds/all.json", params={"section": asked}).json()["items"]
        assert [item["id"] for item in items] == [f"urn:uuid:{entry['id']}"]
    refused(own_site.anyone.get("/feeds/all.json?section=/nowhere"), 404, "not_found")


def test_feeds_of_the_settings_have_their_names(own_site: Site) -> None:
    entries = [own_site.administrator.live("page")["id"] for _ in range(3)]
    set_up(own_site, feeds=[{"name": "top", "title": "Top pages", "types": ["page"], "limit": 2}])
    feed = own_site.anyone.get("/feeds/top.json").json()
    assert feed["title"] == "Top pages"
    assert [item["id"] for item in feed["items"]] == [f"urn:uuid:{id}" for id in entries[:0:-1]]


@pytest.mark.parametrize(
    "name", ["nonsense.rss", "all.xml", "image.rss", "all", ".rss", "all.rss.json", "%00.rss", "menu.json"]
)
def test_there_are_no_other_feeds(own_site: Site, name: str) -> None:
    answer = own_site.anyone.get(f"/feeds/{name}")
    refused(answer, answer.status_code)
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize(
    "address", ["/feeds/all.rss", "/feeds/all.atom", "/feeds/news.json", "/robots.txt", "/sitemap.xml"]
)
def test_what_has_not_changed_is_not_sent_again(own_site: Site, address: str) -> None:
    own_site.administrator.live()
    answer = own_site.anyone.get(address)
    assert answer.headers["cache-tag"].startswith("structure,settings")
    known = {"If-None-Match": answer.headers["etag"]}
    again = own_site.anyone.get(address, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert (own_site.anyone.head(address).status_code, own_site.anyone.head(address).content) == (200, b"")
    if address != "/robots.txt":
        own_site.administrator.live()
        assert own_site.anyone.get(address, headers=known).status_code == 200
    if address.startswith("/feeds/"):
        assert answer.headers["last-modified"].endswith("GMT")


def test_an_empty_feed_is_a_feed(own_site: Site) -> None:
    (section,) = own_site.administrator.sections(fresh("empty"))
    for form in ("rss", "atom"):
        feed = feedparser.parse(own_site.anyone.get(f"/feeds/all.{form}?section={section}").content)
        assert (feed.bozo, feed.entries) == (False, [])


# --- the sitemap ---


def test_the_sitemap_is_read_by_others(own_site: Site) -> None:
    slug = fresh("section")
    (section,) = own_site.administrator.sections(slug)
    russian = own_site.administrator.live(section=section)
    english = own_site.administrator.write(locale="en", translation_of=russian["id"])
    english = own_site.administrator.publish(english)
    hidden = own_site.administrator.live(seo={"noindex": True})
    found = pages(own_site.anyone.get("/sitemap.xml").text)
    assert {f"{BASE}/", f"{BASE}/{slug}", BASE + russian["path"], BASE + english["path"]} <= found.keys()
    assert BASE + hidden["path"] not in found
    told = found[BASE + russian["path"]]
    assert told.last_modified is not None
    assert set(told.alternates or ()) == {("ru", BASE + russian["path"]), ("en", BASE + english["path"])}


def test_a_long_sitemap_comes_in_parts(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pages(own_site.anyone.get("/sitemap.xml").text)
    refused(own_site.anyone.get("/sitemap-1.xml"), 404, "not_found")
    # More sections than one part has are cut off; the smallest part holds those of this module.
    monkeypatch.setattr(sitemap, "MOST_IN_PART", 20)
    monkeypatch.setattr(sitemap, "AT_ONCE", 3)
    while data_of(own_site.visitor.get("entries?total=true&page[size]=1")) and len(whole) < 45:
        own_site.administrator.live()
        whole[fresh()] = None
    index = own_site.anyone.get("/sitemap.xml")
    assert "<sitemapindex" in index.text
    addresses = [part.partition("</loc>")[0] for part in index.text.split("<loc>")[1:]]
    assert addresses == [f"{BASE}/sitemap-{number}.xml" for number in range(1, len(addresses) + 1)]
    parts = [pages(own_site.anyone.get(address.removeprefix(BASE)).text) for address in addresses]
    assert all(len(part) <= 20 for part in parts)
    every = [url for part in parts for url in part]
    assert len(every) == len(set(every))
    assert {url for url in whole if url.startswith(BASE)} <= set(every)
    for number in ("0", "x", str(len(addresses) + 1), "99999999999", "-1", "²"):
        refused(own_site.anyone.get(f"/sitemap-{number}.xml"), 404, "not_found")


# --- robots.txt ---


def test_robots_may_visit_everything_unless_the_settings_say_otherwise(own_site: Site) -> None:
    answer = own_site.anyone.get("/robots.txt")
    assert answer.text == f"User-agent: *\nAllow: /\n\nSitemap: {BASE}/sitemap.xml\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    set_up(own_site, robots_txt="User-agent: *\r\nDisallow: /x")
    assert own_site.anyone.get("/robots.txt").text == f"User-agent: *\nDisallow: /x\n\nSitemap: {BASE}/sitemap.xml\n"
    set_up(own_site, robots_txt="sitemap: https://else.example/s.xml")
    assert own_site.anyone.get("/robots.txt").text == "sitemap: https://else.example/s.xml\n"
    set_up(own_site, robots_txt=None)


def test_without_an_address_of_the_site_the_server_s_own_is_told(site: Site) -> None:
    assert f"Sitemap: {site.parts.base}/sitemap.xml" in site.anyone.get("/robots.txt").text
    assert feedparser.parse(site.anyone.get("/feeds/all.rss").content).feed.link == f"{site.parts.base}/"


def test_a_type_that_staff_made_has_a_feed_and_stands_in_the_sitemap(own_site: Site) -> None:
    name = fresh("vacancy")
    fields = [{"name": "title", "kind": "text", "required": True}, {"name": "duties", "kind": "rich_text"}]
    body = {"label": "Vacancy", "routable": True, "fields": fields}
    assert own_site.administrator.put(f"types/{name}", json=body).is_success
    entry = own_site.administrator.live(name, duties=plain("Cook"))
    feed = feedparser.parse(own_site.anyone.get(f"/feeds/{name}.atom").content)
    assert [(item.link, item.content[0].value) for item in feed.entries] == [(BASE + entry["path"], "<p>Cook</p>")]
    assert BASE + entry["path"] in pages(own_site.anyone.get("/sitemap.xml").text)
