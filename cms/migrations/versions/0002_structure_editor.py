"""The structure editor: redirects by place, missing paths, departures, content types that staff make."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON()
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make what is new and carry over what there is."""
    _redirects()
    _types()
    _compared_values()
    op.add_column(
        "publications", sa.Column("changed_at", INSTANT, server_default="1970-01-01 00:00:00", nullable=False)
    )
    op.execute("UPDATE publications SET changed_at = published_at")
    op.create_index("ix_publications_changed_at", "publications", ["changed_at"])
    op.create_table(
        "departures",
        sa.Column("section", TEXT, nullable=False),
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("live_revision", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"]),
        sa.PrimaryKeyConstraint("section", "entry_id"),
    )
    op.create_table(
        "missing_paths",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("locale", TEXT, nullable=True),
        sa.Column("hits", BIG, nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("referrer", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("redirect_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path"),
    )
    op.create_index("ix_missing_paths_hits", "missing_paths", ["state", "hits", "id"])
    op.create_index("ix_publications_slug", "publications", ["slug", "entry_id"])
    newest = ["published_at", "entry_id"]
    op.create_index("ix_publications_newest_in_locale", "publications", ["locale", *newest])
    op.drop_index("ix_publications_section", "publications")
    op.create_index("ix_publications_newest_in_section", "publications", ["section", "locale", *newest])
    op.create_index("ix_missing_paths_last_at", "missing_paths", ["last_at"])
    op.create_index("ix_revisions_slug", "revisions", ["slug"])


def _redirects() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT * FROM redirects")).mappings().all()
    op.drop_table("redirects")
    op.create_table(
        "redirects",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("locale", TEXT, nullable=True),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("prefix", sa.Boolean(), nullable=False),
        sa.Column("section", TEXT, nullable=True),
        sa.Column("slug", TEXT, nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("target_entry", TEXT, nullable=True),
        sa.Column("target_section", TEXT, nullable=True),
        sa.Column("target_url", TEXT, nullable=True),
        sa.Column("about", TEXT, nullable=True),
        sa.Column("explanation", TEXT, nullable=True),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("hits", BIG, server_default="0", nullable=False),
        sa.Column("last_hit_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    of_staff = sa.text("slug IS NULL")
    op.create_index(
        "uq_redirects_path",
        "redirects",
        [sa.text("coalesce(locale, '')"), "path"],
        unique=True,
        sqlite_where=of_staff,
        postgresql_where=of_staff,
    )
    of_places = sa.text("slug IS NOT NULL")
    op.create_index(
        "ix_redirects_place",
        "redirects",
        ["slug", "section"],
        sqlite_where=of_places,
        postgresql_where=of_places,
    )
    op.create_index("ix_redirects_changed", "redirects", ["changed_at", "id"])
    op.create_index("ix_redirects_target_entry", "redirects", ["target_entry"])
    op.create_index("ix_redirects_target_section", "redirects", ["target_section"])
    op.create_index("ix_redirects_about", "redirects", ["about"])
    kept = ("id", "locale", "path", "status", "target_entry", "target_section", "target_url", "explanation", "source")
    # Rules of the first version hold for paths, and those of sections for all below.
    for row in rows:
        connection.execute(
            sa.text(
                f"INSERT INTO redirects ({', '.join(kept)}, about, prefix, created_at, changed_at) "  # noqa: S608
                f"VALUES ({', '.join(f':{name}' for name in kept)}, :about_entry, :prefix, :created_at, :created_at)"
            ),
            {**row, "prefix": row["target_section"] is not None},
        )


def _types() -> None:
    op.create_table(
        "content_types",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("definition", JSON, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "content_type_revisions",
        sa.Column("type", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", JSON, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("on_behalf_of", TEXT, nullable=True),
        sa.Column("request", sa.Integer(), nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["type"], ["content_types.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("type", "number"),
    )
    op.add_column("revisions", sa.Column("type_revision", sa.Integer(), nullable=True))


def _compared_values() -> None:
    """What is there keeps all that is no document; the next save leaves only what can be compared."""
    for table in ("entries", "publications"):
        op.add_column(table, sa.Column("compared", JSON, server_default="{}", nullable=False))
    small = _WITHOUT_DOCUMENTS[op.get_bind().dialect.name]
    op.execute(f"UPDATE publications SET compared = {small}")  # noqa: S608
    op.execute(
        f"UPDATE entries SET compared = (SELECT {small} FROM revisions"  # noqa: S608
        " WHERE revisions.entry_id = entries.id AND revisions.number = entries.revision)"
    )


_WITHOUT_DOCUMENTS = {
    "sqlite": """
        (SELECT json_group_object(key, CASE type
            WHEN 'array' THEN json(value) WHEN 'true' THEN json('true') WHEN 'false' THEN json('false') ELSE value END)
        FROM json_each(fields) WHERE type <> 'object')
        """,
    "postgresql": """
        (SELECT coalesce(json_object_agg(key, value), '{}'::json)
        FROM json_each(fields) WHERE json_typeof(value) <> 'object')
        """,
}
