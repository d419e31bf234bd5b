"""The content types that staff made, each with its history. The public side reads them, to know what is public."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from cms.database import Base
from cms.tables.attributed import Attributed


class CustomType(Base):
    """A content type as it is now. `revision` is the number of its newest definition, `digest` its fingerprint."""

    __tablename__ = "content_types"

    name: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    definition: Mapped[dict[str, Any]]
    digest: Mapped[str]
    changed_at: Mapped[datetime]


class TypeRevision(Attributed, Base):
    """A definition as it was: old revisions of entries are read by the one that they were saved under."""

    __tablename__ = "content_type_revisions"

    type: Mapped[str] = mapped_column(ForeignKey("content_types.name", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
