"""What visitors asked for and did not find."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from cms.database import Base, BigNumber


class MissingPath(Base):
    """A path that has nothing. `state`: open, ignored (by staff), or redirected."""

    __tablename__ = "missing_paths"
    __table_args__ = (Index("ix_missing_paths_hits", "state", "hits", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(unique=True)
    locale: Mapped[str | None]
    hits: Mapped[int] = mapped_column(BigNumber)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)
    # Where a visitor came from the last time that it was told.
    referrer: Mapped[str | None]
    state: Mapped[str]
    redirect_id: Mapped[str | None]
