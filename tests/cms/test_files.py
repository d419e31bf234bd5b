"""Bytes that were received, and the entries that hold them."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from cms import files, publishing, trash
from cms.delivery.publications import public_file
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
        "sha256": SHA, "name": "office.png", "media_type": "image/png", "size": 2**40, "width": 640, "height": 480,
        "placeholder": None, "color": None, "frames": None, "pages": None,
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
    assert public_file(session, SHA) is None
    publishing.publish(session, entry, by=olga.by())
    assert public_file(session, SHA) is not None
    publishing.unpublish(session, entry, by=olga.by())
    assert public_file(session, SHA) is None


def test_bytes_that_a_draft_dropped_stay_public_while_the_live_copy_shows_them(
    session: Session, olga: Colleague
) -> None:
    entry = an_image(session, olga)
    publishing.publish(session, entry, by=olga.by())
    change(session, entry, by=olga.by(), file=None)
    assert public_file(session, SHA) is not None


# --- what is known of bytes, and what looks alike ---


def seen(number: int, fingerprint: str | None, **known: Any) -> Received:
    """A picture that looks like this."""
    return replace(PICTURE, sha256=f"{number:064x}", fingerprint=fingerprint, **known)


def a_picture(session: Session, olga: Colleague, received: Received, **said: Any) -> Entry:
    kept = files.keep(session, received, by=olga.by())
    made = files.make_entry(session, kept, title="Office", locale="ru", by=olga.by(), **said).entry
    session.flush()
    return made


def test_what_was_not_looked_at_before_is_filled_in_when_the_bytes_come_again(
    session: Session, olga: Colleague
) -> None:
    files.keep(session, PICTURE, by=olga.by())
    again = replace(PICTURE, name="other.png", size=1, color="#ff0000", frames=3, fingerprint="0" * 16)
    kept = files.keep(session, again, by=olga.by())
    assert (kept.color, kept.frames, kept.fingerprint) == ("#ff0000", 3, "0" * 16)
    assert (kept.name, kept.size) == ("office.png", 2**40)
    assert files.keep(session, replace(again, color="#000000"), by=olga.by()).color == "#ff0000"


@pytest.mark.parametrize(
    ("fingerprint", "is_alike"),
    [
        ("0123456789abcdef", True),
        ("0123456789abcdee", True),  # one bit
        ("7e23456789abcdef", False),  # seven
        ("3e23456789abcdef", True),  # six
        ("fedcba9876543210", False),
        (None, False),
    ],
)
def test_pictures_look_alike_when_few_bits_of_their_fingerprints_differ(
    session: Session, olga: Colleague, fingerprint: str | None, is_alike: bool
) -> None:
    entry = a_picture(session, olga, seen(1, "0123456789abcdef"))
    assert list(files.alike(session, seen(2, fingerprint))) == ([entry] if is_alike else [])


def test_the_most_alike_come_first_and_never_the_same_bytes(session: Session, olga: Colleague) -> None:
    first, near, far = (
        a_picture(session, olga, seen(number, fingerprint))
        for number, fingerprint in enumerate(("0" * 16, "0" * 15 + "1", "0" * 15 + "7"))
    )
    assert list(files.alike(session, seen(0, "0" * 16))) == [near, far]
    assert list(files.alike(session, seen(9, "0" * 16))) == [first, near, far]


def test_what_is_in_the_trash_or_shows_other_bytes_looks_like_nothing(session: Session, olga: Colleague) -> None:
    trashed, changed = (a_picture(session, olga, seen(number, "0" * 16)) for number in (1, 2))
    files.keep(session, seen(3, "f" * 16), by=olga.by())
    trash.trash(session, trashed, expected=1, by=olga.by())
    change(session, changed, by=olga.by(), file={"sha256": f"{3:064x}"})
    assert list(files.alike(session, seen(4, "0" * 16))) == []


def test_bytes_belong_to_who_shows_them_now(session: Session, olga: Colleague) -> None:
    first, other = (a_picture(session, olga, seen(number, None)) for number in (1, 2))
    assert files.holder_of(session, f"{1:064x}") is first
    change(session, first, by=olga.by(), file={"sha256": f"{2:064x}"})
    assert files.holder_of(session, f"{1:064x}") is None
    assert files.holder_of(session, f"{2:064x}") is other
    trash.trash(session, other, expected=1, by=olga.by())
    assert files.holder_of(session, f"{2:064x}") is first
    again = a_picture(session, olga, seen(1, None))
    assert files.holder_of(session, f"{1:064x}") is again


def test_the_words_of_documents_are_those_of_the_newest_and_of_the_live_revision(
    session: Session, olga: Colleague
) -> None:
    old, new, silent = (
        replace(seen(number, None), kind="file", media_type="application/pdf", text=text)
        for number, text in enumerate(("old words", "new words", None), start=1)
    )
    entry, other = (a_picture(session, olga, received) for received in (old, silent))
    files.keep(session, new, by=olga.by())
    ids = [entry.id, other.id]
    assert (files.newest_texts(session, ids), files.live_texts(session, ids)) == ({entry.id: "old words"}, {})
    for one in (entry, other):
        publishing.publish(session, one, by=olga.by())
    change(session, entry, by=olga.by(), file={"sha256": new.sha256})
    session.flush()
    assert files.newest_texts(session, ids) == {entry.id: "new words"}
    assert files.live_texts(session, ids) == {entry.id: "old words"}


def test_candidates_are_found_by_their_indexes(session: Session) -> None:
    statement = files._candidates(SHA, "0123456789abcdef").compile(
        session.get_bind(), compile_kwargs={"literal_binds": True}
    )
    if session.get_bind().dialect.name == "sqlite":
        plan = " ".join(str(row) for row in session.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all())
    else:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = " ".join(str(row) for row in session.execute(text(f"EXPLAIN {statement}")).all())
    assert all(f"ix_files_fingerprint_{quarter}" in plan for quarter in (1, 2, 3, 4))
