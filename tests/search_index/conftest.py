"""The engines under test and a small site to search in."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from search_index import Document, Engine, open_engine
from search_index.opening import HAS_TANTIVY
from tests.search_index.site import DOCUMENTS

POSTGRESQL = os.environ.get("SITEDESK_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")

Open = Callable[[], Engine]


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """URL of an empty PostgreSQL database of this session's own."""
    admin = sa.create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    name = f"search_{uuid.uuid4().hex}"
    try:
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    except OperationalError:
        pytest.skip(f"no PostgreSQL at {POSTGRESQL}")
    yield sa.make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["tantivy", "whoosh", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an index may be made; nothing is there yet."""
    if request.param != "postgresql":
        if request.param == "tantivy" and not HAS_TANTIVY:
            pytest.skip("tantivy has no wheel here")
        return f"{request.param}://{tmp_path}/index"
    database: str = request.getfixturevalue("database")
    return f"{database}?options=-csearch_path%3D{_fresh_schema(database)}"


@pytest.fixture
def open_again(url: str) -> Iterator[Open]:
    """Opens the same index as many times as wanted."""
    opened: list[Engine] = []

    def open_one() -> Engine:
        opened.append(open_engine(url, name="public"))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.close()


@pytest.fixture
def missing(open_again: Open) -> Engine:
    """An engine whose index was never built."""
    return open_again()


@pytest.fixture
def empty(missing: Engine) -> Engine:
    """A built index without documents, at position 0."""
    missing.rebuild([], position=0)
    return missing


@pytest.fixture
def site(empty: Engine) -> Engine:
    """The small site, at position 10."""
    empty.apply(DOCUMENTS, [], position=10)
    return empty


@pytest.fixture
def holding(empty: Engine) -> Callable[..., Engine]:
    """Makes an index of just these documents."""

    def hold(*documents: Document) -> Engine:
        empty.apply(documents, [], position=1)
        return empty

    return hold


def _fresh_schema(database: str) -> str:
    name = f"t{uuid.uuid4().hex}"
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    return name
