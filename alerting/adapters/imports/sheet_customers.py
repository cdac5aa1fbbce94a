"""Tables of customers as Excel workbooks, as sales teams keep them: titles above the heading, empty
rows, merged cells.
"""

import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from alerting.adapters.imports.headings import KNOWN, SEARCHED, Layout, find_heading, take_heading
from alerting.adapters.imports.sheet_marks import Marks, Merged, marks_of
from alerting.domain.errors import ActionRefused
from alerting.services.imports.cell_values import as_text
from alerting.services.imports.customer_table import Cell, ManySheets, NoColumns, Row, Table
from alerting.services.imports.import_mapping import ImportMapping

if TYPE_CHECKING:
    from openpyxl import Workbook

MAX_UNPACKED = 4 << 30
"""Bytes a workbook may hold unpacked: a small file can be made to fill a disk or a memory."""

_KINDS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument sheet",
    "Index/Document.iwa": "a Numbers document",
    "word/document.xml": "a Word document",
}


class _FormattedCell(Protocol):
    """A cell of openpyxl's, with the format it is shown in."""

    @property
    def value(self) -> Cell: ...
    @property
    def number_format(self) -> str: ...


class _Sheet(Protocol):
    """A sheet of openpyxl's that is read row by row."""

    title: str
    sheet_state: str

    def reset_dimensions(self) -> None: ...
    def iter_rows(self, *, values_only: bool) -> Iterable[Sequence[Cell]]: ...


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A sheet with a heading in it."""

    title: str
    heading_row: int
    cells: Sequence[str]


def read_sheet(file: Path, name: str, mapping: ImportMapping, sheet: str | None) -> Table:
    """The customers of one sheet. Raises ActionRefused, with the remedy, where there is no such
    sheet or heading.
    """
    _check_package(file, name)
    with _workbook(file, name) as workbook:
        found = _chosen(workbook, name, mapping, sheet)
        worksheet = workbook[found.title]
        with worksheet._get_source() as xml:
            marks = marks_of(xml)
    place = f"{name}:{found.heading_row}"
    layout = take_heading(found.cells, mapping, place)
    notices = [f"sheet {found.title!r}, the heading is row {found.heading_row}", *layout.notices]
    notices += _without_result(marks, layout, found.heading_row)
    return Table(
        name=name,
        columns=layout.columns,
        rows=partial(_rows, file, name, found, layout, marks),
        fixed=mapping.fixed,
        notices=notices,
    )


def _check_package(file: Path, name: str) -> None:
    try:
        with zipfile.ZipFile(file) as package:
            names = set(package.namelist())
            unpacked = sum(info.file_size for info in package.infolist())
    except zipfile.BadZipFile as error:
        raise ActionRefused(
            f"{name} is a broken Excel file ({error}); open it and save it again"
        ) from error
    if "xl/workbook.xml" not in names:
        kind = next(
            (what for part, what in _KINDS.items() if part in names),
            "no spreadsheet, but packed files",
        )
        raise ActionRefused(f"{name} is {kind}; save it as Excel workbook (.xlsx) or CSV UTF-8")
    if unpacked > MAX_UNPACKED:
        raise ActionRefused(
            f"{name} unpacks to {unpacked >> 20} MiB, more than {MAX_UNPACKED >> 20}; save it as "
            "CSV UTF-8"
        )


@contextmanager
def _workbook(file: Path, name: str) -> Iterator["Workbook"]:
    """Opened for reading row by row. What openpyxl warns of (styles, validations) is no matter of
    ours.
    """
    with (
        file.open("rb") as opened,
        warnings.catch_warnings(),
    ):  # by its path openpyxl wants it to be called .xlsx
        warnings.simplefilter("ignore")
        try:
            workbook = load_workbook(opened, read_only=True, data_only=True, keep_links=False)
        except Exception as error:  # it raises whatever its XML parser and its own asserts do
            raise _unreadable(name, error) from error
        try:
            yield workbook
        except (SyntaxError, zipfile.BadZipFile, zlib.error) as error:
            raise _unreadable(name, error) from error
        finally:
            workbook.close()


def _unreadable(name: str, error: Exception) -> ActionRefused:
    why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return ActionRefused(
        f"{name} cannot be read as Excel workbook: {why}; open it in Excel and save it again"
    )


def _chosen(workbook: "Workbook", name: str, mapping: ImportMapping, sheet: str | None) -> _Found:
    """The sheet asked for, else the only visible one with a heading."""
    sheets = {ws.title: ws for ws in workbook.worksheets}
    if sheet is not None:
        exact = next(
            (title for title in sheets if title.casefold() == sheet.strip().casefold()), None
        )
        if exact is None:
            raise ActionRefused(f"{name} has no sheet {sheet!r}; there are {_listed(sheets)}")
        found = _heading_of(sheets[exact], mapping)
        if found is None:
            raise NoColumns(_no_heading(f"the sheet {exact!r} of {name}", sheets[exact]))
        return found
    visible = [ws for ws in sheets.values() if ws.sheet_state == "visible"]
    candidates = [found for ws in visible if (found := _heading_of(ws, mapping)) is not None]
    if len(candidates) > 1:
        titles = _listed(found.title for found in candidates)
        raise ManySheets(
            f"{name} has customers in several sheets, {titles}; choose one with --sheet"
        )
    if not candidates:
        raise NoColumns(_no_heading(name, visible[0] if visible else None))
    return candidates[0]


def _heading_of(worksheet: "_Sheet", mapping: ImportMapping) -> _Found | None:
    if not hasattr(worksheet, "iter_rows"):
        return None  # a sheet that is a chart
    top = [
        [_heading_text(cell) for cell in cells]
        for cells in _top(worksheet, mapping.heading_row or SEARCHED)
    ]
    if mapping.heading_row is not None:
        at = mapping.heading_row - 1 if mapping.heading_row <= len(top) else None
    else:
        at = find_heading(top, mapping)
    return None if at is None else _Found(title=worksheet.title, heading_row=at + 1, cells=top[at])


def _top(worksheet: "_Sheet", count: int) -> Iterator[Sequence[Cell]]:
    worksheet.reset_dimensions()  # programs write wrong ones
    for number, cells in enumerate(worksheet.iter_rows(values_only=True), 1):
        yield cells[: _last_filled(cells)]
        if number >= count:
            return


def _last_filled(cells: Sequence[object]) -> int:
    return next((at for at in range(len(cells), 0, -1) if cells[at - 1] is not None), 0)


def _heading_text(cell: object) -> str:
    return "" if cell is None else as_text(cell)


def _no_heading(what: str, worksheet: "_Sheet | None") -> str:
    top = [cells for cells in _top(worksheet, SEARCHED) if cells] if worksheet is not None else []
    if not top:
        return f"{what} is empty; a row must name the columns: {KNOWN}"
    shown = ", ".join(
        _heading_text(cell)[:40] for cell in max(top, key=len)[:12] if cell is not None
    )
    return (
        f"{what}: none of the first {SEARCHED} rows names customers ({shown}); there is no column "
        "customer_id or name, "
        "give `heading_row` and `columns` in a mapping file (--mapping)"
    )


def _listed(titles: Iterable[str]) -> str:
    return ", ".join(repr(title) for title in titles)


def _without_result(marks: Marks, layout: Layout, heading_row: int) -> Iterator[str]:
    """A program other than Excel may store formulas alone."""
    for at, column in zip(layout.at, layout.columns, strict=True):
        rows = sorted(row for row, where in marks.no_result if where == at and row > heading_row)
        if rows:
            yield (
                f"{column.label}: {len(rows)} formula{'' if len(rows) == 1 else 's'} without a "
                "stored result (first in "
                f"{get_column_letter(at + 1)}{rows[0]}), read as empty; open the file in Excel and "
                "save it"
            )


def _rows(file: Path, name: str, found: _Found, layout: Layout, marks: Marks) -> Iterator[Row]:
    """Every row below the heading that says something, numbered as the sheet numbers them."""
    merged = Merged(marks)
    first = found.heading_row + 1
    with _workbook(file, name) as workbook:
        worksheet = workbook[found.title]
        worksheet.reset_dimensions()
        for number, cells in enumerate(worksheet.iter_rows(min_row=first), first):
            values: list[Cell] = [_value(cell) for cell in cells]
            if marks.merged:
                merged.fill(number, values)
            count = len(values)
            picked = [values[at] if at < count else None for at in layout.at]
            if any(cell is not None and cell != "" for cell in picked):
                yield Row(line=number, last_line=number, cells=picked)


def _value(cell: "_FormattedCell") -> Cell:
    """A number that only its format gives leading zeros is a code: 00123 is not 123."""
    value = cell.value
    if (
        type(value) is int
        and (zeros := cell.number_format).isdigit()
        and set(zeros) == {"0"}
        and len(zeros) > 1
    ):
        return str(value).zfill(len(zeros))
    return value
