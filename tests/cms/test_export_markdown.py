"""A site as Markdown pages: where they lie, what their front matter says, and that they read back as they were."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from cms import files, publishing, redirect_rules
from cms.export_formats import FORMATS as EXPORTS
from cms.export_formats import ExportOptions, Kept, Made
from cms.exports.exporting import ExportedSite, Wanted, entries
from cms.files import Received
from cms.import_formats import FORMATS, Item, Options, Target
from cms.import_formats.archives import top
from cms.tables.entries import Entry
from tests.cast import PRESS_ID, Colleague, a_live_news, a_news, an_entry, change, sections, words

PICTURE = Received("ab" * 32, "image", "Our office (new).png", "image/png", 2**20, 640, 480)
KEPT = "files/abababababababab-Our-office--new-.png"


def written(session: Session, place: Path, wanted: Wanted | None = None) -> dict[str, str]:
    """Everything as files in a folder: their texts by their paths."""
    site = ExportedSite(session)
    writer = EXPORTS["markdown"].open(site, ExportOptions())
    pieces = list(writer.start())
    for one in entries(site, wanted or Wanted(), after="", limit=100):
        pieces += writer.entry(one)
    pieces += writer.end()
    shutil.rmtree(place, ignore_errors=True)
    for piece in pieces:
        assert isinstance(piece, Made | Kept)
        path = place / piece.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(piece.content if isinstance(piece, Made) else piece.sha256.encode())
    return {path.relative_to(place).as_posix(): path.read_text() for path in place.rglob("*") if path.is_file()}


def read_back(place: Path) -> dict[str, Item]:
    reading = FORMATS["markdown"].read(top(place), Options())
    return {found.external_id: found for found in reading.items() if isinstance(found, Item)}


@pytest.fixture
def office(session: Session, olga: Colleague) -> Entry:
    kept = files.keep(session, PICTURE, by=olga.by())
    image = files.make_entry(session, kept, title="Office", locale="ru", alt="An office", by=olga.by()).entry
    publishing.publish(session, image, by=olga.by())
    session.flush()
    return image


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "export"


def test_a_page_reads_back_as_it_was(session: Session, olga: Colleague, office: Entry, place: Path) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", by=olga.by(), parent=company)
    other = a_live_news(session, by=olga.by(), slug="other")
    entry = a_live_news(
        session,
        by=olga.by(),
        title="Часы: работы # 1",
        section=news,
        slug="hours",
        byline=(PRESS_ID,),
        summary="Two: \"quoted\"",
        topics=["a", "no"],
        cover=office.id,
        source_fields={"odd": {"kept": ["x"]}},
        body=words(f"# Head\n\nText [other](entry:{other.id}#part) and\n\n![Alt](entry:{office.id})"),
    )  # fmt: skip
    redirect_rules.create(session, redirect_rules.Rule("/old/hours", to=entry.id), by=olga.by())
    session.flush()
    assert sorted(written(session, place)) == ["README.txt", "company/news/hours.md", KEPT, "other.md"]
    found = read_back(place)["company/news/hours"]
    assert found.fields == {
        "title": "Часы: работы # 1",
        "summary": 'Two: "quoted"',
        "topics": ["a", "no"],
        "cover": f"../../{KEPT}",
        "body": {
            "format": "markdown",
            "value": f"\n# Head\n\nText [other](../../other.md#part) and\n\n![Alt](../../{KEPT})\n",
        },
    }
    assert (found.type, found.locale, found.slug, found.section) == ("news", "ru", "hours", ("company", "news"))
    assert [author.name for author in found.byline] == ["Press service"]
    assert (found.draft, found.first_published_at, found.created_at) == (
        False,
        entry.first_published_at,
        entry.created_at,
    )
    assert found.old_paths == ("/old/hours",)
    assert found.source_fields == {"odd": {"kept": ["x"]}}
    reading = FORMATS["markdown"].read(place, Options())
    assert reading.target("company/news/hours.md", "../../other.md#part") == Target("item", "other", "part")
    assert [asset.external_id for asset in reading.assets()] == [KEPT]


def test_the_same_entries_are_the_same_bytes(session: Session, olga: Colleague, office: Entry, place: Path) -> None:
    a_live_news(session, by=olga.by(), slug="hours", cover=office.id)
    assert written(session, place) == written(session, place)


def test_what_nobody_sees_is_a_draft_with_a_name_of_its_own(session: Session, olga: Colleague, place: Path) -> None:
    first = a_news(session, by=olga.by(), slug="hours")
    second = a_news(session, by=olga.by(), slug="more", body=words(f"[first](entry:{first.id})"))
    written(session, place)
    found = read_back(place)
    assert list(found) == [f"hours-{first.id[-12:]}", f"more-{second.id[-12:]}"]
    assert [(one.slug, one.draft) for one in found.values()] == [("hours", True), ("more", True)]
    assert f"hours-{first.id[-12:]}.md" in str(found[f"more-{second.id[-12:]}"].fields["body"])


def test_what_is_newer_than_what_visitors_see_is_a_draft(session: Session, olga: Colleague, place: Path) -> None:
    entry = a_live_news(session, by=olga.by(), slug="hours")
    olga.clock.pass_by(hours=1)
    change(session, entry, by=olga.by(), title="Not yet")
    written(session, place)
    assert [(one.fields["title"], one.draft) for one in read_back(place).values()] == [("Not yet", True)]
    written(session, place, Wanted(content="published"))
    assert [(one.fields["title"], one.draft) for one in read_back(place).values()] == [("Office hours", False)]


def test_names_that_mean_something_to_readers_get_a_sign_more(session: Session, olga: Colleague, place: Path) -> None:
    [public] = sections(session, "public", by=olga.by())
    a_live_news(session, by=olga.by(), section=public, slug="index")
    [path] = [path for path in written(session, place) if path.endswith(".md")]
    assert path.startswith("public-/index-")
    [found] = read_back(place).values()
    assert (found.section, found.slug) == (("public",), "index")


def test_what_has_no_page_has_no_file(session: Session, olga: Colleague, place: Path) -> None:
    an_entry(session, "banner", by=olga.by(), creative={"text": "x"}, placements=[])
    assert list(written(session, place)) == ["README.txt"]


def test_front_matter_too_long_for_readers_loses_what_is_longest(
    session: Session, olga: Colleague, place: Path
) -> None:
    a_live_news(session, by=olga.by(), slug="hours", source_fields={"log": "x" * 70_000, "odd": "kept"})
    written(session, place)
    assert read_back(place)["hours"].source_fields == {"odd": "kept"}
