"""Workbooks of Excel (XLSX): the rows of one sheet."""

import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from cms.import_formats.item import Format, Options, SourceUnreadable
from cms.import_formats.row_items import CHOICES
from cms.import_formats.tables import Found, Record, Table, Tables
from cms.import_formats.workbook_limits import WORKBOOK, refuse_large


def read(source: Path, options: Options) -> Tables:
    """Opens a workbook and chooses its sheet. Raises `SourceUnreadable`."""
    refuse_large(source)
    with _opened(source) as workbook:
        sheet = _chosen(source, workbook, options.choices.get("sheet", ""))
    return Tables([Table(source.name, partial(_rows, source, sheet))], options, folder=source.parent)


def _opened(source: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(source)
    except (CalamineError, OSError, ValueError) as error:
        raise SourceUnreadable(str(source), f"is no workbook that can be read: {error}") from None


def _chosen(source: Path, workbook: CalamineWorkbook, name: str) -> str:
    """The sheet of that name or number, else the first that people see and that has cells."""
    sheets = [one for one in workbook.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    names = [one.name for one in sheets]
    if name:
        if name not in names and name.isdecimal() and 0 < int(name[:6]) <= len(names):
            return names[int(name[:6]) - 1]
        if name in names:
            return name
        raise SourceUnreadable(str(source), f"has no sheet {name[:100]!r}. It has: {', '.join(names)[:1_000]}")
    shown = [one.name for one in sheets if one.visible == SheetVisibleEnum.Visible] or names
    if not shown:
        raise SourceUnreadable(str(source), "has no sheet with cells")
    return next((one for one in shown if _sheet(source, workbook, one).height), shown[0])


def _sheet(source: Path, workbook: CalamineWorkbook, name: str) -> CalamineSheet:
    try:
        return workbook.get_sheet_by_name(name)
    except (CalamineError, OSError, ValueError) as error:
        raise SourceUnreadable(str(source), f"has a sheet that cannot be read: {error}") from None


def _rows(source: Path, name: str) -> Iterator[Found]:
    with _opened(source) as workbook:
        for number, cells in enumerate(_sheet(source, workbook, name).iter_rows(), start=1):
            yield Record(number, cells)


def _recognise(source: Path) -> int:
    """A zip with a workbook in it."""
    if not source.is_file() or not zipfile.is_zipfile(source):
        return 0
    try:
        with zipfile.ZipFile(source) as archive:
            return 95 if WORKBOOK in archive.namelist() else 0
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return 0


FORMAT = Format("A workbook of Excel (XLSX)", read, _recognise, mappable=True, choices={"sheet": (), **CHOICES})
