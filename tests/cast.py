"""The standing cast, a clock that stands still, and what a test needs to have made before it begins."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from cms import publishing, restructuring, saving, site, snapshots, structure
from cms.attribution import Actor, By
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.tables.entries import Entry
from cms.tables.people import Person

MORNING = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)

OLGA_ID = "01900000-0000-7000-8000-00000000a001"
PAVEL_ID = "01900000-0000-7000-8000-00000000a002"
PRESS_ID = "01900000-0000-7000-8000-00000000a003"
NOBODY_ID = "01900000-0000-7000-8000-000000000000"


@dataclass
class HeldClock:
    """A clock that shows the same instant until it is moved."""

    now: datetime = MORNING

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **lapse: float) -> datetime:
        """Let time pass: `clock.pass_by(minutes=10)`."""
        self.now += timedelta(**lapse)
        return self.now


@dataclass(frozen=True)
class Colleague:
    """Somebody who acts: `olga.by(on_behalf_of=PAVEL_ID)` is one write's attribution at the clock's instant."""

    actor: Actor
    clock: HeldClock

    def by(self, *, on_behalf_of: str | None = None, request: int | None = None, note: str | None = None) -> By:
        return By(self.actor, self.clock(), on_behalf_of, request, note)


def add_the_cast(session: Session, *, at: datetime) -> None:
    """Olga of support, Pavel of HR (who cannot sign in), and the press service that signs articles."""
    session.add_all(
        [
            Person(id=OLGA_ID, name="Olga", email="olga@example.org", department="Support", created_at=at),
            Person(id=PAVEL_ID, name="Pavel", email="pavel@example.org", department="HR", created_at=at),
            Person(id=PRESS_ID, name="Press service", url="https://example.org/press", created_at=at),
        ]
    )


def words(text: str) -> dict[str, Any]:
    """A rich text of one paragraph, as a caller gives it."""
    return {"format": "markdown", "value": text}


def an_entry(session: Session, type: str, *, by: By, title: str = "Office hours", **given: Any) -> Entry:
    """An entry of any type. Keywords of `Draft` are the draft's, all others are fields."""
    outer = {name: given.pop(name) for name in list(given) if name in saving.Draft.__dataclass_fields__}
    draft = saving.Draft(**{"locale": "ru", **outer}, fields={"title": title, **given})
    made = saving.create(session, type, draft, by=by).entry
    session.flush()
    return made


def a_news(session: Session, *, by: By, title: str = "Office hours", **given: Any) -> Entry:
    """A piece of news with one revision: `a_news(session, by=olga.by(), slug="hours", summary="…")`."""
    return an_entry(session, "news", by=by, title=title, **given)


def a_live_news(session: Session, *, by: By, title: str = "Office hours", **given: Any) -> Entry:
    """A piece of news that visitors can read."""
    entry = a_news(session, by=by, title=title, **given)
    publishing.publish(session, entry, by=by)
    session.flush()
    return entry


def change(session: Session, entry: Entry, *, by: By, **fields: Any) -> saving.Saved:
    """Save other values of some fields over the newest revision."""
    saved = saving.save(session, entry, {"fields": fields}, expected=entry.revision, by=by)
    session.flush()
    return saved


def sections(session: Session, *slugs: str, by: By, parent: str | None = None) -> list[str]:
    """New sections beside each other, live; their ids."""
    operations = [{"op": "add", "parent": parent, "slug": slug, "name": slug.title()} for slug in slugs]
    return restructure(session, *operations, by=by)


def restructure(session: Session, *operations: dict[str, Any], by: By) -> list[str]:
    """Change the tree of sections and publish it; the ids of new sections."""
    tree = structure.entry(session)
    saved, made = restructuring.change(session, tree, list(operations), expected=tree.revision, by=by)
    publishing.publish(session, saved.entry, by=by)
    session.flush()
    return made


def newest_fields(session: Session, entry: Entry) -> dict[str, Any]:
    """The fields of the newest revision."""
    return snapshots.revision_of(session, entry).fields


def what_is_at(session: Session, path: str, *, locale: str | None = "ru") -> tuple[str, str | None] | None:
    """What visitors find at a path: ("entry", id), ("section", id), ("redirect", path), ("gone", why), or None."""
    session.flush()
    found = resolving.resolve(session, path, site=live_site(session), locales=site.locales(session), locale=locale)
    if found is None:
        return None
    if found.publication is not None:
        return "entry", found.publication.entry_id
    if found.moved_to is not None:
        return "redirect", found.moved_to
    return ("gone", found.explanation) if found.gone else ("section", found.section)
