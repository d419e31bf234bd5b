"""What the server does between requests: the indexes follow the event log, the scheduler carries out what is due."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api import standing
from api.exporting import Exporter
from api.importing import Worker
from api.indexing import Follower
from api.parts import Parts
from cms import banner_views, missing_paths, redirect_rules, scheduling
from cms.errors import Refusal

log = structlog.get_logger("api.background")

# Other processes may commit, too: whoever is not told looks by itself. Seconds.
_LOOK = 0.5
# After a step: an index's commit costs the same for one entry as for a hundred, and a second is time enough.
_GATHER = 0.3
_AFTER_FAILURE = 5.0
# Hits of redirects and missing paths are written so often, together. Seconds.
_COUNTING = 3.0
# What banners' views were told is written within a second, with what `_LOOK` adds.
_VIEWS = 0.4
# Between two looks at whether a standing import is due. Seconds.
_ASKING = 1.0
# How long a thread that computes keeps others waiting: a request changes threads a dozen times, and with Python's usual
# 5 ms it would wait for each of them whenever a loop is at work. Seconds.
_TURN = 0.001


class Loop(threading.Thread):
    """A step that is done again while it says that there is more, then whenever it is woken, or after a while.

    `pause` is the least time between the last step and the next, in seconds."""

    def __init__(self, name: str, step: Callable[[], bool], *, pause: float = 0.0) -> None:
        super().__init__(name=name, daemon=True)
        self._step = step
        self._pause = pause
        self._woken = threading.Event()
        self._ending = threading.Event()

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def end(self) -> None:
        """Finish the step under way and stop."""
        self._ending.set()
        self._woken.set()
        self.join()

    def run(self) -> None:
        while not self._ending.is_set():
            self._woken.clear()
            if not self._has_more():
                self._ending.wait(self._pause)
                self._woken.wait(_LOOK)

    def _has_more(self) -> bool:
        try:
            return self._step()
        except Exception as error:
            # A loop that has ended would be missed much later. What is not done now is done then: the position moves
            # only with success.
            log.exception("background step failed", loop=self.name, error=str(error))
            self._ending.wait(_AFTER_FAILURE)
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


def write_counts(parts: Parts) -> bool:
    """Write what the public's reads left to be counted, in one transaction. False: that is all there is for now."""
    counts = parts.tally.take()
    if counts:
        try:
            with parts.database.writing() as session:
                redirect_rules.count(session, counts.hits)
                missing_paths.count(session, counts.missed)
        except BaseException:
            parts.tally.give_back(counts)
            raise
    return False


def write_views(parts: Parts) -> bool:
    """Write which views of banners were told, in one transaction, and now and then forget the oldest. False: that is
    all there is for now."""
    views = parts.views.take()
    if views:
        try:
            with parts.database.writing() as session:
                banner_views.count(session, views)
        except BaseException:
            parts.views.give_back(views)
            raise
    if parts.views.is_time_to_forget():
        with parts.database.writing() as session:
            banner_views.forget(session, today=parts.clock().date())
    return False


@contextmanager
def running(parts: Parts) -> Iterator[None]:
    """All that a server does between requests, until the block ends."""
    sys.setswitchinterval(_TURN)
    loops = [
        Loop("scheduler", partial(carry_out_next, parts)),
        Loop("tally", partial(write_counts, parts), pause=_COUNTING),
        Loop("standing", partial(standing.ask_next, parts), pause=_ASKING),
        Loop("views", partial(write_views, parts), pause=_VIEWS),
    ]
    with following(parts), _importing(parts), _exporting(parts), _looping(parts, loops):
        yield
    for write in (write_views, write_counts):
        try:
            write(parts)
        except SQLAlchemyError as error:
            # Figures are not worth a stop that fails.
            log.exception("the last counts were not written", error=str(error))


@contextmanager
def _importing(parts: Parts) -> Iterator[None]:
    """Import jobs are worked on, two at a time: a small one need not wait for a large one."""
    workers = [Worker(parts) for _ in range(2)]
    loops = [Loop(f"imports {number}", worker.advance) for number, worker in enumerate(workers, start=1)]
    with _looping(parts, loops):
        yield
    for worker in workers:
        worker.close()


@contextmanager
def _exporting(parts: Parts) -> Iterator[None]:
    """Exports are done, one after another."""
    exporter = Exporter(parts)
    with _looping(parts, [Loop("exports", exporter.step)]):
        yield
    exporter.close()


@contextmanager
def following(parts: Parts) -> Iterator[None]:
    """Both indexes follow the event log, until the block ends."""
    loops = [Loop(f"{follower.name} index", follower.follow, pause=_GATHER) for follower in parts.followers]
    with _looping(parts, loops):
        yield


@contextmanager
def _looping(parts: Parts, loops: list[Loop]) -> Iterator[None]:
    for loop in loops:
        parts.database.committed.append(loop.wake)
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            parts.database.committed.remove(loop.wake)
            loop.end()


def catch_up(parts: Parts) -> None:
    """Bring both indexes up to the newest event, here and now, whether or not loops are following."""
    # Side by side: while one waits for its commit, the other reads; and both analyse the same texts once.
    with ThreadPoolExecutor(len(parts.followers)) as pool:
        list(pool.map(_catch_up, parts.followers))


def _catch_up(follower: Follower) -> None:
    while follower.follow():
        pass
