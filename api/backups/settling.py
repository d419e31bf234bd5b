"""What must not go on by itself in a restored database, as if no time had passed."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from cms.tables.jobs import ExportJob, ImportJob
from cms.tables.publications import Schedule

HELD = "held after a restore: its instant has passed. Confirm it by setting it anew, or cancel it"
ENDED = "ended by a restore: its files are not in the backup. Begin it anew; what came in before is known"
_OVER = {"imports": ("analysing", "ready", "running", "paused"), "exports": ("running", "completed")}


@dataclass(frozen=True)
class Settled:
    """How many plans wait for a person now, and how many imports and exports have ended."""

    held: int
    ended: int


def settle(connection: sa.Connection, *, now: datetime) -> Settled:
    """Hold plans whose instant has passed, and end jobs whose files are gone. The database may be an older one."""
    schedules, imports, exports = (cast("sa.Table", each.__table__) for each in (Schedule, ImportJob, ExportJob))
    due = sa.or_(schedules.c.publish_at <= now, schedules.c.unpublish_at <= now)
    held = connection.execute(
        schedules.update().where(due, schedules.c.failure.is_(None)).values(failure=HELD)
    ).rowcount
    ended = 0
    for jobs in (imports, exports):
        if sa.inspect(connection).has_table(jobs.name):
            over = {"state": "failed", "failure": ENDED, "finished_at": now}
            ended += connection.execute(jobs.update().where(jobs.c.state.in_(_OVER[jobs.name])).values(over)).rowcount
    return Settled(held, ended)
