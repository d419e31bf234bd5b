"""Counters to test with."""

from typing import Any

from sqlalchemy.orm import Session

from cms import publishing
from cms.attribution import COMMAND_LINE, By
from cms.tables.entries import Entry
from tests.cast import HeldClock, an_entry


def a_counter(session: Session, *, by: By, title: str = "Metrica", **given: Any) -> Entry:
    """A draft of a counter of Yandex Metrica, unless said otherwise."""
    fields: dict[str, Any] = {"provider": "yandex_metrica", "counter_id": "12345678", **given}
    return an_entry(session, "counter", by=by, title=title, **fields)


def a_live_counter(session: Session, *, title: str = "Metrica", at: HeldClock, **given: Any) -> Entry:
    by = By(COMMAND_LINE, at())
    entry = a_counter(session, by=by, title=title, **given)
    publishing.publish(session, entry, by=by)
    session.flush()
    return entry
