"""What search engines are told: the entry's own words, else its sections', else the settings'."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import publishing, site
from cms.delivery import presenting, publications
from cms.delivery.live_structure import live_tree
from cms.delivery.presenting import Shape
from cms.errors import InvalidContent
from cms.tables.entries import Entry
from tests.cast import Colleague, a_live_news, an_entry, change, newest_fields, sections

PATTERN = {"site_name": "Firm", "title_pattern": "{title} — {site}"}


def set_up(session: Session, olga: Colleague, **fields: Any) -> None:
    settings = session.scalars(select(Entry).where(Entry.type == "settings")).one()
    change(session, settings, by=olga.by(), **fields)
    publishing.publish(session, settings, by=olga.by())


def set_section(session: Session, olga: Colleague, section: str, **seo: Any) -> None:
    tree = session.scalars(select(Entry).where(Entry.type == "structure")).one()

    def changed(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own = {"seo": seo}
        return [
            {**node, **(own if node["id"] == section else {}), "children": changed(node["children"])} for node in nodes
        ]

    change(session, tree, by=olga.by(), sections=changed(newest_fields(session, tree)["sections"]))
    publishing.publish(session, tree, by=olga.by())


def seo(session: Session, entry: Entry) -> dict[str, Any]:
    session.flush()
    found = publications.several(session, [entry.id])
    [shown], _ = presenting.present(session, found, tree=live_tree(session), shape=Shape())
    told: dict[str, Any] = shown["seo"]
    return told


def an_image(session: Session, olga: Colleague, *, live: bool = True) -> str:
    image = an_entry(session, "image", by=olga.by())
    if live:
        publishing.publish(session, image, by=olga.by())
    return image.id


def nested(session: Session, olga: Colleague) -> tuple[str, str]:
    """A section, and one below it."""
    [above] = sections(session, "company", by=olga.by())
    [below] = sections(session, "news", by=olga.by(), parent=above)
    return above, below


def test_an_entry_that_says_nothing_is_described_by_what_it_has(session: Session, olga: Colleague) -> None:
    cover = an_image(session, olga)
    entry = a_live_news(session, by=olga.by(), title="Hours", summary="Short", slug="hours", cover=cover)
    assert seo(session, entry) == {
        "title": "Hours", "description": "Short", "canonical": "/hours", "robots": "index, follow", "image": cover,
        "noindex": False,
    }  # fmt: skip


def test_what_an_entry_says_goes_first(session: Session, olga: Colleague) -> None:
    _, below = nested(session, olga)
    set_up(session, olga, **PATTERN, seo={"description": "Site", "robots": "noindex, follow"})
    set_section(session, olga, below, title="{title} | News", description="News", robots="noindex, nofollow")
    own = {
        "title": "Own", "description": "Own words", "canonical": "https://example.org/x", "robots": "index, nofollow",
        "image": an_image(session, olga), "noindex": None,
    }  # fmt: skip
    entry = a_live_news(session, by=olga.by(), section=below, summary="Short", cover=an_image(session, olga), seo=own)
    assert seo(session, entry) == {**own, "noindex": False}


def test_defaults_come_from_the_nearest_section_and_then_from_the_settings(session: Session, olga: Colleague) -> None:
    above, below = nested(session, olga)
    images = [an_image(session, olga) for _ in range(2)]
    entry = a_live_news(session, by=olga.by(), title="Hours", section=below)
    set_up(session, olga, seo={"description": "Site", "robots": "noindex, follow", "image": images[0]}, **PATTERN)
    told = seo(session, entry)
    assert (told["title"], told["description"], told["robots"], told["image"]) == (
        "Hours — Firm", "Site", "noindex, follow", images[0]
    )  # fmt: skip
    set_section(session, olga, above, description="Company", robots="noindex, nofollow", image=images[1])
    set_section(session, olga, below, title="{title} | {section}")
    told = seo(session, entry)
    assert (told["title"], told["description"], told["robots"], told["image"], told["noindex"]) == (
        "Hours | News", "Company", "noindex, nofollow", images[1], True
    )  # fmt: skip


def test_a_section_s_plain_title_is_its_own(session: Session, olga: Colleague) -> None:
    [news] = sections(session, "news", by=olga.by())
    set_section(session, olga, news, title="All our news")
    assert seo(session, a_live_news(session, by=olga.by(), title="Hours", section=news))["title"] == "Hours"


def test_braces_in_a_title_are_letters(session: Session, olga: Colleague) -> None:
    set_up(session, olga, **PATTERN)
    assert seo(session, a_live_news(session, by=olga.by(), title="{site} {x}"))["title"] == "{site} {x} — Firm"


@pytest.mark.parametrize(
    ("own", "robots", "noindex"),
    [
        ({"noindex": True}, "noindex, follow", True),
        ({"noindex": False}, "index, follow", False),
        ({"robots": "noindex, nofollow"}, "noindex, nofollow", True),
        ({"robots": "index, nofollow", "noindex": True}, "index, nofollow", False),
    ],
)
def test_noindex_and_robots_say_the_same(
    session: Session, olga: Colleague, own: dict[str, Any], robots: str, noindex: bool
) -> None:
    told = seo(session, a_live_news(session, by=olga.by(), seo=own))
    assert (told["robots"], told["noindex"]) == (robots, noindex)


def test_addresses_are_absolute_when_the_site_s_is_known(session: Session, olga: Colleague) -> None:
    plain = a_live_news(session, by=olga.by(), slug="plain")
    own = a_live_news(session, by=olga.by(), slug="own", seo={"canonical": "/elsewhere"})
    assert (seo(session, plain)["canonical"], seo(session, own)["canonical"]) == ("/plain", "/elsewhere")
    set_up(session, olga, site_url="https://www.example.org/")
    assert seo(session, plain)["canonical"] == "https://www.example.org/plain"
    assert seo(session, own)["canonical"] == "https://www.example.org/elsewhere"


def test_a_picture_that_is_not_live_gives_way(session: Session, olga: Colleague) -> None:
    draft, cover = an_image(session, olga, live=False), an_image(session, olga)
    set_up(session, olga, seo={"image": an_image(session, olga, live=False)})
    assert seo(session, a_live_news(session, by=olga.by(), seo={"image": draft}, cover=cover))["image"] == cover
    assert seo(session, a_live_news(session, by=olga.by(), seo={"image": draft}))["image"] is None


def test_what_has_no_page_has_no_canonical_address(session: Session, olga: Colleague) -> None:
    set_up(session, olga, **PATTERN)
    image = an_entry(session, "image", by=olga.by(), title="Office")
    publishing.publish(session, image, by=olga.by())
    assert (seo(session, image)["canonical"], seo(session, image)["title"]) == (None, "Office")


@pytest.mark.parametrize("canonical", ["javascript:x", "//example.org", "x", "mailto:a@b.c", "/a b"])
def test_a_canonical_address_is_a_page_s(session: Session, olga: Colleague, canonical: str) -> None:
    with pytest.raises(InvalidContent) as caught:
        a_live_news(session, by=olga.by(), seo={"canonical": canonical})
    assert caught.value.faults[0].pointer == "/fields/seo/canonical"


# --- the settings ---


def test_settings_hold_once_they_are_published(session: Session, olga: Colleague) -> None:
    set_up(
        session,
        olga,
        **PATTERN,
        site_url="https://www.example.org/",
        redirect_hosts=["Shop.Example.org", "x.org:8080", "пример.рф"],
        robots_txt="User-agent: *",
        feeds=[{"name": "top", "types": ["news"], "limit": 5}],
    )
    settings = site.settings(session)
    assert settings.redirect_hosts == {"shop.example.org", "x.org:8080", "пример.рф"}
    assert (settings.name, settings.url, settings.robots_txt) == ("Firm", "https://www.example.org", "User-agent: *")
    assert settings.feeds == (site.Feed("top", types=("news",), limit=5),)
    assert settings.absolute("/a") == "https://www.example.org/a"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"title_pattern": "x — {site}", "site_name": "x"}, "/fields/title_pattern"),
        ({"title_pattern": "{title} — {site}"}, "/fields/site_name"),
        ({"site_url": "javascript:x"}, "/fields/site_url"),
        ({"site_url": "https://example.org/?x"}, "/fields/site_url"),
        ({"site_url": "https://a:b@example.org"}, "/fields/site_url"),
        ({"redirect_hosts": ["example.org", "https://x"]}, "/fields/redirect_hosts/1"),
        ({"redirect_hosts": ["x/y"]}, "/fields/redirect_hosts/0"),
        ({"redirect_hosts": ["*"]}, "/fields/redirect_hosts/0"),
        ({"redirect_hosts": ["при мер.рф"]}, "/fields/redirect_hosts/0"),
        ({"redirect_hosts": ["a..b"]}, "/fields/redirect_hosts/0"),
        ({"feeds": [{"name": "A b"}]}, "/fields/feeds/0/name"),
        ({"feeds": [{"name": "a"}, {"name": "a"}]}, "/fields/feeds/1/name"),
        ({"feeds": [{"name": "a", "types": ["news", "nonsense"]}]}, "/fields/feeds/0/types/1"),
        ({"feeds": [{"name": "a", "types": ["image"]}]}, "/fields/feeds/0/types/0"),
        ({"feeds": [{"name": "a", "section": "nowhere"}]}, "/fields/feeds/0/section"),
        ({"feeds": [{"name": "a", "locale": "de"}]}, "/fields/feeds/0/locale"),
        ({"feeds": [{"name": "a", "limit": 101}]}, "/fields/feeds/0/limit"),
        ({"feeds": [{"name": "a", "limit": 0}]}, "/fields/feeds/0/limit"),
        ({"seo": {"robots": "all"}}, "/fields/seo/robots"),
    ],
)
def test_settings_that_lead_nowhere_are_refused(
    session: Session, olga: Colleague, fields: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidContent) as caught:
        set_up(session, olga, **fields)
    assert [fault.pointer for fault in caught.value.faults] == [pointer]
