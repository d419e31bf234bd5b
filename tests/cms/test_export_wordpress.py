"""A site as an export of WordPress: it reads back as it was."""

from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy.orm import Session

from cms import files, publishing, redirect_rules
from cms.export_formats import FORMATS as EXPORTS
from cms.export_formats import ExportOptions
from cms.exports.exporting import ExportedSite, Wanted, entries
from cms.files import Received
from cms.import_formats import FORMATS, Item, Options, Reading
from cms.tables.entries import Entry
from tests.cast import PRESS_ID, Colleague, a_live_news, a_news, an_entry, sections, words

PICTURE = Received("ab" * 32, "image", "Office.png", "image/png", 2**20, 640, 480)


def written(session: Session, place: Path) -> Path:
    site = ExportedSite(session, server="https://new.example")
    writer = EXPORTS["wordpress"].open(site, ExportOptions())
    pieces = list(writer.start())
    for one in entries(site, Wanted(), after="", limit=100):
        pieces += writer.entry(one)
    pieces += writer.end()
    path = place / "export.xml"
    path.write_bytes(b"".join(piece for piece in pieces if isinstance(piece, bytes)))
    return path


def read_back(path: Path) -> Reading:
    return FORMATS["wordpress"].read(path, Options(choices={"categories": "sections"}))


def items(path: Path) -> dict[str | None, Item]:
    return {found.fields["title"]: found for found in read_back(path).items() if isinstance(found, Item)}


@pytest.fixture
def office(session: Session, olga: Colleague) -> Entry:
    kept = files.keep(session, PICTURE, by=olga.by())
    image = files.make_entry(session, kept, title="Office", locale="ru", alt="An office", by=olga.by()).entry
    publishing.publish(session, image, by=olga.by())
    session.flush()
    return image


def test_a_post_reads_back_as_it_was(session: Session, olga: Colleague, office: Entry, tmp_path: Path) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", by=olga.by(), parent=company)
    entry = a_live_news(
        session,
        by=olga.by(),
        title="Часы: <работы> & ]]> # 1",
        section=news,
        slug="hours",
        byline=(PRESS_ID,),
        summary="Two < three",
        seo={"title": "For search", "description": "Hours"},
        topics=["a", "Новое"],
        cover=office.id,
        source_fields={"odd": {"kept": ["x", 1]}, "plain": "text", "sticky": True},
        body=words(f"# Head\n\nText\n\n![Alt](entry:{office.id})"),
    )  # fmt: skip
    redirect_rules.create(session, redirect_rules.Rule("/old/times", to=entry.id), by=olga.by())
    session.flush()
    path = written(session, tmp_path)
    found = items(path)["Часы: <работы> & ]]> # 1"]
    assert (found.slug, found.draft, found.section_names) == ("hours", False, ("Company", "News"))
    assert found.fields["summary"] == "Two < three"
    assert found.fields["seo"] == {"title": "For search", "description": "Hours"}
    assert found.fields["topics"] == ["a", "Новое"]
    assert found.source_fields == {"odd": {"kept": ["x", 1]}, "plain": "text", "sticky": True}
    assert [author.name for author in found.byline] == ["Press service"]
    assert found.first_published_at == entry.first_published_at
    assert "<h1>Head</h1>" in found.fields["body"]["value"]
    assert any(old.endswith("/times/") for old in found.old_paths)
    (asset,) = read_back(path).assets()
    assert asset.url is not None
    assert asset.url.startswith("https://new.example/media/abab")
    assert (found.fields["cover"].external_id, asset.fields["alt"]) == (asset.external_id, "An office")


def test_a_draft_stays_one_and_a_page_a_page(session: Session, olga: Colleague, tmp_path: Path) -> None:
    a_news(session, by=olga.by(), title="Not yet")
    an_entry(session, "page", by=olga.by(), title="About")
    session.flush()
    found = items(written(session, tmp_path))
    assert (found["Not yet"].draft, found["About"].type) == (True, "page")


def test_the_whole_is_xml_and_the_same_each_time(session: Session, olga: Colleague, tmp_path: Path) -> None:
    a_live_news(session, by=olga.by(), title="Bell \x07 and ]]>")
    session.flush()
    first = written(session, tmp_path).read_bytes()
    assert etree.fromstring(first).findtext("channel/item/title")
    assert written(session, tmp_path).read_bytes() == first
    assert FORMATS["wordpress"].recognise(tmp_path / "export.xml") == 95


def test_an_empty_site_is_an_empty_export(session: Session, tmp_path: Path) -> None:
    path = written(session, tmp_path)
    assert etree.parse(path).getroot().tag == "rss"
    assert list(read_back(path).items()) == []
