"""Banners, their figures and warnings."""

from typing import Literal

from pydantic import Field as Member

from api.shapes.shape import Shape


class BannerImage(Shape):
    id: str
    url: str
    width: int | None
    height: int | None
    alt: str | None
    srcset: str | None
    placeholder: str | None
    color: str | None


class ImageCreative(Shape):
    kind: Literal["image"]
    image: BannerImage


class TextCreative(Shape):
    kind: Literal["text"]
    text: str


class HtmlCreative(Shape):
    """Cleaned HTML, for a frame with this `sandbox` attribute."""

    kind: Literal["html"]
    html: str
    sandbox: str


class BannerLink(Shape):
    """Where a click leads: `go` counts it on the way."""

    url: str | None
    go: str | None
    rel: str


class BannerHours(Shape):
    """From one hour to another, over midnight where the other is the earlier one."""

    from_: str = Member(alias="from")
    to: str


class BannerTargeting(Shape):
    """What limits a banner, nothing where a list is empty: a page must fit all that is said, and one item of each."""

    sections: list[str]
    paths: list[str]
    except_paths: list[str]
    locales: list[str]
    devices: list[Literal["desktop", "mobile", "tablet"]]
    topics: list[str]


class BannerCap(Shape):
    views: float
    per: Literal["session", "hour", "day", "week", "month"]


class Banner(Shape):
    """A banner that may be shown in a placement; `house`: only when there is no other."""

    id: str
    revision: int
    placement: str
    house: bool
    emergency: bool
    creative: ImageCreative | TextCreative | HtmlCreative
    link: BannerLink
    targeting: BannerTargeting
    starts_at: str | None
    ends_at: str | None
    zone: str
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]]
    hours: list[BannerHours]
    weight: float
    priority: float
    cap: BannerCap | None
    advertiser: str | None
    label: str | None
    erid: str | None


class BannerFigures(Shape):
    """Sums; what is summed over is null. `ctr`: clicks for each impression."""

    banner: str | None
    title: str | None
    placement: str | None
    day: str | None
    impressions: int
    viewable: int
    clicks: int
    ctr: float | None


class BannerWarning(Shape):
    """Something about a live banner, or about a placement."""

    banner: str | None
    title: str | None
    placement: str | None
    pointer: str
    code: Literal["ends_soon", "ended", "link_missing", "creative_heavy", "size_mismatch", "placement_empty"]
    message: str
