"""The same steps give the same answers on SQLite and PostgreSQL (rule 15)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy.orm import Session

from cms import finding, history, publishing, redirects, saving, scheduling, showing, structure, trash, usages
from cms.attribution import Actor
from cms.database import Database
from cms.delivery import presenting, publications
from cms.delivery.live_structure import live_tree
from cms.delivery.presenting import Shape
from cms.listing import Asked, Condition
from cms.scheduling import Plan
from cms.tables.entries import Entry
from tests.cast import (
    MORNING,
    OLGA_ID,
    PAVEL_ID,
    PRESS_ID,
    Colleague,
    HeldClock,
    a_news,
    an_entry,
    change,
    restructure,
    sections,
    what_is_at,
    words,
)

LISTS = [
    Asked(total=True, size=100),
    Asked(sort=(("title", False),), size=100),
    Asked(sort=(("title", True), ("created_at", False)), size=100),
    Asked((Condition("title", "contains", ("ЧАСЫ",)),)),
    Asked((Condition("title", "starts", ("ё",)),)),
    Asked((Condition("title", "gte", ("b",)),), sort=(("title", False),)),
    Asked((Condition("topics", "in", ("hr", "Отпуск")),)),
    Asked((Condition("summary", "exists", ("false",)),), sort=(("title", False),)),
    Asked((Condition("state", "in", ("trashed", "scheduled", "changed")),)),
    Asked((Condition("changed_at", "gt", ("2026-11-30T10:30:00Z",)),), sort=(("changed_at", False),)),
    Asked((Condition("request", "ne", ("412",)), Condition("type", "eq", ("news",))), sort=(("title", False),)),
]


def live_through_a_day(session: Session, olga: Colleague, clock: HeldClock) -> list[Entry]:
    company, help_ = sections(session, "company", "help", by=olga.by())
    image = an_entry(session, "image", by=olga.by(), title="Ёлка", alt="Зелёная")
    titles = ["Часы работы", "часы в январе", "Ёж", "zebra", "Apple", "apple", "100%", "a_b", "🐘"]
    made: list[Entry] = []
    for number, title in enumerate(titles):
        clock.pass_by(minutes=7)
        made.append(
            a_news(
                session, by=olga.by(request=410 + number, on_behalf_of=PAVEL_ID), title=title, section=company,
                topics=["hr", "Отпуск"][: number % 3], summary=None if number % 2 else "Коротко", cover=image.id,
                related=[one.id for one in made[:2]], body=words(f"*{title}* ![x](entry:{image.id})"),
                byline=(PRESS_ID,) * (number % 2), locale=["ru", "en"][number == 4],
            )
        )  # fmt: skip
    _work_on(session, made, image, olga, clock, help_)
    restructure(session, {"op": "rename", "section": company, "slug": {"ru": "o-nas", "en": "about"}}, by=olga.by())
    return [*made, image]


def _work_on(session: Session, made: list[Entry], image: Entry, olga: Colleague, clock: HeldClock, help_: str) -> None:
    for one in made[:6]:
        publishing.publish(session, one, by=olga.by())
    publishing.publish(session, image, by=olga.by())
    saving.save(session, made[0], {"slug": "hours", "section": help_}, expected=1, by=olga.by(), autosave=True)
    publishing.publish(session, made[0], by=olga.by())
    change(session, made[1], by=olga.by(note="Ещё раз"), title="Часы в феврале", body=words("Иначе"))
    history.restore(session, made[1], 1, expected=2, by=olga.by())
    publishing.unpublish(session, made[2], by=olga.by(), answer=redirects.Answer("gone", explanation="Нет"))
    publishing.unpublish(session, made[3], by=olga.by(), answer=redirects.Answer("redirect", to=made[0].id))
    plan = Plan(MORNING + timedelta(days=1), None, "Europe/Moscow", redirects.NOT_FOUND)
    scheduling.schedule(session, made[6], plan, expected=1, by=olga.by())
    trash.trash(session, made[7], expected=1, by=olga.by())
    clock.pass_by(days=2)
    scheduling.carry_out(session, made[6].id, now=clock())


def everything(session: Session, entries: list[Entry]) -> Iterator[Any]:
    session.flush()
    session.expire_all()
    for asked in LISTS:
        found = finding.entries(session, asked)
        yield found.total, showing.entries(session, [(row[0], row[1], row[2]) for row in found.rows])
    for row in finding.events(session, Asked(size=100)).rows:
        yield showing.event(row[0], {})
    for one in entries:
        yield from _of_one(session, one)
    for form in ("html", "doc", "markdown", "text"):
        yield _public(session, Asked(size=100, sort=publications.NEWEST_FIRST), form)
    yield _public(session, Asked((Condition("topics", "contains", ("hr",)),), sort=(("title", False),)), "html")
    yield [vars(section) for section in structure.newest_tree(session)]
    for path in ("/", "/company", "/company/chasy-raboty", "/help/hours", "/o-nas/ezh", "/company/zebra", "/about"):
        yield path, what_is_at(session, path, locale=None), what_is_at(session, path, locale="en")


def _of_one(session: Session, one: Entry) -> Iterator[Any]:
    yield [(use.source_id, use.pointer, use.live) for use in usages.of(session, one.id)]
    yield [(use.target_id, use.pointer, use.live) for use in usages.by(session, one.id)]
    yield {number: at.isoformat() for number, at in history.published(session, one).items()}
    if one.revision > 1:
        yield history.diff(session, one, from_=1, to=2)


def _public(session: Session, asked: Asked, form: str) -> Any:
    shape = Shape(form, include=(("cover",), ("related", "cover"), ("byline",)))
    found = publications.listing(session, asked, documents=shape.documents).publications
    return presenting.present(session, found, tree=live_tree(session), shape=shape)


def told(database: Database) -> list[str]:
    """All answers as text, with ids named in the order in which they come."""
    clock = HeldClock()
    olga = Colleague(Actor("person", OLGA_ID, "Olga", "publisher"), clock)
    with database.writing() as session:
        answers = [*everything(session, live_through_a_day(session, olga, clock))]
    names: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        return names.setdefault(match[0], f"id-{len(names)}")

    return [_ID.sub(name, orjson.dumps(one, option=orjson.OPT_NON_STR_KEYS).decode()) for one in answers]


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def test_a_day_at_the_desk_is_told_the_same_by_both(sqlite: Database, postgresql: Database) -> None:
    one, other = told(sqlite), told(postgresql)
    assert len(one) > 60
    assert one == other
