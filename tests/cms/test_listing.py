"""One grammar for every list: an operator means the same on both databases, a page goes on where the last ended."""

import base64
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import finding, publishing, saving, scheduling, states, structure, trash
from cms.columns import FieldColumns
from cms.content_types import ContentType, Field
from cms.database import Database
from cms.delivery import publications
from cms.errors import BadQuery
from cms.listing import Asked, Condition, Page, page
from cms.redirects import NOT_FOUND
from cms.scheduling import Plan
from cms.snapshots import revision_of
from cms.tables.entries import Entry, Revision
from cms.tables.publications import Schedule
from tests.cast import MORNING, PAVEL_ID, Colleague, HeldClock, a_live_news, a_news, an_entry, change, sections

# --- what staff find ---


def titles(found: Page) -> list[str]:
    return [row[0].title for row in found.rows]


def ask(field: str, operator: str, *values: str, **given: Any) -> Asked:
    return Asked((Condition(field, operator, values),), **given)


def test_cyrillic_is_found_whatever_its_case(session: Session, olga: Colleague) -> None:
    a_news(session, by=olga.by(), title="ЧАСЫ Работы")
    assert titles(finding.entries(session, ask("title", "contains", "часы РАБ"))) == ["ЧАСЫ Работы"]


def test_a_percent_sign_is_a_percent_sign(session: Session, olga: Colleague) -> None:
    a_news(session, by=olga.by(), title="100% done")
    a_news(session, by=olga.by(), title="1000 done")
    assert titles(finding.entries(session, ask("title", "starts", "100%"))) == ["100% done"]


def test_every_state_can_be_asked_for_and_is_what_the_entry_says(session: Session, olga: Colleague) -> None:
    entries = {state: a_news(session, by=olga.by(), title=state) for state in states.STATES}
    for state in ("published", "changed", "unpublished"):
        publishing.publish(session, entries[state], by=olga.by())
    change(session, entries["changed"], by=olga.by(), summary="New")
    publishing.unpublish(session, entries["unpublished"], by=olga.by())
    plan = Plan(MORNING + timedelta(days=1), None, "UTC", NOT_FOUND)
    scheduling.schedule(session, entries["scheduled"], plan, expected=1, by=olga.by())
    trash.trash(session, entries["trashed"], expected=1, by=olga.by())
    session.flush()
    for state, entry in entries.items():
        assert states.state(entry, session.get(Schedule, entry.id)) == state
        asked = Asked((Condition("state", "eq", (state,)), Condition("type", "eq", ("news",))))
        assert titles(finding.entries(session, asked)) == [state]


def test_the_trash_is_left_out_unless_asked_for(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="Old")
    trash.trash(session, entry, expected=1, by=olga.by())
    assert "Old" not in titles(finding.entries(session, Asked()))
    assert titles(finding.entries(session, ask("id", "eq", entry.id))) == ["Old"]


def test_what_a_colleague_asked_for_is_found(session: Session, olga: Colleague) -> None:
    a_news(session, by=olga.by(on_behalf_of=PAVEL_ID, request=412), title="Asked")
    a_news(session, by=olga.by())
    for asked in (ask("on_behalf_of", "eq", PAVEL_ID), ask("request", "eq", "412"), ask("request", "gt", "411.5")):
        assert titles(finding.entries(session, asked)) == ["Asked"]


@pytest.mark.parametrize("number", ["3000000000", "1e18", "412.4", "-1"])
def test_a_number_that_fits_no_column_matches_nothing(session: Session, olga: Colleague, number: str) -> None:
    a_news(session, by=olga.by(request=412))
    assert titles(finding.entries(session, ask("request", "eq", number))) == []


def test_the_total_is_counted_on_demand(session: Session, olga: Colleague) -> None:
    for _ in range(3):
        a_news(session, by=olga.by())
    found = finding.entries(session, ask("type", "eq", "news", size=2, total=True))
    assert (len(found.rows), found.total) == (2, 3)
    assert finding.entries(session, ask("type", "eq", "news")).total is None


# --- pages ---


@pytest.mark.parametrize(
    "sort", [(), (("title", False),), (("title", True),), (("changed_at", False), ("title", True)), (("locale", True),)]
)
def test_pages_visit_each_row_once_while_others_are_added(
    session: Session, olga: Colleague, clock: HeldClock, sort: tuple[tuple[str, bool], ...]
) -> None:
    made = [_one_of_many(session, olga, clock, number).id for number in range(23)]
    visited: list[str] = []
    after: str | None = None
    while after is not None or not visited:
        found = finding.entries(session, ask("type", "eq", "news", sort=sort, size=4, after=after))
        visited += [row[0].id for row in found.rows]
        after = found.next
        if len(visited) < 100:
            _one_of_many(session, olga, clock, len(visited))
    assert len(visited) == len(set(visited))
    assert set(made) <= set(visited)


