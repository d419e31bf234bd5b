"""`/go/…`: what a click on a banner passes through to be counted. It leads where the banner does, and nowhere else."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from urllib.parse import quote, urlsplit
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api import query
from api.delivery.bodies import VIEW_ID
from api.delivery.serving import PublicParts, parts_of
from api.problems import Problem
from cms import site
from cms.delivery import banners
from cms.delivery.live_structure import live_tree
from cms.delivery.noise import is_robot

router = APIRouter(tags=["delivery"])

_SIGNATURE = 9
_ID = 16
_LONGEST = 400


@router.get("/go/{token}", status_code=302, openapi_extra=query.takes("view"))
def follow_banner(request: Request, token: str) -> Response:
    """Count a click on a banner and lead to where it leads now. `view`: the id that its impression was told with;
    the same click is counted once."""
    view = query.only(request, "view").get("view")
    parts = parts_of(request)
    banner_id, placement = opened(parts.secret, token)
    with parts.database.reading() as session:
        banner = banners.live_banners(session).get(banner_id)
        url = banner and banners.destination(session, banner, tree=live_tree(session))
        absolute = url and site.settings(session).absolute(url) if url and url.startswith("/") else url
    if banner is None or not url:
        raise _nothing()
    if _counts(request, parts, view):
        # A click that came without a view is one of its own.
        parts.views.add("click", banner_id, placement, view or secrets.token_urlsafe(12))
    headers = {
        "Location": _in_ascii(absolute or url),
        "Cache-Control": "no-store",
        "Referrer-Policy": "strict-origin",
        "X-Robots-Tag": "noindex, nofollow",
    }
    return Response(None, 302, headers)


def token(secret: bytes, banner_id: str, placement: str) -> str:
    """What names a banner in a placement, signed so that nobody makes up another."""
    named = UUID(banner_id).bytes + placement.encode()
    return urlsafe_b64encode(_signature(secret, named) + named).decode().rstrip("=")


def opened(secret: bytes, token: str) -> tuple[str, str]:
    """The banner's id and the placement. Raises a 404 problem for a token that we did not make."""
    try:
        raw = urlsafe_b64decode(token[:_LONGEST] + "=" * (-len(token[:_LONGEST]) % 4))
        signature, named = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, _signature(secret, named)):
            raise _nothing()
        return str(UUID(bytes=named[:_ID])), named[_ID:].decode()
    except (NotBase64, ValueError):
        raise _nothing() from None


def _signature(secret: bytes, named: bytes) -> bytes:
    return hmac.digest(secret, b"go:" + named, hashlib.sha256)[:_SIGNATURE]


def _nothing() -> Problem:
    return Problem(404, "not_found", "This banner is not shown any more.", headers={"Cache-Control": "no-store"})


def _counts(request: Request, parts: PublicParts, view: str | None) -> bool:
    """Whether somebody clicked: no robot, no browser that looks ahead, and not one too many from an address."""
    ahead = request.headers.get("sec-purpose") or request.headers.get("purpose") or ""
    looked = "prefetch" in ahead or getattr(request.state, "head", False)
    fits = view is None or VIEW_ID.fullmatch(view) is not None
    if looked or not fits or is_robot(request.headers.get("user-agent", "")):
        return False
    return not parts.beacons.wait(request.client.host if request.client else "")


def _in_ascii(url: str) -> str:
    """An address as a header can hold it."""
    try:
        host = "" if url.startswith("/") else urlsplit(url).netloc
        before, _, behind = url.partition(host) if host and not host.isascii() else (url, "", "")
        if behind or before != url:
            url = before + host.encode("idna").decode() + behind
    except ValueError:
        # No host: such an address was taken once, or is one that cannot be written in ASCII.
        raise _nothing() from None
    return quote(url, safe=":/?#[]@!$&'()*+,;=%~")
