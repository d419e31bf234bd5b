"""Importing: what came in before is never doubled, what is bad is told and left out, and people's work is kept."""

import itertools
import lzma
import signal
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api import import_commands
from api.importing import work as importing
from api.parts import Parts
from cms import saving
from cms.delivery import publications
from cms.errors import InvalidContent, NotFound, Refusal, WrongState
from cms.imports import reading as import_reading
from cms.tables.entries import Entry, Revision, Usage
from cms.tables.events import Event
from search_index import Query
from tests.api.sources import (
    a_picture,
    a_row,
    brought,
    everything,
    lines,
    pages,
    parts_over,
    public,
    refused,
    revisions,
    titles,
)
from tests.cast import NOBODY_ID, PAVEL_ID, Colleague, HeldClock, newest_fields

DATA = Path(__file__).parents[3] / "shared" / "data"
real_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA}")


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    """All parts of a founded site with its cast, once on each database."""
    with parts_over(request.getfixturevalue(request.param), tmp_path / "data", clock=clock) as made:
        yield made


on_sqlite = pytest.mark.parametrize("parts", ["sqlite"], indirect=True)


def entry_of(parts: Parts, source_id: str) -> Entry:
    with parts.database.reading() as session:
        return session.scalars(sa.select(Entry).where(Entry.source_id == source_id)).one()


# --- once and again ---


def test_rows_come_in_and_are_published(parts: Parts, tmp_path: Path) -> None:
    report = brought(parts, lines(tmp_path, map(a_row, range(3))), publish=True)
    assert report["outcomes"] == {"sections made": 1, "made": 3}
    assert entry_of(parts, "row-1").published_revision == 1
    assert parts.public_index.search(Query(text="row")).total == 3


def test_without_being_told_to_nothing_is_published(parts: Parts, tmp_path: Path) -> None:
    brought(parts, lines(tmp_path, [a_row(1)]))
    assert entry_of(parts, "row-1").published_revision is None
    assert parts.public_index.search(Query(text="row")).total == 0


def test_a_second_run_changes_nothing(parts: Parts, tmp_path: Path) -> None:
    source = lines(tmp_path, map(a_row, range(5)))
    brought(parts, source, publish=True)
    before = everything(parts)
    assert brought(parts, source, publish=True)["outcomes"] == {"same": 5}
    assert everything(parts) == before


def test_a_second_run_over_pages_changes_nothing(parts: Parts, tmp_path: Path) -> None:
    source = pages(tmp_path, {"a.md": "# A\n\n[B](b.md) ![](team.jpg)\n", "b.md": "# B\n", "team.jpg": a_picture()})
    brought(parts, source, publish=True)
    before = everything(parts)
    again = brought(parts, source, publish=True)
    assert everything(parts) == before
    assert again["outcomes"]["same"] == 2
    assert again["outcomes"]["files same"] == 1


def test_a_changed_row_changes_its_entry_alone(parts: Parts, tmp_path: Path) -> None:
    rows = [a_row(number) for number in range(3)]
    brought(parts, lines(tmp_path, rows), publish=True)
    rows[1] = a_row(1, title="Another title")
    assert brought(parts, lines(tmp_path, rows), publish=True)["outcomes"]["changed"] == 1
    assert revisions(parts) == {"row-0": 1, "row-1": 2, "row-2": 1}
    assert entry_of(parts, "row-1").published_revision == 2


def test_the_work_of_a_person_is_kept_and_told_as_a_conflict(parts: Parts, tmp_path: Path, olga: Colleague) -> None:
    brought(parts, lines(tmp_path, [a_row(1), a_row(2)]))
    with parts.database.writing() as session:
        entry = session.get_one(Entry, entry_of(parts, "row-1").id)
        saving.save(session, entry, {"fields": {"title": "Olga's title"}}, expected=1, by=olga.by())
    report = brought(parts, lines(tmp_path, [a_row(1, title="Later"), a_row(2, title="Newer")]))
    assert (report["outcomes"]["conflict"], report["outcomes"]["changed"]) == (1, 1)
    assert refused(report) == [("rows.jsonl", 1, None, "stale")]
    assert titles(parts) == {"row-1": "Olga's title", "row-2": "Newer"}


