"""The sitemap: every page that search engines may show, in parts that stay as they are."""

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from cms import publishing, structure
from cms.delivery import sitemap
from tests.cast import Colleague, a_live_news, a_news, an_entry, change, newest_fields, sections
from tests.cms.test_seo import set_section, set_up


def paths(session: Session) -> list[str]:
    session.flush()
    found, _, _ = sitemap.entries(session, after="")
    return [one.path for one in [*sitemap.sections(session), *found]]


def test_it_has_the_pages_of_sections_and_of_live_entries(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    a_live_news(session, by=olga.by(), section=company, slug="hours")
    a_news(session, by=olga.by(), slug="draft")
    publishing.publish(session, an_entry(session, "image", by=olga.by()), by=olga.by())
    assert paths(session) == ["/", "/company", "/company/hours"]


def test_what_is_to_stay_out_stays_out_with_all_below(session: Session, olga: Colleague) -> None:
    [hidden] = sections(session, "hidden", by=olga.by())
    [below] = sections(session, "below", by=olga.by(), parent=hidden)
    [unindexed] = sections(session, "unindexed", by=olga.by())
    set_section(session, olga, unindexed, robots="noindex, follow")
    for number, section in enumerate((hidden, below, unindexed)):
        a_live_news(session, by=olga.by(), section=section, slug=f"a{number}")
    a_live_news(session, by=olga.by(), slug="b", seo={"noindex": True})
    a_live_news(session, by=olga.by(), slug="c", section=unindexed, seo={"robots": "index, follow"})
    _set_out(session, olga, hidden)
    assert paths(session) == ["/", "/unindexed/c"]


def _set_out(session: Session, olga: Colleague, section: str) -> None:
    tree = structure.entry(session)
    nodes = newest_fields(session, tree)["sections"]
    kept = [{**node, "in_sitemap": node["id"] != section} for node in nodes]
    change(session, tree, by=olga.by(), sections=kept)
    publishing.publish(session, tree, by=olga.by())


def test_translations_name_each_other(session: Session, olga: Colleague) -> None:
    russian = a_live_news(session, by=olga.by(), slug="chasy")
    english = a_news(session, by=olga.by(), slug="hours", locale="en", translation_of=russian.id)
    publishing.publish(session, english, by=olga.by())
    a_live_news(session, by=olga.by(), slug="alone")
    session.flush()
    found, _, _ = sitemap.entries(session, after="")
    both = (("en", "/hours"), ("ru", "/chasy"))
    assert {one.path: one.alternates for one in found} == {"/chasy": both, "/hours": both, "/alone": ()}


def test_entries_follow_one_another_in_pieces_of_any_size(session: Session, olga: Colleague) -> None:
    made = [a_live_news(session, by=olga.by(), slug=f"a{number}").slug for number in range(5)]
    for limit in (1, 2, 5, 6):
        after: str | None = ""
        found = []
        while after is not None:
            some, after, _ = sitemap.entries(session, after=after, limit=limit)
            found += [one.path for one in some]
        assert found == [f"/{slug}" for slug in made]


def test_parts_are_counted_and_begin_where_the_last_ended(
    session: Session, olga: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "MOST_IN_PART", 2)
    made = [a_live_news(session, by=olga.by()).id for _ in range(5)]
    session.flush()
    assert sitemap.state(session).parts == 4
    assert [sitemap.start_of(session, part) for part in (1, 2, 3, 4)] == ["", made[1], made[3], None]
    before = [sitemap.start_of(session, part) for part in (1, 2)]
    a_live_news(session, by=olga.by())
    assert [sitemap.start_of(session, part) for part in (1, 2)] == before


def test_the_state_differs_when_the_sitemap_does(session: Session, olga: Colleague) -> None:
    seen = [sitemap.state(session)]

    def is_new() -> bool:
        session.flush()
        session.info.clear()
        olga.clock.pass_by(minutes=1)
        seen.append(sitemap.state(session))
        return seen[-1] not in seen[:-1]

    entry = a_live_news(session, by=olga.by())
    assert is_new()
    publishing.publish(session, entry, by=olga.by())
    assert is_new()
    other = a_live_news(session, by=olga.by())
    publishing.unpublish(session, entry, by=olga.by())
    assert is_new()
    sections(session, "company", by=olga.by())
    assert is_new()
    set_up(session, olga, site_url="https://example.org")
    assert is_new()
    publishing.unpublish(session, other, by=olga.by())
    assert is_new()
    assert not is_new()


def test_a_thousand_entries_cost_few_statements(session: Session, olga: Colleague) -> None:
    for number in range(3):
        a_live_news(session, by=olga.by(), slug=f"a{number}")
    session.flush()
    session.info.clear()
    seen: list[str] = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda *call: seen.append(call[2]))
    sitemap.entries(session, after="")
    assert len(seen) <= 5
