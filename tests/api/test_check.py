"""`sitedesk check`: faults of a deployment are told, serious ones fail it, and nothing is changed."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from api.checking import check
from api.settings import Settings
from api.starting import prepared


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A deployment that has been started once."""
    made = Settings(data=tmp_path / "data")
    with prepared(made):
        pass
    return made


def faults(settings: Settings) -> list[str]:
    return [finding.text for finding in check(settings) if finding.serious]


def test_a_sound_deployment_has_no_faults(settings: Settings) -> None:
    assert faults(settings) == []


def test_a_deployment_to_be_has_no_faults_and_stays_unmade(tmp_path: Path) -> None:
    found = list(check(Settings(data=tmp_path / "some" / "data")))
    assert not [finding for finding in found if finding.serious]
    assert any("there is none yet" in finding.text for finding in found)
    assert list(tmp_path.iterdir()) == []


def test_a_check_changes_no_file(settings: Settings) -> None:
    before = {path: path.read_bytes() for path in settings.folder.rglob("*") if path.is_file()}
    list(check(settings))
    assert {path: path.read_bytes() for path in settings.folder.rglob("*") if path.is_file()} == before


def opened_to_all(settings: Settings) -> None:
    settings.folder.chmod(0o777)


def told_secret(settings: Settings) -> None:
    (settings.folder / "secret").chmod(0o644)


def damaged_secret(settings: Settings) -> None:
    (settings.folder / "secret").write_bytes(b"\xff")


def written_by_a_newer(settings: Settings) -> None:
    _set_version(settings, "9999")


def pending(settings: Settings) -> None:
    _set_version(settings, None)


def no_database(settings: Settings) -> None:
    (settings.folder / "sitedesk.db").write_bytes(b"This is no database. " * 500)


def _set_version(settings: Settings, version: str | None) -> None:
    with sqlite3.connect(settings.folder / "sitedesk.db") as connection:
        connection.execute("DELETE FROM alembic_version")
        if version is not None:
            connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    connection.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (opened_to_all, "folder: .* can be written by everybody"),
        (told_secret, "secret: .* can be read by others"),
        (damaged_secret, "secret: .* is damaged"),
        (written_by_a_newer, "database: written by a newer"),
        (pending, "database: .*run `sitedesk migrate`"),
        (no_database, "database: "),
    ],
)
def test_each_harm_is_one_fault(harm: Callable[[Settings], None], said: str, settings: Settings) -> None:
    harm(settings)
    found = faults(settings)
    assert len(found) == 1
    assert re.match(said, found[0])
    assert "\n" not in found[0]


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"base_url": "http://www.example.org"}, 1),
        ({"base_url": "https://www.example.org", "host": "0.0.0.0"}, 0),  # noqa: S104
        ({"base_url": "http://localhost:8000"}, 0),
        ({"base_url": "http://[::1]:8000"}, 0),
    ],
)
def test_passwords_must_not_travel_in_the_clear(given: dict[str, str], count: int, tmp_path: Path) -> None:
    found = faults(Settings(data=tmp_path, **given))  # type: ignore[arg-type]
    assert len(found) == count
    assert all("SITEDESK_BASE_URL" in text for text in found)


def test_listening_to_the_world_without_an_address_of_its_own_is_a_fault(tmp_path: Path) -> None:
    assert any("not set" in text for text in faults(Settings(data=tmp_path, host="0.0.0.0")))  # noqa: S104


def test_a_folder_below_a_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "is not writable" in faults(Settings(data=tmp_path / "file" / "data"))[0]


def test_a_database_server_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    url = "postgresql+psycopg://me:hunter2@127.0.0.1:1/site?connect_timeout=2"
    found = faults(Settings(data=tmp_path, database_url=url))
    assert len(found) == 1
    assert found[0].startswith("database: ")
    assert "hunter2" not in found[0]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://files?endpoint=http://127.0.0.1:9&region=ru-1", "media: "),
        ("s3://files?password=1", "media: Not a bucket"),
    ],
)
def test_a_bucket_that_does_not_answer_is_a_fault(settings: Settings, url: str, said: str) -> None:
    found = faults(settings.model_copy(update={"media_url": url}))
    assert [text.startswith(said) for text in found] == [True]
