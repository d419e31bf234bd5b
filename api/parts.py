"""The parts of one running Sitedesk, opened together and closed together."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from api import data_folder
from api.beacon_limit import BeaconLimit
from api.fetching import Fetcher
from api.indexing import PUBLIC, STAFF, Follower
from api.login_throttle import Throttle
from api.render_turns import RenderTurns
from api.resumable import Pieces
from api.settings import Settings
from api.tally import Tally
from api.view_tally import ViewTally
from cms.clock import Clock, system_clock
from cms.database import Database, open_database
from media.rendering import Renderer
from media.stores import Store, open_store
from search_index import Engine, open_engine


@dataclass(frozen=True)
class Parts:
    """What routes and commands work with."""

    settings: Settings
    clock: Clock
    database: Database
    store: Store
    renderer: Renderer
    turns: RenderTurns
    public_index: Engine
    staff_index: Engine
    followers: tuple[Follower, ...]
    throttle: Throttle
    beacons: BeaconLimit
    tally: Tally
    views: ViewTally
    secret: bytes
    pieces: Pieces
    fetcher: Fetcher

    @property
    def base(self) -> str:
        """The address under which the world sees this server."""
        return self.settings.base


@contextlib.contextmanager
def opened(settings: Settings, *, clock: Clock = system_clock) -> Iterator[Parts]:
    """All parts, for a process that holds the data folder. Creates no tables."""
    with contextlib.ExitStack() as stack:
        database = open_database(settings.database)
        stack.callback(database.close)
        public_index = open_engine(settings.search, name="public")
        stack.callback(public_index.close)
        staff_index = open_engine(settings.search, name="staff")
        stack.callback(staff_index.close)
        store = open_store(settings.media)
        renderer = Renderer(store)
        stack.callback(renderer.close)
        yield Parts(
            settings,
            clock,
            database,
            store,
            renderer,
            RenderTurns(),
            public_index,
            staff_index,
            (Follower(database, public_index, PUBLIC), Follower(database, staff_index, STAFF)),
            Throttle(clock),
            BeaconLimit(clock),
            Tally(clock),
            ViewTally(clock),
            data_folder.secret(settings.folder),
            pieces=Pieces(store.incoming / "pieces", clock),
            fetcher=Fetcher(),
        )
