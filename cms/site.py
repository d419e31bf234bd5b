"""What the site as a whole is set to: its locales, and the two entries that every site has."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.database import remembered
from cms.tables.publications import Publication


@dataclass(frozen=True)
class Locales:
    """The locales that entries may have, and the one that is meant when none is named."""

    all: tuple[str, ...]
    default: str


DEFAULT_LOCALES = Locales(("ru", "en"), "ru")


def locales(session: Session) -> Locales:
    """The locales of the published settings, or Russian and English."""
    return remembered(session, "locales", lambda: _locales(session))


def _locales(session: Session) -> Locales:
    rendered = session.scalar(select(Publication.rendered).where(Publication.type == "settings"))
    named = tuple((rendered or {}).get("locales") or ())
    if not named:
        return DEFAULT_LOCALES
    default = (rendered or {}).get("default_locale")
    return Locales(named, str(default) if default in named else named[0])
