"""A source's row becomes one entry: made once, changed when the row changes, left to the person who changed it."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import bringing, files, saving, trash
from cms.bringing import Brought
from cms.errors import AddressTaken, InvalidContent, StaleRevision, WrongState
from cms.files import Received
from cms.saving import Draft, Source
from cms.tables.entries import Entry
from tests.cast import PRESS_ID, Colleague, a_news, change

SOURCE = Source("doka", "css/align", digest="1")


def bring(session: Session, olga: Colleague, type: str = "news", *, source: Source = SOURCE, **given: Any) -> Brought:
    outer = {name: given.pop(name) for name in list(given) if name in Draft.__dataclass_fields__}
    draft = Draft(**{"locale": "ru", **outer}, fields={"title": "Align", **given})
    brought = bringing.bring_one(session, type, draft, source=source, by=olga.by())
    session.flush()
    return brought


def test_a_row_is_made_once_and_then_is_the_same(session: Session, olga: Colleague) -> None:
    first, second = bring(session, olga), bring(session, olga)
    assert (first.outcome, second.outcome) == ("made", "same")
    assert first.saved.entry.id == second.saved.entry.id
    assert session.scalar(select(func.count()).select_from(Entry).filter_by(type="news")) == 1


def test_a_row_that_changed_makes_a_revision(session: Session, olga: Colleague) -> None:
    bring(session, olga)
    brought = bring(session, olga, summary="New")
    assert (brought.outcome, brought.saved.revision.number) == ("changed", 2)
    assert bring(session, olga, summary="New").outcome == "same"


def test_a_row_remembers_its_digest_and_revision(session: Session, olga: Colleague) -> None:
    bring(session, olga)
    entry = bring(session, olga, summary="New", source=Source("doka", "css/align", digest="2")).saved.entry
    assert (entry.source_digest, entry.source_revision) == ("2", 2)


def test_the_same_id_of_another_source_is_another_entry(session: Session, olga: Colleague) -> None:
    bring(session, olga)
    assert bring(session, olga, source=Source("wordpress", "css/align")).outcome == "made"


def test_a_persons_work_is_not_overwritten(session: Session, olga: Colleague) -> None:
    entry = bring(session, olga).saved.entry
    change(session, entry, by=olga.by(), title="Better")
    with pytest.raises(StaleRevision):
        bring(session, olga, summary="New")


def test_what_a_person_threw_away_stays_there(session: Session, olga: Colleague) -> None:
    entry = bring(session, olga).saved.entry
    trash.trash(session, entry, expected=1, by=olga.by())
    with pytest.raises(WrongState):
        bring(session, olga, summary="New")


def test_an_entry_does_not_change_its_type(session: Session, olga: Colleague) -> None:
    bring(session, olga)
    with pytest.raises(WrongState):
        bring(session, olga, "article")


def test_a_row_without_a_slug_leaves_the_entry_where_it_is(session: Session, olga: Colleague) -> None:
    bring(session, olga, slug="align")
    assert bring(session, olga, title="Another title").saved.entry.slug == "align"


def test_a_row_without_an_owner_leaves_the_owner(session: Session, olga: Colleague) -> None:
    bring(session, olga, owner_id=PRESS_ID)
    assert bring(session, olga, summary="New").saved.entry.owner_id == PRESS_ID


def test_a_slug_that_is_taken_is_refused(session: Session, olga: Colleague) -> None:
    a_news(session, by=olga.by(), slug="align")
    with pytest.raises(AddressTaken):
        bring(session, olga, slug="align")


def test_a_row_that_does_not_fit_is_refused(session: Session, olga: Colleague) -> None:
    with pytest.raises(InvalidContent):
        bring(session, olga, title="")


def test_a_row_may_name_what_comes_later(session: Session, olga: Colleague) -> None:
    later = "01900000-0000-7000-8000-00000000beef"
    assert bring(session, olga, related=[later], coming={later}).outcome == "made"
    with pytest.raises(InvalidContent):
        bring(session, olga, related=[later], summary="New")


def test_a_file_that_is_brought_again_is_the_same(session: Session, olga: Colleague) -> None:
    sha = "ab" * 32
    files.keep(session, Received(sha, "image", "a.png", "image/png", 9, 640, 480), by=olga.by())
    for outcome in ("made", "same"):
        assert bring(session, olga, "image", file={"sha256": sha}).outcome == outcome


def test_a_source_that_is_saved_by_hand_is_only_kept_once(session: Session, olga: Colleague) -> None:
    saving.create(session, "news", Draft("ru", {"title": "x"}), by=olga.by(), source=SOURCE)
    session.flush()
    assert bring(session, olga).outcome == "changed"
