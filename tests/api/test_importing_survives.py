"""An import outlives its process: killed at any point and resumed, it ends as one that nobody disturbed."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cms.database import Database, open_database
from cms.imports.jobs import AT_WORK
from cms.structure import tree_of
from cms.tables.entries import Entry, Revision, Usage
from cms.tables.jobs import ImportJob, ImportRow
from cms.tables.people import Person
from cms.tables.publications import Publication, Redirect
from tests.api.sources import a_picture, pages
from tests.conftest import empty_postgresql

PAGES = 130
KILLS = 2
SITEDESK = str(Path(sys.executable).with_name("sitedesk"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Pages in sections, with pictures, authors, links, old paths, and two that cannot come in."""
    files: dict[str, str | bytes] = {"team.jpg": a_picture(), "notes/again.jpg": a_picture() + b"\0"}
    for number in range(PAGES):
        link = f"[next](../s{(number + 1) % 7}/p{(number + 1) % PAGES}.md) ![us](../team.jpg)"
        old = f"aliases: [/old/{number}/]\n" if number % 5 == 0 else ""
        head = f"---\ntitle: Page {number}\nauthors: [Anna {number % 3}]\ndate: 2020-01-02\n{old}---\n"
        files[f"s{number % 7}/p{number}.md"] = f"{head}\nWords of page {number}. {link}\n"
    files["s1/bad.md"] = "---\ntitle: [\n"
    files["s2/taken.md"] = "---\ntitle: Taken\nslug: p2\n---\n\nText.\n"
    return pages(tmp_path, files)


def environment(folder: Path, url: str | None) -> dict[str, str]:
    given = {"SITEDESK_DATA": str(folder), "PATH": "/usr/bin:/bin"}
    return given if url is None else {**given, "SITEDESK_DATABASE_URL": url}


def command(*arguments: str, folder: Path, url: str | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603
        [SITEDESK, *arguments], env=environment(folder, url), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def run(*arguments: str, folder: Path, url: str | None) -> None:
    process = command(*arguments, folder=folder, url=url)
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()


def job_of(database: Database) -> ImportJob | None:
    try:
        with database.reading() as session:
            return session.scalars(sa.select(ImportJob)).first()
    except sa.exc.SQLAlchemyError:
        return None  # it has no tables yet


def killed_at_work(process: subprocess.Popen[bytes], database: Database, *, steps: int) -> bool:
    """Kill the process when the job has moved some steps since it was begun. False: it ended before."""
    seen: set[str] = set()
    while process.poll() is None:
        job = job_of(database)
        if job is not None and job.state in AT_WORK:
            seen.add(json.dumps([job.attempt, job.phase, job.checkpoint]))
        if len(seen) > steps:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            return True
        time.sleep(0.002)
    process.communicate()
    return False


@contextmanager
def site(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[tuple[str | None, Database]]:
    """A data folder's database, made by the first command."""
    if kind == "sqlite":
        folder.mkdir(parents=True)
        database = open_database(f"sqlite:///{folder / 'sitedesk.db'}")
        yield None, database
        database.close()
    else:
        with empty_postgresql(request.getfixturevalue("postgresql_server")) as database:
            yield database.writer.url.render_as_string(hide_password=False), database


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_import_ends_like_an_undisturbed_one(
    request: pytest.FixtureRequest, tmp_path: Path, source: Path, kind: str
) -> None:
    options = ("import", "markdown", str(source), "--publish", "--source", "test")
    with site(request, kind, tmp_path / "whole") as (url, database):
        run(*options, folder=tmp_path / "whole", url=url)
        expected = digest(database)
    chance = random.Random(6)  # noqa: S311
    with site(request, kind, tmp_path / "killed") as (url, database):
        folder = tmp_path / "killed"
        process = command(*options, folder=folder, url=url)
        kills = 0
        while killed_at_work(process, database, steps=chance.randint(1, 4)):
            kills += 1
            job = job_of(database)
            assert job is not None
            process = command("imports", "resume", job.id, folder=folder, url=url)
            if kills == KILLS:
                process.communicate()
                assert process.returncode == 0
                break
        assert kills
        assert digest(database) == expected


# --- everything that an import leaves, without the ids and instants of one run ---


def digest(database: Database) -> dict[str, str]:
    """A fingerprint of each kind of thing."""
    with database.reading() as session:
        names = _names(session)

        def plain(value: object) -> str:
            text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
            for id, name in names.items():
                text = text.replace(id, name)
            return text

        told = {
            "entries": sorted(plain(_entry(one)) for one in session.scalars(sa.select(Entry))),
            "revisions": sorted(plain(_revision(one)) for one in session.scalars(sa.select(Revision))),
            "publications": sorted(
                plain([one.entry_id, one.revision, one.title, one.section, one.slug, one.byline, one.rendered])
                for one in session.scalars(sa.select(Publication))
            ),
            "usages": sorted(
                plain([one.source_id, one.target_id, one.pointer, one.live])
                for one in session.scalars(sa.select(Usage))
            ),
            "redirects": sorted(
                plain([one.path, one.target_entry, one.status]) for one in session.scalars(sa.select(Redirect))
            ),
            "rows": sorted(plain(_row(one)) for one in session.scalars(sa.select(ImportRow))),
            "jobs": sorted(
                plain([one.state, one.counts, one.checkpoint, one.done])
                for one in session.scalars(sa.select(ImportJob))
            ),
        }
    return {
        name: f"{len(rows)} {hashlib.sha256(chr(10).join(rows).encode()).hexdigest()}" for name, rows in told.items()
    }


def _names(session: Any) -> dict[str, str]:
    names = {one.id: f"<{one.source_id or one.type}>" for one in session.scalars(sa.select(Entry))}
    names |= {one.id: f"<{one.name}>" for one in session.scalars(sa.select(Person))}
    structure = session.scalars(sa.select(Entry).where(Entry.type == "structure")).one()
    newest = session.get(Revision, (structure.id, structure.revision))
    names |= {one.id: f"<{one.slug}>" for one in tree_of(newest.fields)}
    return names | {one.id: f"<{one.path}>" for one in session.scalars(sa.select(Redirect))}


def _entry(one: Entry) -> list[Any]:
    place = [one.id, one.type, one.locale, one.section, one.slug, one.title]
    return [*place, one.revision, one.published_revision, one.source_digest, one.source_revision]


def _revision(one: Revision) -> list[Any]:
    return [one.entry_id, one.number, one.locale, one.section, one.slug, one.byline, one.fields, one.note]


def _row(one: ImportRow) -> list[Any]:
    became = [one.number, one.kind, one.outcome, one.external_id, one.entry_id, one.before, one.after, one.live_before]
    return [*became, one.file, one.line, one.pointer, one.code, one.reason, one.warnings]
