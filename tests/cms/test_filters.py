"""Every operator on every kind of field finds the same rows on both databases: those that it says."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import content
from cms.columns import FieldColumns
from cms.content_types import ContentType, Field
from cms.field_kinds import KINDS
from cms.listing import Asked, Condition, page
from cms.snapshots import revision_of
from cms.tables.entries import Revision
from tests.cast import MORNING, Colleague, a_news

A, B, C = (f"01900000-0000-7000-8000-00000000000{letter}" for letter in "abc")

# For each kind of field: what is stored, what is asked for, and how both are read for comparing.
STORED: Mapping[str, list[Any]] = {
    "text": ["Январь", "январь", "Январские часы", "Zebra", "apple", "ёлка", "Ёж", "100%_a", "100x_a", "", "İz", None],
    "long_text": ["Первая\nвторая СТРОКА", "a_b", "a%b", "", None],
    "number": [-5, 0, 3, 3.5, 2**53, 1e300, None],
    "boolean": [True, False, None],
    "date": ["2026-01-31", "2026-11-30", "1999-12-31", None],
    "instant": ["2026-11-30T10:00:00Z", "2026-11-30T10:00:00.5Z", "2026-11-30T12:00:00+03:00", None],
    "choice": ["red", "green", None],
    "topics": [["hr", "Отпуск"], ["отпуск"], ["hr%"], [], None],
    "url": ["https://example.org/a", "https://example.org/A", "http://other.example/", None],
    "email": ["a@example.org", "b@example.org", None],
    "reference": [A, B, None],
    "references": [[A, B], [C], [], None],
    "folder": ["press", "press/2026", "press 2", "Пресса/Зима", None],
}
ASKED: Mapping[str, list[str]] = {
    "text": ["Январь", "ЯНВАР", "apple", "Zebra", "ё", "100%", "_", "", "z", "i"],
    "long_text": ["строка", "A_B", "%", "\n", "/"],
    "number": ["3", "3.0", "-5", "3.4", "9007199254740992", "1e18", "0.0"],
    "boolean": ["true", "false"],
    "date": ["2026-11-30", "2000-01-01"],
    "instant": ["2026-11-30T10:00:00Z", "2026-11-30T09:00:00Z", "2026-11-30T13:00:00+03:00", "2026-11-30"],
    "choice": ["red", "blue"],
    "topics": ["hr", "отпуск", "h", "%", '["hr"]', ""],
    "url": ["https://example.org/a", "HTTPS://EXAMPLE", "http"],
    "email": ["a@example.org", "EXAMPLE"],
    "reference": [A, C],
    "references": [A, C, ""],
    "folder": ["press", "press/", "ПРЕССА", ""],
}
READ: Mapping[str, Callable[[str], Any]] = {
    "number": float,
    "boolean": lambda value: value == "true",
    "date": date.fromisoformat,
    "instant": lambda value: _aware(datetime.fromisoformat(value)),
}
EVERY_KIND = ContentType(
    "every", tuple(Field(f"a_{kind}", kind, choices=("red", "green")) for kind in STORED), routable=False
)
MEANING: Mapping[str, Callable[[Any, list[Any]], bool]] = {
    "eq": lambda stored, asked: stored is not None and stored == asked[0],
    "ne": lambda stored, asked: stored is None or stored != asked[0],
    "in": lambda stored, asked: stored is not None and stored in asked,
    "nin": lambda stored, asked: stored is None or stored not in asked,
    "lt": lambda stored, asked: stored is not None and stored < asked[0],
    "lte": lambda stored, asked: stored is not None and stored <= asked[0],
    "gt": lambda stored, asked: stored is not None and stored > asked[0],
    "gte": lambda stored, asked: stored is not None and stored >= asked[0],
    "contains": lambda stored, asked: stored is not None and asked[0].lower() in stored.lower(),
    "starts": lambda stored, asked: stored is not None and stored.lower().startswith(asked[0].lower()),
}
MEANING_OF_LISTS: Mapping[str, Callable[[Any, list[Any]], bool]] = {
    "eq": lambda stored, asked: stored is not None and asked[0] in stored,
    "contains": lambda stored, asked: stored is not None and asked[0] in stored,
    "in": lambda stored, asked: stored is not None and any(one in stored for one in asked),
}


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=MORNING.tzinfo)


def _meaning(kind: str, operator: str, stored: Any, asked: list[str]) -> bool:
    if operator == "exists":
        return (stored is not None) == (asked[0] == "true")
    if KINDS[kind].compares_as == "list":
        return MEANING_OF_LISTS[operator](stored, asked)
    read = READ.get(kind, str)
    if isinstance(stored, str):
        stored = read(stored)
    return MEANING[operator](stored, [read(one) for one in asked])


def _rows_of_every_kind(session: Session, kind: str, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    newest = revision_of(session, entry)
    for number, value in enumerate(STORED[kind]):
        fields = content.read(EVERY_KIND, {f"a_{kind}": value}).fields
        row = {column.key: getattr(newest, column.key) for column in Revision.__table__.c}
        session.add(Revision(**{**row, "number": 100 + number, "fields": fields}))
    session.flush()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].operators])
def test_every_operator_of_a_kind_means_what_it_says(session: Session, olga: Colleague, kind: str) -> None:
    _rows_of_every_kind(session, kind, olga)
    columns = FieldColumns([EVERY_KIND], fields=Revision.fields, type_column=Revision.__table__.c.locale, public=True)
    for operator in sorted(KINDS[kind].operators):
        for values in _asked(kind, operator):
            asked = Asked((Condition(f"a_{kind}", operator, values),), size=100)
            wanted = select(Revision.number).where(Revision.number >= 100)
            found = page(session, wanted, asked, columns=columns, id=Revision.__table__.c.number)
            meant = [value for value in STORED[kind] if _meaning(kind, operator, value, list(values))]
            assert [STORED[kind][row[0] - 100] for row in found.rows] == meant, (operator, values)


def _asked(kind: str, operator: str) -> list[tuple[str, ...]]:
    if operator == "exists":
        return [("true",), ("false",)]
    single: list[tuple[str, ...]] = [(value,) for value in ASKED[kind]]
    return [*single, tuple(ASKED[kind][:2])] if operator in ("in", "nin") else single


def test_every_kind_that_can_be_filtered_is_tried() -> None:
    assert STORED.keys() == ASKED.keys() == {kind for kind in KINDS if KINDS[kind].operators}
