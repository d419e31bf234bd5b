"""Exports over HTTP: ordered, done by the server, taken away as a file, and gone on with after a crash."""

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select

from api.exporting import Exporter, drive, folder_id, formats_of, job_folder, work
from api.exporting import file_of as place_of
from api.exporting.loop import sweep
from api.import_commands import import_source
from api.importing import drive as drive_import
from api.importing import whole_lines
from api.parts import Parts
from api.settings import Settings
from api.starting import prepared
from api.uploads import take_in
from cms import files
from cms.attribution import COMMAND_LINE, By
from cms.exports import digest as site_digest
from cms.exports import exporting
from cms.exports import jobs as export_jobs
from cms.exports.jobs import Asked
from cms.files import Received
from cms.identity import new_id
from cms.tables.entries import Entry
from cms.tables.jobs import ExportJob, ImportJob
from tests.api.desk import Desk, data_of, faults_of, fresh, plain, refused
from tests.api.serving import Site
from tests.cast import Colleague, a_live_news, add_the_cast, change, words
from tests.media.bytes_at_hand import picture


def ordered(desk: Desk, format: str = "jsonl", **asked: Any) -> dict[str, Any]:
    made: dict[str, Any] = data_of(desk.post("exports", json={"format": format, **asked}), 202)
    return made


def ended(desk: Desk, job: dict[str, Any]) -> dict[str, Any]:
    """The job when it is no longer running."""
    for _ in range(400):
        now: dict[str, Any] = data_of(desk.get(f"exports/{job['id']}"))
        if now["state"] != "running":
            return now
        time.sleep(0.05)
    raise AssertionError(now)


def file_of(desk: Desk, job: dict[str, Any], **headers: str) -> httpx.Response:
    return desk.get(f"exports/{job['id']}/file", headers=headers)


def exported(desk: Desk, format: str = "jsonl", **asked: Any) -> bytes:
    job = ended(desk, ordered(desk, format, **asked))
    assert (job["state"], job["failure"]) == ("completed", None)
    content = file_of(desk, job).content
    assert (len(content), hashlib.sha256(content).hexdigest()) == (job["size"], job["sha256"])
    return content


def lines_of(content: bytes, kind: str = "entry") -> list[dict[str, Any]]:
    return [line for line in map(orjson.loads, content.splitlines()) if line["line"] == kind]


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_export_is_ordered_done_and_taken_away(site: Site) -> None:
    entry = site.publisher.live()
    answer = site.administrator.post("exports", json={"format": "jsonl"})
    job = data_of(answer, 202)
    assert answer.headers["location"] == f"/editor/v1/exports/{job['id']}"
    done = ended(site.administrator, job)
    assert (done["state"], done["done"], done["file"]) == (
        "completed",
        done["total"],
        f"{answer.headers['location']}/file",
    )
    taken = file_of(site.administrator, done)
    assert taken.headers["content-type"] == "application/x-ndjson"
    assert "attachment" in taken.headers["content-disposition"]
    assert entry["id"] in {line["id"] for line in lines_of(taken.content)}
    listed = data_of(site.administrator.get("exports", params={"filter[state]": "completed"}))
    assert done in listed


def test_a_download_goes_on_where_it_broke_off(site: Site) -> None:
    site.publisher.live()
    job = ended(site.administrator, ordered(site.administrator))
    whole = file_of(site.administrator, job).content
    rest = file_of(site.administrator, job, Range="bytes=100-")
    assert (rest.status_code, rest.content) == (206, whole[100:])


def test_a_filter_leaves_out_what_it_says(site: Site) -> None:
    desk = site.administrator
    (section,) = desk.sections(fresh("section"))
    (below,) = desk.sections(fresh("below"), parent=section)
    inside, elsewhere = desk.write(section=below), desk.write()
    page = desk.write("page", section=section)
    found = lines_of(exported(desk, filter={"sections": [section], "types": ["news"]}))
    assert [line["id"] for line in found] == [inside["id"]]
    found = lines_of(exported(desk, filter={"ids": [elsewhere["id"], page["id"]], "states": ["draft"]}))
    assert sorted(line["id"] for line in found) == sorted([elsewhere["id"], page["id"]])


