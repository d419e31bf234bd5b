"""The example front end as visitors get it, and the desk behind it."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send

from api import sample
from api.settings import Settings
from cms.attribution import COMMAND_LINE, By
from examples.site.app import create_site
from tests.api.desk import data_of, fresh
from tests.api.serving import Site, running, serving

_PATIENCE = 8
T = TypeVar("T")


@dataclass
class Front:
    """`url` is where pages may not be kept, `kept_url` where browsers keep them for ten minutes. `asked` counts what
    came to either, by path."""

    url: str
    kept_url: str
    site: Site
    asked: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def banner(self, placement: str = "sidebar", *, path: str = "/**", **given: Any) -> Iterator[dict[str, Any]]:
        """A live banner that goes before all others at some paths, until the block ends. Of words, unless given."""
        creative = given.pop("creative", {"text": fresh("banner")})
        targeting = {"paths": [path]}
        desk = self.site.publisher
        made = desk.live("banner", creative=creative, placements=[placement], targeting=targeting, priority=50, **given)
        try:
            yield made
        finally:
            desk.take_down(desk.read(made))

    def statistics(self, banner: dict[str, Any], **expected: int) -> dict[str, int]:
        """What was counted of a banner, as soon as it is what was expected, or as it is after some seconds."""

        def read() -> dict[str, int]:
            rows = data_of(self.site.publisher.get(f"banners/{banner['id']}/statistics"))
            return {name: sum(row[name] for row in rows) for name in ("impressions", "viewable", "clicks")}

        return waited(read, lambda counted: counted.items() >= expected.items())


def waited(read: Callable[[], T], enough: Callable[[T], bool]) -> T:
    """What is read, as soon as it is enough, or as it is after some seconds."""
    deadline = time.monotonic() + _PATIENCE
    while not enough(found := read()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@contextmanager
def standing(data: Path) -> Iterator[Front]:
    """A Sitedesk with its sample site and two front ends before it."""
    with serving(Settings(data=data)) as site:
        sample.load(site.parts, by=By(COMMAND_LINE, site.parts.clock()))
        asked: Counter[str] = Counter()
        fresh_pages, kept_pages = create_site(site.url), create_site(site.url, max_age=600)
        with running(_counted(fresh_pages, asked)) as url, running(_counted(kept_pages, asked)) as kept_url:
            yield Front(url, kept_url, site, asked)


def _counted(app: ASGIApp, asked: Counter[str]) -> ASGIApp:
    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked[scope["path"]] += 1
        await app(scope, receive, send)

    return counted
