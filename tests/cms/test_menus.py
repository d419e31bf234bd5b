"""Menus: what they may say, how they are called, where their links lead, and who is told when a target moves."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import content, history, menus, publishing, saving, site, trash, usages
from cms.built_in_types import BUILT_IN
from cms.delivery import menus as live
from cms.delivery.live_structure import live_tree
from cms.errors import InUse, InvalidContent
from cms.tables.entries import Entry, Usage
from tests.cast import (
    NOBODY_ID,
    Colleague,
    a_live_news,
    a_news,
    an_entry,
    change,
    newest_fields,
    restructure,
    sections,
)

MENU = BUILT_IN["menu"]


def a_menu(session: Session, olga: Colleague, *items: dict[str, Any], title: str = "Main", **given: Any) -> Entry:
    return an_entry(session, "menu", by=olga.by(), title=title, items=list(items), **given)


def a_live_menu(session: Session, olga: Colleague, *items: dict[str, Any], title: str = "Main", **given: Any) -> Entry:
    menu = a_menu(session, olga, *items, title=title, **given)
    publishing.publish(session, menu, by=olga.by())
    return menu


def shown(session: Session, name: str = "main", *, locale: str = "ru") -> list[dict[str, Any]]:
    session.flush()
    found = live.live_menus(session, locale=locale, locales=site.locales(session))
    items, _ = live.resolved(session, found, tree=live_tree(session), locale=locale)
    return next(one for menu, one in zip(found, items, strict=True) if menu.name == name)


def outline(items: list[dict[str, Any]]) -> list[Any]:
    """Labels and addresses: `[["Company", "/company", […]], …]`."""
    return [[item["label"], item["path"] or item["url"], outline(item["items"])] for item in items]


def refused(given: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidContent) as caught:
        content.read(MENU, {"title": "Main", **given})
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


# --- what a menu may say ---


def test_an_item_has_these_members_and_no_others() -> None:
    read = content.read(MENU, {"title": "Main", "items": [{"url": "/a"}]}).fields["items"]
    assert read == [{"label": None, "entry": None, "section": None, "url": "/a", "depth": None, "items": []}]


@pytest.mark.parametrize(
    "url",
    ["/", "/a/b?c=d#e", "https://example.org", "http://example.org/a?b", "mailto:a@b.c", "tel:+7495", "HTTPS://x"],
)
def test_an_address_is_a_path_or_something_that_can_be_followed(url: str) -> None:
    assert content.read(MENU, {"title": "Main", "items": [{"url": url}]}).fields["items"][0]["url"] == url


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//example.org", "/\\example.org", "/\t/x", "a", "#x", "ftp://x", "",
     "https://", "vbscript:x", "https:///x", "mailto:", "/a\u0000"],
)  # fmt: skip
def test_nothing_that_runs_is_an_address(url: str) -> None:
    assert refused({"items": [{"url": url}]})[0][0].startswith("/fields/items/0")


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"entry": NOBODY_ID, "url": "/a"}, "several_targets"),
        ({"section": "s", "url": "/a"}, "several_targets"),
        ({}, "no_label"),
        ({"label": "x", "depth": 1}, "needless_depth"),
    ],
)
def test_an_item_leads_to_one_thing(item: dict[str, Any], code: str) -> None:
    assert refused({"items": [{"label": "a", "items": [item]}]}) == [("/fields/items/0/items/0", code)]


@pytest.mark.parametrize("depth", [-1, 6, 1.5, "x"])
def test_a_section_s_children_go_five_levels_down(depth: Any) -> None:
    assert refused({"items": [{"section": "s", "depth": depth}]})[0][0] == "/fields/items/0/depth"


@pytest.mark.parametrize("label", [{}, {"ru": ""}, {"ru": 1}, 7, "x" * 501, {"r u": "x"}])
def test_a_label_is_a_text_or_texts_by_locale(label: Any) -> None:
    assert refused({"items": [{"label": label, "url": "/a"}]})[0][0].startswith("/fields/items/0/label")


def test_a_menu_has_a_thousand_items_at_most() -> None:
    items = [{"url": "/a", "items": [{"url": "/b"}] * 9}] * 100
    assert len(content.read(MENU, {"title": "Main", "items": items}).fields["items"]) == 100
    assert refused({"items": [*items, {"url": "/c"}]}) == [("/fields/items", "too_many")]


def test_targets_that_do_not_exist_are_refused_at_their_place(session: Session, olga: Colleague) -> None:
    with pytest.raises(InvalidContent) as caught:
        a_menu(session, olga, {"label": "x", "items": [{"entry": NOBODY_ID}, {"section": "nowhere"}]})
    assert {(fault.pointer, fault.code) for fault in caught.value.faults} == {
        ("/fields/items/0/items/0/entry", "missing_target"),
        ("/fields/items/0/items/1/section", "unknown_section"),
    }


# --- its name ---


def test_a_menu_is_called_as_it_says_or_as_its_slug_or_title(session: Session, olga: Colleague) -> None:
    given = a_menu(session, olga, name="top", slug="left", title="Some title")
    assert newest_fields(session, given)["name"] == "top"
    assert newest_fields(session, a_menu(session, olga, slug="left"))["name"] == "left"
    assert newest_fields(session, a_menu(session, olga, title="Главное меню"))["name"] == "glavnoe-meniu"


def test_two_menus_of_one_title_have_names_of_their_own(session: Session, olga: Colleague) -> None:
    names = [newest_fields(session, a_menu(session, olga))["name"] for _ in range(3)]
    assert names == ["main", "main-2", "main-3"]


def test_a_name_stays_when_the_title_changes(session: Session, olga: Colleague) -> None:
    menu = a_menu(session, olga)
    change(session, menu, by=olga.by(), title="Other")
    assert newest_fields(session, menu)["name"] == "main"


def test_a_name_is_taken_once_in_a_locale(session: Session, olga: Colleague) -> None:
    first, other = a_menu(session, olga), a_menu(session, olga, title="Other")
    a_menu(session, olga, name="main", locale="en")
    for work in (
        lambda: a_menu(session, olga, name="main"),
        lambda: change(session, other, by=olga.by(), name="main"),
    ):
        with pytest.raises(InvalidContent) as caught:
            work()
        assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [("/fields/name", "name_taken")]
    trash.trash(session, first, expected=first.revision, by=olga.by())
    change(session, other, by=olga.by(), name="main")
    with pytest.raises(InvalidContent):
        trash.restore(session, first, expected=first.revision, by=olga.by())


@pytest.mark.parametrize("name", ["Main", "a b", "меню", "/x", "x" * 201])
def test_a_name_is_safe_in_an_address(session: Session, olga: Colleague, name: str) -> None:
    with pytest.raises(InvalidContent) as caught:
        a_menu(session, olga, name=name)
    assert caught.value.faults[0].code == "malformed_name"


def test_two_live_menus_do_not_share_a_name(session: Session, olga: Colleague) -> None:
    first = a_live_menu(session, olga)
    change(session, first, by=olga.by(), name="old")
    second = a_menu(session, olga, name="main")
    with pytest.raises(InvalidContent) as caught:
        publishing.publish(session, second, by=olga.by())
    assert caught.value.faults[0].code == "name_taken"
    publishing.publish(session, first, by=olga.by())
    publishing.publish(session, second, by=olga.by())


# --- where its links lead ---


def test_links_lead_to_where_their_targets_are_now(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", by=olga.by(), parent=company)
    hours = a_live_news(session, by=olga.by(), title="Hours", slug="hours", section=news)
    a_live_menu(
        session, olga, {"section": company, "items": [{"entry": hours.id}]}, {"url": "/x", "label": "X"},
        {"url": "https://example.org/"}, {"label": "Write", "items": [{"url": "mailto:a@b.c", "label": "Mail"}]},
    )  # fmt: skip
    assert outline(shown(session)) == [
        ["Company", "/company", [["Hours", "/company/news/hours", []]]],
        ["X", "/x", []],
        ["https://example.org/", "https://example.org/", []],
        ["Write", None, [["Mail", "mailto:a@b.c", []]]],
    ]
    restructure(session, {"op": "rename", "section": company, "slug": "firm"}, by=olga.by())
    assert outline(shown(session))[0] == ["Company", "/firm", [["Hours", "/firm/news/hours", []]]]


def test_an_item_as_visitors_get_it_has_these_members(session: Session, olga: Colleague) -> None:
    hours = a_live_news(session, by=olga.by(), slug="hours")
    a_live_menu(session, olga, {"entry": hours.id, "label": "Hours"})
    assert shown(session) == [
        {
            "label": "Hours", "kind": "entry", "path": "/hours", "url": None, "entry": hours.id, "section": None,
            "items": [],
        }
    ]  # fmt: skip


def test_what_is_not_live_is_left_out_with_what_is_below(session: Session, olga: Colleague) -> None:
    draft, hours = a_news(session, by=olga.by()), a_live_news(session, by=olga.by(), slug="hours")
    menu = a_menu(
        session, olga, {"entry": draft.id, "items": [{"url": "/x"}]}, {"entry": hours.id},
        {"label": "Empty", "items": [{"entry": draft.id}]},
    )  # fmt: skip
    warnings = publishing.publish(session, menu, by=olga.by()).warnings
    assert [(one.pointer, one.code) for one in warnings] == [
        ("/fields/items/0/entry", "target_not_published"),
        ("/fields/items/2/items/0/entry", "target_not_published"),
    ]
    assert publishing.unseen(session, menu) == warnings
    assert outline(shown(session)) == [["Office hours", "/hours", []]]
    publishing.publish(session, draft, by=olga.by())
    assert len(shown(session)) == 3
    assert publishing.unseen(session, menu) == ()


def test_a_section_that_is_only_drafted_is_left_out_and_reported(session: Session, olga: Colleague) -> None:
    tree = session.scalars(select(Entry).where(Entry.type == "structure")).one()
    saving.save(
        session, tree, {"fields": {"sections": [{"id": "s", "slug": "s", "name": "S"}]}}, expected=1, by=olga.by()
    )
    menu = a_menu(session, olga, {"section": "s", "depth": 1})
    warnings = publishing.publish(session, menu, by=olga.by()).warnings
    assert [(one.pointer, one.code) for one in warnings] == [("/fields/items/0/section", "section_not_published")]
    assert shown(session) == []


def test_a_section_s_children_are_listed_to_a_depth(session: Session, olga: Colleague) -> None:
    [top] = sections(session, "top", by=olga.by())
    first, hidden = sections(session, "first", "hidden", by=olga.by(), parent=top)
    sections(session, "deep", by=olga.by(), parent=first)
    sections(session, "under", by=olga.by(), parent=hidden)
    _set(session, olga, hidden, in_menus=False)
    a_live_menu(session, olga, {"section": top, "depth": 1}, {"section": top, "depth": 2}, {"section": hidden})
    assert outline(shown(session)) == [
        ["Top", "/top", [["First", "/top/first", []]]],
        ["Top", "/top", [["First", "/top/first", [["Deep", "/top/first/deep", []]]]]],
        ["Hidden", "/top/hidden", []],
    ]


def _set(session: Session, olga: Colleague, section: str, **settings: Any) -> None:
    tree = session.scalars(select(Entry).where(Entry.type == "structure")).one()

    def changed(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**node, **(settings if node["id"] == section else {}), "children": changed(node["children"])}
            for node in nodes
        ]

    kept = changed(newest_fields(session, tree)["sections"])
    change(session, tree, by=olga.by(), sections=kept)
    publishing.publish(session, tree, by=olga.by())


def test_an_answer_is_never_endless(session: Session, olga: Colleague, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_SHOWN", 10)
    [top] = sections(session, "top", by=olga.by())
    sections(session, *"abcdefgh", by=olga.by(), parent=top)
    a_live_menu(session, olga, *[{"section": top, "depth": 5}] * 5)
    assert len(str(shown(session)).split("'label'")) - 1 <= 20


def test_labels_and_targets_are_those_of_the_locale(session: Session, olga: Colleague) -> None:
    russian = a_live_news(session, by=olga.by(), title="Часы", slug="chasy")
    english = a_news(session, by=olga.by(), title="Hours", slug="hours", locale="en", translation_of=russian.id)
    a_live_menu(session, olga, {"entry": russian.id}, {"url": "/x", "label": {"ru": "Икс", "en": "X"}})
    assert outline(shown(session, locale="en"))[0] == ["Часы", "/chasy", []]
    publishing.publish(session, english, by=olga.by())
    assert outline(shown(session, locale="en")) == [["Hours", "/hours", []], ["X", "/x", []]]
    assert outline(shown(session)) == [["Часы", "/chasy", []], ["Икс", "/x", []]]


def test_a_locale_s_own_menu_goes_before_the_default_locale_s(session: Session, olga: Colleague) -> None:
    a_live_menu(session, olga, {"url": "/ru"})
    assert outline(shown(session, locale="en")) == [["/ru", "/ru", []]]
    a_live_menu(session, olga, {"url": "/en"}, locale="en")
    assert outline(shown(session, locale="en")) == [["/en", "/en", []]]
    assert outline(shown(session)) == [["/ru", "/ru", []]]


def test_the_same_target_as_often_as_one_likes(session: Session, olga: Colleague) -> None:
    hours = a_live_news(session, by=olga.by(), slug="hours")
    menu = a_live_menu(session, olga, *[{"entry": hours.id}] * 3)
    assert len(shown(session)) == 3
    pointers = [one.pointer for one in usages.of(session, hours.id) if one.source_id == menu.id and one.live]
    assert pointers == [f"/fields/items/{index}/entry" for index in range(3)]


# --- who is told ---


def test_sections_count_as_used(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    menu = a_menu(session, olga, {"section": company})
    found = session.scalars(select(Usage).where(Usage.target_id == company)).all()
    assert [(one.source_id, one.pointer, one.live) for one in found] == [(menu.id, "/fields/items/0/section", False)]


def test_what_a_menu_leads_to_is_not_put_into_the_trash(session: Session, olga: Colleague) -> None:
    hours = a_live_news(session, by=olga.by())
    a_live_menu(session, olga, {"entry": hours.id})
    with pytest.raises(InUse):
        trash.trash(session, hours, expected=hours.revision, by=olga.by())


def test_moving_what_a_menu_leads_to_names_the_menu(session: Session, olga: Colleague) -> None:
    hours = a_live_news(session, by=olga.by(), slug="hours")
    menu = a_live_menu(session, olga, {"entry": hours.id}, {"entry": hours.id}, title="Top")
    saved = saving.save(session, hours, {"slug": "days"}, expected=hours.revision, by=olga.by())
    assert [one.code for one in saved.warnings] == ["in_menu"]
    assert menu.id in saved.warnings[0].message
    assert "Top" in saved.warnings[0].message
    assert [one.code for one in publishing.publish(session, hours, by=olga.by()).warnings] == ["in_menu"]
    assert change(session, hours, by=olga.by(), summary="x").warnings == ()
    assert publishing.publish(session, hours, by=olga.by()).warnings == ()
    assert [one.code for one in menus.holding(session, hours.id, said="x")] == ["in_menu"]


def test_a_draft_menu_says_nothing_of_moves(session: Session, olga: Colleague) -> None:
    hours = a_live_news(session, by=olga.by(), slug="hours")
    a_menu(session, olga, {"entry": hours.id})
    assert saving.save(session, hours, {"slug": "days"}, expected=hours.revision, by=olga.by()).warnings == ()


# --- history ---


def test_history_tells_what_changed_in_a_menu(session: Session, olga: Colleague) -> None:
    menu = a_menu(session, olga, {"label": "A", "url": "/a", "items": [{"label": "B", "url": "/b"}]}, {"url": "/c"})
    change(
        session, menu, by=olga.by(),
        items=[{"label": "A", "url": "/a", "items": [{"label": "B", "url": "/bb"}]}, {"url": "/c"}, {"url": "/d"}],
    )  # fmt: skip
    [diff] = history.diff(session, menu, from_=1, to=2)
    assert (diff["pointer"], [item["op"] for item in diff["items"]]) == ("/fields/items", ["kept", "kept", "added"])
    [inner] = diff["items"][0]["fields"]
    assert (inner["pointer"], inner["items"][0]["fields"][0]["pointer"]) == (
        "/fields/items/0/items",
        "/fields/items/0/items/0/url",
    )


def test_an_old_menu_can_be_brought_back(session: Session, olga: Colleague) -> None:
    menu = a_menu(session, olga, {"url": "/a"})
    change(session, menu, by=olga.by(), items=[])
    history.restore(session, menu, 1, expected=2, by=olga.by())
    assert newest_fields(session, menu)["items"][0]["url"] == "/a"
