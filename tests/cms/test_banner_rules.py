"""What a banner must not say: told when it is saved, and for what it shows when it is published."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from cms import publishing, saving
from cms.errors import InvalidContent
from tests.cast import Colleague, a_live_news, a_news, change, newest_fields
from tests.cms.banners_at_hand import a_banner, an_image, placements


def faults(session: Session, olga: Colleague, **given: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidContent) as refused:
        a_banner(session, by=olga.by(), **given)
    return [(fault.pointer.removeprefix("/fields/"), fault.code) for fault in refused.value.faults]


def test_a_banner_may_say_all_of_this(session: Session, olga: Colleague) -> None:
    placements(session, "top", by=olga.by())
    image = an_image(session, by=olga.by())
    banner = a_banner(
        session,
        by=olga.by(),
        creative={"image": image.id},
        link="/sale?x=1#top",
        placements=["top"],
        starts_at="2026-12-01T00:00:00+03:00",
        ends_at="2026-12-31T23:59:00+03:00",
        zone="Europe/Moscow",
        days=["mon", "sun"],
        hours=[{"from": "22:00", "to": "06:00"}],
        weight=5,
        priority=3,
        targeting={"paths": ["/news/**"], "except_paths": ["/news/old/*"], "locales": ["ru"], "devices": ["mobile"]},
        cap={"views": 3, "per": "day"},
        tracking=[{"name": "utm_source", "value": "banner №1"}],
        advertiser="ООО «Зима»",
        erid="2SDnjc",
    )
    publishing.publish(session, banner, by=olga.by())
    assert newest_fields(session, banner)["starts_at"] == "2026-11-30T21:00:00.000000Z"


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"creative": {"text": "a", "html": "b"}}, ("creative", "several_creatives")),
        ({"creative": {"html": "x" * 20_001}}, ("creative/html", "malformed_html")),
        ({"placements": ["nowhere"]}, ("placements/0", "unknown_placement")),
        ({"starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z"}, ("ends_at", "order")),
        ({"starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-02T03:00:00+03:00"}, ("ends_at", "order")),
        ({"zone": "Moscow"}, ("zone", "unknown_zone")),
        ({"zone": "../etc/passwd"}, ("zone", "unknown_zone")),
        ({"days": ["mon", "someday"]}, ("days/1", "unknown_day")),
        ({"hours": [{"from": "9:00", "to": "10:00"}]}, ("hours/0/from", "malformed_hour")),
        ({"hours": [{"from": "09:00", "to": "24:00"}]}, ("hours/0/to", "malformed_hour")),
        ({"hours": [{"from": "09:00", "to": "09:00"}]}, ("hours/0/to", "order")),
        ({"hours": [{"from": "09:00", "to": "10:00"}] * 21}, ("hours", "too_many")),
        ({"targeting": {"paths": ["news"]}}, ("targeting/paths/0", "malformed_pattern")),
        ({"targeting": {"paths": [f"/{n}" for n in range(101)]}}, ("targeting/paths", "too_many")),
        ({"targeting": {"except_paths": ["/a**"]}}, ("targeting/except_paths/0", "malformed_pattern")),
        ({"targeting": {"devices": ["fridge"]}}, ("targeting/devices/0", "unknown_device")),
        ({"targeting": {"locales": ["xx"]}}, ("targeting/locales/0", "unknown_locale")),
        ({"targeting": {"sections": ["nowhere"]}}, ("targeting/sections/0", "unknown_section")),
        ({"cap": {"views": 3}}, ("cap/per", "missing")),
        ({"cap": {"per": "day"}}, ("cap/views", "missing")),
        ({"cap": {"views": 1.5, "per": "day"}}, ("cap/views", "not_whole")),
        ({"tracking": [{"name": "a=b", "value": "c"}]}, ("tracking/0/name", "malformed_name")),
        ({"link": "javascript:alert(1)"}, ("link", "value_error")),
        ({"link": "//evil.example"}, ("link", "value_error")),
    ],
)
def test_what_is_wrong_is_named(
    session: Session, olga: Colleague, given: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert faults(session, olga, **given) == [fault]


def test_a_banner_leads_to_one_place(session: Session, olga: Colleague) -> None:
    news = a_live_news(session, by=olga.by())
    assert faults(session, olga, link="/a", entry=news.id) == [("link", "several_targets")]


def test_an_image_must_be_one(session: Session, olga: Colleague) -> None:
    news = a_news(session, by=olga.by())
    assert faults(session, olga, creative={"image": news.id}) == [("creative/image", "wrong_type")]


def test_a_draft_may_show_nothing_yet_and_is_not_published_so(session: Session, olga: Colleague) -> None:
    banner = a_banner(session, by=olga.by(), creative=None)
    with pytest.raises(InvalidContent) as refused:
        publishing.publish(session, banner, by=olga.by())
    assert [(one.pointer, one.code) for one in refused.value.faults] == [("/fields/creative", "no_creative")]
    change(session, banner, by=olga.by(), creative={"text": "Скидки"})
    publishing.publish(session, banner, by=olga.by())


def test_html_is_cleaned_when_it_is_saved_and_what_it_lost_is_told(session: Session, olga: Colleague) -> None:
    banner = a_banner(session, by=olga.by(), creative=None)
    html = "<b onclick='x()'>Да</b><script>alert(1)</script>"
    saved = saving.save(session, banner, {"fields": {"creative": {"html": html}}}, expected=1, by=olga.by())
    assert newest_fields(session, banner)["creative"]["html"] == "<b>Да</b>"
    [warning] = [one for one in saved.warnings if one.code == "html_removed"]
    assert warning.pointer == "/fields/creative/html"
    assert "b[onclick], script" in warning.message
    again = saving.save(session, banner, {"fields": {"title": "Other"}}, expected=2, by=olga.by())
    assert "html_removed" not in [one.code for one in again.warnings]
