"""Redirects as CSV: read by the hundred thousand, and written so that reading them again changes nothing."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NoReturn

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from cms import events, redirect_rules, site
from cms.attribution import By
from cms.database import Database
from cms.errors import Fault, InvalidContent
from cms.identity import is_id, new_id
from cms.redirect_loops import Link, Links
from cms.redirect_rules import Rule
from cms.showing import instant
from cms.tables.entries import Entry
from cms.tables.publications import Redirect

COLUMNS = ("path", "to", "status", "prefix", "locale", "explanation", "source", "hits", "last_hit_at")
MOST_ROWS = 100_000
LARGEST_FILE = 32 * 2**20
_BATCH = 2_000
_Place = tuple[str | None, str]
_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"", "false", "0", "no"})


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not taken, and why. `line`: where it begins in the file, from 1."""

    line: int
    code: str
    message: str


@dataclass
class Outcome:
    """What became of a file's rows."""

    total: int = 0
    made: int = 0
    changed: int = 0
    same: int = 0
    refused: list[RefusedRow] = field(default_factory=list)

    def refuse(self, line: int, refusal: InvalidContent) -> None:
        """Note why a row is not taken."""
        fault = refusal.faults[0]
        self.refused.append(RefusedRow(line, fault.code, fault.message))


@dataclass(frozen=True)
class _Row:
    """A row as it was read: the members of its rule that the file has columns for."""

    line: int
    said: Mapping[str, Any]
    automatic: bool


@dataclass(frozen=True)
class _Planned:
    """A rule that will be made, or with `known` changed."""

    id: str
    known: bool
    columns: Mapping[str, Any]

    @property
    def path(self) -> str:
        return str(self.columns["path"])

    @property
    def prefix(self) -> bool:
        return bool(self.columns["prefix"])

    @property
    def locale(self) -> str | None:
        found: str | None = self.columns["locale"]
        return found


def text_of(content: bytes) -> str:
    """A file's text: UTF-8, with or without a mark, or Windows-1251. Raises `InvalidContent`."""
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused("not_text", "The file is neither UTF-8 nor Windows-1251.")


def bring(session: Session, text: str, *, by: By, strict: bool = False, dry_run: bool = False) -> Outcome:
    """Make and change rules as the rows say, and tell which rows were refused. `strict`: when one is, none is done.
    What is so already is not written again. Raises `InvalidContent` when the whole file is no list of redirects."""
    outcome = Outcome()
    plan = _plan(session, _read(text, outcome), outcome)
    outcome.refused.sort(key=lambda one: one.line)
    if strict and outcome.refused:
        return outcome
    outcome.changed = sum(one.known for one in plan)
    outcome.made = len(plan) - outcome.changed
    if plan and not dry_run:
        _do(session, plan, by=by)
        events.record(session, "redirects.imported", by=by, made=outcome.made, changed=outcome.changed)
    return outcome


