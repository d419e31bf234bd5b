"""The redirects that staff keep: what they may say, what goes before what, and what is refused in words."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from cms import events, publishing, redirect_rules, saving, site
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.errors import InvalidContent, NotFound, RuleExists, WrongState
from cms.listing import Asked, Condition
from cms.paths import normal
from cms.redirect_rules import Rule, host_of
from cms.redirects import Answer
from cms.tables.entries import Entry
from cms.tables.events import Event
from cms.tables.publications import Redirect
from tests.cast import (
    NOBODY_ID,
    Colleague,
    HeldClock,
    a_live_news,
    a_news,
    an_entry,
    change,
    restructure,
    sections,
    what_is_at,
)


def make(session: Session, olga: Colleague, path: str, to: str | None = None, **said: Any) -> Redirect:
    return redirect_rules.create(session, Rule(path, to, **said), by=olga.by()).redirect


def codes(refusal: pytest.ExceptionInfo[InvalidContent]) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in refusal.value.faults]


def shown(session: Session, stored: Redirect) -> dict[str, Any]:
    [one] = redirect_rules.show(session, [stored])
    return one


def automatic(session: Session) -> Redirect:
    return session.scalars(select(Redirect).where(Redirect.slug.is_not(None))).one()


def move(session: Session, entry: Entry, olga: Colleague, slug: str) -> None:
    saving.save(session, entry, {"slug": slug}, expected=entry.revision, by=olga.by())
    publishing.publish(session, entry, by=olga.by())


def allow(session: Session, olga: Colleague, *hosts: str, url: str | None = None) -> None:
    settings = session.scalars(select(Entry).where(Entry.type == "settings")).one()
    change(session, settings, by=olga.by(), redirect_hosts=list(hosts), **({"site_url": url} if url else {}))
    publishing.publish(session, settings, by=olga.by())


# --- where rules lead ---


def test_a_rule_leads_to_an_entry_wherever_it_is(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    make(session, olga, "/old.html", entry.id)
    assert what_is_at(session, "/old.html") == ("redirect", "/hours")
    move(session, entry, olga, "days")
    assert what_is_at(session, "/old.html") == ("redirect", "/days")


def test_a_rule_leads_to_a_section_wherever_it_is(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    make(session, olga, "/about", company)
    restructure(session, {"op": "rename", "section": company, "slug": "firm"}, by=olga.by())
    assert what_is_at(session, "/about") == ("redirect", "/firm")


def test_a_rule_leads_to_a_path_that_the_front_end_makes_itself(session: Session, olga: Colleague) -> None:
    make(session, olga, "/find", "/search?q=часы#top")
    assert what_is_at(session, "/find") == ("redirect", "/search?q=часы#top")


def test_what_is_gone_says_why(session: Session, olga: Colleague) -> None:
    make(session, olga, "/party", status=410, explanation="It is over.")
    assert what_is_at(session, "/party") == ("gone", "It is over.")


def test_a_rule_for_all_below_takes_what_follows_along(session: Session, olga: Colleague) -> None:
    make(session, olga, "/blog", "/news", prefix=True)
    assert [what_is_at(session, path) for path in ("/blog", "/blog/a/b", "/blogger")] == [
        ("redirect", "/news"), ("redirect", "/news/a/b"), None
    ]  # fmt: skip


def test_a_rule_for_all_below_keeps_the_query_of_its_target(session: Session, olga: Colleague) -> None:
    make(session, olga, "/blog", "/news?from=blog", prefix=True)
    assert what_is_at(session, "/blog/a") == ("redirect", "/news/a?from=blog")


def test_the_longer_rule_goes_before_the_shorter_and_just_the_path_before_both(
    session: Session, olga: Colleague
) -> None:
    make(session, olga, "/a", "/one", prefix=True)
    make(session, olga, "/a/b", "/two", prefix=True)
    make(session, olga, "/a/b/c", "/three")
    assert [what_is_at(session, path) for path in ("/a/x", "/a/b/x", "/a/b/c")] == [
        ("redirect", "/one/x"), ("redirect", "/two/x"), ("redirect", "/three")
    ]  # fmt: skip


def test_a_rule_for_everything_stands_behind_all_others(session: Session, olga: Colleague) -> None:
    allow(session, olga, "old.example.org")
    make(session, olga, "/", "https://old.example.org", prefix=True, status=302)
    assert what_is_at(session, "/whatever/it/is") == ("redirect", "https://old.example.org/whatever/it/is")
    assert what_is_at(session, "/") == ("section", None)


def test_a_chain_is_one_hop_with_the_status_of_its_first_rule(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    make(session, olga, "/c", entry.id)
    make(session, olga, "/b", "/c", status=301)
    make(session, olga, "/a", "/b", status=307)
    found = resolving.resolve(session, "/a", **_site(session), locale="ru")
    assert found is not None
    assert (found.moved_to, found.status) == ("/hours", 307)


def _site(session: Session) -> dict[str, Any]:
    return {"site": live_site(session), "locales": site.locales(session)}


def test_a_rule_for_one_locale_goes_before_one_for_all(session: Session, olga: Colleague) -> None:
    make(session, olga, "/x", "/all")
    make(session, olga, "/x", "/english", locale="en")
    assert what_is_at(session, "/x", locale="en") == ("redirect", "/english")
    assert what_is_at(session, "/x", locale="ru") == ("redirect", "/all")


def test_a_rule_goes_before_what_a_move_left(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    move(session, entry, olga, "days")
    make(session, olga, "/hours", "/contacts")
    assert what_is_at(session, "/hours") == ("redirect", "/contacts")


def test_the_rule_that_answered_is_named(session: Session, olga: Colleague) -> None:
    rule = make(session, olga, "/a", "/b")
    found = resolving.resolve(session, "/a", **_site(session), locale=None)
    assert found is not None
    assert found.rule == rule.id


def test_what_is_live_goes_before_the_rule_and_this_is_told(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    kept = redirect_rules.create(session, Rule("/hours", "/contacts"), by=olga.by())
    assert [one.code for one in kept.warnings] == ["shadowed"]
    assert what_is_at(session, "/hours") == ("entry", entry.id)
    assert shown(session, kept.redirect)["shadowed"]
    publishing.unpublish(session, entry, by=olga.by(), answer=Answer())
    assert what_is_at(session, "/hours") == ("redirect", "/contacts")


def test_a_target_that_is_not_live_is_told(session: Session, olga: Colleague) -> None:
    draft = a_news(session, by=olga.by(), slug="plans")
    kept = redirect_rules.create(session, Rule("/x", draft.id), by=olga.by())
    assert [one.code for one in kept.warnings] == ["not_live"]
    assert (shown(session, kept.redirect)["to"]["path"], what_is_at(session, "/x")) == (None, None)


def test_one_statement_finds_where_a_rule_leads(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    make(session, olga, "/old", entry.id)
    make(session, olga, "/gone", status=410)
    make(session, olga, "/twice", "/old")
    around = _site(session)
    connection, counted = session.connection(), []
    event.listen(connection, "before_cursor_execute", lambda *told: counted.append(told[2]))
    for path, statements in (("/old", 1), ("/gone", 1), ("/nothing", 1), ("/old/below", 1), ("/twice", 2)):
        counted.clear()
        resolving.resolve(session, path, **around, locale=None)
        assert (path, len(counted)) == (path, statements)


# --- paths ---


@pytest.mark.parametrize("path", ["/%D1%87%D0%B0%D1%81%D1%8B", "/часы", "/часы/", "/%d1%87асы"])
def test_encoded_and_plain_are_one_path(session: Session, olga: Colleague, path: str) -> None:
    make(session, olga, path, "/hours")
    assert [what_is_at(session, one) for one in ("/часы", "/%D1%87%D0%B0%D1%81%D1%8B", "/часы/")] == [
        ("redirect", "/hours")
    ] * 3


def test_composed_and_decomposed_letters_are_one_path(session: Session, olga: Colleague) -> None:
    make(session, olga, "/\u0438\u0306", "/hours")
    assert what_is_at(session, "/\u0439") == ("redirect", "/hours")


def test_letters_keep_their_case(session: Session, olga: Colleague) -> None:
    make(session, olga, "/About", "/company")
    assert (what_is_at(session, "/About"), what_is_at(session, "/about")) == (("redirect", "/company"), None)


@given(st.text(alphabet=st.one_of(st.sampled_from("%/ab019CDEF?# \\\u0306"), st.characters(exclude_categories=["Cs"]))))
def test_what_is_normal_stays_as_it_is(path: str) -> None:
    assert normal(normal(path)) == normal(path)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="%/?#"), min_size=1))
def test_a_step_encoded_is_the_step(step: str) -> None:
    assert normal("/" + quote(step, safe="")) == normal("/" + step)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "malformed_path"),
        ("about", "malformed_path"),
        ("//evil.example", "malformed_path"),
        ("/\\evil.example", "malformed_path"),
        ("https://example.org/a", "malformed_path"),
        ("/a?b=c", "malformed_path"),
        ("/a#b", "malformed_path"),
        ("/a b", "malformed_path"),
        ("/a\nb", "malformed_path"),
        ("/a\0b", "malformed_path"),
        ("/a\u2028b", "malformed_path"),
        ("/a\u202eb", "malformed_path"),
        ("/a//b", "malformed_path"),
        ("/a/../b", "malformed_path"),
        ("/./a", "malformed_path"),
        ("/" + "a" * 2_000, "too_long"),
        ("/" + "ы" * 1_000, "too_long"),
    ],
)
def test_a_path_that_no_browser_asks_for_is_refused(session: Session, olga: Colleague, path: str, code: str) -> None:
    with pytest.raises(InvalidContent) as refused:
        make(session, olga, path, "/x")
    assert codes(refused) == [("/path", code)]


def test_the_longest_path_is_kept(session: Session, olga: Colleague) -> None:
    path = "/" + "ы" * 999
    make(session, olga, path, "/x")
    assert what_is_at(session, path) == ("redirect", "/x")


# --- targets ---


@pytest.mark.parametrize(
    ("to", "code"),
    [
        (None, "missing"),
        ("", "unknown_target"),
        (NOBODY_ID, "unknown_target"),
        ("about", "unknown_target"),
        ("//evil.example", "unknown_target"),
        ("/\\evil.example", "unknown_target"),
        ("/a b", "unknown_target"),
        ("https://evil.example/", "foreign_host"),
        ("https://example.org.evil.example/", "foreign_host"),
        ("https://example.org:8443/", "foreign_host"),
        ("https://sub.example.org/", "foreign_host"),
        ("https://example.org@evil.example/", "malformed_address"),
        ("https://example.org\\@evil.example/", "malformed_address"),
        ("https://user:word@example.org/", "malformed_address"),
        ("https://example.org/a b", "malformed_address"),
        ("https:///path", "malformed_address"),
        ("https://", "malformed_address"),
        ("https:evil.example", "malformed_address"),
        ("https://[::1", "malformed_address"),
        ("https://example.org:99999/", "malformed_address"),
        ("javascript:alert(1)", "malformed_address"),
        ("data:text/html,x", "malformed_address"),
        ("ftp://example.org/", "malformed_address"),
        ("/..//evil.example", "malformed_path"),
        ("/a/%2e%2e/..//evil.example", "malformed_path"),
        ("/./evil.example", "malformed_path"),
    ],
)
def test_no_open_redirects(session: Session, olga: Colleague, to: str | None, code: str) -> None:
    allow(session, olga, "example.org")
    with pytest.raises(InvalidContent) as refused:
        make(session, olga, "/x", to)
    assert codes(refused) == [("/to", code)]


@pytest.mark.parametrize("to", ["https://example.org/", "HTTPS://Example.ORG/a?b#c", "http://example.org"])
def test_a_host_that_the_settings_allow_is_led_to(session: Session, olga: Colleague, to: str) -> None:
    allow(session, olga, "example.org")
    make(session, olga, "/x", to)
    assert what_is_at(session, "/x") == ("redirect", to)


def test_a_host_in_another_alphabet_is_allowed_as_it_is_written(session: Session, olga: Colleague) -> None:
    allow(session, olga, "пример.рф")
    make(session, olga, "/x", "https://xn--e1afmkfd.xn--p1ai/")
    make(session, olga, "/y", "https://пример.рф/")
    assert what_is_at(session, "/y") == ("redirect", "https://пример.рф/")


def test_a_refused_host_names_the_setting(session: Session, olga: Colleague) -> None:
    with pytest.raises(InvalidContent, match=r"add 'example\.org' to 'redirect_hosts'"):
        make(session, olga, "/x", "https://example.org/")


def test_the_site_s_own_address_is_a_path(session: Session, olga: Colleague) -> None:
    allow(session, olga, url="https://www.example.org")
    make(session, olga, "/x", "https://www.example.org/company/")
    assert what_is_at(session, "/x") == ("redirect", "/company")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://пример.рф/", "xn--e1afmkfd.xn--p1ai"),
        ("https://XN--E1AFMKFD.xn--p1ai/", "xn--e1afmkfd.xn--p1ai"),
        ("https://example.org:443/", "example.org:443"),
        ("https://.example.org/", None),
        ("https://exa_mple.org/", None),
        ("https://" + "a" * 64 + ".org/", None),
    ],
)
def test_hosts_are_compared_as_they_are_looked_up(address: str, host: str | None) -> None:
    assert host_of(address) == host


def test_what_is_gone_has_no_target_and_all_else_needs_one(session: Session, olga: Colleague) -> None:
    for rule, code in ((Rule("/x", "/y", status=410), "needless_target"), (Rule("/x"), "missing")):
        with pytest.raises(InvalidContent) as refused:
            redirect_rules.create(session, rule, by=olga.by())
        assert codes(refused) == [("/to", code)]


def test_all_faults_are_told_at_once(session: Session, olga: Colleague) -> None:
    with pytest.raises(InvalidContent) as refused:
        make(session, olga, "x", "y", status=303, locale="de", explanation="x" * 2_001)
    assert codes(refused) == [
        ("/path", "malformed_path"),
        ("/status", "unknown_status"),
        ("/locale", "unknown_locale"),
        ("/explanation", "too_long"),
        ("/to", "unknown_target"),
    ]


# --- twins and loops ---


def test_there_is_one_rule_for_a_path_in_a_locale(session: Session, olga: Colleague) -> None:
    first = make(session, olga, "/x", "/a")
    make(session, olga, "/x", "/b", locale="en")
    for path, locale in (("/x", None), ("/x/", None), ("/%78", None), ("/x", "en")):
        with pytest.raises(RuleExists) as refused:
            make(session, olga, path, "/c", locale=locale)
        assert (refused.value.id == first.id) is (locale is None)


@pytest.mark.parametrize("rules", [["/a /a"], ["/a /b", "/b /a"], ["/a /b", "/b /c", "/c /d", "/d /a"]])
def test_a_loop_is_refused_with_the_way_round(session: Session, olga: Colleague, rules: list[str]) -> None:
    *before, last = [rule.split() for rule in rules]
    for path, to in before:
        make(session, olga, path, to)
    with pytest.raises(InvalidContent) as refused:
        make(session, olga, *last)
    assert codes(refused) == [("/to", "loop")]
    assert refused.value.faults[0].message.count("→") == len(rules)


def test_a_loop_through_rules_for_all_below_is_refused_in_either_order(session: Session, olga: Colleague) -> None:
    make(session, olga, "/b/x", "/a/x")
    with pytest.raises(InvalidContent):
        make(session, olga, "/a", "/b", prefix=True)
    session.rollback()
    make(session, olga, "/a", "/b", prefix=True)
    with pytest.raises(InvalidContent):
        make(session, olga, "/b/x", "/a/x")


def test_a_rule_for_all_below_cannot_lead_below_itself(session: Session, olga: Colleague) -> None:
    with pytest.raises(InvalidContent):
        make(session, olga, "/a", "/a/b", prefix=True)


def test_a_loop_in_one_locale_is_refused(session: Session, olga: Colleague) -> None:
    make(session, olga, "/a", "/b", locale="en")
    with pytest.raises(InvalidContent):
        make(session, olga, "/b", "/a")


def test_what_is_live_on_the_way_is_where_it_ends(session: Session, olga: Colleague) -> None:
    a_live_news(session, by=olga.by(), slug="b")
    make(session, olga, "/b", "/a", locale="ru")
    make(session, olga, "/a", "/b", locale="ru")
    assert what_is_at(session, "/a") == ("redirect", "/b")


# --- changing and removing ---


def test_a_rule_is_changed_and_what_is_not_named_stays(session: Session, olga: Colleague, clock: HeldClock) -> None:
    rule = make(session, olga, "/a", "/b", status=302, explanation="Why")
    clock.pass_by(minutes=1)
    redirect_rules.change(session, rule, {"to": "/c"}, by=olga.by())
    assert redirect_rules.rule_of(rule) == Rule("/a", "/c", 302, explanation="Why")
    assert (rule.created_at, rule.changed_at) == (clock.pass_by(minutes=-1), clock.pass_by(minutes=1))


def test_what_becomes_gone_loses_its_target(session: Session, olga: Colleague) -> None:
    rule = make(session, olga, "/a", "/b")
    redirect_rules.change(session, rule, {"status": 410, "explanation": "Over"}, by=olga.by())
    assert what_is_at(session, "/a") == ("gone", "Over")


def test_changing_nothing_changes_nothing(session: Session, olga: Colleague, clock: HeldClock) -> None:
    rule = make(session, olga, "/a", "/b")
    before, number = rule.changed_at, events.newest(session)
    clock.pass_by(minutes=1)
    redirect_rules.change(session, rule, {"to": "/b/", "path": "/a"}, by=olga.by())
    session.flush()
    assert (rule.changed_at, events.newest(session)) == (before, number)


def test_a_change_is_refused_like_a_new_rule(session: Session, olga: Colleague) -> None:
    one, two = make(session, olga, "/a", "/x"), make(session, olga, "/b", "/a")
    with pytest.raises(RuleExists):
        redirect_rules.change(session, two, {"path": "/a"}, by=olga.by())
    with pytest.raises(InvalidContent):
        redirect_rules.change(session, one, {"to": "/b"}, by=olga.by())


def test_a_removed_rule_answers_no_more(session: Session, olga: Colleague) -> None:
    rule = make(session, olga, "/a", "/b")
    redirect_rules.remove(session, rule, by=olga.by())
    assert what_is_at(session, "/a") is None
    with pytest.raises(NotFound):
        redirect_rules.find(session, rule.id)


def test_who_did_it_is_recorded(session: Session, olga: Colleague, pavel: str) -> None:
    by = olga.by(on_behalf_of=pavel, request=412)
    rule = redirect_rules.create(session, Rule("/a", "/b"), by=by).redirect
    redirect_rules.change(session, rule, {"to": "/c", "status": 302}, by=by)
    redirect_rules.remove(session, rule, by=by)
    session.flush()
    wanted = select(Event).where(Event.kind.startswith("redirect")).order_by(Event.number)
    told = session.scalars(wanted).all()
    assert [one.kind for one in told] == ["redirect.created", "redirect.changed", "redirect.removed"]
    assert {(one.actor_name, one.on_behalf_of, one.request) for one in told} == {("Olga", pavel, 412)}
    assert told[1].details == {"redirect": rule.id, "path": "/a", "changed": ["status", "to"]}


# --- rules that the system keeps ---


def test_of_an_automatic_rule_only_the_explanation_changes(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    publishing.unpublish(session, entry, by=olga.by(), answer=Answer("gone"))
    rule = automatic(session)
    redirect_rules.change(session, rule, {"explanation": "Closed"}, by=olga.by())
    assert what_is_at(session, "/hours") == ("gone", "Closed")
    for values in ({"to": "/x"}, {"status": 301, "to": "/x"}, {"path": "/y"}, {"prefix": True}, {"locale": "en"}):
        with pytest.raises(WrongState):
            redirect_rules.change(session, rule, values, by=olga.by())


def test_an_automatic_rule_may_be_removed(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    move(session, entry, olga, "days")
    redirect_rules.remove(session, automatic(session), by=olga.by())
    assert what_is_at(session, "/hours") is None


def test_what_a_section_left_may_be_removed_and_is_at_once(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    restructure(session, {"op": "rename", "section": company, "slug": "firm"}, by=olga.by())
    assert what_is_at(session, "/company") == ("redirect", "/firm")
    redirect_rules.remove(session, automatic(session), by=olga.by())
    assert what_is_at(session, "/company") is None


# --- finding, showing, counting ---


def paths(session: Session, *conditions: Condition, **asked: Any) -> list[str]:
    page = redirect_rules.listing(session, Asked(conditions, **asked))
    return [row[0].path for row in page.rows]


def test_rules_are_found_by_what_they_say(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    make(session, olga, "/Часы", entry.id)
    make(session, olga, "/b", "/x", prefix=True, locale="en")
    make(session, olga, "/c", status=410)
    assert paths(session, Condition("path", "eq", ("/%D0%A7асы/",))) == ["/Часы"]
    assert paths(session, Condition("path", "starts", ("/час",))) == ["/Часы"]
    assert paths(session, Condition("entry", "eq", (entry.id,))) == ["/Часы"]
    assert paths(session, Condition("prefix", "eq", ("true",))) == ["/b"]
    assert paths(session, Condition("locale", "exists", ("false",)), sort=(("path", False),)) == ["/c", "/Часы"]
    assert paths(session, Condition("status", "eq", ("410",))) == ["/c"]
    assert paths(session, Condition("source", "eq", ("manual",)), sort=(("path", True),)) == ["/Часы", "/c", "/b"]


def test_hits_add_up_and_the_last_stays_the_last(session: Session, olga: Colleague, clock: HeldClock) -> None:
    rule, idle = make(session, olga, "/a", "/b"), make(session, olga, "/c", "/d")
    now, before = clock(), clock.pass_by(hours=-1)
    redirect_rules.count(session, {rule.id: (2, now), NOBODY_ID: (1, now)})
    redirect_rules.count(session, {rule.id: (3, before)})
    session.expire_all()
    assert (rule.hits, rule.last_hit_at, idle.hits, idle.last_hit_at) == (5, now, 0, None)
    assert paths(session, sort=(("hits", True),)) == ["/a", "/c"]
    assert paths(session, sort=(("last_hit_at", True),)) == ["/a", "/c"]
    assert paths(session, Condition("last_hit_at", "lt", ("2020-01-01",))) == ["/c"]


def test_pages_by_the_last_hit_go_on_where_they_stopped(session: Session, olga: Colleague, clock: HeldClock) -> None:
    rules = [make(session, olga, f"/{number}", "/x") for number in range(5)]
    redirect_rules.count(session, {rules[1].id: (1, clock())})
    asked, found = Asked(sort=(("last_hit_at", True),), size=2), []
    while True:
        page = redirect_rules.listing(session, asked)
        found += [row[0].path for row in page.rows]
        if page.next is None:
            break
        asked = replace(asked, after=page.next)
    assert found == ["/1", "/0", "/2", "/3", "/4"]


def test_an_automatic_rule_is_shown_with_what_it_follows(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    move(session, entry, olga, "days")
    one = shown(session, automatic(session))
    assert (one["path"], one["source"], one["to"]) == (
        "/hours", "automatic", {"entry": entry.id, "section": None, "url": None, "path": "/days"}
    )  # fmt: skip


def test_a_draft_s_path_is_told_to_nobody(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    rule = make(session, olga, "/x", entry.id)
    saving.save(session, entry, {"slug": "secret"}, expected=entry.revision, by=olga.by())
    assert shown(session, rule)["to"]["path"] == "/hours"


def test_an_image_has_no_path_to_lead_to(session: Session, olga: Colleague) -> None:
    image = an_entry(session, "menu", by=olga.by(), title="Top", items=[])
    publishing.publish(session, image, by=olga.by())
    kept = redirect_rules.create(session, Rule("/x", image.id), by=olga.by())
    assert ([one.code for one in kept.warnings], what_is_at(session, "/x")) == (["not_live"], None)
