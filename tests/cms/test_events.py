"""The log: one row for each change, visible in the order of its numbers (rule 8)."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import events, publishing, trash
from cms.database import Database, open_database
from cms.tables.events import Event
from tests.cast import Colleague, a_live_news, a_news, change

WRITERS, WRITES = 5, 12


def test_each_change_is_one_event_in_order(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    publishing.publish(session, entry, by=olga.by())
    publishing.unpublish(session, entry, by=olga.by())
    trash.trash(session, entry, expected=2, by=olga.by())
    trash.restore(session, entry, expected=2, by=olga.by())
    session.flush()
    rows = session.execute(select(Event.kind, Event.revision).filter_by(entry_id=entry.id).order_by(Event.number))
    assert [tuple(row) for row in rows] == [
        ("entry.created", 1), ("entry.saved", 2), ("entry.published", 2), ("entry.unpublished", 2),
        ("entry.trashed", 2), ("entry.restored", 2),
    ]  # fmt: skip


def test_an_event_names_type_locale_and_attribution(session: Session, olga: Colleague, pavel: str) -> None:
    entry = a_news(session, by=olga.by(on_behalf_of=pavel, request=412, note="x"), locale="en")
    event = session.scalars(select(Event).filter_by(entry_id=entry.id)).one()
    assert (event.type, event.locale, event.actor_name, event.on_behalf_of, event.request, event.note) == (
        "news", "en", "Olga", pavel, 412, "x"
    )  # fmt: skip


def test_a_follower_is_told_each_entry_once_and_how_far_it_came(session: Session, olga: Colleague) -> None:
    start = events.newest(session)
    one, two = a_live_news(session, by=olga.by()), a_live_news(session, by=olga.by())
    assert events.changed_entries(session, after=start, limit=100) == ([one.id, two.id], events.newest(session))


def test_a_follower_goes_on_where_it_stopped(session: Session, olga: Colleague) -> None:
    position = events.newest(session)
    made = [a_news(session, by=olga.by()).id for _ in range(5)]
    told: list[str] = []
    while True:
        ids, following = events.changed_entries(session, after=position, limit=2)
        if following == position:
            break
        told, position = told + list(ids), following
    assert told == made


def test_a_follower_that_is_up_to_date_stays_where_it_is(session: Session) -> None:
    newest = events.newest(session)
    assert events.changed_entries(session, after=newest, limit=10) == ([], newest)


# --- several writers at once ---


@pytest.fixture
def processes(database: Database) -> Iterator[list[Database]]:
    """The same database as several processes have it; SQLite has one that writes."""
    if database.writer.dialect.name == "sqlite":
        yield [database] * WRITERS
        return
    url = database.writer.url.render_as_string(hide_password=False)
    opened = [open_database(url) for _ in range(WRITERS)]
    yield opened
    for one in opened:
        one.close()


def test_a_reader_that_polls_by_number_misses_nothing(
    database: Database, processes: list[Database], olga: Colleague
) -> None:
    writers = [threading.Thread(target=write, args=(process, olga)) for process in processes]
    with database.reading() as session:
        start = events.newest(session)
    for writer in writers:
        writer.start()
    seen: list[int] = []
    while any(writer.is_alive() for writer in writers):
        time.sleep(0.001)  # a reader that never rests keeps the interpreter's lock from the writers
        seen += numbers_after(database, seen[-1] if seen else start)
    seen += numbers_after(database, seen[-1] if seen else start)
    assert seen == numbers_after(database, start)
    assert len(seen) == WRITERS * WRITES * 2


def write(database: Database, olga: Colleague) -> None:
    for _ in range(WRITES):
        with database.writing() as session:
            change(session, a_news(session, by=olga.by()), by=olga.by(), title="Second")


def numbers_after(database: Database, after: int) -> list[int]:
    with database.reading() as session:
        return list(session.scalars(select(Event.number).where(Event.number > after).order_by(Event.number)))
