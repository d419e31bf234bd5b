"""Which backups stay: rules of retention, what killed backups have left, and media that no backup needs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from api.backups import manifest
from api.backups.manifest import FOLDER, Manifest
from api.backups.refusal import BackupRefused
from api.backups.targets import Target

# Written first into a backup under way.
BEGUN = "begun"
# Where two machines may work at once, what is younger may be another's backup under way.
_GRACE = timedelta(days=1)


@dataclass(frozen=True)
class Rules:
    """How many to keep: the last ones, and the last of each day, ISO week and month. None at all: everything stays."""

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0

    def kept(self, names: Iterable[str]) -> frozenset[str]:
        """The names that stay; the newest always does."""
        newest_first = sorted(names, reverse=True)
        if self == Rules():
            return frozenset(newest_first)
        kept = set(newest_first[: max(self.last, 1)])
        for period, count in ((_day, self.daily), (_week, self.weekly), (_month, self.monthly)):
            kept.update(list(_newest_of_each(newest_first, period).values())[:count])
        return frozenset(kept)


def _newest_of_each(newest_first: list[str], period: Callable[[datetime], str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in newest_first:
        found.setdefault(period(instant_of(name)), name)
    return found


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"


def _week(instant: datetime) -> str:
    return f"{instant:%G-%V}"


def _month(instant: datetime) -> str:
    return f"{instant:%Y-%m}"


def instant_of(name: str) -> datetime:
    """When a backup was made, by its name; the beginning of time for what is no backup's name."""
    try:
        return datetime.strptime(name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def sweep_leftovers(target: Target, *, now: datetime) -> list[str]:
    """Remove what was begun and never got its manifest; gives the names."""
    places = target.sizes(FOLDER)
    _, unfinished = manifest.names(places)
    left = [name for name in unfinished if target.alone or instant_of(name) < now - _GRACE]
    for name in left:
        target.remove(sorted(place for place in places if place.startswith(f"{FOLDER}/{name}/")))
    return left


def read_all(target: Target) -> tuple[list[Manifest], list[str]]:
    """All backups there, the oldest first, and why others are none."""
    whole: list[Manifest] = []
    faults: list[str] = []
    for name in manifest.names(target.sizes(FOLDER))[0]:
        try:
            whole.append(manifest.read(target, name))
        except BackupRefused as refusal:
            faults.append(str(refusal))
    return whole, faults


def tidy(target: Target, rules: Rules, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Remove backups that the rules let go, and media that no backup needs. Only after one that came to its end."""
    whole, faults = read_all(target)
    kept = rules.kept(one.name for one in whole)
    for one in whole:
        if one.name not in kept:
            _remove(target, one.name)
            yield {"line": f"Backup {one.name} is removed: no rule keeps it."}
    if faults:
        # What a damaged one needs nobody knows; somebody may mend it.
        yield {"line": f"No media are removed: {faults[0]}"}
    elif not _others_at_work(target, now):
        needed = {place for one in whole if one.name in kept for place in one.contents()}
        target.remove(sorted(target.sizes("media").keys() - needed))


def _remove(target: Target, name: str) -> None:
    places = sorted(place for place in target.sizes(f"{FOLDER}/{name}") if place.startswith(f"{FOLDER}/{name}/"))
    own = f"{FOLDER}/{name}/{manifest.NAME}"
    # First what makes it a backup: cut off here, the rest is swept by the next.
    target.remove([own, *(place for place in places if place != own)])


def _others_at_work(target: Target, now: datetime) -> bool:
    _, unfinished = manifest.names(target.sizes(FOLDER))
    return not target.alone and any(instant_of(name) >= now - _GRACE for name in unfinished)
