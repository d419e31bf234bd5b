"""One layer before every route: caps what comes in and refuses what no route, database or index could take.

FastAPI alone answers 500 to 2^63, lone surrogates and deep JSON, and reads a body of any size.
"""

import asyncio
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.json_inspection import INTEGER_MAX, INTEGER_MIN, NUMBER_LENGTH, find_json_fault
from api.problems import Problem, problem_response
from cms.errors import Fault


@dataclass(frozen=True)
class Limits:
    """What a request may hold. Sizes in bytes."""

    json_bytes: int = 4 * 2**20
    json_depth: int = 64
    integer_min: int = INTEGER_MIN
    integer_max: int = INTEGER_MAX
    number_characters: int = NUMBER_LENGTH
    url_bytes: int = 8 * 2**10
    header_bytes: int = 255
    # For a whole JSON body; for a streamed one, between two pieces of it.
    body_seconds: int = 60


LIMITS = Limits()

_JSON_TYPES = frozenset({b"application/json", b"application/merge-patch+json"})
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Longer bodies are inspected in a thread, so that other requests go on.
_INLINE_BYTES = 64 * 2**10

_BODY_HEADERS = frozenset({b"content-type", b"content-length", b"content-encoding", b"transfer-encoding"})
_PRINTED_HEADERS = {
    b"if-match": "If-Match",
    b"idempotency-key": "Idempotency-Key",
    b"on-behalf-of": "On-Behalf-Of",
    b"for-request": "For-Request",
}
_printable = re.compile(rb"[ -~]*").fullmatch
_plain_url = re.compile(rb"[!-$&-~]*").fullmatch


class Boundary:
    """ASGI middleware. `streamed` maps path prefixes to the bytes that a body which is not JSON may have there; in them
    `*` stands for any one step. Such a body goes through as it comes; every other is read, inspected and handed on
    whole. To the paths `plain`, JSON may be sent as text/plain, as browsers do that shall not ask beforehand whether
    they may."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        streamed: Mapping[str, int] | None = None,
        plain: Collection[str] = (),
        limits: Limits = LIMITS,
    ) -> None:
        self.app = app
        self._plain = frozenset(plain)
        self.limits = limits
        self._streamed = tuple((_below(prefix), cap) for prefix, cap in (streamed or {}).items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].removeprefix(scope.get("root_path", "")) in self._plain:
            scope["headers"] = _with_json_named(scope["headers"])
        try:
            admitted = await self._admit(scope, receive)
        except Problem as problem:
            await problem_response(scope, problem)(scope, receive, send)
        except _Disconnected:
            return
        else:
            await self.app(scope, admitted, send)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        """What the application receives from, once all that can be judged beforehand is found good."""
        _check_url(scope, self.limits.url_bytes)
        headers = _check_headers(scope, self.limits.header_bytes)
        length = _declared_length(headers)
        if scope["method"] in _BODILESS:
            return self._capped(receive, length, self.limits.json_bytes) if length != 0 else receive
        cap = self._streaming_cap(scope["path"].removeprefix(scope.get("root_path", "")))
        if cap and not _reads_as_json(headers.get(b"content-type", b"")):
            return self._capped(receive, length, cap)
        body = await self._read(receive, length)
        if body:
            _check_media_type(headers)
            await self._inspect(body)
        return _replayed(body, receive)

    def _streaming_cap(self, path: str) -> int | None:
        return next((cap for below, cap in self._streamed if below.fullmatch(path)), None)

    def _capped(self, receive: Receive, length: int | None, cap: int) -> Receive:
        _check_length(length or 0, cap)
        return _CappedBody(receive, cap, self.limits.body_seconds).receive

    async def _read(self, receive: Receive, length: int | None) -> bytes:
        _check_length(length or 0, self.limits.json_bytes)
        capped = _CappedBody(receive, self.limits.json_bytes, None)
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                while not capped.complete:
                    message = await capped.receive()
                    if message["type"] != "http.request":
                        raise _Disconnected
                    body += message.get("body", b"")
        except TimeoutError:
            raise _too_slow(self.limits.body_seconds) from None
        return bytes(body)

    async def _inspect(self, body: bytes) -> None:
        if len(body) <= _INLINE_BYTES:
            fault = find_json_fault(body, depth=self.limits.json_depth)
        else:
            fault = await to_thread.run_sync(lambda: find_json_fault(body, depth=self.limits.json_depth))
        if fault and fault.code == "malformed_json":
            raise Problem(400, "malformed_json", fault.message)
        if fault:
            raise Problem(422, "unacceptable_json", fault.message, errors=[fault])


def _below(prefix: str) -> re.Pattern[str]:
    return re.compile(re.escape(prefix).replace(r"\*", "[^/]+") + "(?:/.*)?", re.DOTALL)


def _with_json_named(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The request's headers as if it had called its text JSON: from here on it is looked at as any other."""
    return [(name, _as_json(value) if name == b"content-type" else value) for name, value in headers]


