"""The engine of import jobs: trial, run, pause, going on, conflicts, dates, links, old paths, and the way back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api import import_commands, importing
from api.importing import Worker, work
from api.parts import Parts
from cms import publishing, restructuring, saving, structure, trash
from cms.errors import WrongState
from cms.identity import new_id
from cms.import_formats import FORMATS, Asset, Author, Format, Item, Link, Options, Origin, Past, Problem
from cms.imports import jobs as import_jobs
from cms.imports.jobs import Step
from cms.snapshots import revision_of
from cms.tables.entries import Entry, Revision
from cms.tables.jobs import ImportJob, ImportRow
from cms.tables.people import Person
from cms.tables.publications import Redirect
from tests.api.sources import a_picture, a_row, brought, everything, lines, pages, parts_over, titles
from tests.cast import Colleague, HeldClock, newest_fields, what_is_at

YEAR = datetime(2015, 3, 4, tzinfo=UTC)
LATER = datetime(2016, 3, 4, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    """All parts of a founded site with its cast, once on each database."""
    with parts_over(request.getfixturevalue(request.param), tmp_path / "data", clock=clock) as made:
        yield made


on_sqlite = pytest.mark.parametrize("parts", ["sqlite"], indirect=True)


@dataclass
class Given:
    """A source that holds just these, as a format would read it."""

    rows: list[Item | Problem]
    files: list[Asset] = field(default_factory=list)
    links_inside = False

    def items(self) -> Iterator[Item | Problem]:
        return iter(self.rows)

    def count(self) -> int:
        return len(self.rows)

    def people(self) -> Iterator[Author]:
        return iter(())

    def assets(self) -> Iterator[Asset]:
        return iter(self.files)

    def asset(self, external_id: str) -> Asset | None:
        return next((one for one in self.files if one.external_id == external_id), None)

    def target(self, origin_file: str, url: str) -> None:
        return None


def an_item(id: str, **given: Any) -> Item:
    fields = {"title": id.title(), **given.pop("fields", {})}
    return Item(Origin("given", 1), id, fields, slug=given.pop("slug", id), **given)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    """What the format `given` reads: to be filled by the test."""
    given = Given([])

    def read(_path: Path, _options: Options) -> Given:
        return given

    monkeypatch.setitem(FORMATS, "given", Format("Given", read, lambda _path: 0))
    (tmp_path / "source").write_text("x", encoding="utf-8")
    return given


def ran(parts: Parts, tmp_path: Path, **given: Any) -> dict[str, Any]:
    return brought(parts, tmp_path / "source", format="given", **given)


def entry_of(parts: Parts, source_id: str) -> Entry:
    with parts.database.reading() as session:
        return session.scalars(sa.select(Entry).where(Entry.source_id == source_id)).one()


def revisions_of(parts: Parts, entry: Entry) -> list[Revision]:
    with parts.database.reading() as session:
        wanted = sa.select(Revision).where(Revision.entry_id == entry.id).order_by(Revision.number)
        return list(session.scalars(wanted))


def result_rows(parts: Parts, report: dict[str, Any], *, dry: bool = False) -> list[ImportRow]:
    with parts.database.reading() as session:
        wanted = sa.select(ImportRow).where(ImportRow.job_id == report["job"], ImportRow.dry.is_(dry))
        return list(session.scalars(wanted.order_by(ImportRow.number)))


def ordered(parts: Parts, id: str, step: Step) -> dict[str, Any]:
    *_, last = import_commands.go_on(parts, id=id, step=step)
    report: dict[str, Any] = last["report"]
    return report


def prepared(parts: Parts, path: Path, olga: Colleague, **given: Any) -> str:
    """A job that waits to be worked on."""
    id = new_id()
    with parts.database.writing() as session:
        asked = import_jobs.read_asked(session, {"source": "test", **given})
        where = importing.folder_id(parts)
        import_jobs.create(session, asked, id=id, folder=where, path=str(path), at_once=True, by=olga.by())
    return id


def job_of(parts: Parts, id: str) -> ImportJob:
    with parts.database.reading() as session:
        return session.get_one(ImportJob, id)


def edited(parts: Parts, olga: Colleague, source_id: str, title: str) -> None:
    with parts.database.writing() as session:
        entry = session.scalars(sa.select(Entry).where(Entry.source_id == source_id)).one()
        saving.save(session, entry, {"fields": {"title": title}}, expected=entry.revision, by=olga.by())


# --- analysis and trial ---


def test_the_analysis_tells_what_there_is(parts: Parts, tmp_path: Path) -> None:
    rows: list[dict[str, Any] | str] = [a_row(1, colour="red"), a_row(2, colour="blue"), "{broken"]
    report = brought(parts, lines(tmp_path, rows), analyse=True)
    told = report["analysis"]
    assert (report["state"], told["format"], told["entries"], told["sections"]) == ("ready", "jsonl", 2, 1)
    assert [one["code"] for one in told["problems"]["first"]] == ["not_json"]
    colour = next(one for one in told["fields"] if one["name"] == "colour")
    assert (colour["meaning"], colour["filled"], colour["samples"]) == (None, 2, ["red", "blue"])
    assert titles(parts) == {}


def test_a_dry_run_tells_of_each_row_what_a_run_then_does(parts: Parts, tmp_path: Path, olga: Colleague) -> None:
    first = [a_row(number) for number in range(4)]
    brought(parts, lines(tmp_path, first), publish=True)
    edited(parts, olga, "row-1", "Olga's")
    rows = [
        a_row(0, title="New words"),
        a_row(1, title="Mine"),
        a_row(2),
        a_row(3, lang="tlh"),
        a_row(4),
        a_row(5, slug="row-4"),
    ]
    source = lines(tmp_path, rows)
    before = everything(parts)
    dry = brought(parts, source, publish=True, dry_run=True)
    assert everything(parts) == before
    told = {row.external_id: row.outcome for row in result_rows(parts, dry, dry=True)}
    expected = {"row-0": "changed", "row-1": "conflict", "row-2": "same"}
    assert told == {**expected, "row-3": "refused", "row-4": "made", "row-5": "refused"}
    [changed] = [row for row in result_rows(parts, dry, dry=True) if row.outcome == "changed"]
    assert changed.diff is not None
    assert [one["pointer"] for one in changed.diff] == ["/fields/title"]
    run = brought(parts, source, publish=True)
    assert {row.external_id: row.outcome for row in result_rows(parts, run)} == told
    assert run["problems"] == dry["problems"]


def test_what_was_tried_can_be_run(parts: Parts, tmp_path: Path) -> None:
    report = brought(parts, lines(tmp_path, map(a_row, range(3))), dry_run=True)
    assert (report["state"], titles(parts)) == ("ready", {})
    assert ordered(parts, report["job"], "run")["outcomes"]["made"] == 3


# --- stopping and going on ---


def test_a_paused_job_goes_on_from_its_last_batch(
    parts: Parts, tmp_path: Path, olga: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BATCH", 3)
    id = prepared(parts, lines(tmp_path, map(a_row, range(10))), olga)
    told = importing.drive(parts, id)
    while next(told).get("doing") != "entries":
        pass
    with parts.database.writing() as session:
        import_jobs.order(session, import_jobs.find(session, id), "pause", by=olga.by())
    assert list(told) == []
    assert (job_of(parts, id).state, len(titles(parts))) == ("paused", 3)
    report = ordered(parts, id, "resume")
    assert (report["state"], report["outcomes"]["made"], len(titles(parts))) == ("completed", 10, 10)
    assert [row.number for row in result_rows(parts, report) if row.kind == "entry"] == list(range(1, 11))


def test_a_cancelled_job_keeps_what_came_and_can_be_undone(
    parts: Parts, tmp_path: Path, olga: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BATCH", 2)
    id = prepared(parts, lines(tmp_path, map(a_row, range(6))), olga)
    told = importing.drive(parts, id)
    while next(told).get("doing") != "entries":
        pass
    with parts.database.writing() as session:
        import_jobs.order(session, import_jobs.find(session, id), "cancel", by=olga.by())
    assert list(told) == []
    assert (job_of(parts, id).state, len(titles(parts))) == ("cancelled", 2)
    assert ordered(parts, id, "rollback")["state"] == "rolled_back"
    assert titles(parts) == {}


def test_the_server_goes_on_with_what_it_left(parts: Parts, tmp_path: Path, olga: Colleague) -> None:
    id = prepared(parts, lines(tmp_path, map(a_row, range(5))), olga)
    first = Worker(parts)
    assert first.advance()
    first.close()
    second = Worker(parts)
    while second.advance():
        pass
    assert (job_of(parts, id).state, len(titles(parts))) == ("completed", 5)


def test_a_short_job_does_not_wait_for_the_end_of_a_long_one(
    parts: Parts, tmp_path: Path, olga: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BATCH", 1)
    (tmp_path / "short").mkdir()
    long = prepared(parts, lines(tmp_path, map(a_row, range(40))), olga)
    worker = Worker(parts)
    worker.advance()
    short = prepared(parts, lines(tmp_path / "short", [a_row(100)]), olga, source="short")
    while job_of(parts, short).state != "completed":
        assert worker.advance()
    assert job_of(parts, long).state == "running"
    worker.close()


def test_a_job_of_another_data_folder_is_left_to_its_own_server(parts: Parts, tmp_path: Path, olga: Colleague) -> None:
    id = prepared(parts, lines(tmp_path, map(a_row, range(5))), olga)
    with parts.database.writing() as session:
        import_jobs.find(session, id).folder = "elsewhere"
    assert not Worker(parts).advance()


def test_a_second_run_of_a_source_is_refused_while_one_runs(parts: Parts, tmp_path: Path, olga: Colleague) -> None:
    source = lines(tmp_path, map(a_row, range(5)))
    told = importing.drive(parts, prepared(parts, source, olga))
    while next(told).get("doing") != "entries":
        pass
    with pytest.raises(WrongState) as refused:
        brought(parts, source)
    assert refused.value.code == "source_busy"
    list(told)
    assert brought(parts, source)["outcomes"] == {"same": 5}


@on_sqlite
def test_a_source_that_cannot_be_read_fails_and_is_resumed_when_it_can(
    parts: Parts, tmp_path: Path, olga: Colleague
) -> None:
    id = prepared(parts, tmp_path / "rows.jsonl", olga, format="jsonl")
    list(importing.drive(parts, id))
    job = job_of(parts, id)
    assert job.state == "failed"
    assert job.failure is not None
    lines(tmp_path, [a_row(1)])
    assert ordered(parts, id, "resume")["outcomes"]["made"] == 1


# --- conflicts ---


@pytest.mark.parametrize(("on_conflict", "live"), [("overwrite", 3), ("draft", 1)])
def test_a_conflict_becomes_what_the_job_says(
    parts: Parts, tmp_path: Path, olga: Colleague, on_conflict: str, live: int
) -> None:
    brought(parts, lines(tmp_path, [a_row(1)]), publish=True)
    edited(parts, olga, "row-1", "Olga's")
    report = brought(parts, lines(tmp_path, [a_row(1, title="Mine")]), publish=True, on_conflict=on_conflict)
    entry = entry_of(parts, "row-1")
    assert (report["outcomes"], entry.title, entry.revision) == ({"changed": 1}, "Mine", 3)
    assert entry.published_revision == live
    [row] = result_rows(parts, report)
    assert (row.decision, row.before, row.after, row.live_before) == (on_conflict, 2, 3, 1)


def test_what_lies_in_the_trash_is_a_conflict_and_stays_there(parts: Parts, tmp_path: Path, olga: Colleague) -> None:
    source = lines(tmp_path, [a_row(1)])
    brought(parts, source)
    with parts.database.writing() as session:
        entry = session.get_one(Entry, entry_of(parts, "row-1").id)
        trash.trash(session, entry, expected=1, by=olga.by())
    report = brought(parts, source, on_conflict="overwrite")
    [row] = result_rows(parts, report)
    assert (report["state"], row.outcome, row.code) == ("completed_with_errors", "conflict", "trashed")
    assert entry_of(parts, "row-1").trashed_at is not None


# --- dates, history, types, links ---


def test_dates_and_earlier_contents_of_the_source_are_kept(parts: Parts, tmp_path: Path, source: Given) -> None:
    past = (Past({"title": "Before"}, YEAR, note="first words"), Past({"title": "Between"}, LATER))
    dates = {"created_at": YEAR, "changed_at": LATER, "first_published_at": LATER}
    source.rows = [an_item("one", history=past, fields={"title": "Now"}, **dates)]
    report = ran(parts, tmp_path, publish=True)
    entry = entry_of(parts, "one")
    assert (entry.created_at, entry.changed_at, entry.first_published_at) == (YEAR, LATER, LATER)
    kept = revisions_of(parts, entry)
    assert [one.fields["title"] for one in kept] == ["Before", "Between", "Now"]
    assert [one.saved_at for one in kept] == [YEAR, LATER, LATER]
    assert [one.note for one in kept] == ["first words", "import from test", "import from test"]
    assert (entry.revision, entry.published_revision, entry.source_revision) == (3, 3, 3)
    [row] = result_rows(parts, report)
    assert (row.outcome, row.before, row.after) == ("made", None, 3)
    assert ran(parts, tmp_path, publish=True)["outcomes"] == {"same": 1}


def test_a_date_in_the_future_is_no_date(parts: Parts, tmp_path: Path, source: Given, clock: HeldClock) -> None:
    source.rows = [an_item("one", created_at=datetime(2099, 1, 1, tzinfo=UTC))]
    ran(parts, tmp_path)
    assert entry_of(parts, "one").created_at == clock()


def test_rows_have_types_of_their_own_and_link_to_one_another(parts: Parts, tmp_path: Path, source: Given) -> None:
    items = [{"label": "One", "entry": Link("item", "one")}, {"label": "Gone", "entry": Link("item", "none")}]
    related = [Link("item", "two"), Link("item", "none")]
    source.rows = [
        an_item("main", type="menu", slug=None, fields={"items": items}),
        an_item("one", fields={"related": related, "cover": Link("asset", "team")}),
        an_item("two", type="page"),
        an_item("odd", type="settings"),
    ]
    picture = tmp_path / "team.jpg"
    picture.write_bytes(a_picture())
    source.files = [Asset("team", picture, fields={"alt": "The team", "credit": "Anna", "colour": "red"})]
    report = ran(parts, tmp_path, publish=True)
    one, two, image = (entry_of(parts, id) for id in ("one", "two", "asset:team"))
    with parts.database.reading() as session:
        menu = newest_fields(session, entry_of(parts, "main"))
        told = newest_fields(session, one)
        shown = newest_fields(session, image)
    assert ([item["entry"] for item in menu["items"]], two.type) == ([one.id], "page")
    assert (told["related"], told["cover"]) == ([two.id], image.id)
    assert (shown["alt"], shown["credit"]) == ("The team", "Anna")
    assert [(row.external_id, row.code) for row in result_rows(parts, report) if row.outcome == "refused"] == [
        ("odd", "not_imported")
    ]
    assert report["warnings"]["missing_target"] == 2


def test_a_file_that_does_not_come_does_not_lose_the_text(parts: Parts, tmp_path: Path, source: Given) -> None:
    source.rows = [an_item("one", fields={"cover": Link("asset", "far")})]
    source.files = [Asset("far", None, url="https://files.example/far.jpg")]
    report = ran(parts, tmp_path, publish=True)
    assert (report["state"], report["outcomes"]) == ("completed", {"made": 1})
    assert report["warnings"] == {"not_fetched": 1, "missing_target": 1}
    [told] = [row for row in result_rows(parts, report) if row.kind == "file"]
    assert (told.outcome, told.entry_id, [one["code"] for one in told.warnings or ()]) == (
        "same",
        None,
        ["not_fetched"],
    )
    assert ran(parts, tmp_path, publish=True)["outcomes"] == {"same": 1}
    assert entry_of(parts, "one").published_revision == 1


def test_a_file_that_comes_later_comes_into_its_row(parts: Parts, tmp_path: Path, source: Given) -> None:
    source.rows = [an_item("one", fields={"cover": Link("asset", "far")}), an_item("two")]
    source.files = [Asset("far", None, url="https://files.example/far.jpg")]
    ran(parts, tmp_path, publish=True)
    picture = tmp_path / "far.jpg"
    picture.write_bytes(a_picture())
    source.files = [Asset("far", picture)]
    assert ran(parts, tmp_path, publish=True)["outcomes"] == {"files made": 1, "changed": 1, "same": 1}
    with parts.database.reading() as session:
        assert newest_fields(session, entry_of(parts, "one"))["cover"] == entry_of(parts, "asset:far").id
    assert ran(parts, tmp_path, publish=True)["outcomes"] == {"files same": 1, "same": 2}


def test_authors_become_persons_once(parts: Parts, tmp_path: Path, source: Given) -> None:
    anna = Author("anna", "Anna", email="anna@example.org", url="https://example.org/anna")
    impostor = Author("olga", "Another Olga", email="olga@example.org")
    source.rows = [an_item("one", byline=(anna,)), an_item("two", byline=(anna, impostor))]
    assert ran(parts, tmp_path)["outcomes"]["people made"] == 2
    assert "people made" not in ran(parts, tmp_path)["outcomes"]
    with parts.database.reading() as session:
        found = {one.name: one.email for one in session.scalars(sa.select(Person).where(Person.source == "test"))}
    assert found == {"Anna": "anna@example.org", "Another Olga": None}


# --- sections and old paths ---


@pytest.mark.parametrize("drafted", [True, False])
def test_who_may_not_publish_the_structure_does_not_publish_what_others_drafted(
    parts: Parts, tmp_path: Path, olga: Colleague, *, drafted: bool
) -> None:
    with parts.database.writing() as session:
        tree = structure.entry(session)
        publishing.publish(session, tree, by=olga.by())
        if drafted:
            operation = {"op": "add", "parent": None, "slug": "plan", "name": "Plan"}
            restructuring.change(session, tree, [operation], expected=tree.revision, by=olga.by())
    id = prepared(parts, lines(tmp_path, [a_row(1)]), olga, publish=True)
    list(importing.drive(parts, id))
    with parts.database.reading() as session:
        entry = structure.entry(session)
        assert (entry.published_revision == entry.revision) is not drafted
    [row] = [row for row in result_rows(parts, {"job": id}) if row.kind == "structure"]
    assert [one["code"] for one in row.warnings or ()] == ["structure_not_published"] * drafted


def test_everything_comes_below_a_section_that_was_chosen(
    parts: Parts, tmp_path: Path, source: Given, olga: Colleague
) -> None:
    with parts.database.writing() as session:
        tree = structure.entry(session)
        operation = {"op": "add", "parent": None, "slug": "old-site", "name": "Old"}
        _, [base] = restructuring.change(session, tree, [operation], expected=tree.revision, by=olga.by())
    source.rows = [an_item("one"), an_item("two", section=("a", "b"), section_names=("A", "B"))]
    report = ran(parts, tmp_path, publish=True, section=base)
    with parts.database.reading() as session:
        assert what_is_at(session, "/old-site/one") == ("entry", entry_of(parts, "one").id)
        assert what_is_at(session, "/old-site/a/b/two") == ("entry", entry_of(parts, "two").id)
    assert report["outcomes"]["sections made"] == 2
    assert [row.kind for row in result_rows(parts, report)] == ["structure", "entry", "entry"]


def test_old_paths_lead_to_what_came_from_there(parts: Parts, tmp_path: Path, source: Given) -> None:
    source.rows = [
        an_item("one", old_paths=("/2008/06/one/", "/one", "/?p=12")),
        an_item("two", old_paths=("/one/", "/2008/06/one", "/old/two")),
    ]
    report = ran(parts, tmp_path, publish=True)
    with parts.database.reading() as session:
        assert what_is_at(session, "/2008/06/one") == ("redirect", "/one")
        assert what_is_at(session, "/old/two") == ("redirect", "/two")
        assert session.scalar(sa.select(sa.func.count()).select_from(Redirect)) == 2
    assert report["outcomes"]["redirects made"] == 2
    assert set(report["warnings"]) == {"path_taken", "redirect_exists"}
    before = everything(parts)
    assert ran(parts, tmp_path, publish=True)["outcomes"] == {"same": 2, "redirects same": 2}
    assert everything(parts) == before


# --- the way back ---


def test_a_job_is_undone_as_a_unit(parts: Parts, tmp_path: Path, olga: Colleague) -> None:
    files = {"sub/a.md": "---\naliases: [/was/a]\n---\n# A\n\n![](team.jpg) [B](b.md)\n", "sub/b.md": "# B\n"}
    source = pages(tmp_path, {**files, "sub/team.jpg": a_picture()})
    brought(parts, source, publish=True)
    (source / "sub" / "b.md").write_text("# B\n\nMore.\n", encoding="utf-8")
    (source / "sub" / "c.md").write_text("# C\n", encoding="utf-8")
    second = brought(parts, source, publish=True)
    undone = ordered(parts, second["job"], "rollback")
    assert (undone["state"], undone["rolled_back"]) == ("rolled_back", {"undone": 2})
    b = entry_of(parts, "sub/b")
    assert titles(parts).keys() == {"sub/a", "sub/b", "asset:sub/team.jpg"}
    with parts.database.reading() as session:
        assert "More" not in str(revision_of(session, b).fields)
