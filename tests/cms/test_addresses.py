"""Addresses that were looked up at once, as an import does, are as safe as those that were not."""

import pytest
from sqlalchemy.orm import Session

from cms import addresses, publishing, saving
from cms.addresses import Address
from cms.errors import AddressTaken
from tests.cast import Colleague, a_live_news, a_news

HOURS = Address("ru", None, "hours")


def test_a_free_address_is_taken_once(session: Session, olga: Colleague) -> None:
    addresses.look_up(session, [HOURS])
    a_news(session, by=olga.by(), slug="hours")
    with pytest.raises(AddressTaken):
        a_news(session, by=olga.by(), slug="hours")


def test_an_address_that_is_taken_is_not_free(session: Session, olga: Colleague) -> None:
    a_news(session, by=olga.by(), slug="hours")
    addresses.look_up(session, [HOURS])
    with pytest.raises(AddressTaken):
        a_news(session, by=olga.by(), slug="hours")


def test_the_same_slug_elsewhere_does_not_matter(session: Session, olga: Colleague) -> None:
    a_news(session, by=olga.by(), slug="hours", locale="en")
    addresses.look_up(session, [HOURS])
    assert a_news(session, by=olga.by(), slug="hours").slug == "hours"


def test_a_made_slug_takes_a_free_address(session: Session, olga: Colleague) -> None:
    addresses.look_up(session, [HOURS])
    assert a_news(session, by=olga.by(), title="Hours").slug == "hours"
    with pytest.raises(AddressTaken):
        a_news(session, by=olga.by(), slug="hours")


def test_a_free_address_is_live_once(session: Session, olga: Colleague) -> None:
    addresses.look_up(session, [HOURS])
    live = a_live_news(session, by=olga.by(), slug="hours")
    saving.save(session, live, {"slug": "days"}, expected=1, by=olga.by())
    entry = a_news(session, by=olga.by(), slug="hours")
    with pytest.raises(AddressTaken):
        publishing.publish(session, entry, by=olga.by())


def test_an_entry_that_is_saved_again_keeps_its_address(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by(), slug="hours")
    addresses.look_up(session, [HOURS])
    saving.save(session, entry, {"fields": {"title": "Second"}}, expected=1, by=olga.by())
    assert entry.slug == "hours"
