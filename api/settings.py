"""The settings: typed, read once, from `SITEDESK_…` in the environment or `sitedesk.toml` in the working folder."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from media.stores import STORES
from search_index import DEFAULT_SCHEME
from search_index.opening import ENGINES

PREFIX = "SITEDESK_"
FILE = Path("sitedesk.toml")
# Schemes whose URLs are a folder's path.
_FOLDERS = frozenset({"file", "tantivy", "whoosh"})


class BadSetting(Exception):
    """A setting is unknown or malformed; the message names it."""


def _database(url: str) -> str:
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError:
        raise ValueError("is not a database URL") from None
    if backend not in ("sqlite", "postgresql"):
        raise ValueError("starts with sqlite:/// or postgresql+psycopg://")
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _given(path: Any) -> Any:
    if path == "":
        raise ValueError("names a folder")
    return path


def _one_of(schemes: Mapping[str, Any]) -> AfterValidator:
    def check(url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in schemes:
            raise ValueError(f"starts with one of: {', '.join(f'{scheme}://' for scheme in schemes)}")
        if parts.scheme in _FOLDERS and (parts.netloc or not parts.path.strip("/")):
            raise ValueError(f"names a folder with its whole path, as in {parts.scheme}:///var/lib/sitedesk")
        return url

    return AfterValidator(check)


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    # Asking for the port raises when it is none.
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or parts.query or parts.fragment:
        raise ValueError("is a web address such as https://www.example.org")
    return url.rstrip("/")


class Settings(BaseSettings):
    """All settings with their defaults. URLs left out point into the data folder."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, toml_file=FILE, extra="forbid", frozen=True)

    data: Annotated[Path, BeforeValidator(_given)] = Path("data")
    database_url: Annotated[str, AfterValidator(_database)] | None = None
    media_url: Annotated[str, _one_of(STORES)] | None = None
    search_url: Annotated[str, _one_of(ENGINES)] | None = None
    base_url: Annotated[str, AfterValidator(_web_address)] | None = None
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return self.data.expanduser().absolute()

    @property
    def database(self) -> str:
        """Where the database is."""
        return self.database_url or f"sqlite:///{self.folder / 'sitedesk.db'}"

    @property
    def media(self) -> str:
        """Where files are kept."""
        return self.media_url or (self.folder / "media").as_uri()

    @property
    def search(self) -> str:
        """Which search engine, and where its indexes are."""
        return self.search_url or f"{DEFAULT_SCHEME}://{quote(str(self.folder / 'search'))}"

    @property
    def base(self) -> str:
        """The address under which the world sees this server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.base_url or f"http://{host}:{self.port}"


def read_settings() -> Settings:
    """The settings in force. Raises `BadSetting` naming each one that is unknown or malformed."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    unknown = [name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known]
    if unknown:
        raise BadSetting(f"unknown setting {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
    try:
        return Settings()
    except ValidationError as error:
        raise BadSetting("; ".join(_told(one) for one in error.errors())) from None
    except (ValueError, OSError) as error:  # what tomllib says of a file that is no TOML
        raise BadSetting(f"{FILE}: {error}") from None


def _told(error: Any) -> str:
    name = f"{PREFIX}{'_'.join(str(step) for step in error['loc'][:1]).upper()}"
    if error["type"] == "extra_forbidden":
        return f"unknown setting {name} ({error['loc'][0]} in {FILE})"
    # A database's address may hold its password.
    given = re.sub("//[^/@]*@", "//…@", str(error["input"]))
    return f"{name} {error['msg'].removeprefix('Value error, ')}: {given[:100]!r}"
