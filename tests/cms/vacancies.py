"""A content type that staff made, and entries of it."""

from typing import Any

from sqlalchemy.orm import Session

from cms import publishing
from cms.attribution import By
from cms.custom_types import making_types
from cms.custom_types.making_types import Put
from cms.tables.entries import Entry
from tests.cast import an_entry

FIELDS: list[dict[str, Any]] = [
    {"name": "title", "kind": "text", "required": True},
    {"name": "salary", "kind": "number"},
    {"name": "level", "kind": "choice", "choices": ["junior", "middle", "senior"]},
    {"name": "city", "kind": "text"},
    {"name": "remote", "kind": "boolean"},
    {"name": "since", "kind": "date"},
    {"name": "duties", "kind": "rich_text"},
    {"name": "contact", "kind": "email", "public": False},
]


def fields(**changed: Any) -> list[dict[str, Any]]:
    """The fields of a vacancy, some of them otherwise: None leaves one out, a new name comes last."""
    others = {one["name"]: one for one in FIELDS}
    for name, said in changed.items():
        others[name] = said and {**others.get(name, {"name": name}), **said}
    return [one for one in others.values() if one is not None]


def put(session: Session, name: str = "vacancy", *, by: By, confirm: int | None = None, **changed: Any) -> Put:
    """Make or change the type: `put(session, by=olga.by(), salary={"kind": "text"}, city=None)`."""
    made = making_types.put(session, name, {"fields": fields(**changed)}, by=by, confirm=confirm)
    session.flush()
    return made


def a_vacancy(session: Session, *, by: By, live: bool = False, **given: Any) -> Entry:
    """A vacancy, for visitors if it is `live`."""
    entry = an_entry(session, "vacancy", by=by, **given)
    if live:
        publishing.publish(session, entry, by=by)
        session.flush()
    return entry
