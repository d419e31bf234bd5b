"""The shapes of answers: the envelope, and what lets caches and clients know whether they have it already."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

# How long a public answer may be kept, and shown again while it is being renewed. Seconds.
MAX_AGE = 60
STALE = 600

PRIVATE = {"Cache-Control": "private, no-store"}


def envelope(
    data: Any,
    *,
    meta: Mapping[str, Any] | None = None,
    included: Mapping[str, Any] | None = None,
    links: Mapping[str, Any] | None = None,
) -> bytes:
    """`{"data", "included", "meta", "links"}` as JSON; `included` and `links` only where they have a meaning."""
    body = {"data": data, "included": included, "meta": meta or {}, "links": links}
    return orjson.dumps({name: value for name, value in body.items() if value is not None})


def private(
    data: Any,
    *,
    status: int = 200,
    meta: Mapping[str, Any] | None = None,
    links: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer of the Editor API."""
    body = envelope(data, meta=meta, links=links)
    return Response(body, status, {**PRIVATE, **(headers or {})}, media_type="application/json")


def public(
    request: Request,
    body: bytes,
    *,
    tags: Iterable[str],
    now: datetime,
    next_change: datetime | None,
    last_modified: datetime | None = None,
    media_type: str = "application/json",
    ask_always: bool = False,
) -> Response:
    """An answer to the public, or 304 when the client has it. A scheduled change cuts its life short; with
    `ask_always`, whoever keeps it asks whether it still holds before each use."""
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = _kept(etag, tags, now=now, next_change=next_change, last_modified=last_modified)
    if ask_always:
        headers["Cache-Control"] = "public, no-cache"
    if has_it(request, etag):
        return Response(None, 304, headers)
    return Response(body, 200, headers, media_type=media_type)


def streamed(
    request: Request,
    body: Callable[[], Iterator[bytes]],
    *,
    state: object,
    tags: Iterable[str],
    now: datetime,
    next_change: datetime | None,
    media_type: str,
) -> Response:
    """A long answer to the public, made while it is sent; for a client that has it, it is not made. `state` differs
    whenever the body does."""
    etag = f'"{hashlib.blake2b(repr(state).encode(), digest_size=16).hexdigest()}"'
    headers = _kept(etag, tags, now=now, next_change=next_change, last_modified=None)
    if has_it(request, etag):
        return Response(None, 304, headers)
    return StreamingResponse(body(), 200, headers, media_type=media_type)


def soonest(*instants: datetime | None) -> datetime | None:
    """The first of some instants, of those that there are."""
    return min((one for one in instants if one is not None), default=None)


def _kept(
    etag: str, tags: Iterable[str], *, now: datetime, next_change: datetime | None, last_modified: datetime | None
) -> dict[str, str]:
    left = MAX_AGE + STALE if next_change is None else max(0, int((next_change - now).total_seconds()))
    age = min(MAX_AGE, left)
    headers = {
        "ETag": etag,
        # Stale answers end with the change, too: what has expired is not shown while it is asked about.
        "Cache-Control": f"public, max-age={age}, stale-while-revalidate={min(STALE, left - age)}",
        "Cache-Tag": ",".join(dict.fromkeys(tags)),
    }
    if last_modified is not None:
        headers["Last-Modified"] = format_datetime(last_modified, usegmt=True)
    return headers


def has_it(request: Request, etag: str) -> bool:
    """Whether the client has this answer already."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in known.split(","))


def revision_tag(number: int, folds: int) -> str:
    """The ETag of an entry: its revision's number, and how often an autosave has grown under it."""
    return f'"{number}.{folds}"' if folds else f'"{number}"'


def links(request: Request, cursor: str | None) -> dict[str, str | None]:
    """Where the next page is: this address with another cursor."""
    if cursor is None:
        return {"next": None}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "page[after]"]
    return {"next": f"{request.url.path}?{urlencode([*kept, ('page[after]', cursor)])}"}
