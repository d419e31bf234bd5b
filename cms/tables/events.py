"""The append-only log. Everything outside the database follows it; it is the record of who did what, too."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from cms.database import Base, BigNumber
from cms.tables.attributed import Attributed


class Event(Attributed, Base):
    """One change. `number` ascends in the order in which changes became visible."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_entry", "entry_id", "number"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    entry_id: Mapped[str | None]
    type: Mapped[str | None]
    locale: Mapped[str | None]
    revision: Mapped[int | None]
    details: Mapped[dict[str, Any]]
