"""Redirects as CSV: what comes in by the thousand, what is refused with its line, and that it comes back the same."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from cms import events, publishing, redirect_files, redirect_rules, saving
from cms.errors import InvalidContent
from cms.redirect_files import MOST_ROWS, Outcome
from cms.redirect_rules import Rule
from cms.tables.missing import MissingPath
from cms.tables.publications import Redirect
from tests.cast import NOBODY_ID, Colleague, HeldClock, a_live_news, restructure, sections, what_is_at


def bring(session: Session, olga: Colleague, text: str, **how: bool) -> Outcome:
    return redirect_files.bring(session, text, by=olga.by(), **how)


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.made, outcome.changed, outcome.same, len(outcome.refused)


def refused(outcome: Outcome) -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in outcome.refused]


def exported(session: Session) -> str:
    rules = session.scalars(select(Redirect).order_by(Redirect.id)).all()
    return redirect_files.written((), header=True) + redirect_files.written(rules)


def rules(session: Session) -> dict[str, Rule]:
    return {one.path: redirect_rules.rule_of(one) for one in session.scalars(select(Redirect))}


def test_a_path_and_a_target_are_enough(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    outcome = bring(session, olga, f"path,to\n/a.html,{entry.id}\n/b.html,/contacts\n")
    assert (outcome.total, counts(outcome)) == (2, (2, 0, 0, 0))
    assert what_is_at(session, "/a.html") == ("redirect", "/hours")
    assert {one.source for one in session.scalars(select(Redirect))} == {"import"}


def test_every_column_is_read(session: Session, olga: Colleague) -> None:
    bring(session, olga, "to,path,prefix,status,explanation,locale\n/b,/a,TRUE,308,Moved,en\n,/c,,410,Over,\n")
    assert rules(session) == {
        "/a": Rule("/a", "/b", 308, prefix=True, locale="en", explanation="Moved"),
        "/c": Rule("/c", None, 410, explanation="Over"),
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_what_spreadsheets_write_is_read(session: Session, olga: Colleague, delimiter: str, encoding: str) -> None:
    lines = [["path", "to", "explanation"], ["/часы", "/hours", "Переехали"], [], ["/b", "/c", '"Ещё"']]
    content = "\r\n".join(delimiter.join(line) for line in lines).encode(encoding)
    assert counts(bring(session, olga, redirect_files.text_of(content))) == (2, 0, 0, 0)
    assert rules(session)["/часы"].explanation == "Переехали"
    assert what_is_at(session, "/%D1%87%D0%B0%D1%81%D1%8B") == ("redirect", "/hours")


def test_a_second_time_writes_nothing(session: Session, olga: Colleague, clock: HeldClock) -> None:
    text = "path,to,prefix\n/a,/b/,\n/%D1%87,/c,yes\n"
    bring(session, olga, text)
    before, number = clock(), events.newest(session)
    clock.pass_by(minutes=1)
    assert counts(bring(session, olga, text)) == (0, 0, 2, 0)
    assert set(session.scalars(select(Redirect.changed_at))) == {before}
    assert events.newest(session) == number


def test_what_has_no_column_stays_as_it_is(session: Session, olga: Colleague, clock: HeldClock) -> None:
    redirect_rules.create(session, Rule("/a", "/b", 302, explanation="Why"), by=olga.by())
    clock.pass_by(minutes=1)
    assert counts(bring(session, olga, "path,to\n/a,/c\n")) == (0, 1, 0, 0)
    assert rules(session)["/a"] == Rule("/a", "/c", 302, explanation="Why")
    assert session.scalars(select(Redirect)).one().changed_at == clock()


def test_refused_rows_are_told_with_their_lines_and_the_others_are_done(session: Session, olga: Colleague) -> None:
    rows = [
        "path,to,status,prefix,locale,explanation",
        "/good,/x,,,,",
        "bad,/x,,,,",
        '/two,/x,,,,"an explanation',
        'of two lines"',
        f"/nobody,{NOBODY_ID},,,,",
        "/none,,,,,",
        "/gone,/x,410,,,",
        "/status,/x,3O1,,,",
        "/status2,/x,303,,,",
        "/prefix,/x,,maybe,,",
        "/locale,/x,,,de,",
        "/evil,https://evil.example,,,,",
        "/good/,/y,,,,",
        "/many,/x,,,,,,",
        "/long,/x,,,," + "x" * 2_001,
        "/zero,/x,,,,a\0b",
    ]
    outcome = bring(session, olga, "\n".join(rows))
    assert (outcome.total, counts(outcome)) == (15, (2, 0, 0, 13))
    assert refused(outcome) == [
        (3, "malformed_path"),
        (6, "unknown_target"),
        (7, "missing"),
        (8, "needless_target"),
        (9, "unknown_status"),
        (10, "unknown_status"),
        (11, "not_a_boolean"),
        (12, "unknown_locale"),
        (13, "foreign_host"),
        (14, "given_twice"),
        (15, "malformed_row"),
        (16, "too_long"),
        (17, "zero_byte"),
    ]


def test_strictly_it_is_all_or_none(session: Session, olga: Colleague) -> None:
    assert counts(bring(session, olga, "path,to\n/a,/b\nbad,/b\n", strict=True)) == (0, 0, 0, 1)
    assert rules(session) == {}


def test_a_dry_run_tells_and_writes_nothing(session: Session, olga: Colleague) -> None:
    number = events.newest(session)
    assert counts(bring(session, olga, "path,to\n/a,/b\nbad,/b\n", dry_run=True)) == (1, 0, 0, 1)
    assert (rules(session), events.newest(session)) == ({}, number)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "path\n/a\n", "path,to,to\n", "path,to,colour\n", '"path,to\n', "/a,/b\n", "\0", "path to\n/a /b\n"],
)
def test_a_file_that_is_no_list_of_redirects_is_refused_whole(session: Session, olga: Colleague, text: str) -> None:
    with pytest.raises(InvalidContent) as refused:
        bring(session, olga, text)
    assert refused.value.faults[0].code == "malformed_header_line"


def test_a_file_has_so_many_rows_and_no_more(session: Session, olga: Colleague) -> None:
    with pytest.raises(InvalidContent) as refused:
        bring(session, olga, "path,to\n" + "x,y\n" * (MOST_ROWS + 1))
    assert refused.value.faults[0].code == "too_many"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidContent):
        redirect_files.text_of(b"\x98\xff\xfe")


# --- loops ---


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["/a,/a,"], 2),
        (["/a,/b,", "/b,/c,", "/c,/a,", "/d,/a,"], 4),
        (["/a,/b,true", "/b,/a,"], 3),
        (["/b/x,/a/x,", "/a,/b,true"], 3),
        (["/a,/a/b,true"], 2),
    ],
)
def test_a_loop_among_the_rows_is_refused(session: Session, olga: Colleague, rows: list[str], line: int) -> None:
    outcome = bring(session, olga, "\n".join(["path,to,prefix", *rows]))
    assert refused(outcome) == [(line, "loop")]
    assert outcome.made == len(rows) - 1


def test_a_loop_with_a_rule_that_was_there_is_refused(session: Session, olga: Colleague) -> None:
    redirect_rules.create(session, Rule("/b", "/a", locale="en"), by=olga.by())
    outcome = bring(session, olga, "path,to,locale\n/a,/b,ru\n/a,/b,\n")
    assert refused(outcome) == [(3, "loop")]
    assert "/a → /b → /a" in outcome.refused[0].message


def test_a_row_that_ends_a_loop_lets_the_next_close_it(session: Session, olga: Colleague) -> None:
    redirect_rules.create(session, Rule("/b", "/a"), by=olga.by())
    assert counts(bring(session, olga, "path,to\n/b,/c\n/a,/b\n")) == (1, 1, 0, 0)


STEPS = ("/a", "/b", "/a/b", "/b/a", "/a/b/c", "/")
ROWS = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from(STEPS), st.booleans(), st.sampled_from([None, "ru", "en"])),
    max_size=7,
    unique_by=lambda row: (row[0], row[3]),
)


@settings(suppress_health_check=list(HealthCheck), max_examples=60, deadline=None)
@given(rows=ROWS)
def test_a_file_is_refused_what_one_by_one_is_refused(
    session: Session, olga: Colleague, rows: list[tuple[str, str, bool, str | None]]
) -> None:
    refused_one_by_one = []
    for number, (path, to, prefix, locale) in enumerate(rows, start=2):
        try:
            with session.begin_nested():
                redirect_rules.create(session, Rule(path, to, prefix=prefix, locale=locale), by=olga.by())
        except InvalidContent:
            refused_one_by_one.append(number)
    session.execute(delete(Redirect))
    lines = [f"{path},{to},{str(prefix).lower()},{locale or ''}" for path, to, prefix, locale in rows]
    outcome = bring(session, olga, "\n".join(["path,to,prefix,locale", *lines]))
    session.execute(delete(Redirect))
    assert [line for line, _ in refused(outcome)] == refused_one_by_one


# --- and back ---


def test_what_is_written_comes_back_without_a_change(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    saving.save(session, entry, {"slug": "days"}, expected=1, by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    [company] = sections(session, "company", by=olga.by())
    for slug in ("firm", "enterprise"):
        restructure(session, {"op": "rename", "section": company, "slug": slug}, by=olga.by())
    for number, said in enumerate(["", "=1+1", "'=1", "'", "@x", 'a\n"b",;\t', "\t=x", " spaced ", "\u2028"]):
        redirect_rules.create(session, Rule(f"/{number}", company, explanation=said), by=olga.by())
    redirect_rules.create(session, Rule("/часы %20".replace(" ", ""), None, 410, locale="en"), by=olga.by())
    redirect_rules.create(session, Rule("/hours", "/x?y=1,2", prefix=True), by=olga.by())
    text = exported(session)
    before = rules(session)
    assert counts(bring(session, olga, text)) == (0, 0, len(text and list(session.scalars(select(Redirect.id)))), 0)
    assert rules(session) == before


def test_another_site_takes_in_what_the_first_kept_by_itself(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="days")
    assert counts(bring(session, olga, f"path,to,source\n/hours,{entry.id},automatic\n")) == (1, 0, 0, 0)


@pytest.mark.parametrize("said", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1"])
def test_spreadsheets_calculate_no_explanation(session: Session, olga: Colleague, said: str) -> None:
    redirect_rules.create(session, Rule("/a", "/b", explanation=said), by=olga.by())
    assert f"'{said}" in exported(session)
    bring(session, olga, exported(session))
    assert rules(session)["/a"].explanation == said


@settings(suppress_health_check=list(HealthCheck), max_examples=40, deadline=None)
@given(text=st.text(alphabet=st.one_of(st.sampled_from('path,to\n"/;\t'), st.characters(exclude_categories=["Cs"]))))
def test_whatever_is_in_a_file_is_done_or_refused(session: Session, olga: Colleague, text: str) -> None:
    for whole in (text, f"path,to\n{text}", f"path,to,explanation\n/x,/y,{text}\n"):
        try:
            outcome = bring(session, olga, whole)
        except InvalidContent:
            continue
        assert outcome.total == sum(counts(outcome))


# --- what visitors missed ---


def test_what_was_missed_and_is_answered_now_is_missed_no_more(session: Session, olga: Colleague) -> None:
    common: dict[str, Any] = {"hits": 1, "first_at": olga.clock(), "last_at": olga.clock(), "state": "open"}
    for number, path in enumerate(("/a", "/b/c/d", "/e")):
        session.add(MissingPath(id=str(number), path=path, **common))
    session.flush()
    bring(session, olga, "path,to,prefix\n/a,/x,\n/b,/y,true\n")
    open_paths = session.scalars(select(MissingPath.path).where(MissingPath.state == "open")).all()
    assert open_paths == ["/e"]
    assert session.scalar(select(func.count()).where(MissingPath.redirect_id.is_not(None))) == 2
