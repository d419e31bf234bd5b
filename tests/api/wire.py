"""One request over bare ASGI: what goes in is given byte by byte, what comes out is kept with what was read of it."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

Ending = Literal["complete", "vanishes", "stalls"]


@dataclass
class Answer:
    """What the application sent. `status` is 0 where it sent nothing; `pieces_read` counts pieces of the body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces_read: int = 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Sends requests to one application. A body may come in pieces; after the last the client may vanish or stall."""

    app: ASGIApp

    def get(self, target: bytes | str, **headers: str) -> Answer:
        return self.send("GET", target, headers=headers)

    def post(self, target: bytes | str, body: object, **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", target, headers={"content_type": "application/json"} | headers, pieces=[content])

    def send(
        self,
        method: str,
        target: bytes | str,
        *,
        headers: dict[str, str] | None = None,
        pieces: Iterable[bytes] = (),
        ending: Ending = "complete",
    ) -> Answer:
        named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        if not isinstance(pieces, Sequence):
            named.append((b"transfer-encoding", b"chunked"))
        elif pieces and "content_length" not in (headers or {}):
            named.append((b"content-length", str(sum(map(len, pieces))).encode()))
        return asyncio.run(_exchange(self.app, _scope(method, target, named), pieces, ending=ending))


def _scope(method: str, target: bytes | str, headers: list[tuple[bytes, bytes]]) -> Scope:
    path, _, query = (target.encode() if isinstance(target, str) else target).partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ("192.0.2.1", 50_000),
        "server": ("site.test", 80),
    }


async def _exchange(app: ASGIApp, scope: Scope, pieces: Iterable[bytes], *, ending: Ending) -> Answer:
    answer = Answer()
    messages = _messages(pieces, ending)

    async def receive() -> Message:
        for message in messages:
            answer.pieces_read += 1
            return message
        if ending != "vanishes":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


def _messages(pieces: Iterable[bytes], ending: Ending) -> Iterator[Message]:
    for piece in pieces:
        yield {"type": "http.request", "body": piece, "more_body": True}
    if ending == "complete":
        yield {"type": "http.request", "body": b"", "more_body": False}
