"""What the site as a whole is set to, and the ids that everything has."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import identity, publishing, site
from cms.errors import InvalidContent
from cms.pictures import Preset
from cms.tables.entries import Entry
from tests.cast import Colleague, a_news, change


def set_up(session: Session, olga: Colleague, **fields: object) -> None:
    settings = session.scalars(select(Entry).filter_by(type="settings")).one()
    change(session, settings, by=olga.by(), **fields)
    publishing.publish(session, settings, by=olga.by())


def test_a_site_begins_with_russian_and_english(session: Session) -> None:
    assert site.locales(session) == site.Locales(("ru", "en"), "ru")


def test_locales_are_those_of_the_published_settings(session: Session, olga: Colleague) -> None:
    set_up(session, olga, locales=["de", "fr"], default_locale="fr")
    assert site.locales(session) == site.Locales(("de", "fr"), "fr")
    assert a_news(session, by=olga.by(), locale="de").locale == "de"
    with pytest.raises(InvalidContent):
        a_news(session, by=olga.by(), locale="ru")


def test_a_draft_of_the_settings_changes_nothing(session: Session, olga: Colleague) -> None:
    settings = session.scalars(select(Entry).filter_by(type="settings")).one()
    change(session, settings, by=olga.by(), locales=["de", "ru"])
    assert site.locales(session).all == ("ru", "en")


@pytest.mark.parametrize(
    ("fields", "locales"),
    [
        ({"locales": None}, site.DEFAULT_LOCALES),
        ({"locales": []}, site.DEFAULT_LOCALES),
        ({"locales": ["ru", "de"], "default_locale": "en"}, site.Locales(("ru", "de"), "ru")),
        ({"locales": ["ru", "de"], "default_locale": None}, site.Locales(("ru", "de"), "ru")),
    ],
)
def test_settings_that_say_nothing_leave_a_site_that_works(
    session: Session, olga: Colleague, fields: dict[str, object], locales: site.Locales
) -> None:
    set_up(session, olga, **fields)
    assert site.locales(session) == locales


# --- ids ---


def test_ids_ascend_and_never_repeat() -> None:
    made = [identity.new_id() for _ in range(5_000)]
    assert made == sorted(set(made))


def test_an_id_is_a_uuid_of_the_seventh_version() -> None:
    made = identity.new_id()
    assert (made[14], made[19] in "89ab", identity.is_id(made)) == ("7", True, True)


@pytest.mark.parametrize(
    "text", ["", "x", "01900000000070008000000000000000", "{01900000-0000-7000-8000-000000000000}"]
)
def test_what_is_not_written_as_we_write_ids_is_none(text: str) -> None:
    assert not identity.is_id(text)


def with_presets(session: Session, olga: Colleague, *presets: dict[str, object]) -> None:
    set_up(session, olga, image_presets=list(presets))
    session.flush()


def test_the_settings_name_forms_of_images(session: Session, olga: Colleague) -> None:
    card = {"name": "card", "fit": "fill", "width": 400, "height": 300, "quality": 80, "format": "webp"}
    with_presets(session, olga, card, {"name": "wide", "width": 1600})
    assert site.settings(session).presets == (
        Preset("card", "fill", 400, 300, 80, "webp"),
        Preset("wide", "fit", 1600, None, None, "auto"),
    )


@pytest.mark.parametrize(
    ("presets", "pointer", "code"),
    [
        ([{"name": "a"}], "0/width", "missing"),
        ([{"name": "a", "fit": "fill", "width": 9}], "0/height", "missing"),
        ([{"name": "a", "fit": "fill", "height": 9}], "0/width", "missing"),
        ([{"name": "A card", "width": 9}], "0/name", "malformed_name"),
        ([{"name": "a", "width": 9}, {"name": "a", "width": 8}], "1/name", "name_taken"),
        ([{"name": "a", "width": 9.5}], "0/width", "not_whole"),
        ([{"name": "a", "width": 9, "quality": 50.5}], "0/quality", "not_whole"),
    ],
)
def test_a_form_that_says_nothing_is_refused(
    session: Session, olga: Colleague, presets: list[dict[str, object]], pointer: str, code: str
) -> None:
    with pytest.raises(InvalidContent) as refused:
        with_presets(session, olga, *presets)
    assert (f"/fields/image_presets/{pointer}", code) in [(one.pointer, one.code) for one in refused.value.faults]


def test_there_are_not_too_many_forms(session: Session, olga: Colleague) -> None:
    with pytest.raises(InvalidContent):
        with_presets(session, olga, *({"name": f"a{number}", "width": 9} for number in range(31)))
