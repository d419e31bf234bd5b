"""Banners and placements as tests need them."""

import hashlib
from typing import Any

from sqlalchemy.orm import Session

from cms import files, publishing, site
from cms.attribution import By
from cms.delivery import banners
from cms.delivery.banners import Links, Page, Shown
from cms.delivery.live_structure import live_site
from cms.delivery.page_sections import section_at
from cms.files import Received
from cms.tables.entries import Entry
from tests.cast import Colleague, an_entry, restructure

PIXELS = (1_200, 300)


def placements(session: Session, *names: str, by: By, **said: Any) -> None:
    """New placements, live."""
    restructure(session, *({"op": "add_placement", "name": name, **said} for name in names), by=by)


def a_banner(session: Session, *, by: By, **given: Any) -> Entry:
    """A draft of a banner that shows a text, unless another creative is given."""
    told = {"title": "Winter", "creative": {"text": "Зимняя распродажа"}, **given}
    return an_entry(session, "banner", by=by, **told)


def a_live_banner(session: Session, *, by: By, **given: Any) -> Entry:
    """One that visitors may see."""
    entry = a_banner(session, by=by, **given)
    publishing.publish(session, entry, by=by)
    session.flush()
    return entry


def an_image(
    session: Session, *, by: By, name: str = "winter.png", size: int = 40_000, pixels: tuple[int, int] = PIXELS
) -> Entry:
    """An image that is not live yet. Each name has bytes of its own."""
    sha = hashlib.sha256(name.encode()).hexdigest()
    kept = files.keep(session, Received(sha, "image", name, "image/png", size, *pixels), by=by)
    made = files.make_entry(session, kept, title=name, locale="ru", alt="Зима", by=by).entry
    session.flush()
    return made


def shown(session: Session, olga: Colleague, *names: str, path: str | None = None, locale: str | None = None) -> Shown:
    """What visitors may see in some placements, or in all, at the instant of the colleague's clock."""
    session.flush()
    session.info.clear()
    live, locales = live_site(session), site.locales(session)
    asked = [live.placements[name] for name in names] or list(live.placements.values())
    section = path and section_at(live.tree, path, (locales.default, *locales.all) if locale is None else (locale,))
    links = Links(go=lambda banner, placement: f"/go/{banner}/{placement}")
    return banners.shown(session, asked, Page(path, section, locale), live=live, links=links, now=olga.clock())


def ids(session: Session, olga: Colleague, name: str = "top", **asked: Any) -> list[str]:
    """The ids of what may be shown in one placement."""
    return [one["id"] for one in shown(session, olga, name, **asked).banners[name]]
