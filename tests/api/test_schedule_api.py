"""Publishing and unpublishing at an instant, by the running scheduler."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.desk import data_of, faults_of, refused
from tests.api.serving import Site


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def plan(site: Site, entry: dict[str, Any], **body: Any) -> dict[str, Any]:
    path = f"entries/{entry['id']}/schedule"
    planned: dict[str, Any] = data_of(site.publisher.call("PUT", path, seen=entry, json=body))
    return planned


def eventually(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def is_live(site: Site, entry: dict[str, Any]) -> bool:
    return site.visitor.get(f"entries/{entry['id']}").status_code == 200


def test_an_entry_goes_live_at_its_instant_and_down_at_its_end(site: Site) -> None:
    entry = site.editor.write()
    planned = plan(site, entry, publish_at=soon(1), unpublish_at=soon(2.5), zone="Europe/Moscow")
    assert (planned["state"], planned["schedule"]["zone"]) == ("scheduled", "Europe/Moscow")
    assert not is_live(site, entry)
    eventually(lambda: is_live(site, entry))
    assert site.reader.read(entry)["published_at"] >= planned["schedule"]["publish_at"]
    eventually(lambda: not is_live(site, entry))
    assert site.reader.read(entry)["schedule"] is None


def test_each_step_is_done_once_and_stamped_with_both_times(site: Site) -> None:
    entry = site.editor.write()
    planned = plan(site, entry, publish_at=soon(0.6), note="As agreed")
    eventually(lambda: is_live(site, entry))
    asked = {"filter[entry]": entry["id"], "filter[kind]": "entry.published"}
    (event,) = data_of(site.administrator.get("audit", params=asked))
    assert datetime.fromisoformat(event["details"]["planned_at"]) == datetime.fromisoformat(
        planned["schedule"]["publish_at"]
    )
    assert event["at"] >= planned["schedule"]["publish_at"]
    assert (event["by"]["id"], event["note"]) == ("scheduler", "As agreed")


def test_a_later_draft_is_not_published_unseen(site: Site) -> None:
    entry = site.editor.write(summary="Chosen")
    plan(site, entry, publish_at=soon(0.6))
    site.editor.change(entry, summary="Written later")
    eventually(lambda: is_live(site, entry))
    assert data_of(site.visitor.get(f"entries/{entry['id']}"))["fields"]["summary"] == "Chosen"


def test_an_answer_lives_no_longer_than_to_the_next_change(site: Site) -> None:
    other, entry = site.publisher.live(), site.editor.write()
    planned = plan(site, entry, publish_at=soon(20))
    cached = site.visitor.get(f"entries/{other['id']}").headers["cache-control"]
    assert int(cached.partition("max-age=")[2].partition(",")[0]) <= 20
    assert "stale-while-revalidate=0" in cached
    data_of(site.publisher.call("DELETE", f"entries/{entry['id']}/schedule", seen=planned))


def test_a_plan_can_be_taken_back(site: Site) -> None:
    entry = site.editor.write()
    planned = plan(site, entry, publish_at=soon(3600))
    cancelled = data_of(site.publisher.call("DELETE", f"entries/{entry['id']}/schedule", seen=planned))
    assert (cancelled["state"], cancelled["schedule"]) == ("draft", None)
    refused(site.publisher.call("DELETE", f"entries/{entry['id']}/schedule", seen=planned), 404, "not_found")


def test_an_end_alone_is_for_what_is_live(site: Site) -> None:
    draft = site.editor.write()
    answer = site.publisher.call("PUT", f"entries/{draft['id']}/schedule", seen=draft, json={"unpublish_at": soon(60)})
    assert faults_of(refused(answer, 422)) == {"/unpublish_at": "not_published"}
    live = site.publisher.live()
    assert plan(site, live, unpublish_at=soon(3600))["state"] == "published"


def test_an_end_says_what_the_path_answers(site: Site) -> None:
    entry = site.publisher.live()
    plan(site, entry, unpublish_at=soon(0.6), answer={"answer": "gone", "explanation": "Over"})
    eventually(lambda: not is_live(site, entry))
    found = data_of(site.visitor.get("resolve", params={"path": entry["path"]}))
    assert (found["kind"], found["explanation"]) == ("gone", "Over")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/publish_at"),
        ({"publish_at": "2020-01-01T00:00:00Z"}, "/publish_at"),
        ({"publish_at": "2099-01-01T00:00:00Z", "unpublish_at": "2098-01-01T00:00:00Z"}, "/unpublish_at"),
        ({"publish_at": "2099-01-01T00:00:00Z", "zone": "Mars/Olympus"}, "/zone"),
        ({"publish_at": "2099-01-01T00:00:00Z", "zone": "../../etc/passwd"}, "/zone"),
        ({"publish_at": "2099-01-01T00:00:00"}, "/publish_at"),
        ({"publish_at": "tomorrow"}, "/publish_at"),
        ({"publish_at": 4_102_444_800}, "/publish_at"),
        ({"publish_at": "9999-12-31T23:59:59-14:00"}, "/publish_at"),
        ({"publish_at": "0001-01-01T00:00:00+14:00"}, "/publish_at"),
        ({"publish_at": "2099-01-01T00:00:00Z", "answer": {"answer": "maybe"}}, "/answer/answer"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(site: Site, body: dict[str, Any], pointer: str) -> None:
    entry = site.editor.write()
    answer = site.publisher.call("PUT", f"entries/{entry['id']}/schedule", seen=entry, json=body)
    assert pointer in faults_of(refused(answer, 422, "invalid_body"))
    assert site.reader.read(entry)["schedule"] is None
