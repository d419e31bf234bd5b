"""Four eyes: what runs on every page is made live by another person than those who wrote it.

A key counts as the person who made it, so that nobody is two by having one.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from cms.attribution import Actor, By
from cms.errors import SecondPersonNeeded
from cms.rights import roles_that_may
from cms.tables.entries import Entry, Revision
from cms.tables.events import Event
from cms.tables.people import ApiKey, Person, User

_NAMED = 5
_WATCHED = frozenset({"counter"})


def refuse_alone(session: Session, entry: Entry, number: int, *, by: By) -> None:
    """Raises `SecondPersonNeeded` when the actor has a share in what a revision would bring to visitors.

    The command line is exempt: who uses it can change the database itself."""
    if entry.type not in _WATCHED or by.actor.kind == "system" or not is_asked_for(session):
        return
    savers = _savers(session, entry, number)
    who = _persons_behind(session, [(by.actor.kind, by.actor.id), *((one.actor_kind, one.actor_id) for one in savers)])
    me = who[by.actor.kind, by.actor.id]
    if any(who[one.actor_kind, one.actor_id] == me for one in savers):
        others = {who[one.actor_kind, one.actor_id] for one in savers}
        names = list(dict.fromkeys(one.actor_name for one in savers))
        raise SecondPersonNeeded(entry.id, names[:_NAMED], _who_may(session, besides=others))


def is_asked_for(session: Session) -> bool:
    """Whether the published settings ask for a second person, as they do unless they say otherwise."""
    settings = (
        select(Revision.fields)
        .join(Entry, (Entry.id == Revision.entry_id) & (Entry.published_revision == Revision.number))
        .where(Entry.type == "settings")
    )
    return (session.scalar(settings) or {}).get("counters_four_eyes") is not False


def _savers(session: Session, entry: Entry, number: int) -> Sequence[Any]:
    """Who saved what would be new to visitors: all since the revision that is live, up to the one to be published.

    One that was live before is new to nobody while another is live; an older one that never was has been written by
    those who saved since the last that was."""
    live = entry.published_revision or 0
    if 0 < number <= live and (number == live or _was_live(session, entry, number)):
        return ()
    since = live if number > live else _last_live_before(session, entry, number)
    rows = select(Revision.actor_kind, Revision.actor_id, Revision.actor_name).where(
        Revision.entry_id == entry.id, Revision.number > since, Revision.number <= number
    )
    return session.execute(rows.order_by(Revision.number)).all()


def _was_live(session: Session, entry: Entry, number: int) -> bool:
    published = exists().where(Event.entry_id == entry.id, Event.kind == "entry.published", Event.revision == number)
    return bool(session.scalar(select(published)))


def _last_live_before(session: Session, entry: Entry, number: int) -> int:
    published = select(Event.revision).where(
        Event.entry_id == entry.id, Event.kind == "entry.published", Event.revision < number
    )
    return session.scalar(published.order_by(Event.revision.desc()).limit(1)) or 0


_Who = tuple[str, str]


def _persons_behind(session: Session, actors: Iterable[_Who]) -> dict[_Who, str]:
    """The person behind each actor, by their id; a key whose maker is not known is on its own."""
    named = set(actors)
    keys = {id for kind, id in named if kind == "key"}
    makers = session.execute(select(ApiKey.id, ApiKey.made_by).where(ApiKey.id.in_(sorted(keys)))) if keys else ()
    made_by = {row.id: row.made_by for row in makers if row.made_by is not None}
    return {(kind, id): made_by.get(id, id) if kind == "key" else id for kind, id in named}


def _who_may(session: Session, *, besides: Iterable[str]) -> list[str]:
    """Names of some who could be the second person."""
    roles = roles_that_may("publish", "counter")
    others = (
        select(Person.name)
        .join(User, User.person_id == Person.id)
        .where(User.role.in_(roles), User.disabled_at.is_(None), Person.id.not_in(sorted(set(besides))))
    )
    return list(session.scalars(others.order_by(Person.name, Person.id).limit(_NAMED)))


def maker_of(session: Session, actor: Actor) -> str | None:
    """The person who answers for a key that an actor makes."""
    if actor.kind == "person":
        return actor.id
    key = session.get(ApiKey, actor.id) if actor.kind == "key" else None
    return key.made_by if key is not None else None
