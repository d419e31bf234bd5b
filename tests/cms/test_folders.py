"""Folders of images and files: counted, found, and put elsewhere."""

import pytest
from sqlalchemy.orm import Session

from cms import folders, trash
from cms.errors import InvalidContent, NotFound, WrongState
from cms.snapshots import find
from cms.tables.entries import Entry
from tests.cast import Colleague, a_news, an_entry, newest_fields


def filed(session: Session, olga: Colleague, *names: str, type: str = "file") -> list[Entry]:
    return [an_entry(session, type, by=olga.by(), folder=name) for name in names]


def test_a_folder_counts_what_is_below_it(session: Session, olga: Colleague) -> None:
    filed(session, olga, "press/2026/winter", "press/2026", "hr")
    filed(session, olga, "press", type="image")
    a_news(session, by=olga.by())
    assert folders.counted(session) == [("hr", 1), ("press", 3), ("press/2026", 2), ("press/2026/winter", 1)]
    assert folders.counted(session, types=frozenset({"image", "news"})) == [("press", 1)]
    assert folders.counted(session, types=frozenset()) == []


def test_the_trash_is_in_no_folder(session: Session, olga: Colleague) -> None:
    [entry] = filed(session, olga, "press")
    trash.trash(session, entry, expected=1, by=olga.by())
    assert folders.counted(session) == []
    with pytest.raises(NotFound):
        folders.entries_in(session, "press")


@pytest.mark.parametrize("name", ["a%", "a_", "А"])
def test_a_folder_holds_what_its_name_says_and_no_more(session: Session, olga: Colleague, name: str) -> None:
    inside, below, *_ = filed(session, olga, name, f"{name}/x", "ab/x", "a", "ab", f"{name}b", name.swapcase() + "z")
    assert {entry.id for entry in folders.entries_in(session, name)} == {inside.id, below.id}


def test_a_folder_goes_elsewhere_with_a_revision_of_each(session: Session, olga: Colleague) -> None:
    filed(session, olga, "press", "press/press/2026")
    entries = folders.entries_in(session, "press")
    assert folders.move(session, entries, "press", "archive/press", by=olga.by(note="Tidy")) == 2
    assert [(one.revision, newest_fields(session, one)["folder"]) for one in entries] == [
        (2, "archive/press"),
        (2, "archive/press/press/2026"),
    ]
    assert folders.counted(session)[0] == ("archive", 2)


def test_a_folder_that_stays_where_it_is_makes_no_revision(session: Session, olga: Colleague) -> None:
    [entry] = filed(session, olga, "press")
    folders.move(session, [entry], "press", "press", by=olga.by())
    assert find(session, entry.id).revision == 1


def test_too_many_at_once_are_refused_with_their_number(
    session: Session, olga: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MOST_MOVED", 2)
    filed(session, olga, "press", "press", "press")
    with pytest.raises(WrongState, match="3 entries") as refused:
        folders.entries_in(session, "press")
    assert refused.value.code == "too_many_entries"


def test_a_folder_s_name_is_read_as_the_field_reads_it() -> None:
    assert folders.named(" /press// 2026/ ") == "press/2026"
    assert folders.named("/") is None
    with pytest.raises(InvalidContent):
        folders.named("a/../b")
