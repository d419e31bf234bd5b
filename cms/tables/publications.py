"""What the public reads: publications, redirects and the instants of scheduled changes. Nothing else, ever."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from cms.database import Base
from cms.tables.attributed import Attributed


class Publication(Base):
    """The live copy of one revision, rendered. `fields` holds what is public of it, rich text as documents;
    `rendered` the same with rich text as pieces of HTML; `targets` the ids that those pieces point at."""

    __tablename__ = "publications"

    entry_id: Mapped[str] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    type: Mapped[str]
    locale: Mapped[str]
    section: Mapped[str | None] = mapped_column(index=True)
    slug: Mapped[str | None]
    revision: Mapped[int]
    title: Mapped[str]
    translation_group: Mapped[str] = mapped_column(index=True)
    first_published_at: Mapped[datetime]
    published_at: Mapped[datetime]
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

    __table_args__ = (
        # One live entry per address. Entries without a section share the root, entries without a slug have no address.
        Index("uq_publications_address", "locale", func.coalesce(section, text("''")), "slug", unique=True),
        Index("ix_publications_newest", "published_at", "entry_id"),
        Index("ix_publications_newest_of_type", "type", "published_at", "entry_id"),
    )


class Redirect(Base):
    """What an old path answers. Exactly one of the three targets, or none and status 410."""

    __tablename__ = "redirects"
    __table_args__ = (UniqueConstraint("locale", "path"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    locale: Mapped[str]
    path: Mapped[str]
    status: Mapped[int]
    target_entry: Mapped[str | None] = mapped_column(index=True)
    target_section: Mapped[str | None]
    target_url: Mapped[str | None]
    # The entry that stood here, when the rule was made by taking it down: it ends when the entry is live again.
    about_entry: Mapped[str | None] = mapped_column(index=True)
    explanation: Mapped[str | None]
    source: Mapped[str]
    created_at: Mapped[datetime]


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
