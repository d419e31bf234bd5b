"""What sections are set to: checked when it is saved, kept short, inherited, and told to visitors in part."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import finding, restructuring, reviewing, saving, structure, trash, usages
from cms.delivery.live_structure import live_tree
from cms.errors import Fault, InUse, InvalidContent
from cms.listing import Asked
from cms.section_tree import Listing, SectionTree
from cms.snapshots import revision_of
from cms.tables.publications import Publication
from tests.cast import PAVEL_ID, Colleague, a_live_news, a_news, an_entry, restructure, sections

Settings = dict[str, Any]


@pytest.fixture
def section(session: Session, olga: Colleague) -> str:
    """A live section."""
    return sections(session, "company", by=olga.by())[0]


def put(session: Session, section: str, olga: Colleague, **settings: Any) -> None:
    restructure(session, {"op": "set", "section": section, **settings}, by=olga.by())


def refused(session: Session, section: str, olga: Colleague, **settings: Any) -> list[Fault]:
    with pytest.raises(InvalidContent) as error:
        put(session, section, olga, **settings)
    return error.value.faults


def stored(session: Session) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = revision_of(session, structure.entry(session)).fields["sections"]
    return found


# --- set ---


def test_settings_are_set_one_by_one(session: Session, olga: Colleague, section: str) -> None:
    put(session, section, olga, default_type="news", review_days=90)
    put(session, section, olga, in_menus=False, review_days=30)
    [node] = stored(session)
    assert {name: node.get(name) for name in ("default_type", "review_days", "in_menus")} == {
        "default_type": "news",
        "review_days": 30,
        "in_menus": False,
    }


def test_only_what_was_said_is_kept(session: Session, olga: Colleague, section: str) -> None:
    assert stored(session)[0].keys() == {"id", "slug", "name", "children"}


def test_null_stands_for_what_a_setting_is_by_itself(session: Session, olga: Colleague, section: str) -> None:
    put(session, section, olga, in_menus=False, review_days=30, access={PAVEL_ID: "editor"}, listing={"page_size": 5})
    put(session, section, olga, in_menus=None, review_days=None, access=None, listing=None)
    assert stored(session)[0].keys() == {"id", "slug", "name", "children"}


def test_settings_come_with_a_whole_tree_too(session: Session, olga: Colleague) -> None:
    tree = structure.entry(session)
    nodes = [{"slug": "x", "name": "X", "review_days": 7, "in_menus": True}]
    saving.save(session, tree, {"fields": {"sections": nodes}}, expected=tree.revision, by=olga.by())
    assert stored(session)[0].keys() == {"id", "slug", "name", "children", "review_days"}


@pytest.mark.parametrize(
    ("settings", "pointer", "code"),
    [
        ({"default_type": "cake"}, "/default_type", "unknown_type"),
        ({"listing": {"types": ["news", "cake"]}}, "/listing/types/1", "unknown_type"),
        ({"listing": {"page_size": 0}}, "/listing/page_size", "greater_than_equal"),
        ({"listing": {"colour": 1}}, "/listing/colour", "extra_forbidden"),
        ({"access": {PAVEL_ID: "emperor"}}, f"/access/{PAVEL_ID}", "unknown_role"),
        ({"access": {"nobody": "editor"}}, "/access/nobody", "unknown_actor"),
        ({"index_entry": "01900000-0000-7000-8000-000000000000"}, "/index_entry", "missing_target"),
        ({"seo": {"image": "01900000-0000-7000-8000-000000000000"}}, "/seo/image", "missing_target"),
        ({"seo": {"robots": "all"}}, "/seo/robots", "literal_error"),
        ({"review_days": 0}, "/review_days", "greater_than_equal"),
        ({"in_menus": "perhaps"}, "/in_menus", "bool_parsing"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    session: Session, olga: Colleague, section: str, settings: Settings, pointer: str, code: str
) -> None:
    [fault] = refused(session, section, olga, **settings)
    assert (fault.pointer, fault.code) == (f"/operations/0{pointer}", code)


def test_the_social_image_is_an_image(session: Session, olga: Colleague, section: str) -> None:
    news = a_news(session, by=olga.by())
    assert [fault.code for fault in refused(session, section, olga, seo={"image": news.id})] == ["wrong_type"]
    put(session, section, olga, seo={"image": an_entry(session, "image", by=olga.by()).id})


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"default_type": "cake"}, "/fields/sections/0/children/0/default_type"),
        ({"access": {"nobody": "editor"}}, "/fields/sections/0/children/0/access/nobody"),
        (
            {"index_entry": "01900000-0000-7000-8000-000000000000"},
            "/fields/sections/0/children/0/index_entry",
        ),
    ],
)
def test_settings_of_a_whole_tree_are_checked(
    session: Session, olga: Colleague, settings: Settings, pointer: str
) -> None:
    tree = structure.entry(session)
    nodes = [{"slug": "x", "name": "X", "children": [{"slug": "y", "name": "Y", **settings}]}]
    with pytest.raises(InvalidContent) as error:
        saving.save(session, tree, {"fields": {"sections": nodes}}, expected=tree.revision, by=olga.by())
    assert [fault.pointer for fault in error.value.faults] == [pointer]


def test_an_entry_that_a_section_opens_with_is_in_use(session: Session, olga: Colleague, section: str) -> None:
    entry = a_news(session, by=olga.by())
    put(session, section, olga, index_entry=entry.id)
    assert {usage.pointer for usage in usages.of(session, entry.id)} == {"/fields/sections/0/index_entry"}
    with pytest.raises(InUse):
        trash.trash(session, entry, expected=1, by=olga.by())


# --- inherited ---


def nested(*settings: Settings) -> SectionTree:
    """Sections below each other, named 0, 1, 2…"""
    nodes: list[dict[str, Any]] = []
    for level, said in reversed(list(enumerate(settings))):
        nodes = [{"id": str(level), "slug": "s", "name": {"ru": "S"}, "children": nodes, **said}]
    return SectionTree(nodes)


def test_the_nearest_section_up_says_what_holds() -> None:
    tree = nested({"review_days": 90, "default_type": "news"}, {}, {"review_days": 30})
    assert [tree.setting(one, "review_days") for one in "012"] == [90, 90, 30]
    assert [tree.setting(one, "default_type") for one in "012"] == ["news"] * 3


def test_seo_is_put_together_member_by_member() -> None:
    tree = nested({"seo": {"title": "Top", "robots": "noindex, follow"}}, {"seo": {"title": "Low", "robots": None}})
    assert tree.setting("1", "seo") == {"title": "Low", "robots": "noindex, follow"}
    assert nested({}).setting("0", "seo") == {}


def test_access_is_put_together_actor_by_actor() -> None:
    tree = nested({"access": {"a": "editor", "b": "reader"}}, {"access": {"b": "publisher"}})
    assert tree.setting("1", "access") == {"a": "editor", "b": "publisher"}


def test_what_is_a_sections_own_is_not_inherited() -> None:
    tree = nested({"in_menus": False, "in_sitemap": False, "index_entry": "x"}, {})
    assert [tree.setting("1", name) for name in ("in_menus", "in_sitemap", "index_entry")] == [True, True, None]


@pytest.mark.parametrize("section", [None, "nowhere"])
def test_beyond_all_sections_everything_is_as_it_is_by_itself(section: str | None) -> None:
    tree = nested({"review_days": 1, "access": {"a": "editor"}})
    assert (tree.setting(section, "review_days"), tree.setting(section, "access")) == (None, {})


# --- told ---


def test_visitors_are_not_told_who_has_access_or_when_to_review(
    session: Session, olga: Colleague, section: str
) -> None:
    put(session, section, olga, access={PAVEL_ID: "editor"}, review_days=30, default_type="news")
    publication = session.scalars(select(Publication).where(Publication.type == "structure")).one()
    for told in (publication.fields, publication.rendered):
        assert PAVEL_ID not in str(told)
        assert "review_days" not in str(told)
        assert "removed" not in told
    assert live_tree(session).setting(section, "default_type") == "news"
    assert live_tree(session).setting(section, "access") == {}
    assert structure.tree_in_force(session).setting(section, "access") == {PAVEL_ID: "editor"}


def test_a_listing_has_its_defaults() -> None:
    assert Listing().model_dump() == {"types": [], "sort": "-published_at", "page_size": 20, "below": True}


# --- what wants to be looked at again ---


def due(session: Session, olga: Colleague) -> list[str]:
    page = finding.entries(session, Asked(), among=[reviewing.is_due(session, now=olga.clock())])
    return [row[0].id for row in page.rows]


def test_what_was_published_too_long_ago_is_due(session: Session, olga: Colleague, section: str) -> None:
    put(session, section, olga, review_days=30)
    [below] = sections(session, "below", by=olga.by(), parent=section)
    old = a_live_news(session, by=olga.by(), section=below, slug="old")
    a_live_news(session, by=olga.by(), slug="elsewhere")
    a_news(session, by=olga.by(), section=section, slug="draft")
    olga.clock.pass_by(days=20)
    a_live_news(session, by=olga.by(), section=section, slug="fresh")
    assert due(session, olga) == []
    olga.clock.pass_by(days=11)
    assert due(session, olga) == [old.id]


def test_an_interval_holds_once_it_is_published(session: Session, olga: Colleague, section: str) -> None:
    a_live_news(session, by=olga.by(), section=section)
    olga.clock.pass_by(days=31)
    tree = structure.entry(session)
    operation = {"op": "set", "section": section, "review_days": 30}
    restructuring.change(session, tree, [operation], expected=tree.revision, by=olga.by())
    assert due(session, olga) == []
