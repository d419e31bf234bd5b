"""Imports over HTTP: sent, analysed, tried, run, followed, decided and rolled back, with a result for every row."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from tests.api.desk import data_of, faults_of, fresh, refused
from tests.api.imports_at_hand import LINES, entry_of, in_conflict, lines, order, rested, results, row, rows, send
from tests.api.serving import Site

# --- from the upload to the report ---


def test_a_file_is_analysed_tried_and_run(site: Site) -> None:
    desk, articles = site.publisher, rows(3)
    job = send(desk, lines(*articles), publish="true")
    assert (job["state"], job["phase"], job["format"]) == ("ready", "analysis", "jsonl")
    assert job["analysis"]["entries"] == 3
    tried = order(desk, job, "dry-run")
    assert (tried["state"], tried["dry_run"]["made"]) == ("ready", 3)
    assert [one["dry"] for one in results(desk, job)] == [True] * 3
    run = order(desk, job, "run")
    assert (run["state"], run["counts"]["made"]) == ("completed", 3)
    made = results(desk, job, **{"filter[kind]": "entry"})
    assert [(one["outcome"], one["external_id"], one["line"]) for one in made] == [
        ("made", article["external_id"], number) for number, article in enumerate(articles, start=1)
    ]
    assert entry_of(desk, made[0])["published_revision"] == 1


def test_where_a_new_job_is_is_told(site: Site) -> None:
    answer = site.publisher.post("imports", files={"file": ("x.jsonl", lines(row("1")))}, data={"source": fresh()})
    job = data_of(answer, 202)
    assert answer.headers["location"] == f"/editor/v1/imports/{job['id']}"
    assert job["created"]["by"]["name"] == "Publisher"


def test_a_stream_of_lines_runs_at_once(site: Site) -> None:
    source, articles = fresh("source"), rows(5)
    pieces = (lines(one) for one in articles)
    asked = {"source": source, "type": "news", "publish": "true", "mapping": '{"headline": "title"}'}
    answer = site.publisher.post("imports", content=pieces, params=asked, headers={"Content-Type": LINES})
    job = rested(site.publisher, data_of(answer, 202))
    assert (job["state"], job["source"], job["counts"]["made"]) == ("completed", source, 5)
    assert job["options"]["mapping"] == {"headline": "title"}
    assert entry_of(site.publisher, results(site.publisher, job)[0])["type"] == "news"


def test_a_form_may_run_at_once(site: Site) -> None:
    assert send(site.publisher, lines(row(fresh())), run="true")["state"] == "completed"


def test_several_files_are_one_source(site: Site) -> None:
    page = "---\ntitle: {}\n---\nWords\n"
    word = fresh()
    files = [("file", (f"{word}/{name}.md", page.format(name).encode())) for name in ("one", "two")]
    answer = site.publisher.post("imports", files=files, data={"source": word})
    job = rested(site.publisher, data_of(answer, 202))
    assert (job["format"], job["analysis"]["entries"]) == ("markdown", 2)


def test_a_source_without_a_name_has_that_of_its_file(site: Site) -> None:
    name = fresh("portal")
    answer = site.publisher.post("imports", files={"file": (f"{name}.jsonl", lines(row("1")))})
    assert data_of(answer, 202)["source"] == name


def test_a_second_run_of_a_source_writes_nothing(site: Site) -> None:
    source, content = fresh("source"), lines(*rows(2))
    send(site.publisher, content, source=source, run="true")
    again = send(site.publisher, content, source=source, run="true")
    assert (again["state"], again["counts"]["same"]) == ("completed", 2)


def test_a_changed_row_tells_its_diff_before_it_comes_in(site: Site) -> None:
    source, article = fresh("source"), row(fresh(), summary="Old words")
    send(site.publisher, lines(article), source=source, run="true")
    job = send(site.publisher, lines({**article, "summary": "New words"}), source=source)
    order(site.publisher, job, "dry-run")
    [told] = results(site.publisher, job)
    assert (told["outcome"], [one["pointer"] for one in told["diff"]]) == ("changed", ["/fields/summary"])


def test_who_asked_for_it_is_told_on_every_revision(site: Site) -> None:
    person = site.publisher.person()
    headers = {"On-Behalf-Of": person["id"], "For-Request": "412"}
    answer = site.publisher.post(
        "imports",
        files={"file": ("x.jsonl", lines(row(fresh())))},
        data={"source": fresh(), "run": "true"},
        headers=headers,
    )
    job = rested(site.publisher, data_of(answer, 202))
    saved = entry_of(site.publisher, results(site.publisher, job)[0])["saved"]
    for told in (job["created"], saved):
        assert (told["on_behalf_of"]["id"], told["request"], told["by"]["name"]) == (person["id"], 412, "Publisher")


# --- options ---


def test_other_options_are_analysed_anew(site: Site) -> None:
    job = send(site.publisher, lines({"external_id": fresh(), "headline": "A headline"}))
    assert job["analysis"]["entries"] == 1 or job["analysis"]["problems"]["total"] == 1
    answer = site.publisher.patch(f"imports/{job['id']}", json={"mapping": {"headline": "title"}, "type": "news"})
    changed = rested(site.publisher, data_of(answer, 202))
    assert (changed["state"], changed["options"]["type"], changed["analysis"]["entries"]) == ("ready", "news", 1)


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({"type": "nonsense"}, {"/type": "unknown_type"}),
        ({"type": "image"}, {"/type": "not_imported"}),
        ({"locale": "xx"}, {"/locale": "unknown_locale"}),
        ({"publish": "yes"}, {"/publish": "not_a_boolean"}),
        ({"on_conflict": "fight"}, {"/on_conflict": "unknown_choice"}),
        ({"mapping": "{"}, {"/mapping": "malformed_json"}),
        ({"mapping": "[]"}, {"/mapping": "not_an_object"}),
        ({"format": "docx"}, {"/format": "unknown_format"}),
        ({"section": "nowhere"}, {"/section": "unknown_section"}),
        ({"nonsense": "1"}, {"/nonsense": "unknown_option"}),
    ],
)
def test_options_that_cannot_be_are_refused(site: Site, form: dict[str, str], faults: dict[str, str]) -> None:
    answer = site.publisher.post("imports", files={"file": ("x.jsonl", b"{}")}, data={"source": fresh(), **form})
    assert faults_of(refused(answer, 422, "invalid_body")) == faults


def test_the_known_formats_are_told(site: Site) -> None:
    told = {one["name"]: one for one in data_of(site.publisher.get("imports/formats"))}
    assert told["jsonl"]["mappable"] is True
    problem = refused(
        site.publisher.post("imports", files={"file": ("x", b"x")}, data={"source": fresh(), "format": "docx"}), 422
    )
    assert "markdown" in problem["errors"][0]["message"]


# --- hostile uploads ---


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/../../b", "..", "a\x01b", "x" * 300])
def test_a_name_that_leads_elsewhere_is_refused(site: Site, name: str) -> None:
    content = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nx\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = site.publisher.post("imports", content=content.encode(), headers=headers)
    assert "bad_name" in faults_of(refused(answer, 422)).values()


def test_two_files_of_one_name_are_refused(site: Site) -> None:
    files = [("file", ("a.md", b"1")), ("file", ("a.md", b"2"))]
    answer = site.publisher.post("imports", files=files, data={"source": fresh()})
    assert faults_of(refused(answer, 422)) == {"/file/1": "given_twice"}


def test_a_file_where_a_folder_is_is_refused(site: Site) -> None:
    files = [("file", ("a", b"1")), ("file", ("a/b", b"2"))]
    answer = site.publisher.post("imports", files=files, data={"source": fresh()})
    assert faults_of(refused(answer, 422)) == {"/file/1": "given_twice"}


def test_no_file_and_no_form_are_refused(site: Site) -> None:
    refused(site.publisher.post("imports", data={"source": "x"}), 415)
    answer = site.publisher.post("imports", files={"other": ("a", b"1")}, data={"source": "x"})
    assert faults_of(refused(answer, 422)) == {"/file": "missing"}
    refused(site.publisher.post("imports", json={"source": "x"}), 415)


def test_a_source_that_nobody_knows_fails_with_a_reason_and_no_more(site: Site) -> None:
    job = send(site.publisher, b"\x00\x01\x02nothing", name="nothing.bin")
    assert job["state"] == "failed"
    assert job["failure"]


def test_nothing_of_a_refused_upload_stays(site: Site) -> None:
    folder = site.parts.settings.folder / "imports"
    before = {one.name for one in folder.iterdir()} if folder.exists() else set()
    files = [("file", ("a.md", b"1")), ("file", ("a.md", b"2"))]
    refused(site.publisher.post("imports", files=files, data={"source": fresh()}), 422)
    assert {one.name for one in folder.iterdir()} - before <= {"incoming"}
    assert not [*(folder / "incoming").iterdir()]


# --- once and again ---


@pytest.mark.parametrize("as_stream", [True, False])
def test_the_same_upload_under_the_same_key_is_one_job(site: Site, as_stream: bool) -> None:
    key, source, content = {"Idempotency-Key": fresh()}, fresh("source"), lines(row(fresh()))

    def attempt(said: bytes) -> httpx.Response:
        if as_stream:
            headers = {**key, "Content-Type": LINES}
            return site.publisher.post("imports", content=said, params={"source": source}, headers=headers)
        return site.publisher.post("imports", files={"file": ("x.jsonl", said)}, data={"source": source}, headers=key)

    first, second = attempt(content), attempt(content)
    assert data_of(first, 202)["id"] == data_of(second, 202)["id"]
    assert second.headers["idempotency-replayed"] == "true"
    refused(attempt(content + b"\n"), 422, "idempotency_key_reused")
    rested(site.publisher, data_of(first, 202))


# --- states ---


def test_what_cannot_be_done_now_tells_what_can(site: Site) -> None:
    desk, job = site.publisher, send(site.publisher, lines(row(fresh())))
    at = f"imports/{job['id']}"
    assert "ready" in refused(desk.put(f"{at}/pause"), 409, "cannot_pause")["detail"]
    refused(desk.delete(f"{at}/pause"), 409, "cannot_resume")
    refused(desk.put(f"{at}/rollback"), 409, "cannot_rollback")
    assert order(desk, job, "cancellation")["state"] == "cancelled"
    refused(desk.put(f"{at}/run"), 409, "cannot_run")
    refused(desk.put(f"{at}/cancellation"), 409, "cannot_cancel")
    refused(desk.patch(at, json={"publish": True}), 409, "has_run")
    refused(desk.put(f"{at}/decisions", json={"decision": "keep"}), 409, "not_decidable")


def test_a_job_that_nobody_has_is_not_found(site: Site) -> None:
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("PUT", "/dry-run"),
        ("PUT", "/run"),
        ("PUT", "/pause"),
        ("DELETE", "/pause"),
        ("PUT", "/cancellation"),
        ("PUT", "/rollback"),
        ("GET", "/rows"),
        ("GET", "/refused"),
        ("GET", "/events"),
    ):
        body = {"publish": True} if method == "PATCH" else None
        refused(site.publisher.request(method, f"imports/nonsense{path}", json=body), 404, "not_found")


def test_only_who_may_import_sees_or_orders_anything(site: Site) -> None:
    job = send(site.publisher, lines(row(fresh())))
    for desk in (site.reader, site.author, site.editor):
        refused(desk.get("imports"), 403, "forbidden")
        refused(desk.get(f"imports/{job['id']}"), 403, "forbidden")
        refused(desk.put(f"imports/{job['id']}/run"), 403, "forbidden")
        refused(desk.post("imports", files={"file": ("x.jsonl", b"{}")}), 403, "forbidden")
    refused(site.stranger.post("imports", files={"file": ("x.jsonl", b"{}")}), 401)


def test_a_key_for_one_type_imports_that_type_alone(site: Site) -> None:
    key = site.key("publisher", "read", "import:news")
    files = {"file": ("x.jsonl", lines(row(fresh())))}
    rested(site.publisher, data_of(key.post("imports", files=files, data={"source": fresh(), "type": "news"}), 202))
    refused(key.post("imports", files=files, data={"source": fresh(), "type": "article"}), 403, "forbidden")
    form = {"source": fresh(), "type": "news", "publish": "true"}
    refused(key.post("imports", files=files, data=form), 403, "forbidden")


def test_jobs_are_listed_and_found(site: Site) -> None:
    jobs = [send(site.publisher, lines(row(fresh()))) for _ in range(2)]
    found = data_of(site.publisher.get("imports", params={"page[size]": 2}))
    assert {one["id"] for one in found} >= {jobs[1]["id"]}
    asked = {"filter[source]": jobs[0]["source"], "filter[state]": "ready"}
    assert [one["id"] for one in data_of(site.publisher.get("imports", params=asked))] == [jobs[0]["id"]]
    assert data_of(site.publisher.get("imports", params={"filter[source]": "nobody"})) == []


def test_a_job_that_is_removed_leaves_its_entries(site: Site) -> None:
    job = send(site.publisher, lines(row(fresh())), run="true")
    [made] = results(site.publisher, job)
    folder = site.parts.settings.folder / "imports" / job["id"]
    assert folder.exists()
    assert site.publisher.delete(f"imports/{job['id']}").status_code == 204
    refused(site.publisher.get(f"imports/{job['id']}"), 404)
    assert not folder.exists()
    assert entry_of(site.publisher, made)["state"] == "draft"


# --- rows ---


def test_rows_come_as_csv_that_no_spreadsheet_carries_out(site: Site) -> None:
    job = send(site.publisher, lines(row("=1+1"), {"external_id": fresh()}), run="true")
    assert job["state"] == "completed_with_errors"
    at = f"imports/{job['id']}/rows"
    for answer in (
        site.publisher.get(at, params={"format": "csv"}),
        site.publisher.get(at, headers={"Accept": "text/csv"}),
    ):
        assert answer.headers["content-type"].startswith("text/csv")
        told = list(csv.DictReader(io.StringIO(answer.text)))
        assert [one["outcome"] for one in told] == ["made", "refused"]
        assert told[0]["external_id"] == "'=1+1"
        assert told[1]["reason"]
    asked = {"format": "csv", "filter[outcome]": "refused"}
    assert len(site.publisher.get(at, params=asked).text.splitlines()) == 2
    refused(site.publisher.get(at, params={"format": "csv", "filter[nonsense]": "1"}), 400, "unknown_field")


def test_rows_come_in_pages(site: Site) -> None:
    job = send(site.publisher, lines(*rows(5)), run="true")
    at, seen = f"/editor/v1/imports/{job['id']}/rows?page[size]=2", []
    while at:
        answer = site.anyone.get(at, headers=dict(site.publisher.headers))
        seen += [one["number"] for one in data_of(answer)]
        at = answer.json()["links"]["next"]
    assert seen == [1, 2, 3, 4, 5]


def test_refused_rows_are_mended_and_sent_again_alone(site: Site) -> None:
    source, good, bad = fresh("source"), row(fresh()), {"external_id": fresh(), "words": "No title"}
    job = send(site.publisher, lines(good, bad), source=source, run="true")
    answer = site.publisher.get(f"imports/{job['id']}/refused")
    assert answer.headers["content-type"].startswith(LINES)
    [told] = [json.loads(line) for line in answer.text.splitlines()]
    assert told["external_id"] == bad["external_id"]
    mended = send(site.publisher, lines({**bad, "title": "Mended"}), source=source, run="true")
    assert (mended["state"], mended["counts"]["made"]) == ("completed", 1)


def test_refused_rows_of_a_table_come_with_its_header(site: Site) -> None:
    word = fresh()
    head, good, bad = "id;title;summary", f"{word}1;A title;Words", f"{word}2;;No title"
    job = send(site.publisher, "\r\n".join([head, good, bad, ""]).encode(), name="portal.csv")
    assert job["format"] == "csv"
    for at_rest in (job, order(site.publisher, job, "dry-run"), order(site.publisher, job, "run")):
        answer = site.publisher.get(f"imports/{at_rest['id']}/refused")
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.text.splitlines() == [head, bad]
    mended = send(site.publisher, answer.text.replace(";;", ";A title;").encode(), name="portal.csv", run="true")
    assert (mended["state"], mended["counts"]["made"]) == ("completed", 1)


def test_refused_rows_of_files_are_told_as_lines(site: Site) -> None:
    good, bad = b"---\ntitle: A\n---\nX\n", b"---\ntitle: [\n---\nX\n"
    files = [("file", ("good.md", good)), ("file", ("bad.md", bad))]
    answer = site.publisher.post("imports", files=files, data={"source": fresh(), "run": "true"})
    job = rested(site.publisher, data_of(answer, 202))
    [told] = [json.loads(line) for line in site.publisher.get(f"imports/{job['id']}/refused").text.splitlines()]
    assert (told["file"], bool(told["refused"])) == ("bad.md", True)


def test_a_job_without_refused_rows_has_an_empty_file(site: Site) -> None:
    job = send(site.publisher, lines(row(fresh())), run="true")
    assert site.publisher.get(f"imports/{job['id']}/refused").content == b""


# --- following ---


def followed(answer: httpx.Response) -> Iterable[tuple[str, dict[str, Any]]]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_several_follow_a_job_to_its_end(site: Site) -> None:
    form = {"source": fresh("source"), "run": "true"}
    job = data_of(site.publisher.post("imports", files={"file": ("x.jsonl", lines(*rows(20)))}, data=form), 202)
    at = f"imports/{job['id']}/events"
    with site.publisher.stream("GET", at) as first, site.key("publisher").stream("GET", at) as second:
        for answer in (first, second):
            assert answer.headers["content-type"].startswith("text/event-stream")
            told = list(followed(answer))
            assert [name for name, _ in told][-1] == "end"
            assert told[-1][1]["state"] == "completed"
            assert told[-1][1]["counts"]["made"] == 20


def test_who_goes_away_is_not_waited_for(site: Site) -> None:
    job = send(site.publisher, lines(row(fresh())))
    with site.publisher.stream("GET", f"imports/{job['id']}/events") as answer:
        next(iter(answer.iter_bytes()))
    assert data_of(site.publisher.get(f"imports/{job['id']}"))["state"] == "ready"


# --- conflicts ---


@pytest.mark.parametrize(
    ("decision", "summary", "live"), [("keep", "By hand", None), ("overwrite", "New", 3), ("draft", "New", None)]
)
def test_a_conflict_is_decided(site: Site, decision: str, summary: str, live: int | None) -> None:
    job, [entry] = in_conflict(site.publisher, publish=True)
    [told] = results(site.publisher, job, **{"filter[outcome]": "conflict"})
    assert (told["entry"], told["before"], told["code"]) == (entry["id"], 2, "stale")
    at = f"imports/{job['id']}/rows/{told['number']}/decision"
    decided = data_of(site.publisher.call("PUT", at, seen=entry, json={"decision": decision}))
    assert decided["decision"] == decision
    now = site.publisher.read(entry)
    assert (now["fields"]["summary"], now["published_revision"]) == (summary, live)


def test_a_decision_names_what_was_seen(site: Site) -> None:
    job, [entry] = in_conflict(site.publisher)
    at = f"imports/{job['id']}/rows/1/decision"
    refused(site.publisher.put(at, json={"decision": "overwrite"}), 428)
    site.publisher.change(entry, summary="Once more")
    refused(site.publisher.call("PUT", at, seen=entry, json={"decision": "overwrite"}), 412, "stale")
    refused(site.publisher.call("PUT", at, seen=entry, json={"decision": "fight"}), 422)
    nowhere = f"imports/{job['id']}/rows/99/decision"
    refused(site.publisher.call("PUT", nowhere, seen=entry, json={"decision": "keep"}), 404)


def test_what_was_kept_is_no_conflict_until_the_row_changes(site: Site) -> None:
    job, [entry] = in_conflict(site.publisher)
    data_of(site.publisher.put(f"imports/{job['id']}/decisions", json={"decision": "keep"}))
    [told] = results(site.publisher, job)
    same = lines(row(told["external_id"], summary="New"))
    assert send(site.publisher, same, source=job["source"], run="true")["counts"]["same"] == 1
    other = lines(row(told["external_id"], summary="Newer"))
    assert send(site.publisher, other, source=job["source"], run="true")["counts"]["conflict"] == 1
    assert site.publisher.read(entry)["fields"]["summary"] == "By hand"


def test_all_conflicts_are_decided_but_those_that_were_changed_since(site: Site) -> None:
    job, entries = in_conflict(site.publisher, 3)
    site.publisher.change(entries[1], summary="Once more")
    at = f"imports/{job['id']}/decisions"
    one = data_of(site.publisher.put(at, json={"decision": "overwrite", "rows": [1]}))
    assert one == {"decided": 1, "refused": [], "remaining": 2}
    none = data_of(site.publisher.put(at, json={"decision": "keep", "rows": [1, 77]}))
    assert [(one["number"], one["code"]) for one in none["refused"]] == [(1, "no_conflict"), (77, "no_conflict")]
    told = data_of(site.publisher.put(at, json={"decision": "overwrite"}))
    assert (told["decided"], told["remaining"]) == (1, 1)
    assert [(one["number"], one["code"]) for one in told["refused"]] == [(2, "stale")]
    summaries = [site.publisher.read(one)["fields"]["summary"] for one in entries]
    assert summaries == ["New", "Once more", "New"]


# --- rollback ---


def test_a_rollback_is_confirmed_and_leaves_what_people_did(site: Site) -> None:
    desk = site.publisher
    job = send(desk, lines(*rows(3)), run="true", publish="true")
    made = results(desk, job)
    edited = desk.change(entry_of(desk, made[0]), summary="By hand")
    problem = refused(desk.put(f"imports/{job['id']}/rollback"), 409, "confirm_needed")
    assert problem["confirm"] == 3
    undone = order(desk, job, "rollback", confirm=3)
    assert (undone["state"], undone["phase"]) == ("rolled_back", "rollback")
    assert [one["rolled_back"] for one in results(desk, job)] == ["changed_since", "undone", "undone"]
    [left] = results(desk, job, **{"filter[rolled_back][ne]": "undone"})
    assert left["entry"] == edited["id"]
    assert "Somebody has changed" in left["left_because"]
    assert desk.read(edited)["revision"] == edited["revision"]
    assert entry_of(desk, made[1])["state"] == "trashed"
    refused(desk.put(f"imports/{job['id']}/rollback"), 409, "cannot_rollback")


def test_what_was_rolled_back_can_be_imported_again(site: Site) -> None:
    source, content = fresh("source"), lines(*rows(2))
    job = send(site.publisher, content, source=source, run="true")
    order(site.publisher, job, "rollback", confirm=2)
    again = send(site.publisher, content, source=source, run="true")
    assert (again["state"], again["counts"]["made"]) == ("completed", 2)


def test_the_limits_are_told(site: Site) -> None:
    limits = data_of(site.publisher.get("limits"))
    assert limits["import_bytes"] >= 2**31
    assert limits["import_files"] == 100


def test_progress_is_told_of_all_rows_the_refused_too(site: Site) -> None:
    job = send(site.publisher, lines(row("a"), {"external_id": "b"}, {"external_id": "c"}), run="true")
    assert (job["done"], job["total"]) == (3, 3)


def test_rows_are_of_types_that_the_actor_may_bring_in(site: Site) -> None:
    script = site.key("publisher", "import", "read", "publish:news")
    word, types = fresh(), ("news", "page", "menu")
    content = lines(*(row(f"{word}{kind}", kind=kind) for kind in types))
    job = send(script, content, type="news", publish="true", run="true", mapping='{"kind": "type"}')
    assert [one["code"] for one in results(script, job)] == [None, "not_imported", "not_imported"]
    drafts = send(script, content, type="news", run="true", mapping='{"kind": "type"}')
    assert [one["code"] for one in results(script, drafts)] == [None, None, None]


@pytest.mark.parametrize("role", ["reader", "editor"])
def test_rows_stand_in_sections_in_which_the_actor_may_import(site: Site, role: str) -> None:
    script, slug = site.key("publisher"), fresh("closed")
    (section,) = site.administrator.sections(slug)
    operation = {"op": "set", "section": section, "access": {data_of(script.get("me"))["id"]: role}}
    tree = data_of(site.administrator.get("structure"))
    answer = site.administrator.call("POST", "structure/changes", seen=tree, json={"operations": [operation]})
    data_of(site.administrator.call("PUT", "structure/publication", seen=data_of(answer)))
    content = lines(*(row(fresh(), section=where) for where in (slug, f"{slug}/below", fresh("open"))))
    job = send(script, content)
    for step, dry in (("dry-run", "true"), ("run", "false")):
        order(script, job, step)
        told = results(script, job, **{"filter[dry]": dry, "filter[kind]": "entry"})
        assert [one["code"] for one in told] == ["forbidden", "forbidden", None]
