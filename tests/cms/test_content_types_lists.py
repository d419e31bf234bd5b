"""Lists by the fields of a type that staff made: the same order on both databases, page by page, along an index."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from cms import finding, listing, migrating
from cms.custom_types import making_types
from cms.custom_types.field_indexes import PREFIX
from cms.database import Database
from cms.delivery import publications
from cms.errors import BadQuery
from cms.listing import Asked, Condition
from cms.tables.entries import Entry
from cms.tables.publications import Publication
from tests.cast import Colleague, a_live_news
from tests.cms.vacancies import a_vacancy, put

OF_TYPE = (Condition("type", "eq", ("vacancy",)),)
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "salary": st.none()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, 0.5, 1, -1]),
    "city": st.none() | st.sampled_from(["", "a", "B", "ё", "Ё", "я", "\uffff", "🐘", "a b"]),
    "remote": st.none() | st.booleans(),
    "since": st.none() | st.dates().map(str),
    "level": st.none() | st.sampled_from(["junior", "middle"]),
}
ROWS = st.lists(st.fixed_dictionaries(dict(VALUES)), min_size=9, max_size=9)
SORTS = st.lists(
    st.tuples(st.sampled_from([*VALUES, "published_at"]), st.booleans()),
    min_size=1,
    max_size=2,
    unique_by=lambda one: one[0],
)


@pytest.fixture
def vacancies(database: Database, olga: Colleague) -> tuple[Database, list[str]]:
    """A site with nine live vacancies, all at one instant, and a piece of news."""
    with database.writing() as session:
        put(session, by=olga.by())
        a_live_news(session, by=olga.by())
        made = [a_vacancy(session, by=olga.by(), live=True).id for _ in range(9)]
    return database, sorted(made)


def _keep(session: Session, ids: list[str], rows: list[dict[str, Any]]) -> None:
    for id, row in zip(ids, rows, strict=True):
        compared = {name: value for name, value in row.items() if value is not None}
        session.execute(update(Publication).where(Publication.entry_id == id).values(compared=compared))
        session.execute(update(Entry).where(Entry.id == id).values(compared=compared))


def _public(session: Session, asked: Asked) -> tuple[list[str], str | None, int | None]:
    found = publications.listing(session, asked)
    return [one.entry_id for one in found.publications], found.next, found.total


def _staff(session: Session, asked: Asked) -> tuple[list[str], str | None, int | None]:
    found = finding.entries(session, asked)
    return [row[0].id for row in found.rows], found.next, found.total


Look = Callable[[Session, Asked], tuple[list[str], str | None, int | None]]


def _all_pages(session: Session, look: Look, asked: Callable[..., Asked]) -> Iterator[str]:
    after: str | None = None
    for _ in range(20):
        ids, after, _ = look(session, asked(after=after))
        yield from ids
        if after is None:
            return
    raise AssertionError("the list does not end")


def _sorted(rows: Mapping[str, dict[str, Any]], sort: list[tuple[str, bool]]) -> list[str]:
    """Null first when ascending; the ids follow the direction of the last field."""
    by_field = [(name, descending) for name, descending in sort if name != "published_at"]
    backwards = bool(by_field) and sort[-1][0] != "published_at" and sort[-1][1]
    ids = sorted(rows, reverse=backwards)
    for name, descending in reversed(by_field):
        ids.sort(key=lambda one: _null_first(rows[one][name]), reverse=descending)
    return ids


def _null_first(value: Any) -> tuple[bool, Any]:
    return value is not None, 0 if value is None else value


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, sort=SORTS, size=st.integers(1, 5), few=st.sampled_from([0, 3, 2_000]), half=st.booleans())
def test_pages_come_in_one_order_whatever_the_values(
    vacancies: tuple[Database, list[str]],
    rows: list[dict[str, Any]],
    sort: list[tuple[str, bool]],
    size: int,
    few: int,
    half: bool,
) -> None:
    database, ids = vacancies
    conditions = (*OF_TYPE, Condition("remote", "eq", ("true",))) if half else OF_TYPE
    kept = {id: row for id, row in zip(ids, rows, strict=True) if not half or row["remote"] is True}
    with database.writing() as session, pytest.MonkeyPatch.context() as patched:
        patched.setattr(listing, "_FEW", few)
        _keep(session, ids, rows)
        wanted = _sorted(kept, sort)
        asked = partial(Asked, conditions, tuple(sort), size)
        assert list(_all_pages(session, _public, asked)) == wanted
        staff = [(name if name != "published_at" else "changed_at", down) for name, down in sort]
        assert list(_all_pages(session, _staff, partial(Asked, conditions, tuple(staff), size))) == wanted


def test_a_total_counts_what_an_index_finds(vacancies: tuple[Database, list[str]]) -> None:
    database, ids = vacancies
    with database.writing() as session:
        _keep(session, ids, [{"salary": number} for number in range(9)])
        asked = Asked((*OF_TYPE, Condition("salary", "gte", ("3",))), (("salary", True),), 2, total=True)
        for look in (_public, _staff):
            found, _, total = look(session, asked)
            assert (found, total) == (ids[:-3:-1], 6)


@pytest.mark.parametrize("operator", ["exists", "ne"])
def test_null_is_found_along_an_index_too(vacancies: tuple[Database, list[str]], operator: str) -> None:
    database, ids = vacancies
    with database.writing() as session:
        _keep(session, ids, [{"city": "a"} if number % 3 else {} for number in range(9)])
        condition = Condition("city", operator, ("false",) if operator == "exists" else ("a",))
        for sort in (("salary", False), ("city", True), ("published_at", True)):
            asked = Asked((*OF_TYPE, condition), (sort,))
            assert sorted(_public(session, asked)[0]) == ids[::3]


# --- indexes ---

_NAMES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix_compared_%'",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix_compared_%'",
}


def _indexes(session: Session) -> dict[str, str]:
    rows = session.execute(text(_NAMES[session.get_bind().dialect.name])).all()
    assert all(name.startswith(PREFIX) and len(name) <= 63 for name, _ in rows)
    return {name: str(made) for name, made in rows}


def _indexed(session: Session) -> set[tuple[str, str]]:
    """Pairs of table and field, of type `vacancy`."""
    letters = {"p": "publications", "e": "entries"}
    names = (name.removeprefix(PREFIX) for name in _indexes(session))
    return {(letters[one[0]], one[2:].removeprefix("vacancy_").rpartition("_")[0]) for one in names}


def test_indexes_come_and_go_with_their_fields(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    fields_of_both = {"salary", "level", "city", "remote", "since"}
    both = {(table, name) for table in ("publications", "entries") for name in fields_of_both}
    # Nobody but staff sees it; a document cannot be compared.
    assert _indexed(session) == both | {("entries", "contact")}
    put(session, by=olga.by(), city={"filterable": "nobody", "sortable": "nobody"}, level={"public": False}, since=None)
    assert _indexed(session) == both - {
        *(("publications", "city"), ("entries", "city"), ("publications", "level")),
        *(("publications", "since"), ("entries", "since")),
    } | {("entries", "contact")}
    making_types.remove(session, "vacancy", by=olga.by())
    assert _indexed(session) == set()


def test_a_changed_kind_is_another_index(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), live=True, city="Kazan")
    before = _indexes(session)
    put(session, by=olga.by(), confirm=1, city={"kind": "number"})
    assert len(_indexes(session).keys() - before.keys()) == 2
    a_vacancy(session, by=olga.by(), live=True, city=12)
    asked = Asked((*OF_TYPE, Condition("city", "exists", ("false",))), (("city", False),))
    assert _public(session, asked)[0] == [entry.id]


def test_names_that_would_be_too_long_or_alike_are_told_apart(session: Session, olga: Colleague) -> None:
    number: Any = {"kind": "number"}
    for name, field in (("t" * 63, "f" * 63), ("a_b", "c"), ("a", "b_c")):
        put(session, name, by=olga.by(), **{field: number})
    assert len(_indexes(session)) == 3 * 13


def test_indexes_of_staff_s_types_are_no_drift(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        put(session, by=olga.by())
    try:
        assert migrating.drift(database) == []
    finally:
        with database.writing() as session:
            making_types.remove(session, "vacancy", by=olga.by())


# --- who may ask ---


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"filterable": "nobody"}, "unknown_operator"),
        ({"filterable": "staff"}, "unknown_operator"),
        ({"public": False}, "unknown_field"),
    ],
)
def test_a_field_is_filtered_by_those_who_may(
    session: Session, olga: Colleague, said: dict[str, Any], code: str
) -> None:
    put(session, by=olga.by(), city=said)
    asked = Asked((*OF_TYPE, Condition("city", "eq", ("x",))))
    with pytest.raises(BadQuery) as refusal:
        publications.listing(session, asked)
    assert refusal.value.code == code
    if said != {"filterable": "nobody"}:
        assert finding.entries(session, asked).rows == []


@pytest.mark.parametrize("said", [{"sortable": "nobody"}, {"sortable": "staff"}, {"public": False}])
def test_a_list_is_sorted_by_those_who_may(session: Session, olga: Colleague, said: dict[str, Any]) -> None:
    put(session, by=olga.by(), city=said)
    asked = Asked(OF_TYPE, (("city", False),))
    with pytest.raises(BadQuery) as refusal:
        publications.listing(session, asked)
    assert refusal.value.code == "unknown_sort"
    if said != {"sortable": "nobody"}:
        assert finding.entries(session, asked).rows == []


def test_a_type_s_private_field_is_no_field_of_other_types(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    put(session, "office", by=olga.by(), city={"public": False})
    a_vacancy(session, by=olga.by(), live=True, city="Kazan")
    every = Asked((Condition("city", "eq", ("Kazan",)),))
    assert len(publications.listing(session, every).publications) == 1
