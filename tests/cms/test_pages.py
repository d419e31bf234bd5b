"""All that a page needs: what stands there and where, its menus, and few statements however much it is."""

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from cms import publishing, site, structure
from cms.delivery import guesses, pages, resolving
from cms.delivery.live_structure import live_site, live_tree
from cms.delivery.presenting import Shape
from tests.cast import Colleague, a_live_news, a_news, an_entry, change, newest_fields, sections
from tests.cms.test_seo import set_up


def page_at(session: Session, path: str, *, locale: str = "ru", **shape: Any) -> pages.Page:
    session.flush()
    live = live_site(session)
    found = resolving.resolve(session, path, site=live, locales=site.locales(session), locale=locale)
    assert found is not None
    if found.publication is not None:
        return pages.of_entry(session, found.publication, live=live, shape=Shape(**shape))
    return pages.of_section(session, found, live=live, shape=Shape(**shape))


def set_section(session: Session, olga: Colleague, section: str, **settings: Any) -> None:
    """Set a section of the first level."""
    tree = structure.entry(session)
    nodes = newest_fields(session, tree)["sections"]
    kept = [{**node, **settings} if node["id"] == section else node for node in nodes]
    change(session, tree, by=olga.by(), sections=kept)
    publishing.publish(session, tree, by=olga.by())


def titles(page: pages.Page) -> list[str]:
    assert page.listed is not None
    return [one["fields"]["title"] for one in page.listed]


