"""Delivery of published articles, nothing cached, beside a constant answer of the same size from the same server."""

import itertools
import multiprocessing
import socket
import statistics
import time
from pathlib import Path

import uvicorn
from fastapi import APIRouter, Response
from sqlalchemy import select

from api.app import create_app
from api.request_log import configure_logging
from api.settings import Settings
from api.starting import prepared
from benchmarks.figures import Figure
from cms.tables.publications import Publication

_ROUNDS = 5
_REQUESTS = 400


def run(data: Path) -> list[Figure]:
    """Serve a data folder that has articles, and ask on one connection, in turns, so that noise meets both alike."""
    settings = Settings(data=data)
    with prepared(settings) as parts, parts.database.reading() as session:
        ids = session.scalars(select(Publication.entry_id).where(Publication.type == "article").limit(1000)).all()
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    server = context.Process(target=_serve, args=(data, ids[0], sender), daemon=True)
    server.start()
    port = receiver.recv()
    try:
        return _figures(port, list(ids))
    finally:
        server.terminate()
        server.join()


def _figures(port: int, ids: list[str]) -> list[Figure]:
    articles = itertools.cycle([f"/delivery/v1/entries/{one}" for one in ids])
    lists = itertools.cycle([f"/delivery/v1/entries?page[size]=20&filter[id][ne]={one}" for one in ids])
    constant = itertools.repeat("/bench/constant")
    rates: dict[str, list[float]] = {"constant": [], "article": [], "list": []}
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(_ROUNDS):
            rates["constant"].append(_rate(connection, constant, _REQUESTS))
            rates["article"].append(_rate(connection, articles, _REQUESTS))
            rates["list"].append(_rate(connection, lists, _REQUESTS // 8))
    middle = {name: statistics.median(values) for name, values in rates.items()}
    ratio = middle["article"] / middle["constant"]
    return [
        Figure("delivery, constant answer, requests a second", f"{middle['constant']:.0f}", "the machine's own limit"),
        Figure("delivery, one article, not cached", f"{middle['article']:.0f}", ""),
        Figure("delivery, article to constant", f"{ratio:.2f}", "at least 0.25"),
        Figure("delivery, list of 20, not cached", f"{middle['list']:.0f}", ""),
    ]


def _rate(connection: socket.socket, paths: "itertools.repeat[str] | itertools.cycle[str]", count: int) -> float:
    started = time.perf_counter()
    for path in itertools.islice(paths, count):
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        _read_answer(connection)
    return count / (time.perf_counter() - started)


def _read_answer(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1]
    if status != b"200":
        raise RuntimeError(f"the server answered {head[:200]!r}")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)


def _serve(data: Path, sample: str, sender: "multiprocessing.connection.Connection") -> None:
    configure_logging(json=True, level="WARNING")
    with prepared(Settings(data=data)) as parts, socket.create_server(("127.0.0.1", 0)) as listening:
        app = create_app(parts)
        with parts.database.reading() as session:
            body = session.get_one(Publication, sample)
            size = len(str(body.rendered)) + 600
        constant = b"x" * size
        router = APIRouter()

        @router.get("/bench/constant")
        def answer() -> Response:
            return Response(constant, media_type="application/json")

        app.include_router(router)
        sender.send(listening.getsockname()[1])
        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listening])
