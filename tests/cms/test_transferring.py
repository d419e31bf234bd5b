"""Lines of another site's export: what comes in, what is led on, and what is refused, whatever they say."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import counter_rules, publishing, saving, scheduling, trash
from cms.clock import written
from cms.errors import InvalidContent, Refusal, StaleRevision, WrongState
from cms.exports import digest as site_digest
from cms.identity import new_id
from cms.snapshots import revision_of
from cms.tables.entries import Entry
from cms.tables.publications import Publication, Schedule
from cms.transfers import plans as transferred_plans
from cms.transfers import transferring
from tests.cast import NOBODY_ID, PAVEL_ID, Colleague, a_live_news, a_news, change, sections, what_is_at
from tests.cms.whole_sites import an_image

Line = dict[str, Any]


def line_of(session: Session, entry: Entry) -> Line:
    """The line that an export of this moment has of an entry."""
    session.flush()
    told = (orjson.loads(line) for line in site_digest.lines(session))
    return next(line for line in told if line["line"] == "entry" and line["id"] == entry.id)


def bring(session: Session, line: Line, olga: Colleague) -> Any:
    return transferring.bring(session, orjson.dumps(line), by=olga.by())


def another(line: Line, **changed: Any) -> Line:
    """The same entry under another id and slug."""
    id = new_id()
    revisions = [{**one, "slug": f"{one['slug']}-too"} for one in line["revisions"]]
    return {**line, "id": id, "translation_group": id, "revisions": revisions, **changed}


def test_an_entry_comes_in_with_its_history_and_who_made_it(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(on_behalf_of=PAVEL_ID, request=412, note="asked"), slug="hours")
    change(session, entry, by=olga.by(), summary="Draft")
    line = another(line_of(session, entry))
    made = bring(session, line, olga)
    assert (made.outcome, made.entry_id, made.before, made.after) == ("made", line["id"], None, 2)
    brought = session.get_one(Entry, line["id"])
    first = revision_of(session, brought, 1)
    assert (first.actor_name, first.on_behalf_of, first.request, first.note) == ("Olga", PAVEL_ID, 412, "asked")
    assert (brought.revision, brought.published_revision) == (2, 1)
    assert what_is_at(session, "/hours-too") == ("entry", brought.id)
    assert line_of(session, brought) == line


def test_a_history_that_goes_on_is_followed(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    early = another(line_of(session, entry))
    bring(session, early, olga)
    change(session, entry, by=olga.by(), summary="Later")
    publishing.publish(session, entry, by=olga.by())
    late = another(line_of(session, entry), id=early["id"], translation_group=early["id"])
    changed = bring(session, late, olga)
    assert (changed.outcome, changed.before, changed.after, changed.live_before) == ("changed", 1, 2, 1)
    assert session.get_one(Publication, early["id"]).revision == 2
    assert bring(session, late, olga).outcome == "same"


def test_what_was_changed_here_stays(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    line = another(line_of(session, entry))
    bring(session, line, olga)
    change(session, session.get_one(Entry, line["id"]), by=olga.by(), summary="Ours")
    with pytest.raises(StaleRevision):
        bring(session, line, olga)
    change(session, entry, by=olga.by(), summary="Theirs")
    with pytest.raises(StaleRevision):
        bring(session, another(line_of(session, entry), id=line["id"], translation_group=line["id"]), olga)
    assert revision_of(session, session.get_one(Entry, line["id"])).fields["summary"] == "Ours"


def test_what_was_trashed_here_stays_in_the_trash(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    line = line_of(session, entry)
    trash.trash(session, entry, expected=1, by=olga.by())
    with pytest.raises(StaleRevision):
        bring(session, line, olga)
    assert entry.trashed_at is not None


def test_the_structure_of_another_site_does_not_take_the_place_of_ones_own(session: Session, olga: Colleague) -> None:
    sections(session, "news", by=olga.by())
    structure = session.scalars(select(Entry).where(Entry.type == "structure")).one()
    line = line_of(session, structure)
    with pytest.raises(WrongState) as refused:
        bring(session, {**line, "id": new_id()}, olga)
    assert refused.value.code == "single_type"


def test_an_address_that_is_taken_is_refused(session: Session, olga: Colleague) -> None:
    line = another(line_of(session, a_live_news(session, by=olga.by(), slug="hours")))
    a_news(session, by=olga.by(), slug="hours-too")
    with pytest.raises(Refusal):
        bring(session, line, olga)
    assert session.get(Entry, line["id"]) is None


def revised(**changed: Any) -> Callable[[Line], Line]:
    return lambda line: {**line, "revisions": [{**line["revisions"][0], **changed}]}


A_PLAN: Line = {
    "revision": 1, "publish_at": "2031-01-01T00:00:00Z", "unpublish_at": None, "zone": "Europe/Moscow", "failure": None,
    "answer": {"kind": "not_found", "to": None, "explanation": None}, "set_at": "2026-01-01T00:00:00Z",
    "actor_kind": "person", "actor_id": NOBODY_ID, "actor_name": "Olga", "on_behalf_of": None, "request": None,
    "note": None,
}  # fmt: skip
BAD: dict[str, tuple[Callable[[Line], Line], str]] = {
    "no revisions": (lambda line: {**line, "revisions": []}, "missing_revision"),
    "revisions that are none": (lambda line: {**line, "revisions": ["x"]}, "bad_value"),
    "a revision too many": (revised(number=7), "missing_revision"),
    "an unknown member": (lambda line: {**line, "password": "x"}, "unknown_member"),
    "an id that is none": (lambda line: {**line, "id": "1"}, "not_an_id"),
    "a number for a text": (lambda line: {**line, "created_by": 7}, "bad_value"),
    "a huge number": (lambda line: {**line, "revision": 2**40}, "bad_value"),
    "a date that is none": (lambda line: {**line, "created_at": "yesterday"}, "bad_value"),
    "live without a publication": (lambda line: {**line, "publication": None}, "bad_value"),
    "live in the trash": (lambda line: {**line, "trashed_at": "2026-01-01T00:00:00Z"}, "bad_value"),
    "a zero byte": (revised(fields={"title": "a\0b"}), "bad_value"),
    "an unknown field": (revised(fields={"title": "A", "script": "x"}), "unknown_field"),
    "a text that is none": (
        revised(fields={"title": "A", "body": {"type": "doc", "content": 1}}),
        "malformed_rich_text",
    ),
    "a slug that is none": (revised(slug="../etc"), "malformed_slug"),
    "a locale that is none": (revised(locale="xx"), "unknown_locale"),
    "a section that is none": (revised(section=NOBODY_ID), "unknown_section"),
    "a person who is none": (revised(byline=[NOBODY_ID]), "unknown_person"),
    "a byline that is none": (revised(byline=[{}]), "bad_value"),
    "a folder that is a text": (lambda line: {**line, "schedule": "x"}, "bad_value"),
    "an instant before all": (lambda line: {**line, "created_at": "0001-01-01T00:00:00+14:00"}, "bad_value"),
    "an instant after all": (revised(saved_at="9999-12-31T23:59:59-14:00"), "bad_value"),
    "a file that is none": (revised(fields={"title": "A", "cover": {"a": 1}}), "string_type"),
    "a plan in no zone": (lambda line: {**line, "schedule": {**A_PLAN, "zone": "Europe/Atlantis"}}, "unknown_zone"),
    "a plan with an answer of its own": (
        lambda line: {**line, "schedule": {**A_PLAN, "answer": {"kind": "not_found", "also": "x"}}},
        "bad_value",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_line_that_does_not_hold_is_refused_and_leaves_nothing(session: Session, olga: Colleague, what: str) -> None:
    spoil, code = BAD[what]
    line = spoil(another(line_of(session, a_live_news(session, by=olga.by(), slug="hours"))))
    with pytest.raises(InvalidContent) as refused:
        bring(session, line, olga)
    assert code in [fault.code for fault in refused.value.faults]
    assert not isinstance(line["id"], str) or session.get(Entry, line["id"]) is None


OTHERS: list[Line] = [
    {"line": "nonsense"},
    {"line": "site", "version": 99},
    {"line": "person", "id": 1},
    {"line": "file", "sha256": "ab" * 32, "kind": "image", "name": "x", "media_type": "text/html", "size": 1,
     "created_at": "2026-01-01T00:00:00Z"},
    {"line": "file_entry", "sha256": "x", "entry_id": "y"},
    {"line": "revision", "entry_id": NOBODY_ID},
    {"line": "departure", "section": "x", "entry_id": NOBODY_ID, "kind": "gone", "live_revision": None},
    {"line": "shown_file", "sha256": "x", "entry_id": "y", "file": {}},
    {"line": "banner_day", "banner_id": "x", "placement": "y", "day": "never"},
    {"line": "type", "name": "news", "revision": 1, "definition": {}, "changed_at": "2026-01-01T00:00:00Z"},
    {"line": "type", "name": "vacancy", "revision": 1, "definition": {"fields": [{"types": 1}]},
     "changed_at": "2026-01-01T00:00:00Z"},
    {"line": "redirect", "id": "x", "path": "no slash", "prefix": False, "status": 301, "target_url": "/x",
     "source": "manual", "created_at": "2026-01-01T00:00:00Z", "changed_at": "2026-01-01T00:00:00Z"},
    {"line": "redirect", "id": "x", "path": "/a", "prefix": False, "status": 301, "target_url": "https://evil.example/",
     "source": "manual", "created_at": "2026-01-01T00:00:00Z", "changed_at": "2026-01-01T00:00:00Z"},
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_other_lines_that_do_not_hold_are_refused(session: Session, olga: Colleague, number: int) -> None:
    with pytest.raises(Refusal):
        bring(session, OTHERS[number], olga)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_whatever_a_line_says_it_is_taken_or_refused(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    told = [*OTHERS, another(line_of(session, entry))]

    @settings(max_examples=50)
    @given(st.integers(0, len(told) - 1), st.data())
    def attempt(number: int, data: st.DataObject) -> None:
        line = dict(told[number])
        for name in data.draw(st.lists(st.sampled_from(sorted(line)), max_size=2, unique=True)):
            line[name] = data.draw(VALUES)
        try:
            raw = orjson.dumps(line)
        except (TypeError, ValueError):
            return
        with session.begin_nested() as trial:
            with suppress(Refusal):
                transferring.bring(session, raw, by=olga.by())
            trial.rollback()

    attempt()


def test_what_a_draft_moved_to_is_not_where_it_stands_for_visitors(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    saving.save(session, entry, {"slug": "later"}, expected=1, by=olga.by())
    line = another(line_of(session, entry))
    bring(session, line, olga)
    assert what_is_at(session, "/hours-too") == ("entry", line["id"])
    assert what_is_at(session, "/later-too") is None


@pytest.mark.parametrize("passed", ["publish_at", "unpublish_at"])
def test_a_plan_whose_instant_has_passed_is_held_for_a_person(session: Session, olga: Colleague, passed: str) -> None:
    line = another(line_of(session, a_live_news(session, by=olga.by(), slug="hours")))
    line["schedule"] = {**A_PLAN, "publish_at": None, "unpublish_at": None, passed: written(olga.clock())}
    bring(session, line, olga)
    planned = session.get_one(Schedule, line["id"])
    assert planned.failure == transferred_plans.HELD
    assert scheduling.next_due(session, now=olga.clock()) is None
    assert bring(session, line, olga).outcome == "same"


def test_a_plan_whose_instant_is_to_come_goes_on(session: Session, olga: Colleague) -> None:
    line = another(line_of(session, a_live_news(session, by=olga.by(), slug="hours")), schedule=A_PLAN)
    bring(session, line, olga)
    assert session.get_one(Schedule, line["id"]).failure is None


def test_a_document_has_all_that_whoever_shows_it_counts_on(session: Session, olga: Colleague) -> None:
    line = another(line_of(session, a_live_news(session, by=olga.by(), slug="hours")))
    line = revised(fields={"title": "A", "body": {"type": "doc"}})(line)
    bring(session, line, olga)
    body = revision_of(session, session.get_one(Entry, line["id"])).fields["body"]
    assert body["content"] == [{"type": "paragraph"}]


SPOILED: list[Line] = [
    {"a": 1},
    {"sha256": 1},
    {"name": None},
    {"size": 1},
    {"width": "1; drop"},
    {"frames": "many"},
    {"script": "x"},
    {"picture": {"sha256": "ab" * 32}},
    {"picture": "x"},
]


@pytest.mark.parametrize("spoiled", SPOILED)
def test_what_an_entry_tells_of_a_file_is_compared_with_the_file(
    session: Session, olga: Colleague, spoiled: Line
) -> None:
    image = session.get_one(Entry, an_image(session, olga))
    line = another(line_of(session, image))
    revision = line["revisions"][0]
    file = spoiled if spoiled == {"a": 1} else {**revision["fields"]["file"], **spoiled}
    line = revised(fields={**revision["fields"], "file": file})(line)
    with pytest.raises(InvalidContent):
        bring(session, line, olga)
    older = {"line": "revision", "entry_id": image.id, **line["revisions"][0]}
    with pytest.raises(InvalidContent):
        bring(session, older, olga)


def test_a_counter_whose_export_leaves_its_code_out_can_be_looked_at(session: Session, olga: Colleague) -> None:
    fields = {"provider": "custom", "position": "body_end", "category": "marketing"}
    line = another(line_of(session, a_live_news(session, by=olga.by(), slug="hours")), type="counter")
    line |= {"publication": None, "published_revision": None, "first_published_at": None, "published_at": None}
    bring(session, revised(fields={"title": "Ours", **fields}, slug=None)(line), olga)
    assert isinstance(counter_rules.warnings(session, session.get_one(Entry, line["id"])), tuple)
