"""The front end as an application: one route for all pages, which does what `/delivery/v1/page` says."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from examples.site import pages
from examples.site.cms import Cms, Unavailable

_STATIC = Path(__file__).parent / "static"
_LONGEST_LOCALE = 10


def create_site(cms_url: str, *, max_age: int = 0) -> Starlette:
    """A front end of the Sitedesk at an address. `max_age`: for how many seconds browsers may show a page again
    without asking; it is asked for each time by default, and not sent again when it is the same."""
    cms = Cms(cms_url)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await cms.close()

    site = Starlette(
        routes=[Mount("/static", StaticFiles(directory=_STATIC)), Route("/{path:path}", show)], lifespan=lifespan
    )
    site.state.cms = cms
    site.state.caching = f"public, max-age={max_age}" if max_age else "no-cache"
    return site


async def show(request: Request) -> Response:
    """What stands at a path, or that it cannot be told now."""
    try:
        return await _shown(request)
    except Unavailable:
        return _html(request, pages.unavailable(), 503, headers={"Retry-After": "30"})


async def _shown(request: Request) -> Response:
    """The page at a path, or where it leads, or that there is none."""
    cms: Cms = request.app.state.cms
    path = request.url.path
    locale = request.query_params.get("locale", "")[:_LONGEST_LOCALE] or None
    answer = await cms.page(path, locale)
    if answer.status != 200:
        return await _missing(request, cms, path, answer.body)
    page = answer.body["data"]
    if page["kind"] == "redirect":
        return RedirectResponse(page["to"], page["status"])
    shown = pages.gone if page["kind"] == "gone" else pages.page
    html = shown(page, answer.body.get("included") or {}, cms=cms.url)
    return _html(request, html, page["status"], counters=page["counters"])


async def _missing(request: Request, cms: Cms, path: str, problem: Mapping[str, Any]) -> Response:
    """Nothing is here: between what stands around the front page, what is near."""
    home = (await cms.page("/", None)).body["data"]
    counters = await cms.counters(path)
    return _html(request, pages.missing(home, problem, counters, cms=cms.url), 404, counters=counters)


def _html(
    request: Request,
    html: str,
    status: int,
    *,
    counters: Iterable[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    policy = content_security_policy(request.app.state.cms.url, counters)
    etag = f'"{hashlib.blake2b((policy + html).encode(), digest_size=16).hexdigest()}"'
    told = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    if status != 200:
        return HTMLResponse(html, status, {**told, "Cache-Control": "no-store"})
    told |= {"Cache-Control": request.app.state.caching, "ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(None, 304, told)
    return HTMLResponse(html, 200, told)


def content_security_policy(cms: str, counters: Iterable[Mapping[str, Any]]) -> str:
    """What a page may load: our own, what the Sitedesk serves, and what its counters say that they need."""
    allowed: dict[str, list[str]] = {
        "default-src": ["'none'"],
        "script-src": ["'self'", cms],
        "style-src": ["'self'"],
        # The colour that a picture has before it is there, and how HTML banners look.
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:", cms],
        "connect-src": [cms],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    for counter in counters:
        for directive, sources in counter["csp"].items():
            allowed[directive] = list(dict.fromkeys([*allowed.get(directive, ()), *sources]))
    return "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in allowed.items())
