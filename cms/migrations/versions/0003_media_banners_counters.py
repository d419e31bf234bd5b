"""Images, files, banners and counters: what files are, where their bytes are used and shown, views, kill switch."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON()
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make what is new and carry over what there is."""
    _files()
    _file_uses()
    _shown_files()
    op.create_table(
        "banner_days",
        sa.Column("banner_id", TEXT, nullable=False),
        sa.Column("placement", TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, BIG, server_default="0", nullable=False) for name in ("impressions", "viewable", "clicks")),
        sa.PrimaryKeyConstraint("banner_id", "placement", "day"),
    )
    op.create_index("ix_banner_days_day", "banner_days", ["day"])
    op.create_table(
        "counted_views",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_counted_views_day", "counted_views", ["day"])
    op.add_column("api_keys", sa.Column("made_by", TEXT, nullable=True))
    op.create_table(
        "stopped_counters",
        sa.Column("counter", TEXT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("on_behalf_of", TEXT, nullable=True),
        sa.Column("request", sa.Integer(), nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("counter"),
    )


def _files() -> None:
    for name in ("fingerprint", "placeholder", "color", "picture", "text"):
        op.add_column("files", sa.Column(name, TEXT, nullable=True))
    for name in ("frames", "pages"):
        op.add_column("files", sa.Column(name, sa.Integer(), nullable=True))
    for quarter, start in enumerate((1, 5, 9, 13), 1):
        op.create_index(f"ix_files_fingerprint_{quarter}", "files", [sa.text(f"substr(fingerprint, {start}, 4)")])
    op.create_index("ix_files_created", "files", ["created_at", "sha256"])


def _file_uses() -> None:
    op.create_table(
        "file_uses",
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("entry_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["files.sha256"]),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"]),
        sa.PrimaryKeyConstraint("sha256", "entry_id"),
    )
    held = _HELD[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO file_uses (sha256, entry_id)"  # noqa: S608
        f" SELECT DISTINCT files.sha256, held.entry_id FROM ({held}) AS held JOIN files ON files.sha256 = held.sha256"
    )


def _shown_files() -> None:
    op.create_table(
        "shown_files",
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("file", JSON, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"]),
        sa.PrimaryKeyConstraint("sha256", "entry_id"),
    )
    op.execute(
        "INSERT INTO shown_files (sha256, entry_id, file)"
        " SELECT upload, entry_id, file FROM publications WHERE upload IS NOT NULL"
    )


# A field that holds a file is an object with its SHA-256; no file stands deeper than that.
_HELD = {
    "sqlite": """
        SELECT revisions.entry_id AS entry_id, json_extract(field.value, '$.sha256') AS sha256
        FROM revisions, json_each(revisions.fields) AS field WHERE field.type = 'object'
        """,
    "postgresql": """
        SELECT revisions.entry_id AS entry_id, field.value ->> 'sha256' AS sha256
        FROM revisions, json_each(revisions.fields) AS field WHERE json_typeof(field.value) = 'object'
        """,
}
