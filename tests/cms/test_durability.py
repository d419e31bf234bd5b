"""What was acknowledged is on the disk; what was not leaves nothing behind (rules 3, 6 and 7)."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from cms import publishing, saving
from cms.database import Database, open_database
from cms.errors import AddressTaken
from cms.tables.entries import Entry, Usage
from cms.tables.events import Event
from cms.tables.publications import Publication, Redirect
from tests.cast import Colleague, a_live_news, a_news, change


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar()


@pytest.mark.parametrize(
    ("name", "value"), [("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 30_000)]
)
def test_sqlite_writes_through_to_the_disk(sqlite: Database, name: str, value: object) -> None:
    assert pragma(sqlite.writer, name) == value


def test_sqlite_maps_no_memory(sqlite: Database) -> None:
    assert pragma(sqlite.writer, "mmap_size") in (0, None)


def test_a_reader_cannot_write(database: Database) -> None:
    with database.reading() as session, pytest.raises(DBAPIError):
        session.execute(text("DELETE FROM usages"))


def test_what_was_committed_is_seen_by_others_at_once(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        entry = a_news(session, by=olga.by())
    with database.reading() as session:
        assert session.get(Entry, entry.id) is not None


def test_what_failed_left_nothing(database: Database, olga: Colleague) -> None:
    before = everything(database)
    with suppress(ZeroDivisionError), database.writing() as session:
        other = a_news(session, by=olga.by())
        entry = a_live_news(session, by=olga.by(), related=[other.id])
        change(session, entry, by=olga.by(), title="Second")
        publishing.unpublish(session, entry, by=olga.by())
        raise ZeroDivisionError
    assert everything(database) == before


def test_a_refused_publication_changes_nothing_at_all(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        live = a_live_news(session, by=olga.by(), slug="hours")
        saving.save(session, live, {"slug": "days"}, expected=1, by=olga.by())
        entry = a_news(session, by=olga.by(), slug="hours")
    before = everything(database)
    with suppress(AddressTaken), database.writing() as session:
        publishing.publish(session, session.get_one(Entry, entry.id), by=olga.by())
    assert everything(database) == before


def everything(database: Database) -> list[list[tuple[object, ...]]]:
    with database.reading() as session:
        return [
            [tuple(row) for row in session.execute(select(table.__table__).order_by(*table.__table__.primary_key))]
            for table in (Entry, Publication, Redirect, Usage, Event)
        ]


def test_effects_follow_the_commit_and_see_what_it_made(database: Database, olga: Colleague) -> None:
    seen: list[int] = []
    database.committed.append(lambda: seen.append(len(everything(database)[0])))
    before = len(everything(database)[0])
    with database.writing() as session:
        a_news(session, by=olga.by())
        assert seen == []
    assert seen == [before + 1]


def test_no_effect_follows_what_failed(database: Database, olga: Colleague) -> None:
    seen: list[str] = []
    database.committed.append(lambda: seen.append("told"))
    with suppress(ZeroDivisionError), database.writing() as session:
        a_news(session, by=olga.by())
        raise ZeroDivisionError
    assert seen == []


def test_a_reader_sees_one_moment(database: Database, olga: Colleague) -> None:
    with database.reading() as reader:
        before = reader.scalars(select(Entry.id)).all()
        with database.writing() as writer:
            a_news(writer, by=olga.by())
        assert reader.scalars(select(Entry.id)).all() == before


KILLED = """
import os, sys
from datetime import UTC, datetime
from cms import saving
from cms.attribution import COMMAND_LINE, By
from cms.database import open_database
database = open_database(sys.argv[1])
by = By(COMMAND_LINE, datetime.now(UTC))
with database.writing() as session:
    saving.create(session, "news", saving.Draft("ru", {"title": "Acknowledged"}), by=by)
with database.writing() as session:
    saving.create(session, "news", saving.Draft("ru", {"title": "Under way"}), by=by)
    session.flush()
    os._exit(9)
"""


@pytest.fixture
def killed(sqlite: Database) -> Iterator[Database]:
    """A site whose server was killed after one commit, in the middle of the next."""
    url = sqlite.writer.url.render_as_string()
    done = subprocess.run([sys.executable, "-c", KILLED, url], cwd=Path.cwd(), check=False)  # noqa: S603
    assert done.returncode == 9
    reopened = open_database(url)
    yield reopened
    reopened.close()


def test_a_server_that_is_killed_keeps_what_it_acknowledged_and_nothing_else(killed: Database) -> None:
    with killed.reading() as session:
        assert session.scalars(select(Entry.title).filter_by(type="news")).all() == ["Acknowledged"]
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
