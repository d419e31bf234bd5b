"""Real folders and files, counted to the last one."""

import lzma
import shutil
from collections import Counter
from pathlib import Path

import pytest

from cms.import_formats import FORMATS, Item, Options, Reading, Target
from cms.import_formats.local_links import addresses

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def doka() -> Reading:
    if not (DATA / "doka").is_dir():
        pytest.skip("the real Markdown articles are not there")
    return FORMATS["markdown"].read(DATA / "doka", Options(locale="ru"))


@pytest.fixture(scope="module")
def pages(doka: Reading) -> dict[str, Item]:
    return {found.external_id: found for found in doka.items() if isinstance(found, Item)}


def test_every_file_is_an_item_or_a_person(doka: Reading, pages: dict[str, Item]) -> None:
    files = sum(1 for _ in (DATA / "doka").rglob("*.md"))
    assert (files, len(pages), len(list(doka.people())), doka.count()) == (1538, 1329, 209, 1329)


def test_titles_are_plain_and_bylines_have_names(pages: dict[str, Item]) -> None:
    page = pages["css/align-content"]
    assert (page.fields["title"], page.section, page.section_names) == ("align-content", ("css",), ("CSS",))
    assert [author.name for author in page.byline] == ["Алёна Батицкая"]
    assert not any("`" in page.fields["title"] for page in pages.values())


def test_every_practice_is_by_the_person_it_is_called_after(pages: dict[str, Item]) -> None:
    practices = [page for page in pages.values() if "practice" in page.section]
    unsigned = [page.slug for page in practices if not page.byline]
    assert (len(practices), unsigned) == (393, ["drakesweb"])  # who is not among the described


def test_every_link_is_accounted_for(doka: Reading, pages: dict[str, Item]) -> None:
    kinds: Counter[str] = Counter()
    for page in pages.values():
        for url in addresses(page.fields.get("body", {}).get("value", "")):
            found = doka.target(page.origin.file, url)
            if isinstance(found, Target):
                assert found.kind == "asset" or found.external_id in pages
            kinds[found.kind if isinstance(found, Target) else found.code if found else "elsewhere"] += 1
    assert kinds == {"item": 6119, "missing_target": 1422, "elsewhere": 995, "asset": 356, "links_to_person": 18}


def test_every_asset_is_a_file(doka: Reading) -> None:
    assets = list(doka.assets())
    assert len(assets) == len({asset.external_id for asset in assets}) == 420
    assert all(asset.path and asset.path.is_file() for asset in assets)


def test_five_thousand_rows_are_five_thousand_items(tmp_path: Path) -> None:
    packed = DATA / "articles.jsonl.xz"
    if not packed.is_file():
        pytest.skip("the real JSON Lines are not there")
    with lzma.open(packed) as source, (tmp_path / "articles.jsonl").open("wb") as rows:
        shutil.copyfileobj(source, rows)
    reading = FORMATS["jsonl"].read(tmp_path / "articles.jsonl", Options())
    items = [found for found in reading.items() if isinstance(found, Item)]
    assert (reading.count(), len(items)) == (5000, 5000)
    assert Counter(item.locale for item in items) == {"ru": 2500, "en": 2500}
    assert not any(item.source_fields for item in items)
    assert all(len(item.section) == 1 and item.first_published_at and item.fields["body"] for item in items)
