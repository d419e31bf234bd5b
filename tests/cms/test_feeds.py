"""Feeds: what was published last, of a type, of a section, of all, or as staff have put it together."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from cms import publishing, site
from cms.delivery import feeds
from cms.delivery.live_structure import live_site
from cms.site import Feed
from tests.cast import PRESS_ID, Colleague, a_live_news, a_news, an_entry, sections, words
from tests.cms.test_seo import set_up

BASE = "https://www.example.org"


def read(session: Session, feed: Feed) -> feeds.Read:
    session.flush()
    return feeds.read(session, feed, live=live_site(session), settings=site.settings(session), base=BASE)


def titles(session: Session, feed: Feed) -> list[str]:
    return [item.title for item in read(session, feed).items]


def test_the_newest_come_first_and_drafts_never(session: Session, olga: Colleague) -> None:
    for title in "abc":
        a_live_news(session, by=olga.by(), title=title)
        olga.clock.pass_by(minutes=1)
    a_news(session, by=olga.by(), title="draft")
    assert titles(session, Feed("all")) == ["c", "b", "a"]
    assert titles(session, Feed("all", limit=2)) == ["c", "b"]


@pytest.mark.parametrize(
    ("feed", "found"),
    [
        (Feed("all"), {"n", "a", "e", "s", "d"}),
        (Feed("x", types=("article",)), {"a"}),
        (Feed("x", locale="en"), {"e"}),
        (Feed("x", section="company"), {"s", "d"}),
        (Feed("x", section="deep"), {"d"}),
        (Feed("x", section="nowhere"), set()),
    ],
)
def test_a_feed_is_of_types_a_section_or_a_locale(
    session: Session, olga: Colleague, feed: Feed, found: set[str]
) -> None:
    [company] = sections(session, "company", by=olga.by())
    [deep] = sections(session, "deep", by=olga.by(), parent=company)
    a_live_news(session, by=olga.by(), title="n")
    publishing.publish(session, an_entry(session, "article", by=olga.by(), title="a"), by=olga.by())
    publishing.publish(session, an_entry(session, "image", by=olga.by(), title="i"), by=olga.by())
    a_live_news(session, by=olga.by(), title="e", locale="en")
    a_live_news(session, by=olga.by(), title="s", section=company)
    a_live_news(session, by=olga.by(), title="d", section=deep)
    ids = {"company": company, "deep": deep, None: None}
    within = Feed(feed.name, types=feed.types, section=ids.get(feed.section, feed.section), locale=feed.locale)
    assert set(titles(session, within)) == found


def test_an_item_has_absolute_addresses_and_its_whole_text(session: Session, olga: Colleague) -> None:
    other = a_live_news(session, by=olga.by(), slug="other")
    text = words(f"[a](/there) [b](entry:{other.id}) [c](https://else.example/x) [d](mailto:a@b.c) **x**")
    a_live_news(
        session,
        by=olga.by(),
        title="Hours",
        slug="hours",
        summary="Short",
        body=text,
        topics=["hr"],
        byline=(PRESS_ID,),
    )
    item = next(one for one in read(session, Feed("all")).items if one.title == "Hours")
    assert (item.url, item.summary, item.topics) == (f"{BASE}/hours", "Short", ("hr",))
    assert item.authors == (("Press service", "https://example.org/press"),)
    for link in (f"{BASE}/there", f"{BASE}/other", "https://else.example/x", "mailto:a@b.c"):
        assert f'href="{link}"' in (item.html or "")
    assert "<strong>x</strong>" in (item.html or "")


def test_what_has_no_path_is_passed_over_and_does_not_count(session: Session, olga: Colleague) -> None:
    a_live_news(session, by=olga.by(), title="old", slug="old")
    olga.clock.pass_by(minutes=1)
    [lost] = sections(session, "lost", by=olga.by())
    for number in range(3):
        a_live_news(session, by=olga.by(), title=f"lost {number}", section=lost)
    publication = live_site(session).tree.section(lost)
    assert publication is not None
    live = live_site(session)
    bare = type(live)(type(live.tree)([]), live.former, live.entry_id, live.revision, None)
    found = feeds.read(session, Feed("all", limit=1), live=bare, settings=site.settings(session), base=BASE)
    assert [item.title for item in found.items] == ["old"]


@pytest.mark.parametrize(
    ("name", "types"), [("all", ()), ("news", ("news",)), ("article", ("article",)), ("top", ("page",))]
)
def test_feeds_are_called_by_type_or_as_the_settings_say(
    session: Session, olga: Colleague, name: str, types: tuple[str, ...]
) -> None:
    set_up(session, olga, feeds=[{"name": "top", "title": "Top", "types": ["page"]}])
    feed = feeds.named(session, site.settings(session), name)
    assert feed is not None
    assert (feed.name, feed.types) == (name, types)


@pytest.mark.parametrize("name", ["image", "menu", "settings", "structure", "nonsense", ""])
def test_what_has_no_pages_has_no_feed(session: Session, name: str) -> None:
    assert feeds.named(session, site.settings(session), name) is None


def test_a_feed_is_titled_by_the_settings_the_site_and_the_section(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    asked: list[tuple[dict[str, Any], str]] = [
        ({"title": "Own"}, "Own"), ({}, "www.example.org"), ({"section": company}, "www.example.org — Company")
    ]  # fmt: skip
    for said, title in asked:
        assert read(session, Feed("x", **said)).title == title
    set_up(session, olga, site_name="Firm")
    assert read(session, Feed("x", section=company)).title == "Firm — Company"


def test_an_empty_feed_says_nothing_of_a_change(session: Session) -> None:
    assert read(session, Feed("all")).changed is None
