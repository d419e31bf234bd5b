"""How many beacons one address may send: enough for a busy front end, too few to fill a table."""

import math

from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from api.login_throttle import CAPACITY, BoundedMemory, address_key
from cms.clock import Clock

BEACONS = RateLimitItemPerMinute(120, namespace="beacons")


class BeaconLimit:
    """Remembers the latest addresses, hashed. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limiter = MovingWindowRateLimiter(BoundedMemory(clock, CAPACITY))

    def wait(self, address: str) -> int:
        """Seconds that this address has to wait; 0: it may send one now, and this is counted."""
        key = address_key(address)
        if self._limiter.hit(BEACONS, key):
            return 0
        reset, _ = self._limiter.get_window_stats(BEACONS, key)
        return max(1, math.ceil(reset - self._clock().timestamp()))