def _one_of_many(session: Session, olga: Colleague, clock: HeldClock, number: int) -> Entry:
    clock.pass_by(minutes=number % 3 == 0)
    return a_news(session, by=olga.by(), title=["Ёлка", "ёлка", "Apple", "apple"][number % 4])


@pytest.mark.parametrize("descending", [True, False])
def test_pages_come_in_the_order_asked_for(session: Session, olga: Colleague, descending: bool) -> None:
    wanted = sorted(["b", "B", "я", "Я", "ё", "a", "1", "🐘", "\uffff"], reverse=descending)
    for title in reversed(wanted):
        a_news(session, by=olga.by(), title=title)
    found: list[str] = []
    after: str | None = None
    while after is not None or not found:
        asked = ask("type", "eq", "news", sort=(("title", descending),), size=2, after=after)
        step = finding.entries(session, asked)
        found, after = found + titles(step), step.next
    assert found == wanted


def test_the_last_page_has_no_cursor(session: Session, olga: Colleague) -> None:
    for _ in range(2):
        a_news(session, by=olga.by())
    assert finding.entries(session, ask("type", "eq", "news", size=2)).next is None


def test_events_are_listed_the_newest_first_page_by_page(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    for number in range(4):
        change(session, entry, by=olga.by(), title=f"Title {number}")
    first = finding.events(session, ask("entry", "eq", entry.id, size=3))
    second = finding.events(session, ask("entry", "eq", entry.id, size=3, after=first.next))
    numbers = [row[0].number for row in (*first.rows, *second.rows)]
    assert (len(numbers), numbers) == (5, sorted(numbers, reverse=True))


# --- cursors from elsewhere ---


def cursor(session: Session, olga: Colleague) -> str:
    for _ in range(2):
        a_news(session, by=olga.by())
    following = finding.entries(session, ask("type", "eq", "news", size=1)).next
    assert following is not None
    return following


def refusal(session: Session, asked: Asked) -> BadQuery:
    with pytest.raises(BadQuery) as refused:
        finding.entries(session, asked)
    return refused.value


def test_a_cursor_of_another_query_is_refused(session: Session, olga: Colleague) -> None:
    foreign = cursor(session, olga)
    for asked in (
        ask("type", "eq", "article", after=foreign),
        ask("type", "ne", "news", after=foreign),
        ask("type", "eq", "news", after=foreign, sort=(("changed_at", False),)),
        Asked(after=foreign),
    ):
        assert refusal(session, asked).code == "foreign_cursor"


@pytest.mark.parametrize("after", ["", "x", "é", "....", "e30", "bnVsbA", "WzEsMl0", "a" * 5_000, "\0"])
def test_a_cursor_that_is_none_is_refused(session: Session, after: str) -> None:
    assert refusal(session, Asked(after=after)).parameter == "page[after]"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
HOSTILE = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "a\0b", 2**63, -(2**70), 2**31, True, 0.5, ""]


@pytest.fixture
def long_site(database: Database, olga: Colleague) -> Database:
    """A site whose every list has a second page."""
    with database.writing() as session:
        sections(session, "company", by=olga.by())
    return database


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(JSON | st.sampled_from(HOSTILE), min_size=1, max_size=3))
@example(values=[2**31, 2**31])
@example(values=[2**63, 2**63])
@example(values=["a\0b", "a\0b"])
@example(values=["0001-01-01T00:00:00+23:59", "x"])
def test_a_forged_cursor_is_refused_or_harmless(long_site: Database, values: list[Any]) -> None:
    with long_site.reading() as session:
        tree = structure.entry(session).id
        for search in (finding.entries, finding.events, finding.people, partial(finding.revisions, entry_id=tree)):
            _try_forged(session, search, values)


def _try_forged(session: Session, search: Callable[..., Page], values: list[Any]) -> None:
    fingerprint = orjson.loads(base64.urlsafe_b64decode(_next(search(session, asked=Asked(size=1)))))[0]
    try:
        forged = base64.urlsafe_b64encode(orjson.dumps([fingerprint, values])).rstrip(b"=").decode()
    except TypeError:  # an integer that no JSON writer takes
        return
    with suppress(BadQuery):
        search(session, asked=Asked(size=1, after=forged))


def _next(first: Page) -> str:
    assert first.next is not None
    return first.next + "=" * (-len(first.next) % 4)


# --- what cannot be asked ---


