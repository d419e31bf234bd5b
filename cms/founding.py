"""What every site has from the start: its structure and its settings, published."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from cms import publishing, saving
from cms.attribution import By
from cms.site import DEFAULT_LOCALES
from cms.tables.entries import Entry


def found(session: Session, *, by: By) -> None:
    """Make what is missing of the entries that a site has one of. Does nothing the second time."""
    for type_name, fields in _FOUNDATION.items():
        if not session.scalar(select(exists().where(Entry.type == type_name))):
            draft = saving.Draft(locale=DEFAULT_LOCALES.default, fields=fields)
            publishing.publish(session, saving.create(session, type_name, draft, by=by).entry, by=by)


_FOUNDATION = {
    "structure": {"title": "Site structure", "sections": []},
    "settings": {
        "title": "Site settings",
        "locales": list(DEFAULT_LOCALES.all),
        "default_locale": DEFAULT_LOCALES.default,
    },
}


def is_empty(session: Session) -> bool:
    """Whether nobody has put anything on the site yet."""
    return not session.scalar(select(exists().where(Entry.type.not_in(_FOUNDATION))))
