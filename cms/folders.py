"""Folders of images and files: a line on each entry, such as `press/2026`. There is no folder without entries."""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from cms import saving
from cms.attribution import By
from cms.built_in_types import BUILT_IN, UPLOADED
from cms.content import read
from cms.errors import NotFound, WrongState
from cms.json_columns import member
from cms.tables.entries import Entry

# Of one renaming, which is one transaction.
MOST_MOVED = 1_000
TYPES = frozenset(UPLOADED)

_FOLDER = member(Entry.compared, "folder", kind="text")


def counted(session: Session, *, types: AbstractSet[str] | None = None) -> list[tuple[str, int]]:
    """Every folder by name, and how many entries are in it and below it. `types`: those that the reader may know of."""
    wanted = select(_FOLDER, func.count()).where(*_kept(types), _FOLDER.is_not(None)).group_by(_FOLDER)
    counts: Counter[str] = Counter()
    for folder, count in session.execute(wanted).all():
        steps = folder.split("/")
        for depth in range(1, len(steps) + 1):
            counts["/".join(steps[:depth])] += count
    return sorted(counts.items())


def entries_in(session: Session, folder: str, *, types: AbstractSet[str] | None = None) -> Sequence[Entry]:
    """The entries in a folder and below it. Raises `NotFound` when there are none, `WrongState` when too many."""
    inside = or_(_FOLDER.in_([folder]), _FOLDER.startswith(f"{folder}/", autoescape=True))
    wanted = select(Entry).where(*_kept(types), inside).order_by(Entry.id)
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    if not total:
        raise NotFound("folder", folder)
    if total > MOST_MOVED:
        said = (
            f"{total} entries are in it and below; {MOST_MOVED} can be moved at once. Move the folders below it first."
        )
        raise WrongState("too_many_entries", said)
    return session.scalars(wanted).all()


def move(session: Session, entries: Iterable[Entry], from_: str, to: str, *, by: By) -> int:
    """Put entries of a folder into another, those below it likewise: a revision each. Gives how many. Raises as
    `saving.save` does."""
    count = 0
    for entry in entries:
        folder = str(entry.compared["folder"])
        patch = {"fields": {"folder": to + folder.removeprefix(from_)}}
        saving.save(session, entry, patch, expected=entry.revision, by=by)
        count += 1
    return count


def named(folder: str) -> str | None:
    """A folder's name as it is kept: `press/2026`. Raises `InvalidContent` for what is none."""
    found: str | None = read(BUILT_IN["image"], {"title": "-", "folder": folder}).fields["folder"]
    return found


def _kept(types: AbstractSet[str] | None) -> list[ColumnElement[bool]]:
    return [Entry.type.in_(sorted(TYPES if types is None else TYPES & types)), Entry.trashed_at.is_(None)]
