"""What the server counts of itself, for Prometheus. Every application has its own registry."""

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Reading = float | Mapping[str, float]

UNMATCHED = "unmatched"
# A visitor may name any method: each would be a series of its own.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

log = structlog.get_logger("api.metrics")


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ("method", "route", "status")
        self._requests = Counter("http_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time from a request to the end of its answer.",
            labels[:2],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.in_progress = Gauge("http_requests_in_progress", "Requests being answered.", registry=self.registry)

    def watch(self, name: str, description: str, read: Callable[[], Reading], *, label: str | None = None) -> None:
        """A gauge that is read whenever the figures are asked for: one number, or with `label` one for each key."""
        self.registry.register(_Watched(name, description, read, label=label))

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts one answered request. Called after routing."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = route_template(scope)
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def answer(self, accept: str = "") -> Response:
        """The answer to `GET /metrics`, in the format that the scraper accepts."""
        encode, media_type = choose_encoder(accept)
        return Response(encode(self.registry), headers={"Content-Type": media_type, "Cache-Control": "no-store"})


class MeasureRequests:
    """ASGI middleware that counts and times every request. Outside `RequestLog`, so that it sees the 500s too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Where nothing is sent, the client has gone.
        status, started = 499, perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._metrics.in_progress.track_inprogress():
            try:
                await self.app(scope, receive, observed)
            finally:
                self._metrics.count(scope, status, perf_counter() - started)


def route_template(scope: Scope) -> str:
    """The path of the route that took the request, `/entries/{id}`, with the prefixes of its routers."""
    # In an included router the route itself does not know its prefix; FastAPI keeps the whole path beside it.
    context = scope.get("fastapi", {}).get("effective_route_context")
    found = getattr(context, "path_format", "") or getattr(scope.get("route"), "path", "")
    return _mount_path(scope) + found or _plain_path(scope) or UNMATCHED


def _mount_path(scope: Scope) -> str:
    # Mounts lengthen root_path, and keep what it was before.
    return str(scope["root_path"].removeprefix(scope["app_root_path"])) if "app_root_path" in scope else ""


def _plain_path(scope: Scope) -> str:
    """Of a route that is Starlette's own: it leaves only its endpoint in the scope."""
    if "endpoint" not in scope or "app" not in scope:
        return ""
    matches = (route.path for route in scope["app"].routes if getattr(route, "endpoint", None) is scope["endpoint"])
    return next(matches, "")


class _Watched(Collector):
    def __init__(self, name: str, description: str, read: Callable[[], Reading], *, label: str | None) -> None:
        self._name = name
        self._description = description
        self._read = read
        self._label = label

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return [self._family()]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = self._family()
        try:
            reading = self._read()
        except Exception:
            # One source that fails, a database that is down, must not hide the other figures just then.
            log.exception("gauge not readable", gauge=self._name)
            return [family]
        for key, value in reading.items() if isinstance(reading, Mapping) else [("", reading)]:
            family.add_metric([key] if self._label else [], value)
        return [family]

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self._name, self._description, labels=[self._label] if self._label else [])
