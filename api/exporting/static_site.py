"""The delivery API as files, for front ends that have no server behind them.

The application itself is asked, in this process, so that each file has the bytes that the server would send; what it
does not tell the public cannot be in any of them."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import orjson
from fastapi import FastAPI

from api.delivery import (
    banners,
    counters,
    entries,
    feeds,
    menus,
    page,
    redirects,
    sitemap,
    structure,
)
from api.delivery.feed_formats import FORMATS as FEED_FORMATS
from api.parts import Parts
from api.problems import install_problem_handlers
from api.refusals import install_refusal_handlers
from cms import site as site_settings
from cms.custom_types import site_types
from cms.delivery.live_structure import live_tree
from cms.export_formats import Exported, ExportFormat, ExportOptions, Made, Piece, Site

_ROOMS = (structure, menus, page, redirects, banners, counters, entries)
_API = "/delivery/v1"
# No slug has an @, so that no folder of a path is called as a file is.
_HERE = "@.json"
_LAYOUT = {
    "manifest.json": "this file",
    "entries/{id}.json": f"{_API}/entries/{{id}}",
    "lists/{type}/{locale}/{n}.json": f"{_API}/entries?type=&locale=, page n of 100; `links.next` is page n + 1",
    "page/{locale}/{path}/@.json": f"{_API}/page?path=&locale=",
    "resolve/{locale}/{path}/@.json": f"{_API}/resolve?path=&locale=",
    "structure/{locale}.json": f"{_API}/structure?locale=",
    "menus/{locale}/@.json": f"{_API}/menus?locale=",
    "menus/{locale}/{name}.json": f"{_API}/menus/{{name}}?locale=",
    "banners/{locale}.json": f"{_API}/banners?locale=",
    "redirects/{n}.json": f"{_API}/redirects, page n of 100",
    "media.jsonl": "the addresses of all files that are shown, one a line",
    "feeds/{name}.{rss|atom|json}": "as on the server",
    "sitemap.xml, sitemap-{n}.xml, robots.txt": "as on the server",
}


def format_of(parts: Parts) -> ExportFormat:
    """The format, for a site that runs."""
    return ExportFormat(
        "The public site as files: every answer of the delivery API as JSON, with feeds and sitemap",
        suffix="zip",
        media_type="application/zip",
        open=partial(_StaticSite, parts),
        folder=True,
        main="media.jsonl",
    )


class _StaticSite:
    """Asks for everything that a front end may ask for."""

    def __init__(self, parts: Parts, site: Site, options: ExportOptions) -> None:
        self._site = site
        self._ask = _Asking(parts)
        self._options = options

    def start(self) -> Iterator[Piece]:
        """Lists, the tree, menus, redirects, feeds, the sitemap and the sections' pages."""
        types = [name for name, of in sorted(site_types.all_of(self._site.session).items()) if not of.single]
        for locale in self._site.locales:
            yield from self._one(f"structure/{locale}.json", f"{_API}/structure", locale=locale)
            yield from self._one(f"banners/{locale}.json", f"{_API}/banners", locale=locale)
            yield from self._menus(locale)
            for name in types:
                yield from self._pages(f"lists/{name}/{locale}", f"{_API}/entries", type=name, locale=locale)
            tree = live_tree(self._site.session)
            for path in dict.fromkeys(["/", *(tree.path(one.id, locale=locale) for one in tree)]):
                if path is not None:
                    yield from self._at(path, locale)
        yield from self._pages("redirects", f"{_API}/redirects")
        yield from self._feeds(types)
        yield from self._sitemap()

    def entry(self, one: Exported) -> Iterator[Piece]:
        """A live entry, and the page at its path."""
        if one.published_revision is None:
            return
        answer = self._ask(f"{_API}/entries/{one.id}")
        if answer is None:
            return
        yield Made(f"entries/{one.id}.json", answer)
        told = orjson.loads(answer)["data"]
        if told["path"] is not None:
            yield from self._at(told["path"], told["locale"])
        for url in _files_in(told["fields"]):
            yield orjson.dumps({"entry": one.id, "url": url}, option=orjson.OPT_APPEND_NEWLINE)

    def end(self) -> Iterator[Piece]:
        """What the files are."""
        told = {"format": "static", "version": 1, "site": self._site.name, "url": self._site.url}
        told |= {"locales": list(self._site.locales), "default_locale": self._site.default_locale, "files": _LAYOUT}
        yield Made("manifest.json", orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    def _one(self, file: str, address: str, /, **query: str) -> Iterator[Piece]:
        answer = self._ask(address, **query)
        if answer is not None:
            yield Made(file, answer)

    def _at(self, path: str, locale: str) -> Iterator[Piece]:
        folder = f"{locale}/{path.strip('/')}".rstrip("/")
        yield from self._one(f"page/{folder}/{_HERE}", f"{_API}/page", path=path, locale=locale)
        yield from self._one(f"resolve/{folder}/{_HERE}", f"{_API}/resolve", path=path, locale=locale)

    def _pages(self, folder: str, address: str, /, **query: str) -> Iterator[Piece]:
        following: str | None = f"{address}?{urlencode({**query, 'page[size]': '100'})}"
        number = 0
        while following is not None:
            answer = self._ask(following)
            if answer is None:
                return
            number += 1
            yield Made(f"{folder}/{number}.json", answer)
            following = (orjson.loads(answer).get("links") or {}).get("next")

    def _menus(self, locale: str) -> Iterator[Piece]:
        answer = self._ask(f"{_API}/menus", locale=locale)
        if answer is None:
            return
        yield Made(f"menus/{locale}/{_HERE}", answer)
        for menu in orjson.loads(answer)["data"]:
            name = menu["name"]
            yield from self._one(f"menus/{locale}/{name}.json", f"{_API}/menus/{quote(name)}", locale=locale)

    def _feeds(self, types: list[str]) -> Iterator[Piece]:
        named = [feed.name for feed in site_settings.settings(self._site.session).feeds]
        for name in dict.fromkeys(["all", *named, *types]):
            for form in FEED_FORMATS:
                yield from self._one(f"feeds/{name}.{form}", f"/feeds/{quote(name)}.{form}")

    def _sitemap(self) -> Iterator[Piece]:
        yield from self._one("robots.txt", "/robots.txt")
        answer = self._ask("/sitemap.xml")
        if answer is None:
            return
        yield Made("sitemap.xml", answer)
        number = 1
        while b"<sitemapindex" in answer and (part := self._ask(f"/sitemap-{number}.xml")) is not None:
            yield Made(f"sitemap-{number}.xml", part)
            number += 1


def _files_in(value: Any) -> Iterator[str]:
    """The addresses of files among the values of a published entry's fields."""
    if isinstance(value, Mapping):
        if isinstance(value.get("sha256"), str) and isinstance(value.get("url"), str):
            yield value["url"]
        for inner in value.values():
            yield from _files_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _files_in(inner)


class _Asking:
    """The public side of the application, asked in this process."""

    def __init__(self, parts: Parts) -> None:
        app = FastAPI(openapi_url=None)
        app.state.parts = parts
        for room in _ROOMS:
            app.include_router(room.router, prefix=_API)
        for room in (sitemap, feeds):
            app.include_router(room.router)
        install_problem_handlers(app)
        install_refusal_handlers(app)
        self._app = app
        self._base = parts.base

    def __call__(self, address: str, /, **query: str) -> bytes | None:
        """The body of a 200 answer; None for what is not there."""
        url = f"{address}?{urlencode(query)}" if query else address
        return asyncio.run(self._asked(url))

    async def _asked(self, url: str) -> bytes | None:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url=self._base, trust_env=False) as client:
            answer = await client.get(url)
        return answer.content if answer.status_code == 200 else None
