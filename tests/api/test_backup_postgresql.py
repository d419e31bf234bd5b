"""What only PostgreSQL can get wrong: its programs, and two things that must come true together."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from api.backups.refusal import BackupRefused
from api.settings import Settings
from api.starting import CannotStart, prepared
from cms.database import Database
from tests.api.backups_at_hand import address_of, backed_up, restored, rows_at, site_over
from tests.cast import Colleague, HeldClock
from tests.conftest import empty_postgresql


@pytest.fixture
def site(postgresql: Database, tmp_path: Path, olga: Colleague) -> Settings:
    """A small site whose entries are in PostgreSQL."""
    return site_over(postgresql, tmp_path / "data", by=olga.by())


@pytest.fixture
def fresh(postgresql_server: sa.Engine) -> Iterator[str]:
    """The address of an empty database."""
    with empty_postgresql(postgresql_server) as database:
        yield address_of(database)


def program(folder: Path, said: str) -> Path:
    """A folder with a pg_dump that says this of itself."""
    folder.mkdir()
    (folder / "pg_dump").write_text(f"#!/bin/sh\necho '{said}'\n", encoding="utf-8")
    (folder / "pg_dump").chmod(0o755)
    return folder


def test_without_pg_dump_a_backup_is_refused(
    site: Settings, tmp_path: Path, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupRefused, match="pg_dump is not on the PATH: install"):
        backed_up(site, tmp_path / "backups", clock=clock)


def test_a_pg_dump_that_is_older_than_the_server_is_refused(
    site: Settings, tmp_path: Path, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program(tmp_path / "old", "pg_dump (PostgreSQL) 9.6.24")))
    with pytest.raises(BackupRefused, match="is of PostgreSQL 9, the server of"):
        backed_up(site, tmp_path / "backups", clock=clock)


def test_a_server_that_does_not_answer_is_told_without_a_password(tmp_path: Path, clock: HeldClock) -> None:
    url = "postgresql+psycopg://postgres:open-sesame@127.0.0.1:9/none"
    with pytest.raises(BackupRefused, match="cannot be used") as refusal:
        backed_up(Settings(data=tmp_path / "data", database_url=url), tmp_path / "backups", clock=clock)
    assert "open-sesame" not in str(refusal.value)


def test_the_search_tables_are_left_out(site: Settings, postgresql: Database, fresh: str, clock: HeldClock) -> None:
    target, into = site.folder.with_name("backups"), site.folder.with_name("restored")
    with postgresql.writer.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE search_public_documents (id text)")
    try:
        backed_up(site, target, clock=clock, verified=True)
    finally:
        with postgresql.writer.begin() as connection:
            connection.exec_driver_sql("DROP TABLE search_public_documents")
    restored(target, into, clock=clock, database=fresh)
    assert rows_at(fresh, "SELECT to_regclass('search_public_documents')") == [(None,)]


def test_a_backup_of_postgresql_needs_a_database(site: Settings, tmp_path: Path, clock: HeldClock) -> None:
    backed_up(site, tmp_path / "backups", clock=clock)
    with pytest.raises(BackupRefused, match="--database"):
        restored(tmp_path / "backups", tmp_path / "restored", clock=clock)
    with pytest.raises(BackupRefused, match="sitedesk export"):
        restored(tmp_path / "backups", tmp_path / "restored", clock=clock, database="sqlite:////tmp/x.db")
    assert not (tmp_path / "restored").exists()


def test_no_server_starts_on_a_restore_that_was_cut_off(
    site: Settings, fresh: str, tmp_path: Path, clock: HeldClock
) -> None:
    backed_up(site, tmp_path / "backups", clock=clock)
    restored(tmp_path / "backups", tmp_path / "restored", clock=clock, database=fresh)
    engine = sa.create_engine(fresh, poolclass=sa.NullPool)
    with engine.begin() as connection:
        # As it is before the last step.
        connection.exec_driver_sql("DELETE FROM alembic_version")
    with pytest.raises(CannotStart), prepared(Settings(data=tmp_path / "restored", database_url=fresh)):
        pass
    with pytest.raises(BackupRefused, match="cut off: drop it"):
        restored(tmp_path / "backups", tmp_path / "again", clock=clock, database=fresh)


def test_a_damaged_dump_never_reaches_the_database(
    site: Settings, fresh: str, tmp_path: Path, clock: HeldClock
) -> None:
    name = backed_up(site, tmp_path / "backups", clock=clock)
    dump = tmp_path / "backups" / "backups" / name / "database.dump"
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)
    with pytest.raises(BackupRefused, match="other bytes"):
        restored(tmp_path / "backups", tmp_path / "restored", clock=clock, database=fresh)
    assert sa.inspect(sa.create_engine(fresh, poolclass=sa.NullPool)).get_table_names() == []
    assert not (tmp_path / "restored").exists()


def test_a_dump_whose_rows_are_others_is_refused_by_its_verification(
    site: Settings, tmp_path: Path, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "lying"
    script.mkdir()
    real = shutil.which("pg_dump")
    # Leaves out what it was not told to.
    body = f'#!/bin/sh\n[ "$1" = --version ] && exec {real} "$@"\nexec {real} "$@" --exclude-table-data=file_uses\n'
    (script / "pg_dump").write_text(body, encoding="utf-8")
    (script / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", str(script), prepend=os.pathsep)
    with pytest.raises(BackupRefused, match="its table file_uses is not as it was"):
        backed_up(site, tmp_path / "backups", clock=clock, verified=True)
