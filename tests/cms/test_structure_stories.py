"""Whatever is done to the tree: what is published has one path, and no path that ever was live is lost.

The same steps are done on both databases side by side, and both must answer alike (domain rules 10 and 15).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import history, publishing, redirects, restructuring, saving, site, structure
from cms.database import Database, forget
from cms.delivery import resolving
from cms.delivery.live_structure import live_site
from cms.errors import Refusal
from cms.redirects import Answer
from cms.tables.entries import Entry
from cms.tables.publications import Publication
from tests.cast import Colleague, HeldClock, a_news

SLUGS = st.sampled_from(("a", "b", "c"))
LOCALES = ("ru", "en")
WHICH = st.integers(0, 30)
EXAMPLES = 25
STEPS = 14


@dataclass
class Site:
    """One database and what was made on it, in the order in which it was made."""

    session: Session
    sections: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)

    def section(self, number: int | None) -> str | None:
        standing = [one for one in self.sections if one in structure.newest_tree(self.session)]
        return standing[number % len(standing)] if number is not None and standing else None

    def entry(self, number: int) -> Entry | None:
        known = [one for one in (self.session.get(Entry, id) for id in self.entries) if one and not one.trashed_at]
        return known[number % len(known)] if known else None

    def answer(self, locale: str, path: str) -> Any:
        """What visitors get, with numbers for ids, so that two sites can be compared."""
        live = live_site(self.session)
        found = resolving.resolve(self.session, path, site=live, locales=site.locales(self.session), locale=locale)
        if found is None:
            return None
        if found.publication is not None:
            return "entry", self.entries.index(found.publication.entry_id)
        if found.moved_to is not None:
            return "redirect", found.moved_to
        return ("gone",) if found.gone else ("section", found.section and self.sections.index(found.section))

    def entry_paths(self) -> Iterator[tuple[str, str, Any]]:
        """Where each published entry is, and what visitors should get there."""
        tree = live_site(self.session).tree
        for publication in self.session.scalars(select(Publication).where(Publication.type == "news")):
            place = redirects.place_of(publication, tree)
            assert place is not None, "what is published has a path"
            yield publication.locale, place.path, ("entry", self.entries.index(publication.entry_id))

    def section_paths(self) -> Iterator[tuple[str, str]]:
        tree = live_site(self.session).tree
        return ((locale, str(tree.path(section.id, locale=locale))) for section in tree for locale in LOCALES)


class Stories(RuleBasedStateMachine):
    """What staff do to a site, in any order; what is refused leaves nothing behind."""

    def __init__(self, sites: list[Site], olga: Colleague, clock: HeldClock) -> None:
        super().__init__()
        self.sites, self.olga, self.clock = sites, olga, clock
        self.ever: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        for one in self.sites:
            one.session.rollback()
            forget(one.session)
            one.sections.clear()
            one.entries.clear()

    def on_each(self, step: Callable[[Site], None]) -> None:
        self.clock.pass_by(seconds=1)
        refused: list[type[Refusal] | None] = []
        for one in self.sites:
            known = (list(one.sections), list(one.entries))
            refused.append(None)
            try:
                with one.session.begin_nested():
                    step(one)
                    one.session.flush()
            except Refusal as refusal:
                refused[-1] = type(refusal)
                one.sections[:], one.entries[:] = known
                one.session.expire_all()
            forget(one.session)
        assert len(set(refused)) == 1, "both databases do it, or neither"

    def restructure(self, site: Site, operation: dict[str, Any]) -> None:
        tree = structure.entry(site.session)
        by = self.olga.by()
        saved, made = restructuring.change(site.session, tree, [operation], expected=tree.revision, by=by)
        site.sections += made
        publishing.publish(site.session, saved.entry, by=by)

    @initialize()
    def begin_with_something(self) -> None:
        """A tree of two levels with entries in it, so that a story has something to move."""
        for parent, slug in ((None, "a"), (None, "b"), (0, "a"), (0, "b")):
            self.add_a_section(parent, slug)
        for number, slug in enumerate("abca"):
            self.publish_something_new(number, slug, "ru")
        self.publish_something_new(None, "c", "en")

    @rule(parent=st.none() | WHICH, slug=SLUGS)
    def add_a_section(self, parent: int | None, slug: str) -> None:
        self.on_each(
            lambda one: self.restructure(
                one, {"op": "add", "parent": one.section(parent), "slug": slug, "name": slug.upper()}
            )
        )

    @rule(section=WHICH, slug=SLUGS | st.fixed_dictionaries({"ru": SLUGS, "en": SLUGS}))
    def rename_a_section(self, section: int, slug: Any) -> None:
        self.on_each(lambda one: self.restructure(one, {"op": "rename", "section": one.section(section), "slug": slug}))

    @rule(section=WHICH, parent=st.none() | WHICH)
    def move_a_section(self, section: int, parent: int | None) -> None:
        self.on_each(
            lambda one: self.restructure(
                one, {"op": "move", "section": one.section(section), "parent": one.section(parent)}
            )
        )

    @rule(section=WHICH, into=WHICH)
    def merge_sections(self, section: int, into: int) -> None:
        self.on_each(
            lambda one: self.restructure(
                one, {"op": "merge", "section": one.section(section), "into": one.section(into)}
            )
        )

    @rule(section=WHICH, entries=st.sampled_from(("gone", "trash")) | WHICH)
    def remove_a_section(self, section: int, entries: str | int) -> None:
        def remove(one: Site) -> None:
            fate = entries if isinstance(entries, str) else {"move_to": one.section(entries)}
            self.restructure(one, {"op": "remove", "section": one.section(section), "entries": fate})

        self.on_each(remove)

    @rule(back=st.integers(1, 4))
    def take_changes_back(self, back: int) -> None:
        def restore(one: Site) -> None:
            tree = structure.entry(one.session)
            number = max(1, tree.revision - back)
            history.restore(one.session, tree, number, expected=tree.revision, by=self.olga.by())
            publishing.publish(one.session, tree, by=self.olga.by())

        self.on_each(restore)

    @rule(section=st.none() | WHICH, slug=SLUGS, locale=st.sampled_from(LOCALES))
    def publish_something_new(self, section: int | None, slug: str, locale: str) -> None:
        def publish(one: Site) -> None:
            entry = a_news(
                one.session, by=self.olga.by(), section=one.section(section), slug=slug, locale=locale, title="Hours"
            )
            one.entries.append(entry.id)
            publishing.publish(one.session, entry, by=self.olga.by())

        self.on_each(publish)

    @rule(entry=WHICH, section=st.none() | WHICH, slug=SLUGS)
    def move_an_entry(self, entry: int, section: int | None, slug: str) -> None:
        def move(one: Site) -> None:
            chosen = one.entry(entry)
            if chosen is not None:
                place = {"section": one.section(section), "slug": slug}
                saving.save(one.session, chosen, place, expected=chosen.revision, by=self.olga.by())
                publishing.publish(one.session, chosen, by=self.olga.by())

        self.on_each(move)

    @rule(entry=WHICH)
    def take_an_entry_down(self, entry: int) -> None:
        def unpublish(one: Site) -> None:
            chosen = one.entry(entry)
            if chosen is not None:
                publishing.unpublish(one.session, chosen, by=self.olga.by(), answer=Answer("gone"))

        self.on_each(unpublish)

    @invariant()
    def every_published_entry_has_one_live_path(self) -> None:
        for one in self.sites:
            live = list(one.entry_paths())
            assert len({(locale, path) for locale, path, _ in live}) == len(live)
            for locale, path, entry in live:
                assert one.answer(locale, path) == entry
            self.ever.update((locale, path) for locale, path, _ in live)
            self.ever.update(one.section_paths())

    @invariant()
    def no_path_that_was_ever_live_is_lost(self) -> None:
        for locale, path in sorted(self.ever):
            answers = [one.answer(locale, path) for one in self.sites]
            assert answers[0] == answers[-1], "both databases agree"
            assert answers[0] is not None, f"{path} ({locale}) was live once"
            if answers[0][0] == "redirect":
                for one in self.sites:
                    ends = [one.answer(each, answers[0][1]) for each in LOCALES]
                    assert any(end and end[0] in ("entry", "section") for end in ends), "one hop"


@contextmanager
def left_as_it_was(database: Database) -> Iterator[Site]:
    """A site for stories, none of which stays."""
    with Session(database.writer, expire_on_commit=False) as session:
        yield Site(session)
        session.rollback()


def test_no_story_loses_a_path(request: pytest.FixtureRequest, olga: Colleague, clock: HeldClock) -> None:
    databases: tuple[Database, Database] = (request.getfixturevalue("sqlite"), request.getfixturevalue("postgresql"))
    with left_as_it_was(databases[0]) as one, left_as_it_was(databases[1]) as two:

        class Here(Stories):
            def __init__(self) -> None:
                super().__init__([one, two], olga, clock)

        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
