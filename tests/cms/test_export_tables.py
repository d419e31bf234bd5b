"""A site as a table: what a row says, that it reads back as it was, and that no spreadsheet carries it out."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from cms import files, publishing, redirect_rules
from cms.export_formats import FORMATS as EXPORTS
from cms.export_formats import ExportOptions
from cms.exports.exporting import ExportedSite, Wanted, entries
from cms.files import Received
from cms.import_formats import FORMATS, Item, Options
from tests.cast import PRESS_ID, Colleague, a_live_news, a_news, an_entry, change, sections, words
from tests.cms import vacancies

PICTURE = Received("ab" * 32, "image", "office.png", "image/png", 2**20, 640, 480)


def written(session: Session, **choices: str) -> bytes:
    site = ExportedSite(session)
    writer = EXPORTS["csv"].open(site, ExportOptions(choices=choices))
    pieces = list(writer.start())
    for one in entries(site, Wanted(), after="", limit=100):
        pieces += writer.entry(one)
    pieces += writer.end()
    assert all(isinstance(piece, bytes) for piece in pieces)
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def read_back(content: bytes, place: Path, **options: Any) -> dict[str, Item]:
    path = place / "export.csv"
    path.write_bytes(content)
    assert FORMATS["csv"].recognise(path)
    found = list(FORMATS["csv"].read(path, Options(**options)).items())
    assert all(isinstance(one, Item) for one in found), found
    return {one.external_id: one for one in found if isinstance(one, Item)}


@pytest.mark.parametrize("mark", ["yes", "no"])
@pytest.mark.parametrize("delimiter", ["comma", "semicolon", "tab"])
def test_a_row_reads_back_as_the_entry_was(
    mark: str, delimiter: str, session: Session, olga: Colleague, tmp_path: Path
) -> None:
    [company] = sections(session, "company", by=olga.by())
    [news] = sections(session, "news", by=olga.by(), parent=company)
    kept = files.keep(session, PICTURE, by=olga.by())
    image = files.make_entry(session, kept, title="Office", locale="ru", alt="An office", by=olga.by()).entry
    publishing.publish(session, image, by=olga.by())
    entry = a_live_news(
        session,
        by=olga.by(),
        title='Часы; работы, "зимой"',
        section=news,
        slug="hours",
        byline=(PRESS_ID,),
        summary="Two\nlines",
        topics=["a, b", "c"],
        cover=image.id,
        body=words("# Head\n\nText"),
    )
    redirect_rules.create(session, redirect_rules.Rule("/old/hours", to=entry.id), by=olga.by())
    session.flush()
    content = written(session, mark=mark, delimiter=delimiter)
    assert content.startswith(b"\xef\xbb\xbf") is (mark == "yes")
    found = read_back(content, tmp_path)[entry.id]
    assert found.fields.pop("cover")
    assert found.fields == {
        "title": 'Часы; работы, "зимой"',
        "summary": "Two\nlines",
        "topics": ["a, b", "c"],
        "body": {"format": "html", "value": "<h1>Head</h1><p>Text</p>"},
    }
    assert (found.type, found.locale, found.slug, found.section) == ("news", "ru", "hours", ("company", "news"))
    assert (found.draft, found.old_paths) == (False, ("/old/hours",))
    assert [author.name for author in found.byline] == ["Press service"]
    assert (found.first_published_at, found.created_at, found.changed_at) == (
        entry.first_published_at,
        entry.created_at,
        entry.changed_at,
    )


def test_what_is_not_live_is_a_draft(session: Session, olga: Colleague, tmp_path: Path) -> None:
    draft, changed = a_news(session, by=olga.by()), a_live_news(session, by=olga.by(), slug="other")
    change(session, changed, by=olga.by(), title="Changed")
    found = read_back(written(session), tmp_path)
    assert (found[draft.id].draft, found[changed.id].draft) == (True, False)


@pytest.mark.parametrize("title", ["=1+1", "+7 495", "-1", "@SUM(A1)", "'=1+1", "''@x", "'quoted'", "a=b"])
def test_no_title_is_a_formula_and_each_reads_back(
    title: str, session: Session, olga: Colleague, tmp_path: Path
) -> None:
    entry = a_news(session, by=olga.by(), title=title)
    content = written(session)
    cells = content.decode("utf-8-sig").splitlines()[1].split(",")
    assert not any(cell.strip('"').startswith(("=", "+", "-", "@")) for cell in cells)
    assert read_back(content, tmp_path)[entry.id].fields["title"] == title


@pytest.mark.parametrize("topics", [["a, b"], ["a; b", "c"], ["[1]"], ["-a", "b"], ["a"]])
def test_lists_are_told_apart_again(topics: list[str], session: Session, olga: Colleague, tmp_path: Path) -> None:
    entry = a_news(session, by=olga.by(), topics=topics)
    assert read_back(written(session), tmp_path)[entry.id].fields["topics"] == topics


def test_fields_of_staff_s_own_types_are_columns(session: Session, olga: Colleague, tmp_path: Path) -> None:
    vacancies.put(session, by=olga.by(), old_paths={"kind": "text"})
    given: dict[str, Any] = {
        "salary": -5,
        "remote": True,
        "since": "2026-01-31",
        "duties": words("Do *it*"),
        "old_paths": "none",
    }
    entry = an_entry(session, "vacancy", by=olga.by(), **given)
    mapping = {"fields.old_paths": "old_paths"}
    fields = frozenset({"title", "salary", "remote", "since", "duties", "old_paths", "level", "city", "contact"})
    found = read_back(written(session), tmp_path, fields=fields, mapping=mapping)[entry.id]
    assert (found.type, found.draft) == ("vacancy", True)
    own = {"salary": "-5", "remote": "true", "since": "2026-01-31", "duties": "<p>Do <em>it</em></p>"}
    assert {name: found.source_fields[name] for name in own} == own
    assert found.fields["old_paths"] == "none"


def test_what_has_no_text_is_no_row(session: Session, olga: Colleague) -> None:
    files.make_entry(session, files.keep(session, PICTURE, by=olga.by()), title="Office", locale="ru", by=olga.by())
    assert len(written(session).splitlines()) == 1


def test_the_same_entries_are_the_same_bytes(session: Session, olga: Colleague) -> None:
    a_live_news(session, by=olga.by(), topics=["b", "a"], source_fields={"b": 1, "a": [2]})
    assert written(session) == written(session)