def test_an_entry_stands_below_its_sections(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", by=olga.by(), parent=company)
    entry = a_live_news(session, by=olga.by(), title="Hours", slug="hours", section=news)
    set_up(session, olga, site_name="Firm", site_url="https://example.org")
    page = page_at(session, "/company/news/hours")
    assert page.breadcrumbs == [
        {"name": "Firm", "path": "/", "section": None, "entry": None},
        {"name": "Company", "path": "/company", "section": company, "entry": None},
        {"name": "News", "path": "/company/news", "section": news, "entry": None},
        {"name": "Hours", "path": "/company/news/hours", "section": None, "entry": entry.id},
    ]
    assert page.entry is not None
    assert (page.path, page.entry["id"], page.listed, page.seo) == (
        "/company/news/hours",
        entry.id,
        None,
        page.entry["seo"],
    )
    assert page.alternates == [
        {"locale": "ru", "path": "/company/news/hours", "url": "https://example.org/company/news/hours"}
    ]


def test_translations_are_alternates(session: Session, olga: Colleague) -> None:
    russian = a_live_news(session, by=olga.by(), slug="chasy")
    english = a_news(session, by=olga.by(), slug="hours", locale="en", translation_of=russian.id)
    assert [one["locale"] for one in page_at(session, "/chasy").alternates] == ["ru"]
    publishing.publish(session, english, by=olga.by())
    both = [
        {"locale": "en", "path": "/hours", "url": None},
        {"locale": "ru", "path": "/chasy", "url": None},
    ]
    assert page_at(session, "/chasy").alternates == page_at(session, "/hours", locale="en").alternates == both


def test_a_section_lists_what_stands_in_it_and_below(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", by=olga.by(), parent=company)
    for title, section, locale in (("a", company, "ru"), ("b", news, "ru"), ("c", None, "ru"), ("d", news, "en")):
        a_live_news(session, by=olga.by(), title=title, section=section, locale=locale)
        olga.clock.pass_by(minutes=1)
    publishing.publish(session, an_entry(session, "image", by=olga.by()), by=olga.by())
    assert titles(page_at(session, "/company")) == ["b", "a"]
    assert titles(page_at(session, "/company/news")) == ["b"]
    assert titles(page_at(session, "/")) == ["c", "b", "a"]
    assert titles(page_at(session, "/company", locale="en")) == ["d"]


def test_a_section_lists_by_its_own_rules_or_those_above(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", by=olga.by(), parent=company)
    for title in "bac":
        a_live_news(session, by=olga.by(), title=title, section=news)
    publishing.publish(session, an_entry(session, "article", by=olga.by(), title="x", section=news), by=olga.by())
    listing = {"types": ["news"], "sort": "title", "page_size": 2, "below": True}
    set_section(session, olga, company, listing=listing)
    first = page_at(session, "/company/news")
    assert (titles(first), first.next is not None) == (["a", "b"], True)
    set_section(session, olga, company, listing={**listing, "below": False})
    assert titles(page_at(session, "/company")) == []


@pytest.mark.parametrize("rules", [{"sort": "nonsense"}, {"sort": "body"}, {"types": ["nonsense"]}])
def test_rules_that_fit_no_more_do_not_break_the_page(session: Session, olga: Colleague, rules: dict[str, Any]) -> None:
    [company] = sections(session, "company", by=olga.by())
    a_live_news(session, by=olga.by(), title="a", section=company)
    tree = live_tree(session)
    section = tree.section(company)
    assert section is not None
    section.settings["listing"] = rules  # type: ignore[index] # as an older version may have kept it
    assert titles(page_at(session, "/company")) == ["a"]


def test_a_section_shows_the_entry_that_stands_for_it(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    about = a_news(session, by=olga.by(), title="About", slug="about", section=company)
    set_section(session, olga, company, index_entry=about.id)
    assert page_at(session, "/company").entry is None
    publishing.publish(session, about, by=olga.by())
    page = page_at(session, "/company")
    assert page.entry is not None
    assert page.seo is not None
    assert (page.entry["id"], page.seo["title"], page.seo["canonical"]) == (about.id, "About", "/company")
    assert titles(page) == ["About"]
    english = a_news(session, by=olga.by(), slug="about-us", locale="en", translation_of=about.id)
    publishing.publish(session, english, by=olga.by())
    in_english = page_at(session, "/company", locale="en").entry
    assert in_english is not None
    assert in_english["id"] == english.id


def test_the_root_is_the_site(session: Session, olga: Colleague) -> None:
    set_up(session, olga, site_name="Firm", seo={"description": "We are"})
    page = page_at(session, "/")
    assert page.seo == {
        "title": "Firm", "description": "We are", "canonical": "/", "robots": "index, follow", "image": None,
        "noindex": False,
    }  # fmt: skip
    assert [one["locale"] for one in page.alternates] == ["en", "ru"]
    assert len(page.breadcrumbs) == 1


def test_a_page_costs_few_statements_however_much_is_on_it(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    alone = statements(session, "/company")
    about = a_live_news(session, by=olga.by(), slug="about", section=company)
    set_section(session, olga, company, index_entry=about.id)
    image = an_entry(session, "image", by=olga.by())
    publishing.publish(session, image, by=olga.by())
    for number in range(30):
        a_live_news(session, by=olga.by(), slug=f"a{number}", section=company, cover=image.id, related=[about.id])
    for number in range(3):
        menu = an_entry(session, "menu", by=olga.by(), title=f"M {number}", items=[{"entry": about.id}] * 20)
        publishing.publish(session, menu, by=olga.by())
    assert statements(session, "/company") <= alone + 3
    assert statements(session, "/company") <= 16
    assert statements(session, "/company/a1") <= 12


def statements(session: Session, path: str) -> int:
    session.flush()
    session.info.clear()
    session.expunge_all()
    seen: list[str] = []

    def note(*call: Any) -> None:
        seen.append(call[2])

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    page_at(session, path)
    pages.live_menus(session, live=live_site(session), locale="ru")
    event.remove(connection, "before_cursor_execute", note)
    return len(seen)


# --- where there is nothing ---


def test_the_nearest_section_is_named(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    sections(session, "news", by=olga.by(), parent=company)
    tree = live_tree(session)
    for path, found in (
        ("/company/news/x", {"path": "/company/news", "name": "News"}),
        ("/company/x/y", {"path": "/company", "name": "Company"}),
        ("/x", {"path": "/", "name": None}),
        ("/" + "x/" * 900, {"path": "/", "name": None}),
    ):
        assert pages.nearest(session, path, tree=tree, locale="ru") == found


@pytest.mark.parametrize(
    "path", ["/hours-of-work", "/old/Hours-Of-Work.html", "/hours-of-wrok", "/x/hours%20of%20work", "/hour-of-work/"]
)
def test_nearly_the_same_slug_is_suggested(session: Session, olga: Colleague, path: str) -> None:
    a_live_news(session, by=olga.by(), title="Hours", slug="hours-of-work")
    a_live_news(session, by=olga.by(), title="Other", slug="something-else")
    a_news(session, by=olga.by(), title="Draft", slug="hours-of-work-2")
    session.flush()
    found = guesses.near_slugs(session, path, tree=live_tree(session), locale="ru")
    assert found == [{"title": "Hours", "path": "/hours-of-work"}]


def test_a_path_s_last_step_is_read_as_a_slug() -> None:
    assert guesses.last_step("/a/Office%20Hours.html") == "office-hours"
    assert guesses.words("/a/Office%20Hours.html") == "office hours"


@pytest.mark.parametrize("path", ["/", "//", "/%00", "/___", "/" + "a-" * 999, "/\ud800"])
def test_a_path_without_words_suggests_nothing(session: Session, path: str) -> None:
    assert guesses.near_slugs(session, path, tree=live_tree(session), locale="ru") == []
    assert len(guesses.words(path).split()) <= 8
