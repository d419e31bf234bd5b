"""Whatever editors do in whatever order: the rules of the domain hold, and a simple model tells the same."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import history, publishing, saving, states, trash
from cms.database import Database
from cms.errors import AddressTaken, NotFound, Refusal, StaleRevision, WrongState
from cms.redirects import NOT_FOUND, Answer
from cms.snapshots import revision_of
from cms.tables.entries import Entry, Revision
from cms.tables.events import Event
from cms.tables.publications import Publication
from tests.cast import Colleague, a_news, what_is_at

SLUGS = st.sampled_from(["a", "b", "c"])
TITLES = st.sampled_from(["One", "Two", "Three"])
NUMBERS = st.integers(1, 4)
ANSWERS = st.sampled_from([NOT_FOUND, Answer("gone", explanation="Over"), Answer("redirect", to="/elsewhere")])
Refused = type[Refusal] | None


@dataclass(eq=False)
class Told:
    """An entry as the model has it. `revisions` are pairs of title and slug; `live` is the number of one of them."""

    entry: Entry
    revisions: list[tuple[str, str]]
    live: int | None = None
    was_live: bool = False
    trashed: bool = False

    @property
    def slug(self) -> str:
        return self.revisions[-1][1]

    @property
    def live_slug(self) -> str | None:
        return self.revisions[self.live - 1][1] if self.live else None

    @property
    def state(self) -> str:
        if self.trashed:
            return "trashed"
        if self.live:
            return "published" if self.live == len(self.revisions) else "changed"
        return "unpublished" if self.was_live else "draft"


class Desk(RuleBasedStateMachine):
    """An editor's day on a site of a few addresses."""

    entries: Bundle[Told] = Bundle("entries")

    def __init__(self, database: Database, olga: Colleague) -> None:
        super().__init__()
        self.session = Session(database.writer, expire_on_commit=False)
        self.by = olga.by()
        self.told: list[Told] = []
        self.events = self._events()

    def teardown(self) -> None:
        self.session.close()

    @rule(target=entries, slug=SLUGS, title=TITLES)
    def create(self, slug: str, title: str) -> Told:
        if self._do(lambda: self._make(title, slug), self._taken(slug)):
            return self.told[-1]
        self._make(title, f"spare-{len(self.told)}")
        return self.told[-1]

    def _make(self, title: str, slug: str) -> None:
        entry = a_news(self.session, by=self.by, title=title, slug=slug)
        self.told.append(Told(entry, [(title, slug)]))
        self.events += 1

    @rule(one=entries, slug=SLUGS, title=TITLES)
    def save(self, one: Told, slug: str, title: str) -> None:
        changes = (title, slug) != one.revisions[-1]
        expecting = _if(one.trashed) or (self._taken(slug, but=one) if changes else None)
        patch = {"slug": slug, "fields": {"title": title}}
        newest = len(one.revisions)
        if self._do(lambda: saving.save(self.session, one.entry, patch, expected=newest, by=self.by), expecting):
            one.revisions += [(title, slug)] * changes
            self.events += changes

    @rule(one=entries, title=TITLES)
    def save_stale(self, one: Told, title: str) -> None:
        stale = len(one.revisions) - 1
        patch = {"fields": {"title": title}}
        self._do(lambda: saving.save(self.session, one.entry, patch, expected=stale, by=self.by), StaleRevision)

    @rule(one=entries, number=NUMBERS)
    def bring_back(self, one: Told, number: int) -> None:
        newest = len(one.revisions)
        known = number <= newest
        expecting = _if(one.trashed) or (self._taken(one.revisions[number - 1][1], but=one) if known else NotFound)
        if self._do(lambda: history.restore(self.session, one.entry, number, expected=newest, by=self.by), expecting):
            one.revisions.append(one.revisions[number - 1])
            self.events += 1

    @rule(one=entries, number=st.none() | NUMBERS)
    def publish(self, one: Told, number: int | None) -> None:
        chosen = number or len(one.revisions)
        expecting = _if(one.trashed) or (NotFound if chosen > len(one.revisions) else self._live_twin(one, chosen))
        if self._do(lambda: publishing.publish(self.session, one.entry, by=self.by, revision=number), expecting):
            one.live, one.was_live = chosen, True
            self.events += 1

    @rule(one=entries, answer=ANSWERS)
    def unpublish(self, one: Told, answer: Answer) -> None:
        expecting = _if(one.live is None)
        if self._do(lambda: publishing.unpublish(self.session, one.entry, by=self.by, answer=answer), expecting):
            one.live = None
            self.events += 1

    @rule(one=entries, answer=ANSWERS)
    def throw_away(self, one: Told, answer: Answer) -> None:
        newest = len(one.revisions)
        work = lambda: trash.trash(self.session, one.entry, expected=newest, by=self.by, answer=answer)  # noqa: E731
        if self._do(work, _if(one.trashed)):
            self.events += 2 if one.live else 1
            one.live, one.trashed = None, True

    @rule(one=entries)
    def take_out(self, one: Told) -> None:
        expecting = _if(not one.trashed) or self._taken(one.slug, but=one)
        newest = len(one.revisions)
        if self._do(lambda: trash.restore(self.session, one.entry, expected=newest, by=self.by), expecting):
            one.trashed = False
            self.events += 1

    # --- what holds after every step ---

    @invariant()
    def every_revision_is_there_as_it_was_made(self) -> None:
        self.session.flush()
        for one in self.told:
            kept = self.session.scalars(select(Revision).filter_by(entry_id=one.entry.id).order_by(Revision.number))
            rows = [(row.number, row.fields["title"], row.slug) for row in kept.all()]
            assert rows == [(index + 1, *made) for index, made in enumerate(one.revisions)]

    @invariant()
    def what_is_live_is_one_revision_at_an_address_of_its_own(self) -> None:
        live = self.session.scalars(select(Publication).filter_by(type="news")).all()
        assert {(row.entry_id, row.revision, row.slug) for row in live} == {
            (one.entry.id, one.live, one.live_slug) for one in self.told if one.live
        }
        assert len({row.slug for row in live}) == len(live)

    @invariant()
    def an_entry_says_what_it_is(self) -> None:
        for one in self.told:
            self.session.refresh(one.entry)
            assert states.state(one.entry, None) == one.state
            assert (one.entry.revision, one.entry.published_revision) == (len(one.revisions), one.live)
            assert revision_of(self.session, one.entry).slug == one.entry.slug

    @invariant()
    def drafts_do_not_share_an_address(self) -> None:
        slugs = [one.slug for one in self.told if not one.trashed]
        assert len(slugs) == len(set(slugs))

    @invariant()
    def a_path_is_one_hop_from_something(self) -> None:
        standing = {one.live_slug: one.entry.id for one in self.told if one.live}
        for slug in {slug for one in self.told for _, slug in one.revisions}:
            found = what_is_at(self.session, f"/{slug}")
            if slug in standing:
                assert found == ("entry", standing[slug])
            elif found is not None and found[0] == "redirect":
                assert found[1] == "/elsewhere" or (found[1] or "").removeprefix("/") in standing

    @invariant()
    def every_change_is_one_event(self) -> None:
        assert self._events() == self.events

    # --- the model's side ---

    def _do(self, work: Callable[[], object], expecting: Refused) -> bool:
        """Do it as a transaction of its own; whether it was done. It must be refused just as the model expects."""
        try:
            with self.session.begin_nested():
                work()
        except Refusal as refusal:
            assert type(refusal) is expecting  # noqa: PT017 - which refusal is the model's to say
            return False
        assert expecting is None
        return True

    def _taken(self, slug: str, *, but: Told | None = None) -> Refused:
        taken = any(one.slug == slug and not one.trashed and one is not but for one in self.told)
        return AddressTaken if taken else None

    def _live_twin(self, one: Told, number: int) -> Refused:
        slug = one.revisions[number - 1][1]
        return AddressTaken if any(other.live_slug == slug for other in self.told if other is not one) else None

    def _events(self) -> int:
        return self.session.scalar(select(func.count()).select_from(Event)) or 0


def _if(wrong: bool) -> Refused:
    return WrongState if wrong else None


def test_any_day_at_the_desk_keeps_the_rules(sqlite: Database, olga: Colleague) -> None:
    desk = cast("type[Desk]", partial(Desk, sqlite, olga))
    run_state_machine_as_test(desk, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))
