"""What staff are told of banners: ends, links, pictures, empty placements."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import banner_warnings, publishing, saving
from cms.redirects import Answer
from cms.saving import Draft
from cms.tables.entries import Entry
from tests.cast import Colleague, HeldClock, a_live_news, a_news, change, restructure
from tests.cms.banners_at_hand import a_banner, a_live_banner, an_image, placements


@pytest.fixture(autouse=True)
def _top(session: Session, olga: Colleague) -> None:
    placements(session, "top", by=olga.by(), width=1200, height=300)


def told(session: Session, olga: Colleague) -> list[tuple[str | None, str | None, str]]:
    session.info.clear()
    return [(one.banner, one.placement, one.code) for one in banner_warnings.of_the_site(session, at=olga.clock())]


def on_saving(session: Session, olga: Colleague, **given: Any) -> list[tuple[str, str]]:
    fields = {"title": "Winter", "creative": {"text": "x"}, "placements": ["top"], **given}
    saved = saving.create(session, "banner", Draft("ru", fields), by=olga.by())
    return [(one.pointer, one.code) for one in saved.warnings]


def test_nothing_is_wrong_with_a_sound_banner(session: Session, olga: Colleague) -> None:
    a_live_news(session, by=olga.by(), slug="sale")
    a_live_banner(session, by=olga.by(), placements=["top"], link="/sale?x=1#y")
    assert told(session, olga) == []
    assert on_saving(session, olga, link="https://elsewhere.example/") == []


def test_one_that_ends_within_three_days_is_named_and_one_that_has_ended(
    session: Session, olga: Colleague, clock: HeldClock
) -> None:
    later = a_live_banner(session, by=olga.by(), placements=["top"], ends_at="2026-12-05T10:00:00Z")
    soon = a_live_banner(session, by=olga.by(), placements=["top"], ends_at="2026-12-03T10:00:00Z")
    assert told(session, olga) == [(soon.id, None, "ends_soon")]
    clock.pass_by(days=4)
    assert told(session, olga) == [(soon.id, None, "ended"), (later.id, None, "ends_soon")]
    assert on_saving(session, olga, ends_at="2026-12-01T00:00:00Z") == [("/fields/ends_at", "ended")]


@pytest.mark.parametrize(
    ("link", "is_missing"),
    [
        ("/nowhere", True),
        ("/", False),
        ("/sale", False),
        ("/sale/", False),
        ("/gone", True),
        ("/media/" + "0" * 64 + "/x.png", True),
        ("/feeds/news.rss", False),
        ("https://example.org/nowhere", False),
        ("https://www.site.example/nowhere?x", True),
        ("https://www.site.example/sale", False),
        ("https://www.site.example.evil.example/nowhere", False),
        ("https://www.site.example", False),
        ("/%ff%00" + "/x" * 400, True),
    ],
)
def test_a_link_that_leads_nowhere_on_this_site_is_named(
    session: Session, olga: Colleague, link: str, is_missing: bool
) -> None:
    from_settings(session, olga, site_url="https://www.site.example")
    a_live_news(session, by=olga.by(), slug="sale")
    gone = a_live_news(session, by=olga.by(), slug="gone")
    publishing.unpublish(session, gone, by=olga.by(), answer=Answer("gone"))
    banner = a_live_banner(session, by=olga.by(), placements=["top"], link=link)
    expected = [(banner.id, None, "link_missing")] if is_missing else []
    assert told(session, olga) == expected


def from_settings(session: Session, olga: Colleague, **said: Any) -> None:
    entry = session.scalars(select(Entry).where(Entry.type == "settings")).one()
    change(session, entry, by=olga.by(), **said)
    publishing.publish(session, entry, by=olga.by())
    session.info.clear()


def test_an_entry_that_is_not_live_is_no_target(session: Session, olga: Colleague) -> None:
    news = a_news(session, by=olga.by(), slug="sale")
    banner = a_live_banner(session, by=olga.by(), placements=["top"], entry=news.id)
    assert told(session, olga) == [(banner.id, None, "link_missing")]
    publishing.publish(session, news, by=olga.by())
    assert told(session, olga) == []


@pytest.mark.parametrize(
    ("size", "pixels", "codes"),
    [
        (40_000, (1_200, 300), []),
        (40_000, (2_400, 600), []),
        (500_001, (1_200, 300), ["creative_heavy"]),
        (40_000, (3_600, 900), ["creative_heavy"]),
        (40_000, (1_000, 300), ["size_mismatch"]),
        (900_000, (4_000, 4_000), ["creative_heavy", "creative_heavy", "size_mismatch"]),
    ],
)
def test_a_picture_that_does_not_suit_its_placement_is_named(
    session: Session, olga: Colleague, size: int, pixels: tuple[int, int], codes: list[str]
) -> None:
    image = an_image(session, by=olga.by(), size=size, pixels=pixels)
    assert [code for _, code in on_saving(session, olga, creative={"image": image.id})] == codes
    publishing.publish(session, image, by=olga.by())
    banner = a_live_banner(session, by=olga.by(), placements=["top"], creative={"image": image.id})
    assert [(id, code) for id, _, code in told(session, olga)] == [(banner.id, code) for code in codes]


def test_a_placement_that_shows_nothing_is_named(session: Session, olga: Colleague, clock: HeldClock) -> None:
    placements(session, "notice", by=olga.by(), emergency=True)
    assert told(session, olga) == [(None, "top", "placement_empty")]
    house = a_banner(session, by=olga.by(), ends_at="2027-01-01T00:00:00Z")
    restructure(session, {"op": "set_placement", "placement": "top", "house": house.id}, by=olga.by())
    assert told(session, olga) == [(None, "top", "placement_empty")]
    publishing.publish(session, house, by=olga.by())
    assert told(session, olga) == []
    clock.pass_by(days=60)
    assert (None, "top", "placement_empty") in told(session, olga)


def test_publishing_tells_the_same(session: Session, olga: Colleague) -> None:
    banner = a_banner(session, by=olga.by(), placements=["top"], link="/nowhere", ends_at="2026-12-01T00:00:00Z")
    published = publishing.publish(session, banner, by=olga.by())
    assert [(one.pointer, one.code) for one in published.warnings] == [
        ("/fields/ends_at", "ends_soon"),
        ("/fields/link", "link_missing"),
    ]
