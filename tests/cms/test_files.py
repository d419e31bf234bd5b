"""Bytes that were received, and the entries that hold them."""

import pytest
from sqlalchemy.orm import Session

from cms import files, publishing, trash
from cms.errors import InvalidContent
from cms.files import Received
from cms.tables.entries import Entry
from tests.cast import Colleague, an_entry, change, newest_fields

SHA = "ab" * 32
PICTURE = Received(SHA, "image", "office.png", "image/png", 2**40, 640, 480)


def an_image(session: Session, olga: Colleague) -> Entry:
    kept = files.keep(session, PICTURE, by=olga.by())
    made = files.make_entry(session, kept, title="Office", locale="ru", alt="An office", by=olga.by()).entry
    session.flush()
    return made


def test_the_same_bytes_are_one_file(session: Session, olga: Colleague) -> None:
    first = files.keep(session, PICTURE, by=olga.by())
    assert files.keep(session, Received(SHA, "image", "other.png", "image/png", 9, 1, 1), by=olga.by()) is first


def test_an_entry_tells_all_that_is_known_of_its_bytes(session: Session, olga: Colleague) -> None:
    assert newest_fields(session, an_image(session, olga))["file"] == {
        "sha256": SHA, "name": "office.png", "media_type": "image/png", "size": 2**40, "width": 640, "height": 480
    }  # fmt: skip


def test_what_a_caller_says_of_bytes_is_not_believed(session: Session, olga: Colleague) -> None:
    entry = an_image(session, olga)
    told = {"sha256": SHA, "name": "new.png", "media_type": "text/html", "size": 1, "url": "https://evil.example"}
    change(session, entry, by=olga.by(), file=told)
    kept = newest_fields(session, entry)["file"]
    assert (kept["name"], kept["media_type"], kept["size"], "url" in kept) == ("new.png", "image/png", 2**40, False)


@pytest.mark.parametrize("file", [{"sha256": "cd" * 32}, {"sha256": "../etc"}, {"sha256": None}, {}])
def test_bytes_that_were_never_received_are_refused(session: Session, olga: Colleague, file: dict[str, object]) -> None:
    with pytest.raises(InvalidContent) as refused:
        an_entry(session, "image", by=olga.by(), file=file)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/fields/file", "unknown_file")]


def test_the_entry_of_bytes_is_found_until_it_is_trashed(session: Session, olga: Colleague) -> None:
    entry = an_image(session, olga)
    assert files.entry_of(session, SHA) is entry
    trash.trash(session, entry, expected=1, by=olga.by())
    assert files.entry_of(session, SHA) is None


def test_bytes_are_public_while_an_entry_that_holds_them_is_live(session: Session, olga: Colleague) -> None:
    entry = an_image(session, olga)
    assert not files.is_public(session, SHA)
    publishing.publish(session, entry, by=olga.by())
    assert files.is_public(session, SHA)
    publishing.unpublish(session, entry, by=olga.by())
    assert not files.is_public(session, SHA)


def test_bytes_that_a_draft_dropped_stay_public_while_the_live_copy_shows_them(
    session: Session, olga: Colleague
) -> None:
    entry = an_image(session, olga)
    publishing.publish(session, entry, by=olga.by())
    change(session, entry, by=olga.by(), file=None)
    assert files.is_public(session, SHA)
