"""What the database itself refuses, so that no code path can break it (rules 1 and 2)."""

from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from cms import publishing, saving
from cms.identity import new_id
from cms.tables.entries import Entry, Revision
from cms.tables.people import Person
from cms.tables.publications import Publication, Redirect
from tests.cast import MORNING, Colleague, a_live_news, a_news, an_entry

REVISIONS: Any = Revision.__table__
PUBLICATIONS: Any = Publication.__table__


@pytest.mark.parametrize("column", [column.key for column in Revision.__table__.c])
def test_no_column_of_a_revision_can_be_updated(session: Session, olga: Colleague, column: str) -> None:
    a_news(session, by=olga.by())
    with pytest.raises(DBAPIError, match="a revision never changes"):
        session.execute(update(REVISIONS).values({column: REVISIONS.c[column]}))


def test_a_published_revision_cannot_be_updated(session: Session, olga: Colleague) -> None:
    a_live_news(session, by=olga.by())
    with pytest.raises(DBAPIError, match="a revision never changes"):
        session.execute(update(REVISIONS).values(fields={"title": "Forged"}))


@pytest.mark.parametrize("values", [{"number": 7}, {"entry_id": "another"}])
def test_an_autosave_keeps_its_place(session: Session, olga: Colleague, values: dict[str, Any]) -> None:
    entry = a_news(session, by=olga.by())
    saving.save(session, entry, {"fields": {"title": "x"}}, expected=1, by=olga.by(), autosave=True)
    session.flush()
    with pytest.raises(DBAPIError, match="a revision never changes"):
        session.execute(update(REVISIONS).where(REVISIONS.c.autosave).values(values))


def test_a_revisions_number_is_unique_within_its_entry(session: Session, olga: Colleague) -> None:
    a_news(session, by=olga.by())
    with pytest.raises(IntegrityError):
        _copy(session, REVISIONS)


def test_an_entry_with_history_cannot_be_deleted(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    with pytest.raises(IntegrityError):
        session.execute(delete(Entry).where(Entry.id == entry.id))


def test_an_entry_has_one_publication(session: Session, olga: Colleague) -> None:
    a_live_news(session, by=olga.by())
    with pytest.raises(IntegrityError):
        _copy(session, PUBLICATIONS, slug="elsewhere")


@pytest.mark.parametrize("section", [None, "company"])
def test_an_address_has_one_live_entry(session: Session, olga: Colleague, section: str | None) -> None:
    entry, other = a_live_news(session, by=olga.by(), slug="one"), a_news(session, by=olga.by(), slug="two")
    session.execute(update(Publication).where(Publication.entry_id == entry.id).values(section=section))
    with pytest.raises(IntegrityError):
        _copy(session, PUBLICATIONS, of=entry.id, entry_id=other.id)


@pytest.mark.parametrize("other_place", [{"locale": "en"}, {"section": "company"}, {"slug": "two"}])
def test_another_locale_section_or_slug_is_another_address(
    session: Session, olga: Colleague, other_place: dict[str, str]
) -> None:
    entry, other = a_live_news(session, by=olga.by(), slug="one"), a_news(session, by=olga.by())
    _copy(session, PUBLICATIONS, of=entry.id, entry_id=other.id, **other_place)
    assert session.scalar(select(Publication).filter_by(entry_id=other.id)) is not None


def test_entries_without_an_address_do_not_compete(session: Session, olga: Colleague) -> None:
    for _ in "12":
        publishing.publish(session, an_entry(session, "image", by=olga.by()), by=olga.by())
    session.flush()
    assert len(session.scalars(select(Publication).filter_by(type="image")).all()) == 2


def test_a_publication_is_of_an_entry(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by())
    with pytest.raises(IntegrityError):
        _copy(session, PUBLICATIONS, of=entry.id, entry_id=new_id(), slug="elsewhere")


def test_a_path_has_one_rule_in_each_locale(session: Session) -> None:
    times = {"created_at": MORNING, "changed_at": MORNING}
    rule = {"path": "/old", "locale": "ru", "prefix": False, "status": 410, "source": "manual", **times}
    session.add_all([Redirect(id=new_id(), **rule), Redirect(id=new_id(), **{**rule, "locale": "en"})])
    session.flush()
    session.add(Redirect(id=new_id(), **rule))
    with pytest.raises(IntegrityError):
        session.flush()


def test_an_email_has_one_person(session: Session) -> None:
    session.add(Person(id=new_id(), name="Another", email="pavel@example.org", created_at=MORNING))
    with pytest.raises(IntegrityError):
        session.flush()


def test_a_row_of_a_source_is_one_entry(session: Session, olga: Colleague) -> None:
    draft = saving.Draft("ru", {"title": "x"})
    for slug in ("one", "two"):
        saving.create(session, "news", draft, by=olga.by(), source=saving.Source("doka", slug))
    session.flush()
    with pytest.raises(IntegrityError):
        session.execute(update(Entry).where(Entry.source_name == "doka").values(source_id="one"))


def _copy(session: Session, table: Table, *, of: str | None = None, **other: Any) -> None:
    wanted = select(table) if of is None else select(table).where(table.c.entry_id == of)
    row = session.execute(wanted.order_by(table.c.entry_id.desc()).limit(1)).mappings().one()
    session.execute(insert(table).values({**row, **other}))
