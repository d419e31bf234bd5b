"""Imports with a result for each row, standing imports, exports."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON()
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make what is new."""
    op.create_table(
        "imports",
        *_required(TEXT, "id", "folder", "source"),
        *_optional(TEXT, "format", "path"),
        *_required(JSON, "options"),
        *_required(TEXT, "state", "phase"),
        *_required(sa.Boolean(), "at_once"),
        _counting(sa.Integer(), "attempt"),
        _counting(BIG, "done"),
        *_optional(BIG, "total"),
        *_required(JSON, "checkpoint"),
        *_optional(JSON, "analysis", "dry_run"),
        *_required(JSON, "counts"),
        *_optional(TEXT, "failure", "standing_id"),
        *_required(INSTANT, "created_at"),
        *_optional(INSTANT, "started_at", "finished_at"),
        *_attributed(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_imports_state", "imports", ["state"])
    op.create_index("ix_imports_created", "imports", ["created_at", "id"])
    running = sa.text("state = 'running'")
    op.create_index(
        "uq_imports_running", "imports", ["source"], unique=True, sqlite_where=running, postgresql_where=running
    )
    op.create_table(
        "import_rows",
        *_required(TEXT, "job_id"),
        *_required(sa.Boolean(), "dry"),
        *_required(BIG, "number"),
        *_required(TEXT, "kind", "outcome"),
        *_optional(TEXT, "external_id", "entry_id"),
        *_optional(sa.Integer(), "before", "after", "live_before"),
        *_required(TEXT, "file"),
        *_optional(sa.Integer(), "line"),
        *_optional(TEXT, "pointer", "code", "reason"),
        *_optional(JSON, "warnings", "diff"),
        *_optional(TEXT, "decision", "rolled_back"),
        sa.ForeignKeyConstraint(["job_id"], ["imports.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "dry", "number"),
    )
    op.create_index("ix_import_rows_outcome", "import_rows", ["job_id", "dry", "outcome", "number"])
    op.create_index("ix_import_rows_entry", "import_rows", ["entry_id"])
    op.create_table(
        "standing_imports",
        *_required(TEXT, "id", "source", "url"),
        *_required(sa.Integer(), "minutes"),
        *_required(JSON, "options"),
        *_required(sa.Boolean(), "paused"),
        *_required(INSTANT, "next_at"),
        *_optional(TEXT, "etag", "last_modified", "digest"),
        *_optional(INSTANT, "asked_at"),
        _counting(sa.Integer(), "failures"),
        *_optional(TEXT, "failure", "job_id"),
        *_required(INSTANT, "created_at"),
        *_attributed(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source"),
    )
    op.create_index("ix_standing_imports_next_at", "standing_imports", ["next_at"])
    op.create_table(
        "exports",
        *_required(TEXT, "id", "folder", "format"),
        *_required(JSON, "options"),
        *_required(TEXT, "state"),
        _counting(sa.Integer(), "attempt"),
        _counting(BIG, "done"),
        *_optional(BIG, "total"),
        *_required(JSON, "checkpoint"),
        *_optional(BIG, "size"),
        *_optional(TEXT, "sha256", "failure"),
        *_required(INSTANT, "created_at"),
        *_optional(INSTANT, "finished_at"),
        *_attributed(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_exports_state", "exports", ["state"])
    op.create_index("ix_exports_created", "exports", ["created_at", "id"])


def _required(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _optional(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=True) for name in names]


def _counting(kind: Any, name: str) -> sa.Column[int]:
    return sa.Column(name, kind, server_default="0", nullable=False)


def _attributed() -> list[sa.Column[Any]]:
    return [
        *_required(TEXT, "actor_kind", "actor_id", "actor_name"),
        *_optional(TEXT, "on_behalf_of"),
        *_optional(sa.Integer(), "request"),
        *_optional(TEXT, "note"),
    ]
