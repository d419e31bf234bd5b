"""What old paths answer: one hop to where the thing is now, 410 with a word, or nothing."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms import publishing, saving, trash
from cms.errors import InvalidContent
from cms.redirects import Answer
from cms.tables.entries import Entry
from cms.tables.publications import Redirect
from tests.cast import NOBODY_ID, Colleague, a_live_news, a_news, restructure, sections, what_is_at


def move(session: Session, entry: Entry, olga: Colleague, **place: str | None) -> None:
    saving.save(session, entry, place, expected=entry.revision, by=olga.by())
    publishing.publish(session, entry, by=olga.by())


def take_down(session: Session, entry: Entry, olga: Colleague, answer: Answer) -> None:
    publishing.unpublish(session, entry, by=olga.by(), answer=answer)


def rules(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Redirect)) or 0


def test_the_old_path_leads_to_the_new(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    move(session, entry, olga, slug="days")
    assert what_is_at(session, "/hours") == ("redirect", "/days")


def test_a_draft_redirects_nobody(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    saving.save(session, entry, {"slug": "days"}, expected=1, by=olga.by())
    assert what_is_at(session, "/hours") == ("entry", entry.id)


def test_a_chain_of_moves_is_one_hop(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="a")
    for slug in ("b", "c", "d"):
        move(session, entry, olga, slug=slug)
    assert [what_is_at(session, path) for path in ("/a", "/b", "/c")] == [("redirect", "/d")] * 3


def test_moving_back_makes_no_loop(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    move(session, entry, olga, slug="days")
    move(session, entry, olga, slug="hours")
    assert what_is_at(session, "/hours") == ("entry", entry.id)
    assert what_is_at(session, "/days") == ("redirect", "/hours")


def test_who_takes_an_old_path_answers_for_it(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    move(session, entry, olga, slug="days")
    other = a_live_news(session, by=olga.by(), slug="hours")
    assert what_is_at(session, "/hours") == ("entry", other.id)


def test_a_move_to_another_section_redirects(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=one, slug="hours")
    move(session, entry, olga, section=two)
    assert what_is_at(session, "/one/hours") == ("redirect", "/two/hours")


def test_an_entry_that_changes_its_locale_is_found_from_the_old_one(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="chasy")
    move(session, entry, olga, locale="en", slug="hours")
    assert what_is_at(session, "/chasy", locale="ru") == ("redirect", "/hours")


def test_a_slash_at_the_end_makes_no_difference(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    assert what_is_at(session, "/hours/") == ("entry", entry.id)


# --- taken down ---


def test_gone_comes_with_its_explanation(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    take_down(session, entry, olga, Answer("gone", explanation="The office is closed."))
    assert what_is_at(session, "/hours") == ("gone", "The office is closed.")


def test_gone_holds_for_older_paths_too(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    move(session, entry, olga, slug="days")
    take_down(session, entry, olga, Answer("gone", explanation="Closed."))
    assert what_is_at(session, "/hours") == ("gone", "Closed.")


def test_a_path_may_lead_to_another_entry(session: Session, olga: Colleague) -> None:
    entry, other = a_live_news(session, by=olga.by(), slug="hours"), a_live_news(session, by=olga.by(), slug="days")
    take_down(session, entry, olga, Answer("redirect", to=other.id))
    move(session, other, olga, slug="weeks")
    assert what_is_at(session, "/hours") == ("redirect", "/weeks")


def test_a_path_may_lead_to_a_section(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    entry = a_live_news(session, by=olga.by(), slug="hours")
    take_down(session, entry, olga, Answer("redirect", to=company))
    restructure(session, {"op": "rename", "section": company, "slug": "firm"}, by=olga.by())
    assert what_is_at(session, "/hours") == ("redirect", "/firm")


def test_a_path_may_lead_to_a_page_that_the_front_end_makes_itself(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    take_down(session, entry, olga, Answer("redirect", to="/contacts"))
    assert what_is_at(session, "/hours") == ("redirect", "/contacts")


def test_a_path_may_lead_to_a_translation(session: Session, olga: Colleague) -> None:
    russian = a_live_news(session, by=olga.by(), slug="chasy")
    english = a_live_news(session, by=olga.by(), slug="hours", locale="en", translation_of=russian.id)
    take_down(session, russian, olga, Answer("redirect", to=english.id))
    assert what_is_at(session, "/chasy") == ("redirect", "/hours")


def test_publishing_again_ends_what_the_path_answered(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    take_down(session, entry, olga, Answer("gone"))
    publishing.publish(session, entry, by=olga.by())
    assert (what_is_at(session, "/hours"), rules(session)) == (("entry", entry.id), 0)


def test_publishing_again_elsewhere_leads_there(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    take_down(session, entry, olga, Answer("gone"))
    move(session, entry, olga, slug="days")
    assert what_is_at(session, "/hours") == ("redirect", "/days")


def test_the_trash_may_leave_an_answer_behind(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    trash.trash(session, entry, expected=1, by=olga.by(), answer=Answer("gone", explanation="Closed."))
    assert what_is_at(session, "/hours") == ("gone", "Closed.")


@pytest.mark.parametrize(
    ("to", "code"),
    [
        (None, "missing"),
        ("/hours", "loop"),
        ("/hours/", "loop"),
        (NOBODY_ID, "unknown_target"),
        ("https://evil.example", "unknown_target"),
        ("//evil.example", "unknown_target"),
        ("/\\evil.example", "unknown_target"),
        ("javascript:alert(1)", "unknown_target"),
        ("", "unknown_target"),
    ],
)
def test_a_redirect_leads_somewhere_on_this_site(session: Session, olga: Colleague, to: str | None, code: str) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    with pytest.raises(InvalidContent) as refused:
        take_down(session, entry, olga, Answer("redirect", to=to))
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/to", code)]


def test_an_entry_that_is_taken_down_cannot_lead_to_itself(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    with pytest.raises(InvalidContent):
        take_down(session, entry, olga, Answer("redirect", to=entry.id))


@pytest.mark.parametrize("by_path", [True, False])
def test_a_loop_of_two_is_refused(session: Session, olga: Colleague, by_path: bool) -> None:
    one, two = a_live_news(session, by=olga.by(), slug="one"), a_live_news(session, by=olga.by(), slug="two")
    take_down(session, one, olga, Answer("redirect", to="/two" if by_path else two.id))
    with pytest.raises(InvalidContent):
        take_down(session, two, olga, Answer("redirect", to="/one" if by_path else one.id))


def test_an_image_leaves_no_rule(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    publishing.publish(session, entry, by=olga.by())
    take_down(session, entry, olga, Answer())
    assert rules(session) == 0


# --- moved sections (rule 10) ---


def test_everything_below_a_renamed_section_follows_it(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", parent=company, by=olga.by())
    a_live_news(session, by=olga.by(), section=news, slug="hours")
    restructure(session, {"op": "rename", "section": company, "slug": "firm"}, by=olga.by())
    assert what_is_at(session, "/company/news/hours") == ("redirect", "/firm/news/hours")
    assert what_is_at(session, "/company/news") == ("redirect", "/firm/news")


def test_a_renamed_section_makes_one_rule_however_much_is_below(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    below = sections(session, *(f"s{number}" for number in range(5)), parent=company, by=olga.by())
    for section in below:
        a_live_news(session, by=olga.by(), section=section, slug="hours")
    restructure(session, {"op": "rename", "section": company, "slug": "firm"}, by=olga.by())
    assert rules(session) == 1


def test_sections_renamed_at_two_levels_at_once_are_one_hop(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", parent=company, by=olga.by())
    a_live_news(session, by=olga.by(), section=news, slug="hours")
    renames = [{"op": "rename", "section": one, "slug": slug} for one, slug in ((company, "firm"), (news, "press"))]
    restructure(session, *renames, by=olga.by())
    assert what_is_at(session, "/company/news/hours") == ("redirect", "/firm/press/hours")


def test_sections_renamed_one_after_another_are_one_hop(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", parent=company, by=olga.by())
    a_live_news(session, by=olga.by(), section=news, slug="hours")
    for section, slug in ((company, "firm"), (news, "press"), (company, "enterprise")):
        restructure(session, {"op": "rename", "section": section, "slug": slug}, by=olga.by())
    for path in ("/company/news/hours", "/firm/news/hours", "/firm/press/hours"):
        assert what_is_at(session, path) == ("redirect", "/enterprise/press/hours")


def test_sections_that_swap_slugs_answer_for_themselves(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=one, slug="hours")
    renames = [{"op": "rename", "section": one, "slug": "two"}, {"op": "rename", "section": two, "slug": "one"}]
    restructure(session, *renames, by=olga.by())
    assert (what_is_at(session, "/one"), what_is_at(session, "/two")) == (("section", two), ("section", one))
    assert what_is_at(session, "/two/hours") == ("entry", entry.id)


def test_below_a_slug_that_another_section_took_each_section_is_redirected(session: Session, olga: Colleague) -> None:
    one, two = sections(session, "one", "two", by=olga.by())
    [below] = sections(session, "below", parent=one, by=olga.by())
    renames = [{"op": "rename", "section": one, "slug": "three"}, {"op": "rename", "section": two, "slug": "one"}]
    restructure(session, *renames, by=olga.by())
    assert what_is_at(session, "/one/below") == ("redirect", "/three/below")
    assert what_is_at(session, "/three/below") == ("section", below)


def test_a_section_renamed_there_and_back_stands_where_it_stood(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    for slug in ("firm", "company"):
        restructure(session, {"op": "rename", "section": company, "slug": slug}, by=olga.by())
    assert (what_is_at(session, "/company"), what_is_at(session, "/firm")) == (
        ("section", company), ("redirect", "/company")
    )  # fmt: skip


def test_an_old_path_of_an_entry_survives_the_move_of_its_section(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=company, slug="hours")
    move(session, entry, olga, slug="days")
    restructure(session, {"op": "rename", "section": company, "slug": "firm"}, by=olga.by())
    assert what_is_at(session, "/company/hours") == ("redirect", "/firm/days")


def test_every_path_an_entry_ever_had_leads_to_it(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "a", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=company, slug="x")
    restructure(session, {"op": "rename", "section": company, "slug": "b"}, by=olga.by())
    move(session, entry, olga, slug="y")
    restructure(session, {"op": "rename", "section": company, "slug": "c"}, by=olga.by())
    assert [what_is_at(session, path) for path in ("/a/x", "/b/x", "/b/y")] == [("redirect", "/c/y")] * 3


def test_an_unknown_path_below_a_moved_section_is_nothing(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "a", by=olga.by())
    for slug in ("b", "c", "d"):
        restructure(session, {"op": "rename", "section": company, "slug": slug}, by=olga.by())
    assert what_is_at(session, "/a/never/was") is None


def test_only_the_locale_whose_slug_changed_is_redirected(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    slugs = {"ru": "kompaniya", "en": "company"}
    restructure(session, {"op": "rename", "section": company, "slug": slugs}, by=olga.by())
    assert what_is_at(session, "/company", locale="ru") == ("redirect", "/kompaniya")
    assert what_is_at(session, "/company", locale="en") == ("section", company)
