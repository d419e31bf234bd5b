"""A row of a job that has run, brought again by itself: what is decided of a conflict."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.orm import Session

from api.importing import places
from api.importing.work import Coming
from api.parts import Parts
from cms import site
from cms.attribution import By
from cms.errors import Fault, WrongState
from cms.imports import importing
from cms.imports import rights as import_rights
from cms.imports.importing import Looked, Setting
from cms.imports.jobs import asked_of
from cms.imports.reading import Prepared, Task, prepare_one
from cms.imports.spool import Spool
from cms.tables.entries import Entry
from cms.tables.jobs import ImportJob


def read_again(parts: Parts, session: Session, job: ImportJob, number: int) -> Prepared:
    """A row as its source has it. Raises `WrongState` when it is not kept any more, or cannot come in."""
    asked = asked_of(job)
    spool = places.spool_file(parts, job.id)
    types = import_rights.types_of(session, job)
    row = prepare_one(Task(spool, types, asked.type, asked.publish), number) if spool.exists() else None
    if row is None:
        raise WrongState("row_not_kept", "This row of the source is not kept any more. Import the source again.")
    if not isinstance(row, Prepared):
        raise WrongState("row_refused", f"The row cannot come in: {row.problem.reason}")
    return row


def bringer(
    parts: Parts, session: Session, job: ImportJob, row: Prepared, *, by: By
) -> Callable[[Entry, bool], tuple[Fault, ...]]:
    """What brings a row over an entry, and publishes it if asked to: see `cms.imports.conflicts`."""

    def bring(entry: Entry, publish: bool) -> tuple[Fault, ...]:
        with Spool(places.spool_file(parts, job.id)) as spool:
            setting = _setting(session, job, spool, publish=publish)
            looked = importing.look_ahead(session, [row], setting)
            looked = Looked({row.item.external_id: entry}, looked.persons)
            told = importing.put(session, row, setting, looked, by=by, decision="overwrite" if publish else "draft")
        return told.warnings

    return bring


def _setting(session: Session, job: ImportJob, spool: Spool, *, publish: bool) -> Setting:
    asked = asked_of(job)
    setting = Setting(
        source=job.source,
        types=import_rights.types_of(session, job),
        locale=asked.locale or site.locales(session).default,
        publish=publish,
        on_conflict="overwrite",
        sections=spool.section_ids(),
        base=asked.section,
    )
    return replace(setting, coming=Coming(spool))
