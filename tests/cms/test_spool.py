"""What the analysis read stands in one file: whole or not there, in order, looked up by id, old path or number."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cms.import_formats import Asset, Author, Item, Options, Origin, Problem
from cms.imports import spool
from cms.imports.spool import Known, Read, Spool

ANNA = Author("anna", "Anna")


def an_item(number: int, **given: object) -> Item:
    return Item(Origin("rows", number), f"row-{number}", {"title": f"Row {number}"}, **given)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A spool of three items, a problem, a person, two sections, a file and old paths."""
    path = tmp_path / "spool.db"
    with spool.written(path) as writer:
        writer.add(an_item(1, section=("a", "b"), section_names=("A", "B"), byline=(ANNA,), old_paths=("/x/", "/y")))
        writer.add(Problem("rows", 2, None, "not_json", "It is no JSON."))
        writer.add(an_item(3, section=("a",), first_published_at=datetime(2020, 1, 1, tzinfo=UTC)))
        writer.add(an_item(4, old_paths=("/x/",)))
        writer.add_asset(Asset("team.jpg", Path("team.jpg")))
        writer.keep(Read("jsonl", Path("rows"), Options(), links_inside=False))
    return path


def test_rows_come_in_their_order_and_from_a_number_on(path: Path) -> None:
    with Spool(path) as whole:
        assert [row.number for row in whole.rows()] == [1, 2, 3, 4]
        assert [row.number for row in whole.rows(after=2)] == [3, 4]
        assert isinstance(next(whole.rows(after=1)).row, Problem)
        third = next(whole.rows(after=2)).row
    assert isinstance(third, Item)
    assert third.first_published_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_each_item_has_an_id_of_its_own_before_it_is_there(path: Path) -> None:
    with Spool(path) as whole:
        ids = [row.entry_id for row in whole.rows() if row.entry_id is not None]
        assert len(set(ids)) == 3
        assert whole.item("row-1") == ids[0]
        assert whole.holds(ids[0])
        assert not whole.holds("nobody")


def test_an_item_is_found_by_its_old_paths_with_and_without_a_slash_at_the_end(path: Path) -> None:
    with Spool(path) as whole:
        first = whole.item("row-1")
        assert {whole.item(one) for one in ("/x/", "/x", "/y", "/y/")} == {first}
        assert whole.item("/z") is None


def test_an_external_id_that_was_there_before_is_a_problem_in_its_place(tmp_path: Path) -> None:
    with spool.written(tmp_path / "spool.db") as writer:
        writer.add(an_item(1))
        taken = writer.add(an_item(1))
        writer.keep(Read("jsonl", Path("rows"), Options(), links_inside=False))
    assert isinstance(taken, Problem)
    assert taken.code == "duplicate"


def test_sections_have_names_and_those_above_come_first(path: Path) -> None:
    with Spool(path) as whole:
        assert list(whole.sections().items()) == [(("a",), "A"), (("a", "b"), "B")]


def test_a_file_is_linked_to_only_when_it_came_in(path: Path) -> None:
    with Spool(path, writable=True) as whole:
        assert whole.asset("team.jpg") is None
        whole.settle_assets({"team.jpg": "entry"})
        assert whole.asset("team.jpg") == "entry"
        whole.settle_assets({"team.jpg": None})
        assert whole.asset("team.jpg") is None


def test_what_is_known_takes_the_place_of_new_ids(path: Path) -> None:
    with Spool(path, writable=True) as whole, whole.noting():
        for some in whole.unsettled():
            whole.settle({"row-3": Known("old", "digest", unpublished=True)}, among=some)
    with Spool(path) as whole:
        row = next(whole.rows(after=2))
    assert (row.entry_id, row.digest, row.unpublished) == ("old", "digest", True)


def test_a_spool_that_was_cut_off_is_not_there(tmp_path: Path) -> None:
    target = tmp_path / "spool.db"
    with suppress(ZeroDivisionError), spool.written(target) as writer:
        writer.add(an_item(1))
        raise ZeroDivisionError
    assert not target.exists()
    with spool.written(target) as writer:
        writer.add(an_item(2))
        writer.keep(Read("jsonl", Path("rows"), Options(), links_inside=False))
    with Spool(target) as whole:
        assert whole.count("items") == 1


def test_trimmed_it_keeps_ids_and_the_rows_that_are_wanted(path: Path) -> None:
    with Spool(path, writable=True) as whole:
        first = whole.item("row-1")
        whole.trim([2])
    with Spool(path) as whole:
        assert whole.item("row-1") == first
        assert whole.row(1) is None
        kept = whole.row(2)
    assert kept is not None
    assert isinstance(kept.row, Problem)


def test_a_row_whose_section_is_too_deep_is_a_problem_and_makes_no_sections(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with spool.written(path) as writer:
        told = writer.add(an_item(1, section=("a",) * 2_000))
        writer.keep(Read("jsonl", Path("rows"), Options(), links_inside=False))
    assert isinstance(told, Problem)
    assert (told.code, told.field, told.external_id) == ("too_deep", "section", "row-1")
    with Spool(path) as whole:
        assert (whole.count("items"), whole.sections()) == (1, {})
