"""Commands of this machine that write while the server runs: it does their work in its own process, as they ask.

Only who can read the data folder knows the token. What comes back is a line of JSON for each step."""

import hmac
from collections.abc import Iterator
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from api.commands import COMMANDS
from api.parts import Parts
from api.problems import Problem
from api.refusals import TABLE, problem_of

router = APIRouter(include_in_schema=False)


@router.post("/control/{command}")
def run_command(request: Request, command: str, arguments: dict[str, Any]) -> StreamingResponse:
    """Run a command and stream what it tells."""
    token: str | None = request.app.state.token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token is None or not hmac.compare_digest(given.encode(), token.encode()) or command not in COMMANDS:
        raise Problem(404, "not_found", "There is nothing at this address.")
    return StreamingResponse(_told(request.app.state.parts, command, arguments), media_type="application/x-ndjson")


def _told(parts: Parts, command: str, arguments: dict[str, Any]) -> Iterator[bytes]:
    try:
        for line in COMMANDS[command](parts, **arguments):
            yield orjson.dumps(line) + b"\n"
    except tuple(TABLE) as refusal:
        yield orjson.dumps({"refused": reason(refusal)}) + b"\n"


def reason(refusal: Exception) -> str:
    """A refusal in one line."""
    problem = problem_of(refusal)
    faults = "; ".join(f"{fault.pointer}: {fault.message}" for fault in problem.errors)
    return faults or problem.detail
