"""Words and dates as WordPress writes them."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape

_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->")


def names(written: str) -> frozenset[str]:
    """Words with spaces between as a set."""
    return frozenset(written.split())


def plain(html: str) -> str:
    """A title or note as one line of words: without tags, with characters in place of their codes."""
    return " ".join(unescape(_TAG.sub("", html)).replace("\0", "").split())


def instant(*written: str) -> datetime | None:
    """The first of some dates that says one: `2024-06-05 16:04:48` (taken as UTC), or as in a mail."""
    return next((found for date in written if (found := _instant(date.strip()))), None)


def _instant(written: str) -> datetime | None:
    # A date that was never set is written as the last day before year 0.
    if not written or len(written) > 64 or written.startswith("0000") or " -0" in written.partition(":")[0]:
        return None
    try:
        found = datetime.fromisoformat(written) if written[:4].isdecimal() else parsedate_to_datetime(written)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        return None
