"""Which pages of other origins may read us: all of them what is public, none the Editor API."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No credentials go with it: the same answer for everybody.
_READABLE = ("/delivery/", "/assets/")

# On every answer, asked for by a page or not: caches keep one for all.
_READ = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Retry-After, X-Request-Id"),
)
_PREFLIGHT = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD, POST"),
    # All but credentials, which the asterisk leaves out.
    (b"access-control-allow-headers", b"*"),
    (b"access-control-max-age", b"86400"),
)


class PublicCors:
    """ASGI middleware. It stands before what refuses requests: a page must be able to read why it was refused."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].removeprefix(scope.get("root_path", "")).startswith(_READABLE):
            await self.app(scope, receive, send)
        elif _is_preflight(scope):
            await send({"type": "http.response.start", "status": 204, "headers": list(_PREFLIGHT)})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.app(scope, receive, _readable(send))


def _is_preflight(scope: Scope) -> bool:
    asked = any(name == b"access-control-request-method" for name, _ in scope["headers"])
    return asked and scope["method"] == "OPTIONS"


def _readable(send: Send) -> Send:
    async def send_readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_READ]}
        await send(message)

    return send_readable
