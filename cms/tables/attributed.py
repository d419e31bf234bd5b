"""The columns of attribution, the same on revisions, events and schedules (domain rule 12)."""

from typing import Any

from sqlalchemy.orm import Mapped

from cms.attribution import By


class Attributed:
    """Mixin: who, for whom, for which request, why. The instant has its own name in each table."""

    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    request: Mapped[int | None]
    note: Mapped[str | None]


def attribution(by: By) -> dict[str, Any]:
    """The values of those columns for one write."""
    return {
        "actor_kind": by.actor.kind,
        "actor_id": by.actor.id,
        "actor_name": by.actor.name,
        "on_behalf_of": by.on_behalf_of,
        "request": by.request,
        "note": by.note,
    }
