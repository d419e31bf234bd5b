"""An export of WordPress brought whole: posts, pages, menus, links and redirects are all there at the end."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from api.parts import Parts
from cms.tables.entries import Entry
from tests.api.sources import brought, parts_over, refused
from tests.cast import HeldClock, newest_fields
from tests.cms.wordpress_at_hand import author, export, menu_item, post, term

DATA = Path(__file__).parents[3] / "shared" / "data" / "wxr"


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Parts]:
    """All parts of a founded site with its cast, once on each database."""
    with parts_over(request.getfixturevalue(request.param), tmp_path / "data", clock=clock) as made:
        yield made


def test_a_small_site_comes_in_whole(parts: Parts, tmp_path: Path) -> None:
    path = export(
        tmp_path,
        author("anna", "Anna B."),
        post("1", 'See <a href="https://old.example/2/">the page</a>.', term("post_tag", "t", "Tag"), creator="anna"),
        post("2", "About us", post_type="page"),
        menu_item("20", type="post_type", object_id="2"),
    )
    report = brought(parts, path, format="wordpress", publish=True)
    assert not refused(report)
    with parts.database.reading() as session:
        entries = {
            entry.source_id: entry for entry in session.scalars(sa.select(Entry).where(Entry.source_name == "test"))
        }
        assert {id: entry.type for id, entry in entries.items()} == {"1": "article", "2": "page", "menu:main": "menu"}
        assert f'"entry": "{entries["2"].id}"' in str(newest_fields(session, entries["1"])).replace("'", '"')
        assert newest_fields(session, entries["menu:main"])["items"][0]["entry"] == entries["2"].id
    assert brought(parts, path, format="wordpress", publish=True)["outcomes"].get("same", 0) >= 3


@pytest.mark.skipif(not DATA.is_dir(), reason="the real exports are not there")
@pytest.mark.parametrize("parts", ["sqlite"], indirect=True)
def test_the_real_exports_come_in_whole(parts: Parts) -> None:
    report = brought(parts, DATA, format="wordpress", publish=True)
    # The files are on the network.
    assert not refused(report)
    assert report["warnings"]["not_fetched"] == 38
    with parts.database.reading() as session:
        kinds = Counter(session.scalars(sa.select(Entry.type).where(Entry.source_name == "test")))
    assert kinds == {"article": 121, "page": 23, "menu": 7}
