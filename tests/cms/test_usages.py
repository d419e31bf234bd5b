"""Where is this used? Kept in step with drafts and with what is live."""

import pytest
from sqlalchemy.orm import Session

from cms import publishing, trash, usages
from cms.errors import InUse
from cms.tables.entries import Entry
from tests.cast import Colleague, a_live_news, a_news, an_entry, change, words


def used(session: Session, entry: Entry) -> list[tuple[str, str, bool]]:
    session.flush()
    return [(one.source_id, one.pointer, one.live) for one in usages.of(session, entry.id)]


def test_a_draft_uses_what_it_names(session: Session, olga: Colleague) -> None:
    image = an_entry(session, "image", by=olga.by())
    entry = a_news(session, by=olga.by(), cover=image.id)
    assert used(session, image) == [(entry.id, "/fields/cover", False)]


def test_a_text_uses_what_it_shows_and_links_to(session: Session, olga: Colleague) -> None:
    image, other = an_entry(session, "image", by=olga.by()), a_news(session, by=olga.by())
    entry = a_news(session, by=olga.by(), body=words(f"![x](entry:{image.id}) [y](entry:{other.id})"))
    assert used(session, image) == used(session, other) == [(entry.id, "/fields/body", False)]


def test_a_text_that_names_a_thing_twice_uses_it_once(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    a_news(session, by=olga.by(), body=words(f"[x](entry:{other.id}) [y](entry:{other.id})"))
    assert len(used(session, other)) == 1


def test_seo_and_lists_count_too(session: Session, olga: Colleague) -> None:
    image, other = an_entry(session, "image", by=olga.by()), a_news(session, by=olga.by())
    a_news(session, by=olga.by(), seo={"image": image.id}, related=[other.id, other.id])
    assert [pointer for _, pointer, _ in used(session, image)] == ["/fields/seo/image"]
    assert [pointer for _, pointer, _ in used(session, other)] == ["/fields/related/0", "/fields/related/1"]


def test_a_menu_uses_what_it_links_to_at_any_depth(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    items = [{"label": "A", "items": [{"label": "B", "items": [{"label": "C", "entry": other.id}]}]}]
    menu = an_entry(session, "menu", by=olga.by(), items=items)
    assert used(session, other) == [(menu.id, "/fields/items/0/items/0/items/0/entry", False)]


def test_what_is_published_uses_it_live(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    entry = a_live_news(session, by=olga.by(), related=[other.id])
    assert used(session, other) == [(entry.id, "/fields/related/0", False), (entry.id, "/fields/related/0", True)]


def test_a_draft_without_it_leaves_the_live_use(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    entry = a_live_news(session, by=olga.by(), related=[other.id])
    change(session, entry, by=olga.by(), related=None)
    assert used(session, other) == [(entry.id, "/fields/related/0", True)]
    publishing.publish(session, entry, by=olga.by())
    assert used(session, other) == []


def test_taking_down_ends_the_live_use_only(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    entry = a_live_news(session, by=olga.by(), related=[other.id])
    publishing.unpublish(session, entry, by=olga.by())
    assert used(session, other) == [(entry.id, "/fields/related/0", False)]


def test_what_an_entry_uses_itself(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    entry = a_news(session, by=olga.by(), related=[other.id])
    assert [(one.pointer, one.target_id) for one in usages.by(session, entry.id)] == [("/fields/related/0", other.id)]


def test_uses_come_back_from_the_trash(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    entry = a_news(session, by=olga.by(), related=[other.id])
    trash.trash(session, entry, expected=1, by=olga.by())
    assert used(session, other) == []
    trash.restore(session, entry, expected=1, by=olga.by())
    assert len(used(session, other)) == 1


def test_the_refusal_counts_all_uses_and_shows_a_hundred(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by())
    for number in range(101):
        a_news(session, by=olga.by(), slug=f"n{number}", related=[other.id])
    with pytest.raises(InUse) as refused:
        usages.refuse_if_used(session, other.id)
    assert (len(refused.value.usages), refused.value.total) == (100, 101)


def test_missing_targets_are_told_apart_however_many(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    asked = [entry.id, *(f"nothing-{number}" for number in range(1_200))]
    assert usages.missing(session, asked) == set(asked[1:])
    assert usages.types(session, asked) == {entry.id: "news"}