def test_what_cannot_be_asked_is_refused_with_pointers(site: Site) -> None:
    desk = site.administrator
    assert faults_of(refused(desk.post("exports", json={"format": "docx"}), 422)) == {"/format": "unknown_format"}
    filter = {"types": ["nonsense"], "sections": ["x"], "ids": ["1"], "changed_since": "now"}
    told = faults_of(refused(desk.post("exports", json={"format": "jsonl", "filter": filter}), 422))
    assert told == {
        "/filter/types/0": "unknown",
        "/filter/sections/0": "unknown",
        "/filter/ids/0": "not_an_id",
        "/filter/changed_since": "bad_date",
    }
    absurd = {"format": "jsonl", "filter": {"changed_since": "0001-01-01T00:00:00+14:00"}}
    assert faults_of(refused(desk.post("exports", json=absurd), 422)) == {"/filter/changed_since": "bad_date"}
    body = {"format": "jsonl", "options": {"color": "red"}}
    assert faults_of(refused(desk.post("exports", json=body), 422)) == {"/options/color": "unknown_option"}
    refused(desk.get(f"exports/{new_id()}"), 404)


def test_emails_and_the_trash_are_for_administrators(site: Site) -> None:
    job = ended(site.administrator, ordered(site.administrator))
    refused(site.publisher.post("exports", json={"format": "jsonl"}), 403, "forbidden")
    refused(file_of(site.publisher, job), 403, "forbidden")
    refused(site.publisher.delete(f"exports/{job['id']}"), 403, "forbidden")
    trash = {"format": "static", "filter": {"states": ["trashed"]}}
    refused(site.publisher.post("exports", json=trash), 403, "forbidden")
    for desk in (site.author, site.reader):
        refused(desk.post("exports", json={"format": "static"}), 403, "forbidden")
        refused(desk.get("exports"), 403, "forbidden")
    ended(site.publisher, ordered(site.publisher, "static", filter={"types": ["page"]}))


def test_no_way_in_is_ever_told(site: Site) -> None:
    token = site.key("administrator").headers["authorization"].removeprefix("Bearer ")
    content = exported(site.administrator).decode()
    assert token not in content
    assert not {"password", "token", "csrf"} & {name for line in content.splitlines() for name in json.loads(line)}


def test_an_export_is_removed_with_its_file_and_recorded(site: Site) -> None:
    desk = site.administrator
    job = ended(desk, ordered(desk, note="Before the move"))
    refused(desk.put(f"exports/{job['id']}/cancellation"), 409, "not_running")
    assert desk.delete(f"exports/{job['id']}").status_code == 204
    refused(desk.get(f"exports/{job['id']}"), 404)
    assert not job_folder(site.parts, job["id"]).exists()
    kinds = [
        row["kind"] for row in data_of(desk.get("audit", params={"page[size]": "20"})) if row["kind"][:6] == "export"
    ]
    assert {"export.created", "export.completed", "export.removed"} <= set(kinds)


def test_files_come_with_the_whole_export(site: Site) -> None:
    bytes = picture("PNG", (7, 5))
    image = site.publisher.publish(site.publisher.upload(bytes, "cat.png"))
    files = unzipped(exported(site.administrator, "sitedesk"))
    sha256 = image["fields"]["file"]["sha256"]
    assert hashlib.sha256(files[f"media/{sha256}"]).hexdigest() == sha256
    assert image["id"] in {line["id"] for line in lines_of(files["site.jsonl"])}
    some = unzipped(exported(site.administrator, "sitedesk", filter={"ids": [image["id"]]}))
    assert sorted(some) == [f"media/{sha256}", "site.jsonl"]


# --- the delivery API as files ---


def test_files_of_the_public_site_have_the_bytes_of_the_server(site: Site) -> None:
    (section,) = site.administrator.sections(fresh("section"))
    entry = site.publisher.live(section=section, slug=fresh("slug"), body=plain("Words"))
    files = unzipped(exported(site.publisher, "static"))
    path = {"path": entry["path"], "locale": "ru"}
    at = entry["path"].strip("/")
    assert files[f"entries/{entry['id']}.json"] == site.visitor.get(f"entries/{entry['id']}").content
    assert files[f"page/ru/{at}/@.json"] == site.visitor.get("page", params=path).content
    assert files[f"resolve/ru/{at}/@.json"] == site.visitor.get("resolve", params=path).content
    assert files["structure/ru.json"] == site.visitor.get("structure", params={"locale": "ru"}).content
    assert files["feeds/all.rss"] == site.anyone.get("feeds/all.rss").content
    assert files["robots.txt"] == site.anyone.get("robots.txt").content
    assert {"manifest.json", "sitemap.xml", "redirects/1.json", "lists/news/ru/1.json"} <= files.keys()


