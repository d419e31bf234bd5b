"""What the server does between requests: the indexes follow the event log, the scheduler carries out what is due."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.indexing import PUBLIC, STAFF, follow
from api.parts import Parts
from cms import scheduling
from cms.errors import Refusal
from search_index import IndexUnavailable

log = structlog.get_logger("api.background")

# Other processes may commit, too: whoever is not told looks by itself. Seconds.
_LOOK = 0.5
_AFTER_FAILURE = 5.0


class Loop(threading.Thread):
    """A step that is done again while it says that there is more, then whenever it is woken, or after a while."""

    def __init__(self, name: str, step: Callable[[], bool]) -> None:
        super().__init__(name=name, daemon=True)
        self._step = step
        self._woken = threading.Event()
        self._ended = False

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def end(self) -> None:
        """Finish the step under way and stop."""
        self._ended = True
        self._woken.set()
        self.join()

    def run(self) -> None:
        while not self._ended:
            self._woken.clear()
            if not self._did_something() and not self._ended:
                self._woken.wait(_LOOK)

    def _did_something(self) -> bool:
        try:
            return self._step()
        except (IndexUnavailable, SQLAlchemyError, OSError) as error:
            # What is not done now is done later: the position moves only with success.
            log.exception("background step failed", loop=self.name, error=str(error))
            if not self._ended:
                self._woken.wait(_AFTER_FAILURE)
            return False


def carry_out_next(parts: Parts) -> bool:
    """The one scheduled step that is due first, in one transaction. True: there may be another."""
    now = parts.clock()
    with parts.database.reading() as session:
        entry_id = scheduling.next_due(session, now=now)
    if entry_id is None:
        return False
    try:
        with parts.database.writing() as session:
            return scheduling.carry_out(session, entry_id, now=now)
    except Refusal as refusal:
        log.warning("a scheduled step was refused", entry=entry_id, reason=str(refusal))
        with parts.database.writing() as session:
            scheduling.note_failure(session, entry_id, refusal, now=now)
        return True


@contextmanager
def running(parts: Parts) -> Iterator[list[Loop]]:
    """All loops, woken by every commit of this process, until the block ends."""
    loops = [
        Loop("public index", partial(follow, parts.database, parts.public_index, PUBLIC)),
        Loop("staff index", partial(follow, parts.database, parts.staff_index, STAFF)),
        Loop("scheduler", partial(carry_out_next, parts)),
    ]
    for loop in loops:
        parts.database.committed.append(loop.wake)
        loop.start()
    try:
        yield loops
    finally:
        for loop in loops:
            parts.database.committed.remove(loop.wake)
            loop.end()


def catch_up(parts: Parts) -> None:
    """Bring both indexes up to the newest event, here and now: for commands that run without a server."""
    for engine, audience in ((parts.public_index, PUBLIC), (parts.staff_index, STAFF)):
        while follow(parts.database, engine, audience):
            pass
