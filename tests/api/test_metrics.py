"""What is counted, under which labels, and what is read when the figures are asked for."""

from collections.abc import Mapping

import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import DuplicateTimeseries
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from structlog.testing import capture_logs

from api.documentation import ASSETS
from api.metrics import MeasureRequests, Metrics
from api.problems import install_problem_handlers
from api.request_log import RequestLog
from tests.api.wire import Client


async def plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


def build() -> tuple[Client, Metrics]:
    app, metrics, router, inner = FastAPI(), Metrics(), APIRouter(prefix="/entries"), APIRouter(prefix="/{entry}")
    app.add_middleware(RequestLog)
    app.add_middleware(MeasureRequests, metrics=metrics)
    install_problem_handlers(app)

    @router.get("/{entry}")
    @inner.get("/revisions/{number}")
    def read(entry: str, number: int = 0) -> float:
        return figure(metrics, "http_requests_in_progress") or 0

    @router.get("/{entry}/bug")
    def bug(entry: str) -> None:
        raise RuntimeError

    router.include_router(inner)
    app.include_router(router, prefix="/editor/v1")
    app.router.routes.extend([Route("/plain", plain), Mount("/files", routes=[Route("/{name}", plain)])])
    app.mount("/assets", StaticFiles(directory=ASSETS))
    return Client(app), metrics


def figure(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/editor/v1/entries/7", "/editor/v1/entries/{entry}", 200),
        ("/editor/v1/entries/7/revisions/3", "/editor/v1/entries/{entry}/revisions/{number}", 200),
        ("/editor/v1/entries/7/bug", "/editor/v1/entries/{entry}/bug", 500),
        ("/plain", "/plain", 200),
        ("/files/a", "/files/{name}", 200),
        ("/assets/none", "/assets", 404),
        ("/wp-login.php", "unmatched", 404),
    ],
)
def test_requests_are_counted_by_the_routes_template(path: str, route: str, status: int) -> None:
    client, metrics = build()
    with capture_logs():
        assert client.get(path).status == status
    assert figure(metrics, "http_requests_total", method="GET", route=route, status=str(status)) == 1
    assert figure(metrics, "http_request_duration_seconds_count", method="GET", route=route) == 1


def test_methods_that_visitors_invent_share_one_series() -> None:
    client, metrics = build()
    for method in ("FOO", "BAR"):
        client.send(method, "/wp-login.php")
    assert figure(metrics, "http_requests_total", method="other", route="unmatched", status="404") == 2


def test_requests_in_progress_are_seen() -> None:
    client, metrics = build()
    assert client.get("/editor/v1/entries/7").body == b"1.0"
    assert figure(metrics, "http_requests_in_progress") == 0


def test_applications_do_not_share_their_figures() -> None:
    (client, _), (_, other) = build(), build()
    client.get("/plain")
    assert figure(other, "http_requests_total", method="GET", route="/plain", status="200") is None


def test_a_gauge_is_read_when_it_is_asked_for() -> None:
    metrics, lag = Metrics(), {"search": 3.0}
    metrics.watch("follower_lag", "Events behind.", lambda: lag, label="follower")
    lag["webhooks"] = 5
    assert figure(metrics, "follower_lag", follower="search") == 3
    assert figure(metrics, "follower_lag", follower="webhooks") == 5


def test_a_gauge_may_be_one_number() -> None:
    metrics = Metrics()
    metrics.watch("drafts", "Drafts.", lambda: 7)
    assert figure(metrics, "drafts") == 7


def test_a_gauge_that_fails_hides_no_other() -> None:
    def fail() -> Mapping[str, float]:
        raise OSError

    metrics = Metrics()
    metrics.watch("broken", "Never there.", fail)
    with capture_logs() as lines:
        assert b"http_requests_in_progress 0.0" in metrics.answer().body
    assert [line["gauge"] for line in lines] == ["broken"]


def test_a_gauges_name_is_taken_once() -> None:
    metrics = Metrics()
    metrics.watch("drafts", "Drafts.", lambda: 7)
    with pytest.raises(DuplicateTimeseries):
        metrics.watch("drafts", "Drafts.", lambda: 8)


def test_the_answer_can_be_parsed() -> None:
    client, metrics = build()
    client.get("/plain")
    answer = metrics.answer()
    families = {family.name for family in text_string_to_metric_families(bytes(answer.body).decode())}
    assert {"http_requests", "http_request_duration_seconds", "http_requests_in_progress"} <= families
    assert answer.headers["content-type"].startswith("text/plain; version=")


def test_a_scraper_may_ask_for_open_metrics() -> None:
    answer = Metrics().answer("application/openmetrics-text; version=1.0.0")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
