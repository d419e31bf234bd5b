"""PostgreSQL: a dump of one moment, by its own programs, and back."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg.conninfo
import sqlalchemy as sa

from api.backups import survey
from api.backups.manifest import Content, Manifest
from api.backups.refusal import BackupRefused
from api.backups.survey import EMPTIED, SEARCH, Survey
from api.backups.transfer import content_of

FILE = "database.dump"
# Without the row that tells how far it is migrated no server starts on a database.
VERSION_TABLE = "alembic_version"


def size(url: str) -> int:
    """The bytes that the dump will have at most. Raises `BackupRefused`."""
    with _connected(url) as connection:
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def copy(url: str, scratch: Path) -> tuple[Path, Content, Survey]:
    """Dump the database as it is at one moment: the dump in the scratch folder, what it is, and what it holds. Nobody
    who writes waits for it. Raises `BackupRefused`."""
    dump = scratch / FILE
    with _connected(url, isolation_level="REPEATABLE READ") as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        # The dump and the survey see the same moment as long as this transaction is open.
        snapshot: str = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        program = _pg_dump(int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000)
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={dump}"]
        options += [f"--exclude-table-data={name}" for name in EMPTIED]
        options += [f"--exclude-table={prefix}*" for prefix in SEARCH]
        _run(url, program, *options)
        found = survey.look(connection)
    return dump, content_of(dump), found


def _pg_dump(server: int) -> str:
    program = _found("pg_dump")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    numbers = [word for word in said.split() if word[:1].isdigit()]
    major = int(numbers[0].partition(".")[0]) if numbers else 0
    if major < server:
        raise BackupRefused(
            f"{program} is of PostgreSQL {major}, the server of {server}: install postgresql-client-{server}"
        )
    return program


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise BackupRefused(f"{program} is not on the PATH: install PostgreSQL's client programs (postgresql-client)")
    return path


def _run(url: str, program: str, *options: str) -> str:
    parsed = sa.make_url(url)
    known = {"host": parsed.host, "port": parsed.port, "user": parsed.username, "dbname": parsed.database}
    given = {name: str(value) for name, value in known.items() if value is not None}
    address = psycopg.conninfo.make_conninfo(**given, **{name: str(value) for name, value in parsed.query.items()})
    # Arguments are visible to others.
    password = {} if parsed.password is None else {"PGPASSWORD": str(parsed.password)}
    ended = subprocess.run(  # noqa: S603
        [program, "--no-password", f"--dbname={address}", *options],
        env={**os.environ, **password},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ended.returncode != 0:
        said = " ".join(ended.stderr.split())[:500] or f"ended with {ended.returncode}"
        raise BackupRefused(f"{Path(program).name} failed: {said}")
    return ended.stdout


@contextmanager
def _connected(url: str, **options: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"connect_timeout": 10}, **options)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.SQLAlchemyError as error:
        raise BackupRefused(f"the database cannot be used: {str(error).splitlines()[0]}") from error
    finally:
        engine.dispose()


# --- back ---


def refuse_used(url: str) -> None:
    """Raises `BackupRefused` for a database that cannot be reached or is not empty."""
    with _connected(url) as connection:
        found = sorted(sa.inspect(connection).get_table_names())
        if VERSION_TABLE in found and survey.migration_of(connection) is None:
            raise BackupRefused("the database holds a restore that was cut off: drop it, make it anew, and begin again")
        if found:
            raise BackupRefused(
                f"the database is not empty (it has the table {found[0]}): make a new one to restore into"
            )


def load(url: str, dump: Path, manifest: Manifest, *, whole: bool = False) -> None:
    """Bring a dump into an empty database, in one transaction, and compare it with what the manifest says of it, table
    by table. The row that tells how far it is migrated is left out unless it shall be `whole`. Raises
    `BackupRefused`."""
    program = _found("pg_restore")
    listed = subprocess.run([program, "--list", str(dump)], capture_output=True, text=True, check=False)  # noqa: S603
    if listed.returncode != 0:
        raise BackupRefused(f"pg_restore cannot read the dump: {' '.join(listed.stderr.split())[:500]}")
    version = f" TABLE DATA public {VERSION_TABLE} "
    lines = [line for line in listed.stdout.splitlines() if whole or version not in line]
    wanted = dump.with_name("wanted.list")
    wanted.write_text("\n".join(lines), encoding="utf-8")
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--use-list={wanted}"]
    _run(url, program, *options, str(dump))
    with _connected(url) as connection:
        survey.compare(connection, manifest, without=() if whole else {VERSION_TABLE})


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """The URL of an empty database on the same server, dropped at the end. Raises `BackupRefused`."""
    name = f"sitedesk_verify_{uuid.uuid4().hex}"
    try:
        with _connected(url, isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    except BackupRefused as refusal:
        raise BackupRefused(f"no scratch database can be made to verify in (CREATEDB is needed): {refusal}") from None
    try:
        yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with _connected(url, isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
