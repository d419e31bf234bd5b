"""Slows down the guessing of passwords: five failed sign-ins in five minutes, for an account or from an address."""

import hashlib
import ipaddress
import math
import threading
import unicodedata
from collections import OrderedDict, deque

from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from cms.clock import Clock, system_clock

FAILURES = RateLimitItemPerMinute(5, 5, namespace="failures")
# Sign-ins that are still being decided are not failures yet: without this, a hundred at once would all be let through.
ATTEMPTS = RateLimitItemPerSecond(5, 10, namespace="attempts")
CAPACITY = 50_000


class Throttled(Exception):
    """Too many sign-ins have failed. `retry_after` is in seconds, at least 1."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many failed sign-ins: try again in {retry_after} s")
        self.retry_after = retry_after


class Throttle:
    """Asked before a password is hashed, told afterwards how it went. Safe for threads.

    Remembers at most `capacity` accounts and as many addresses, the latest; names and addresses are kept hashed.
    """

    def __init__(self, clock: Clock = system_clock, *, capacity: int = CAPACITY) -> None:
        self._clock = clock
        # Two memories, so that one who cycles through account names does not wash out the addresses.
        self._accounts = MovingWindowRateLimiter(BoundedMemory(clock, capacity))
        self._addresses = MovingWindowRateLimiter(BoundedMemory(clock, capacity))

    def check(self, account: str, address: str) -> None:
        """Raises `Throttled` when this account or this address has to wait."""
        self._refuse_unless(self._addresses, FAILURES, address_key(address))
        self._refuse_unless(self._accounts, FAILURES, _account_key(account))
        if not self._accounts.hit(ATTEMPTS, _account_key(account)):
            self._refuse_unless(self._accounts, ATTEMPTS, _account_key(account))

    def failed(self, account: str, address: str) -> None:
        """The password was wrong, or there is no such account."""
        self._accounts.hit(FAILURES, _account_key(account))
        self._addresses.hit(FAILURES, address_key(address))

    def succeeded(self, account: str, address: str) -> None:
        """Forgets the account's failures. Those of the address stay: one's own account must not wash them away."""
        self._accounts.clear(FAILURES, _account_key(account))
        self._accounts.clear(ATTEMPTS, _account_key(account))

    def _refuse_unless(
        self, limiter: MovingWindowRateLimiter, item: RateLimitItemPerMinute | RateLimitItemPerSecond, key: str
    ) -> None:
        reset, remaining = limiter.get_window_stats(item, key)
        if remaining < 1:
            raise Throttled(max(1, math.ceil(reset - self._clock().timestamp())))


def _account_key(account: str) -> str:
    """The same for every way of writing one name."""
    return _digest(unicodedata.normalize("NFKC", account[:1000]).strip().casefold())


def address_key(address: str) -> str:
    """The same for all addresses of one IPv6 network of 64 bits: whoever has one has them all."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return _digest(address[:1000])
    if ip.version == 4:
        return _digest(str(ip))
    mapped = ip.ipv4_mapped
    return _digest(str(mapped or ipaddress.ip_network((int(ip) >> 64 << 64, 64))))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class BoundedMemory(Storage, MovingWindowSupport):
    """A storage for `limits` in this process. The library's own forgets no key and has its own clock."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, capacity: int) -> None:
        super().__init__()
        self._clock = clock
        self._capacity = capacity
        self._entries: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with self._lock:
            now = self._clock().timestamp()
            entries = self._within(key, now - expiry)
            if len(entries) + amount > limit:
                return False
            entries.extend([now] * amount)
            self._keep(key, entries)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        with self._lock:
            now = self._clock().timestamp()
            entries = self._within(key, now - expiry)
            return (entries[0] if entries else now), len(entries)

    def _within(self, key: str, start: float) -> deque[float]:
        entries = self._entries.get(key, deque())
        while entries and entries[0] <= start:
            entries.popleft()
        return entries

    def _keep(self, key: str, entries: deque[float]) -> None:
        self._entries[key] = entries
        self._entries.move_to_end(key)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self.acquire_entry(key, len(self._entries.get(key, ())) + amount, expiry, amount)
        return self.get(key)

    def get(self, key: str) -> int:
        with self._lock:
            return len(self._entries.get(key, ()))

    def get_expiry(self, key: str) -> float:
        return self._clock().timestamp()

    def check(self) -> bool:
        return True

    def clear(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def reset(self) -> int:
        with self._lock:
            forgotten = len(self._entries)
            self._entries.clear()
            return forgotten

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError
