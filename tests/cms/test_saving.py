"""Saving: every change of content is one new revision, attributed, checked, and never at another's expense."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from cms import saving, showing, snapshots, trash
from cms.built_in_types import BUILT_IN
from cms.errors import AddressTaken, InvalidContent, StaleRevision, WrongState
from cms.tables.entries import Revision
from cms.tables.events import Event
from tests.cast import (
    MORNING,
    NOBODY_ID,
    PRESS_ID,
    Colleague,
    HeldClock,
    a_news,
    an_entry,
    change,
    newest_fields,
    words,
)


def test_a_new_entry_has_revision_one(session: Session, olga: Colleague) -> None:
    assert a_news(session, by=olga.by()).revision == 1


def test_each_save_makes_the_next_revision(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    for number in range(2, 6):
        assert change(session, entry, by=olga.by(), title=f"Title {number}").revision.number == number
    assert session.scalars(select(Revision.number).order_by(Revision.number).filter_by(entry_id=entry.id)).all() == [
        1, 2, 3, 4, 5
    ]  # fmt: skip


def test_a_patch_changes_what_it_names_and_leaves_the_rest(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), summary="Short", topics=["hr"])
    change(session, entry, by=olga.by(), summary="Shorter")
    assert (newest_fields(session, entry)["summary"], newest_fields(session, entry)["topics"]) == ("Shorter", ["hr"])


def test_null_empties_a_field(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), summary="Short")
    change(session, entry, by=olga.by(), summary=None)
    assert newest_fields(session, entry)["summary"] is None


def test_a_patch_that_changes_nothing_makes_no_revision(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), summary="Short", body=words("One *two* three"))
    saved = change(session, entry, by=olga.by(), summary="Short", body=words("One *two* three"))
    assert (saved.made, entry.revision) == (False, 1)


def test_a_patch_that_changes_nothing_makes_no_event(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), summary="Short")
    before = session.scalar(select(func.max(Event.number)))
    change(session, entry, by=olga.by(), summary="Short")
    assert session.scalar(select(func.max(Event.number))) == before


def test_old_revisions_keep_what_they_said(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="First")
    change(session, entry, by=olga.by(), title="Second")
    session.expire_all()
    assert snapshots.revision_of(session, entry, 1).fields["title"] == "First"


def test_the_entry_shows_the_newest_title(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="First")
    change(session, entry, by=olga.by(), title="Second")
    assert entry.title == "Second"


# --- no lost update (rule 5) ---


def test_a_stale_revision_is_refused(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    with pytest.raises(StaleRevision):
        saving.save(session, entry, {"fields": {"title": "Mine"}}, expected=1, by=olga.by())


def test_the_refusal_tells_who_was_faster_when_and_what_they_changed(
    session: Session, olga: Colleague, stranger: Colleague, pavel: str, clock: HeldClock
) -> None:
    entry = a_news(session, by=olga.by(), slug="hours")
    clock.pass_by(minutes=1)
    patch = {"slug": "new-hours", "fields": {"title": "Second", "summary": "New"}}
    saving.save(session, entry, patch, expected=1, by=stranger.by(on_behalf_of=pavel))
    with pytest.raises(StaleRevision) as refused:
        saving.save(session, entry, {}, expected=1, by=olga.by())
    told = refused.value
    assert (told.expected, told.current, told.actor_name, told.on_behalf_of) == (1, 2, "A stranger", pavel)
    assert (told.saved_at, told.changed) == (clock(), ["/slug", "/fields/title", "/fields/summary"])


def test_a_revision_that_does_not_exist_yet_is_stale_too(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    with pytest.raises(StaleRevision):
        saving.save(session, entry, {}, expected=2, by=olga.by())


def test_the_update_itself_refuses_what_came_between(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), title="Second")
    set_committed_value(entry, "revision", 1)  # as a session sees it that looked before the other wrote
    with pytest.raises(StaleRevision) as refused:
        saving.save(session, entry, {"fields": {"title": "Mine"}}, expected=1, by=olga.by())
    assert (refused.value.expected, refused.value.current) == (1, 2)


# --- attribution (rule 12) ---


def test_actor_colleague_request_and_byline_are_four_different_things(
    session: Session, olga: Colleague, pavel: str
) -> None:
    by = olga.by(on_behalf_of=pavel, request=412, note="Asked by phone")
    entry = a_news(session, by=by, byline=(PRESS_ID,))
    shown = showing.entry(session, entry, snapshots.revision_of(session, entry))
    assert shown["saved"]["by"] == {"kind": "person", "id": olga.actor.id, "name": "Olga"}
    assert (shown["saved"]["on_behalf_of"]["name"], shown["saved"]["request"]) == ("Pavel", 412)
    assert ([one["name"] for one in shown["byline"]], shown["saved"]["note"]) == (["Press service"], "Asked by phone")


def test_a_support_edit_does_not_change_the_byline(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), byline=(PRESS_ID,))
    change(session, entry, by=olga.by(), title="Second")
    assert snapshots.revision_of(session, entry).byline == [PRESS_ID]


def test_the_event_says_the_same_as_the_revision(session: Session, olga: Colleague, pavel: str) -> None:
    entry = a_news(session, by=olga.by(on_behalf_of=pavel, request=412, note="Asked by phone"))
    event = session.scalars(select(Event).filter_by(entry_id=entry.id)).one()
    assert (event.kind, event.revision, event.at, event.actor_id) == ("entry.created", 1, MORNING, olga.actor.id)
    assert (event.on_behalf_of, event.request, event.note) == (pavel, 412, "Asked by phone")


# --- what may be stored ---


def faults(session: Session, olga: Colleague, type: str = "news", **given: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidContent) as refused:
        an_entry(session, type, by=olga.by(), **given)
    return [(fault.pointer, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"locale": "de"}, "/locale", "unknown_locale"),
        ({"section": "nowhere"}, "/section", "unknown_section"),
        ({"slug": "Office Hours"}, "/slug", "malformed_slug"),
        ({"slug": "часы"}, "/slug", "malformed_slug"),
        ({"slug": ".hidden"}, "/slug", "malformed_slug"),
        ({"slug": "a/b"}, "/slug", "malformed_slug"),
        ({"slug": "hours\n"}, "/slug", "malformed_slug"),
        ({"slug": ""}, "/slug", "malformed_slug"),
        ({"slug": "a" * 201}, "/slug", "too_long"),
        ({"owner_id": NOBODY_ID}, "/owner", "unknown_person"),
        ({"byline": (PRESS_ID, NOBODY_ID)}, "/byline/1", "unknown_person"),
        ({"cover": NOBODY_ID}, "/fields/cover", "missing_target"),
        ({"related": [NOBODY_ID]}, "/fields/related/0", "missing_target"),
        ({"colour": "red"}, "/fields/colour", "unknown_field"),
        ({"title": ""}, "/fields/title", "string_too_short"),
        ({"title": " \t "}, "/fields/title", "string_too_short"),
    ],
)
def test_what_does_not_fit_is_refused_and_named(
    session: Session, olga: Colleague, given: dict[str, Any], pointer: str, code: str
) -> None:
    assert faults(session, olga, **given) == [(pointer, code)]


def test_all_faults_are_told_at_once(session: Session, olga: Colleague) -> None:
    told = faults(session, olga, locale="de", section="nowhere", slug="No slug", cover=NOBODY_ID)
    assert [pointer for pointer, _ in told] == ["/locale", "/slug", "/section", "/fields/cover"]


def test_a_refused_save_leaves_the_entry_alone(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    with pytest.raises(InvalidContent):
        change(session, entry, by=olga.by(), title=None)
    session.refresh(entry)
    assert (entry.revision, entry.title) == (1, "Office hours")


def test_a_cover_is_an_image(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    assert faults(session, olga, cover=other.id) == [("/fields/cover", "wrong_type")]


def test_a_text_may_point_at_nothing_but_says_so(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    saved = change(session, entry, by=olga.by(), body=words(f"[hours](entry:{NOBODY_ID})"))
    assert [(fault.pointer, fault.code) for fault in saved.warnings] == [("/fields/body", "missing_target")]


def test_a_locale_that_has_a_translation_already_is_refused(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    a_news(session, by=olga.by(), locale="en", translation_of=entry.id)
    with pytest.raises(WrongState):
        a_news(session, by=olga.by(), locale="en", translation_of=entry.id)


def test_a_row_of_a_source_is_made_once(session: Session, olga: Colleague) -> None:
    draft, source = saving.Draft("ru", {"title": "x"}), saving.Source("doka", "css/align")
    saving.create(session, "news", draft, by=olga.by(), source=source)
    session.flush()
    with pytest.raises(WrongState):
        saving.create(session, "news", replace(draft, slug="other"), by=olga.by(), source=source)


def test_translations_know_each_other(session: Session, olga: Colleague) -> None:
    russian = a_news(session, by=olga.by())
    english = a_news(session, by=olga.by(), locale="en", translation_of=russian.id)
    shown = showing.entry(session, english, snapshots.revision_of(session, english))
    assert shown["translations"] == {"ru": russian.id}


def test_an_entry_cannot_take_the_locale_of_its_translation(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), slug="hours")
    a_news(session, by=olga.by(), slug="hours-in-english", locale="en", translation_of=entry.id)
    with pytest.raises((WrongState, InvalidContent)):
        saving.save(session, entry, {"locale": "en"}, expected=1, by=olga.by())


@pytest.mark.parametrize("type", [name for name, one in BUILT_IN.items() if one.single])
def test_a_site_has_one_structure_and_one_settings(session: Session, olga: Colleague, type: str) -> None:
    with pytest.raises(WrongState):
        an_entry(session, type, by=olga.by())


def test_what_lies_in_the_trash_is_not_saved(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    trash.trash(session, entry, expected=1, by=olga.by())
    with pytest.raises(WrongState):
        change(session, entry, by=olga.by(), title="Second")


# --- slugs ---


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Часы работы в январе", "chasy-raboty-v-ianvare"),
        ("Office hours, 2027!", "office-hours-2027"),
        ("Ёлка", "elka"),
        ("…", "news"),
    ],
)
def test_a_slug_is_made_from_the_title(session: Session, olga: Colleague, title: str, slug: str) -> None:
    assert a_news(session, by=olga.by(), title=title).slug == slug


def test_a_made_slug_that_is_taken_gets_the_next_number(session: Session, olga: Colleague) -> None:
    made = [a_news(session, by=olga.by(), title="Hours").slug for _ in range(3)]
    assert made == ["hours", "hours-2", "hours-3"]


def test_a_made_slug_is_never_too_long(session: Session, olga: Colleague) -> None:
    made = [a_news(session, by=olga.by(), title="слово " * 160).slug or "" for _ in range(2)]
    assert max(len(slug) for slug in made) <= 200


def test_a_given_slug_that_is_taken_is_refused(session: Session, olga: Colleague) -> None:
    first = a_news(session, by=olga.by(), slug="hours")
    with pytest.raises(AddressTaken) as refused:
        a_news(session, by=olga.by(), slug="hours")
    assert (refused.value.slug, refused.value.entry_id) == ("hours", first.id)


def test_a_saved_slug_that_is_taken_is_refused(session: Session, olga: Colleague) -> None:
    a_news(session, by=olga.by(), slug="hours")
    entry = a_news(session, by=olga.by(), slug="days")
    with pytest.raises(AddressTaken):
        saving.save(session, entry, {"slug": "hours"}, expected=1, by=olga.by())


def test_each_locale_has_slugs_of_its_own(session: Session, olga: Colleague) -> None:
    made = [a_news(session, by=olga.by(), slug="hours", locale=locale).slug for locale in ("ru", "en")]
    assert made == ["hours", "hours"]


def test_a_change_of_title_keeps_the_slug(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="Hours")
    change(session, entry, by=olga.by(), title="Days")
    assert entry.slug == "hours"


def test_an_entry_that_asks_for_a_made_slug_may_keep_its_own(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), title="Hours")
    saving.save(session, entry, {"slug": None}, expected=1, by=olga.by())
    assert entry.slug == "hours"


def test_an_image_has_no_slug(session: Session, olga: Colleague) -> None:
    assert an_entry(session, "image", by=olga.by(), slug="office").slug is None


@pytest.mark.parametrize("field", ["title", "summary"])
def test_a_zero_byte_never_reaches_the_database(session: Session, olga: Colleague, field: str) -> None:
    assert faults(session, olga, **{field: "Office\0hours"})[0][0] == f"/fields/{field}"
