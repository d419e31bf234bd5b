"""Counters: what they must not be, what stops them, and which pages load them."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import counter_report, counter_rules, kill_switch, publishing, site
from cms.attribution import Actor
from cms.delivery import counters
from cms.delivery.live_structure import live_site
from cms.errors import InvalidContent
from cms.tables.events import Event
from cms.tables.publications import Publication
from tests.cast import PAVEL_ID, Colleague, HeldClock, a_live_news, an_entry, change, restructure, sections
from tests.cms.counting import a_counter, a_live_counter


@pytest.fixture
def ivan(clock: HeldClock) -> Colleague:
    """A second person."""
    return Colleague(Actor("person", PAVEL_ID, "Ivan", "analyst"), clock)


def place(session: Session, path: str, *, locale: str = "ru", type: str | None = None) -> counters.Place:
    session.flush()
    live, locales = live_site(session), site.locales(session)
    return counters.place_at(session, path, live=live, locales=locales, locale=locale, type=type)


def titles_at(
    session: Session, path: str, *, at: HeldClock, locale: str = "ru", type: str | None = None, **more: Any
) -> list[str]:
    """What a page loads, by title."""
    there = place(session, path, locale=locale, type=type)
    return [one.title for one in counters.loaded(session, there, now=at(), **more).counters]


def refused(session: Session, olga: Colleague, **given: Any) -> dict[str, str]:
    """What is wrong with a counter: pointer to code."""
    with pytest.raises(InvalidContent) as invalid:
        a_counter(session, by=olga.by(), **given)
    return {fault.pointer.removeprefix("/fields/"): fault.code for fault in invalid.value.faults}


# --- rules ---


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({"provider": "nobody"}, {"provider": "unknown_provider"}),
        ({"counter_id": None}, {"counter_id": "missing"}),
        ({"counter_id": "12');alert(1);//"}, {"counter_id": "malformed_id"}),
        ({"options": {"colour": "red"}}, {"options/colour": "extra_forbidden"}),
        ({"options": {"webvisor": "yes"}}, {"options/webvisor": "bool_type"}),
        ({"options": {"ecommerce": "a;b"}}, {"options/ecommerce": "string_pattern_mismatch"}),
        ({"options": {"x": "y" * 20_000}}, {"options": "too_long"}),
        ({"provider": "matomo", "counter_id": "1"}, {"options/url": "missing"}),
        ({"code": "<script></script>"}, {"code": "unused"}),
        ({"provider": "custom", "counter_id": None}, {"code": "missing"}),
        ({"provider": "custom", "code": "<script></script>"}, {"counter_id": "unused"}),
        ({"provider": "custom", "counter_id": None, "code": "<script>"}, {"code": "unclosed"}),
        ({"scope": {"sections": ["nowhere"]}}, {"scope/sections/0": "unknown_section"}),
        ({"scope": {"paths": ["news"]}}, {"scope/paths/0": "malformed_pattern"}),
        ({"scope": {"except_paths": ["/a**"]}}, {"scope/except_paths/0": "malformed_pattern"}),
        ({"scope": {"paths": [f"/{n}" for n in range(101)]}}, {"scope/paths": "too_many"}),
        (
            {"scope": {"types": ["news", "banner", "x"]}},
            {"scope/types/1": "unknown_type", "scope/types/2": "unknown_type"},
        ),
        ({"starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z"}, {"ends_at": "order"}),
        ({"zone": "Mars/Base"}, {"zone": "unknown_zone"}),
        ({"environments": ["production", "Test 1"]}, {"environments/1": "malformed_name"}),
        ({"environments": [f"e{n}" for n in range(21)]}, {"environments": "too_many"}),
    ],
)
def test_what_is_no_counter_is_not_saved(
    session: Session, olga: Colleague, given: dict[str, Any], faults: dict[str, str]
) -> None:
    assert refused(session, olga, **given) == faults


def test_a_counter_is_warned_of(session: Session, clock: HeldClock, olga: Colleague) -> None:
    twin = a_live_counter(session, title="First", at=clock)
    entry = a_counter(session, by=olga.by(), category="necessary")
    told = counter_rules.warnings(session, entry)
    assert [one.code for one in told] == ["loads_without_consent", "duplicate_counter"]
    assert twin.id in told[1].message
    code = "<script>document.write(1)</script>"
    own = a_counter(session, by=olga.by(), provider="custom", counter_id=None, code=code)
    assert [one.code for one in counter_rules.warnings(session, own)] == ["document_write"]
    assert counter_rules.warnings(session, twin) == ()


# --- the switch ---


def test_a_stopped_counter_loads_nowhere(session: Session, clock: HeldClock, olga: Colleague) -> None:
    first = a_live_counter(session, title="First", at=clock)
    a_live_counter(session, title="Second", at=clock, counter_id="2")
    kill_switch.stop(session, [first.id], by=olga.by(note="It is slow"))
    assert titles_at(session, "/", at=clock) == ["Second"]
    kill_switch.stop(session, None, by=olga.by())
    assert titles_at(session, "/", at=clock) == []
    assert counters.loaded(session, place(session, "/"), now=clock()).stopped
    kill_switch.resume(session, [first.id], by=olga.by())
    assert titles_at(session, "/", at=clock) == []
    kill_switch.resume(session, None, by=olga.by())
    assert titles_at(session, "/", at=clock) == ["First", "Second"]


def test_stopping_is_recorded_once(session: Session, clock: HeldClock, olga: Colleague, ivan: Colleague) -> None:
    entry = a_live_counter(session, at=clock)
    kill_switch.stop(session, [entry.id, entry.id], by=olga.by(note="Why"))
    kill_switch.stop(session, [entry.id], by=ivan.by())
    [one] = kill_switch.stopped(session)
    assert (one.counter, one.actor_name, one.note) == (entry.id, "Olga", "Why")
    kill_switch.resume(session, None, by=ivan.by())
    kill_switch.resume(session, [entry.id], by=ivan.by())
    session.flush()
    told = session.execute(select(Event.kind, Event.entry_id).where(Event.kind.like("counter.%"))).all()
    assert [tuple(row) for row in told] == [("counter.stopped", entry.id), ("counter.resumed", entry.id)]


def test_a_counter_is_stopped_with_its_translations(session: Session, clock: HeldClock, olga: Colleague) -> None:
    first = a_live_counter(session, title="Метрика", at=clock)
    second = a_live_counter(session, title="Metrica", at=clock, locale="en", translation_of=first.id)
    kill_switch.stop(session, [second.id], by=olga.by())
    assert titles_at(session, "/", at=clock) == titles_at(session, "/", at=clock, locale="en") == []
    kill_switch.resume(session, [first.id], by=olga.by())
    assert (titles_at(session, "/", at=clock), kill_switch.stopped(session)) == (["Метрика"], [])


def test_only_counters_are_stopped(session: Session, olga: Colleague) -> None:
    news = a_live_news(session, by=olga.by())
    for act in (kill_switch.stop, kill_switch.resume):
        with pytest.raises(InvalidContent) as invalid:
            act(session, [news.id, "nothing"], by=olga.by())
        assert [fault.pointer for fault in invalid.value.faults] == ["/counters/0", "/counters/1"]


# --- which pages load what ---


def test_a_counter_without_a_scope_loads_everywhere(session: Session, clock: HeldClock) -> None:
    a_live_counter(session, at=clock)
    for path in ("/", "/nothing/here"):
        assert titles_at(session, path, at=clock) == ["Metrica"]


def test_a_draft_loads_nowhere(session: Session, clock: HeldClock, olga: Colleague) -> None:
    entry = a_live_counter(session, at=clock)
    change(session, entry, by=olga.by(), title="Changed", scope={"paths": ["/nowhere"]})
    a_counter(session, by=olga.by(), title="Draft", counter_id="2")
    assert titles_at(session, "/", at=clock) == ["Metrica"]


def test_a_section_is_meant_with_all_below_it(session: Session, clock: HeldClock, olga: Colleague) -> None:
    shop, _about = sections(session, "shop", "about", by=olga.by())
    sections(session, "shoes", by=olga.by(), parent=shop)
    a_live_news(session, by=olga.by(), slug="boots", section=shop)
    a_live_counter(session, at=clock, scope={"sections": [shop]})
    for path in ("/shop", "/shop/boots", "/shop/shoes", "/shop/shoes/not-there", "/sho%70/not-there?from=ads"):
        assert titles_at(session, path, at=clock) == ["Metrica"], path
    for path in ("/", "/about", "/shopping"):
        assert titles_at(session, path, at=clock) == [], path


def test_a_section_that_was_merged_goes_on_in_the_other(session: Session, clock: HeldClock, olga: Colleague) -> None:
    shop, market = sections(session, "shop", "market", by=olga.by())
    a_live_counter(session, at=clock, scope={"sections": [shop]})
    assert titles_at(session, "/market", at=clock) == []
    restructure(session, {"op": "merge", "section": shop, "into": market}, by=olga.by())
    assert titles_at(session, "/market", at=clock) == ["Metrica"]


def test_paths_and_exceptions(session: Session, clock: HeldClock) -> None:
    a_live_counter(session, at=clock, scope={"paths": ["/a/**", "/b/*"], "except_paths": ["/a/secret/**"]})
    said = {path: bool(titles_at(session, path, at=clock)) for path in ("/a", "/a/x/y", "/a/secret/z", "/b", "/b/c")}
    assert said == {"/a": True, "/a/x/y": True, "/a/secret/z": False, "/b": False, "/b/c": True}


def test_types_are_of_the_entry_at_the_path(session: Session, clock: HeldClock, olga: Colleague) -> None:
    [shop] = sections(session, "shop", by=olga.by())
    news = a_live_news(session, by=olga.by(), slug="boots", section=shop)
    article = an_entry(session, "article", by=olga.by(), slug="guide", section=shop)
    publishing.publish(session, article, by=olga.by())
    a_live_counter(session, at=clock, scope={"types": ["news"], "sections": [shop]})
    assert titles_at(session, "/shop/boots", at=clock) == ["Metrica"]
    assert titles_at(session, "/shop/guide", at=clock) == []
    assert titles_at(session, "/shop", at=clock) == []
    assert titles_at(session, "/shop/guide", at=clock, type="news") == ["Metrica"]
    restructure(session, {"op": "set", "section": shop, "index_entry": news.id}, by=olga.by())
    assert titles_at(session, "/shop", at=clock) == ["Metrica"]


def test_dates_go_by_the_clock(session: Session, clock: HeldClock) -> None:
    starts, ends = "2026-11-30T11:00:00Z", "2026-11-30T12:00:00Z"
    a_live_counter(session, at=clock, starts_at=starts, ends_at=ends)
    told = []
    for _ in range(3):
        found = counters.loaded(session, place(session, "/"), now=clock())
        told.append((len(found.counters), found.next_change and found.next_change.hour))
        clock.pass_by(hours=1)
    assert told == [(0, 11), (1, 12), (0, None)]


def test_a_counter_is_for_production_unless_it_says_otherwise(session: Session, clock: HeldClock) -> None:
    a_live_counter(session, title="Live", at=clock)
    a_live_counter(session, title="Test", at=clock, counter_id="2", environments=["staging"])
    a_live_counter(session, title="Both", at=clock, counter_id="3", environments=["staging", "production"])
    assert titles_at(session, "/", at=clock) == ["Both", "Live"]
    assert titles_at(session, "/", at=clock, environment="staging") == ["Both", "Test"]
    assert titles_at(session, "/", at=clock, environment="elsewhere") == []


def test_what_is_necessary_comes_first_in_its_place(session: Session, clock: HeldClock) -> None:
    a_live_counter(session, title="C", at=clock, counter_id="1", position="body_end", category="necessary")
    a_live_counter(session, title="B", at=clock, counter_id="2")
    a_live_counter(session, title="A", at=clock, counter_id="3", category="marketing")
    a_live_counter(session, title="D", at=clock, counter_id="4", category="necessary")
    assert titles_at(session, "/", at=clock) == ["D", "B", "A", "C"]


def test_a_translated_counter_loads_once(session: Session, clock: HeldClock) -> None:
    first = a_live_counter(session, title="Метрика", at=clock)
    a_live_counter(session, title="Metrica", at=clock, locale="en", translation_of=first.id)
    assert titles_at(session, "/", at=clock) == ["Метрика"]
    assert titles_at(session, "/", at=clock, locale="en") == ["Metrica"]


def test_a_counter_that_is_not_understood_any_more_is_left_out(session: Session, clock: HeldClock) -> None:
    entry = a_live_counter(session, at=clock)
    there = place(session, "/")
    row = session.get_one(Publication, entry.id)
    row.rendered = {**row.rendered, "provider": "closed_down"}
    session.flush()
    assert counters.loaded(session, there, now=clock()).counters == ()


def test_the_page_is_told_what_it_must_allow(session: Session, clock: HeldClock) -> None:
    one = a_live_counter(session, at=clock)
    two = a_live_counter(session, title="GA", at=clock, provider="google_analytics", counter_id="G-ABCDE12345")
    found = counters.loaded(session, place(session, "/"), now=clock())
    meta = counters.meta(found, next_change=found.next_change)
    assert meta["by_category"] == {"necessary": [], "functional": [], "analytics": [two.id, one.id], "marketing": []}
    assert "https://mc.yandex.ru" in meta["csp"]["script-src"]
    assert meta["consent_mode"]["hash"] in meta["csp"]["script-src"]
    shown = [counters.shown(one) for one in found.counters]
    assert all(set(one["csp"]["script-src"]) <= set(meta["csp"]["script-src"]) for one in shown)
    assert shown[1]["data"] == {"counter_id": "12345678", "options": {}}


# --- the report ---


def report(session: Session, at: HeldClock) -> tuple[dict[str, Any], dict[str, int]]:
    """The report, and how many pages load each counter."""
    session.flush()
    told = counter_report.whole(session, now=at(), environment="production")
    return told, {one["title"]: one["pages"] for one in told["counters"]}


def test_the_report_counts_pages_by_counter_and_by_section(session: Session, clock: HeldClock, olga: Colleague) -> None:
    shop, about = sections(session, "shop", "about", by=olga.by())
    for slug in ("boots", "sale-1", "sale-2"):
        a_live_news(session, by=olga.by(), slug=slug, section=shop)
    a_live_news(session, by=olga.by(), slug="us", section=about)
    every = a_live_counter(session, title="Every", at=clock, counter_id="1")
    in_shop = a_live_counter(session, title="Shop", at=clock, counter_id="2", scope={"sections": [shop]})
    a_live_counter(session, title="Sale", at=clock, counter_id="3", scope={"paths": ["/shop/sale-*"]})
    a_live_counter(session, title="Later", at=clock, counter_id="4", starts_at="2027-01-01T00:00:00Z")
    a_live_counter(session, title="Not us", at=clock, counter_id="5", scope={"except_paths": ["/about/**"]})
    told, pages = report(session, clock)
    assert pages == {"Every": 4, "Shop": 3, "Sale": 2, "Later": 0, "Not us": 3}
    assert (told["pages"], told["complete"]) == (4, True)
    by_path = {one["path"]: one for one in told["sections"]}
    assert by_path["/shop"]["entries"][in_shop.id] == 3
    assert in_shop.id in by_path["/shop"]["counters"]
    assert every.id in by_path["/about"]["counters"]
    assert in_shop.id not in by_path["/about"]["counters"]
    scopes = {one["title"]: one["scope"] for one in told["counters"]}
    assert (scopes["Every"], scopes["Shop"]) == ("every page", "in “Shop” and below")
    assert [one["at_rest"][0]["code"] for one in told["counters"] if one["at_rest"]] == ["not_started"]


def test_the_report_agrees_with_the_pages(session: Session, clock: HeldClock, olga: Colleague) -> None:
    shop, about = sections(session, "shop", "about", by=olga.by())
    [deep] = sections(session, "deep", by=olga.by(), parent=shop)
    places = {f"/shop/{n}": shop for n in "ab"} | {f"/about/{n}": about for n in "ac"} | {"/shop/deep/a": deep}
    for path, section in places.items():
        a_live_news(session, by=olga.by(), slug=path[-1], section=section)
    a_live_news(session, by=olga.by(), slug="a")
    scopes = [{"paths": [one]} for one in ("/**", "/*", "/*/a", "/**/a", "/shop/*", "/shop/deep/**", "/a", "/*/deep/*")]
    scopes += [{"paths": ["/**"], "except_paths": ["/shop/a", "/about/*"]}, {"types": ["article"]}]
    for number, scope in enumerate(scopes, 1):
        a_live_counter(session, title=str(scope), at=clock, counter_id=str(number), scope=scope)
    _, pages = report(session, clock)
    seen = [titles_at(session, path, at=clock) for path in (*places, "/a")]
    assert pages == {str(scope): sum(str(scope) in titles for titles in seen) for scope in scopes}


def test_the_report_of_a_path_says_why_not(session: Session, clock: HeldClock, olga: Colleague) -> None:
    a_live_counter(session, title="A", at=clock, counter_id="1")
    stopped = a_live_counter(session, title="B", at=clock, counter_id="2", scope={"paths": ["/x"]})
    kill_switch.stop(session, [stopped.id], by=olga.by())
    told = counter_report.of_path(session, "/", locale=None, now=clock(), environment="production")
    said = {one["title"]: (one["loads"], [why["code"] for why in one["why"]]) for one in told["counters"]}
    assert said == {"A": (True, []), "B": (False, ["stopped", "path"])}
