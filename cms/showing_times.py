"""From when to when something is shown, and by whose clock: what banners, counters and schedules say alike."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cms.errors import Fault


def faults(fields: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with `starts_at`, `ends_at` and `zone` of an entry's fields."""
    starts, ends = fields.get("starts_at"), fields.get("ends_at")
    if starts and ends and datetime.fromisoformat(ends) <= datetime.fromisoformat(starts):
        yield Fault("/fields/ends_at", "order", "The end must come after the beginning.")
    if fields.get("zone"):
        yield from zone_faults(fields["zone"], at="/fields/zone")


def zone_faults(zone: str, *, at: str) -> Iterator[Fault]:
    """What is wrong with the name of a time zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Fault(at, "unknown_zone", "This is no time zone. Write it as Europe/Moscow or UTC.")
