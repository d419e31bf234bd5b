"""Servers for the black-box tests of the HTTP API: one over SQLite, one over PostgreSQL."""

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from api.settings import Settings
from tests.api.serving import Site, serving


@pytest.fixture(scope="session")
def sqlite_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with nothing but its data folder."""
    with serving(Settings(data=tmp_path_factory.mktemp("sqlite") / "data")) as site:
        yield site


@pytest.fixture(scope="session")
def postgresql_site(tmp_path_factory: pytest.TempPathFactory, postgresql_server: sa.Engine) -> Iterator[Site]:
    """A server whose entries and search are in PostgreSQL."""
    name = f"sitedesk_api_{uuid.uuid4().hex}"
    with postgresql_server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
        # Tests do not outlive the machine's power.
        connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    url = postgresql_server.url.set(database=name).render_as_string(hide_password=False)
    folder = tmp_path_factory.mktemp("postgresql") / "data"
    with serving(Settings(data=folder, database_url=url, search_url=url)) as site:
        yield site
    with postgresql_server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest) -> Site:
    """A running server, once on each database. All tests share it: they use words that are theirs alone."""
    found: Site = request.getfixturevalue(f"{request.param}_site")
    return found