def test_a_draft_is_published_by_a_later_run_that_is_told_to(parts: Parts, tmp_path: Path) -> None:
    source = lines(tmp_path, [a_row(1)])
    brought(parts, source)
    brought(parts, source, publish=True)
    assert entry_of(parts, "row-1").published_revision == 1
    assert revisions(parts) == {"row-1": 1}


def test_drafts_of_the_source_stay_drafts(parts: Parts, tmp_path: Path) -> None:
    brought(parts, lines(tmp_path, [a_row(1, draft=True), a_row(2)]), publish=True)
    assert entry_of(parts, "row-1").published_revision is None
    assert entry_of(parts, "row-2").published_revision == 1


# --- what is bad ---


def test_bad_rows_are_told_and_do_not_stop_the_rest(parts: Parts, tmp_path: Path) -> None:
    rows: list[dict[str, Any] | str]
    rows = [a_row(1), "{broken", a_row(3, title=""), a_row(4, published_at="soon"), a_row(1), "[]", a_row(7)]
    report = brought(parts, lines(tmp_path, rows), publish=True)
    assert refused(report) == [
        ("rows.jsonl", 2, None, "not_json"),
        ("rows.jsonl", 3, "title", "missing"),
        ("rows.jsonl", 4, "published_at", "bad_date"),
        ("rows.jsonl", 5, "external_id", "duplicate"),
        ("rows.jsonl", 6, None, "not_an_object"),
    ]
    assert all(problem["reason"].endswith(".") for problem in report["problems"])
    assert titles(parts).keys() == {"row-1", "row-7"}


