"""Sites with a bit of everything, for what takes a site whole."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from cms import files, founding, publishing, redirect_rules, saving, scheduling, trash
from cms.attribution import COMMAND_LINE, By
from cms.database import Database, open_database
from cms.files import Received
from cms.redirect_rules import Rule
from cms.redirects import NOT_FOUND
from cms.scheduling import Plan
from cms.tables.entries import Entry
from tests.cast import (
    PAVEL_ID,
    PRESS_ID,
    Colleague,
    HeldClock,
    a_live_news,
    a_news,
    an_entry,
    change,
    restructure,
    sections,
    words,
)
from tests.cms.vacancies import a_vacancy, put

PICTURE = hashlib.sha256(b"a picture").hexdigest()


@contextmanager
def fresh_site(template: Path, folder: Path) -> Iterator[Database]:
    """A site on SQLite that was just founded, by nobody of the cast, a month before."""
    database = open_database(f"sqlite:///{shutil.copy(template, folder / 'fresh.db')}")
    clock = HeldClock()
    clock.pass_by(days=-30)
    with database.writing() as session:
        founding.found(session, by=By(COMMAND_LINE, clock()))
    yield database
    database.close()


def a_whole_site(session: Session, olga: Colleague) -> None:
    """People, a type, sections, all kinds of entries in all states, moves, plans, the trash, a rule."""
    news, archive = sections(session, "news", "archive", by=olga.by())
    image = an_image(session, olga)
    put(session, by=olga.by())
    a_vacancy(session, by=olga.by(), live=True, salary=1200.5, level="middle", contact="hr@example.org")
    live = a_live_news(
        session, by=olga.by(on_behalf_of=PAVEL_ID, request=412, note="as asked"), title="Часы работы", slug="hours",
        section=news, body=words("Open *late*."), cover=image, byline=(PRESS_ID,), owner_id=PAVEL_ID,
    )  # fmt: skip
    olga.clock.pass_by(minutes=5)
    change(session, live, by=olga.by(), summary="A draft over what is live")
    moved = a_live_news(session, by=olga.by(), title="Moved", slug="moved", section=news)
    change(session, moved, by=olga.by(), body=words(f"[hours](entry:{live.id})"))
    _move(session, moved, archive, olga)
    an_entry(session, "article", by=olga.by(), title="A draft", slug="a-draft")
    an_entry(session, "news", by=olga.by(), title="Hours", slug="hours-en", locale="en", translation_of=live.id)
    planned = a_news(session, by=olga.by(), title="Planned", slug="planned")
    plan = Plan(olga.clock() + timedelta(days=2), None, "Europe/Moscow", NOT_FOUND, None)
    scheduling.schedule(session, planned, plan, expected=planned.revision, by=olga.by())
    thrown = a_news(session, by=olga.by(), title="Thrown away", slug="thrown")
    trash.trash(session, thrown, expected=thrown.revision, by=olga.by())
    taken_down = a_live_news(session, by=olga.by(), title="Taken down", slug="down")
    publishing.unpublish(session, taken_down, by=olga.by())
    redirect_rules.create(session, Rule("/old", live.id, 301, False, None, None), by=olga.by())
    restructure(session, {"op": "rename", "section": archive, "slug": "older"}, by=olga.by())


def _move(session: Session, entry: Entry, section: str, olga: Colleague) -> None:
    saving.save(session, entry, {"section": section}, expected=entry.revision, by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    session.flush()


def an_image(session: Session, olga: Colleague) -> str:
    """The id of a live picture."""
    received = Received(
        PICTURE, "image", "cat.png", "image/png", 9, 3, 2, fingerprint="0123456789abcdef", color="#aabbcc"
    )
    stored = files.keep(session, received, by=olga.by())
    made = files.make_entry(session, stored, title="A cat", locale="ru", by=olga.by(), alt="A cat")
    publishing.publish(session, made.entry, by=olga.by())
    session.flush()
    return made.entry.id
