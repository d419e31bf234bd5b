"""What the public's reads leave to be counted: kept in memory, because reads never write, until a loop writes it."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cms.clock import Clock
from cms.delivery.noise import Missed, grouped, is_noise, without_query

# Of each kind, until they are written, which takes a few seconds.
MOST_KEPT = 10_000


@dataclass
class Counts:
    """What is to be written: redirects that answered, by id (how often, when last), and paths that were not found."""

    hits: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    missed: dict[str, Missed] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.hits or self.missed)


class Tally:
    """Counts redirects that answered and paths that were not found. Safe for threads; bounded: misses beyond are
    only counted in `left_out`, hits beyond not at all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts = Counts()
        self._left_out: Counter[str] = Counter({"noise": 0, "too many": 0})

    @property
    def left_out(self) -> Mapping[str, float]:
        """How many misses were not counted, by reason, since the start."""
        with self._lock:
            return dict(self._left_out)

    def hit(self, rule: str | None) -> None:
        """A redirect has answered."""
        if rule:
            with self._lock:
                self._add_hits(rule, 1, self._clock())

    def miss(self, path: str, *, locale: str | None = None, referrer: str | None = None, agent: str = "") -> bool:
        """A path was not found. False: it is noise, and not counted."""
        path = grouped(path)
        noise = is_noise(path, agent)
        with self._lock:
            if noise:
                self._left_out["noise"] += 1
            else:
                self._add_missed(path, Missed(1, self._clock(), locale, without_query(referrer)))
        return not noise

    def take(self) -> Counts:
        """All that is to be written; the tally begins anew."""
        with self._lock:
            taken, self._counts = self._counts, Counts()
            return taken

    def give_back(self, counts: Counts) -> None:
        """What could not be written is kept for the next time."""
        with self._lock:
            for rule, (more, at) in counts.hits.items():
                self._add_hits(rule, more, at)
            for path, missed in counts.missed.items():
                self._add_missed(path, missed)

    def _add_hits(self, rule: str, more: int, at: datetime) -> None:
        before = self._counts.hits.get(rule)
        if before is None and len(self._counts.hits) >= MOST_KEPT:
            return
        hits, last = before or (0, at)
        self._counts.hits[rule] = (hits + more, max(last, at))

    def _add_missed(self, path: str, more: Missed) -> None:
        known = self._counts.missed.get(path)
        if known is not None:
            known.hits += more.hits
            known.last_at = max(known.last_at, more.last_at)
            known.locale = more.locale or known.locale
            known.referrer = more.referrer or known.referrer
        elif len(self._counts.missed) >= MOST_KEPT:
            self._left_out["too many"] += more.hits
        else:
            self._counts.missed[path] = more
