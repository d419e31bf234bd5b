"""What visitors did not find: counted without noise, guessed at, turned into redirects."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import missing_paths, publishing, redirect_rules, saving
from cms.delivery.noise import Missed, grouped, is_noise, without_query
from cms.errors import InvalidContent, NotFound, RuleExists, WrongState
from cms.listing import Asked, Condition
from cms.missing_paths import Guess
from cms.redirect_rules import Rule
from cms.tables.entries import Entry
from cms.tables.missing import MissingPath
from tests.cast import NOBODY_ID, Colleague, HeldClock, a_live_news, a_news, sections, what_is_at


def miss(session: Session, path: str, *, at: datetime, hits: int = 1, **told: Any) -> MissingPath:
    missing_paths.count(session, {path: Missed(hits, at, **told)})
    session.expire_all()
    return session.scalars(select(MissingPath).where(MissingPath.path == path)).one()


def nothing(_words: str, _locale: str | None) -> Sequence[tuple[str, float]]:
    return ()


def guessed(session: Session, row: MissingPath) -> list[Guess]:
    return missing_paths.guesses(session, row, search=nothing)


def paths(session: Session, *conditions: Condition, **asked: Any) -> list[str]:
    return [row[0].path for row in missing_paths.listing(session, Asked(conditions, **asked)).rows]


def move(session: Session, entry: Entry, olga: Colleague, **place: str | None) -> None:
    saving.save(session, entry, place, expected=entry.revision, by=olga.by())
    publishing.publish(session, entry, by=olga.by())


# --- counting ---


def test_misses_of_one_path_are_one_row(session: Session, clock: HeldClock) -> None:
    first = clock()
    miss(session, "/a", at=first, locale="ru", referrer="https://example.org/")
    row = miss(session, "/a", at=clock.pass_by(minutes=5), hits=3)
    assert (row.hits, row.first_at, row.last_at) == (4, first, clock())
    assert (row.locale, row.referrer, row.state) == ("ru", "https://example.org/", "open")


def test_what_is_ignored_stays_so_and_is_counted(session: Session, olga: Colleague, clock: HeldClock) -> None:
    row = miss(session, "/a", at=clock())
    missing_paths.mark(session, row, "ignored", by=olga.by())
    row = miss(session, "/a", at=clock())
    assert (row.state, row.hits, paths(session)) == ("ignored", 2, [])


def test_what_had_a_redirect_and_is_missed_again_is_open_again(
    session: Session, olga: Colleague, clock: HeldClock
) -> None:
    row = miss(session, "/a", at=clock())
    kept = missing_paths.redirect(session, row, Rule("/a", "/x"), by=olga.by())
    redirect_rules.remove(session, kept.redirect, by=olga.by())
    row = miss(session, "/a", at=clock())
    assert (row.state, row.redirect_id) == ("open", None)


def test_the_least_missed_go_when_there_are_too_many(
    session: Session, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing_paths, "MOST_OPEN", 3)
    miss(session, "/often", at=clock(), hits=9)
    for path in ("/1", "/2", "/3", "/4"):
        miss(session, path, at=clock.pass_by(minutes=1))
    assert sorted(paths(session)) == ["/3", "/4", "/often"]


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/a/?utm_source=x", "/a"),
        ("/A#top", "/A"),
        ("/%D1%87%D0%B0%D1%81%D1%8B/", "/часы"),
        ("/a%20b", "/a%20b"),
        ("", "/"),
    ],
)
def test_paths_are_grouped_without_query_and_slash(path: str, group: str) -> None:
    assert grouped(path) == group


@pytest.mark.parametrize(
    "path",
    [
        "/wp-login.php", "/.env", "/.git/config", "/cgi-bin/x", "/a/b.php", "/x.ASP", "/x.jsp", "/phpMyAdmin/",
        "/xmlrpc", "/.well-known", "/" + "a" * 2_000,
    ],
)  # fmt: skip
def test_doors_that_are_tried_are_noise(path: str) -> None:
    assert is_noise(path)


@pytest.mark.parametrize("path", ["/", "/news/hours.html", "/php-developers", "/environment", "/.well-known/change"])
def test_what_people_ask_for_is_none(path: str) -> None:
    assert not is_noise(path, "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")


@pytest.mark.parametrize("agent", ["Googlebot/2.1", "YandexBot/3.0", "Baiduspider", "AhrefsBot/7", "some crawler"])
def test_robots_are_noise(agent: str) -> None:
    assert is_noise("/news", agent)


@pytest.mark.parametrize("agent", ["", "curl/8.5", "Mozilla/5.0 (Linux; Android 14; CUBOT X70) Mobile"])
def test_tools_and_telephones_are_none(agent: str) -> None:
    assert not is_noise("/news", agent)


@pytest.mark.parametrize(
    ("referrer", "kept"),
    [
        ("https://example.org/a?token=x#y", "https://example.org/a"),
        ("https://user:word@example.org/", "https://example.org/"),
        ("javascript:alert(1)", None),
        ("/local", None),
        ("https://[", None),
        ("https://example.org/\u202e", None),
        ("", None),
        (None, None),
    ],
)
def test_a_referrer_tells_nothing_of_the_visitor(referrer: str | None, kept: str | None) -> None:
    assert without_query(referrer) == kept


# --- finding ---


def test_the_most_missed_come_first(session: Session, clock: HeldClock) -> None:
    for path, hits in (("/a", 1), ("/b", 3), ("/c", 2)):
        miss(session, path, at=clock(), hits=hits)
    assert paths(session) == ["/b", "/c", "/a"]
    assert paths(session, sort=(("path", False),)) == ["/a", "/b", "/c"]
    assert paths(session, Condition("hits", "gte", ("2",))) == ["/b", "/c"]


def test_what_is_live_by_now_is_not_open(session: Session, olga: Colleague, clock: HeldClock) -> None:
    miss(session, "/hours", at=clock(), hits=5)
    miss(session, "/days", at=clock())
    a_live_news(session, by=olga.by(), slug="hours")
    assert paths(session) == ["/days"]


def test_a_page_of_what_leads_somewhere_by_now_is_passed_over(
    session: Session, olga: Colleague, clock: HeldClock
) -> None:
    for number in range(4):
        miss(session, f"/p{number}", at=clock(), hits=9 - number)
        if number < 3:
            a_live_news(session, by=olga.by(), slug=f"p{number}")
    assert paths(session, size=2) == ["/p3"]


def test_a_rule_made_by_other_means_closes_it(session: Session, olga: Colleague, clock: HeldClock) -> None:
    miss(session, "/a", at=clock())
    miss(session, "/b/c", at=clock())
    miss(session, "/d", at=clock(), locale="ru")
    first = redirect_rules.create(session, Rule("/a", "/x"), by=olga.by()).redirect
    redirect_rules.create(session, Rule("/b", "/x", prefix=True), by=olga.by())
    redirect_rules.create(session, Rule("/d", "/x", locale="en"), by=olga.by())
    session.expire_all()
    assert paths(session) == ["/d"]
    row = session.scalars(select(MissingPath).where(MissingPath.path == "/a")).one()
    assert (row.state, row.redirect_id) == ("redirected", first.id)


# --- what staff do ---


def test_one_call_turns_it_into_a_redirect(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    row = miss(session, "/old", at=clock())
    kept = missing_paths.redirect(session, row, Rule("ignored", entry.id), by=olga.by())
    assert what_is_at(session, "/old") == ("redirect", "/hours")
    assert (row.state, row.redirect_id) == ("redirected", kept.redirect.id)


def test_without_a_target_it_says_to_choose_a_guess(session: Session, olga: Colleague, clock: HeldClock) -> None:
    row = miss(session, "/old", at=clock())
    with pytest.raises(InvalidContent, match="guesses"):
        missing_paths.redirect(session, row, Rule("/old"), by=olga.by())


def test_it_may_be_said_to_be_gone(session: Session, olga: Colleague, clock: HeldClock) -> None:
    row = miss(session, "/old", at=clock())
    missing_paths.redirect(session, row, Rule("/old", None, 410, explanation="Over"), by=olga.by())
    assert what_is_at(session, "/old") == ("gone", "Over")


def test_a_second_redirect_is_refused(session: Session, olga: Colleague, clock: HeldClock) -> None:
    row = miss(session, "/old", at=clock())
    missing_paths.redirect(session, row, Rule("/old", "/x"), by=olga.by())
    with pytest.raises(RuleExists):
        missing_paths.redirect(session, row, Rule("/old", "/y"), by=olga.by())
    with pytest.raises(WrongState):
        missing_paths.mark(session, row, "open", by=olga.by())


def test_it_is_ignored_opened_again_and_removed(session: Session, olga: Colleague, clock: HeldClock) -> None:
    row = miss(session, "/old", at=clock())
    for state in ("ignored", "open", "open"):
        missing_paths.mark(session, row, state, by=olga.by())
        assert row.state == state
    missing_paths.remove(session, row, by=olga.by())
    with pytest.raises(NotFound):
        missing_paths.find(session, row.id)
    assert session.scalar(select(func.count()).select_from(MissingPath)) == 0


# --- guesses ---


def test_an_entry_with_the_slug_is_guessed(session: Session, olga: Colleague, clock: HeldClock) -> None:
    [company] = sections(session, "company", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=company, slug="office-hours", title="Hours")
    row = miss(session, "/press/office-hours.html", at=clock())
    assert guessed(session, row) == [
        Guess(entry.id, None, "Hours", "/company/office-hours", "similar slug", 1.0)
    ]  # fmt: skip


def test_a_misspelt_slug_is_guessed(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_live_news(session, by=olga.by(), slug="office-hours")
    a_live_news(session, by=olga.by(), slug="parking")
    row = miss(session, "/ofice-hour", at=clock())
    assert [(one.entry, one.reason) for one in guessed(session, row)] == [(entry.id, "similar slug")]


def test_words_in_cyrillic_are_guessed_by_their_slug(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_live_news(session, by=olga.by(), title="Часы работы")
    row = miss(session, "/часы-работы", at=clock())
    assert [one.entry for one in guessed(session, row)] == [entry.id]


def test_an_old_slug_is_guessed(session: Session, olga: Colleague, clock: HeldClock) -> None:
    one, _ = sections(session, "one", "two", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=one, slug="hours")
    move(session, entry, olga, slug="quite-another")
    row = miss(session, "/two/hours", at=clock())
    assert [(guess.entry, guess.reason, guess.path) for guess in guessed(session, row)] == [
        (entry.id, "old slug", "/one/quite-another")
    ]


def test_a_section_with_the_slug_is_guessed(session: Session, olga: Colleague, clock: HeldClock) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", parent=company, by=olga.by())
    row = miss(session, "/news", at=clock())
    assert [(one.section, one.path) for one in guessed(session, row)] == [(news, "/company/news")]


def test_the_search_is_asked_for_the_words(session: Session, olga: Colleague, clock: HeldClock) -> None:
    entry = a_live_news(session, by=olga.by(), slug="x")
    asked = []

    def search(words: str, locale: str | None) -> Sequence[tuple[str, float]]:
        asked.append((words, locale))
        return [(entry.id, 12.5), (NOBODY_ID, 3.0)]

    row = miss(session, "/press/office-hours_2019.html", at=clock(), locale="ru")
    found = missing_paths.guesses(session, row, search=search)
    assert [(one.entry, one.reason, one.score) for one in found] == [(entry.id, "search", 0.7)]
    assert asked == [("press office hours_2019 html", "ru")]


def test_there_are_five_guesses_at_most_the_best_first(session: Session, olga: Colleague, clock: HeldClock) -> None:
    for number in range(8):
        a_live_news(session, by=olga.by(), slug=f"office-hours-{number}")
    found = guessed(session, miss(session, "/x/office-hours-3", at=clock()))
    assert (len(found), found[0].path) == (5, "/office-hours-3")
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_drafts_are_no_guesses(session: Session, olga: Colleague, clock: HeldClock) -> None:
    draft = a_news(session, by=olga.by(), slug="office-hours")
    live = a_live_news(session, by=olga.by(), slug="parking", title="Public")
    saving.save(
        session, live, {"slug": "office-hour", "fields": {"title": "Secret"}}, expected=live.revision, by=olga.by()
    )
    found = missing_paths.guesses(
        session, miss(session, "/x/office-hours", at=clock()), search=lambda _words, _locale: [(draft.id, 1.0)]
    )
    assert [(one.title, one.path) for one in found if one.entry == draft.id] == []
    assert all("Secret" not in one.title and "office-hour" not in one.path for one in found)


@pytest.mark.parametrize("path", ["/", "/%FF", "/...", "/" + "a" * 1_900, "/%20", "/💥", "/" + "a/" * 900])
def test_nothing_can_be_guessed_of_some_paths(session: Session, clock: HeldClock, path: str) -> None:
    assert guessed(session, miss(session, path, at=clock())) == []