@pytest.mark.parametrize(
    ("field", "operator", "value", "code"),
    [
        ("nothing", "eq", "x", "unknown_field"),
        ("title; DROP TABLE entries", "eq", "x", "unknown_field"),
        ("body", "eq", "x", "unknown_operator"),
        ("state", "lt", "draft", "unknown_operator"),
        ("request", "eq", "many", "not_a_number"),
        ("request", "eq", "nan", "out_of_range"),
        ("request", "eq", "inf", "out_of_range"),
        ("request", "eq", "9" * 400, "out_of_range"),
        ("changed_at", "gt", "yesterday", "not_an_instant"),
        ("changed_at", "gt", "0001-01-01T00:00:00+23:59", "not_an_instant"),
        ("summary", "exists", "maybe", "not_a_boolean"),
        ("title", "eq", "x" * 1_001, "too_long"),
        ("title", "eq", "a\0b", "zero_byte"),
        ("topics", "contains", "a\0b", "zero_byte"),
        ("type", "eq", "nonsense", "unknown_type"),
    ],
)
def test_what_is_not_offered_is_refused(session: Session, field: str, operator: str, value: str, code: str) -> None:
    assert refusal(session, ask(field, operator, value)).code == code


def test_a_refused_operator_names_those_that_there_are(session: Session) -> None:
    assert refusal(session, ask("state", "lt", "draft")).message.startswith("'state' can be filtered by: eq, ")
    assert refusal(session, ask("body", "eq", "x")).message == "This field is not filtered by."


@pytest.mark.parametrize("name", ["nothing", "summary", "state", "body"])
def test_what_nothing_sorts_by_is_refused(session: Session, name: str) -> None:
    assert refusal(session, Asked(sort=((name, False),))).code == "unknown_sort"


def test_only_so_many_values_are_taken(session: Session) -> None:
    assert refusal(session, ask("title", "in", *("x" for _ in range(201)))).code == "too_long"


# --- what visitors may ask (rule 13) ---


@pytest.mark.parametrize("field", ["source_fields", "state", "owner", "saved_by", "request", "external_id", "nothing"])
@pytest.mark.parametrize("value", ["true", "false"])
def test_private_and_unknown_fields_are_refused_alike(
    session: Session, olga: Colleague, field: str, value: str
) -> None:
    a_live_news(session, by=olga.by(), source_fields={"a": 1})
    with pytest.raises(BadQuery) as refused:
        publications.listing(session, ask(field, "exists", value))
    assert refused.value.code == "unknown_field"
    assert refused.value.message == f"There is no field '{field}' to filter by."


MIXED = [
    ContentType("open", (Field("price", "number"), Field("kind", "text"))),
    ContentType("closed", (Field("price", "number", public=False), Field("kind", "number"))),
]


def test_a_field_that_one_type_keeps_private_is_no_field_of_it(session: Session, olga: Colleague) -> None:
    newest = revision_of(session, a_news(session, by=olga.by()))
    row = {column.key: getattr(newest, column.key) for column in Revision.__table__.c}
    for number, type_name in ((100, "open"), (101, "closed")):
        session.add(Revision(**{**row, "number": number, "locale": type_name, "fields": {"price": 7}}))
    session.flush()
    assert _numbers(session, "eq", "7") == [100]
    assert _numbers(session, "ne", "7") == _numbers(session, "ne", "8", but=100) == [101]
    assert _numbers(session, "exists", "false") == [101]


def _numbers(session: Session, operator: str, value: str, but: int = 0) -> list[int]:
    columns = FieldColumns(MIXED, fields=Revision.fields, type_column=Revision.__table__.c.locale, public=True)
    wanted = select(Revision.number).where(Revision.number >= 100, Revision.number != but)
    asked = ask("price", operator, value)
    return [row[0] for row in page(session, wanted, asked, columns=columns, id=Revision.__table__.c.number).rows]


def test_a_field_of_two_kinds_is_not_offered_for_both() -> None:
    columns = FieldColumns(MIXED, fields=Revision.fields, type_column=Revision.__table__.c.locale, public=True)
    assert columns.keys() == {"price"}


def test_a_list_of_the_public_finds_what_is_live_and_not_the_draft(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), title="Live", topics=["hr"])
    saving.save(session, entry, {"fields": {"title": "Draft", "topics": ["it"]}}, expected=1, by=olga.by())
    an_entry(session, "article", by=olga.by(), title="Draft", topics=["it"])
    assert publications.listing(session, ask("topics", "contains", "it")).publications == []
    found = publications.listing(session, ask("topics", "contains", "hr")).publications
    assert [one.title for one in found] == ["Live"]
