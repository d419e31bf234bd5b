"""The foundation: people, entries and revisions, publications, events, usages, files."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Compared and sorted by code point on both databases.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON()
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables, and the rules that only the database can keep."""
    _make_tables()
    op.create_index(
        "uq_publications_address", "publications", ["locale", sa.text("coalesce(section, '')"), "slug"], unique=True
    )
    for statement in _IMMUTABLE_REVISIONS[op.get_bind().dialect.name]:
        op.execute(statement)


# An autosave may still fold the next one into itself; any other revision stays what it is.
_IMMUTABLE_REVISIONS = {
    "sqlite": (
        """
        CREATE TRIGGER revisions_are_immutable BEFORE UPDATE ON revisions
        WHEN NOT OLD.autosave OR NEW.number <> OLD.number OR NEW.entry_id <> OLD.entry_id
        BEGIN SELECT RAISE(ABORT, 'a revision never changes'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION refuse_to_change_a_revision() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'a revision never changes'; END $$
        """,
        """
        CREATE TRIGGER revisions_are_immutable BEFORE UPDATE ON revisions FOR EACH ROW
        WHEN (NOT OLD.autosave OR NEW.number <> OLD.number OR NEW.entry_id <> OLD.entry_id)
        EXECUTE FUNCTION refuse_to_change_a_revision()
        """,
    ),
}


def _make_tables() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("scopes", JSON, nullable=True),
        sa.Column("token_hash", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_table(
        "events",
        sa.Column("number", BIG, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("entry_id", TEXT, nullable=True),
        sa.Column("type", TEXT, nullable=True),
        sa.Column("locale", TEXT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("details", JSON, nullable=False),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("on_behalf_of", TEXT, nullable=True),
        sa.Column("request", sa.Integer(), nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_entry", "events", ["entry_id", "number"], unique=False)
    op.create_table(
        "idempotent_answers",
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", JSON, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "key"),
    )
    op.create_index("ix_idempotent_answers_created_at", "idempotent_answers", ["created_at"], unique=False)
    op.create_table(
        "persons",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("department", TEXT, nullable=True),
        sa.Column("url", TEXT, nullable=True),
        sa.Column("source", TEXT, nullable=True),
        sa.Column("external_id", TEXT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("source", "external_id"),
    )
    op.create_table(
        "redirects",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("locale", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("target_entry", TEXT, nullable=True),
        sa.Column("target_section", TEXT, nullable=True),
        sa.Column("target_url", TEXT, nullable=True),
        sa.Column("about_entry", TEXT, nullable=True),
        sa.Column("explanation", TEXT, nullable=True),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("locale", "path"),
    )
    op.create_index("ix_redirects_about_entry", "redirects", ["about_entry"], unique=False)
    op.create_index("ix_redirects_target_entry", "redirects", ["target_entry"], unique=False)
    op.create_table(
        "entries",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("locale", TEXT, nullable=False),
        sa.Column("section", TEXT, nullable=True),
        sa.Column("slug", TEXT, nullable=True),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("owner_id", TEXT, nullable=True),
        sa.Column("translation_group", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("published_revision", sa.Integer(), nullable=True),
        sa.Column("first_published_at", INSTANT, nullable=True),
        sa.Column("published_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("trashed_at", INSTANT, nullable=True),
        sa.Column("source_name", TEXT, nullable=True),
        sa.Column("source_id", TEXT, nullable=True),
        sa.Column("source_digest", TEXT, nullable=True),
        sa.Column("source_revision", sa.Integer(), nullable=True),
        sa.Column("searched", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["persons.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_name", "source_id"),
        sa.UniqueConstraint("translation_group", "locale"),
    )
    op.create_index("ix_entries_address", "entries", ["section", "slug", "locale"], unique=False)
    op.create_index("ix_entries_changed", "entries", ["changed_at", "id"], unique=False)
    op.create_index("ix_entries_changed_of_type", "entries", ["type", "changed_at", "id"], unique=False)
    op.create_table(
        "users",
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("password_hash", TEXT, nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["persons.id"],
        ),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "files",
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("entry_id", TEXT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["entries.id"],
        ),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "publications",
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("locale", TEXT, nullable=False),
        sa.Column("section", TEXT, nullable=True),
        sa.Column("slug", TEXT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("translation_group", TEXT, nullable=False),
        sa.Column("first_published_at", INSTANT, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.Column("byline", JSON, nullable=False),
        sa.Column("seo", JSON, nullable=False),
        sa.Column("rendered", JSON, nullable=False),
        sa.Column("targets", JSON, nullable=False),
        sa.Column("file", JSON, nullable=True),
        sa.Column("upload", TEXT, nullable=True),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("searched", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["entries.id"],
        ),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_index("ix_publications_newest", "publications", ["published_at", "entry_id"], unique=False)
    op.create_index(
        "ix_publications_newest_of_type", "publications", ["type", "published_at", "entry_id"], unique=False
    )
    op.create_index("ix_publications_section", "publications", ["section"], unique=False)
    op.create_index("ix_publications_translation_group", "publications", ["translation_group"], unique=False)
    op.create_index("ix_publications_upload", "publications", ["upload"], unique=False)
    op.create_table(
        "revisions",
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("locale", TEXT, nullable=False),
        sa.Column("section", TEXT, nullable=True),
        sa.Column("slug", TEXT, nullable=True),
        sa.Column("owner_id", TEXT, nullable=True),
        sa.Column("byline", JSON, nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("begun_at", INSTANT, nullable=False),
        sa.Column("autosave", sa.Boolean(), nullable=False),
        sa.Column("folds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("restored_from", sa.Integer(), nullable=True),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("on_behalf_of", TEXT, nullable=True),
        sa.Column("request", sa.Integer(), nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["entries.id"],
        ),
        sa.PrimaryKeyConstraint("entry_id", "number"),
    )
    op.create_table(
        "schedules",
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("publish_at", INSTANT, nullable=True),
        sa.Column("unpublish_at", INSTANT, nullable=True),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("zone", TEXT, nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.Column("failure", TEXT, nullable=True),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("on_behalf_of", TEXT, nullable=True),
        sa.Column("request", sa.Integer(), nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["entries.id"],
        ),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_index("ix_schedules_publish_at", "schedules", ["publish_at"], unique=False)
    op.create_index("ix_schedules_unpublish_at", "schedules", ["unpublish_at"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("csrf_token", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["users.person_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"], unique=False)
    op.create_index("ix_sign_ins_person_id", "sign_ins", ["person_id"], unique=False)
    op.create_table(
        "usages",
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("pointer", TEXT, nullable=False),
        sa.Column("target_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["entries.id"],
        ),
        sa.PrimaryKeyConstraint("source_id", "live", "pointer", "target_id"),
    )
    op.create_index("ix_usages_target", "usages", ["target_id"], unique=False)