def _as_json(content_type: bytes) -> bytes:
    essence, semicolon, parameters = content_type.partition(b";")
    return b"application/json" + semicolon + parameters if essence.strip().lower() == b"text/plain" else content_type


class _Disconnected(Exception):
    """The client went away before its body was here: there is nobody to answer."""


class _CappedBody:
    """A body on its way in, refused as soon as it is larger than the cap or stops coming."""

    def __init__(self, receive: Receive, cap: int, seconds: float | None) -> None:
        self._receive = receive
        self._cap = cap
        self._seconds = seconds
        self._size = 0
        self.complete = False

    async def receive(self) -> Message:
        # After its last piece a body is followed only by the news that the client has gone, which may take any time.
        if self.complete:
            return await self._receive()
        try:
            async with asyncio.timeout(self._seconds):
                message = await self._receive()
        except TimeoutError:
            raise _too_slow(self._seconds) from None
        self._size += len(message.get("body", b""))
        _check_length(self._size, self._cap)
        self.complete = not message.get("more_body", False)
        return message


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _check_url(scope: Scope, limit: int) -> None:
    path = scope.get("raw_path") or quote_from_bytes(scope["path"].encode("utf-8", "surrogatepass")).encode()
    query = scope.get("query_string", b"")
    if len(path) + len(query) > limit:
        raise Problem(400, "url_too_long", f"An address has at most {limit} bytes.")
    if not _plain_url(path) and (message := _address_fault(path)):
        raise Problem(400, "malformed_url", message)
    if not _plain_url(query):
        _check_parameters(query)


def _check_parameters(query: bytes) -> None:
    for pair in query.split(b"&"):
        if message := _address_fault(pair):
            name = unquote_to_bytes(pair.partition(b"=")[0]).decode("utf-8", "replace").replace("\0", "\ufffd")
            raise Problem(400, "malformed_url", message, errors=[Fault(f"?{name}", "malformed_url", message)])


def _address_fault(part: bytes) -> str | None:
    if not part.isascii() or not part.decode("ascii").isprintable():
        return "An address is ASCII; percent-encode everything else as UTF-8."
    try:
        text = unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        return "What is percent-encoded is UTF-8."
    return "An address holds no NUL character." if "\0" in text else None


def _check_headers(scope: Scope, limit: int) -> dict[bytes, bytes]:
    """Refuses headers that would be stored and cannot be; gives those that tell of the body."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _BODY_HEADERS:
            # The first of several, as FastAPI reads it: the two must not judge different types.
            found.setdefault(name, value)
        elif name in _PRINTED_HEADERS and (len(value) > limit or not _printable(value)):
            shown, message = _PRINTED_HEADERS[name], f"At most {limit} printable ASCII characters."
            raise Problem(400, "malformed_header", errors=[Fault(shown, "malformed_header", message)])
    return found


def _declared_length(headers: Mapping[bytes, bytes]) -> int | None:
    """Bytes of the body: 0 for none, None where only its end will tell."""
    if b"transfer-encoding" in headers:
        return None
    length = headers.get(b"content-length", b"0")
    if not length.isdigit():
        raise Problem(400, "malformed_header", "Content-Length is a number.")
    # int() of very many digits would take long, or fail.
    return int(length) if len(length) < 20 else sys.maxsize


def _check_length(length: int, cap: int) -> None:
    if length > cap:
        # Closing spares both sides the rest of the body.
        raise Problem(413, "body_too_large", f"The body has at most {cap} bytes.", headers=_CLOSE, limit=cap)


def _too_slow(seconds: float | None) -> Problem:
    return Problem(408, "body_timeout", f"The body did not arrive within {seconds} seconds.", headers=_CLOSE)


_CLOSE = {"Connection": "close"}


def _reads_as_json(content_type: bytes) -> bool:
    """Whether FastAPI would parse it as JSON, however it is spelt: then it must be inspected."""
    main, _, subtype = content_type.lower().partition(b";")[0].strip().partition(b"/")
    return main == b"application" and (subtype == b"json" or subtype.endswith(b"+json"))


def _check_media_type(headers: Mapping[bytes, bytes]) -> None:
    essence, _, parameters = headers.get(b"content-type", b"").lower().partition(b";")
    if essence.strip() not in _JSON_TYPES:
        accepted = {"Accept": ", ".join(sorted(name.decode() for name in _JSON_TYPES))}
        raise Problem(415, "unsupported_media_type", "A body here is application/json.", headers=accepted)
    charset = re.search(rb'charset\s*=\s*"?([^";\s]*)', parameters)
    if charset and charset[1] not in {b"utf-8", b"utf8"}:
        raise Problem(415, "unsupported_media_type", "JSON is UTF-8.")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Problem(415, "unsupported_media_type", "Send the body without a Content-Encoding.")
