"""One line for each request, without secrets; an id and the security headers on each answer."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from structlog.testing import capture_logs

from api.problems import install_problem_handlers
from api.request_log import RequestLog, configure_logging, redact
from tests.api.wire import Answer, Client


def build() -> Client:
    app = FastAPI()
    app.add_middleware(RequestLog)
    install_problem_handlers(app)
    log = structlog.get_logger("test")

    @app.get("/hello")
    def hello(request: Request) -> dict[str, Any]:
        request.state.actor = "person:7"
        log.info("inside")
        return {"id": request.state.request_id}

    @app.get("/framed")
    def framed() -> Response:
        return Response("", headers={"X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "no-referrer"})

    @app.get("/healthz")
    def healthy(fail: bool = False) -> Response:
        return Response(status_code=503 if fail else 200)

    @app.get("/previews/{token}")
    def preview(token: str) -> str:
        return "ok"

    @app.get("/editor/bug")
    def bug() -> None:
        raise RuntimeError("internals")

    @app.get("/broken")
    def broken() -> Response:
        def pieces() -> Iterator[bytes]:
            yield b"half"
            raise RuntimeError("internals")

        return StreamingResponse(pieces())

    @app.get("/left")
    async def left() -> None:
        raise ClientDisconnect

    return Client(app)


client = build()


def logged(target: str, **headers: str) -> tuple[Answer, list[Any]]:
    with capture_logs() as lines:
        answer = client.get(target, **headers)
    return answer, lines


# ---- the id and the headers ------------------------------------------------------------------------------------------


def test_a_request_gets_an_id_that_the_route_and_the_answer_carry() -> None:
    first, second = client.get("/hello"), client.get("/hello")
    assert first.json["id"] == first.headers["x-request-id"] != second.headers["x-request-id"]


def test_an_id_that_comes_with_the_request_is_kept() -> None:
    assert client.get("/hello", x_request_id="proxy-1.2_3").json["id"] == "proxy-1.2_3"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "caf\xe9"])
def test_an_id_that_is_not_sane_is_replaced(given: str) -> None:
    assert client.get("/hello", x_request_id=given).json["id"] != given


def test_a_problem_carries_the_id() -> None:
    answer = client.get("/nowhere")
    assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_every_answer_has_the_security_headers() -> None:
    headers = client.get("/nowhere").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


def test_a_routes_own_headers_stay() -> None:
    headers = client.get("/framed").headers
    assert (headers["x-frame-options"], headers["referrer-policy"]) == ("SAMEORIGIN", "no-referrer")


# ---- the line --------------------------------------------------------------------------------------------------------


def test_a_request_is_one_line() -> None:
    answer, lines = logged("/hello?token=hunter2&q=1", authorization="Bearer hunter2", cookie="session=hunter2")
    line = lines[-1]
    assert {"method": "GET", "path": "/hello", "status": 200, "actor": "person:7"}.items() <= line.items()
    assert line["bytes"] == len(answer.body)
    assert "hunter2" not in str(lines)


def test_lines_in_between_carry_the_id_too(capsys: pytest.CaptureFixture[str], configured: None) -> None:
    answer = client.get("/hello")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["inside", "request"]
    assert {line["request_id"] for line in lines} == {answer.headers["x-request-id"]}


def test_a_token_in_a_path_is_not_logged() -> None:
    assert logged("/previews/hunter2")[1][-1]["path"] == "/previews/{token}"


def test_a_line_break_in_a_path_stays_encoded() -> None:
    assert logged("/x%0Ay")[1][-1]["path"] == "/x%0Ay"


def test_probes_are_logged_only_when_they_fail() -> None:
    assert logged("/healthz")[1] == []
    assert logged("/healthz?fail=1")[1][-1]["status"] == 503


def test_the_id_does_not_outlive_the_request() -> None:
    client.get("/hello")
    assert structlog.contextvars.get_contextvars() == {}


# ---- the unforeseen --------------------------------------------------------------------------------------------------


def test_a_bug_is_a_problem_and_one_traceback() -> None:
    answer, lines = logged("/editor/bug")
    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert answer.headers["cache-control"] == "private, no-store"
    assert b"internals" not in answer.body
    assert [(line["event"], line["log_level"]) for line in lines] == [("unhandled", "error"), ("request", "error")]


def test_an_answer_that_breaks_off_is_not_ended_as_if_whole() -> None:
    with capture_logs() as lines, pytest.raises(RuntimeError):
        client.get("/broken")
    assert {"unhandled", "request"} <= {line["event"] for line in lines}


def test_a_client_that_left_is_no_error() -> None:
    answer, lines = logged("/left")
    assert answer.status == 0
    assert [(line["event"], line["status"]) for line in lines] == [("abandoned request", None)]


def test_what_is_not_http_passes() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.complete"})

    sent: list[Any] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    asyncio.run(RequestLog(app)({"type": "lifespan"}, keep, keep))  # type: ignore[arg-type]
    assert sent


# ---- where lines go --------------------------------------------------------------------------------------------------


@pytest.fixture
def configured() -> Iterator[None]:
    yield from with_logging(json=True)


@pytest.fixture
def configured_for_people() -> Iterator[None]:
    yield from with_logging(json=False)


def with_logging(json: bool) -> Iterator[None]:
    root, access = logging.getLogger(), logging.getLogger("uvicorn.access")
    before, level = root.handlers, root.level
    configure_logging(json)
    yield
    root.handlers, access.disabled = before, False
    root.setLevel(level)
    structlog.reset_defaults()


def test_all_lines_go_to_standard_error_as_json(capsys: pytest.CaptureFixture[str], configured: None) -> None:
    structlog.get_logger().info("ours", who="Ольга")
    logging.getLogger("uvicorn.error").warning("theirs %s", 1)
    logging.getLogger("uvicorn.access").info("GET /?token=hunter2")
    captured = capsys.readouterr()
    ours, theirs = (json.loads(line) for line in captured.err.splitlines())
    assert (ours["event"], ours["who"], ours["level"]) == ("ours", "Ольга", "info")
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("theirs 1", "uvicorn.error", "warning")
    assert captured.out == ""


def test_a_traceback_is_logged_without_its_secrets(capsys: pytest.CaptureFixture[str], configured: None) -> None:
    try:
        raise RuntimeError("postgresql://sitedesk:hunter2@db/x refused Bearer hunter2-hunter2")
    except RuntimeError:
        structlog.get_logger().exception("failed")
        logging.getLogger("lib").exception("failed")
    captured = capsys.readouterr().err
    assert captured.count("Traceback") == 2
    assert "hunter2" not in captured


def test_lines_for_people_are_readable(capsys: pytest.CaptureFixture[str], configured_for_people: None) -> None:
    structlog.get_logger().info("ours", password="hunter2")
    logging.getLogger("lib").error("theirs")
    captured = capsys.readouterr().err
    assert "ours" in captured
    assert "theirs" in captured
    assert "hunter2" not in captured


def test_what_cannot_be_json_is_logged_all_the_same(capsys: pytest.CaptureFixture[str], configured: None) -> None:
    structlog.get_logger().info("odd", number=2**80, half="\ud800", thing=object())
    assert json.loads(capsys.readouterr().err)["number"] == 2**80


@pytest.mark.parametrize("name", ["password", "X-Api-Key", "api_key", "Cookie", "csrf_token", "client_secret"])
def test_secrets_are_hidden_by_name_at_any_depth(name: str) -> None:
    event = redact(None, "info", {"event": "x", name: "hunter2", "inside": [{name: "hunter2"}, ({name: 1},)]})
    assert "hunter2" not in str(event)
    assert event["inside"] == [{name: "[redacted]"}, [{name: "[redacted]"}]]


def test_credentials_inside_a_text_are_hidden() -> None:
    event = redact(None, "info", {"event": "sent Authorization: bearer abcdefgh.ijk-lmn ok", "author": "Olga"})
    assert event == {"event": "sent Authorization: bearer [redacted] ok", "author": "Olga"}
