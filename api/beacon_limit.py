"""How much one address may tell: enough for an office or a small front end, too little to fill a table."""

import math
import threading
from collections import OrderedDict

from api.login_throttle import CAPACITY, address_key
from cms.clock import Clock

# Things told: one for each call, and one for each of what it tells. An address may tell so many at once, and regains
# so many a second. A front end that relays for all its visitors sends their addresses along (X-Forwarded-For).
AT_ONCE = 6_000
A_SECOND = 100


class BeaconLimit:
    """Remembers the latest addresses, hashed: what each may still tell, and since when. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, *, things: int = 1) -> int:
        """Seconds that this address has to wait; 0: it may tell so many things now, and they are counted."""
        key = address_key(address)
        now = self._clock().timestamp()
        with self._lock:
            left, since = self._left.get(key, (float(AT_ONCE), now))
            left = min(float(AT_ONCE), left + max(0.0, now - since) * A_SECOND)
            enough = left >= things
            self._left[key] = (left - things if enough else left, now)
            self._left.move_to_end(key)
            if len(self._left) > CAPACITY:
                self._left.popitem(last=False)
        return 0 if enough else max(1, math.ceil((things - left) / A_SECOND))
