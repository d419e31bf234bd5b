"""Changing a type that staff made: what it does is told, done when it is confirmed, and history keeps all."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import bringing, finding, history, publishing, saving, showing, snapshots
from cms.custom_types import making_types, retyping, site_types
from cms.delivery import publications
from cms.errors import BadQuery, InUse, InvalidContent, NotConfirmed, NotFound, StaleRevision, WrongState
from cms.listing import Asked, Condition
from cms.tables.entries import Entry, Revision, Usage
from cms.tables.events import Event
from cms.tables.publications import Publication
from tests.cast import Colleague, a_live_news, change, newest_fields, words
from tests.cms.vacancies import a_vacancy, fields, put


def refused(session: Session, olga: Colleague, **changed: Any) -> Any:
    """The report of a change that must be confirmed."""
    with pytest.raises(NotConfirmed) as refusal:
        put(session, by=olga.by(), **changed)
    return refusal.value.report


def live(session: Session, entry: Entry) -> Publication:
    session.flush()
    return session.scalars(
        select(Publication).where(Publication.entry_id == entry.id).execution_options(populate_existing=True)
    ).one()


# --- making ---


def test_a_type_can_be_used_at_once(session: Session, olga: Colleague) -> None:
    made = put(session, by=olga.by())
    assert (made.made, made.content_type.revision) == (True, 1)
    names = [field.name for field in site_types.find(session, "vacancy").fields]
    assert names[0] == "title"
    assert names[-2:] == ["seo", "source_fields"]
    entry = a_vacancy(session, by=olga.by(), live=True, salary=1200.5, level="middle", contact="hr@example.org")
    asked = Asked((Condition("type", "eq", ("vacancy",)), Condition("salary", "gt", ("1200",))))
    assert [one.entry_id for one in publications.listing(session, asked).publications] == [entry.id]
    assert "contact" not in live(session, entry).fields


def test_types_are_listed_after_those_that_are_built_in(session: Session, olga: Colleague) -> None:
    put(session, "zeta", by=olga.by())
    put(session, "alpha", by=olga.by())
    names = list(site_types.all_of(session))
    assert (names[0], names[-2:]) == ("news", ["alpha", "zeta"])


def test_the_same_definition_again_changes_nothing(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    again = put(session, by=olga.by())
    assert (again.made, again.content_type.revision) == (False, 1)
    assert session.scalar(select(func.count()).where(Event.kind == "type.saved")) == 1


def test_a_change_is_recorded_with_its_actor(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    making_types.remove(session, "vacancy", by=olga.by())
    session.flush()
    events = session.scalars(select(Event).where(Event.kind.like("type.%")).order_by(Event.number)).all()
    assert [(one.kind, one.actor_name, one.details["name"]) for one in events] == [
        ("type.saved", "Olga", "vacancy"),
        ("type.removed", "Olga", "vacancy"),
    ]


def test_a_stale_definition_is_refused(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    put(session, by=olga.by(), notes={"kind": "text"})
    with pytest.raises(StaleRevision) as stale:
        making_types.put(session, "vacancy", {"fields": fields()}, expected=1, by=olga.by())
    assert stale.value.current == 2


# --- what a change does is told ---


def test_a_plan_changes_nothing(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), city="Kazan")
    report = making_types.plan(session, "vacancy", {"fields": fields(city=None)}).report
    assert (report.confirm, report.dropped_fields, report.first_dropped) == (
        1,
        {"city": 1},
        [(entry.id, "city", "Kazan")],
    )
    assert newest_fields(session, entry)["city"] == "Kazan"
    assert site_types.find(session, "vacancy").revision == 1


@pytest.mark.parametrize("confirm", [None, 1, 3])
def test_a_loss_is_refused_without_the_right_number(session: Session, olga: Colleague, confirm: int | None) -> None:
    put(session, by=olga.by())
    for _ in range(2):
        a_vacancy(session, by=olga.by(), city="Kazan")
    a_vacancy(session, by=olga.by())
    report = refused(session, olga, city=None, confirm=confirm)
    assert (report.entries, report.confirm) == (3, 2)


def test_a_number_where_nothing_is_lost_is_refused(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    assert refused(session, olga, confirm=5).confirm == 0


@pytest.mark.parametrize(
    ("name", "said", "value", "code"),
    [
        ("salary", {"limits": {"max": 1000}}, 2000, "too_great"),
        ("since", {"limits": {"min": "2026-01-01"}}, "2025-12-31", "too_small"),
        ("city", {"limits": {"max_length": 3}}, "Kazan", "too_long"),
        ("level", {"choices": ["middle"]}, "junior", "literal_error"),
    ],
)
def test_a_value_that_keeps_its_kind_stays_and_is_told(
    session: Session, olga: Colleague, name: str, said: Any, value: Any, code: str
) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), **{name: value})
    report = refused(session, olga, **{name: said})
    assert [(one, fault.pointer, fault.code) for one, fault in report.first_invalid] == [
        (entry.id, f"/fields/{name}", code)
    ]
    put(session, by=olga.by(), confirm=1, **{name: said})
    assert (newest_fields(session, entry)[name], entry.revision) == (value, 1)


def test_a_new_required_field_is_asked_for_by_the_next_save(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), live=True)
    said = {"kind": "text", "required": True}
    assert refused(session, olga, code=said).invalid == 1
    put(session, by=olga.by(), confirm=1, code=said)
    publishing.publish(session, entry, by=olga.by())
    with pytest.raises(InvalidContent) as refusal:
        change(session, entry, by=olga.by(), city="Kazan")
    assert [fault.pointer for fault in refusal.value.faults] == ["/fields/code"]


def test_a_new_required_field_with_a_default_asks_nothing(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by())
    put(session, by=olga.by(), code={"kind": "text", "required": True, "default": "none"})
    change(session, entry, by=olga.by(), city="Kazan")
    assert newest_fields(session, entry)["code"] == "none"


def test_narrower_types_of_a_reference_are_told(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by(), more={"kind": "references"})
    news = a_live_news(session, by=olga.by())
    a_vacancy(session, by=olga.by(), more=[news.id])
    report = refused(session, olga, more={"kind": "references", "types": ["article"]})
    assert [fault.code for _, fault in report.first_invalid] == ["wrong_type"]
    put(session, by=olga.by(), more={"kind": "references", "types": ["news", "article"]})


# --- what is carried over ---

CARRIED: list[tuple[dict[str, Any], Any, dict[str, Any], Any]] = [
    ({"kind": "number"}, 12, {"kind": "text"}, "12"),
    ({"kind": "number"}, 12.5, {"kind": "text"}, "12.5"),
    ({"kind": "text"}, "12", {"kind": "number"}, 12),
    ({"kind": "text"}, "12,5", {"kind": "number"}, 12.5),
    ({"kind": "date"}, "2026-01-31", {"kind": "text"}, "2026-01-31"),
    ({"kind": "text"}, "2026-01-31", {"kind": "date"}, "2026-01-31"),
    ({"kind": "date"}, "2026-01-31", {"kind": "instant"}, "2026-01-31T00:00:00.000000Z"),
    ({"kind": "instant"}, "2026-01-31T10:00:00Z", {"kind": "date"}, "2026-01-31"),
    ({"kind": "choice", "choices": ["a", "b"]}, "a", {"kind": "text", "choices": []}, "a"),
    ({"kind": "text"}, "a", {"kind": "choice", "choices": ["a"]}, "a"),
    ({"kind": "text"}, "a", {"kind": "long_text"}, "a"),
    ({"kind": "long_text"}, "a\nb", {"kind": "text"}, "a b"),
    ({"kind": "text"}, "a", {"kind": "topics"}, ["a"]),
    ({"kind": "topics"}, ["a", "b"], {"kind": "text"}, "a, b"),
    ({"kind": "text"}, "true", {"kind": "boolean"}, True),
    ({"kind": "boolean"}, False, {"kind": "text"}, "false"),
    ({"kind": "text"}, "https://example.org", {"kind": "url"}, "https://example.org"),
]


@pytest.mark.parametrize(("before", "value", "after", "wanted"), CARRIED)
def test_what_the_new_kind_can_hold_is_carried_over(
    session: Session, olga: Colleague, before: dict[str, Any], value: Any, after: dict[str, Any], wanted: Any
) -> None:
    put(session, by=olga.by(), thing=before)
    entry = a_vacancy(session, by=olga.by(), live=True, thing=value)
    put(session, by=olga.by(), thing=after)
    assert newest_fields(session, entry)["thing"] == wanted
    assert live(session, entry).fields["thing"] == wanted
    session.refresh(entry)
    number = 1 if wanted == value else 2
    assert (entry.revision, entry.published_revision) == (number, number)


def test_a_reference_becomes_several_and_one_again(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by(), more={"kind": "reference"})
    news = a_live_news(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), live=True, more=news.id)
    put(session, by=olga.by(), more={"kind": "references"})
    assert newest_fields(session, entry)["more"] == [news.id]
    used = session.execute(select(Usage.live, Usage.pointer).where(Usage.source_id == entry.id).order_by(Usage.live))
    assert [tuple(row) for row in used] == [(False, "/fields/more/0"), (True, "/fields/more/0")]
    put(session, by=olga.by(), more={"kind": "reference"})
    assert newest_fields(session, entry)["more"] == news.id


@pytest.mark.parametrize("kind", ["number", "boolean", "date", "instant", "email", "url", "reference", "group"])
def test_what_it_cannot_hold_is_dropped_and_told(session: Session, olga: Colleague, kind: str) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), live=True, city="Kazan, Tatarstan")
    said = {"kind": kind, **({"fields": [{"name": "a", "kind": "text"}]} if kind == "group" else {})}
    report = refused(session, olga, city=said)
    assert (report.confirm, report.first_dropped) == (1, [(entry.id, "city", "Kazan, Tatarstan")])
    put(session, by=olga.by(), confirm=1, city=said)
    assert newest_fields(session, entry)["city"] is None
    assert live(session, entry).fields["city"] is None


def test_a_field_inside_a_group_is_carried_over_too(session: Session, olga: Colleague) -> None:
    def offers(*inner: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "groups", "fields": list(inner)}

    name, price = {"name": "name", "kind": "text"}, {"name": "price", "kind": "number"}
    put(session, by=olga.by(), offers=offers(name, price))
    entry = a_vacancy(session, by=olga.by(), offers=[{"name": "a", "price": 1}, {"name": "b", "price": None}])
    put(session, by=olga.by(), offers=offers(name, {**price, "kind": "text"}))
    assert [one["price"] for one in newest_fields(session, entry)["offers"]] == ["1", None]
    report = refused(session, olga, offers=offers(price | {"kind": "text"}))
    assert report.dropped_fields == {"offers.name": 2}


# --- history ---


def test_old_revisions_are_read_as_they_were_saved(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), city="Kazan", salary=12)
    put(session, by=olga.by(), confirm=1, city=None, salary={"kind": "text"})
    session.refresh(entry)
    old = showing.entry(session, entry, snapshots.revision_of(session, entry, 1))["fields"]
    new = showing.entry(session, entry, snapshots.revision_of(session, entry))["fields"]
    assert (old["city"], old["salary"]) == ("Kazan", 12)
    assert ("city" in new, new["salary"]) == (False, "12")
    assert snapshots.revision_of(session, entry).note == "The type vacancy has changed"


def test_a_diff_tells_of_a_field_that_is_gone(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), city="Kazan", duties=words("Much"))
    put(session, by=olga.by(), confirm=1, city=None, duties={"kind": "long_text"})
    session.refresh(entry)
    found = {one["pointer"]: one for one in history.diff(session, entry, from_=1, to=2)}
    assert found["/fields/city"]["runs"] == [{"op": "removed", "text": "Kazan"}]
    assert found["/fields/duties"]["kind"] == "value"


def test_restoring_an_old_revision_keeps_what_fits_today(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), city="Kazan", salary=12)
    put(session, by=olga.by(), confirm=1, city=None, salary={"kind": "text"})
    session.refresh(entry)
    saved = history.restore(session, entry, 1, expected=2, by=olga.by())
    assert (saved.revision.fields["salary"], "city" in saved.revision.fields) == ("12", False)
    assert snapshots.revision_of(session, entry, 1).fields["city"] == "Kazan"


def test_publishing_an_old_revision_shows_it_as_today_s_type_does(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), city="Kazan", salary=12)
    put(session, by=olga.by(), confirm=1, city={"kind": "number"}, salary={"kind": "text"})
    session.refresh(entry)
    publishing.publish(session, entry, by=olga.by(), revision=1)
    shown = live(session, entry)
    assert (shown.fields["city"], shown.fields["salary"], shown.compared["salary"]) == (None, "12", "12")


# --- what visitors see ---


@pytest.mark.parametrize("said", [{"public": False}, None])
def test_a_field_that_is_private_or_gone_leaves_the_site_at_once(
    session: Session, olga: Colleague, said: dict[str, Any] | None
) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), live=True, city="Kazan")
    change(session, entry, by=olga.by(), city="Draft")
    put(session, by=olga.by(), confirm=0 if said else 1, city=said)
    one = live(session, entry)
    told = [one.fields, one.rendered, one.searched, one.compared]
    assert not any("Kazan" in str(part) or "Draft" in str(part) for part in told)
    with pytest.raises(BadQuery) as refusal:
        publications.listing(session, Asked((Condition("type", "eq", ("vacancy",)), Condition("city", "eq", ("x",)))))
    assert refusal.value.code == "unknown_field"


def test_what_is_live_keeps_its_revision_when_a_draft_is_newer(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), live=True, salary=1)
    change(session, entry, by=olga.by(), salary=2)
    put(session, by=olga.by(), salary={"kind": "text"})
    session.refresh(entry)
    assert (entry.revision, entry.published_revision, live(session, entry).fields["salary"]) == (3, 1, "1")


def test_words_follow_who_may_search_for_them(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), live=True, city="Kazan")
    before = session.scalar(select(func.max(Event.number)))
    put(session, by=olga.by(), city={"searchable": "staff"})
    assert "Kazan" not in live(session, entry).searched["text"]
    assert "Kazan" in str(finding.texts(session, [entry.id])[0].searched["text"])
    told = session.scalars(select(Event.kind).where(Event.entry_id == entry.id, Event.number > before)).all()
    assert told == ["entry.retyped"]
    session.refresh(entry)
    assert entry.revision == 1


def test_a_label_touches_no_entry(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    entry = a_vacancy(session, by=olga.by(), live=True)
    before = session.scalar(select(func.count()).where(Event.entry_id == entry.id))
    put(session, by=olga.by(), city={"label": "Town"})
    assert session.scalar(select(func.count()).where(Event.entry_id == entry.id)) == before


def test_many_entries_are_changed_in_batches(
    session: Session, olga: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retyping, "_BOTH", retyping._BOTH.limit(2))
    put(session, by=olga.by())
    entries = [a_vacancy(session, by=olga.by(), live=number % 2 == 0, salary=number) for number in range(5)]
    put(session, by=olga.by(), salary={"kind": "text"})
    session.expire_all()
    assert [newest_fields(session, one)["salary"] for one in entries] == ["0", "1", "2", "3", "4"]
    assert session.scalar(select(func.count()).select_from(Revision).where(Revision.type_revision == 2)) == 5


def test_a_source_goes_on_changing_what_it_brought(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())

    def bring(salary: Any) -> str:
        draft = saving.Draft("ru", {"title": "From elsewhere", "salary": salary})
        brought = bringing.bring_one(session, "vacancy", draft, source=saving.Source("hr", "1"), by=olga.by())
        session.flush()
        return brought.outcome

    assert bring(1) == "made"
    put(session, by=olga.by(), salary={"kind": "text"})
    assert bring("2") == "changed"


# --- removing ---


def test_a_type_that_entries_have_stays(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    a_vacancy(session, by=olga.by())
    with pytest.raises(InUse) as refusal:
        making_types.remove(session, "vacancy", by=olga.by())
    assert refusal.value.total == 1
    with pytest.raises(WrongState):
        making_types.put(session, "vacancy", {"fields": fields(), "routable": False}, by=olga.by())


def test_a_type_that_another_refers_to_stays(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    put(session, "office", by=olga.by(), vacancies={"kind": "references", "types": ["vacancy"]})
    with pytest.raises(WrongState):
        making_types.remove(session, "vacancy", by=olga.by())


def test_what_is_built_in_stays(session: Session, olga: Colleague) -> None:
    with pytest.raises(WrongState):
        making_types.remove(session, "news", by=olga.by())
    with pytest.raises(InvalidContent):
        put(session, "news", by=olga.by())


def test_a_removed_type_is_gone_and_its_name_is_free(session: Session, olga: Colleague) -> None:
    put(session, by=olga.by())
    making_types.remove(session, "vacancy", by=olga.by())
    with pytest.raises(NotFound):
        site_types.find(session, "vacancy")
    assert put(session, by=olga.by(), city={"kind": "number"}).content_type.revision == 1
    saving.create(session, "vacancy", saving.Draft("ru", {"title": "New", "city": 5}), by=olga.by())
