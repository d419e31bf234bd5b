"""What another process publishes is seen with the next question: nothing is kept that the database does not confirm."""

from sqlalchemy.orm import Session

from cms import publishing, snapshots
from cms.database import Database, open_database
from tests.cast import Colleague, change
from tests.cms.banners_at_hand import a_live_banner, ids, placements


def seen(database: Database, olga: Colleague) -> list[str]:
    with database.reading() as session:
        return ids(session, olga)


def test_what_another_process_publishes_is_seen_at_once(database: Database, olga: Colleague) -> None:
    with database.writing() as session:
        placements(session, "top", by=olga.by())
        first = a_live_banner(session, by=olga.by(), placements=["top"]).id
    assert seen(database, olga) == [first]
    other = open_database(database.writer.url.render_as_string(hide_password=False))
    try:
        with other.writing() as session:
            second = a_live_banner(session, by=olga.by(), placements=["top"]).id
        assert seen(database, olga) == [first, second]
        with other.writing() as session:
            _move_away(session, first, olga)
        assert seen(database, olga) == [second]
        with other.writing() as session:
            publishing.unpublish(session, snapshots.find(session, second), by=olga.by())
        assert seen(database, olga) == []
    finally:
        other.close()


def _move_away(session: Session, banner: str, olga: Colleague) -> None:
    entry = snapshots.find(session, banner)
    change(session, entry, by=olga.by(), placements=[])
    publishing.publish(session, entry, by=olga.by())
