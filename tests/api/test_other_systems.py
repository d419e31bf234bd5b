"""Exports of other systems come in whole: found out, read, with their pictures, people and links."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api.importing import files_folder
from api.parts import Parts
from cms.tables.entries import Entry
from tests.api.sources import a_picture, brought_by, parts_over
from tests.cast import Colleague, HeldClock, newest_fields
from tests.cms.exports_at_hand import a_feed, contentful_entry, contentful_export, strapi_entity, strapi_export


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    """All parts of a founded site with its cast, once on each database."""
    with parts_over(request.getfixturevalue(request.param), tmp_path / "data", clock=clock) as made:
        yield made


def fields_of(parts: Parts, external_id: str) -> dict[str, Any]:
    with parts.database.reading() as session:
        entry = session.scalars(sa.select(Entry).where(Entry.source_id == external_id)).one()
        return {**newest_fields(session, entry), "entry": entry}


def kinds_in(document: dict[str, Any]) -> list[str]:
    """The kinds of all nodes of a rich text."""
    return [document["type"], *(kind for child in document.get("content", ()) for kind in kinds_in(child))]


def test_a_ghost_zip_comes_in_with_its_pictures(parts: Parts, olga: Colleague, tmp_path: Path) -> None:
    picture = "__GHOST_URL__/content/images/a.png"
    html = f'<p>See <a href="__GHOST_URL__/second/">it</a></p><img src="{picture}">'
    live = {"status": "published", "published_at": "2024-01-02T10:00:00.000Z"}
    first = {"id": "1", "title": "First", "slug": "first", "html": html, "feature_image": picture, **live}
    second = {"id": "2", "title": "Second", "slug": "second", "type": "page", "html": "<p>x</p>", **live}
    document = {"db": [{"meta": {"version": "5"}, "data": {"posts": [first, second]}}]}
    with zipfile.ZipFile(tmp_path / "ghost.zip", "w") as archive:
        archive.writestr("site.ghost.json", json.dumps(document))
        archive.writestr("content/images/a.png", a_picture())
    job = brought_by(parts, olga, tmp_path / "ghost.zip")
    assert (job.format, job.state, job.counts["made"]) == ("ghost", "completed", 2), (job.failure, job.counts)
    fields, other = fields_of(parts, "1"), fields_of(parts, "2")
    assert fields["cover"] == fields_of(parts, "asset:content/images/a.png")["entry"].id
    assert "image" in kinds_in(fields["body"])
    assert other["entry"].id in json.dumps(fields["body"])
    assert (fields["entry"].type, other["entry"].type) == ("article", "page")


def test_a_contentful_export_comes_in_with_its_links(parts: Parts, olga: Colleague, tmp_path: Path) -> None:
    def link(id: str) -> dict[str, Any]:
        return {"sys": {"type": "Link", "linkType": "Entry", "id": id}}

    see = [{"nodeType": "text", "value": "see"}]
    link_to_b = {"nodeType": "entry-hyperlink", "data": {"target": link("b")}, "content": see}
    text = {"nodeType": "document", "content": [{"nodeType": "paragraph", "content": [link_to_b]}]}
    entries = [
        contentful_entry("a", {"title": "First", "text": text, "related": [link("b")]}, publishedVersion=1),
        contentful_entry("b", {"title": "Second"}, publishedVersion=1),
    ]
    job = brought_by(parts, olga, contentful_export(tmp_path, entries=entries), locale="ru")
    assert (job.format, job.state, job.counts["made"]) == ("contentful", "completed", 2), (job.failure, job.counts)
    fields, other = fields_of(parts, "a"), fields_of(parts, "b")["entry"]
    assert fields["related"] == [other.id]
    assert other.id in json.dumps(fields["body"])


def test_a_strapi_export_comes_in_with_its_pictures(parts: Parts, olga: Colleague, tmp_path: Path) -> None:
    entities = [
        strapi_entity(1, documentId="a", title="A", body="![](/uploads/a.png)", publishedAt="2024-01-01T00:00:00Z"),
        strapi_entity(1, "plugin::upload.file", name="a.png", url="/uploads/a.png", alternativeText="An office"),
    ]
    root = strapi_export(tmp_path / "export", entities=entities)
    (root / "metadata.json").write_text("{}")
    (root / "assets" / "uploads").mkdir(parents=True)
    (root / "assets" / "uploads" / "a.png").write_bytes(a_picture())
    job = brought_by(parts, olga, root)
    assert (job.format, job.state, job.counts["made"]) == ("strapi", "completed", 1), (job.failure, job.counts)
    assert "image" in kinds_in(fields_of(parts, "a")["body"])
    assert fields_of(parts, "asset:/uploads/a.png")["alt"] == "An office"


def test_a_feed_comes_in_and_its_next_state_changes_what_has_changed(
    parts: Parts, olga: Colleague, tmp_path: Path
) -> None:
    item = "<item><guid>{0}</guid><title>{0} {1}</title><pubDate>Tue, 02 Jan 2024 10:00:00 GMT</pubDate></item>"
    path = a_feed(tmp_path, item.format("a", 1) + item.format("b", 1))
    job = brought_by(parts, olga, path, type="news")
    assert (job.format, job.state, job.counts["made"]) == ("feed", "completed", 2), (job.failure, job.counts)
    a_feed(tmp_path, item.format("b", 2) + item.format("c", 1))
    job = brought_by(parts, olga, path, type="news")
    assert (job.state, job.counts["made"], job.counts["changed"]) == ("completed", 1, 1), (job.failure, job.counts)
    assert files_folder(parts, job.id).parent.is_dir()
