"""The sample site of a first start."""

import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select
from sqlalchemy.orm import undefer

from api import background, sample
from api.parts import Parts
from api.settings import Settings
from api.starting import prepared
from cms import publishing, saving, site
from cms.attribution import COMMAND_LINE, By
from cms.delivery.live_structure import live_site
from cms.delivery.resolving import Found, resolve
from cms.rich_text import references
from cms.tables.entries import Entry, Revision, StoredFile, Usage
from cms.tables.events import Event
from cms.tables.people import Person
from cms.tables.publications import Publication
from media.drawing import SAMPLES
from media.drawing_banners import BANNERS
from search_index import Query

TEXTS = ("news", "article")
LOCALES = ("ru", "en")


def by_now(parts: Parts) -> By:
    return By(COMMAND_LINE, parts.clock())


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """A site with the sample on it, to look at."""
    with prepared(Settings(data=tmp_path_factory.mktemp("loaded"))) as parts:
        sample.load(parts, by=by_now(parts))
        yield parts


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Parts]:
    """A site that was just founded."""
    with prepared(Settings(data=tmp_path)) as parts:
        yield parts


def live(parts: Parts, *types: str) -> list[Publication]:
    with parts.database.reading() as session:
        wanted = select(Publication).options(undefer(Publication.fields)).order_by(Publication.published_at.desc())
        return list(session.scalars(wanted.where(Publication.type.in_(types)) if types else wanted))


# --- what there is ---


def test_seven_texts_are_in_russian_and_five_in_english(loaded: Parts) -> None:
    assert Counter(one.locale for one in live(loaded, *TEXTS)) == {"ru": 7, "en": 5}


def test_there_are_news_and_articles_in_both_languages(loaded: Parts) -> None:
    assert {(one.type, one.locale) for one in live(loaded, *TEXTS)} == set(itertools.product(TEXTS, LOCALES))


def test_around_them_are_images_banners_counters_and_a_menu(loaded: Parts) -> None:
    others = Counter(one.type for one in live(loaded) if one.type not in TEXTS)
    assert others == {"image": 9, "banner": 4, "counter": 3, "menu": 1, "structure": 1, "settings": 1}


def test_nothing_is_left_unpublished(loaded: Parts) -> None:
    with loaded.database.reading() as session:
        assert not session.scalars(select(Entry).where(Entry.published_revision.is_distinct_from(Entry.revision))).all()


def test_every_text_has_one_revision(loaded: Parts) -> None:
    assert {one.revision for one in live(loaded, *TEXTS, "image", "menu")} == {1}


def test_four_sections_are_live_with_names_in_both_languages(loaded: Parts) -> None:
    with loaded.database.reading() as session:
        sections = list(live_site(session).tree)
    assert [set(section.name) for section in sections] == [{"ru", "en"}] * 4


def test_every_section_holds_a_text_in_russian_and_in_english(loaded: Parts) -> None:
    with loaded.database.reading() as session:
        tree = live_site(session).tree
    held = {(one.section, one.locale) for one in live(loaded, *TEXTS)}
    assert held == set(itertools.product(tree.roots, LOCALES))


def test_the_menu_leads_to_all_sections_and_to_an_article(loaded: Parts) -> None:
    (menu,) = live(loaded, "menu")
    with loaded.database.reading() as session:
        roots = live_site(session).tree.roots
    items = menu.fields["items"]
    assert menu.title == "main"
    assert [item["section"] for item in items if item["section"]] == list(roots)
    assert [item["entry"] for item in items if item["entry"]] == menu.targets


def test_some_texts_are_translations_of_one_another(loaded: Parts) -> None:
    groups = Counter(one.translation_group for one in live(loaded, *TEXTS))
    assert Counter(groups.values()) == {2: 4, 1: 4}


# --- that it holds together ---


@pytest.mark.parametrize("asked", [True, False])
def test_every_path_resolves_to_its_text(loaded: Parts, asked: bool) -> None:
    for one in live(loaded, *TEXTS):
        path = path_of(loaded, one.section, locale=one.locale, slug=one.slug)
        found = at(loaded, path, locale=one.locale if asked else None)
        assert found.publication is not None
        assert found.publication.entry_id == one.entry_id


@pytest.mark.parametrize("locale", LOCALES)
def test_every_section_has_a_path_that_resolves(loaded: Parts, locale: str) -> None:
    with loaded.database.reading() as session:
        roots = live_site(session).tree.roots
    assert [at(loaded, path_of(loaded, one, locale=locale), locale=locale).section for one in roots] == list(roots)


