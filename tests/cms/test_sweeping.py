"""Which files nothing needs any more."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from cms import files, publishing, sweeping, trash
from cms.errors import BytesGone
from cms.files import Received
from cms.sweeping import GRACE
from cms.tables.entries import StoredFile
from tests.cast import MORNING, Colleague, an_entry, change

SHA, OTHER, PAGE = "ab" * 32, "cd" * 32, "ef" * 32
NOW = MORNING + timedelta(days=2)


def kept(session: Session, olga: Colleague, sha256: str = SHA) -> StoredFile:
    return files.keep(session, Received(sha256, "image", "office.png", "image/png", 9, 640, 480), by=olga.by())


def unused(session: Session) -> list[str]:
    session.flush()
    return [one.sha256 for one in sweeping.unused(session, before=NOW - GRACE, limit=10)]


def test_a_file_that_no_revision_holds_goes_after_a_day(session: Session, olga: Colleague) -> None:
    kept(session, olga)
    olga.clock.now = NOW - GRACE
    kept(session, olga, OTHER)
    assert unused(session) == [SHA]
    assert sweeping.size(session, before=NOW - GRACE) == (1, 9)
    assert sweeping.forget(session, [SHA, OTHER], before=NOW - GRACE) == [SHA]
    assert sweeping.known(session, [SHA, OTHER]) == {OTHER}


def test_what_some_revision_holds_stays_for_ever(session: Session, olga: Colleague) -> None:
    kept(session, olga)
    kept(session, olga, OTHER)
    image = an_entry(session, "image", by=olga.by(), file={"sha256": SHA})
    change(session, image, by=olga.by(), file={"sha256": OTHER})
    change(session, image, by=olga.by(), file=None)
    publishing.publish(session, image, by=olga.by())
    publishing.unpublish(session, image, by=olga.by())
    trash.trash(session, image, expected=3, by=olga.by())
    assert unused(session) == []
    assert sweeping.forget(session, [SHA, OTHER], before=NOW - GRACE) == []


def test_the_picture_of_a_document_stays_as_long_as_the_document(session: Session, olga: Colleague) -> None:
    page = Received(PAGE, "image", "a.webp", "image/webp", 5, 60, 80)
    paper = Received(SHA, "file", "a.pdf", "application/pdf", 9, None, None, picture=page)
    stored = files.keep(session, paper, by=olga.by())
    assert stored.picture == PAGE
    assert sweeping.known(session, [PAGE, OTHER]) == {PAGE}
    assert unused(session) == [SHA]
    assert sweeping.forget(session, [SHA, PAGE], before=NOW - GRACE) == [SHA]
    assert sweeping.forget(session, [SHA, PAGE], before=NOW - GRACE) == [PAGE]


def test_bytes_whose_file_is_unknown_and_whose_document_is_known_are_known(session: Session, olga: Colleague) -> None:
    kept(session, olga).picture = PAGE
    session.flush()
    assert sweeping.known(session, [PAGE]) == {PAGE}


def test_a_file_is_noted_only_with_its_bytes(session: Session, olga: Colleague) -> None:
    received = Received(SHA, "image", "office.png", "image/png", 9, 640, 480)
    with pytest.raises(BytesGone):
        files.keep(session, received, by=olga.by(), is_there=lambda _: False)
    assert files.find(session, SHA) is None
    # Known bytes are the store's to keep.
    files.keep(session, received, by=olga.by(), is_there=lambda sha256: sha256 == SHA)
    files.keep(session, received, by=olga.by(), is_there=lambda _: False)
