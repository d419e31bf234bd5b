"""A section with a hundred thousand live entries, planned, moved, published and merged; and a tree of 10,000 sections.

`python -m benchmarks.structure` prints a table.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import literal_column, text
from sqlalchemy.orm import Session

from benchmarks import databases
from benchmarks.figures import Figure, table
from cms import founding, migrating, planning, publishing, restructuring, saving, site, structure
from cms.attribution import COMMAND_LINE, By
from cms.database import Base, Database, open_database
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.section_tree import MAX_SECTIONS

_BY = By(COMMAND_LINE, datetime(2026, 11, 30, tzinfo=UTC))
_ENTRIES = 100_000
_WIDE = 100
_ASKED = 200
_HEX = {"sqlite": "printf('%012x', n.i)", "postgresql": "lpad(to_hex(n.i), 12, '0')"}

Operation = dict[str, Any]


def run() -> list[Figure]:
    """Fill a site on each database, change its tree and measure each step."""
    figures = []
    for name, url in databases.each():
        with _founded(url) as database:
            figures += [Figure(f"{what}, {name}", *rest) for what, *rest in _figures(database)]
    return figures


@contextmanager
def _founded(url: str) -> Iterator[Database]:
    database = open_database(url)
    migrating.migrate(database)
    with database.writing() as session:
        founding.found(session, by=_BY)
    yield database
    database.close()


def _figures(database: Database) -> Iterator[tuple[str, str, str]]:
    top, full, empty = _sections(database)
    _fill(database, full)
    move = [{"op": "move", "section": full, "parent": top}]
    seconds = statistics.median(_timed(lambda: _plan(database, move)) for _ in range(3))
    yield "plan the move of 100,000 entries", _in_ms(seconds), "well under 1 s"
    yield "move them in a draft", _in_ms(_timed(lambda: _change(database, move))), ""
    yield "publish the move", _in_ms(_timed(lambda: _publish(database))), "under 300 ms"
    yield "resolve an old path", f"{_resolved(database, '/full/copy-{}', '/top/full/copy-{}') * 1e6:.0f} µs", ""
    back = [{"op": "move", "section": full, "parent": None}]
    _change(database, back)
    yield "publish the move back", _in_ms(_timed(lambda: _publish(database))), "under 300 ms"
    merge = [{"op": "merge", "section": full, "into": empty}]
    yield "plan a merge of 100,000 entries", _in_ms(_timed(lambda: _plan(database, merge))), "well under 1 s"
    yield "merge them in a draft", _in_ms(_timed(lambda: _change(database, merge))), ""
    yield "publish the merge", f"{_timed(lambda: _publish(database)):.1f} s", "seconds"
    yield "resolve a path from before it", f"{_resolved(database, '/full/copy-{}', '/empty/copy-{}') * 1e6:.0f} µs", ""
    _widen(database)
    rename = [{"op": "rename", "section": top, "slug": "renamed"}]
    yield "plan a change of 10,000 sections", _in_ms(_timed(lambda: _plan(database, rename))), ""
    yield "change a tree of 10,000 sections", _in_ms(_timed(lambda: _change(database, rename))), ""
    yield "publish it", _in_ms(_timed(lambda: _publish(database))), ""


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _in_ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


# --- what is measured ---


def _plan(database: Database, operations: list[Operation]) -> None:
    with database.reading() as session:
        planned = planning.plan(session, structure.entry(session), operations)
    if planned["problems"]:
        raise RuntimeError(f"the plan says {planned['problems']}")


def _change(database: Database, operations: list[Operation]) -> list[str]:
    with database.writing() as session:
        tree = structure.entry(session)
        return restructuring.change(session, tree, operations, expected=tree.revision, by=_BY)[1]


def _publish(database: Database) -> None:
    with database.writing() as session:
        publishing.publish(session, structure.entry(session), by=_BY)


def _resolved(database: Database, old: str, new: str) -> float:
    """Seconds that one old path takes."""
    with database.reading() as session:
        live, locales = live_site(session), site.locales(session)
        started = time.perf_counter()
        for number in range(1, _ASKED + 1):
            found = resolving.resolve(session, old.format(number), site=live, locales=locales, locale="ru")
            if found is None or found.moved_to != new.format(number):
                raise RuntimeError(f"{old.format(number)} leads to {found}")
        return (time.perf_counter() - started) / _ASKED


# --- what it is measured on ---


def _sections(database: Database) -> list[str]:
    made = _change(database, [_added(None, slug) for slug in ("top", "full", "empty")])
    _publish(database)
    return made


def _added(parent: str | None, slug: str) -> Operation:
    return {"op": "add", "parent": parent, "slug": slug, "name": slug}


def _fill(database: Database, section: str) -> None:
    """One article by the verbs, and the others as copies of its rows."""
    fields = {"title": "An article", "body": {"format": "markdown", "value": "Words of an article. " * 200}}
    with database.writing() as session:
        draft = saving.Draft(locale="ru", fields=fields, section=section, slug="copy-0")
        model = saving.create(session, "article", draft, by=_BY).entry
        publishing.publish(session, model, by=_BY)
        session.flush()
        for name, own in (("entries", "id"), ("revisions", "entry_id"), ("publications", "entry_id")):
            _copy(session, name, own=own, model=model.id)
    with database.writer.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _copy(session: Session, name: str, *, own: str, model: str) -> None:
    new_id = f"'01900000-0000-7000-8000-' || {_HEX[session.get_bind().dialect.name]}"
    others = {own: new_id, "translation_group": new_id, "slug": "'copy-' || n.i"}
    columns = [column.name for column in Base.metadata.tables[name].columns]
    values = [str(literal_column(others.get(column, f"model.{column}"))) for column in columns]
    session.execute(
        text(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {_ENTRIES - 1}) "  # noqa: S608
            f"INSERT INTO {name} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {name} AS model, n "
            f"WHERE model.{own} = :model"
        ),
        {"model": model},
    )


def _widen(database: Database) -> None:
    """As many sections as a site may have, in rows below each other."""
    with database.writing() as session:
        tree = structure.entry(session)
        sections = structure.newest_tree(session)
        nodes = [
            {"id": one.id, "slug": one.slug, "name": dict(one.name), "children": _below() if one.slug == "top" else []}
            for one in sections
        ]
        saving.save(session, tree, {"fields": {"sections": nodes}}, expected=tree.revision, by=_BY)
    _publish(database)


def _below() -> list[Operation]:
    rest = MAX_SECTIONS - 2 - _WIDE
    each = rest // _WIDE
    return [
        {
            "slug": f"row-{row}",
            "name": f"Row {row}",
            "children": [{"slug": f"section-{number}", "name": f"Section {number}"} for number in range(each)],
        }
        for row in range(_WIDE)
    ]


if __name__ == "__main__":
    print(table(run()))
