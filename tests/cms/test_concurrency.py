"""Many hands at once: one wins, the others are told, and nothing is lost."""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import publishing, saving, snapshots
from cms.database import Database
from cms.errors import AddressTaken, Refusal, StaleRevision
from cms.tables.entries import Entry, Revision
from cms.tables.publications import Publication
from tests.cast import Colleague, a_news

HANDS = 20


def at_once(database: Database, work: Callable[[Session, int], Any]) -> list[Any]:
    """What each of twenty hands got: a value, or the refusal."""
    ready = threading.Barrier(HANDS)
    got: list[Any] = []

    def hand(number: int) -> None:
        ready.wait()
        try:
            with database.writing() as session:
                done = work(session, number)
        except Refusal as refusal:
            done = refusal
        got.append(done)

    hands = [threading.Thread(target=hand, args=(number,)) for number in range(HANDS)]
    for one in hands:
        one.start()
    for one in hands:
        one.join()
    return got


def a_committed_news(database: Database, olga: Colleague, **given: Any) -> str:
    with database.writing() as session:
        return a_news(session, by=olga.by(), **given).id


def test_of_twenty_that_patch_one_revision_one_wins(database: Database, olga: Colleague) -> None:
    entry_id = a_committed_news(database, olga)

    def patch(session: Session, number: int) -> int:
        entry = snapshots.find(session, entry_id)
        saving.save(session, entry, {"fields": {"title": f"Hand {number}"}}, expected=1, by=olga.by())
        return number

    got = at_once(database, patch)
    [winner] = [one for one in got if isinstance(one, int)]
    assert sum(isinstance(one, StaleRevision) and one.current == 2 for one in got) == HANDS - 1
    with database.reading() as session:
        assert snapshots.find(session, entry_id).title == f"Hand {winner}"


def test_of_twenty_that_patch_the_newest_each_makes_its_own(database: Database, olga: Colleague) -> None:
    entry_id = a_committed_news(database, olga)

    def patch(session: Session, number: int) -> int:
        entry = snapshots.find(session, entry_id)
        patch = {"fields": {"title": f"Hand {number}"}}
        return saving.save(session, entry, patch, expected=entry.revision, by=olga.by()).revision.number

    assert sorted(at_once(database, patch)) == list(range(2, HANDS + 2))
    with database.reading() as session:
        numbers = session.scalars(select(Revision.number).filter_by(entry_id=entry_id).order_by(Revision.number)).all()
    assert numbers == list(range(1, HANDS + 2))


def test_of_twenty_with_one_title_each_gets_its_own_address(database: Database, olga: Colleague) -> None:
    slugs = at_once(database, lambda session, _: a_news(session, by=olga.by(), title="Hours").slug)
    assert sorted(slugs) == sorted(["hours", *(f"hours-{number}" for number in range(2, HANDS + 1))])


def test_of_twenty_that_want_one_address_one_gets_it(database: Database, olga: Colleague) -> None:
    got = at_once(database, lambda session, _: a_news(session, by=olga.by(), slug="hours").slug)
    assert (got.count("hours"), sum(isinstance(one, AddressTaken) for one in got)) == (1, HANDS - 1)


def test_twenty_that_publish_one_entry_leave_one_publication(database: Database, olga: Colleague) -> None:
    entry_id = a_committed_news(database, olga)

    def publish(session: Session, _number: int) -> None:
        publishing.publish(session, session.get_one(Entry, entry_id), by=olga.by())

    assert at_once(database, publish) == [None] * HANDS
    with database.reading() as session:
        assert session.scalars(select(Publication.revision).filter_by(entry_id=entry_id)).all() == [1]
