"""What the rows of an import may be, and where they may stand: no more than its actor may bring in by hand.

A job asks for rights when it is ordered, but only its rows tell their types and sections."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from cms import rights, structure
from cms.attribution import Actor
from cms.content_types import ContentType
from cms.errors import Forbidden
from cms.imports import importing
from cms.imports.attempts import by_of
from cms.imports.jobs import asked_of
from cms.tables.jobs import ImportJob
from cms.tables.people import ApiKey, User


def types_of(session: Session, job: ImportJob) -> dict[str, ContentType]:
    """The content types that rows of a job may have."""
    by = by_of(job, job.created_at)
    types = importing.types_of_rows(session, by=by)
    if job.actor_kind == "system":
        return types
    actor, section = _actor(session, job, by.actor), asked_of(job).section
    return {name: one for name, one in types.items() if _may(session, job, actor, name, section)}


def closed_sections(session: Session, job: ImportJob, types: Iterable[str]) -> frozenset[str]:
    """The sections in which the actor may not bring in entries of these types."""
    if job.actor_kind == "system":
        return frozenset()
    actor = _actor(session, job, by_of(job, job.created_at).actor)
    texts = [name for name in types if name not in rights.SITE_WIDE]
    tree = structure.newest_tree(session)
    return frozenset(one.id for one in tree if not any(_may(session, job, actor, name, one.id) for name in texts))


def may_publish_structure(session: Session, job: ImportJob) -> bool:
    """Whether the actor may publish what others have drafted of the site's structure."""
    if job.actor_kind == "system":
        return True
    try:
        rights.permit(_actor(session, job, by_of(job, job.created_at).actor), "publish", type="structure")
    except Forbidden:
        return False
    return True


def _actor(session: Session, job: ImportJob, usual: Actor) -> Actor:
    """Who ordered the job, with the role and scopes of now."""
    if job.actor_kind == "key":
        key = session.get(ApiKey, job.actor_id)
        scopes = None if key is None or key.scopes is None else tuple(key.scopes)
        return usual if key is None else Actor("key", key.id, key.name, key.role, scopes)
    user = session.get(User, job.actor_id)
    return usual if user is None else Actor("person", user.person_id, usual.name, user.role)


def _may(session: Session, job: ImportJob, actor: Actor, type: str, section: str | None) -> bool:
    place = None if section is None or type in rights.SITE_WIDE else structure.governing(session, section)
    if place is not None:
        actor = rights.within(actor, structure.tree_in_force(session), place)
    try:
        for action in ("import", "publish") if asked_of(job).publish else ("import",):
            rights.permit(actor, action, type=type)
    except Forbidden:
        return False
    return True
