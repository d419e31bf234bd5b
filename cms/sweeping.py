"""Files that nothing needs any more: which there are, and forgetting them. Their bytes are the media store's matter."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from cms.json_columns import among
from cms.tables.entries import FileUse, StoredFile

# Nothing younger is swept: who has just uploaded it may be about to use it.
GRACE = timedelta(hours=24)


def unused(session: Session, *, before: datetime, limit: int) -> Sequence[StoredFile]:
    """Files that came before an instant and that no revision holds, the oldest first. The picture of a document's first
    page is needed as long as the document is known."""
    wanted = select(StoredFile).where(_is_unused(before)).order_by(StoredFile.created_at, StoredFile.sha256)
    return session.scalars(wanted.limit(limit)).all()


def size(session: Session, *, before: datetime) -> tuple[int, int]:
    """How many such files there are, and how many bytes they have."""
    counted = select(func.count(), func.coalesce(func.sum(StoredFile.size), 0)).where(_is_unused(before))
    count, bytes_ = session.execute(counted).one()
    return int(count), int(bytes_)


def forget(session: Session, hashes: Iterable[str], *, before: datetime) -> list[str]:
    """Remove what is known of some files, of those that are unused still; gives their SHA-256. Bytes are removed when
    this is committed: cut off between the two, bytes are left that nobody knows, and never the other way round."""
    unused_now = delete(StoredFile).where(among(StoredFile.sha256, sorted(set(hashes))), _is_unused(before))
    gone = unused_now.returning(StoredFile.sha256).execution_options(synchronize_session=False)
    return sorted(session.scalars(gone))


def known(session: Session, hashes: Iterable[str]) -> frozenset[str]:
    """Which bytes, named by their SHA-256, are a file's or show one's first page."""
    wanted = sorted(set(hashes))
    is_file = select(StoredFile.sha256).where(among(StoredFile.sha256, wanted))
    is_picture = select(StoredFile.picture).where(among(StoredFile.picture, wanted))
    return frozenset([*session.scalars(is_file), *(one for one in session.scalars(is_picture) if one)])


def _is_unused(before: datetime) -> ColumnElement[bool]:
    document = aliased(StoredFile)
    held = select(FileUse.sha256).where(FileUse.sha256 == StoredFile.sha256)
    shown = select(document.sha256).where(document.picture == StoredFile.sha256)
    return and_(StoredFile.created_at < before, ~or_(held.exists(), shown.exists()))