@pytest.mark.parametrize("batch", [50, 3, 1])
def test_a_taken_slug_refuses_its_row_alone(
    parts: Parts, tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", batch)
    rows = [a_row(number, slug="same" if number in (2, 5) else f"slug-{number}") for number in range(8)]
    report = brought(parts, lines(tmp_path, rows), publish=True)
    assert refused(report) == [("rows.jsonl", 6, "/slug", "slug_taken")]
    assert titles(parts).keys() == {f"row-{number}" for number in range(8)} - {"row-5"}
    assert (report["outcomes"]["made"], report["outcomes"]["refused"]) == (7, 1)


def test_an_unknown_locale_refuses_its_row_alone(parts: Parts, tmp_path: Path) -> None:
    report = brought(parts, lines(tmp_path, [a_row(1, lang="tlh"), a_row(2)]))
    assert [(line, field) for _, line, field, _ in refused(report)] == [(1, "/locale")]
    assert titles(parts).keys() == {"row-2"}


BOMB = "---\na: &a [x, x, x]\nb: &b [*a, *a, *a]\ntitle: Bomb\n---\n"
BAD_PAGES: dict[str, tuple[str | bytes, str]] = {
    "bomb.md": (BOMB, "yaml_alias"),
    "endless.md": ("---\ntitle: No end\n", "front_matter_unclosed"),
    "latin.md": ("# Caf\xe9\n".encode("latin-1"), "not_utf8"),
    "listed.md": ("---\n- one\n- two\n---\n", "bad_front_matter"),
    "deep.md": (f"---\na: {'[' * 200}{']' * 200}\n---\n", "too_deep"),
}


def test_bad_pages_are_told_and_do_not_stop_the_rest(parts: Parts, tmp_path: Path) -> None:
    bad = {name: text for name, (text, _) in BAD_PAGES.items()}
    source = pages(tmp_path, {"good.md": "# Good\n", **bad})
    report = brought(parts, source)
    assert {file: code for file, _, _, code in refused(report)} == {name: code for name, (_, code) in BAD_PAGES.items()}
    assert titles(parts) == {"good": "Good"}


def test_links_out_of_the_folder_are_told_and_lead_nowhere(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    report = brought(parts, pages(tmp_path, {"a.md": "# A\n\n[x](../../secret.txt) ![](../secret.txt) [y](no.md)\n"}))
    assert {"outside_folder", "missing_target"} <= report["warnings"].keys()
    assert everything(parts)["files"] == 0
    assert titles(parts) == {"a": "A"}


def test_a_link_through_a_symbolic_link_out_of_the_folder_brings_nothing(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "outside.jpg").write_bytes(a_picture())
    source = pages(tmp_path, {"a.md": "# A\n\n![](inside.jpg)\n"})
    (source / "inside.jpg").symlink_to(tmp_path / "outside.jpg")
    brought(parts, source)
    assert everything(parts)["files"] == 0


def test_what_is_called_an_image_and_is_none_is_refused(parts: Parts, tmp_path: Path) -> None:
    source = pages(tmp_path, {"a.md": "# A\n\nText ![](fake.png)\n", "fake.png": b"<html><script>1</script>"})
    report = brought(parts, source, publish=True)
    assert [file for file, _, _, _ in refused(report)] == ["fake.png"]
    assert everything(parts)["files"] == 0
    assert entry_of(parts, "a").published_revision == 1


# --- links and pictures ---


def test_links_between_pages_lead_to_their_entries(parts: Parts, tmp_path: Path) -> None:
    brought(parts, pages(tmp_path, {"a.md": "# A\n\n[B](sub/b.md)\n", "sub/b.md": "# B\n\n[A](../a.md)\n"}))
    a, b = entry_of(parts, "a").id, entry_of(parts, "sub/b").id
    with parts.database.reading() as session:
        found = session.execute(sa.select(Usage.source_id, Usage.target_id).where(Usage.live.is_(False)))
        links = {tuple(row) for row in found}
    assert {(a, b), (b, a)} <= links


def test_pictures_beside_pages_are_uploaded_and_published(parts: Parts, tmp_path: Path) -> None:
    source = pages(tmp_path, {"sub/a.md": "---\ncover: ../team.jpg\n---\n# A\n\n![Us](../team.jpg)\n", "team.jpg": b""})
    (source / "team.jpg").write_bytes(a_picture())
    report = brought(parts, source, publish=True)
    picture = entry_of(parts, "asset:team.jpg")
    assert (report["outcomes"]["files made"], picture.type) == (1, "image")
    assert picture.published_revision == 1
    with parts.database.reading() as session:
        fields = newest_fields(session, session.get_one(Entry, entry_of(parts, "sub/a").id))
        live = [row.entry_id for row in publications.texts(session, [picture.id])]
    assert fields["cover"] == picture.id
    assert picture.id in str(fields["body"])
    assert live == [picture.id]


# --- how it is told to run ---


def test_a_dry_run_writes_nothing_and_counts_the_same(parts: Parts, tmp_path: Path) -> None:
    source = pages(tmp_path, {"a.md": "# A\n\n![](team.jpg) [B](b.md)\n", "b.md": "# B\n", "team.jpg": a_picture()})
    before = everything(parts)
    report = brought(parts, source, publish=True, dry_run=True)
    assert everything(parts) == before
    assert not [path for path in (tmp_path / "data" / "media").rglob("*") if path.is_file()]
    assert (report["dry_run"], report["outcomes"]) == (True, {"files made": 1, "made": 2})


def test_a_dry_run_tells_the_same_problems(parts: Parts, tmp_path: Path) -> None:
    source = lines(tmp_path, [a_row(1), "{broken", a_row(3, title="")])
    dry = brought(parts, source, dry_run=True)
    assert dry["problems"] == brought(parts, source)["problems"]


def test_for_whom_and_for_which_request_is_kept(parts: Parts, tmp_path: Path) -> None:
    brought(parts, lines(tmp_path, [a_row(1)]), publish=True, on_behalf_of=PAVEL_ID, for_request=417)
    with parts.database.reading() as session:
        revision = session.scalars(sa.select(Revision).where(Revision.entry_id == entry_of(parts, "row-1").id)).one()
        told = session.execute(sa.select(Event.on_behalf_of, Event.request).where(Event.entry_id == revision.entry_id))
        assert {tuple(row) for row in told} == {(PAVEL_ID, 417)}
    assert (revision.on_behalf_of, revision.request, revision.note) == (PAVEL_ID, 417, "import from test")
    assert revision.actor_kind != "person"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"on_behalf_of": NOBODY_ID}, NotFound),
        ({"locale": "tlh"}, InvalidContent),
        ({"type": "menu"}, InvalidContent),
        ({"type": "poem"}, InvalidContent),
        ({"for_request": 2**70}, InvalidContent),
        ({"for_request": 0}, InvalidContent),
        ({"source": ""}, InvalidContent),
        ({"source": "a\0b"}, InvalidContent),
        ({"source": "s" * 201}, InvalidContent),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    parts: Parts, tmp_path: Path, given: dict[str, Any], said: type[Refusal]
) -> None:
    before = everything(parts)
    with pytest.raises(said):
        brought(parts, lines(tmp_path, [a_row(1)]), **given)
    assert everything(parts) == before


