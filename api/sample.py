"""The sample site of a first start: a company that makes heat pumps. Its texts are in `sample_site`, by locale."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from sqlalchemy.orm import Session

from api import sample_banners
from api.parts import Parts
from api.uploads import take_in
from cms import content, files, founding, people, publishing, restructuring, saving, site, structure
from cms.attribution import By
from cms.built_in_types import BUILT_IN
from cms.files import Received
from cms.identity import new_id
from cms.import_formats.front_matter import taken_apart
from cms.saving import Draft
from cms.tables.entries import Entry
from media.drawing import SAMPLES, draw_sample

log = structlog.get_logger("api.sample")

_FOLDER = Path(__file__).parent / "sample_site"


@dataclass(frozen=True)
class _Text:
    """A news item or article, read and checked. Translations share the `name`; `given` stands above the text."""

    id: str
    name: str
    locale: str
    given: Mapping[str, Any]
    fields: Mapping[str, Any]


class _Section(NamedTuple):
    slug: dict[str, str]
    name: dict[str, str]


class _Person(NamedTuple):
    name: str
    department: str


class _Picture(NamedTuple):
    title: str
    alt: str


_SECTIONS = {
    "company": _Section({"ru": "o-kompanii", "en": "company"}, {"ru": "О компании", "en": "Company"}),
    "products": _Section({"ru": "produktsiya", "en": "products"}, {"ru": "Продукция", "en": "Products"}),
    "news": _Section({"ru": "novosti", "en": "news"}, {"ru": "Новости", "en": "News"}),
    "careers": _Section({"ru": "karera", "en": "careers"}, {"ru": "Карьера", "en": "Careers"}),
}
_PERSONS = {
    "press": _Person("Пресс-служба", "Коммуникации"),
    "press-en": _Person("Press service", "Коммуникации"),
    "engineer": _Person("Ирина Лаптева", "Инженерный отдел"),
}
_PICTURES = {
    "headquarters": _Picture("Завод", "Невысокое белое здание с рядами окон, за ним холмы и встающее солнце"),
    "team": _Picture("Команда", "Восемь силуэтов коллег в два ряда на фоне светлой стены"),
    "products": _Picture("Склад", "Разноцветные коробки, сложенные на столе в четыре стопки"),
    "results": _Picture("Итоги", "Диаграмма: двенадцать столбцов растут слева направо, над ними линия"),
    "skyline": _Picture("Заречье", "Вечерний город со светящимися окнами отражается в воде"),
    "press": _Picture("Сцена", "Сцена с экраном и трибуной, перед ней ряды слушателей"),
}
_PICTURES_IN = "ru"
# A menu's link to one article; its other links are the sections.
_IN_MENU = ("ru", "how-it-works", {"ru": "Как это работает", "en": "How it works"})
# Older than every text, so that a list of what is new begins with the news.
_FURNISHED = (160, "08:00")


def load(parts: Parts, *, by: By) -> None:
    """Put the sample site on a site that nobody has touched yet. All of it comes in one transaction, or nothing."""
    images = {name: new_id() for name in _PICTURES}
    texts = _texts(images)
    received = {name: take_in(parts, io.BytesIO(draw_sample(name)), filename=f"{name}.jpg") for name in SAMPLES}
    received_banners = sample_banners.take_in_pictures(parts)
    with parts.database.writing() as session:
        if not _is_untouched(session):
            log.warning("the sample site is left out: this site has been set up already")
            return
        sections = _add_sections(session, by=by)
        _add_images(session, received, images, by=by)
        _add_texts(session, texts, sections=sections, by=by)
        _add_menu(session, texts, sections=sections, by=by)
        led_to = {text.name: text.id for text in texts if text.locale == "ru"}
        sample_banners.furnish(
            session,
            received_banners,
            product=led_to["t-12"],
            training=led_to["training-room"],
            at=_past(by.at, *_FURNISHED),
            by=by,
        )


def _is_untouched(session: Session) -> bool:
    # Asked again where nobody can come between: on one database several machines may start at once.
    locales = {locale for section in _SECTIONS.values() for locale in section.name}
    return (
        founding.is_empty(session) and not structure.newest_tree(session) and locales <= set(site.locales(session).all)
    )


# --- reading the texts ---


def _texts(images: Mapping[str, str]) -> list[_Text]:
    """All texts, the oldest first: what they call related is older."""
    files_of = {(path.parent.name, path.stem): path for path in sorted(_FOLDER.glob("*/*.md"))}
    ids = {address: new_id() for address in files_of}
    texts = [_text(path, ids, images) for path in files_of.values()]
    return sorted(texts, key=lambda text: -int(text.given["days_ago"]))


def _text(path: Path, ids: Mapping[tuple[str, str], str], images: Mapping[str, str]) -> _Text:
    name, locale = path.stem, path.parent.name
    page = taken_apart(path.read_text(encoding="utf-8"))
    siblings = {other: id for (one, other), id in ids.items() if one == locale}
    addresses = {f"{other}.md": id for other, id in siblings.items()} | {f"{one}.jpg": id for one, id in images.items()}
    given = page.values
    fields = {field: given[field] for field in ("title", "summary", "topics")} | {
        "cover": images[given["cover"]],
        "related": [siblings[other] for other in given.get("related", ())],
        "body": {"format": "markdown", "value": page.body},
    }
    read = content.read(BUILT_IN[given["type"]], fields, resolve=lambda _kind, url: addresses.get(url))
    return _Text(siblings[name], name, locale, given, read.fields)


# --- writing it all ---


def _add_sections(session: Session, *, by: By) -> dict[str, str]:
    entry = structure.entry(session)
    operations = [
        {"op": "add", "parent": None, "slug": section.slug, "name": section.name} for section in _SECTIONS.values()
    ]
    _, ids = restructuring.change(session, entry, operations, expected=entry.revision, by=by)
    publishing.publish(session, entry, by=by)
    return dict(zip(_SECTIONS, ids, strict=True))


def _add_images(session: Session, received: Mapping[str, Received], ids: Mapping[str, str], *, by: By) -> None:
    for name, (title, alt) in _PICTURES.items():
        stored = files.keep(session, received[name], by=by)
        made = files.make_entry(session, stored, title=title, alt=alt, locale=_PICTURES_IN, by=by, entry_id=ids[name])
        publishing.publish(session, made.entry, by=by, published_at=_past(by.at, *_FURNISHED))


def _add_texts(session: Session, texts: Iterable[_Text], *, sections: Mapping[str, str], by: By) -> None:
    persons = {key: people.add(session, name=name, department=room, by=by).id for key, (name, room) in _PERSONS.items()}
    originals: dict[str, str] = {}
    # All are there before the first is published: they link to one another in circles.
    made = [(_add_text(session, text, originals, sections=sections, persons=persons, by=by), text) for text in texts]
    for entry, text in made:
        at = _past(by.at, int(text.given["days_ago"]), text.given["time"])
        publishing.publish(session, entry, by=by, published_at=at)


def _add_text(
    session: Session,
    text: _Text,
    originals: dict[str, str],
    *,
    sections: Mapping[str, str],
    persons: Mapping[str, str],
    by: By,
) -> Entry:
    original = originals.setdefault(text.name, text.id)
    draft = Draft(
        locale=text.locale,
        fields=text.fields,
        section=sections[text.given["section"]],
        slug=text.given["slug"],
        byline=tuple(persons[key] for key in text.given["byline"]),
        translation_of=None if original == text.id else original,
    )
    return saving.bring(session, BUILT_IN[text.given["type"]], draft, by=by, entry_id=text.id).entry


def _add_menu(session: Session, texts: Iterable[_Text], *, sections: Mapping[str, str], by: By) -> None:
    locale, name, label = _IN_MENU
    items: list[dict[str, Any]] = [{"label": _SECTIONS[key].name, "section": id} for key, id in sections.items()]
    items += [{"label": label, "entry": text.id} for text in texts if (text.locale, text.name) == (locale, name)]
    menu = Draft(locale=locale, fields={"title": "main", "items": items})
    made = saving.create(session, "menu", menu, by=by)
    publishing.publish(session, made.entry, by=by, published_at=_past(by.at, *_FURNISHED))


def _past(now: datetime, days_ago: int, at: str) -> datetime:
    """An hour of a day before today, so that the site never looks old and nothing comes from the future."""
    return datetime.combine(now.astimezone(UTC).date() - timedelta(days=days_ago), time.fromisoformat(at), tzinfo=UTC)
