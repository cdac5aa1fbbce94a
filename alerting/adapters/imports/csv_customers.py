"""Tables of customers as CSV, with a heading. A bad row is only noted; a quote left open costs its
own row.
"""

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from alerting.adapters.imports.delimited import LineFeed, Strict, check_text, loosely, why
from alerting.adapters.imports.headings import KNOWN, SEARCHED, Layout, find_heading, take_heading
from alerting.domain.errors import ActionRefused
from alerting.services.imports.customer_table import Row, Table
from alerting.services.imports.import_mapping import ImportMapping


def read_csv(file: Path, name: str, mapping: ImportMapping) -> Table:
    """Raises ActionRefused for a file that is no such table."""
    check_text(file, name)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        top = list(islice(lines, SEARCHED))
    if not any(line.strip() for line in top):
        raise ActionRefused(f"{name} is empty; its first line names the columns: {KNOWN}")
    at, delimiter = _heading(top, mapping)
    cells, width = _cells_of_heading(top, at, delimiter, name)
    layout = take_heading(cells, mapping, f"{name}:{at + 1}")
    above = any(line.strip(" ,;\t\r\n") for line in top[:at])
    return Table(
        name=name,
        columns=layout.columns,
        rows=partial(_rows, file, at + width, delimiter, layout),
        decimal_comma=delimiter == ";",
        fixed=mapping.fixed,
        notices=[*([f"the heading is line {at + 1}"] if above else []), *layout.notices],
    )


def _heading(top: Sequence[str], mapping: ImportMapping) -> tuple[int, str]:
    """The line (from 0) and what separates its cells: the first that is not blank, unless a later
    one names customers.
    """
    first = next(at for at, line in enumerate(top) if line.strip())
    if mapping.heading_row is not None:
        first = min(mapping.heading_row, len(top)) - 1
        return first, _delimiter(top[first])
    found = find_heading([loosely(line, _delimiter(line)) for line in top], mapping)
    at = first if found is None else found
    return at, _delimiter(top[at])


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _cells_of_heading(
    top: Sequence[str], at: int, delimiter: str, name: str
) -> tuple[list[str], int]:
    """Its cells, and how many lines it takes."""
    reader = csv.reader(iter(top[at:]), Strict, delimiter=delimiter)
    try:
        return next(reader), reader.line_num
    except csv.Error as error:
        raise ActionRefused(
            f"{name}:{at + 1}: the heading cannot be read: {why(error, reader.line_num)}"
        ) from error


def _rows(file: Path, begin: int, delimiter: str, layout: Layout) -> Iterator[Row]:
    """Every row that says something. Where one cannot be read, the next line begins a row again.

    csv ends rows at \\n and \\r alone; other ends of lines may stand inside a name.
    """
    with file.open(encoding="utf-8-sig", newline="") as opened:
        feed = LineFeed(islice(opened, begin, None))
        line = begin + 1
        while True:
            reader = csv.reader(feed, Strict, delimiter=delimiter)
            try:
                for cells in reader:
                    last = line + len(feed.row) - 1
                    if any(cells) and any(cell.strip() for cell in cells):
                        yield _row(line, last, cells, layout)
                    line = last + 1
                    feed.row.clear()
                return
            except csv.Error as error:
                cells = loosely(feed.row[0], delimiter)
                problem = why(error, len(feed.row))
                yield Row(line=line, last_line=line, cells=_picked(cells, layout), problem=problem)
                feed.begin_behind_first()
                line += 1


def _row(line: int, last_line: int, cells: Sequence[str], layout: Layout) -> Row:
    problem = None
    if len(cells) != layout.width or len(layout.named) != layout.width:
        problem = _misfit(cells, layout)
    return Row(line=line, last_line=last_line, cells=_picked(cells, layout), problem=problem)


def _misfit(cells: Sequence[str], layout: Layout) -> str | None:
    stray = next(
        (cell for at, cell in enumerate(cells) if cell.strip() and at not in layout.named), None
    )
    if stray is not None:
        return (
            f"{len(cells)} cells, the heading names {layout.width} columns: nobody knows what "
            f"{stray.strip()[:40]!r} is; "
            "quote a value that holds the separator"
        )
    return (
        f"1 cell, the heading names {layout.width} columns"
        if len(cells) == 1 and layout.width > 1
        else None
    )


def _picked(cells: Sequence[str], layout: Layout) -> list[str]:
    count = len(cells)
    return [cells[at] if at < count else "" for at in layout.at]
