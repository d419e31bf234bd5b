"""Workbooks of Excel: cells that have types, sheets, and what would take too much memory."""

import io
import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from cms.import_formats import FORMATS, Item, Options, Problem, SourceUnreadable, workbook_limits
from cms.import_formats.workbook_limits import WORKBOOK

SHARED_TMP = [HealthCheck.function_scoped_fixture]
HEADER = ["Ид", "Заголовок", "Дата", "Черновик", "Вес", "Время"]
SHEET = "xl/worksheets/sheet1.xml"
# As a sheet has it.
NAIVE = datetime(2026, 1, 31, 14, 5, tzinfo=UTC).replace(tzinfo=None)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def saved(book: Workbook, place: Path) -> Path:
    book.save(place / "rows.xlsx")
    return place / "rows.xlsx"


def results(path: Path, **choices: str) -> list[Item | Problem]:
    return list(FORMATS["xlsx"].read(path, Options(choices=choices)).items())


@cache
def small() -> dict[str, bytes]:
    """The parts of a workbook of one sheet."""
    book = Workbook()
    book.worksheets[0].append(["id", "title", "date"])
    book.worksheets[0].append([1, "A", NAIVE])
    written = io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(place: Path, parts: dict[str, bytes]) -> Path:
    path = place / "rows.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def sheet_of(place: Path, rows: str, **others: bytes) -> Path:
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    return packed(place, small() | {SHEET: sheet} | others)


def test_cells_keep_their_types(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADER)
    sheet.append([7, "Часы работы", NAIVE, True, 1.5, time(9, 30)])
    sheet.append([8, 2026, date(2026, 1, 31), False, 3, None])
    first, second = results(saved(book, tmp_path))
    assert isinstance(first, Item)
    assert isinstance(second, Item)
    assert (first.external_id, first.fields["title"], first.draft) == ("7", "Часы работы", True)
    assert first.first_published_at == datetime(2026, 1, 31, 14, 5, tzinfo=UTC)
    assert first.source_fields == {"Вес": 1.5, "Время": "09:30:00"}
    assert (second.fields["title"], second.source_fields) == ("2026", {"Вес": 3})
    assert second.first_published_at == datetime(2026, 1, 31, tzinfo=UTC)


def test_dates_are_of_the_zone_that_is_said(tmp_path: Path) -> None:
    [found] = results(packed(tmp_path, small()), zone="Europe/Moscow")
    assert isinstance(found, Item)
    assert found.first_published_at == datetime(2026, 1, 31, 11, 5, tzinfo=UTC)


def test_the_first_sheet_with_cells_is_read_or_the_one_that_is_said(tmp_path: Path) -> None:
    book = Workbook()
    for name in ("Hidden", "Новости"):
        sheet = book.create_sheet(name)
        sheet.append(["id", "title"])
        sheet.append([1, name])
    book.worksheets[1].sheet_state = "hidden"
    path = saved(book, tmp_path)
    for choices, title in (({}, "Новости"), ({"sheet": "Hidden"}, "Hidden"), ({"sheet": "3"}, "Новости")):
        [found] = results(path, **choices)
        assert isinstance(found, Item)
        assert found.fields["title"] == title
    with pytest.raises(SourceUnreadable, match="Новости"):
        results(path, sheet="Nowhere")


