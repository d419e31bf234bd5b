"""What is to be done about images and files, and other bytes for those that are used."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from cms import files, finding, history, media_reports, publishing, replacing, trash, usages
from cms.delivery import publications
from cms.errors import InUse, InvalidContent, StaleRevision, WrongState
from cms.files import Received
from cms.listing import Asked
from cms.tables.entries import Entry, StoredFile
from tests.cast import MORNING, Colleague, a_live_news, a_news, an_entry, change, newest_fields

FIRST, SECOND, PAPER = "ab" * 32, "cd" * 32, "ef" * 32


def received(session: Session, olga: Colleague, sha256: str, *, kind: str = "image") -> StoredFile:
    media_type = "image/png" if kind == "image" else "application/pdf"
    return files.keep(session, Received(sha256, kind, "office.png", media_type, 9, 640, 480), by=olga.by())


def an_image(session: Session, olga: Colleague, sha256: str = FIRST, **fields: Any) -> Entry:
    received(session, olga, sha256)
    return an_entry(session, "image", by=olga.by(), file={"sha256": sha256}, **fields)


def found(session: Session, condition: ColumnElement[bool], **asked: Any) -> Sequence[Entry]:
    return [row[0] for row in finding.entries(session, Asked(**asked), among=[condition]).rows]


# --- unused ---


def test_an_image_that_nothing_refers_to_is_unused(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    a_news(session, by=olga.by())
    assert found(session, media_reports.is_unused()) == [image]


@pytest.mark.parametrize("field", ["cover", "body"])
def test_an_image_in_a_draft_is_used(session: Session, olga: Colleague, field: str) -> None:
    image = an_image(session, olga)
    text = {"format": "html", "value": f'<img src="entry:{image.id}">'}
    shown: dict[str, Any] = {field: image.id if field == "cover" else text}
    news = a_news(session, by=olga.by(), **shown)
    assert found(session, media_reports.is_unused()) == []
    trash.trash(session, news, expected=1, by=olga.by())
    session.flush()
    assert found(session, media_reports.is_unused()) == [image]


def test_an_image_that_only_the_live_copy_shows_is_used(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    news = a_live_news(session, by=olga.by(), cover=image.id)
    change(session, news, by=olga.by(), cover=None)
    assert found(session, media_reports.is_unused()) == []
    assert media_reports.places(session, [image.id]) == {image.id: 1}


# --- texts ---


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({}, ["ru", "en"]),
        ({"alt": "Офис"}, ["en"]),
        ({"alts": {"en": "Office"}}, ["ru"]),
        ({"alt": "Офис", "alts": {"en": "Office"}}, []),
        ({"alts": {"ru": "Офис", "en": "Office"}}, []),
        ({"alt": "", "alts": {"en": ""}}, []),
        ({"locale": "en", "alt": "Office"}, ["ru"]),
    ],
)
def test_an_image_has_a_text_in_each_locale(
    session: Session, olga: Colleague, said: dict[str, Any], missing: list[str]
) -> None:
    image = an_image(session, olga, **said)
    locales = ("ru", "en")
    assert found(session, media_reports.lacks_text(locales)) == ([image] if missing else [])
    for locale in locales:
        assert found(session, media_reports.lacks_text([locale])) == ([image] if locale in missing else [])
    assert media_reports.lacking(image, newest_fields(session, image), locales) == missing


def test_a_locale_that_no_image_can_have_a_text_under_does_no_harm(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga, alt="Офис")
    assert found(session, media_reports.lacks_text(['a"b', "ж", "{}", "x" * 90])) == [image]


def test_texts_are_those_of_the_newest_revision(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    change(session, image, by=olga.by(), alt="Офис")
    for sort in ((), (("changed_at", True),), (("title", False),)):
        assert found(session, media_reports.lacks_text(["ru"]), sort=sort) == []
        assert found(session, media_reports.lacks_text(["en"]), sort=sort) == [image]


# --- rights ---


def test_rights_that_end_are_found_in_time(session: Session, olga: Colleague) -> None:
    soon = an_image(session, olga, rights_until="2026-12-10T00:00:00Z")
    over = an_image(session, olga, SECOND, rights_until="2026-01-01T03:00:00+03:00")
    an_image(session, olga, PAPER)
    asked = {"sort": (("rights_until", False),)}
    assert found(session, media_reports.rights_end(MORNING), **asked) == [over]
    assert found(session, media_reports.rights_end(MORNING + timedelta(days=30)), **asked) == [over, soon]


def warnings(session: Session, entry: Entry, olga: Colleague) -> list[tuple[str, str]]:
    told = publishing.publish(session, entry, by=olga.by()).warnings
    session.flush()
    return [(one.pointer, one.code) for one in told]


def test_who_publishes_what_rights_have_ended_for_is_told(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga, rights_until="2026-11-30T12:00:00Z")
    news = a_news(session, by=olga.by(), cover=image.id)
    assert (warnings(session, image, olga), warnings(session, news, olga)) == ([], [])
    olga.clock.pass_by(hours=3)
    assert warnings(session, image, olga) == [("/fields/rights_until", "rights_ended")]
    assert warnings(session, news, olga) == [("/fields/cover", "rights_ended")]
    change(session, image, by=olga.by(), rights_until=None)
    assert (warnings(session, image, olga), warnings(session, news, olga)) == ([], [])


# --- other bytes ---


def other_bytes(
    session: Session, image: Entry, olga: Colleague, *, confirmed: int | None = None, expected: int = 1
) -> None:
    stored = received(session, olga, SECOND)
    replacing.replace(session, image, stored, name="new.png", expected=expected, confirmed=confirmed, by=olga.by())
    session.flush()


def test_other_bytes_leave_all_else_as_it_is(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga, alt="Офис", credit="Olga")
    before = newest_fields(session, image)
    other_bytes(session, image, olga)
    after = newest_fields(session, image)
    assert (after["file"]["sha256"], after["file"]["name"], image.revision) == (SECOND, "new.png", 2)
    assert {**after, "file": None} == {**before, "file": None}
    history.restore(session, image, 1, expected=2, by=olga.by())
    assert newest_fields(session, image)["file"]["sha256"] == FIRST


def test_what_is_used_elsewhere_is_replaced_when_one_knows_it(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    text = {"format": "html", "value": f'<img src="entry:{image.id}">'}
    news = a_live_news(session, by=olga.by(), cover=image.id, body=text)
    for confirmed in (None, 0, 1, 3):
        with pytest.raises(InUse) as refused:
            other_bytes(session, image, olga, confirmed=confirmed)
        assert (refused.value.total, refused.value.confirmable) == (2, True)
    other_bytes(session, image, olga, confirmed=2)
    assert {one.source_id for one in usages.of(session, image.id)} == {news.id}


def test_a_number_of_places_that_are_no_more_is_refused(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    with pytest.raises(InUse):
        other_bytes(session, image, olga, confirmed=1)


def test_an_image_does_not_become_a_file(session: Session, olga: Colleague) -> None:
    image, paper = an_image(session, olga), received(session, olga, PAPER, kind="file")
    with pytest.raises(InvalidContent) as refused:
        replacing.replace(session, image, paper, name="a.pdf", expected=1, confirmed=None, by=olga.by())
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/file", "other_kind")]


def test_only_what_is_bytes_gets_others(session: Session, olga: Colleague) -> None:
    with pytest.raises(WrongState):
        other_bytes(session, a_news(session, by=olga.by()), olga)


def test_other_bytes_are_given_against_what_one_has_seen(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    change(session, image, by=olga.by(), alt="Офис")
    with pytest.raises(StaleRevision):
        other_bytes(session, image, olga, expected=1)


def test_the_old_bytes_stay_public_as_long_as_the_image_is(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    publishing.publish(session, image, by=olga.by())
    other_bytes(session, image, olga)
    session.flush()
    assert publications.public_uploads(session, [FIRST, SECOND]) == {FIRST}
    publishing.publish(session, image, by=olga.by())
    session.flush()
    assert publications.public_uploads(session, [FIRST, SECOND]) == {FIRST, SECOND}
    publishing.unpublish(session, image, by=olga.by())
    assert publications.public_uploads(session, [FIRST, SECOND]) == frozenset()