def written(rules: Iterable[Redirect], *, header: bool = False) -> str:
    """Rules as lines of CSV."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    if header:
        writer.writerow(COLUMNS)
    writer.writerows(_cells(one) for one in rules)
    return lines.getvalue()


def all_of(database: Database) -> Iterator[str]:
    """All rules as CSV, the names of the columns first, piece by piece."""
    yield written((), header=True)
    last = ""
    while True:
        # A session for each piece: who reads slowly must not keep a connection from others.
        with database.reading() as session:
            wanted = select(Redirect).where(Redirect.id > last).order_by(Redirect.id).limit(_BATCH)
            rules = session.scalars(wanted).all()
        if not rules:
            return
        yield written(rules)
        last = rules[-1].id


def _cells(one: Redirect) -> tuple[Any, ...]:
    said = redirect_rules.rule_of(one)
    return (
        said.path,
        said.to or "",
        said.status,
        "true" if said.prefix else "false",
        said.locale or "",
        _CALCULATED.sub(r"'\g<0>", said.explanation or ""),
        one.source,
        one.hits,
        instant(one.last_hit_at) or "",
    )


# Spreadsheets would calculate it: an apostrophe before it makes it text.
_CALCULATED = re.compile(r"^'*[=+\-@\t\r]")
_GUARDED = re.compile(r"^'('*[=+\-@\t\r])")


# --- reading ---


def _read(text: str, outcome: Outcome) -> list[_Row]:
    """The rows that can be read; of the others the outcome tells."""
    first = text[: text.find("\n") + 1 or None]
    # Only \n and \r end a line: what other separators Unicode has may stand in an explanation.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    columns = _columns(next(_records(reader), (1, [], None)))
    rows = []
    for line, cells, error in _records(reader):
        if error is None and not any(cell.strip() for cell in cells):
            continue
        outcome.total += 1
        if outcome.total > MOST_ROWS:
            _refuse_file("too_many", f"A file has at most {MOST_ROWS} rows: send it in parts.")
        try:
            rows.append(_row(columns, cells, line=line, error=error))
        except InvalidContent as refusal:
            outcome.refuse(line, refusal)
    return rows


def _records(reader: Any) -> Iterator[tuple[int, list[str], str | None]]:
    """Each record with the line that it begins on, and what is wrong with it as CSV."""
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader), None
        except csv.Error as error:
            yield line, [], str(error)
        except StopIteration:
            return


def _columns(first: tuple[int, list[str], str | None]) -> list[str]:
    columns = [cell.strip().lower() for cell in first[1]]
    unknown = ", ".join(f"'{name[:50]}'" for name in columns if name not in COLUMNS)
    if unknown or len(set(columns)) < len(columns) or not {"path", "to"} <= set(columns):
        said = f"The first line names the columns, each once: path and to, and if wanted {', '.join(COLUMNS[2:])}."
        _refuse_file("malformed_header_line", f"{said} Not known here: {unknown}." if unknown else said)
    return columns


def _row(columns: list[str], cells: list[str], *, line: int, error: str | None) -> _Row:
    if error is not None or len(cells) > len(columns):
        why = error or "it has more cells than the first line has columns"
        raise _refused("malformed_row", f"This is no row of the table: {why}.")
    given = dict(zip(columns, [*cells, *[""] * (len(columns) - len(cells))], strict=True))
    said = {name: _READ[name](given[name]) for name in _READ if name in given}
    return _Row(line, said, automatic=given.get("source", "").strip().lower() == "automatic")


def _status(cell: str) -> int:
    if not cell.strip():
        return 301
    if not re.fullmatch(r"[0-9]{3}", cell.strip()):
        raise _refused("unknown_status", "The status is a number, such as 301.")
    return int(cell)


def _flag(cell: str) -> bool:
    said = cell.strip().lower()
    if said not in _TRUE | _FALSE:
        raise _refused("not_a_boolean", "Whether a rule holds for all below, too, is true or false.")
    return said in _TRUE


_READ: Mapping[str, Any] = {
    "path": str.strip,
    "to": lambda cell: cell.strip() or None,
    "status": _status,
    "prefix": _flag,
    "locale": lambda cell: cell.strip() or None,
    "explanation": lambda cell: _GUARDED.sub(r"\1", cell) or None,
}


# --- what is to be done ---


def _plan(session: Session, rows: list[_Row], outcome: Outcome) -> list[_Planned]:
    known = _known(session)
    automatic = _automatic_paths(session) if any(row.automatic for row in rows) else frozenset()
    entries = _entries(session, rows)
    links = Links(site.locales(session).all)
    for stored in known.values():
        links.put(Link(stored.locale, stored.path, stored.prefix, _path_of(stored.target_url)))
    seen: dict[tuple[str | None, str], int] = {}
    plan = []
    for row in rows:
        try:
            place = (row.said.get("locale"), redirect_rules.checked_path(row.said["path"]))
            # What the system keeps here itself comes back with the file that it was written into.
            planned = None
            if not row.automatic or place not in automatic:
                _refuse_second(seen, place, row)
                planned = _planned(session, row, known.get(place), entries)
            if planned is None:
                outcome.same += 1
                continue
            link = Link(*place, planned.prefix, _path_of(planned.columns["target_url"]))
            if way := links.put_unless_round(link):
                raise _refused("loop", f"This would lead round in a circle: {' → '.join(way)}.")
            plan.append(planned)
        except InvalidContent as refusal:
            outcome.refuse(row.line, refusal)
    return plan


def _refuse_second(seen: dict[_Place, int], place: _Place, row: _Row) -> None:
    first = seen.setdefault(place, row.line)
    if first != row.line:
        raise _refused("given_twice", f"Line {first} has a rule for this path already.")


def _planned(session: Session, row: _Row, stored: Any, entries: frozenset[str]) -> _Planned | None:
    """What a row asks for; None: it is so already. Raises `InvalidContent`."""
    before = {} if stored is None else {name: getattr(stored, name) for name in _KEPT}
    columns = redirect_rules.columns_of(session, Rule(**{**before, **row.said}), entries=entries)
    if stored is None:
        return _Planned(new_id(), known=False, columns=columns)
    if all(getattr(stored, name) == value for name, value in columns.items()):
        return None
    return _Planned(stored.id, known=True, columns=columns)


# What a file without the column leaves as it is.
_KEPT = ("status", "prefix", "explanation")


def _known(session: Session) -> dict[_Place, Any]:
    """Staff's rules, by locale and path."""
    r = Redirect
    columns = (r.id, r.locale, r.path, r.prefix, r.status, r.explanation)
    targets = (r.target_entry, r.target_section, r.target_url)
    rows = session.execute(select(*columns, *targets).where(r.slug.is_(None)))
    return {(row.locale, row.path): row for row in rows}


def _automatic_paths(session: Session) -> frozenset[_Place]:
    rows = session.execute(select(Redirect.locale, Redirect.path).where(Redirect.slug.is_not(None)))
    return frozenset((row.locale, row.path) for row in rows)


def _entries(session: Session, rows: Iterable[_Row]) -> frozenset[str]:
    """Which of the rows' targets are entries' ids."""
    wanted = iter(sorted({to for row in rows if (to := row.said.get("to")) is not None and is_id(to)}))
    found: set[str] = set()
    while batch := list(islice(wanted, _BATCH)):
        found.update(session.scalars(select(Entry.id).where(Entry.id.in_(batch))))
    return frozenset(found)


def _path_of(url: str | None) -> str | None:
    return url if url is not None and url.startswith("/") else None


def _do(session: Session, plan: list[_Planned], *, by: By) -> None:
    session.flush()
    rules: Any = Redirect.__table__
    connection = session.connection()
    new = ({"id": one.id, **one.columns, **_new(by)} for one in plan if not one.known)
    while batch := list(islice(new, _BATCH)):
        connection.execute(insert(rules), batch)
    changed = ({"rule": one.id, **one.columns, "changed_at": by.at} for one in plan if one.known)
    while batch := list(islice(changed, _BATCH)):
        connection.execute(update(rules).where(rules.c.id == bindparam("rule")), batch)
    session.expire_all()
    redirect_rules.close_missing(session, plan)


def _new(by: By) -> dict[str, Any]:
    empty = {"section": None, "slug": None, "about": None, "hits": 0, "last_hit_at": None}
    return {**empty, "source": "import", "created_at": by.at, "changed_at": by.at}


def _refused(code: str, message: str) -> InvalidContent:
    return InvalidContent([Fault("/file", code, message)])


def _refuse_file(code: str, message: str) -> NoReturn:
    raise _refused(code, message)