def test_no_draft_byte_is_in_the_files_of_the_public_site(site: Site) -> None:
    secret = fresh("zqxsecret")
    site.publisher.write(title=secret, body=plain(secret), slug=fresh(secret))
    live = site.publisher.live()
    site.publisher.change(live, title=secret, summary=secret)
    down = site.publisher.live(title=secret)
    site.publisher.take_down(down)
    content = unzipped(exported(site.publisher, "static"))
    assert f"entries/{live['id']}.json" in content
    assert [name for name, bytes in content.items() if secret in name or secret.encode() in bytes] == []


# --- the work, stopped and gone on with ---


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Parts]:
    """A site of its own that no server runs."""
    with prepared(Settings(data=tmp_path / "data")) as parts:
        yield parts


def a_job(parts: Parts, format: str = "jsonl") -> str:
    id = new_id()
    with parts.database.writing() as session:
        export_jobs.create(session, Asked(format), id=id, folder=folder_id(parts), by=By(COMMAND_LINE, parts.clock()))
    return id


def job_now(parts: Parts, id: str) -> ExportJob:
    with parts.database.reading() as session:
        return export_jobs.find(session, id)


def file_of_job(parts: Parts, job: ExportJob) -> Path:
    return place_of(parts, job, formats_of(parts)[job.format])


def to_the_end(parts: Parts, id: str) -> bytes:
    for _ in drive(parts, id):
        pass
    job = job_now(parts, id)
    assert (job.state, job.failure) == ("completed", None)
    return file_of_job(parts, job).read_bytes()


