"""One line of log for each request, under an id that the answer carries; and where all lines of log go.

Never in a line: the values of a query, credentials, bodies.
"""

import logging
import re
import secrets
import sys
from collections.abc import Collection, Mapping
from functools import lru_cache
from time import perf_counter
from typing import TextIO, cast

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.types import EventDict, Processor, WrappedLogger

from api.metrics import route_template
from api.problems import unhandled_problem

# Probes and scrapes come every few seconds and say nothing while they succeed.
QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
PATH_LENGTH = 500
ACTOR_LENGTH = 100

log = structlog.get_logger("api.request")

_sane_id = re.compile(rb"[A-Za-z0-9._-]{1,64}").fullmatch

_SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: under that browsers send `Origin: null` with forms, and the origin is what sign-in checks.
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"x-frame-options", b"DENY"),
)


class RequestLog:
    """ASGI middleware, the outermost: names the request, logs it, adds the security headers that the route has not
    set, and answers what nobody caught with a 500.

    Sets `state["request_id"]`; logs `state["actor"]` (a short name such as `person:<id>`) where a route set it.
    """

    def __init__(self, app: ASGIApp, *, quiet: Collection[str] = QUIET_PATHS) -> None:
        self.app = app
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        with structlog.contextvars.bound_contextvars(request_id=exchange.request_id):
            try:
                await self.app(scope, receive, exchange.send)
            except ClientDisconnect:
                # Nobody is left to be answered; the line of log says that no answer went out.
                pass
            except Exception as exc:  # noqa: BLE001 - an edge of the process; logged by fail()
                await exchange.fail(receive, exc)
            finally:
                self._write(exchange)

    def _write(self, exchange: "_Exchange") -> None:
        status = exchange.status
        if status and status < 400 and exchange.scope["path"] in self._quiet:
            return
        write = log.error if status and status >= 500 else log.info
        write("request" if status else "abandoned request", **exchange.facts())


class _Exchange:
    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self.request_id = _request_id(scope)
        self.status: int | None = None
        self._send = send
        self._bytes = 0
        self._started = perf_counter()
        scope.setdefault("state", {})["request_id"] = self.request_id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # A new list: a cached answer gives the same one every time.
            message = {**message, "headers": self._headers(message)}
        else:
            self._bytes += len(message.get("body", b""))
        await self._send(message)

    def _headers(self, message: Message) -> list[tuple[bytes, bytes]]:
        headers = list(message.get("headers", ()))
        present = {name.lower() for name, _ in headers}
        headers += [header for header in _SECURITY_HEADERS if header[0] not in present]
        headers.append((b"x-request-id", self.request_id.encode()))
        return headers

    async def fail(self, receive: Receive, exc: Exception) -> None:
        response = unhandled_problem(self.scope, exc)
        if self.status is None:
            await response(self.scope, receive, self.send)
            return
        # The answer has begun: only breaking off the connection tells the client that it is not whole.
        raise exc

    def facts(self) -> dict[str, object]:
        facts: dict[str, object] = {
            "method": self.scope["method"],
            "path": _shown_path(self.scope),
            "status": self.status,
            "ms": round((perf_counter() - self._started) * 1000, 2),
            "bytes": self._bytes,
        }
        actor = self.scope["state"].get("actor")
        return facts if actor is None else {**facts, "actor": str(actor)[:ACTOR_LENGTH]}


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _sane_id(value):
            return cast("bytes", value).decode()
    return secrets.token_hex(12)


def _shown_path(scope: Scope) -> str:
    # Still percent-encoded: a line break in a path must not begin a line of its own.
    path = scope.get("raw_path") or scope["path"].encode("unicode_escape")
    shown: str = path.decode("ascii", "backslashreplace")[:PATH_LENGTH]
    if any(_is_secret(name) for name in scope.get("path_params", ())):
        return route_template(scope)
    return shown


# ---- Where lines of log go -------------------------------------------------------------------------------------------


def configure_logging(json: bool, *, level: str = "INFO") -> None:
    """Sends every line of log, of structlog and of the standard library, to standard error: JSON, or for people to
    read. Run uvicorn with `log_config=None`, or it takes its own loggers back."""
    renderer = _json_renderer() if json else _people_renderer()
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Processor] = [structlog.processors.format_exc_info, redact, renderer]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _StandardError())),
    )
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    _route_standard_library(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name], processors=[without_meta, *ending]
        ),
        number,
    )


def _route_standard_library(formatter: logging.Formatter, level: int) -> None:
    handler = logging.StreamHandler(_StandardError())
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # uvicorn's access log repeats ours, with the values of the query.
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("httpx", "httpcore"):
        # They log whole addresses, with whatever a webhook's owner put there.
        logging.getLogger(name).setLevel(logging.WARNING)
    # Its plans and steps are no news to who starts a server.
    logging.getLogger("alembic").setLevel(logging.WARNING)


class _StandardError:
    """Standard error as it is at the moment of writing: it may be replaced after the loggers were made."""

    def write(self, text: str) -> int:
        try:
            return sys.stderr.write(text)
        except UnicodeEncodeError:
            # A terminal without the letters, or half a surrogate: logging must not fail the request.
            return sys.stderr.write(text.encode("ascii", "backslashreplace").decode())

    def flush(self) -> None:
        sys.stderr.flush()


def _json_renderer() -> Processor:
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def _people_renderer() -> Processor:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


_REDACTED = "[redacted]"
_secret_name = re.compile(r"passw|token|secret|authori[sz]ation|cookie|api_?key|csrf|credential", re.IGNORECASE).search
_BEARER = re.compile(r"\b(bearer|basic) +[\w.~+/=-]{8,}", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s:/@]*):[^\s/@]+(?=@)")
_REDACTION_DEPTH = 5


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: hides values with the name of a secret, bearer credentials and passwords in URLs."""
    return {name: _REDACTED if _is_secret(name) else _redacted(value) for name, value in event.items()}


@lru_cache(maxsize=1024)
def _is_secret(name: object) -> bool:
    return isinstance(name, str) and _secret_name(name.replace("-", "_")) is not None


def _redacted(value: object, depth: int = _REDACTION_DEPTH) -> object:
    if isinstance(value, str):
        # Most values in most lines are one plain word, and there is a line for every request.
        if " " not in value and "://" not in value:
            return value
        return _URL_PASSWORD.sub(rf"\1:{_REDACTED}", _BEARER.sub(rf"\1 {_REDACTED}", value))
    if depth == 0 or not isinstance(value, Mapping | list | tuple):
        return value
    if isinstance(value, Mapping):
        return {name: _REDACTED if _is_secret(name) else _redacted(item, depth - 1) for name, item in value.items()}
    return [_redacted(item, depth - 1) for item in value]
