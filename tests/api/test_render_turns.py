"""Who waits for pictures that are being made, and what becomes of those for whom there is no room."""

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import anyio
import httpx
import pytest

from api.app import create_app
from api.problems import Problem
from api.render_turns import RenderTurns
from media.rendering import Renderer
from media.stores import FolderStore
from tests.api.serving import Site
from tests.media.bytes_at_hand import picture


def test_work_is_done_in_turn_and_what_there_is_no_room_for_is_refused() -> None:
    turns, go, refusals = RenderTurns(threads=2, most_waiting=3), threading.Event(), list[Problem]()
    done: list[int] = []

    def work() -> None:
        go.wait(20)
        done.append(1)

    async def ask() -> None:
        try:
            await turns.take(work)
        except Problem as problem:
            refusals.append(problem)

    async def everybody() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            # Threads of all other work are free meanwhile.
            assert await anyio.to_thread.run_sync(lambda: "free") == "free"
            go.set()

    anyio.run(everybody)
    assert (len(done), len(refusals)) == (5, 3)
    told = refusals[0]
    assert (told.status_code, told.code, told.headers) == (503, "unavailable", {"Retry-After": "3"})


def test_a_failure_is_told_to_who_asked() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        anyio.run(RenderTurns().take, fail)


class FarStore(FolderStore):
    """A folder that behaves as if it were on another machine: no file of it can be served by its path."""

    def path(self, key: str) -> None:  # type: ignore[override]  # as the protocol has it
        super().path(key)

    def size(self, key: str) -> int:
        return (super().path(key)).stat().st_size

    def open(self, key: str) -> BinaryIO:
        return super().path(key).open("rb")


def test_bytes_of_a_remote_store_are_sent_on(site: Site, tmp_path: Path) -> None:
    entry = site.publisher.publish(site.editor.upload(picture("PNG", (300, 200))))
    file = entry["fields"]["file"]
    assert isinstance(site.parts.store, FolderStore)
    far = FarStore(site.parts.store.root)
    app = create_app(replace(site.parts, store=far, renderer=Renderer(far)))

    async def get(url: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://far") as client:
            return await client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    original = anyio.run(get, file["url"])
    near = site.anyone.get(file["url"])
    assert (original.content, original.headers["content-length"]) == (near.content, str(len(near.content)))
    for asked, start, stop in (("bytes=10-19", 10, 20), ("bytes=-7", len(near.content) - 7, len(near.content))):
        part = anyio.run(partial(get, file["url"], Range=asked))
        assert (part.status_code, part.content) == (206, near.content[start:stop])
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(near.content)}"
    other = anyio.run(partial(get, file["url"], Range="bytes=0-3", If_Range='"other"'))
    assert (other.status_code, other.content) == (200, near.content)
    assert anyio.run(partial(get, file["url"], Range=f"bytes={len(near.content)}-")).status_code == 416
    rendition = anyio.run(get, file["srcset"].split(" ")[0])
    assert rendition.status_code == 200
    assert int(rendition.headers["content-length"]) == len(rendition.content)
