"""Dates as people and programs write them, in English and Russian."""

import importlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import cache, lru_cache

from cms.import_formats.safe_values import Refused

LONGEST = 64
# Day first, as it is written in Russia: by far the most, and dateparser takes a thousand times as long.
NUMBERS = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:,? +(\d{1,2}):(\d\d)(?::(\d\d))?)?", re.ASCII)
WORDS = re.compile(r"[\w\s.,:/+()-]+")
_SETTINGS = {
    "DATE_ORDER": "DMY",
    "PREFER_LOCALE_DATE_ORDER": False,
    # A date that leaves out its day, month or year means something else each time that it is read.
    "STRICT_PARSING": True,
    "PARSERS": ["absolute-time"],
}


def instant(written: str, *, zone: tzinfo = UTC) -> datetime:
    """The instant in UTC: ISO 8601, `31.01.2026 14:05`, `31 января 2026 г.`, `Sat, 31 Jan 2026 14:05:00 +0300`; what
    names no zone is of `zone`. Raises `Refused` with the code `bad_date`."""
    moment = _moment(written.strip())
    try:
        if moment is not None:
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    reason = "This must be a date such as 2026-01-31, 2026-01-31T09:00:00+03:00 or 31.01.2026 14:05."
    raise Refused("bad_date", reason)


@lru_cache(8_192)
def _moment(written: str) -> datetime | None:
    if len(written) > LONGEST or (written.isdigit() and len(written) != len("20260131")):
        return None
    try:
        return datetime.fromisoformat(_iso(written))
    except ValueError:
        pass
    numbers = NUMBERS.fullmatch(written)
    return _from_numbers(numbers) if numbers else _from_words(written)


# Jekyll and Hugo write "2026-01-31 09:00:00 +0300".
def _iso(written: str) -> str:
    return re.sub(r"\s+(UTC|[+-]\d\d:?\d\d)$", lambda zone: zone[1].replace("UTC", "Z"), written)


def _from_numbers(found: re.Match[str]) -> datetime | None:
    day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the caller knows the zone
    except ValueError:
        return None


def _from_words(written: str) -> datetime | None:
    if not (WORDS.fullmatch(written) and re.search(r"\d", written)):
        return None
    try:
        return _parser()(written)
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError):
        return None


@cache
def _parser() -> Callable[[str], datetime | None]:
    # It takes 200 ms to load: longer than most commands take.
    parser = importlib.import_module("dateparser.date").DateDataParser(languages=["ru", "en"], settings=_SETTINGS)

    def parse(written: str) -> datetime | None:
        found: datetime | None = parser.get_date_data(written).date_obj
        return found

    return parse
