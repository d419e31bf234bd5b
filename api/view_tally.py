"""What front ends tell of banners, kept in memory until a loop writes it, half a second later.

A kill loses what was told since. Nothing is counted twice: what was told is known by a digest, here for as long as
there is room, and in the database for two days.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from cms.banner_views import Kind, View, Views
from cms.clock import Clock

# Until they are written; as many seconds of the most that is promised.
MOST_WAITING = 50_000
# Known to be told already, without asking the database.
MOST_KNOWN = 50_000
_FORGETTING = timedelta(minutes=1)
_LOOKING = timedelta(seconds=1)

Pairs = frozenset[tuple[str, str]]


class ViewTally:
    """What is to be counted of banners. Safe for threads; bounded: what is told beyond is a figure in `left_out`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[bytes, View] = {}
        self._known: dict[bytes, None] = {}
        self._left_out: Counter[str] = Counter({"robots": 0, "unknown": 0, "told before": 0, "too many": 0})
        self._forgot_at: datetime | None = None
        self._pairs: tuple[Pairs, datetime] | None = None

    @property
    def left_out(self) -> Mapping[str, float]:
        """How much of what was told was not counted, by reason, since the start."""
        with self._lock:
            return dict(self._left_out)

    def leave_out(self, reason: str, many: int = 1) -> None:
        """Something was told that is not to be counted."""
        with self._lock:
            self._left_out[reason] += many

    def add(self, kind: Kind, banner: str, placement: str, view: str) -> bool:
        """Something was told of a banner. False: it was told before, or there is no room; it is not counted."""
        said = f"{kind}\0{banner}\0{placement}\0{view}"
        digest = hashlib.blake2b(said.encode(), digest_size=16).digest()
        day = self._clock().date()
        with self._lock:
            if digest in self._known:
                self._left_out["told before"] += 1
                return False
            if len(self._waiting) >= MOST_WAITING:
                self._left_out["too many"] += 1
                return False
            self._waiting[digest] = View(kind, banner, placement, day)
            self._remember(digest)
            return True

    def pairs(self) -> Pairs | None:
        """The live banners, each with its placements, as they were within the last second; None: look again."""
        kept = self._pairs
        return kept[0] if kept is not None and self._clock() - kept[1] < _LOOKING else None

    def learn(self, pairs: Pairs) -> Pairs:
        """These are the live banners now."""
        self._pairs = (pairs, self._clock())
        return pairs

    def take(self) -> Views:
        """All that is to be written; the tally begins anew."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
            return taken

    def give_back(self, views: Views) -> None:
        """What could not be written is kept for the next time, though there be little room."""
        with self._lock:
            self._waiting = {**views, **self._waiting}

    def is_time_to_forget(self) -> bool:
        """Whether a while has passed since the database forgot what is old."""
        with self._lock:
            now = self._clock()
            if self._forgot_at is not None and now - self._forgot_at < _FORGETTING:
                return False
            self._forgot_at = now
            return True

    def _remember(self, digest: bytes) -> None:
        self._known[digest] = None
        if len(self._known) > MOST_KNOWN:
            # The oldest: dicts keep their order.
            del self._known[next(iter(self._known))]
