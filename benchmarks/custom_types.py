"""Lists of a type that staff made: 100,000 entries, filtered and sorted by two of its fields, on both databases.

In the process and over HTTP, each page asked for alone, nothing cached."""

import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import sqlalchemy as sa
import uvicorn
from sqlalchemy.orm import Session

from api.app import create_app
from api.parts import Parts
from api.request_log import configure_logging
from api.settings import Settings
from api.starting import prepared
from benchmarks import databases
from benchmarks.figures import Figure, table
from cms import finding, sign_in
from cms.attribution import COMMAND_LINE, By
from cms.clock import system_clock
from cms.custom_types import making_types
from cms.database import Database
from cms.delivery import publications
from cms.listing import Asked, Condition

COUNT = 100_000
_ROUNDS = 8
_DEEP = 16

_TYPE = {
    "fields": [
        {"name": "salary", "kind": "number"},
        {"name": "level", "kind": "choice", "choices": [f"level {number}" for number in range(50)]},
        {"name": "remote", "kind": "boolean"},
        {"name": "city", "kind": "text"},
        {"name": "since", "kind": "date"},
        {"name": "duties", "kind": "long_text"},
    ]
}


@dataclass(frozen=True)
class _Case:
    """What a list is asked for."""

    what: str
    conditions: tuple[Condition, ...]
    sort: str

    def asked(self) -> Asked:
        conditions = (Condition("type", "eq", ("vacancy",)), *self.conditions)
        return Asked(conditions, ((self.sort.removeprefix("-"), self.sort.startswith("-")),))


_ONE_OF_50 = (Condition("level", "eq", ("level 7",)),)
_HALF = (Condition("remote", "eq", ("true",)),)
_RANGE = (Condition("salary", "gte", ("200000",)), Condition("salary", "lt", ("300000",)))
_RARE = (Condition("city", "eq", ("city 17",)),)
_NONE = (Condition("city", "eq", ("nowhere",)),)
CASES = [
    _Case(f"{what}, by {sort}", conditions, sort)
    for what, conditions, other in (
        ("1 of 50", _ONE_OF_50, "salary"),
        ("half", _HALF, "salary"),
        ("a range of 1 in 10", _RANGE, "since"),
        ("1 of 1,000", _RARE, "salary"),
        ("nothing", _NONE, "salary"),
    )
    for sort in (other, f"-{other}")
]


def run() -> list[Figure]:
    """Fill a new database of each kind and time its lists, in the process."""
    figures = []
    for name, url in databases.each():
        with _site(url) as parts:
            fill(parts.database)
            for side, ask in SIDES.items():
                figures.append(_figure(f"{name}, {side}", partial(_in_process, parts.database, ask)))
            with _server(parts) as client:
                for side in SIDES:
                    figures.append(_figure(f"{name}, {side}, HTTP", partial(_over_http, client, side)))
    return figures


@contextmanager
def _site(url: str) -> Iterator[Parts]:
    with tempfile.TemporaryDirectory() as folder, prepared(Settings(data=Path(folder), database_url=url)) as parts:
        yield parts


def fill(database: Database, *, count: int = COUNT) -> None:
    """Make the type and its entries, all of them live, by SQL alone."""
    with database.writing() as session:
        making_types.put(session, "vacancy", _TYPE, by=By(COMMAND_LINE, system_clock()))
    with database.writing() as session:
        for statement in _statements(session.get_bind().dialect.name, count):
            session.execute(sa.text(statement))
        if session.get_bind().dialect.name == "postgresql":
            # As autovacuum does within a minute.
            session.execute(sa.text("ANALYZE"))


def _statements(dialect: str, count: int) -> list[str]:
    series, number, make, date, boolean = _DIALECTS[dialect]
    id = f"'01900000-0000-7000-9000-' || {number}"
    duties = "'" + "All that a day brings, and somewhat more of it. " * 10 + "'"
    # Each field's values stand in an order of their own.
    values = ", ".join(
        (
            "'salary', (n * 7919) % 1000003",
            "'level', 'level ' || ((n * 31) % 50)",
            f"'remote', {boolean.format('(n * 17) % 2 = 0')}",
            "'city', 'city ' || ((n * 101) % 1000)",
            f"'since', {date}",
        )
    )
    compared = f"{make}('title', 'Vacancy ' || n, {values})"
    fields = f"{make}('title', 'Vacancy ' || n, {values}, 'duties', {duties})"
    searched = f"{make}('summary', '', 'topics', {_EMPTY[dialect]}, 'text', {duties})"
    at = "'2026-01-01 00:00:00'" if dialect == "sqlite" else "timestamptz '2026-01-01 00:00:00Z'"
    return [
        f"""INSERT INTO entries (id, type, locale, slug, title, translation_group, revision, published_revision,
            first_published_at, published_at, created_at, created_by, changed_at, searched, compared)
            SELECT {id}, 'vacancy', 'ru', 'vacancy-' || n, 'Vacancy ' || n, {id}, 1, 1,
            {at}, {at}, {at}, 'bench', {at}, {searched}, {compared} FROM {series.format(count)}""",  # noqa: S608
        f"""INSERT INTO revisions (entry_id, number, locale, slug, byline, fields, saved_at, begun_at, autosave, folds,
            type_revision, actor_kind, actor_id, actor_name)
            SELECT {id}, 1, 'ru', 'vacancy-' || n, {_EMPTY[dialect]}, {fields}, {at}, {at}, false, 0,
            1, 'system', 'bench', 'Bench' FROM {series.format(count)}""",  # noqa: S608
        f"""INSERT INTO publications (entry_id, type, locale, slug, revision, title, translation_group,
            first_published_at, published_at, byline, seo, rendered, targets, fields, searched, compared)
            SELECT {id}, 'vacancy', 'ru', 'vacancy-' || n, 1, 'Vacancy ' || n, {id},
            {at}, {at}, {_EMPTY[dialect]}, {make}('title', 'Vacancy ' || n), {fields}, {_EMPTY[dialect]}, {fields},
            {searched}, {compared} FROM {series.format(count)}""",  # noqa: S608
    ]


