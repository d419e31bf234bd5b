"""How often banners were shown, seen and clicked, by day, and which views were counted already."""

from datetime import date

from sqlalchemy import Date, Index
from sqlalchemy.orm import Mapped, mapped_column

from cms.database import Base, BigNumber


class BannerDay(Base):
    """What happened to a banner in a placement on one day (in UTC)."""

    __tablename__ = "banner_days"
    __table_args__ = (Index("ix_banner_days_day", "day"),)

    banner_id: Mapped[str] = mapped_column(primary_key=True)
    placement: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    impressions: Mapped[int] = mapped_column(BigNumber, server_default="0", default=0)
    viewable: Mapped[int] = mapped_column(BigNumber, server_default="0", default=0)
    clicks: Mapped[int] = mapped_column(BigNumber, server_default="0", default=0)


class CountedView(Base):
    """A beacon that was counted: a digest of what it told and of its view's id, kept until the day after the next."""

    __tablename__ = "counted_views"
    __table_args__ = (Index("ix_counted_views_day", "day"),)

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date)
