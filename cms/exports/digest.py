"""One SHA-256 over everything that people would miss: two sites with the same are equal."""

import hashlib
from collections.abc import Iterator

from sqlalchemy.orm import Session

from cms.export_formats import ExportOptions
from cms.export_formats.sitedesk import SiteLines
from cms.exports import exporting
from cms.exports.exporting import ExportedSite, Wanted

_BATCH = 100


def digest(session: Session) -> str:
    """64 hexadecimal digits over the canonical lines of the whole site: people, types, files by their content, entries
    with all revisions, what is published and planned, the trash, redirects.

    Passwords, keys, sessions, the log, and how often redirects answered are not in it. One state of the database in a
    session that reads."""
    summed = hashlib.sha256()
    for line in lines(session):
        summed.update(line)
    return summed.hexdigest()


def lines(session: Session) -> Iterator[bytes]:
    """The canonical lines: those of an export of everything, members sorted by name."""
    site, wanted = ExportedSite(session), Wanted(whole=True)
    options = ExportOptions(total=exporting.count(session, wanted), everything=True)
    writer = SiteLines(site, options, media=False, sorted_keys=True)
    for piece in writer.start():
        yield _bytes(piece)
    after = ""
    while batch := exporting.entries(site, wanted, after=after, limit=_BATCH):
        for one in batch:
            for piece in writer.entry(one):
                yield _bytes(piece)
        after = batch[-1].id
    for piece in writer.end():
        yield _bytes(piece)


def _bytes(piece: object) -> bytes:
    if not isinstance(piece, bytes):
        raise TypeError("lines alone are summed")
    return piece