@on_sqlite
def test_a_source_that_cannot_be_read_is_refused(parts: Parts, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.jsonl"):
        with pytest.raises(WrongState) as refusal:
            brought(parts, path, format="jsonl")
        assert refusal.value.code == "import_failed"


def test_two_sources_may_use_the_same_ids(parts: Parts, tmp_path: Path) -> None:
    brought(parts, lines(tmp_path, [a_row(1)]), source="one")
    brought(parts, lines(tmp_path, [a_row(1, slug="other")]), source="two")
    with parts.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Entry.source_id == "row-1")) == 2


# --- reading in a process of its own ---


def test_a_process_of_its_own_reads_the_same(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[dict[str, Any] | str] = [a_row(number) for number in range(305)]
    rows[7:7] = ["{broken", a_row(900, title="")]
    source = lines(tmp_path, rows)
    child = brought(parts, source, dry_run=True)
    monkeypatch.setattr(import_reading, "_WORTH_A_PROCESS", 10_000)
    inline = brought(parts, source, publish=True)
    assert child["problems"] == inline["problems"]
    assert child["outcomes"]["made"] == inline["outcomes"]["made"] == 305
    monkeypatch.undo()
    assert brought(parts, source, publish=True)["outcomes"]["same"] == 305


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that are started from now on."""
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    return started


def begun(parts: Parts, folder: Path) -> Generator[dict[str, Any], None, None]:
    """An import of which the first batch has come in and most is yet to be read."""
    source = lines(folder, [a_row(number, body_html="<p>long</p>" * 3_000) for number in range(600)])
    run = import_commands.import_source(parts, format="jsonl", path=str(source), type="article", source="test")
    assert isinstance(run, Generator)
    while next(run).get("doing") != "entries":
        pass
    return run


@on_sqlite
def test_the_end_of_the_reading_process_is_an_error_and_no_hang(
    parts: Parts, tmp_path: Path, children: list[subprocess.Popen[bytes]]
) -> None:
    run = begun(parts, tmp_path)
    children[-1].kill()
    with pytest.raises(WrongState) as refusal:
        list(run)
    assert refusal.value.code == "import_failed"
    assert "Reading failed" in refusal.value.reason
    assert everything(parts)["entries"] >= importing.BATCH


@on_sqlite
def test_an_import_that_is_given_up_leaves_no_process_behind(
    parts: Parts, tmp_path: Path, children: list[subprocess.Popen[bytes]]
) -> None:
    begun(parts, tmp_path).close()
    assert [child.returncode for child in children] == [-signal.SIGKILL] * 2


# --- real sources ---


@real_data
def test_real_articles_come_in_once(parts: Parts, tmp_path: Path) -> None:
    with lzma.open(DATA / "articles.jsonl.xz", "rt", encoding="utf-8") as file:
        source = lines(tmp_path, [line.rstrip("\n") for line in itertools.islice(file, 60)])
    report = brought(parts, source, publish=True)
    assert (report["outcomes"]["made"], refused(report)) == (60, [])
    before = everything(parts)
    assert brought(parts, source, publish=True)["outcomes"]["same"] == 60
    assert everything(parts) == before


@real_data
def test_real_pages_come_in_once(parts: Parts) -> None:
    source = DATA / "doka" / "recipes"
    report = brought(parts, source, publish=True, locale="ru")
    assert (report["outcomes"]["made"], refused(report)) == (len(list(source.rglob("*.md"))), [])
    before = everything(parts)
    again = brought(parts, source, publish=True, locale="ru")
    assert everything(parts) == before
    assert again["outcomes"]["same"] == report["outcomes"]["made"]
    assert public(again)["warnings"].keys() <= report["warnings"].keys()
