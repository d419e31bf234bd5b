"""A damaged index is noticed, never crashes the process, and a rebuild mends it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from search_index import Engine, IndexUnavailable, Query, open_engine
from search_index.opening import HAS_TANTIVY
from tests.search_index.site import DOCUMENTS, ids


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def overwrite(file: Path) -> None:
    file.write_bytes(b"\xff" * file.stat().st_size)


def turn_bits(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(bytes(byte ^ 0x55 for byte in content[:-40]) + content[-40:])


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # whoosh forgets to close what it fails to open
@pytest.mark.parametrize("damage", [Path.unlink, cut, overwrite, turn_bits])
@pytest.mark.parametrize("scheme", ["tantivy", "whoosh"])
def test_damaged_files_are_survived_and_mended(scheme: str, damage: Callable[[Path], None], tmp_path: Path) -> None:
    if scheme == "tantivy" and not HAS_TANTIVY:
        pytest.skip("tantivy has no wheel here")
    for number, pattern in enumerate(sorted(kinds_of_files(scheme, tmp_path / "sample"))):
        folder = tmp_path / str(number)
        build(scheme, folder)
        for file in folder.rglob(pattern):
            damage(file)
        check_survival(open_engine(f"{scheme}://{folder}", name="public"))
    gc.collect()


def build(scheme: str, folder: Path) -> None:
    engine = open_engine(f"{scheme}://{folder}", name="public")
    engine.rebuild(DOCUMENTS, position=5)
    engine.close()


def kinds_of_files(scheme: str, folder: Path) -> set[str]:
    build(scheme, folder)
    files = [file for file in folder.rglob("*") if file.is_file() and file.stat().st_size]
    return {f"*{file.suffix}" if file.suffix else file.name for file in files}


def check_survival(engine: Engine) -> None:
    assert engine.position() in (None, 5)
    try:
        engine.search(Query(text="новсти «права доступа» при*", facets=("topic",)))
        engine.suggest("нов")
    except IndexUnavailable:
        pass
    engine.rebuild(DOCUMENTS, position=6)
    assert (engine.position(), ids(engine, "ёлка")) == (6, ["tree"])
    engine.close()


def test_a_pointer_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    build("whoosh", tmp_path)
    (tmp_path / "public" / "current").write_text("whoosh-../../elsewhere")
    assert open_engine(f"whoosh://{tmp_path}", name="public").position() is None


def test_an_index_of_another_version_counts_as_missing(tmp_path: Path) -> None:
    build("whoosh", tmp_path)
    pointer = tmp_path / "public" / "current"
    old = pointer.read_text()
    (tmp_path / "public" / old).rename(tmp_path / "public" / "whoosh-0.1-old")
    pointer.write_text("whoosh-0.1-old")
    assert open_engine(f"whoosh://{tmp_path}", name="public").position() is None


@pytest.mark.parametrize("damage", ["DROP TABLE s.search_public_state", "UPDATE s.search_public_state SET version = 0"])
def test_missing_tables_and_other_versions_are_mended(database: str, damage: str) -> None:
    admin = sa.create_engine(database)
    with admin.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA IF EXISTS s CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA s"))
    engine = open_engine(f"{database}?options=-csearch_path%3Ds", name="public")
    engine.rebuild(DOCUMENTS, position=5)
    with admin.begin() as connection:
        connection.execute(sa.text(damage))
    assert engine.position() is None
    check_survival(engine)
    admin.dispose()


def test_a_server_out_of_reach_is_told_apart_from_a_crash() -> None:
    engine = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2", name="public")
    with pytest.raises(IndexUnavailable):
        engine.search(Query(text="новости"))
    engine.close()
