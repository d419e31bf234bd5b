"""What visitors may see of banners: by placement, instant, path and locale; where a click leads; how long it holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from cms import publishing, structure
from cms.delivery import banners
from cms.delivery.banners import tracked
from cms.delivery.live_structure import live_site, live_tree
from cms.redirects import NOT_FOUND
from cms.scheduling import Plan, schedule
from cms.tables.entries import Entry
from tests.cast import MORNING, Colleague, HeldClock, a_live_news, a_news, change, restructure, sections
from tests.cms.banners_at_hand import a_banner, a_live_banner, an_image, ids, placements, shown


@pytest.fixture(autouse=True)
def _top(session: Session, olga: Colleague) -> None:
    placements(session, "top", by=olga.by(), width=1200, height=300)


def a_top(session: Session, olga: Colleague, **given: Any) -> Entry:
    return a_live_banner(session, by=olga.by(), placements=["top"], **given)


def instant(at: datetime) -> str:
    return at.isoformat()


# --- which are shown ---


def test_a_live_banner_is_shown_in_its_placements_and_nowhere_else(session: Session, olga: Colleague) -> None:
    placements(session, "side", "foot", by=olga.by())
    banner = a_live_banner(session, by=olga.by(), placements=["top", "side"])
    a_banner(session, by=olga.by(), placements=["top"])
    found = shown(session, olga).banners
    assert {name: [one["id"] for one in told] for name, told in found.items()} == {
        "top": [banner.id],
        "side": [banner.id],
        "foot": [],
    }
    assert found["side"][0]["placement"] == "side"


def test_a_draft_shows_nothing_until_it_is_published(session: Session, olga: Colleague) -> None:
    banner = a_top(session, olga)
    change(session, banner, by=olga.by(), creative={"text": "Черновик"}, weight=9)
    [before] = shown(session, olga).banners["top"]
    assert (before["creative"]["text"], before["weight"], before["revision"]) == ("Зимняя распродажа", 1, 1)
    publishing.publish(session, banner, by=olga.by())
    [after] = shown(session, olga).banners["top"]
    assert (after["creative"]["text"], after["weight"], after["revision"]) == ("Черновик", 9, 2)
    publishing.unpublish(session, banner, by=olga.by())
    assert ids(session, olga) == []


def test_it_begins_and_ends_to_the_instant(session: Session, olga: Colleague, clock: HeldClock) -> None:
    starts, ends = MORNING + timedelta(hours=1), MORNING + timedelta(hours=2)
    banner = a_top(session, olga, starts_at=instant(starts), ends_at=instant(ends))
    seen = {}
    for minutes in (0, 59, 60, 119, 120, 121):
        clock.now = MORNING + timedelta(minutes=minutes)
        found = shown(session, olga)
        seen[minutes] = ([one["id"] for one in found.banners["top"]], found.next_change)
    on = ([banner.id], ends)
    assert seen == {0: ([], starts), 59: ([], starts), 60: on, 119: on, 120: ([], None), 121: ([], None)}


def test_the_next_change_is_the_nearest_of_the_placements_that_are_asked_for(session: Session, olga: Colleague) -> None:
    placements(session, "side", by=olga.by())
    soon, later, last = (MORNING + timedelta(hours=hours) for hours in (1, 2, 3))
    a_top(session, olga, starts_at=instant(later), ends_at=instant(last))
    a_live_banner(session, by=olga.by(), placements=["side"], ends_at=instant(soon))
    assert shown(session, olga).next_change == soon
    assert shown(session, olga, "top").next_change == later
    plan = Plan(MORNING + timedelta(minutes=30), None, "UTC", NOT_FOUND)
    schedule(session, a_banner(session, by=olga.by()), plan, expected=1, by=olga.by())
    assert shown(session, olga, "top").next_change == plan.publish_at


def test_the_house_banner_comes_last_and_is_called_so(session: Session, olga: Colleague) -> None:
    house = a_live_banner(session, by=olga.by(), priority=100)
    restructure(session, {"op": "set_placement", "placement": "top", "house": house.id}, by=olga.by())
    low, high = a_top(session, olga, priority=1), a_top(session, olga, priority=2)
    found = shown(session, olga).banners["top"]
    assert [(one["id"], one["house"]) for one in found] == [(high.id, False), (low.id, False), (house.id, True)]


def test_a_house_banner_is_not_told_twice(session: Session, olga: Colleague) -> None:
    house = a_top(session, olga)
    restructure(session, {"op": "set_placement", "placement": "top", "house": house.id}, by=olga.by())
    assert [one["house"] for one in shown(session, olga).banners["top"]] == [True]


def test_a_removed_placement_shows_nothing(session: Session, olga: Colleague) -> None:
    a_top(session, olga)
    restructure(session, {"op": "remove_placement", "placement": "top"}, by=olga.by())
    assert shown(session, olga).banners == {}


def test_sections_mean_all_below_them(session: Session, olga: Colleague) -> None:
    [news] = sections(session, "news", by=olga.by())
    [sport] = sections(session, "sport", by=olga.by(), parent=news)
    a_live_news(session, by=olga.by(), section=sport, slug="match")
    banner = a_top(session, olga, targeting={"sections": [news]})
    paths = {
        path: bool(ids(session, olga, path=path)) for path in ("/news", "/news/sport", "/news/sport/match", "/", "/x")
    }
    assert paths == {"/news": True, "/news/sport": True, "/news/sport/match": True, "/": False, "/x": False}
    assert ids(session, olga) == [banner.id]


def test_a_section_that_was_removed_is_no_place(session: Session, olga: Colleague) -> None:
    [news] = sections(session, "news", by=olga.by())
    a_top(session, olga, targeting={"sections": [news]})
    restructure(session, {"op": "remove", "section": news, "entries": "gone"}, by=olga.by())
    assert ids(session, olga, path="/news") == []


def test_a_section_that_was_merged_goes_on_in_the_other(session: Session, olga: Colleague) -> None:
    news, press = sections(session, "news", "press", by=olga.by())
    banner = a_top(session, olga, targeting={"sections": [news]})
    assert ids(session, olga, path="/press") == []
    restructure(session, {"op": "merge", "section": news, "into": press}, by=olga.by())
    assert ids(session, olga, path="/press/today") == [banner.id]


def test_path_patterns_say_where(session: Session, olga: Colleague) -> None:
    a_top(session, olga, targeting={"paths": ["/sale/**", "/"], "except_paths": ["/sale/old/*"]})
    paths = ("/", "/sale", "/sale/a/b?x=1", "/sale/old", "/sale/old/a", "/sales")
    assert [path for path in paths if ids(session, olga, path=path)] == ["/", "/sale", "/sale/a/b?x=1", "/sale/old"]


def test_a_page_must_fit_sections_and_paths_where_both_are_said(session: Session, olga: Colleague) -> None:
    [news] = sections(session, "news", by=olga.by())
    a_top(session, olga, targeting={"sections": [news], "paths": ["/news/a*", "/b"]})
    assert [path for path in ("/news/a1", "/news/b", "/b") if ids(session, olga, path=path)] == ["/news/a1"]


def test_without_locales_it_is_for_its_own(session: Session, olga: Colleague) -> None:
    own, both = a_top(session, olga), a_top(session, olga, targeting={"locales": ["ru", "en"]})
    assert ids(session, olga, locale="ru") == [own.id, both.id]
    assert ids(session, olga, locale="en") == [both.id]
    assert shown(session, olga).banners["top"][0]["targeting"]["locales"] == ("ru",)


@pytest.mark.parametrize("path", ["/", "//", "/%", "/%ff", "/a" * 900, "/🦊", "/news/../x", "/\u202e"])
def test_any_path_is_answered(session: Session, olga: Colleague, path: str) -> None:
    [news] = sections(session, "news", by=olga.by())
    a_top(session, olga, targeting={"sections": [news], "paths": ["/**"]})
    shown(session, olga, path=path)


# --- as they are shown ---


def test_a_banner_tells_the_client_all_that_it_decides_by(session: Session, olga: Colleague) -> None:
    [news] = sections(session, "news", by=olga.by())
    banner = a_top(
        session, olga, link="/sale", zone="Europe/Moscow", days=["mon"], hours=[{"from": "09:00", "to": "18:00"}],
        weight=3, priority=2, cap={"views": 2, "per": "week"}, starts_at="2026-11-01T00:00:00Z",
        targeting={"sections": [news], "devices": ["mobile"], "topics": ["зима"]},
    )  # fmt: skip
    assert shown(session, olga).banners["top"] == [
        {
            "id": banner.id, "revision": 1, "placement": "top", "house": False, "emergency": False,
            "creative": {"kind": "text", "text": "Зимняя распродажа"},
            "link": {"url": "/sale", "go": f"/go/{banner.id}/top", "rel": ""},
            "targeting": {
                "sections": (news,), "paths": (), "except_paths": (), "locales": ("ru",), "devices": ("mobile",),
                "topics": ("зима",),
            },
            "starts_at": "2026-11-01T00:00:00Z", "ends_at": None, "zone": "Europe/Moscow", "days": ["mon"],
            "hours": [{"from": "09:00", "to": "18:00"}], "weight": 3, "priority": 2,
            "cap": {"views": 2, "per": "week"}, "advertiser": None, "label": None, "erid": None,
        }
    ]  # fmt: skip


def test_an_image_comes_with_what_a_page_needs_of_it(session: Session, olga: Colleague) -> None:
    image = an_image(session, by=olga.by())
    banner = a_top(session, olga, creative={"image": image.id}, targeting={"locales": ["ru", "en"]})
    assert ids(session, olga) == []
    change(session, image, by=olga.by(), alts={"en": "Winter"})
    publishing.publish(session, image, by=olga.by())
    [told] = shown(session, olga).banners["top"]
    picture = told["creative"]["image"]
    assert told["creative"]["kind"] == "image"
    assert (picture["id"], picture["alt"], picture["width"], picture["height"]) == (image.id, "Зима", 1_200, 300)
    assert picture["url"].startswith("/media/")
    assert shown(session, olga, locale="en").banners["top"][0]["creative"]["image"]["alt"] == "Winter"
    assert shown(session, olga).entries == (banner.id, image.id)
    publishing.unpublish(session, image, by=olga.by())
    assert ids(session, olga) == []


def test_html_comes_with_the_sandbox_that_it_wants(session: Session, olga: Colleague) -> None:
    a_top(session, olga, creative={"html": "<b>Да</b><script>x</script>"})
    [told] = shown(session, olga).banners["top"]
    assert told["creative"] == {
        "kind": "html", "html": "<b>Да</b>", "sandbox": "allow-popups allow-popups-to-escape-sandbox"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "locale", "label"),
    [
        ({}, "ru", None),
        ({"erid": "2SDnjc"}, "ru", "Реклама"),
        ({"advertiser": "ООО «Зима»"}, "ru", "Реклама"),
        ({"advertiser": "Winter Ltd"}, "en", "Advertisement"),
        ({"advertiser": "ООО «Зима»", "label": "Социальная реклама"}, "ru", "Социальная реклама"),
    ],
)
def test_what_the_law_wants_said_is_said(
    session: Session, olga: Colleague, said: dict[str, str], locale: str, label: str | None
) -> None:
    a_top(session, olga, locale=locale, link="https://shop.example/", **said)
    [told] = shown(session, olga).banners["top"]
    assert told["label"] == label
    assert told["link"]["rel"] == ("sponsored noopener" if said else "noopener")


def test_an_emergency_is_told_as_one(session: Session, olga: Colleague) -> None:
    placements(session, "notice", by=olga.by(), emergency=True)
    assert not shown(session, olga).emergency
    a_live_banner(session, by=olga.by(), placements=["notice"])
    found = shown(session, olga)
    assert found.emergency
    assert found.banners["notice"][0]["emergency"]
    assert not shown(session, olga, "top").emergency


# --- links ---


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/sale", "/sale?utm_source=a+b&utm_id=%D1%8F"),
        ("/sale?x=1", "/sale?x=1&utm_source=a+b&utm_id=%D1%8F"),
        ("/sale?x=1#top", "/sale?x=1&utm_source=a+b&utm_id=%D1%8F#top"),
        ("/sale#top?x", "/sale?utm_source=a+b&utm_id=%D1%8F#top?x"),
        ("https://x.example", "https://x.example?utm_source=a+b&utm_id=%D1%8F"),
        ("https://x.example/?", "https://x.example/?utm_source=a+b&utm_id=%D1%8F"),
        ("https://[broken/?a=%zz", "https://[broken/?a=%zz&utm_source=a+b&utm_id=%D1%8F"),
    ],
)
def test_tracking_is_put_behind_what_a_link_has(link: str, url: str) -> None:
    assert tracked(link, [("utm_source", "a b"), ("utm_id", "я")]) == url
    assert tracked(link, []) == link


def destination(session: Session, banner: Entry) -> str | None:
    session.info.clear()
    return banners.destination(session, banners.live_banners(session)[banner.id], tree=live_tree(session))


def test_a_link_to_an_entry_follows_it(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    news = a_news(session, by=olga.by(), slug="hours", section=company)
    banner = a_top(session, olga, entry=news.id, tracking=[{"name": "from", "value": "top"}])
    assert destination(session, banner) is None
    assert shown(session, olga).banners["top"][0]["link"] == {"url": None, "go": None, "rel": ""}
    publishing.publish(session, news, by=olga.by())
    assert destination(session, banner) == "/company/hours?from=top"
    restructure(session, {"op": "rename", "section": company, "slug": "about"}, by=olga.by())
    assert destination(session, banner) == "/about/hours?from=top"


def test_a_link_to_a_file_leads_to_its_bytes(session: Session, olga: Colleague) -> None:
    image = an_image(session, by=olga.by())
    publishing.publish(session, image, by=olga.by())
    found = destination(session, a_top(session, olga, entry=image.id))
    assert found is not None
    assert found.startswith("/media/")


# --- what it costs, and what is kept ---


def test_banners_cost_few_statements_however_many_they_are(session: Session, olga: Colleague) -> None:
    image = an_image(session, by=olga.by())
    publishing.publish(session, image, by=olga.by())
    for _ in range(10):
        a_top(session, olga, creative={"image": image.id}, targeting={"paths": ["/**"]})
    shown(session, olga)
    live = live_site(session)
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    found = banners.shown(
        session, list(live.placements.values()), banners.Page("/a", None, "ru"), live=live, links=banners.Links(),
        now=olga.clock(),
    )  # fmt: skip
    event.remove(engine, "before_cursor_execute", note)
    assert (len(found.banners["top"]), len(said)) == (10, 2)


def test_what_is_kept_is_never_older_than_what_is_published(session: Session, olga: Colleague) -> None:
    first = a_top(session, olga)
    assert ids(session, olga) == [first.id]
    publishing.unpublish(session, first, by=olga.by())
    second = a_top(session, olga)
    assert ids(session, olga) == [second.id]
    change(session, second, by=olga.by(), placements=[])
    publishing.publish(session, second, by=olga.by())
    assert ids(session, olga) == []
    publishing.publish(session, second, by=olga.by(), revision=1)
    assert ids(session, olga) == [second.id]


def test_each_banner_is_known_with_the_placements_that_may_show_it(session: Session, olga: Colleague) -> None:
    placements(session, "side", by=olga.by())
    banner, house = a_top(session, olga), a_live_banner(session, by=olga.by())
    restructure(session, {"op": "set_placement", "placement": "side", "house": house.id}, by=olga.by())
    session.info.clear()
    assert banners.live_pairs(session, live_site(session)) == {(banner.id, "top"), (house.id, "side")}
    assert structure.newest_placements(session)[1]["house"] == house.id


def test_instants_come_back_in_utc(session: Session, olga: Colleague) -> None:
    a_top(session, olga, ends_at="2026-12-01T03:00:00+03:00")
    assert shown(session, olga).next_change == datetime(2026, 12, 1, tzinfo=UTC)
    assert shown(session, olga).banners["top"][0]["ends_at"] == "2026-12-01T00:00:00Z"