def some_news(parts: Parts, olga: Colleague, many: int) -> None:
    with parts.database.writing() as session:
        for number in range(many):
            a_live_news(
                session, by=olga.by(), title=f"News {number}", slug=f"news-{number}", body=words("Words. " * 50)
            )


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after each batch, and small batches."""
    monkeypatch.setattr(work, "BATCH", 3)
    monkeypatch.setattr(work, "_SECURED_EVERY", -1.0)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("format", ["jsonl", "sitedesk", "static"])
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_an_export_that_was_cut_off_ends_like_one_that_was_not(
    house: Parts, olga: Colleague, format: str, steps: int
) -> None:
    some_news(house, olga, 10)
    undisturbed = to_the_end(house, a_job(house, format))
    id = a_job(house, format)
    told = drive(house, id)
    for _ in range(steps):
        next(told)
    told.close()  # type: ignore[attr-defined]
    for file in job_folder(house, id).glob("main"):
        # What was written after the checkpoint is on the disk, or half of it.
        with file.open("ab") as end:
            end.write(b'{"line":"ent')
    begun = job_now(house, id)
    assert (begun.state, begun.attempt) == ("running", 1)
    assert to_the_end(house, id) == undisturbed
    assert job_now(house, id).attempt == 2


@pytest.mark.usefixtures("hasty")
def test_what_changed_meanwhile_is_in_an_export_that_goes_on(house: Parts, olga: Colleague) -> None:
    some_news(house, olga, 10)
    id = a_job(house)
    told = drive(house, id)
    next(told)
    next(told)
    told.close()  # type: ignore[attr-defined]
    with house.database.writing() as session:
        entry = session.scalars(select(Entry).where(Entry.type == "news").order_by(Entry.id).limit(1)).one()
        change(session, entry, by=olga.by(), summary="Changed")
    lines = lines_of(to_the_end(house, id))
    assert [len(line["revisions"]) for line in lines if line["id"] == entry.id] == [2]
    assert len(lines) == len({line["id"] for line in lines}) == 12


@pytest.mark.usefixtures("hasty")
def test_an_export_tells_of_one_moment(house: Parts, olga: Colleague) -> None:
    some_news(house, olga, 10)
    id = a_job(house)
    told = drive(house, id)
    next(told)
    some_more = "zqxlater"
    with house.database.writing() as session:
        a_live_news(session, by=olga.by(), title=some_more, slug=some_more)
    for _ in told:
        pass
    assert some_more.encode() not in file_of_job(house, job_now(house, id)).read_bytes()


@pytest.mark.usefixtures("hasty")
def test_a_cancelled_export_stops_and_leaves_nothing(house: Parts, olga: Colleague) -> None:
    some_news(house, olga, 10)
    id = a_job(house)
    told = drive(house, id)
    next(told)
    with house.database.writing() as session:
        export_jobs.cancel(session, export_jobs.find(session, id), by=olga.by())
    assert len(list(told)) <= 1
    assert job_now(house, id).state == "cancelled"
    assert not job_folder(house, id).exists()


def test_the_server_takes_up_what_was_left(house: Parts, olga: Colleague) -> None:
    some_news(house, olga, 3)
    ids = [a_job(house), a_job(house)]
    exporter = Exporter(house)
    while any(job_now(house, id).state == "running" for id in ids):
        exporter.step()
    assert not exporter.step()
    exporter.close()
    assert [job_now(house, id).state for id in ids] == ["completed", "completed"]


def test_others_do_not_wait_behind_an_export_that_meets_a_fault_of_the_program(
    house: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a fault of the program")

    ids = [a_job(house, "csv"), a_job(house)]
    monkeypatch.setattr(exporting, "count", broken)
    exporter = Exporter(house)
    exporter.step()
    monkeypatch.undo()
    while job_now(house, ids[1]).state == "running":
        exporter.step()
    exporter.close()
    assert [job_now(house, id).state for id in ids] == ["failed", "completed"]
    assert "KeyError" in str(job_now(house, ids[0]).failure)


def test_a_lost_file_is_told_and_the_rest_comes_out(house: Parts, olga: Colleague) -> None:
    with house.database.writing() as session:
        files.keep(session, Received("ab" * 32, "image", "cat.png", "image/png", 9, 3, 2), by=olga.by())
    id = a_job(house, "sitedesk")
    for _ in drive(house, id):
        pass
    job = job_now(house, id)
    assert (job.state, "ab" * 32 in str(job.failure)) == ("completed", True)


def test_files_of_exports_go_after_a_week(house: Parts) -> None:
    id, later = a_job(house), new_id()
    to_the_end(house, id)
    stray = job_folder(house, later)
    stray.mkdir(parents=True)
    now = house.clock()
    sweep(house, now=now + timedelta(days=6))
    assert (job_folder(house, id).exists(), stray.exists()) == (True, False)
    sweep(house, now=now + timedelta(days=8))
    assert not job_folder(house, id).exists()
    with house.database.reading() as session:
        assert session.get(ExportJob, id) is None


# --- and back again ---


def test_a_site_comes_back_by_an_import_of_its_export(house: Parts, olga: Colleague, tmp_path: Path) -> None:
    with house.database.writing() as session:
        add_the_cast(session, at=olga.clock())
        received = take_in(house, io.BytesIO(picture("PNG", (9, 4))), filename="cat.png")
        stored = files.keep(session, received, by=olga.by())
        image = files.make_entry(session, stored, title="A cat", locale="ru", by=olga.by(), alt="A cat").entry
        a_live_news(session, by=olga.by(), title="With a cat", slug="cat", cover=image.id)
        change(session, a_live_news(session, by=olga.by(), title="Two", slug="two"), by=olga.by(), summary="Draft")
    export = tmp_path / "export.zip"
    export.write_bytes(to_the_end(house, a_job(house, "sitedesk")))
    with prepared(Settings(data=tmp_path / "other")) as other:
        assert imported(other, export) == {
            "made", "files made", "people made", "files changed", "lines same",
        }  # fmt: skip
        assert digest_of(other) == digest_of(house)
        again = tmp_path / "again.zip"
        again.write_bytes(to_the_end(other, a_job(other, "sitedesk")))
        assert again.read_bytes() == export.read_bytes()
        # A second time nothing is written.
        assert "made" not in imported(other, export)
        assert digest_of(other) == digest_of(house)


def imported(parts: Parts, path: Path) -> set[str]:
    """The outcomes that an import of it had; every row came in."""
    (report,) = [told["report"] for told in import_source(parts, path=str(path), source="other") if "report" in told]
    assert report["state"] == "completed", report
    return {name for name, count in report["outcomes"].items() if count}


def digest_of(parts: Parts) -> str:
    with parts.database.reading() as session:
        return site_digest.digest(session)


@pytest.mark.parametrize("steps", [3, 5, 8])
def test_an_import_of_a_site_that_was_cut_off_goes_on(
    house: Parts, olga: Colleague, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(whole_lines, "_BATCH", 2)
    some_news(house, olga, 15)
    export = tmp_path / "export.zip"
    export.write_bytes(to_the_end(house, a_job(house, "sitedesk")))
    with prepared(Settings(data=tmp_path / "other")) as other:
        id = new_id()
        told = import_source(other, path=str(export), source="other", id=id)
        for _ in range(steps):
            next(told)
        told.close()  # type: ignore[attr-defined]
        assert digest_of(other) != digest_of(house)
        for _ in drive_import(other, id):
            pass
        with other.database.reading() as session:
            assert session.get_one(ImportJob, id).state == "completed"
        assert digest_of(other) == digest_of(house)
