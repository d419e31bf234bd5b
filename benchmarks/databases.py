"""An empty database of each kind to measure on. PostgreSQL is the one that tests use, and is left out without it."""

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

_POSTGRESQL = os.environ.get("SITEDESK_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


def each() -> Iterator[tuple[str, str]]:
    """The name and the URL of each database, one after the other; it is gone when the next is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{Path(folder) / 'site.db'}"
    admin = sa.create_engine(_POSTGRESQL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        with _empty(admin) as url:
            yield "PostgreSQL", url
    except OperationalError:
        print(f"PostgreSQL left out: there is none at {_POSTGRESQL}", file=sys.stderr)
    finally:
        admin.dispose()


@contextmanager
def _empty(admin: sa.Engine) -> Iterator[str]:
    name = f"sitedesk_bench_{uuid.uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    try:
        yield sa.make_url(_POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
