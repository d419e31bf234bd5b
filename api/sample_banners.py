"""What stands around the texts of the sample site: placements, banners, counters, and the forms of images.

Nothing of it leads out of the house: the counters only note on the page that they were loaded."""

import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.parts import Parts
from api.uploads import take_in
from cms import files, publishing, saving, structure
from cms.attribution import By
from cms.files import Received
from cms.saving import Draft
from cms.tables.entries import Entry
from media.drawing_banners import BANNERS, draw_banner

_LOCALE = "ru"


class _Picture(NamedTuple):
    title: str
    alt: str


_PICTURES = {
    "winter": _Picture("Зима", "Дом с тёплыми окнами под снегом, у стены тепловой насос. Т-12: тепло и в −25 °C"),
    "savings": _Picture("Экономия", "Стопки монет растут слева направо, над последней росток. Насос в рассрочку"),
    "house": _Picture("Насос", "Белый тепловой насос в кругах тепла. «Таволга»: тепловые насосы из Ольховска"),
}

_PLACEMENTS: tuple[dict[str, Any], ...] = (
    {"name": "notice", "label": "Объявление", "description": "Строка над шапкой, сразу на всех страницах",
     "emergency": True},
    {"name": "top", "label": "Под меню", "description": "Широкая картинка", "width": 1200, "height": 240},
    {"name": "sidebar", "label": "Рядом с текстом", "description": "Картинка или несколько слов", "width": 300,
     "height": 250},
)  # fmt: skip
# The placement that shows the company's own banner when there is nothing else.
_AT_HOME = "sidebar"

_PRESETS: tuple[dict[str, Any], ...] = (
    {"name": "card", "fit": "fill", "width": 640, "height": 360},
    {"name": "cover", "fit": "fit", "width": 1200},
    {"name": "share", "fit": "fill", "width": 1200, "height": 640, "format": "jpeg"},
)

_COUNTERS = {
    "necessary": "Проверочный счётчик: работает всегда",
    "analytics": "Проверочный счётчик: после согласия на статистику",
    "marketing": "Проверочный счётчик: после согласия на рекламу",
}
_COUNTER_CODE = (
    "<script>window.sitedeskSample = Object.assign(window.sitedeskSample || {{}}, {{{category}: true}});</script>"
)


def take_in_pictures(parts: Parts) -> dict[str, Received]:
    """The pictures of the banners, in the store."""
    return {name: take_in(parts, io.BytesIO(draw_banner(name)), filename=f"{name}.jpg") for name in BANNERS}


def furnish(
    session: Session, received: Mapping[str, Received], *, product: str, training: str, at: datetime, by: By
) -> None:
    """Put it all on the site as if it had been published at an instant. `product` and `training`: the entries that
    banners lead to."""
    images = _add_images(session, received, at=at, by=by)
    tree = structure.entry(session)
    _change(session, tree, {"placements": list(_PLACEMENTS)}, by=by)
    banners = _banners(images, product=product, training=training, now=by.at)
    ids = {name: _add(session, "banner", fields, at=at, by=by) for name, fields in banners.items()}
    at_home = [{**one, "house": ids["house"] if one["name"] == _AT_HOME else None} for one in _PLACEMENTS]
    _change(session, tree, {"placements": at_home}, by=by)
    for category, title in _COUNTERS.items():
        code = _COUNTER_CODE.format(category=category)
        counter = {"title": title, "provider": "custom", "category": category, "position": "body_end", "code": code}
        _add(session, "counter", counter, at=at, by=by)
    settings = session.scalars(select(Entry).where(Entry.type == "settings")).one()
    _change(session, settings, {"site_name": "Таволга", "image_presets": list(_PRESETS)}, by=by)


def _banners(images: Mapping[str, str], *, product: str, training: str, now: datetime) -> dict[str, dict[str, Any]]:
    everywhere = {"locales": ["ru", "en"]}
    return {
        "winter": {
            "title": "Т-12 на зиму",
            "creative": {"image": images["winter"]},
            "entry": product,
            "placements": ["top"],
            "weight": 3,
            "tracking": [{"name": "utm_source", "value": "top"}],
        },
        "savings": {
            "title": "Насос в рассрочку",
            "creative": {"image": images["savings"]},
            "link": "https://bank.example.org/credit",
            "placements": ["top"],
            "starts_at": _written(now - timedelta(days=1)),
            "ends_at": _written(now + timedelta(days=90)),
            "zone": "Europe/Moscow",
            "cap": {"views": 5, "per": "day"},
            "targeting": everywhere,
            "advertiser": "Банк «Заречье»",
            "label": "Реклама",
            "erid": "2VtzqSAMPLE",
        },
        "training": {
            "title": "Учебный класс",
            "creative": {"text": "Монтажникам: бесплатные занятия в новом учебном классе.\nДва дня, с обедом."},
            "entry": training,
            "placements": ["sidebar"],
        },
        # Shown where the training room is not: on pages in English.
        "house": {
            "title": "О нас",
            "creative": {"image": images["house"]},
            "link": "/",
            "placements": ["sidebar"],
            "targeting": everywhere,
        },
    }


def _add_images(session: Session, received: Mapping[str, Received], *, at: datetime, by: By) -> dict[str, str]:
    """The ids of the images, by name."""
    ids: dict[str, str] = {}
    for name, (title, alt) in _PICTURES.items():
        stored = files.keep(session, received[name], by=by)
        made = files.make_entry(session, stored, title=title, alt=alt, locale=_LOCALE, by=by)
        publishing.publish(session, made.entry, by=by, published_at=at)
        ids[name] = made.entry.id
    return ids


def _add(session: Session, type_name: str, fields: Mapping[str, Any], *, at: datetime, by: By) -> str:
    """A new entry, live; its id."""
    made = saving.create(session, type_name, Draft(locale=_LOCALE, fields=fields), by=by)
    publishing.publish(session, made.entry, by=by, published_at=at)
    return made.entry.id


def _change(session: Session, entry: Entry, fields: Mapping[str, Any], *, by: By) -> None:
    saving.save(session, entry, {"fields": fields}, expected=entry.revision, by=by)
    publishing.publish(session, entry, by=by)


def _written(moment: datetime) -> str:
    return moment.isoformat()
