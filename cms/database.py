"""The database: SQLite or PostgreSQL, one code for both.

A session is for reading or for writing. Writers take turns, on both databases, so that what a verb has checked is
still so when it commits, and so that event numbers become visible in order (domain rules 5 and 8, decision 0002).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TypeVar

import orjson
from sqlalchemy import JSON, BigInteger, DateTime, Engine, Integer, String, create_engine, event, make_url
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

Value = TypeVar("Value")

# Any fixed number: it names the lock that PostgreSQL's writers take in turn.
_WRITERS = 0x517E_DE5C


class Instant(TypeDecorator[datetime]):
    """An instant in UTC. SQLite keeps no zone, so it is taken off going in and put back coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Compared and sorted by code point on both databases (domain rule 15).
Text = String().with_variant(String(collation="C"), "postgresql")

# SQLite numbers rows by itself only in a column of type INTEGER.
BigNumber = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """What all tables are declared from."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text,
        datetime: Instant,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
    }


@dataclass
class Database:
    """Two engines: one that writes, one that only reads. `committed` is called after every commit of a writer.

    `waiting` counts the writers of this process whose turn has not come: long work commits early when there are any."""

    writer: Engine
    reader: Engine
    committed: list[Callable[[], None]] = field(default_factory=list)
    waiting: int = 0
    _counting: Lock = field(default_factory=Lock)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and cannot change it."""
        with Session(self.reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at the end, or leaves nothing behind. Effects outside follow the commit."""
        with Session(self.writer, expire_on_commit=False) as session, session.begin():
            with self._queued():
                session.connection()
            yield session
        for told in self.committed:
            told()

    @contextmanager
    def _queued(self) -> Iterator[None]:
        with self._counting:
            self.waiting += 1
        try:
            yield
        finally:
            with self._counting:
                self.waiting -= 1

    def close(self) -> None:
        """Let go of all connections."""
        self.reader.dispose()
        self.writer.dispose()


def remembered(session: Session, name: str, find: Callable[[], Value]) -> Value:
    """What was found in this session before, or is found now. Whoever changes what it tells of calls `forget`."""
    if name not in session.info:
        session.info[name] = find()
    value: Value = session.info[name]
    return value


def forget(session: Session) -> None:
    """Nothing that was remembered holds any more: the structure or the settings have changed."""
    session.flush()
    session.info.clear()


def open_database(url: str) -> Database:
    """Connect to `sqlite:///…` or `postgresql+psycopg://…`. Creates no tables."""
    return _OPENERS[make_url(url).get_backend_name()](url)


def _open_sqlite(url: str) -> Database:
    def engine(*, size: int) -> Engine:
        return create_engine(
            url,
            json_serializer=_to_json,
            json_deserializer=orjson.loads,
            connect_args={"check_same_thread": False, "isolation_level": None, "timeout": 30},
            pool_size=size,
            max_overflow=0,
            pool_timeout=60,
        )

    writer, reader = engine(size=1), engine(size=8)
    event.listen(writer, "connect", _prepare_sqlite)
    event.listen(reader, "connect", _prepare_sqlite)
    event.listen(reader, "connect", lambda connection, _record: connection.execute("PRAGMA query_only=ON"))
    # A deferred transaction that reads and then writes fails with "locked" at once, whatever the timeout.
    event.listen(writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(reader, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return Database(writer, reader)


_PRAGMAS = (
    "journal_mode=WAL",
    # NORMAL would acknowledge a commit in WAL before it is on the disk.
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=30000",
    # In pages, 32 MB: an import would otherwise copy its WAL into the database after every batch.
    "wal_autocheckpoint=8000",
)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    # SQLite's own lower() knows only ASCII.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _open_postgresql(url: str) -> Database:
    def engine(*, size: int) -> Engine:
        return create_engine(
            url,
            json_serializer=_to_json,
            json_deserializer=orjson.loads,
            isolation_level="REPEATABLE READ" if size > 1 else "READ COMMITTED",
            pool_size=size,
            max_overflow=0,
            pool_timeout=60,
            pool_pre_ping=True,
        )

    writer, reader = engine(size=1), engine(size=8)
    event.listen(writer, "begin", _wait_for_other_writers)
    event.listen(reader, "begin", lambda connection: connection.exec_driver_sql("SET TRANSACTION READ ONLY"))
    return Database(writer, reader)


def _wait_for_other_writers(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()


_OPENERS: dict[str, Callable[[str], Database]] = {"sqlite": _open_sqlite, "postgresql": _open_postgresql}
