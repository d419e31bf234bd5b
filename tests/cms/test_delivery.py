"""What visitors get: publications as they are live, references that lead somewhere, and not a byte of a draft."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cms import files, publishing, saving, scheduling, site, structure, trash
from cms.built_in_types import BUILT_IN
from cms.delivery import feeds, guesses, pages, presenting, publications, resolving, sitemap
from cms.delivery.live_structure import live_site, live_tree
from cms.delivery.presenting import Shape
from cms.errors import BadQuery
from cms.files import Received
from cms.listing import Asked
from cms.pictures import media_url
from cms.redirects import NOT_FOUND, Answer
from cms.scheduling import Plan
from cms.site import Feed
from cms.tables.entries import Entry
from cms.tables.publications import Publication, Redirect
from tests.cast import (
    MORNING,
    PRESS_ID,
    Colleague,
    a_live_news,
    a_news,
    an_entry,
    change,
    sections,
    what_is_at,
    words,
)

SHA = "ab" * 32
NEWS = [BUILT_IN["news"]]


def shown(session: Session, entry: Entry, **shape: Any) -> dict[str, Any]:
    return included(session, entry, **shape)[0]


def included(session: Session, entry: Entry, **shape: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    session.flush()
    wanted = Shape(**shape)
    found = publications.several(session, [entry.id], documents=wanted.documents)
    entries, others = presenting.present(session, found, tree=live_tree(session), shape=wanted)
    return entries[0], others


def an_image(session: Session, olga: Colleague, *, live: bool = True, alt: str = "An office") -> Entry:
    received = Received(SHA, "image", "Офис 1.PNG", "image/png", 9, 640, 480)
    made = files.make_entry(
        session, files.keep(session, received, by=olga.by()), title="Office", alt=alt, locale="ru", by=olga.by()
    )
    if live:
        publishing.publish(session, made.entry, by=olga.by())
    session.flush()
    return made.entry


# --- one entry ---


def test_an_entry_has_these_members_and_no_others(session: Session, olga: Colleague) -> None:
    assert shown(session, a_live_news(session, by=olga.by())).keys() == {
        "id", "type", "locale", "translations", "path", "slug", "section", "revision", "first_published_at",
        "published_at", "byline", "seo", "fields",
    }  # fmt: skip


@pytest.mark.parametrize("type", ["news", "article", "page", "image", "file", "menu"])
@pytest.mark.parametrize("form", ["html", "doc", "markdown", "text"])
def test_every_public_field_is_there_and_null_when_empty(
    session: Session, olga: Colleague, type: str, form: str
) -> None:
    entry = an_entry(session, type, by=olga.by(), title="A title")
    publishing.publish(session, entry, by=olga.by())
    fields = shown(session, entry, rich_text=form)["fields"]
    public = {field.name for field in BUILT_IN[type].fields if field.public}
    name = {"name": "a-title"} if type == "menu" else {}
    assert fields == dict.fromkeys(public) | {"title": "A title"} | name


@pytest.mark.parametrize(
    ("form", "body"),
    [("html", "<p>One <em>two</em></p>"), ("markdown", "One *two*\n"), ("text", "One two")],
)
def test_rich_text_comes_in_the_form_asked_for(session: Session, olga: Colleague, form: str, body: str) -> None:
    entry = a_live_news(session, by=olga.by(), body=words("One *two*"))
    assert shown(session, entry, rich_text=form)["fields"]["body"].strip() == body.strip()


def test_rich_text_comes_as_a_document_too(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), body=words("One"))
    assert shown(session, entry, rich_text="doc")["fields"]["body"]["type"] == "doc"


def test_only_the_fields_asked_for_are_sent(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), summary="Short")
    assert shown(session, entry, fields=frozenset({"summary"}))["fields"] == {"summary": "Short"}


def test_translations_that_are_live_are_named(session: Session, olga: Colleague) -> None:
    russian = a_live_news(session, by=olga.by())
    english = a_news(session, by=olga.by(), locale="en", translation_of=russian.id)
    assert shown(session, russian)["translations"] == {}
    publishing.publish(session, english, by=olga.by())
    assert shown(session, russian)["translations"] == {"en": english.id}


def test_a_path_is_the_live_trees(session: Session, olga: Colleague) -> None:
    [company] = sections(session, "company", by=olga.by())
    entry = a_live_news(session, by=olga.by(), section=company, slug="hours")
    tree = structure.entry(session)
    renamed = [{"id": company, "slug": "firm", "name": "Firm"}]
    saving.save(session, tree, {"fields": {"sections": renamed}}, expected=tree.revision, by=olga.by())
    assert shown(session, entry)["path"] == "/company/hours"
    publishing.publish(session, tree, by=olga.by())
    assert shown(session, entry)["path"] == "/firm/hours"


# --- references (rule 9) ---


def test_a_reference_to_what_is_not_live_is_left_out_and_comes_back(session: Session, olga: Colleague) -> None:
    one, two = a_news(session, by=olga.by()), a_live_news(session, by=olga.by())
    image = an_image(session, olga, live=False)
    entry = a_live_news(session, by=olga.by(), cover=image.id, related=[one.id, two.id], seo={"image": image.id})
    fields = shown(session, entry)["fields"]
    assert (fields["cover"], fields["related"], fields["seo"]["image"]) == (None, [two.id], None)
    for target in (one, image):
        publishing.publish(session, target, by=olga.by())
    fields = shown(session, entry)["fields"]
    assert (fields["cover"], fields["related"], fields["seo"]["image"]) == (image.id, [one.id, two.id], image.id)


def test_the_cover_is_the_picture_of_the_page_unless_seo_says_otherwise(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    assert shown(session, a_live_news(session, by=olga.by(), cover=image.id))["seo"]["image"] == image.id


def test_a_link_in_a_text_leads_to_where_its_target_is_now(session: Session, olga: Colleague) -> None:
    other = a_live_news(session, by=olga.by(), slug="hours")
    entry = a_live_news(session, by=olga.by(), body=words(f"[x](entry:{other.id})"))
    assert 'href="/hours"' in shown(session, entry)["fields"]["body"]
    saving.save(session, other, {"slug": "days"}, expected=1, by=olga.by())
    publishing.publish(session, other, by=olga.by())
    assert 'href="/days"' in shown(session, entry)["fields"]["body"]


def test_a_link_to_what_is_not_live_is_its_words(session: Session, olga: Colleague) -> None:
    other = a_news(session, by=olga.by(), slug="hours")
    body = shown(session, a_live_news(session, by=olga.by(), body=words(f"[x](entry:{other.id})")))["fields"]["body"]
    assert "<a" not in body
    assert ("x" in body, "hours" in body, other.id in body) == (True, False, False)


def test_a_link_to_what_is_live_but_has_no_address_is_its_words(session: Session, olga: Colleague) -> None:
    menu = an_entry(session, "menu", by=olga.by())
    publishing.publish(session, menu, by=olga.by())
    entry = a_live_news(session, by=olga.by(), body=words(f"[x](entry:{menu.id})"))
    assert shown(session, entry)["fields"]["body"] == "<p>x</p>"


def test_a_picture_without_bytes_is_left_out(session: Session, olga: Colleague) -> None:
    image = an_entry(session, "image", by=olga.by())
    publishing.publish(session, image, by=olga.by())
    entry = a_live_news(session, by=olga.by(), cover=image.id, body=words(f"![x](entry:{image.id})"))
    assert "<img" not in shown(session, entry)["fields"]["body"]


def test_a_picture_in_a_text_has_address_size_and_words(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    body = shown(session, a_live_news(session, by=olga.by(), body=words(f"![](entry:{image.id})")))["fields"]["body"]
    for part in (f"/media/{SHA}/ofis-1.png", 'width="640"', 'height="480"'):
        assert part in body


def test_an_image_shows_where_its_bytes_are(session: Session, olga: Colleague) -> None:
    upload = shown(session, an_image(session, olga))["fields"]["file"]
    assert (upload["url"], upload["width"], upload["size"]) == (f"/media/{SHA}/ofis-1.png", 640, 9)


@pytest.mark.parametrize(
    ("name", "address"),
    [("a.PNG", "a.png"), ("../../etc/passwd", "file.etc-passwd"), ("<b>.svg", "b.svg"), ("…", "file"), (".env", "env")],
)
def test_a_files_name_is_safe_in_an_address(name: str, address: str) -> None:
    assert media_url({"sha256": SHA, "name": name}).rpartition("/")[2] == address


# --- includes ---


def test_what_is_included_comes_by_id_once(session: Session, olga: Colleague) -> None:
    image = an_image(session, olga)
    other = a_live_news(session, by=olga.by(), title="Other", cover=image.id)
    entry = a_live_news(session, by=olga.by(), cover=image.id, related=[other.id], byline=(PRESS_ID,))
    include = presenting.read_include("cover,related.cover,byline", NEWS, deeper_types=BUILT_IN.values())
    _, others = included(session, entry, include=include)
    assert others.keys() == {image.id, other.id, PRESS_ID}
    assert (others[other.id]["fields"]["title"], others[PRESS_ID]["name"]) == ("Other", "Press service")


def test_what_is_not_live_is_not_included(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by(), related=[a_news(session, by=olga.by()).id])
    assert included(session, entry, include=(("related",),))[1] == {}


def test_an_entry_that_includes_itself_ends(session: Session, olga: Colleague) -> None:
    entry = a_news(session, by=olga.by())
    change(session, entry, by=olga.by(), related=[entry.id])
    publishing.publish(session, entry, by=olga.by())
    assert included(session, entry, include=(("related", "related"),))[1].keys() == {entry.id}


@pytest.mark.parametrize(
    "text", ["title", "source_fields", "related.related.cover", "cover.title", "related.byline", "owner", "a.b", "."]
)
def test_what_cannot_be_included_is_refused(text: str) -> None:
    with pytest.raises(BadQuery):
        presenting.read_include(text, NEWS, deeper_types=BUILT_IN.values())


@pytest.mark.parametrize("text", ["nothing", "source_fields", "title,nothing", "owner"])
def test_fields_that_are_not_public_are_refused(text: str) -> None:
    with pytest.raises(BadQuery):
        presenting.read_fields(text, NEWS)


# --- what is at a path ---


def test_the_root_is_a_section_without_an_id(session: Session) -> None:
    assert what_is_at(session, "/") == ("section", None)


def test_an_entry_stands_before_a_section_of_the_same_path(session: Session, olga: Colleague) -> None:
    [news] = sections(session, "news", by=olga.by())
    assert what_is_at(session, "/news") == ("section", news)
    entry = a_live_news(session, by=olga.by(), slug="news")
    assert what_is_at(session, "/news") == ("entry", entry.id)


def test_the_default_locale_is_looked_in_first(session: Session, olga: Colleague) -> None:
    english = a_live_news(session, by=olga.by(), slug="hours", locale="en")
    assert what_is_at(session, "/hours", locale=None) == ("entry", english.id)
    russian = a_live_news(session, by=olga.by(), slug="hours")
    assert what_is_at(session, "/hours", locale=None) == ("entry", russian.id)
    assert what_is_at(session, "/hours", locale="en") == ("entry", english.id)


@pytest.mark.parametrize("path", ["", "//", "/" * 500, "/nothing", "/%00", "/a" * 900, "/../etc", "/ru/é"])
def test_strange_paths_are_nothing_and_no_crash(session: Session, path: str) -> None:
    assert what_is_at(session, path) in (None, ("section", None))


def test_structure_and_settings_are_no_entries_of_a_list(session: Session) -> None:
    assert publications.listing(session, Asked()).publications == []
    hidden = session.scalars(select(Publication.entry_id)).all()
    assert len(hidden) == 2
    assert [*publications.several(session, hidden), *publications.cards(session, hidden)] == []


# --- no draft byte (rule 4) ---

SECRET = "СЕКРЕТ"


def test_no_byte_of_a_draft_is_in_any_public_answer(session: Session, olga: Colleague, pavel: str) -> None:
    live = a_site_full_of_secrets(session, olga, pavel)
    session.expire_all()
    for answer in everything_public(session):
        assert SECRET not in orjson.dumps(answer, default=str).decode()
    assert live in publications.ids_after(session, "", 100)


def a_site_full_of_secrets(session: Session, olga: Colleague, pavel: str) -> str:
    hidden = an_image(session, olga, live=False, alt=SECRET)
    other = a_news(session, by=olga.by(), title=SECRET, slug="other", body=words(SECRET))
    text = words(f"Open ![{'x'}](entry:{hidden.id}) [link](entry:{other.id})")
    by = olga.by(on_behalf_of=pavel, request=412, note=SECRET)
    live = a_live_news(
        session, by=by, slug="live", body=text, cover=hidden.id, related=[other.id], byline=(PRESS_ID, pavel),
        source_fields={"memo": SECRET}, seo={"image": hidden.id},
    )  # fmt: skip
    _change_everything(session, live, olga)
    links = [{"entry": other.id, "label": SECRET}, {"entry": live.id}, {"entry": hidden.id}]
    menu = an_entry(session, "menu", by=olga.by(), items=links[1:])
    publishing.publish(session, menu, by=olga.by())
    change(session, menu, by=olga.by(), title=SECRET, items=links)
    an_entry(session, "menu", by=olga.by(), title=SECRET, items=links)
    a_news(session, by=olga.by(), locale="en", title=SECRET, translation_of=live.id)
    for slug in ("down", "trashed"):
        entry = a_live_news(session, by=olga.by(), slug=slug, title=SECRET, summary=SECRET)
        publishing.unpublish(session, entry, by=olga.by(), answer=Answer("gone" if slug == "down" else "not_found"))
    trash.trash(session, entry, expected=1, by=olga.by())
    planned = a_news(session, by=olga.by(), slug="planned", title=SECRET)
    plan = Plan(MORNING + timedelta(days=1), None, "UTC", NOT_FOUND)
    scheduling.schedule(session, planned, plan, expected=1, by=by)
    tree = structure.entry(session)
    node = {"id": "hidden", "slug": "hidden", "name": SECRET}
    saving.save(session, tree, {"fields": {"sections": [node]}}, expected=tree.revision, by=olga.by())
    return live.id


def _change_everything(session: Session, entry: Entry, olga: Colleague) -> None:
    change(
        session, entry, by=olga.by(), title=SECRET, summary=SECRET, body=words(SECRET), topics=[SECRET],
        seo={"title": SECRET}, source_fields={"memo": SECRET},
    )  # fmt: skip


def everything_public(session: Session) -> Iterator[Any]:
    ids = [*session.scalars(select(Entry.id))]
    found = [*publications.several(session, ids, documents=True)]
    yield [{column.key: getattr(one, column.key) for column in Publication.__table__.c} for one in found]
    every_include = presenting.read_include(
        "cover,related.cover,attachments,byline", BUILT_IN.values(), deeper_types=BUILT_IN.values()
    )
    for form in ("html", "doc", "markdown", "text"):
        yield presenting.present(session, found, tree=live_tree(session), shape=Shape(form, include=every_include))
    yield [tuple(row) for row in (*publications.cards(session, ids), *publications.texts(session, ids))]
    yield [vars(section) for section in live_tree(session)]
    yield site.locales(session).all
    yield [rule.explanation for rule in session.scalars(select(Redirect))]
    yield [what_is_at(session, path) for path in ("/other", "/down", "/trashed", "/planned", "/hidden")]
    yield from everything_around(session)


def everything_around(session: Session) -> Iterator[Any]:
    """Menus, pages, feeds, the sitemap, and what is told where there is nothing."""
    live, settings = live_site(session), site.settings(session)
    yield pages.live_menus(session, live=live, locale="ru")[0]
    yield feeds.read(session, Feed("all"), live=live, settings=settings, base="").items
    yield [sitemap.sections(session), sitemap.entries(session, after="")]
    for path in ("/live", "/"):
        found = resolving.resolve(session, path, site=live, locales=settings.locales, locale="ru")
        assert found is not None
        if found.publication is not None:
            yield vars(pages.of_entry(session, found.publication, live=live, shape=Shape()))
        else:
            yield vars(pages.of_section(session, found, live=live, shape=Shape()))
    for path in ("/other", "/planned", "/trashed", "/hidden/x"):
        yield guesses.near_slugs(session, path, tree=live.tree, locale="ru")
        yield pages.nearest(session, path, tree=live.tree, locale="ru")


def test_there_may_be_more_references_than_a_statement_has_parameters(session: Session, olga: Colleague) -> None:
    entry = a_live_news(session, by=olga.by())
    session.flush()
    ids = [*(f"none-{number}" for number in range(70_000)), entry.id]
    assert [one.entry_id for one in publications.several(session, ids)] == [entry.id]
    around = publications.around(session, (), tree=live_tree(session), besides=ids)
    assert around.live == {entry.id}


def test_what_the_public_calls_import_can_read_no_entries() -> None:
    modules = [f"cms.delivery.{path.stem}" for path in Path(publications.__file__).parent.glob("[a-z]*.py")]
    script = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert not {"cms.tables.entries", "cms.saving", "cms.snapshots", "cms.finding"} & set(done.stdout.split())
