"""A front end and a Delivery API that answer what a test says, for a script that runs in a real browser."""

import json
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, Route

from api.assets import SOURCE

CMS = "https://cms.example.org"
FRONT = "https://www.example.org"

Json = dict[str, Any]


@dataclass
class Stub:
    """What the API has, what it was asked, and what it was told."""

    page: Page
    banners: list[Json] = field(default_factory=list)
    counters: list[Json] = field(default_factory=list)
    down: bool = False
    asked: list[str] = field(default_factory=list)
    told: list[Json] = field(default_factory=list)
    html: str = ""

    def install(self) -> "Stub":
        """Answer in the place of both hosts."""
        self.page.route(f"{FRONT}/**", lambda route: route.fulfill(content_type="text/html", body=self.html))
        self.page.route(f"{CMS}/**", self._answer)
        return self

    def show(self, *placements: str, path: str = "/", data: Json | None = None, script: str = "", **more: str) -> Page:
        """Open a page with placements. `script`: attributes of the script; `more`: those of all placements."""
        extra = "".join(f' data-{name}="{value}"' for name, value in more.items())
        slots = "".join(
            f'<div id="{one}" style="min-height: 50px" data-sitedesk-placement="{one}"{extra}></div>'
            for one in placements
        )
        given = json.dumps(data).replace("<", "\\u003c") if data is not None else ""
        inside = f'<script type="application/json" id="sitedesk-page">{given}</script>' if given else ""
        script = f'<script src="{CMS}/assets/sitedesk.js" {script} defer></script>'
        self.html = f"<!doctype html><html><head>{inside}{script}</head><body>{slots}</body></html>"
        self.page.goto(FRONT + path)
        return self.page

    def listen(self, count: int, kind: str | None = None) -> list[Json]:
        """So many events of banners, as soon as they have been told; all that were told if there are not so many."""
        for _ in range(100):
            if len(self.events(kind)) >= count:
                break
            self.page.wait_for_timeout(20)
        return self.events(kind)

    def events(self, kind: str | None = None) -> list[Json]:
        """What was told of banners."""
        every = [event for told in self.told for event in told.get("banners", [])]
        return [event for event in every if kind in (None, event["kind"])]

    def _answer(self, route: Route) -> None:
        call = route.request.url.removeprefix(CMS)
        free = {"Access-Control-Allow-Origin": "*"}
        if call == "/assets/sitedesk.js":
            route.fulfill(content_type="text/javascript", path=SOURCE)
        elif self.down:
            route.abort()
        elif call == "/delivery/v1/beacons":
            self.told.append(json.loads(route.request.post_data or ""))
            route.fulfill(status=202, json={}, headers=free)
        elif call.startswith("/delivery/v1/"):
            self.asked.append(call)
            data = self.banners if call.startswith("/delivery/v1/banners") else self.counters
            route.fulfill(json={"data": data, "meta": {}}, headers=free)
        else:
            route.fulfill(content_type="image/png", body=PIXEL)


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def banner(id: str = "b1", **given: Any) -> Json:
    """A banner of words, in `top`, as the Delivery API gives one."""
    return {
        "id": id,
        "revision": 1,
        "placement": "top",
        "house": False,
        "emergency": False,
        "creative": {"kind": "text", "text": id},
        "link": {"url": None, "go": None, "rel": "sponsored"},
        "starts_at": None,
        "ends_at": None,
        "zone": "Europe/Moscow",
        "days": [],
        "hours": [],
        "weight": 1,
        "priority": 0,
        "targeting": targeting(),
        "cap": None,
        "advertiser": None,
        "label": None,
        "erid": None,
        **given,
    }


def targeting(**given: list[str]) -> dict[str, list[str]]:
    """At whom a banner is aimed: everybody, but for what is given."""
    names = ("sections", "paths", "except_paths", "locales", "devices", "topics")
    return {**{name: [] for name in names}, **given}


def counter(category: str, code: str, **given: Any) -> Json:
    """A counter with code of its own."""
    return {
        "id": f"of {category}",
        "revision": 1,
        "title": category,
        "provider": "custom",
        "category": category,
        "position": "body_end",
        "code": code,
        "scripts": [],
        "noscript": None,
        "data": {},
        "csp": {},
        "consent": [],
        **given,
    }