def path_of(parts: Parts, section: str | None, *, locale: str, slug: str | None = None) -> str:
    with parts.database.reading() as session:
        return live_site(session).tree.path(section, locale=locale, slug=slug) or ""


def at(parts: Parts, path: str, *, locale: str | None) -> Found:
    """What visitors find at a path; it must be something."""
    with parts.database.reading() as session:
        found = resolve(session, path, site=live_site(session), locales=site.locales(session), locale=locale)
    assert found is not None
    return found


def test_every_target_is_published(loaded: Parts) -> None:
    published = {one.entry_id for one in live(loaded)}
    assert all(set(one.targets) <= published for one in live(loaded))


def test_publishing_again_would_warn_of_nothing(loaded: Parts) -> None:
    warnings = set()
    with contextlib.suppress(Undone), loaded.database.writing() as session:
        for entry in session.scalars(select(Entry)).all():
            warnings.add(publishing.publish(session, entry, by=by_now(loaded)).warnings)
        raise Undone
    assert warnings == {()}


class Undone(Exception):
    """Ends a transaction without a trace."""


def test_texts_link_to_one_another(loaded: Parts) -> None:
    linking = [one for one in live(loaded, *TEXTS) if any(ref.kind == "link" for ref in references(one.fields["body"]))]
    assert len(linking) == 12


def test_a_link_leads_to_a_text_in_the_same_language(loaded: Parts) -> None:
    locales = {one.entry_id: one.locale for one in live(loaded, *TEXTS)}
    for one in live(loaded, *TEXTS):
        assert {locales.get(target, one.locale) for target in one.targets} == {one.locale}


def test_no_link_was_left_pointing_at_a_file(loaded: Parts) -> None:
    assert not [one.slug for one in live(loaded, *TEXTS) if ".md" in str(one.fields) or ".jpg" in str(one.fields)]


def test_all_pictures_are_shown_and_have_alternative_texts(loaded: Parts) -> None:
    images = {one.entry_id: one for one in live(loaded, "image")}
    covers = {one.fields["cover"] for one in live(loaded, *TEXTS)}
    creatives = {one.fields["creative"]["image"] for one in live(loaded, "banner")} - {None}
    assert covers | creatives == set(images)
    assert (len(covers), len(creatives)) == (len(SAMPLES), len(BANNERS))
    assert all(len(one.fields["alt"]) > 20 for one in images.values())


def test_every_text_has_a_byline_topics_and_a_summary(loaded: Parts) -> None:
    assert all(one.byline and one.fields["topics"] and one.fields["summary"] for one in live(loaded, *TEXTS))


def test_every_text_is_worth_reading(loaded: Parts) -> None:
    lengths = [len(" ".join(strings(one.fields["body"])).split()) for one in live(loaded, *TEXTS)]
    assert min(lengths) >= 120
    assert max(lengths) <= 300


def strings(node: Any) -> Iterator[str]:
    """The words of a document."""
    if "text" in node:
        yield node["text"]
    for child in node.get("content", ()):
        yield from strings(child)


def test_the_texts_show_what_a_text_can_have(loaded: Parts) -> None:
    said = str([one.fields["body"] for one in live(loaded, *TEXTS)])
    kinds = ("heading", "bulletList", "orderedList", "blockquote", "table", "image", "bold", "italic")
    assert [kind for kind in kinds if f"'{kind}'" not in said] == []


def test_the_first_search_that_is_proposed_finds_something(loaded: Parts) -> None:
    background.catch_up(loaded)
    assert loaded.public_index.search(Query(text="новости")).hits


# --- banners and counters ---


def test_three_placements_are_live_and_one_of_them_has_a_house_banner(loaded: Parts) -> None:
    [structure] = live(loaded, "structure")
    placements = {one["name"]: one for one in structure.fields["placements"]}
    banners = {one.entry_id: one for one in live(loaded, "banner")}
    assert set(placements) == {"notice", "top", "sidebar"}
    assert [name for name, one in placements.items() if one["emergency"]] == ["notice"]
    assert banners[placements["sidebar"]["house"]].fields["placements"] == ["sidebar"]
    assert {name for one in banners.values() for name in one.fields["placements"]} == {"top", "sidebar"}


def test_there_are_banners_of_pictures_and_of_words_and_one_is_paid_for(loaded: Parts) -> None:
    banners = [one.fields for one in live(loaded, "banner")]
    assert Counter("text" if one["creative"]["text"] else "image" for one in banners) == {"image": 3, "text": 1}
    [paid] = [one for one in banners if one["advertiser"]]
    assert paid["label"]
    assert paid["erid"]


