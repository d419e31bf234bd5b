"""Imports as tests use them: lines to send, jobs waited for, and a job that found a conflict."""

import json
import time
from collections.abc import Mapping
from typing import Any

from tests.api.desk import Desk, data_of, fresh

LINES = "application/x-ndjson"
_PATIENCE = 30
RESTING = ("ready", "paused", "completed", "completed_with_errors", "failed", "cancelled", "rolled_back")


def lines(*rows: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def row(external_id: str, **given: Any) -> dict[str, Any]:
    return {"external_id": external_id, "title": f"Title of {external_id}", **given}


def rows(count: int, **given: Any) -> list[dict[str, Any]]:
    word = fresh()
    return [row(f"{word}{number}", **given) for number in range(count)]


def send(desk: Desk, content: bytes, *, name: str = "portal.jsonl", **form: str) -> dict[str, Any]:
    """A new import of one file; its job, analysed."""
    form = {"source": fresh("source"), **form}
    answer = desk.post("imports", files={"file": (name, content)}, data=form)
    return rested(desk, data_of(answer, 202))


def rested(desk: Desk, job: Mapping[str, Any]) -> dict[str, Any]:
    """The job when nobody works on it."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        now: dict[str, Any] = data_of(desk.get(f"imports/{job['id']}"))
        if now["state"] in RESTING:
            return now
        time.sleep(0.05)
    raise AssertionError(f"the import does not rest: {now}")


def order(desk: Desk, job: Mapping[str, Any], step: str, method: str = "PUT", **asked: Any) -> dict[str, Any]:
    """An order, and the job when it was carried out."""
    answer = desk.request(method, f"imports/{job['id']}/{step}", params=asked)
    assert answer.status_code in (200, 202), answer.text
    return rested(desk, answer.json()["data"])


def results(desk: Desk, job: Mapping[str, Any], **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(desk.get(f"imports/{job['id']}/rows", params={"page[size]": 100, **asked}))
    return found


def entry_of(desk: Desk, row: Mapping[str, Any]) -> dict[str, Any]:
    return desk.read({"id": row["entry"]})


def in_conflict(desk: Desk, count: int = 1, *, publish: bool = False) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A job that found rows changed which a person has changed, too; those entries."""
    source, articles = fresh("source"), rows(count, summary="Old")
    first = send(desk, lines(*articles), source=source, run="true")
    entries = [desk.change(entry_of(desk, one), summary="By hand") for one in results(desk, first)]
    changed = lines(*({**one, "summary": "New"} for one in articles))
    job = send(desk, changed, source=source, run="true", publish=str(publish).lower())
    assert (job["state"], job["counts"]["conflict"]) == ("completed_with_errors", count)
    return job, entries
