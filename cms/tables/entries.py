"""Entries, their revisions, where they are used, and the files they hold. The public side never comes here."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from cms.database import Base, BigNumber
from cms.tables.attributed import Attributed

# Where the quarters of a fingerprint begin, and how long they are.
QUARTERS = tuple((start, 4) for start in (1, 5, 9, 13))


class Entry(Base):
    """One edited thing. Locale, section, slug and title are those of the newest revision, for finding it."""

    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("source_name", "source_id"),
        UniqueConstraint("translation_group", "locale"),
        Index("ix_entries_address", "section", "slug", "locale"),
        Index("ix_entries_changed", "changed_at", "id"),
        Index("ix_entries_changed_of_type", "type", "changed_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    locale: Mapped[str]
    section: Mapped[str | None]
    slug: Mapped[str | None]
    title: Mapped[str]
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("persons.id"))
    translation_group: Mapped[str]
    revision: Mapped[int]
    published_revision: Mapped[int | None]
    first_published_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    changed_at: Mapped[datetime]
    trashed_at: Mapped[datetime | None]
    source_name: Mapped[str | None]
    source_id: Mapped[str | None]
    # The row that the source last brought, and the revision it made: a later one is a person's work.
    source_digest: Mapped[str | None]
    source_revision: Mapped[int | None]
    # What the staff's search looks at in the newest revision.
    searched: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    # The values of the newest revision that lists filter and sort by.
    compared: Mapped[dict[str, Any]] = mapped_column(deferred=True)


class Revision(Attributed, Base):
    """An immutable full snapshot. The database refuses to change one, but for an autosave still in the making."""

    __tablename__ = "revisions"
    # Who had a slug once: for guessing what a path meant.
    __table_args__ = (Index("ix_revisions_slug", "slug"),)

    entry_id: Mapped[str] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    locale: Mapped[str]
    section: Mapped[str | None]
    slug: Mapped[str | None]
    owner_id: Mapped[str | None]
    byline: Mapped[list[str]]
    fields: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]
    begun_at: Mapped[datetime]
    autosave: Mapped[bool]
    # How often later autosaves have replaced this one's content.
    folds: Mapped[int] = mapped_column(server_default="0", default=0)
    restored_from: Mapped[int | None]
    # The revision of the entry's type that it was saved under; none for types that are built in.
    type_revision: Mapped[int | None]


class Usage(Base):
    """One entry's reference to another. `live` tells the publication's references from the newest revision's."""

    __tablename__ = "usages"
    __table_args__ = (Index("ix_usages_target", "target_id"),)

    source_id: Mapped[str] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    live: Mapped[bool] = mapped_column(primary_key=True)
    pointer: Mapped[str] = mapped_column(primary_key=True)
    target_id: Mapped[str] = mapped_column(primary_key=True)


class Departure(Base):
    """What became of an entry when its section was removed, so that it can be taken back with the section.

    `kind`: moved, gone or trashed; `live_revision`: what was published then."""

    __tablename__ = "departures"

    section: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    kind: Mapped[str]
    live_revision: Mapped[int | None]


class StoredFile(Base):
    """A file's bytes, known by their SHA-256. The bytes are in the media store.

    `fingerprint`: what pictures that look alike have nearly in common, 16 hexadecimal digits; `placeholder`: a
    ThumbHash in base64; `color`: the dominant one, as #rrggbb; `picture`: the SHA-256 of what shows a document's first
    page; `text`: a document's words."""

    __tablename__ = "files"
    __table_args__ = (
        # A picture that looks alike has one of the four quarters in common, but for rare cases.
        *(
            Index(f"ix_files_fingerprint_{quarter}", func.substr(literal_column("fingerprint"), start, length))
            for quarter, (start, length) in enumerate(QUARTERS, 1)
        ),
        Index("ix_files_created", "created_at", "sha256"),
    )

    sha256: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigNumber)
    width: Mapped[int | None]
    height: Mapped[int | None]
    entry_id: Mapped[str | None] = mapped_column(ForeignKey("entries.id"))
    created_at: Mapped[datetime]
    fingerprint: Mapped[str | None]
    placeholder: Mapped[str | None]
    color: Mapped[str | None]
    frames: Mapped[int | None]
    pages: Mapped[int | None]
    picture: Mapped[str | None]
    text: Mapped[str | None] = mapped_column(deferred=True)


class FileUse(Base):
    """Some revision of the entry holds the file. The file can be removed only when there is no such row."""

    __tablename__ = "file_uses"

    sha256: Mapped[str] = mapped_column(ForeignKey("files.sha256"), primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("entries.id"), primary_key=True)
