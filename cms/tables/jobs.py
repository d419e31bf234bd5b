"""Work that takes a while: imports with a result for each row, standing imports, exports.

What a job reads or writes lies in the data folder `folder` names; only the server that holds it can go on with it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from cms.database import Base, BigNumber
from cms.tables.attributed import Attributed

_RUNNING = text("state = 'running'")


class ImportJob(Attributed, Base):
    """One run of a bulk import: source, format, checkpoint, a result for each row.

    `phase` says what `state` is about: analysis, dry_run, import or rollback. `attempt` grows whenever a process takes
    the job up: whoever holds an older number has lost it."""

    __tablename__ = "imports"
    __table_args__ = (
        Index("ix_imports_created", "created_at", "id"),
        # Two runs of one source would bring its rows twice.
        Index("uq_imports_running", "source", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    folder: Mapped[str]
    source: Mapped[str]
    # None until the analysis has found it out.
    format: Mapped[str | None]
    # Where the source lies: a path on the server's machine, or None for what was uploaded into the job's own folder.
    path: Mapped[str | None]
    options: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(index=True)
    phase: Mapped[str]
    # Whether the import follows the analysis without anybody's asking.
    at_once: Mapped[bool]
    attempt: Mapped[int] = mapped_column(server_default="0", default=0)
    # How far the phase has come, in rows of the spool and otherwise, and of how many rows.
    done: Mapped[int] = mapped_column(BigNumber, server_default="0", default=0)
    total: Mapped[int | None] = mapped_column(BigNumber)
    checkpoint: Mapped[dict[str, Any]]
    # What was found, and what became of it: counts by outcome.
    analysis: Mapped[dict[str, Any] | None]
    dry_run: Mapped[dict[str, Any] | None]
    counts: Mapped[dict[str, Any]]
    failure: Mapped[str | None]
    standing_id: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ImportRow(Base):
    """What became of one row of a source, or would have (`dry`). `kind`: entry, file, structure or redirect.

    `before` and `after` are the entry's revisions, `live_before` the one that was published: what a rollback needs."""

    __tablename__ = "import_rows"
    __table_args__ = (
        Index("ix_import_rows_outcome", "job_id", "dry", "outcome", "number"),
        Index("ix_import_rows_entry", "entry_id"),
    )

    job_id: Mapped[str] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    dry: Mapped[bool] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    kind: Mapped[str]
    outcome: Mapped[str]
    external_id: Mapped[str | None]
    entry_id: Mapped[str | None]
    before: Mapped[int | None]
    after: Mapped[int | None]
    live_before: Mapped[int | None]
    file: Mapped[str]
    line: Mapped[int | None]
    pointer: Mapped[str | None]
    code: Mapped[str | None]
    reason: Mapped[str | None]
    # Warnings of a row that came in: a list of {pointer, code, message}.
    warnings: Mapped[list[Any] | None]
    # What a dry run would change, as history's diffs are told.
    diff: Mapped[list[Any] | None]
    # What was decided of a conflict: keep, overwrite or draft.
    decision: Mapped[str | None]
    # What a rollback did with it: undone, or a code for why it was left.
    rolled_back: Mapped[str | None]


class StandingImport(Attributed, Base):
    """A feed that is asked again and again; each time that it has changed, an import job of its own brings it."""

    __tablename__ = "standing_imports"

    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str]
    minutes: Mapped[int]
    options: Mapped[dict[str, Any]]
    paused: Mapped[bool]
    next_at: Mapped[datetime] = mapped_column(index=True)
    # What the host said of the last answer, so that an unchanged one need not be sent again; its SHA-256.
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    digest: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0", default=0)
    failure: Mapped[str | None]
    job_id: Mapped[str | None]
    created_at: Mapped[datetime]


class ExportJob(Attributed, Base):
    """One run of an export: what is asked for, how far it came, and the file that it has made."""

    __tablename__ = "exports"
    __table_args__ = (Index("ix_exports_created", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    folder: Mapped[str]
    format: Mapped[str]
    options: Mapped[dict[str, Any]]
    # running, completed, failed or cancelled
    state: Mapped[str] = mapped_column(index=True)
    attempt: Mapped[int] = mapped_column(server_default="0", default=0)
    done: Mapped[int] = mapped_column(BigNumber, server_default="0", default=0)
    total: Mapped[int | None] = mapped_column(BigNumber)
    checkpoint: Mapped[dict[str, Any]]
    size: Mapped[int | None] = mapped_column(BigNumber)
    sha256: Mapped[str | None]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
