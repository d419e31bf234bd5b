"""Settings: where they come from, which wins, and that a mistake is told by the setting's name."""

import os
from pathlib import Path

import pytest

from api.settings import BadSetting, Settings, read_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without settings, and an environment without any."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("SITEDESK_")]:
        monkeypatch.delenv(name)
    return tmp_path


def in_file(folder: Path, text: str | bytes) -> None:
    (folder / "sitedesk.toml").write_bytes(text.encode() if isinstance(text, str) else text)


def test_without_settings_everything_is_in_the_data_folder(folder: Path) -> None:
    settings = read_settings()
    assert settings.folder == folder / "data"
    assert settings.database == f"sqlite:///{folder}/data/sitedesk.db"
    assert settings.media == f"file://{folder}/data/media"
    assert settings.search.endswith(f"://{folder}/data/search")
    assert settings.base == "http://127.0.0.1:8000"


def test_the_defaults_follow_the_data_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEDESK_DATA", str(folder / "else where"))
    settings = read_settings()
    assert settings.database == f"sqlite:///{folder}/else where/sitedesk.db"
    assert settings.media == f"file://{folder}/else%20where/media"
    assert settings.search.endswith(f"://{folder}/else%20where/search")


def test_the_file_is_read(folder: Path) -> None:
    in_file(folder, 'host = "0.0.0.0"\nport = 8080\nbase_url = "https://example.org/"\n')
    settings = read_settings()
    assert (settings.host, settings.port, settings.base) == ("0.0.0.0", 8080, "https://example.org")  # noqa: S104


def test_the_environment_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_file(folder, 'port = 8080\nhost = "localhost"\n')
    monkeypatch.setenv("SITEDESK_PORT", "8081")
    settings = read_settings()
    assert (settings.port, settings.host) == (8081, "localhost")


def test_an_unknown_setting_of_the_environment_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEDESK_DATABASE", "sqlite:///site.db")
    with pytest.raises(BadSetting, match=r"unknown setting SITEDESK_DATABASE; known are .*SITEDESK_DATABASE_URL"):
        read_settings()


@pytest.mark.parametrize("text", ["prot = 8080", "[prot]\nnumber = 1", "prot = {}"])
def test_an_unknown_setting_of_the_file_is_refused_by_name(folder: Path, text: str) -> None:
    in_file(folder, text)
    with pytest.raises(BadSetting, match=r"unknown setting SITEDESK_PROT .prot in sitedesk[.]toml"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "http"),
        ("PORT", ""),
        ("HOST", ""),
        ("DATA", ""),
        ("DATABASE_URL", "site.db"),
        ("DATABASE_URL", "mysql://localhost/site"),
        ("DATABASE_URL", ""),
        ("MEDIA_URL", "ftp://example.org/media"),
        ("MEDIA_URL", "file://"),
        ("MEDIA_URL", "file://elsewhere/media"),
        ("SEARCH_URL", "elastic://localhost"),
        ("SEARCH_URL", "whoosh://"),
        ("SEARCH_URL", "tantivy:///"),
        ("BASE_URL", "example.org"),
        ("BASE_URL", "ftp://example.org"),
        ("BASE_URL", "https://example.org?a=1"),
        ("BASE_URL", "https://example.org:99999"),
        ("BASE_URL", "http://["),
    ],
)
def test_a_malformed_setting_is_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"SITEDESK_{name}", value)
    with pytest.raises(BadSetting, match=f"^SITEDESK_{name} ") as refusal:
        read_settings()
    assert "\n" not in str(refusal.value)


def test_a_malformed_setting_of_the_file_is_refused_by_name(folder: Path) -> None:
    in_file(folder, 'port = "many"')
    with pytest.raises(BadSetting, match=r"^SITEDESK_PORT .*'many'"):
        read_settings()


def test_all_malformed_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEDESK_PORT", "many")
    monkeypatch.setenv("SITEDESK_BASE_URL", "nowhere")
    with pytest.raises(BadSetting, match=r"SITEDESK_BASE_URL.*SITEDESK_PORT|SITEDESK_PORT.*SITEDESK_BASE_URL"):
        read_settings()


def test_the_password_of_a_malformed_address_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEDESK_DATABASE_URL", "mysql://root:hunter2@localhost/site")
    with pytest.raises(BadSetting) as refusal:
        read_settings()
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("text", ["port = ", b"port = '\xff'", "\0", "port = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_refused_by_name(folder: Path, text: str | bytes) -> None:
    in_file(folder, text)
    with pytest.raises(BadSetting, match=r"^sitedesk\.toml: "):
        read_settings()


def test_a_usual_postgresql_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEDESK_DATABASE_URL", "postgresql://me@localhost/site")
    assert read_settings().database == "postgresql+psycopg://me@localhost/site"


@pytest.mark.parametrize(("host", "base"), [("::1", "http://[::1]:8000"), ("localhost", "http://localhost:8000")])
def test_the_base_address_is_where_the_server_listens(host: str, base: str) -> None:
    assert Settings(host=host).base == base
