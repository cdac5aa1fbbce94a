"""Tables of people as files: CSV, with a header line. What cannot be a table is refused; a bad row
is only noted.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from alerting.adapters.imports.delimited import Cells, Strict, cells_of, lines_from, lines_of, why
from alerting.domain.errors import ActionRefused
from alerting.services.imports.person_rows import (
    KEY,
    KNOWN,
    PersonRow,
    PersonTable,
    column_named,
    nearest_column,
)


def read_table(path: str) -> PersonTable:
    """The rows of a file, good and bad. Raises ActionRefused for a file that is no such table."""
    file = Path(path)
    name = "".join(ch if ch.isprintable() else "_" for ch in file.name)
    lines = lines_of(file.read_bytes(), name)
    heading = next((at for at, line in enumerate(lines) if line.strip()), None)
    if heading is None:
        raise ActionRefused(f"{name} is empty; its first line names the columns: {KNOWN}")
    delimiter = max(",;\t", key=lines[heading].count)
    columns, begin = _columns(lines, heading, delimiter, name)
    return PersonTable(
        name=name, rows=[_row(cells, columns) for cells in cells_of(lines, begin, delimiter)]
    )


def _columns(lines: Sequence[str], at: int, delimiter: str, name: str) -> tuple[list[str], int]:
    """The columns by position (empty: no heading), and where the rows begin."""
    reader = csv.reader(lines_from(lines, at), Strict, delimiter=delimiter)
    try:
        headings = [heading.strip() for heading in next(reader)]
    except csv.Error as error:
        raise ActionRefused(
            f"{name}:{at + 1}: the heading cannot be read: {why(error, reader.line_num)}"
        ) from error
    columns = [column_named(heading) if heading else "" for heading in headings]
    problems = []
    unknown = [
        _unknown(heading)
        for heading, column in zip(headings, columns, strict=True)
        if column is None
    ]
    if unknown:
        problems.append(f"unknown columns {', '.join(unknown)}; leave them out")
    twice = [column for column, count in Counter(columns).items() if column and count > 1]
    if twice:
        problems.append(f"two columns {', '.join(twice)}; leave one of them out")
    if KEY not in columns:
        problems.append(f"there is no column {KEY}; {KNOWN}")
    if problems:
        raise ActionRefused("\n".join(f"{name}:{at + 1}: {problem}" for problem in problems))
    return [column or "" for column in columns], at + reader.line_num


def _unknown(heading: str) -> str:
    near = nearest_column(heading)
    shown = heading if len(heading) <= 40 else heading[:40] + "..."
    return f"{shown} (did you mean {near}?)" if near else shown


def _row(found: Cells, columns: Sequence[str]) -> PersonRow:
    problem, cells = found.problem, found.cells
    stray = next(
        (cell for at, cell in enumerate(cells) if cell and not "".join(columns[at : at + 1])), None
    )
    if stray is not None:
        problem = (
            f"{len(cells)} cells, the heading names {len(columns)} columns: nobody knows what "
            f"{stray[:40]!r} is; "
            "quote a value that holds the separator"
        )
    elif len(cells) == 1 and len(columns) > 1:
        problem = f"1 cell, the heading names {len(columns)} columns"
    said = {column: cell for column, cell in zip(columns, cells, strict=False) if column and cell}
    return PersonRow(line=found.line, cells=said, problem=problem)