def test_rows_are_counted_as_excel_does(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet["B3"], sheet["C3"], sheet["B6"], sheet["C6"], sheet["B7"] = "id", "title", 1, "A", 2
    found, bad = results(saved(book, tmp_path))
    assert isinstance(found, Item)
    assert isinstance(bad, Problem)
    assert (found.origin.line, bad.line, bad.code) == (6, 7, "missing")
    assert (found.raw, bad.raw) == ('{"id":1,"title":"A"}', '{"id":2}')


def test_a_formula_is_what_it_was_last_and_never_worked_out(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1" t="str"><v>id</v></c><c r="B1" t="str"><v>title</v></c></row>'
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><f>CONCATENATE("A","B")</f><v>AB</v></c></row>'
    )
    [found] = results(sheet_of(tmp_path, rows))
    assert isinstance(found, Item)
    assert found.fields["title"] == "AB"


def test_a_workbook_is_recognised_by_what_is_in_it(tmp_path: Path) -> None:
    packed(tmp_path, small()).rename(tmp_path / "rows.bin")
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        archive.writestr("a.md", "# A")
    assert FORMATS["xlsx"].recognise(tmp_path / "rows.bin") == 95
    assert FORMATS["xlsx"].recognise(tmp_path / "other.xlsx") == 0
    assert FORMATS["csv"].recognise(tmp_path / "rows.bin") == 0


# Each of them would end the process.
@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="50000"><c r="XFD50000"><v>1</v></c></row>',
        '<row r="1"><c r = "a1"/></row><row r="1048576"><c r\n=\n\'xfd1048576\'/></row>',
        '<x:row r="1"><x:c r="A1"/></x:row><x:row r="1048576"><x:c/><x:c r="XFD1"/></x:row>',
        '<row r="900000"><c/><c/><c/><c/><c/></row>',
    ],
)
def test_a_sheet_that_spans_too_much_is_refused(rows: str, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="cells"):
        results(sheet_of(tmp_path, rows))


@pytest.mark.parametrize("cell", ['<c r="A{}" t="s"><v>0</v></c>', "<c t = 's' r='A{}' ><f/><v>0</v></c>"])
def test_a_text_that_is_shown_too_often_is_refused(cell: str, tmp_path: Path) -> None:
    rows = "".join(f'<row r="{row}">{cell.format(row)}</row>' for row in range(1, 6_001))
    texts = f'<sst xmlns="{MAIN}"><si><t>{"x" * 30_000}</t></si></sst>'.encode()
    with pytest.raises(SourceUnreadable, match="text"):
        results(sheet_of(tmp_path, rows, **{"xl/sharedStrings.xml": texts}))


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="times its size"):
        results(packed(tmp_path, small() | {"xl/other.xml": b" " * 9_000_000}))


@pytest.mark.parametrize("limit", ["LARGEST", "LARGEST_UNPACKED", "LARGEST_MEMBER", "MOST_MEMBERS"])
def test_every_size_has_a_limit(limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_limits, limit, 3)
    with pytest.raises(SourceUnreadable):
        results(packed(tmp_path, small()))


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(SourceUnreadable, match="no workbook"):
        results(tmp_path / "rows.xlsx")
    with pytest.raises(SourceUnreadable, match="no workbook"):
        results(packed(tmp_path, {"a.txt": b""}))
    with pytest.raises(SourceUnreadable):
        results(packed(tmp_path, {WORKBOOK: b"<workbook/>"}))


@settings(suppress_health_check=SHARED_TMP, deadline=None, max_examples=40)
@given(
    part=st.sampled_from([WORKBOOK, SHEET, "xl/styles.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"]),
    at=st.integers(0, 3_000),
    length=st.integers(0, 40),
    junk=st.binary(max_size=20)
    | st.sampled_from([b"-1", b"99999999999", b"</row>", b'r="ZZZ99999999"', b"<c t='s'/>"]),
)
def test_damaged_parts_are_refused_or_read(part: str, at: int, length: int, junk: bytes, tmp_path: Path) -> None:
    content = small()[part]
    at %= len(content)
    with suppress(SourceUnreadable):
        results(packed(tmp_path, small() | {part: content[:at] + junk + content[at + length :]}))


@settings(suppress_health_check=SHARED_TMP, deadline=None, max_examples=40)
@given(at=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=8))
def test_damaged_bytes_are_refused_or_read(at: int, junk: bytes, tmp_path: Path) -> None:
    path = packed(tmp_path, small())
    content = path.read_bytes()
    path.write_bytes(content[: at % len(content)] + junk + content[at % len(content) + len(junk) :])
    with suppress(SourceUnreadable):
        results(path)
    FORMATS["xlsx"].recognise(path)
