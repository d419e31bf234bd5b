"""Who waits for pictures that are being made: in threads of their own, so that all other answers go on."""

from collections.abc import Callable
from typing import TypeVar

import anyio

from api.problems import Problem

Made = TypeVar("Made")

# The work is done by child processes, two at a time; these wait for it.
_THREADS = 8
# A page with a hundred new pictures, and its first three visitors.
_MOST_WAITING = 300


class RenderTurns:
    """Work on pictures, in turn. What there is no room for is refused."""

    def __init__(self, *, threads: int = _THREADS, most_waiting: int = _MOST_WAITING) -> None:
        self._limiter = anyio.CapacityLimiter(threads)
        self._room = threads + most_waiting

    async def take(self, work: Callable[[], Made]) -> Made:
        """What the work gives, when its turn has come. Raises a 503 problem when too many wait."""
        # Counted here: those that come at the same moment do not wait for the limiter yet.
        if not self._room:
            said = "Too many pictures are being made at the moment. Try again shortly."
            raise Problem(503, "unavailable", said, headers={"Retry-After": "3"})
        self._room -= 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._room += 1