def test_the_counters_wait_for_consent_and_load_nothing_from_elsewhere(loaded: Parts) -> None:
    counters = [one.fields for one in live(loaded, "counter")]
    assert {one["category"] for one in counters} == {"necessary", "analytics", "marketing"}
    assert not [one for one in counters if "//" in one["code"] or "src" in one["code"]]


def test_images_come_in_named_forms(loaded: Parts) -> None:
    [settings] = live(loaded, "settings")
    assert [one["name"] for one in settings.fields["image_presets"]] == ["card", "cover", "share"]


# --- dates ---


def test_dates_are_spread_over_the_last_months(loaded: Parts) -> None:
    now = loaded.clock()
    ages = sorted(now - one.published_at for one in live(loaded, *TEXTS))
    assert timedelta(0) < ages[0] < timedelta(days=7)
    assert ages[-1] > timedelta(days=90)
    assert len({age.days for age in ages}) == 12


def test_what_is_newest_is_news(loaded: Parts) -> None:
    listed = [one.type for one in live(loaded) if one.type not in ("structure", "settings")]
    assert listed[0] == "news"
    assert set(listed[12:]) == {"image", "banner", "counter", "menu"}


def test_nothing_comes_from_the_future_just_after_midnight(untouched: Parts) -> None:
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    sample.load(untouched, by=By(COMMAND_LINE, midnight))
    made = live(untouched, *TEXTS, "image", "menu", "banner", "counter")
    assert all(one.published_at < midnight for one in made)


# --- all or nothing ---


def test_everything_comes_in_one_transaction(untouched: Parts) -> None:
    commits: list[Connection] = []
    event.listen(untouched.database.writer, "commit", commits.append)
    sample.load(untouched, by=by_now(untouched))
    assert len(commits) == 1


@pytest.mark.parametrize(("table", "nth"), [("files", 6), ("persons", 1), ("entries", 12), ("publications", 18)])
def test_what_fails_on_the_way_leaves_nothing_behind(untouched: Parts, table: str, nth: int) -> None:
    before = contents(untouched)
    with failing(untouched, table=table, nth=nth), pytest.raises(ConnectionError):
        sample.load(untouched, by=by_now(untouched))
    assert contents(untouched) == before


def test_what_failed_can_be_done_again(untouched: Parts) -> None:
    with failing(untouched, table="publications", nth=18), pytest.raises(ConnectionError):
        sample.load(untouched, by=by_now(untouched))
    sample.load(untouched, by=by_now(untouched))
    assert len(live(untouched, *TEXTS)) == 12


def contents(parts: Parts) -> list[int]:
    """How many rows the tables have that the sample fills."""
    tables = (Entry, Revision, Publication, Person, StoredFile, Usage, Event)
    with parts.database.reading() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


@contextlib.contextmanager
def failing(parts: Parts, *, table: str, nth: int) -> Iterator[None]:
    """A database that goes away at the nth INSERT into a table."""
    inserts = itertools.count(1)

    def go_away(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if statement.startswith(f"INSERT INTO {table} ") and next(inserts) == nth:
            raise ConnectionError

    event.listen(parts.database.writer, "before_cursor_execute", go_away)
    yield
    event.remove(parts.database.writer, "before_cursor_execute", go_away)


# --- where it has no place ---


def test_a_site_that_has_the_sample_gets_no_other(untouched: Parts) -> None:
    sample.load(untouched, by=by_now(untouched))
    before = contents(untouched)
    sample.load(untouched, by=by_now(untouched))
    assert contents(untouched) == before


def test_a_site_with_sections_of_its_own_gets_none(untouched: Parts) -> None:
    change_single(untouched, "structure", {"sections": [{"slug": "news", "name": "News"}]})
    sample.load(untouched, by=by_now(untouched))
    assert not live(untouched, *TEXTS)


def test_a_site_without_english_gets_none(untouched: Parts) -> None:
    change_single(untouched, "settings", {"locales": ["ru"]})
    sample.load(untouched, by=by_now(untouched))
    assert not live(untouched, *TEXTS)


def change_single(parts: Parts, type_name: str, fields: dict[str, Any]) -> None:
    """Change and publish one of the two entries that every site has."""
    with parts.database.writing() as session:
        entry = session.scalars(select(Entry).where(Entry.type == type_name)).one()
        saving.save(session, entry, {"fields": fields}, expected=entry.revision, by=by_now(parts))
        publishing.publish(session, entry, by=by_now(parts))