_EMPTY = {"sqlite": "json('[]')", "postgresql": "'[]'::json"}
_DIALECTS = {
    "sqlite": (
        "(WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {}) SELECT n FROM series)",
        "printf('%012x', n)",
        "json_object",
        "date('2000-01-01', ((n * 13) % 9000) || ' days')",
        "json(CASE WHEN {} THEN 'true' ELSE 'false' END)",
    ),
    "postgresql": (
        "generate_series(1, {}) AS n",
        "lpad(to_hex(n), 12, '0')",
        "json_build_object",
        "to_char(date '2000-01-01' + (n * 13) % 9000, 'YYYY-MM-DD')",
        "({})",
    ),
}


Ask = Callable[[Session, Asked], str | None]


def _delivery(session: Session, asked: Asked) -> str | None:
    return publications.listing(session, asked).next


def _editor(session: Session, asked: Asked) -> str | None:
    return finding.entries(session, asked).next


SIDES: dict[str, Ask] = {"delivery": _delivery, "editor": _editor}


# What a case takes in milliseconds, and the cursor of the next page.
Measure = Callable[[Asked], tuple[float, str | None]]


def _figure(where: str, measure: Measure) -> Figure:
    times: list[float] = []
    for case in CASES:
        taken = sorted(_times(case, measure))
        times += taken
        print(f"{where:28} {case.what:32} {statistics.median(taken):7.1f} ms, at most {taken[-1]:.1f}")
    worst = statistics.quantiles(times, n=20)[-1]
    return Figure(f"100,000 of a type that staff made, {where}, p95", f"{worst:.1f} ms", "under 30 ms")


def _times(case: _Case, measure: Measure) -> Iterator[float]:
    """Milliseconds of the first page, again and again, and of pages further and further on."""
    for _ in range(_ROUNDS):
        yield measure(case.asked())[0]
    after: str | None = None
    for number in range(_DEEP):
        _, after = measure(replace(case.asked(), after=after, size=100))
        if after is None:
            return
        if number % 4 == 3:
            yield measure(replace(case.asked(), after=after))[0]


def _in_process(database: Database, ask: Ask, asked: Asked) -> tuple[float, str | None]:
    with database.reading() as session:
        started = time.perf_counter()
        after = ask(session, asked)
        return (time.perf_counter() - started) * 1_000, after


@contextmanager
def _server(parts: Parts) -> Iterator[httpx.Client]:
    """The application over these parts, and a client with a key of an administrator's."""
    configure_logging(json=True, level="WARNING")
    with parts.database.writing() as session:
        _, token = sign_in.make_key(session, name="bench", role="administrator", by=By(COMMAND_LINE, parts.clock()))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # Without its lifespan: making the search indexes of so many entries is measured elsewhere.
        config = uvicorn.Config(create_app(parts), log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def _over_http(client: httpx.Client, side: str, asked: Asked) -> tuple[float, str | None]:
    parameters = {f"filter[{one.field}][{one.operator}]": one.values[0] for one in asked.conditions}
    ((name, descending),) = asked.sort
    parameters |= {"sort": f"-{name}" if descending else name, "page[size]": str(asked.size)}
    if asked.after is not None:
        parameters["page[after]"] = asked.after
    started = time.perf_counter()
    answer = client.get(f"/{side}/v1/entries", params=parameters)
    taken = (time.perf_counter() - started) * 1_000
    address = answer.raise_for_status().json()["links"]["next"]
    return taken, None if address is None else parse_qs(urlsplit(address).query)["page[after]"][0]


def main() -> None:
    """This benchmark alone."""
    print(table(run()))


if __name__ == "__main__":
    main()
