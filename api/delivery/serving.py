"""What a public request is served with. No more: what knows of drafts is out of its reach."""

from typing import Protocol

from starlette.requests import Request

from api.beacon_limit import BeaconLimit
from api.tally import Tally
from api.view_tally import ViewTally
from cms.clock import Clock
from cms.database import Database
from search_index import Engine


class PublicParts(Protocol):
    """Those parts of the application that the public may be served from."""

    @property
    def base(self) -> str: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def database(self) -> Database: ...
    @property
    def public_index(self) -> Engine: ...
    @property
    def beacons(self) -> BeaconLimit: ...
    @property
    def tally(self) -> Tally: ...
    @property
    def views(self) -> ViewTally: ...
    @property
    def secret(self) -> bytes: ...


def parts_of(request: Request) -> PublicParts:
    """The parts of the application that serves this request."""
    parts: PublicParts = request.app.state.parts
    return parts
