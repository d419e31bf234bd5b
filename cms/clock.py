"""The one clock. Whoever needs the time is given a `Clock`, so that tests can hold it still."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def written(at: datetime) -> str:
    """An instant as the API writes it: RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def system_clock() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)
