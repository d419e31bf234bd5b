"""The Delivery API as this front end asks it: what it got last is kept and asked about by its ETag."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import httpx

_KEPT = 500
_PATIENCE = 5
# By its name a robot: what was not found is told by the browser of the visitor, which knows where that one came from.
_NAME = "sitedesk-example-bot/1.0"


class Unavailable(Exception):
    """The API does not answer, and nothing was kept from before."""


@dataclass(frozen=True)
class Answer:
    """What the API said: its status, and the JSON of its body."""

    status: int
    etag: str | None
    body: dict[str, Any]


class Cms:
    """Asks one Sitedesk. `url`: its address, without a slash at the end."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.AsyncClient(base_url=self.url, timeout=_PATIENCE, headers={"User-Agent": _NAME})
        self._kept: OrderedDict[str, Answer] = OrderedDict()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def page(self, path: str, locale: str | None) -> Answer:
        """All that the page at a path needs; 404 with suggestions. Raises `Unavailable`."""
        return await self._get("page", {"path": path, "locale": locale, "include": "cover,related"})

    async def counters(self, path: str) -> list[dict[str, Any]]:
        """The counters of a path where there is no page."""
        try:
            answer = await self._get("counters", {"path": path})
        except Unavailable:
            return []
        return answer.body["data"] if answer.status == 200 else []

    async def _get(self, call: str, given: dict[str, str | None]) -> Answer:
        address = str(httpx.URL(f"/delivery/v1/{call}", params={name: one for name, one in given.items() if one}))
        kept = self._kept.get(address)
        try:
            answer = await self._client.get(address, headers={"If-None-Match": kept.etag} if kept and kept.etag else {})
            if answer.status_code == 304 and kept is not None:
                return kept
            if answer.status_code >= 500:
                raise Unavailable(f"{answer.status_code} at {address}")
            return self._keep(address, Answer(answer.status_code, answer.headers.get("etag"), answer.json()))
        except (httpx.HTTPError, Unavailable, ValueError) as error:
            if kept is None:
                raise Unavailable(str(error)) from error
            # An old page is better than none.
            return kept

    def _keep(self, address: str, answer: Answer) -> Answer:
        if answer.status == 200:
            self._kept[address] = answer
            self._kept.move_to_end(address)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return answer
