"""What the public reads: publications, redirects and the instants of scheduled changes. Nothing else, ever."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from cms.database import Base, BigNumber
from cms.tables.attributed import Attributed


class Publication(Base):
    """The live copy of one revision, rendered. `fields` holds what is public of it, rich text as documents;
    `rendered` the same with rich text as pieces of HTML; `targets` the ids that those pieces point at."""

    __tablename__ = "publications"

    entry_id: Mapped[str] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    type: Mapped[str]
    locale: Mapped[str]
    section: Mapped[str | None] = mapped_column()
    slug: Mapped[str | None]
    revision: Mapped[int]
    title: Mapped[str]
    translation_group: Mapped[str] = mapped_column(index=True)
    first_published_at: Mapped[datetime]
    published_at: Mapped[datetime]
    # When this copy was written; an imported article keeps the instant at which its source published it.
    changed_at: Mapped[datetime] = mapped_column(index=True)
    byline: Mapped[list[Any]]
    seo: Mapped[dict[str, Any]]
    rendered: Mapped[dict[str, Any]]
    targets: Mapped[list[str]]
    # What an image or file shows of itself where others refer to it; `upload` is its SHA-256, to be found by.
    file: Mapped[dict[str, Any] | None]
    upload: Mapped[str | None] = mapped_column(index=True)
    fields: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    # What the public search looks at, so that an index need not read documents.
    searched: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    # The values that lists filter and sort by, apart from the documents, so that comparing is cheap.
    compared: Mapped[dict[str, Any]] = mapped_column(deferred=True)

    __table_args__ = (
        # One live entry per address. Entries without a section share the root, entries without a slug have no address.
        Index("uq_publications_address", "locale", func.coalesce(section, text("''")), "slug", unique=True),
        Index("ix_publications_slug", "slug", "entry_id"),
        Index("ix_publications_newest", "published_at", "entry_id"),
        Index("ix_publications_newest_of_type", "type", "published_at", "entry_id"),
        Index("ix_publications_newest_in_locale", "locale", "published_at", "entry_id"),
        Index("ix_publications_newest_in_section", "section", "locale", "published_at", "entry_id"),
    )


class ShownFile(Base):
    """Bytes that an entry shows to the public, or has shown: their address answers as long as the entry is live.
    `file` is what was told of them."""

    __tablename__ = "shown_files"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    file: Mapped[dict[str, Any]]


# Stands for all counters among those that are switched off.
ALL_COUNTERS = "*"


class StoppedCounter(Attributed, Base):
    """A counter that is switched off whatever is published; `*` stands for all of them."""

    __tablename__ = "stopped_counters"

    counter: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Redirect(Base):
    """What an old path answers: one of the three targets, or none and status 410.

    A rule that staff or an import made holds for its `path`, and with `prefix` for all below it. One that a move or a
    takedown left holds for a place, `section` and `slug`, wherever that section stands by now (decision 0007); `path`
    then tells what it was. No locale: every locale."""

    __tablename__ = "redirects"

    id: Mapped[str] = mapped_column(primary_key=True)
    locale: Mapped[str | None] = mapped_column()
    path: Mapped[str]
    prefix: Mapped[bool]
    section: Mapped[str | None]
    slug: Mapped[str | None] = mapped_column()
    status: Mapped[int]
    target_entry: Mapped[str | None] = mapped_column(index=True)
    target_section: Mapped[str | None] = mapped_column(index=True)
    target_url: Mapped[str | None]
    # The entry or section that stood here and was taken away: the rule ends when it is live again, and answers for
    # its older places, too.
    about: Mapped[str | None] = mapped_column(index=True)
    explanation: Mapped[str | None]
    source: Mapped[str]
    hits: Mapped[int] = mapped_column(BigNumber, server_default="0", default=0)
    last_hit_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (
        # One rule of staff's for each path.
        Index(
            "uq_redirects_path",
            func.coalesce(locale, text("''")),
            "path",
            unique=True,
            sqlite_where=slug.is_(None),
            postgresql_where=slug.is_(None),
        ),
        Index(
            "ix_redirects_place",
            "slug",
            "section",
            # With the many that have none in it, SQLite would take it for what is asked by path.
            sqlite_where=slug.is_not(None),
            postgresql_where=slug.is_not(None),
        ),
        Index("ix_redirects_changed", "changed_at", "id"),
    )


class Schedule(Attributed, Base):
    """What will be published or unpublished, when, and by whose order. `revision` is the one that was chosen."""

    __tablename__ = "schedules"

    entry_id: Mapped[str] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    revision: Mapped[int]
    publish_at: Mapped[datetime | None] = mapped_column(index=True)
    unpublish_at: Mapped[datetime | None] = mapped_column(index=True)
    answer: Mapped[dict[str, Any]]
    zone: Mapped[str]
    set_at: Mapped[datetime]
    failure: Mapped[str | None]
